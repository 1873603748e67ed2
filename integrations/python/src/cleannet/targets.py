"""Judgements for other libraries."""

from __future__ import annotations

import os
from typing import Any, Union

import numpy as np

from . import _tables
from .estimator import CleanNet
from .workspace import PathLike, Workspace, suggested

__all__ = ["to_cleanlab", "to_fiftyone", "to_label_studio", "sample_weights", "weighted_sampler"]

Judged = Union[Workspace, CleanNet]


def _workspace(judged: Judged) -> Workspace:
    if isinstance(judged, Workspace):
        return judged
    judged._check_fitted()
    return judged.workspace_


def to_cleanlab(judged: Judged, table: str = "auto") -> Any:
    """The columns that ``Datalab.get_issues("label")`` has: ``is_label_issue``, ``label_score``, ``given_label`` and
    ``predicted_label``, one row per image.

    Parameters
    ----------
    judged
        A workspace that was scored, or a fitted :class:`CleanNet`.
    """
    if isinstance(judged, CleanNet):
        issues = judged._issues("numpy")
        given = judged.classes_[judged.workspace_.labels.astype(int)]
        columns = {
            "is_label_issue": issues["is_label_issue"],
            "label_score": issues["probability"],
            "given_label": given,
            "predicted_label": issues["suggested_label"],
        }
    else:
        arrays = judged._arrays()
        names = np.array(arrays["class_names"])
        columns = {
            "is_label_issue": arrays["is_label_issue"],
            "label_score": arrays["probability"],
            "given_label": names[arrays["label"]],
            "predicted_label": names[suggested(arrays)],
        }
    return _tables.table(columns, table)


def to_fiftyone(workspace: Workspace, name: "str | None" = None) -> Any:
    """A FiftyOne data set of the images, with ``ground_truth``, ``suggestion`` (whose confidence is that the label is wrong),
    ``label_probability`` and the tag ``label_issue``. Needs the package ``fiftyone``, and images on the disk.
    """
    import fiftyone

    paths = _paths(workspace)
    arrays = workspace._arrays()
    names = [str(text) for text in arrays["class_names"]]
    better = suggested(arrays)
    dataset = fiftyone.Dataset(name)
    samples = []
    for row, path in enumerate(paths):
        sample = fiftyone.Sample(filepath=path)
        probability = float(arrays["probability"][row])
        sample["ground_truth"] = fiftyone.Classification(label=names[arrays["label"][row]])
        if np.isfinite(probability):
            sample["label_probability"] = probability
            sample["suggestion"] = fiftyone.Classification(label=names[better[row]], confidence=1 - probability)
        if arrays["is_label_issue"][row]:
            sample.tags.append("label_issue")
        samples.append(sample)
    dataset.add_samples(samples)
    return dataset


def _paths(workspace: Workspace) -> "list[str]":
    """The files of the images, in the order of the import."""
    segments = workspace._query("SELECT first, base FROM segments ORDER BY first")
    rows = workspace._query("SELECT id, coalesce(path, key), location FROM samples ORDER BY id")
    paths: "list[str]" = []
    position = -1
    for number, path, location in rows:
        while position + 1 < len(segments) and segments[position + 1][0] <= number:
            position += 1
        base = segments[position][1] if position >= 0 else None
        file = location or (os.path.join(base, path) if base else path)
        if not os.path.exists(file):
            raise ValueError(
                f"Image {number} ({path}) is no file of its own. Write the data set first: "
                'workspace.export("clean", format="image-folder", wrong="keep")'
            )
        paths.append(file)
    return paths


def to_label_studio(workspace: Workspace, file: PathLike, **options: Any) -> int:
    """Writes tasks for Label Studio, with the verdicts so far.

    Parameters
    ----------
    file
        A ``.json`` file.
    options
        Of ``cleannet verify export``: ``unverified=50`` adds so many images of each class that nobody has looked at,
        ``classes=["ramen", "pho"]``.

    Returns
    -------
    int
        The number of tasks.
    """
    return workspace.call("verify export", os.fspath(file), format="label-studio", **options)["rows"]


def sample_weights(judged: Judged, kind: str = "soft") -> np.ndarray:
    """Weights for training a classifier, float32 ``[N]``, never NaN: ``"soft"``, or ``"hard"`` (1 or 0).

    Images of the split ``test`` weigh 0, so that a sampler never draws them. To weigh the loss instead, multiply each
    image's loss by its weight.
    """
    return _workspace(judged).sample_weights(kind)


def weighted_sampler(judged: Judged, kind: str = "soft", generator: Any = None) -> Any:
    """A ``WeightedRandomSampler`` for a ``DataLoader`` over the data set in the order of the import.

    >>> loader = DataLoader(dataset, batch_size=64, sampler=cleannet.weighted_sampler(ws))    # doctest: +SKIP
    """
    import torch
    from torch.utils.data import WeightedRandomSampler

    weights = torch.from_numpy(sample_weights(judged, kind).astype(np.float64))
    if not bool((weights > 0).any()):
        raise ValueError("Every image weighs 0: there is nothing to draw. Are all of the split test?")
    return WeightedRandomSampler(weights, num_samples=len(weights), generator=generator)
