"""Finds the wrong labels of image data sets.

A thin layer over the program ``cleannet``: features and labels go in as arrays, judgements come out as a table.

>>> import cleannet
>>> issues = cleannet.find_label_issues(features, labels, verified)     # doctest: +SKIP
>>> clean = features[~issues["is_label_issue"]]                         # doctest: +SKIP

Names are loaded when they are first used, so that the import itself takes a few milliseconds.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from ._version import __version__

_HOMES = {
    "CleanNet": "estimator",
    "find_label_issues": "estimator",
    "Workspace": "workspace",
    "from_folder": "sources",
    "from_huggingface": "sources",
    "from_torch": "sources",
    "to_cleanlab": "targets",
    "to_fiftyone": "targets",
    "to_label_studio": "targets",
    "sample_weights": "targets",
    "weighted_sampler": "targets",
    "CleanNetError": "errors",
    "InvalidInputError": "errors",
    "MissingInputError": "errors",
    "MissingComponentError": "errors",
    "OutputError": "errors",
    "UsageError": "errors",
}

__all__ = ["__version__", *_HOMES]

if TYPE_CHECKING:
    from .errors import (
        CleanNetError,
        InvalidInputError,
        MissingComponentError,
        MissingInputError,
        OutputError,
        UsageError,
    )
    from .estimator import CleanNet, find_label_issues
    from .sources import from_folder, from_huggingface, from_torch
    from .targets import sample_weights, to_cleanlab, to_fiftyone, to_label_studio, weighted_sampler
    from .workspace import Workspace


def __getattr__(name: str):
    if name not in _HOMES:
        raise AttributeError(f"module 'cleannet' has no attribute {name!r}")
    value = getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__():
    return sorted(__all__)
