"""The compute engine for the torch that pip installed: from the wheel, or compiled once and kept."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path

from .errors import MissingComponentError

__all__ = ["engine_for"]


def engine_for(torch: Path, program: Path) -> "Path | None":
    """The engine that fits a torch.

    Parameters
    ----------
    torch
        The folder of the package ``torch``.
    program
        The folder that the wheel's program lies in: engines that came with it are in ``bin``, the sources
        for others in ``share/cleannet/engine``.

    Returns
    -------
    Path or None
        None where the program is not that of the wheel, and so looks for its engine by itself.

    Raises
    ------
    MissingComponentError
        If it must be compiled and cannot.
    """
    version = _version(torch)
    sources = program / "share" / "cleannet" / "engine"
    if version is None or not sources.exists():
        return None
    prepared = program / "bin" / f"libCleanNetEngine-torch{version}.so"
    if prepared.exists():
        return prepared
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "cleannet" / "engines"
    # An engine of other sources, or for a torch at another place, is another one.
    key = hashlib.sha256(str(torch).encode())
    for file in sorted(sources.rglob("*")):
        if file.is_file():
            key.update(file.read_bytes())
    built = cache / "wheels" / f"libCleanNetEngine-torch{version}-{key.hexdigest()[:12]}.so"
    if not built.exists():
        _compile(sources, torch, built, version)
    return built


def _version(torch: Path) -> "str | None":
    try:
        text = (torch / "version.py").read_text()
    except OSError:
        return None
    found = re.search(r"__version__ = '([0-9]+\.[0-9]+\.[0-9]+)", text)
    return found.group(1) if found else None


def _compile(sources: Path, torch: Path, out: Path, version: str) -> None:
    print(
        f"cleannet: compiling the compute engine for torch {version}. This takes a minute or two, and happens once.",
        file=sys.stderr,
        flush=True,
    )
    done = subprocess.run(
        ["sh", str(sources / "Scripts" / "build-engine"), "--torch", str(torch), "--out", str(out)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode != 0:
        last = "\n".join(done.stdout.strip().splitlines()[-15:])
        raise MissingComponentError(
            f"The compute engine could not be compiled for torch {version}:\n{last}\n"
            "Install a C++ compiler (apt-get install g++), or another version of torch, and try again.",
            69,
        )
