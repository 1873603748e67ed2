"""Progress of the program's stages, as bars."""

from __future__ import annotations

import sys
from typing import Any, Mapping


def shows_progress() -> bool:
    """Whether somebody looks: a notebook, or a terminal."""
    return _in_notebook() or sys.stderr.isatty()


def _in_notebook() -> bool:
    ipython = sys.modules.get("IPython")
    if ipython is None:
        return False
    shell = ipython.get_ipython()
    return shell is not None and type(shell).__name__ == "ZMQInteractiveShell"


class Bars:
    """A bar for each stage: tqdm's, or, if it is not installed, one line at the end of each stage."""

    def __init__(self) -> None:
        try:
            from tqdm.auto import tqdm
        except ImportError:
            tqdm = None
        self._tqdm = tqdm
        self._bar: Any = None

    def __enter__(self) -> "Bars":
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def show(self, event: Mapping[str, Any]) -> None:
        kind = event["progress"]
        if kind == "begin":
            self._close()
            if self._tqdm:
                self._bar = self._tqdm(
                    desc=event["stage"], total=event.get("total"), unit=" " + event.get("unit", ""), leave=True
                )
        elif kind == "update" and self._bar is not None:
            self._bar.n = event["done"]
            self._bar.refresh()
        elif kind == "end":
            if self._bar is not None:
                if self._bar.total:
                    self._bar.n = self._bar.total
                if event.get("note"):
                    self._bar.set_postfix_str(event["note"])
            elif not self._tqdm:
                print(f"{event['stage']}: {event.get('note') or 'done'}", file=sys.stderr)
            self._close()

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None
