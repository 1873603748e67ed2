"""The program: where it is, what it finds of libraries that came with pip, and how it is run."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, Iterator, Mapping, Sequence

from . import _engine
from .errors import CleanNetError, MissingComponentError, failure

__all__ = ["find_program", "environment", "run", "main"]

_INSIDE = Path(__file__).parent / "_program"


def find_program() -> str:
    """The path of the program: ``$CLEANNET_PROGRAM``, the one in the wheel, or the one on ``PATH``."""
    named = os.environ.get("CLEANNET_PROGRAM")
    if named:
        return named
    inside = _INSIDE / "bin" / "cleannet"
    if inside.exists():
        return str(inside)
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        found = shutil.which("cleannet", path=folder)
        # The command that pip made leads back here.
        if found and _is_program(found):
            return found
    raise MissingComponentError(
        "There is no program cleannet. Install the wheel for this platform (pip install cleannet), "
        "or name a built program in the variable CLEANNET_PROGRAM."
    )


def _is_program(path: str) -> bool:
    with open(path, "rb") as file:
        return file.read(4) == b"\x7fELF"


def _package_folder(name: str) -> Path | None:
    """Where an installed package lies; it is not imported."""
    found = importlib.util.find_spec(name)
    if found is None or not found.submodule_search_locations:
        return None
    return Path(next(iter(found.submodule_search_locations)))


def _pip_libvips() -> str | None:
    """The library in the wheel ``pyvips-binary``."""
    found = importlib.util.find_spec("_libvips")
    if found is None or not found.origin:
        return None
    folder = Path(found.origin).parent / "pyvips_binary.libs"
    return next((str(file) for file in sorted(folder.glob("libvips*.so*"))), None)


def environment(engine: bool = True) -> dict[str, str]:
    """The variables that tell the program of the libraries which came with pip; the user's own stand.

    Parameters
    ----------
    engine
        Whether the compute engine will be needed, which may be compiled for the torch that is installed.
    """
    variables = dict(os.environ)
    if "CLEANNET_LIBVIPS" not in variables:
        libvips = _pip_libvips()
        if libvips:
            variables["CLEANNET_LIBVIPS"] = libvips
    if engine and "CLEANNET_ENGINE" not in variables:
        torch = _package_folder("torch")
        if torch:
            built = _engine.engine_for(torch, _INSIDE)
            if built:
                variables["CLEANNET_ENGINE"] = str(built)
    return variables


# Verbs that need no compute engine; the command must not wait for a compiler before it prints a help text.
_WITHOUT_ENGINE = {"--version", "--help", "-h", "help", "status", "verify", "export", "download", "import"}


def main() -> None:
    """The command ``cleannet``: becomes the program."""
    arguments = sys.argv[1:]
    try:
        program = find_program()
        needs_engine = bool(arguments) and arguments[0] not in _WITHOUT_ENGINE
        needs_engine = needs_engine and not {"--help", "-h"} & set(arguments)
        variables = environment(needs_engine)
    except CleanNetError as error:
        sys.exit(f"error: {error}")
    os.execve(program, [program, *arguments], variables)


def options(values: Mapping[str, Any]) -> list[str]:
    """Keyword arguments as options: ``held_out=3`` is ``--held-out 3``, ``True`` a flag, ``None`` and ``False`` nothing."""
    words: list[str] = []
    for name, value in values.items():
        if value is None or value is False:
            continue
        words.append("--" + name.rstrip("_").replace("_", "-"))
        if isinstance(value, (list, tuple)):
            words.append(",".join(map(str, value)))
        elif value is not True:
            words.append(str(value))
    return words


def run(arguments: Sequence[str], progress: "bool | str" = "auto", is_json: bool = True) -> Any:
    """Runs the program and returns what it prints, decoded from JSON.

    Parameters
    ----------
    arguments
        The verb and its options.
    progress
        ``True`` shows a bar for each stage (tqdm's where it is installed, in notebooks as a widget); ``"auto"`` does so in
        notebooks and on terminals.
    is_json
        Whether the verb prints JSON.

    Raises
    ------
    CleanNetError
        With the program's words on what is wrong and what to do.
    """
    from ._progress import shows_progress, Bars

    shows = shows_progress() if progress == "auto" else bool(progress)
    variables = environment()
    if shows:
        variables["CLEANNET_PROGRESS"] = "json"
    words = [find_program(), *map(str, arguments), *(["--json"] if is_json else [])]
    if not shows and arguments and arguments[0] not in ("verify", "export"):
        words.append("--quiet")
    process = subprocess.Popen(
        words, env=variables, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None and process.stderr is not None
    output: list[bytes] = []
    reader = threading.Thread(target=lambda: output.append(process.stdout.read()), daemon=True)
    reader.start()
    messages: list[str] = []
    try:
        with Bars() if shows else _Silence() as bars:
            for line in _lines(process.stderr):
                event = _event(line)
                if event is not None:
                    bars.show(event)
                elif line.startswith("warning: "):
                    import warnings

                    warnings.warn(line[len("warning: ") :], stacklevel=3)
                elif line:
                    messages.append(line)
        status = process.wait()
    except BaseException:
        # An interrupted program goes on where it was when it is run again.
        process.terminate()
        process.wait()
        raise
    reader.join()
    if status != 0:
        raise failure(status, _message(messages, status))
    text = b"".join(output).decode()
    return json.loads(text) if is_json and text.strip() else text


class _Silence:
    def __enter__(self) -> "_Silence":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def show(self, event: Mapping[str, Any]) -> None:
        pass


def _lines(stream: Any) -> Iterator[str]:
    for line in stream:
        yield line.decode(errors="replace").rstrip("\n")


def _event(line: str) -> "dict[str, Any] | None":
    if not line.startswith("{"):
        return None
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if "progress" in event else None


def _message(lines: Sequence[str], status: int) -> str:
    for index, line in enumerate(lines):
        if line.lower().startswith("error: "):
            return "\n".join([line[len("error: ") :], *lines[index + 1 :]])
    return "\n".join(lines) or f"The program ended with status {status} and said nothing."
