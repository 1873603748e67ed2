"""Data sets of other libraries, as workspaces."""

from __future__ import annotations

import csv
import os
from pathlib import Path
from typing import Any, Iterable, Iterator

from .workspace import PathLike, Workspace

__all__ = ["from_folder", "from_torch", "from_huggingface"]


def from_folder(folder: PathLike, workspace: "PathLike | None" = None, **options: Any) -> Workspace:
    """A folder with a folder of images for each class, or any other source that ``cleannet import`` reads.

    Parameters
    ----------
    folder
        The data set. Its images are never copied or changed.
    workspace
        Where to keep the workspace; None: in a temporary folder.
    options
        Of ``cleannet import``: ``format="webdataset"``.
    """
    made = Workspace(workspace)
    made.import_data(folder, **options)
    return made


def from_torch(dataset: Any, workspace: "PathLike | None" = None) -> Workspace:
    """A map-style PyTorch data set of (image, class number) pairs.

    Images that lie on the disk stay there (torchvision's ``ImageFolder`` and its like, which have ``samples``). Others are
    written to the folder ``images`` in the workspace, as PNG. Row *i* of the workspace is item *i* of the data set.

    Parameters
    ----------
    dataset
        With ``__len__`` and ``__getitem__``; ``classes`` names the classes, if it is there. An image is a PIL image, or an
        array or tensor: ``[H, W, 3]`` or ``[H, W]`` of uint8, or ``[3, H, W]`` of floats from 0 to 1.
    workspace
        Where to keep the workspace; None: in a temporary folder.
    """
    names = getattr(dataset, "classes", None)

    def name(label: Any) -> str:
        return str(names[int(label)]) if names is not None else str(int(label))

    made = Workspace(workspace)
    samples = getattr(dataset, "samples", None)
    if samples is not None and len(samples) and isinstance(samples[0][0], (str, os.PathLike)):
        return _import(made, ((os.path.abspath(path), name(label)) for path, label in samples))
    folder = made.path / "images"

    def rows() -> "Iterator[tuple[str, str]]":
        for index in range(len(dataset)):
            image, label = dataset[index][:2]
            yield str(_write(image, folder, index)), name(label)

    return _import(made, rows())


def from_huggingface(
    dataset: Any, workspace: "PathLike | None" = None, *, image: str = "image", label: str = "label"
) -> Workspace:
    """One split of a Hugging Face data set (``datasets.Dataset``).

    Images that lie on the disk stay there; others are written, as they were encoded, to the folder ``images`` in the
    workspace. Row *i* of the workspace is row *i* of the data set.

    Parameters
    ----------
    image, label
        The columns.
    workspace
        Where to keep the workspace; None: in a temporary folder.
    """
    missing = [column for column in (image, label) if column not in dataset.features]
    if missing:
        raise ValueError(
            f"The data set has no column {missing[0]!r}; its columns are {', '.join(dataset.features)}. "
            "Name them: image=…, label=…"
        )
    names = getattr(dataset.features[label], "names", None)
    encoded = dataset
    if hasattr(dataset, "cast_column"):
        from datasets import Image

        # As they are stored: decoding them here would be in vain.
        encoded = dataset.cast_column(image, Image(decode=False))
    made = Workspace(workspace)
    folder = made.path / "images"

    def rows() -> "Iterator[tuple[str, str]]":
        for index in range(len(encoded)):
            row = encoded[index]
            value, number = row[image], row[label]
            text = str(names[number]) if names is not None else str(number)
            if isinstance(value, dict) and value.get("path") and os.path.exists(value["path"]):
                yield os.path.abspath(value["path"]), text
            elif isinstance(value, dict):
                yield str(_store(value["bytes"], folder, index)), text
            else:
                yield str(_write(value, folder, index)), text

    return _import(made, rows())


def _import(workspace: Workspace, rows: "Iterable[tuple[str, str]]") -> Workspace:
    workspace.path.mkdir(parents=True, exist_ok=True)
    # The manifest stays: the workspace names it as its source.
    manifest = workspace.path / "list.csv"
    with open(manifest, "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["key", "path", "label"])
        for index, (path, label) in enumerate(rows):
            table.writerow([index, path, label])
    workspace.import_data(manifest)
    return workspace


def _store(content: bytes, folder: Path, index: int) -> Path:
    file = _place(folder, index, "img")
    file.write_bytes(content)
    return file


def _write(image: Any, folder: Path, index: int) -> Path:
    import numpy as np
    from PIL import Image

    file = _place(folder, index, "png")
    if not isinstance(image, Image.Image):
        if hasattr(image, "detach"):
            image = image.detach().cpu().numpy()
        array = np.asarray(image)
        if array.ndim == 3 and array.shape[0] in (1, 3) and array.shape[2] not in (1, 3):
            array = array.transpose(1, 2, 0)
        if array.ndim == 3 and array.shape[2] == 1:
            array = array[:, :, 0]
        if array.ndim not in (2, 3) or array.size == 0:
            raise ValueError(f"Item {index} of the data set has the shape {array.shape}, which is no image")
        if array.dtype.kind == "f":
            if array.min() < 0 or array.max() > 1:
                raise ValueError(
                    f"Item {index} of the data set holds numbers from {array.min():.3g} to {array.max():.3g}, not from 0 "
                    "to 1. Leave out the transform that normalizes images."
                )
            array = (array * 255 + 0.5).astype(np.uint8)
        image = Image.fromarray(array.astype(np.uint8))
    image.save(file)
    return file


def _place(folder: Path, index: int, ending: str) -> Path:
    # A folder of a million files is slow to list.
    parent = folder / f"{index // 1000:04d}"
    parent.mkdir(parents=True, exist_ok=True)
    return parent / f"{index:07d}.{ending}"
