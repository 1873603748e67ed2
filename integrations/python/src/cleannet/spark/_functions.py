"""Functions on DataFrames."""

from __future__ import annotations

import csv
import os
import shutil
import tempfile
from typing import Any, Sequence

from .. import _program
from ..errors import InvalidInputError
from ._tasks import JUDGEMENT, Pack, Task

__all__ = ["embed", "judge", "fit", "ship"]


def _fields(df: Any) -> "dict[str, Any]":
    return {field.name: field.dataType for field in df.schema.fields}


def _image_column(df: Any, name: "str | None") -> "str | None":
    """The column of images: as named, else what Spark's ``binaryFile`` calls it, else ``image`` or ``path``."""
    fields = _fields(df)
    if name is not None:
        if name not in fields:
            raise InvalidInputError(f"There is no column {name!r}. Columns are: {', '.join(fields)}.")
        return name
    return next((known for known in ("content", "image", "path") if known in fields), None)


def _schema(df: Any, kept: Sequence[str], added: "Sequence[tuple[str, str]]") -> Any:
    from pyspark.sql import types

    kinds = {"string": types.StringType(), "float": types.FloatType(), "vector": types.ArrayType(types.FloatType())}
    fields = [field for field in df.schema.fields if field.name in kept]
    for name, kind in added:
        fields.append(types.StructField(name, kinds[kind], True))
    return types.StructType(fields)


def _options(values: "dict[str, Any]") -> "tuple[str, ...]":
    return tuple(_program.options(values))


def _kept(df: Any, dropped: "set[str | None]", added: Sequence[str]) -> "tuple[str, ...]":
    kept = tuple(name for name in _fields(df) if name not in dropped)
    clash = set(kept) & set(added)
    if clash:
        raise InvalidInputError(
            f"The columns {', '.join(sorted(clash))} are there already; rename or drop them first."
        )
    return kept


def embed(
    df: Any,
    image_col: "str | None" = None,
    *,
    output_col: str = "features",
    keep_image: bool = False,
    program: "str | None" = None,
    **options: Any,
) -> Any:
    """The features of images.

    Parameters
    ----------
    df : pyspark.sql.DataFrame
        With a column of images: bytes of image files, as Spark's ``binaryFile`` reads them, or paths that the executors see.
    image_col
        Its name; by default ``content``, ``image`` or ``path``, whichever is there.
    output_col
        The new column, ``array<float>``; null where an image cannot be read. The column ``error`` says why.
    keep_image
        Whether the bytes are handed on; paths always are.
    program
        The program on the executors, where it is not in the installed package: a path, also one in ``spark.archives``.
    options
        Of ``cleannet embed``: ``quality="fast"``, ``network=…``, ``size=…``, ``device="cuda"``, ``memory=…``.

    Returns
    -------
    pyspark.sql.DataFrame
        The other columns, ``output_col`` and ``error``.
    """
    from pyspark.sql.types import BinaryType

    image = _image_column(df, image_col)
    if image is None:
        raise InvalidInputError("There is no column of images; name it: image_col=…")
    drops = not keep_image and isinstance(_fields(df)[image], BinaryType)
    added = (output_col, "error")
    kept = _kept(df, {image} if drops else set(), added)
    task = Task(
        "embed", image=image, features=None, label=None, kept=kept, output=added, options=_options(options), program=program
    )
    return df.mapInArrow(task, _schema(df, kept, ((output_col, "vector"), ("error", "string"))))


def judge(
    df: Any,
    model: str,
    *,
    label_col: "str | None" = "label",
    features_col: "str | None" = None,
    image_col: "str | None" = None,
    keep_image: bool = False,
    program: "str | None" = None,
    **options: Any,
) -> Any:
    """Judges labels by a trained model.

    Parameters
    ----------
    df : pyspark.sql.DataFrame
        With labels, and with images or features.
    model
        A file of ``cleannet export model`` or of :func:`fit`, on a file system that all machines see, or shipped by
        :func:`ship`.
    label_col
        The labels; None: only ``suggested_label`` is answered.
    features_col
        Features, ``array<float>``; by default ``features``, if there is such a column. A model that was trained on features
        alone needs them.
    image_col, keep_image, program, options
        See :func:`embed`; options are those of ``cleannet judge``.

    Returns
    -------
    pyspark.sql.DataFrame
        The other columns, and ``verdict`` (``right`` or ``wrong``), ``probability`` (that the label is right),
        ``suggested_label``, ``cosine``, ``suggested_cosine``, ``disagreement`` and ``error``, each null where there is none.
    """
    from pyspark.sql.types import BinaryType

    fields = _fields(df)
    features = features_col or ("features" if "features" in fields and image_col is None else None)
    image = None if features else _image_column(df, image_col)
    for name in (features, label_col):
        if name is not None and name not in fields:
            raise InvalidInputError(f"There is no column {name!r}. Columns are: {', '.join(fields)}.")
    if features is None and image is None:
        raise InvalidInputError("There are neither features nor images; name them: features_col=… or image_col=…")
    drops = image is not None and not keep_image and isinstance(fields[image], BinaryType)
    added = (*JUDGEMENT, ("error", "string"))
    names = tuple(name for name, _ in added)
    kept = _kept(df, {image} if drops else set(), names)
    task = Task(
        "judge",
        image=image,
        features=features,
        label=label_col,
        kept=kept,
        output=names,
        options=_options(options),
        model=str(model),
        program=program,
    )
    return df.mapInArrow(task, _schema(df, kept, added))


def ship(session: Any, path: str) -> str:
    """Sends a file to all machines of a session, and returns the name by which :func:`judge` finds it there."""
    if not os.path.exists(path):
        raise InvalidInputError(f"There is no file {path}.")
    if type(session).__module__.startswith("pyspark.sql.connect"):
        session.addArtifact(os.path.abspath(path), file=True)
    else:
        session.sparkContext.addFile(os.path.abspath(path))
    return os.path.basename(path)


def fit(
    df: Any,
    model: str,
    *,
    label_col: str = "label",
    features_col: str = "features",
    verified_col: "str | None" = None,
    fraction: "float | None" = None,
    seed: int = 0,
    workspace: "str | None" = None,
    progress: "bool | str" = "auto",
    **options: Any,
) -> str:
    """Trains on the driver, with the features of all rows or of a sample.

    Rows without features are left out. The driver's disk holds 4 bytes per number meanwhile.

    Parameters
    ----------
    df : pyspark.sql.DataFrame
        With labels and features; see :func:`embed`.
    model
        The file to write.
    verified_col
        Verdicts of people: true (the label is right), false, or null.
    fraction
        The share of the rows that is drawn, by ``df.sample``; None: all.
    workspace
        A folder that is kept; by default one that is removed afterwards.
    options
        Of ``cleannet train``: ``steps=…``, ``references=…``, ``threads=…``.

    Returns
    -------
    str
        ``model``
    """
    from pyspark.sql import types

    fields = _fields(df)
    others = () if verified_col is None else (verified_col,)
    for name in (label_col, features_col, *others):
        if name not in fields:
            raise InvalidInputError(f"There is no column {name!r}. Columns are: {', '.join(fields)}.")
    wanted = df.select(label_col, features_col, *others)
    if fraction is not None:
        wanted = wanted.sample(fraction=fraction, seed=seed)
    schema = types.StructType(
        [wanted.schema[name] for name in (label_col, *others)] + [types.StructField("features", types.BinaryType(), True)]
    )
    packed = wanted.mapInArrow(Pack(features_col, label_col, others), schema)
    folder = workspace or tempfile.mkdtemp(prefix="cleannet-spark-")
    try:
        os.makedirs(folder, exist_ok=True)
        _bring(packed, folder)
        place = ["-w", f"{folder}/workspace"]
        manifest = ["import", f"{folder}/rows.csv", "--features", f"{folder}/features.npy"]
        _program.run([*manifest, *place], progress=progress)
        _program.run(["train", "--seed", str(seed), *_options(options), *place], progress=progress)
        _program.run(["export", "model", "--out", model, *place], progress=progress)
    finally:
        if workspace is None:
            shutil.rmtree(folder, ignore_errors=True)
    return model


def _bring(packed: Any, folder: str) -> None:
    """Writes the rows of a DataFrame as a table and an array, a partition at a time."""
    import numpy as np

    width = 0
    count = 0
    with open(f"{folder}/rows.csv", "w", newline="") as table, open(f"{folder}/values", "wb") as values:
        writer = csv.writer(table)
        writer.writerow(["path", "label", "verification"])
        for row in packed.toLocalIterator(prefetchPartitions=True):
            content = row["features"]
            if content is None or row[0] is None:
                continue
            if count and len(content) != width:
                raise InvalidInputError(f"Row {count} has {len(content) // 4} features, and those before {width // 4}.")
            width = len(content)
            verified = row[1] if len(row) > 2 else None
            writer.writerow([f"{count:09d}", row[0], "" if verified is None else int(bool(verified))])
            values.write(content)
            count += 1
    if count == 0:
        raise InvalidInputError("No row has both features and a label.")
    header = np.lib.format.header_data_from_array_1_0(np.empty((0, width // 4), "<f4"))
    header["shape"] = (count, width // 4)
    with open(f"{folder}/features.npy", "wb") as array, open(f"{folder}/values", "rb") as values:
        np.lib.format.write_array_header_1_0(array, header)
        shutil.copyfileobj(values, array, 1 << 24)
    os.unlink(f"{folder}/values")
