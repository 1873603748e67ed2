"""The program as a worker: images go in through a pipe, answers come out, in order.

The frames are described in docs/worker.md. A worker is started once and kept. If it dies, nothing is lost: the unanswered
requests are sent to the next one, and an image that kills workers gets an error for an answer.
"""

from __future__ import annotations

import itertools
import json
import os
import struct
import subprocess
import threading
from collections import deque
from typing import Any, Iterable, Iterator, Sequence

from ._program import environment, find_program
from .errors import CleanNetError, failure

__all__ = ["Worker", "IMAGE", "FEATURES", "PATH"]

PROTOCOL = 1
IMAGE, FEATURES, PATH = 1, 2, 3
HELLO, EMBEDDING, JUDGEMENT, ERROR = 128, 129, 130, 255

_HEADER = struct.Struct("<IB")
_LENGTH = struct.Struct("<I")
_NO_LABEL = _LENGTH.pack(0xFFFFFFFF)
# Frames are written together up to this many bytes.
_TOGETHER = 1 << 18


class _Ended(Exception):
    """The worker ended before it had answered everything."""


class Worker:
    """One process of ``cleannet worker``.

    Parameters
    ----------
    arguments
        What follows ``cleannet worker``: ``["judge", "--model", "model.safetensors"]``.
    program
        The program; by default the one that ``cleannet`` itself uses.
    """

    def __init__(self, arguments: Sequence[str], program: "str | None" = None):
        self.arguments = list(map(str, arguments))
        self.program = program
        self.hello: dict[str, Any] = {}
        self.restarts = 0
        self._process: "subprocess.Popen[bytes] | None" = None
        self._messages: "deque[str]" = deque(maxlen=20)

    # The process

    def start(self) -> "dict[str, Any]":
        """Starts the process, if it is not running, and returns its hello."""
        if self._process is not None and self._process.poll() is None:
            return self.hello
        self.close()
        self._messages.clear()
        process = subprocess.Popen(
            [self.program or find_program(), "worker", *self.arguments],
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=1 << 20,
        )
        self._process = process
        threading.Thread(target=self._listen, args=(process.stderr,), daemon=True).start()
        try:
            kind, payload = self._read()
        except _Ended:
            status = process.wait()
            raise failure(status, self._message(status)) from None
        hello = json.loads(payload) if kind == HELLO else {}
        if hello.get("protocol") != PROTOCOL:
            self.close()
            raise CleanNetError(
                f"The program speaks version {hello.get('protocol')} of the worker's protocol, and this package version "
                f"{PROTOCOL}. Install both from one release."
            )
        self.hello = hello
        return hello

    def _listen(self, stream: Any) -> None:
        for line in stream:
            self._messages.append(line.decode(errors="replace").rstrip("\n"))

    def _message(self, status: "int | None") -> str:
        said = [line[len("error: ") :] if line.startswith("error: ") else line for line in self._messages]
        return "\n".join(said) or f"The worker ended with status {status} and said nothing."

    def close(self) -> None:
        """Ends the process."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                try:
                    stream.close()
                except OSError:
                    pass

    def __enter__(self) -> "Worker":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Frames

    @staticmethod
    def request(kind: int, content: "bytes | memoryview", label: "str | None" = None) -> "tuple[int, bytes]":
        """A request: what is embedded or judged, and its label."""
        if label is None:
            return kind, b"".join((_NO_LABEL, content))
        text = label.encode()
        return kind, b"".join((_LENGTH.pack(len(text)), text, content))

    def _read(self) -> "tuple[int, bytes]":
        assert self._process is not None and self._process.stdout is not None
        stream = self._process.stdout
        header = stream.read(5)
        if len(header) < 5:
            raise _Ended
        length, kind = _HEADER.unpack(header)
        payload = stream.read(length)
        if len(payload) < length:
            raise _Ended
        return kind, payload

    # Work

    def map(self, requests: "Iterable[tuple[int, bytes]]", window: "int | None" = None) -> "Iterator[Any]":
        """Answers requests in their order, while more of them are sent.

        Yields
        ------
        numpy.ndarray, dict or CleanNetError
            Features, a judgement, or what is wrong with this one.

        Raises
        ------
        CleanNetError
            If the worker cannot be started.
        """
        source = iter(requests)
        self._started()
        size = window or max(2 * int(self.hello["batch"]), 64)
        isDone = False
        while not isDone:
            batch: "list[tuple[int, bytes]]" = []
            weight = 0
            # By bytes as well as by number: a batch lies in memory twice.
            while len(batch) < size and weight < 64 << 20:
                request = next(source, None)
                if request is None:
                    isDone = True
                    break
                batch.append(request)
                weight += len(request[1])
            yield from self._answer(batch)

    def _started(self) -> None:
        """Starts the process; one that is killed while it loads is started again."""
        for attempt in range(3):
            try:
                self.start()
                return
            except CleanNetError as error:
                if attempt == 2 or error.status is None or error.status >= 0:
                    raise

    def _answer(self, batch: "list[tuple[int, bytes]]") -> "list[Any]":
        answers: "list[Any]" = []
        deaths = 0
        while len(answers) < len(batch):
            self._started()
            # The first death may be an accident; after a second one, the image to blame is looked for.
            alone = deaths > 1
            left = batch[len(answers) : len(answers) + 1] if alone else batch[len(answers) :]
            before = len(answers)
            try:
                self._exchange(left, answers)
            except _Ended:
                status = self._process.wait() if self._process else None
                message = self._message(status)
                self.close()
                self.restarts += 1
                if len(answers) == before and len(left) == 1:
                    # Alone, and no worker survives it.
                    answers.append(CleanNetError(f"The worker ended on this image: {message}", status))
                deaths += 1
        return answers

    def _exchange(self, batch: "list[tuple[int, bytes]]", answers: "list[Any]") -> None:
        """Sends requests on one thread and reads answers on this one: neither side waits for the other for ever."""
        assert self._process is not None and self._process.stdin is not None
        stream = self._process.stdin

        def send() -> None:
            pieces: "list[bytes]" = []
            weight = 0
            try:
                for kind, payload in batch:
                    pieces += (_HEADER.pack(len(payload), kind), payload)
                    weight += len(payload)
                    if weight >= _TOGETHER:
                        stream.write(b"".join(pieces))
                        pieces, weight = [], 0
                stream.write(b"".join(pieces))
                stream.flush()
            except (OSError, ValueError):
                # The reader finds out that the worker has ended.
                pass

        sender = threading.Thread(target=send, daemon=True)
        sender.start()
        frames: "list[tuple[int, bytes]]" = []
        try:
            for _ in batch:
                frames.append(self._read())
        finally:
            answers += self._decoded(frames)
            if self._process is not None and self._process.poll() is None:
                sender.join()

    @staticmethod
    def _decoded(frames: "list[tuple[int, bytes]]") -> "list[Any]":
        found: "list[Any]" = []
        for kind, run in itertools.groupby(frames, key=lambda frame: frame[0]):
            payloads = [payload for _, payload in run]
            if kind == EMBEDDING:
                import numpy as np

                found += [np.frombuffer(payload, dtype="<f4") for payload in payloads]
            elif kind in (JUDGEMENT, ERROR):
                # One text is read several times faster than many.
                objects = json.loads(b"[" + b",".join(payloads) + b"]")
                found += objects if kind == JUDGEMENT else map(_failure, objects)
            else:
                raise CleanNetError(f"The worker sent a frame of kind {kind}, which this package does not know.")
        return found


def _failure(answer: "dict[str, Any]") -> CleanNetError:
    error = CleanNetError(answer["error"])
    error.suggested_label = answer.get("suggested_label")  # type: ignore[attr-defined]
    return error


_kept: "dict[tuple[str, ...], Worker]" = {}
_owner = os.getpid()


def kept(arguments: Sequence[str], program: "str | None" = None) -> Worker:
    """The worker of this process for these arguments: started once, so that a model is loaded once."""
    global _owner
    if _owner != os.getpid():
        # Forked: the processes are the parent's.
        _kept.clear()
        _owner = os.getpid()
    key = (program or "", *map(str, arguments))
    if key not in _kept:
        _kept[key] = Worker(arguments, program)
    return _kept[key]
