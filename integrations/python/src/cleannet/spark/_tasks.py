"""Code that runs in Spark's Python workers: batches of rows go through a worker of the program."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Iterable, Iterator

from .. import _worker
from ..errors import CleanNetError

# Rows of a batch that is handed back; small, because images and features are large.
_ROWS = 512


def resolve(name: str) -> str:
    """Where a file lies on this machine: as named, among the files that were shipped, or in the working folder.

    Files and archives of a job lie under ``SparkFiles.getRootDirectory()`` in local mode, and in the working folder of the
    executor on a cluster.
    """
    if os.path.exists(name):
        return name
    from pyspark import SparkFiles

    tail = name if not os.path.isabs(name) else Path(name).name
    folders = []
    try:
        folders.append(SparkFiles.getRootDirectory())
    except Exception:  # There is none outside of an executor.
        pass
    folders.append(os.getcwd())
    for folder in folders:
        candidate = os.path.join(folder, tail)
        if os.path.exists(candidate):
            return candidate
    raise FileNotFoundError(
        f"There is no {name} on this machine, nor among the job's files. Put it on a file system that all machines see, "
        "or ship it with cleannet.spark.ship."
    )


def _cores() -> int:
    """Cores of this task: ``spark.task.cpus``."""
    from pyspark import TaskContext

    context = TaskContext.get()
    return max(1, context.cpus() if context is not None else 1)


@dataclass(frozen=True)
class Task:
    """A task as it travels to the workers."""

    # "embed" or "judge"
    verb: str
    # Names of columns; None where there is none.
    image: "str | None"
    features: "str | None"
    label: "str | None"
    # Columns that are handed on.
    kept: "tuple[str, ...]"
    # Of the output, as a Spark schema in text.
    output: "tuple[str, ...]"
    options: "tuple[str, ...]" = ()
    model: "str | None" = None
    program: "str | None" = None

    def arguments(self) -> "list[str]":
        words = [self.verb, *self.options, "--threads", str(_cores())]
        return words + (["--model", resolve(self.model)] if self.model else [])

    def worker(self) -> _worker.Worker:
        # Libraries count threads by this variable before they are told.
        os.environ["OMP_NUM_THREADS"] = str(_cores())
        return _worker.kept(self.arguments(), resolve(self.program) if self.program else None)

    def __call__(self, batches: "Iterable[Any]") -> "Iterator[Any]":
        """``pyarrow.RecordBatch`` in, the same rows with answers out."""
        import pyarrow as pa

        worker = self.worker()
        for batch in batches:
            for start in range(0, batch.num_rows, _ROWS):
                piece = batch.slice(start, _ROWS)
                answers = list(worker.map(self._requests(piece)))
                columns = [piece.column(piece.schema.get_field_index(name)) for name in self.kept]
                columns += self._columns(answers)
                yield pa.RecordBatch.from_arrays(columns, names=[*self.kept, *self.output])

    # Requests

    def _column(self, batch: Any, name: "str | None") -> Any:
        return None if name is None else batch.column(batch.schema.get_field_index(name))

    def _requests(self, batch: Any) -> "Iterator[tuple[int, bytes]]":
        import pyarrow as pa

        labels = self._column(batch, self.label)
        texts = [None] * batch.num_rows if labels is None else [_text(label) for label in labels.to_pylist()]
        if self.features is not None:
            column = self._column(batch, self.features)
            values = column.flatten().cast(pa.float32())
            numbers = values.to_numpy(zero_copy_only=False)
            lengths = [0 if length is None else length for length in column.value_lengths().to_pylist()]
            start = 0
            for length, label in zip(lengths, texts):
                yield _worker.Worker.request(_worker.FEATURES, numbers[start : start + length].tobytes(), label)
                start += length
            return
        column = self._column(batch, self.image)
        is_path = pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
        kind = _worker.PATH if is_path else _worker.IMAGE
        for value, label in zip(column, texts):
            content = value.as_py()
            if content is None:
                content = b""
            elif is_path:
                content = _local(content).encode()
            yield _worker.Worker.request(kind, content, label)

    # Answers

    def _columns(self, answers: "list[Any]") -> "list[Any]":
        import pyarrow as pa

        errors = pa.array([str(a) if isinstance(a, CleanNetError) else None for a in answers], pa.string())
        if self.verb == "embed":
            features = [None if isinstance(a, CleanNetError) else a for a in answers]
            return [pa.array(features, pa.list_(pa.float32())), errors]
        rows = [{"suggested_label": getattr(a, "suggested_label", None)} if isinstance(a, CleanNetError) else a for a in answers]
        found = []
        for name, kind in JUDGEMENT:
            values = [row.get(name) for row in rows]
            found.append(pa.array(values, pa.string() if kind == "string" else pa.float32()))
        return [*found, errors]


JUDGEMENT = (
    ("verdict", "string"),
    ("probability", "float"),
    ("suggested_label", "string"),
    ("cosine", "float"),
    ("suggested_cosine", "float"),
    ("disagreement", "float"),
)


@dataclass(frozen=True)
class Pack:
    """Rows for the driver: features as bytes, which travel many times faster than lists."""

    features: str
    label: str
    others: "tuple[str, ...]" = field(default=())

    def __call__(self, batches: "Iterable[Any]") -> "Iterator[Any]":
        import numpy as np
        import pyarrow as pa

        for batch in batches:
            column = batch.column(batch.schema.get_field_index(self.features))
            packed = [
                None if row is None else np.asarray(row, dtype="<f4").tobytes()
                for row in (value.values.to_numpy(zero_copy_only=False) if value.is_valid else None for value in column)
            ]
            names = (self.label, *self.others)
            columns = [batch.column(batch.schema.get_field_index(name)) for name in names]
            columns.append(pa.array(packed, pa.binary()))
            yield pa.RecordBatch.from_arrays(columns, names=[*names, "features"])


def _text(label: Any) -> "str | None":
    return None if label is None else str(label)


def _local(path: str) -> str:
    """``file:/a/b`` as Spark writes it, as a path."""
    if not path.startswith("file:"):
        return path
    from urllib.parse import unquote, urlparse

    return unquote(urlparse(path).path)
