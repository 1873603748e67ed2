"""The program's errors as exceptions. Each message names the fault and the remedy."""

from __future__ import annotations

__all__ = [
    "CleanNetError",
    "UsageError",
    "InvalidInputError",
    "MissingInputError",
    "MissingComponentError",
    "OutputError",
]


class CleanNetError(RuntimeError):
    """The program failed.

    Attributes
    ----------
    status : int or None
        The program's exit status, as ``sysexits.h`` numbers them.
    """

    status: int | None

    def __init__(self, message: str, status: int | None = None):
        super().__init__(message)
        self.status = status


class UsageError(CleanNetError):
    """An option that the program does not know, or a value that it does not take (status 64)."""


class InvalidInputError(CleanNetError, ValueError):
    """Data that cannot be used (status 65)."""


class MissingInputError(CleanNetError):
    """Something that must come first is not there: a file, features, verdicts, a model (status 66)."""


class MissingComponentError(CleanNetError):
    """A library that the program needs is not installed, or cannot be loaded (status 69)."""


class OutputError(CleanNetError, OSError):
    """A file cannot be written or read (statuses 73 and 74)."""

    def __init__(self, message: str, status: int | None = None):
        CleanNetError.__init__(self, message, status)

    def __str__(self) -> str:
        return str(self.args[0])


_BY_STATUS = {
    64: UsageError,
    65: InvalidInputError,
    66: MissingInputError,
    69: MissingComponentError,
    73: OutputError,
    74: OutputError,
}


def failure(status: int, message: str) -> CleanNetError:
    """The exception for an exit status of the program."""
    return _BY_STATUS.get(status, CleanNetError)(message, status)
