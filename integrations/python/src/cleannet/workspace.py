"""A workspace: the verbs of the program as methods, its features and scores as arrays."""

from __future__ import annotations

import csv
import io
import json
import os
import sqlite3
import tarfile
import tempfile
from pathlib import Path
from typing import Any, Mapping, Sequence, Union

import numpy as np

from . import _program, _tables
from .errors import MissingInputError

__all__ = ["Workspace"]

PathLike = Union[str, "os.PathLike[str]"]


class Workspace:
    """A folder in which the program keeps what it knows of a data set.

    Every verb of the program is a method that takes its options as keyword arguments, ``held_out=3`` for
    ``--held-out 3``, and returns what ``--json`` prints. Rows are in the order of the import.

    Parameters
    ----------
    path
        The folder; it is made by the first import. None: a temporary one, which goes with this object.
    progress
        ``True``, ``False``, or ``"auto"``: bars in notebooks and on terminals.

    Examples
    --------
    >>> ws = Workspace("photos-workspace")                 # doctest: +SKIP
    >>> ws.import_data("photos/")                          # doctest: +SKIP
    >>> ws.embed()                                         # doctest: +SKIP
    >>> ws.verify({"ramen/12.jpg": True, "pho/7.jpg": False})   # doctest: +SKIP
    >>> ws.train(); ws.score()                             # doctest: +SKIP
    >>> ws.issues().query("is_label_issue")                # doctest: +SKIP
    """

    def __init__(self, path: "PathLike | None" = None, *, progress: "bool | str" = "auto"):
        self._temporary = tempfile.TemporaryDirectory(prefix="cleannet-") if path is None else None
        self.path = Path(path) if path is not None else Path(self._temporary.name) / "workspace"  # type: ignore[union-attr]
        self.progress = progress

    def __repr__(self) -> str:
        return f"Workspace({str(self.path)!r})"

    def __getstate__(self) -> "dict[str, Any]":
        # A temporary workspace travels as a whole; one with a name of its own by its name.
        state = {"path": str(self.path), "progress": self.progress}
        if self._temporary is not None:
            content = io.BytesIO()
            with tarfile.open(fileobj=content, mode="w") as archive:
                if self.path.exists():
                    archive.add(self.path, arcname="workspace")
            state["content"] = content.getvalue()
        return state

    def __setstate__(self, state: "dict[str, Any]") -> None:
        content = state.get("content")
        self.__init__(None if content is not None else state["path"], progress=state["progress"])  # type: ignore[misc]
        if content is not None:
            with tarfile.open(fileobj=io.BytesIO(content)) as archive:
                _extract(archive, self.path.parent)

    def __len__(self) -> int:
        """The number of images."""
        return self._query("SELECT count(*) FROM samples")[0][0]

    # Verbs

    def call(self, verb: str, *arguments: Any, **options: Any) -> Any:
        """Runs any verb: ``call("classify", "train", weights="soft")``.

        Raises
        ------
        CleanNetError
            With the program's words on what is wrong and what to do.
        """
        words = [*verb.split(), *map(str, arguments), "--workspace", str(self.path), *_program.options(options)]
        return _program.run(words, progress=self.progress)

    def import_data(self, source: PathLike, **options: Any) -> "dict[str, Any]":
        """Reads a data set: a folder, a manifest, shards; see ``cleannet help import``."""
        return self.call("import", os.fspath(source), **options)

    def import_features(
        self,
        features: Any,
        labels: Any,
        *,
        verified: Any = None,
        keys: "Sequence[str] | None" = None,
        split: "Sequence[str] | None" = None,
    ) -> "dict[str, Any]":
        """Takes features of your own instead of images.

        Parameters
        ----------
        features : array [N, D]
            Float16 or float32; others are converted to float32.
        labels : array [N]
            Numbers or texts; classes are named by their texts.
        verified
            What people said; see :func:`find_label_issues`.
        keys
            Names of the images, each once; by default their numbers.
        split
            ``"train"``, ``"test"`` or other per image; rows of ``"test"`` are never judged.
        """
        matrix = _tables.matrix_of(features)
        numbers, classes = _tables.labels_of(labels, len(matrix))
        names = [str(name) for name in classes.tolist()]
        return self._import_rows(matrix, [names[number] for number in numbers], verified, keys, split)

    def _import_rows(
        self,
        matrix: np.ndarray,
        names: "Sequence[str]",
        verified: Any,
        keys: "Sequence[str] | None",
        split: "Sequence[str] | None" = None,
    ) -> "dict[str, Any]":
        answers = _tables.verdicts_of(verified, len(matrix))
        if keys is None:
            first = len(self) if self.exists else 0
            keys = [str(first + index) for index in range(len(matrix))]
        with tempfile.TemporaryDirectory(prefix="cleannet-") as folder:
            np.save(Path(folder) / "features.npy", matrix)
            header = ["key", "label", "verification"] + (["split"] if split is not None else [])
            with open(Path(folder) / "list.csv", "w", newline="", encoding="utf-8") as file:
                rows = csv.writer(file)
                rows.writerow(header)
                marks = ["" if index not in answers else str(int(answers[index])) for index in range(len(matrix))]
                columns = [list(keys), list(names), marks] + ([list(split)] if split is not None else [])
                rows.writerows(zip(*columns))
            return self.import_data(Path(folder) / "list.csv", features=Path(folder) / "features.npy")

    def embed(self, **options: Any) -> "dict[str, Any]":
        """Computes features of all images that have none yet."""
        return self.call("embed", **options)

    def verify(
        self, answers: "Mapping[Any, bool | None] | PathLike", *, person: "str | None" = None
    ) -> "dict[str, Any]":
        """Takes verdicts: whether labels are right.

        Parameters
        ----------
        answers
            A dictionary from keys, or from row numbers, to True (right) or False (wrong); or a file that ``cleannet verify
            import`` reads.
        person
            Who verified; by default the user's name.
        """
        if isinstance(answers, Mapping):
            with tempfile.TemporaryDirectory(prefix="cleannet-") as folder:
                file = Path(folder) / "verdicts.csv"
                keys = self.keys if any(isinstance(key, (int, np.integer)) for key in answers) else []
                with open(file, "w", newline="", encoding="utf-8") as out:
                    rows = csv.writer(out)
                    rows.writerow(["key", "verification"])
                    for key, answer in answers.items():
                        name = keys[int(key)] if isinstance(key, (int, np.integer)) else key
                        rows.writerow([name, "" if answer is None else int(bool(answer))])
                return self.call("verify import", file, person=person)
        return self.call("verify import", os.fspath(answers), person=person)

    def verify_simulated(self, truth: str, classes: "int | Sequence[str]", per_class: int, **options: Any) -> Any:
        """Answers from a column with the true labels, for experiments."""
        return self.call("verify simulate", truth=truth, classes=classes, per_class=per_class, **options)

    def train(self, **options: Any) -> "dict[str, Any]":
        """Learns from the verdicts what a wrong label looks like."""
        return self.call("train", **options)

    def score(self, **options: Any) -> "dict[str, Any]":
        """Judges every label."""
        return self.call("score", **options)

    def evaluate(self, truth: str, **options: Any) -> "dict[str, Any]":
        """Compares detectors with known true labels, which the column ``truth`` holds."""
        return self.call("evaluate", truth=truth, **options)

    def report(self, **options: Any) -> "dict[str, Any]":
        """Writes the page that shows what is wrong."""
        return self.call("report", **options)

    def export(self, out: PathLike, **options: Any) -> "dict[str, Any]":
        """Writes scores, weights or the cleaned data set; see ``cleannet help export``."""
        return self.call("export", out=os.fspath(out), **options)

    def status(self) -> "dict[str, Any]":
        """The contents of the workspace, and the next step."""
        return self.call("status")

    # Contents

    @property
    def exists(self) -> bool:
        return (self.path / "catalogue.sqlite").exists()

    @property
    def keys(self) -> "list[str]":
        """Per image its key."""
        return [key for key, in self._query("SELECT key FROM samples ORDER BY id")]

    @property
    def classes(self) -> "list[str]":
        """The names of the classes, by their numbers."""
        return [name for name, in self._query("SELECT name FROM classes ORDER BY id")]

    @property
    def label_numbers(self) -> np.ndarray:
        """Per image the number of its class, int32 ``[N]``."""
        rows = self._query("SELECT class FROM samples ORDER BY id")
        return np.fromiter((number for number, in rows), np.int32, len(rows))

    @property
    def labels(self) -> np.ndarray:
        """Per image the name of its class, ``[N]``."""
        return np.array(self.classes)[self.label_numbers]

    @property
    def splits(self) -> np.ndarray:
        """Per image its split, ``[N]``."""
        rows = self._query("SELECT s.name FROM samples JOIN splits s ON s.id = split ORDER BY samples.id")
        return np.array([name for name, in rows])

    @property
    def verifications(self) -> "dict[int, bool]":
        """People's verdicts on the present labels, by row number."""
        rows = self._query(
            "SELECT v.sample, v.answer FROM verifications v JOIN samples s ON s.id = v.sample AND s.class = v.class ORDER BY v.id"
        )
        last = dict(rows)
        return {row: answer == 1 for row, answer in sorted(last.items()) if answer in (0, 1)}

    @property
    def features(self) -> np.ndarray:
        """Features ``[N, D]``; a row of NaN belongs to an image that could not be read."""
        count = len(self)
        for about in sorted((self.path / "features").glob("*/features.json"), key=lambda file: -file.stat().st_mtime):
            shards = [np.load(shard, mmap_mode="r") for shard in sorted(about.parent.glob("*.npy"))]
            if sum(map(len, shards)) == count:
                return np.concatenate(shards) if len(shards) > 1 else shards[0]
        raise MissingInputError("There are no features yet. Call embed(), or import features of your own.", 66)

    @property
    def scores(self) -> "dict[str, np.ndarray]":
        """The results of ``score``, by column; see docs/python.md."""
        done = self._query("SELECT key FROM runs WHERE stage = 'score' AND outcome = 'done' ORDER BY id DESC LIMIT 1")
        columns = sorted((self.path / "scores" / done[0][0]).glob("*.npy")) if done else []
        if not columns:
            raise MissingInputError("There are no scores yet. Call score().", 66)
        return {column.stem: np.load(column, mmap_mode="r") for column in columns}

    def issues(self, table: str = "auto") -> Any:
        """The judgement of every label, one row per image.

        Returns
        -------
        pandas.DataFrame or numpy.recarray
            ``key``, ``label``; ``probability`` that the label is right (float32; NaN if the image was not judged);
            ``is_label_issue`` (bool; people's verdicts have priority).

            ``suggested_label``, the class that fits better, or the label itself; ``weight_soft`` and ``weight_hard``, for
            training a classifier (float32, never NaN).
        """
        arrays = self._arrays()
        names = np.array(arrays["class_names"])
        return _tables.table(
            {
                "key": np.array(self.keys),
                "label": names[arrays["label"]],
                "probability": arrays["probability"],
                "is_label_issue": arrays["is_label_issue"],
                "suggested_label": names[suggested(arrays)],
                "weight_soft": arrays["weight_soft"],
                "weight_hard": arrays["weight_hard"],
            },
            table,
        )

    def sample_weights(self, kind: str = "soft") -> np.ndarray:
        """Weights for training a classifier, float32 ``[N]``: ``"soft"`` or ``"hard"`` (1 or 0)."""
        if kind not in ("soft", "hard"):
            raise ValueError(f'weights are "soft" or "hard", not {kind!r}')
        return self._arrays()[f"weight_{kind}"]

    def _arrays(self) -> "dict[str, np.ndarray]":
        with tempfile.TemporaryDirectory(prefix="cleannet-") as folder:
            file = Path(folder) / "scores.npz"
            self.export(file)
            with np.load(file) as arrays:
                return dict(arrays)

    def _query(self, sql: str) -> "list[tuple[Any, ...]]":
        catalogue = self.path / "catalogue.sqlite"
        if not catalogue.exists():
            raise MissingInputError(f"There is no workspace at {self.path}. Import a data set first.", 66)
        connection = sqlite3.connect(catalogue.resolve().as_uri() + "?mode=ro", uri=True)
        try:
            return connection.execute(sql).fetchall()
        finally:
            connection.close()

    def runs(self, stage: str) -> "list[dict[str, Any]]":
        """The finished runs of a stage, oldest first."""
        rows = self._query("SELECT stage, metrics FROM runs WHERE outcome = 'done' ORDER BY id")
        return [json.loads(metrics) for name, metrics in rows if name == stage and metrics]


def _extract(archive: tarfile.TarFile, folder: Path) -> None:
    if hasattr(tarfile, "data_filter"):
        archive.extractall(folder, filter="data")
    else:
        archive.extractall(folder)


def suggested(arrays: "Mapping[str, np.ndarray]") -> np.ndarray:
    """Class numbers: the suggested one, or that of the label."""
    return np.where(arrays["suggested_label"] >= 0, arrays["suggested_label"], arrays["label"])
