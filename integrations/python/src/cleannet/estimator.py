"""The estimator, and the one function that most people need."""

from __future__ import annotations

import inspect
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from . import _tables
from .workspace import Workspace, suggested

__all__ = ["CleanNet", "find_label_issues"]


def find_label_issues(
    features: Any,
    labels: Any,
    verified: Any = None,
    *,
    seed: int = 0,
    threads: "int | None" = None,
    target_noise: "float | None" = None,
    progress: "bool | str" = "auto",
    table: str = "auto",
) -> Any:
    """Judges whether each image's label is right.

    Parameters
    ----------
    features : array [N, D]
        What the images look like to a pretrained network, float16 or float32.
    labels : array [N]
        The labels in question: numbers or texts.
    verified
        What people said of some labels: an array ``[N]`` of 1 (the label is right), 0 (wrong), NaN or -1 (nobody looked), or a
        dictionary from image numbers to answers. A few dozen in some of the classes are enough.
    seed
        Seed of all random choices: the same input gives the same table.
    threads
        By default one per core.
    target_noise
        The largest share of wrong labels to leave among those kept, such as 0.02; it sets the threshold.
    progress
        Bars: True, False, or ``"auto"``.
    table
        ``"pandas"``, ``"numpy"`` (a record array), or ``"auto"``: pandas where it is installed.

    Returns
    -------
    pandas.DataFrame or numpy.recarray
        One row per image, in the order of the features.

        ``probability`` that the label is right (float32), ``is_label_issue`` (bool), ``suggested_label`` (the class that
        fits better, or the label itself; of the labels' type), ``weight_soft`` and ``weight_hard`` (float32), for training a
        classifier.

    Raises
    ------
    ValueError
        If the arrays do not fit together.
    MissingInputError
        If nothing was verified, and this version of the program needs it.
    MissingComponentError
        If a library is missing, with the command that installs it.

    Examples
    --------
    >>> issues = find_label_issues(features, labels, {3: True, 17: False})    # doctest: +SKIP
    >>> worst = issues.sort_values("probability").head(20)                    # doctest: +SKIP
    """
    model = CleanNet(seed=seed, threads=threads, target_noise=target_noise, progress=progress)
    return model.fit(features, labels, verified)._issues(table)


class CleanNet:
    """Learns from verified labels what a wrong label looks like, and judges labels of all classes.

    Parameters
    ----------
    objective : {"extended", "paper"}
        The objective of training.
    references : int
        References of a class.
    steps : int or None
        Training steps of each network; None: the objective's own number.
    target_noise : float or None
        The largest share of wrong labels to leave among those kept; sets the threshold.
    seed : int
        Seed of all random choices.
    threads : int or None
        None: one per core.
    workspace : path or None
        Where to keep what was learned; None: in a temporary folder.
    progress : bool or "auto"
        Bars for each stage.

    Attributes
    ----------
    classes_ : array
        The labels that occur, sorted.
    n_features_in_ : int
        D, the numbers per image.
    issues_ : pandas.DataFrame or numpy.recarray
        The judgement of the labels it was fitted on; see :func:`find_label_issues`.
    sample_weight_ : array [N]
        Soft weights for training a classifier, as scikit-learn's ``sample_weight``.
    workspace_ : Workspace
        What the program keeps of it.

    Examples
    --------
    >>> model = CleanNet().fit(features, labels, verified)      # doctest: +SKIP
    >>> model.issues_["is_label_issue"].mean()                  # doctest: +SKIP
    >>> model.judge(new_features, new_labels)                   # doctest: +SKIP
    """

    def __init__(
        self,
        *,
        objective: str = "extended",
        references: int = 32,
        steps: "int | None" = None,
        target_noise: "float | None" = None,
        seed: int = 0,
        threads: "int | None" = None,
        workspace: Any = None,
        progress: "bool | str" = "auto",
    ):
        self.objective = objective
        self.references = references
        self.steps = steps
        self.target_noise = target_noise
        self.seed = seed
        self.threads = threads
        self.workspace = workspace
        self.progress = progress

    # The attributes that scikit-learn's tools expect

    @classmethod
    def _names(cls) -> "list[str]":
        return [name for name in inspect.signature(cls.__init__).parameters if name != "self"]

    def get_params(self, deep: bool = True) -> "dict[str, Any]":
        """The parameters by name."""
        return {name: getattr(self, name) for name in self._names()}

    def set_params(self, **parameters: Any) -> "CleanNet":
        """Sets parameters by name."""
        for name, value in parameters.items():
            if name not in self._names():
                raise ValueError(f"Invalid parameter {name!r} for CleanNet. Valid parameters are: {self._names()}")
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        defaults = inspect.signature(type(self).__init__).parameters
        changed = [f"{name}={value!r}" for name, value in self.get_params().items() if value != defaults[name].default]
        return f"{type(self).__name__}({', '.join(changed)})"

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "workspace_")

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import Tags, TargetTags

        return Tags(estimator_type=None, target_tags=TargetTags(required=True))

    # Learning and judging

    def fit(self, X: Any, y: Any = None, verified: Any = None) -> "CleanNet":
        """Learns from features ``[N, D]``, labels ``[N]`` and people's verdicts on some of them, and judges all labels.

        Parameters and errors are those of :func:`find_label_issues`.
        """
        matrix = _tables.matrix_of(X)
        numbers, classes = _tables.labels_of(y, len(matrix))
        if len(classes) < 2:
            raise ValueError(f"CleanNet needs labels of two classes at least, but there is 1 class in {len(matrix)} rows.")
        workspace = Workspace(self.workspace, progress=self.progress)
        if workspace.exists:
            raise ValueError(
                f"There is a workspace at {workspace.path} already. Name another folder, or work with it as "
                "cleannet.Workspace."
            )
        # By number, so that labels of any type come back as they were.
        workspace._import_rows(matrix, [str(number) for number in numbers], verified, None)
        self._learn(workspace)
        self.classes_ = classes
        self.n_features_in_ = matrix.shape[1]
        self.workspace_ = workspace
        self._fitted = len(matrix)
        return self

    def _learn(self, workspace: Workspace) -> None:
        common = {"seed": self.seed, "threads": self.threads}
        workspace.train(objective=self.objective, references=self.references, steps=self.steps, **common)
        workspace.score(target_noise=self.target_noise, threads=self.threads)

    def judge(self, X: Any, y: Any, *, table: str = "auto") -> Any:
        """Judges labels of images that came later.

        The program judges all images it knows together. The new ones are therefore added to a copy of the workspace, which
        is trained again from the same verdicts: the new labels count as unverified. That takes as long as ``fit``.

        Parameters
        ----------
        X : array [M, D]
            Features by the same network as in ``fit``.
        y : array [M]
            Labels; each must occur among those of ``fit``.

        Returns
        -------
        pandas.DataFrame or numpy.recarray
            As from :func:`find_label_issues`, one row per new image.
        """
        self._check_fitted()
        matrix = _tables.matrix_of(X)
        if matrix.shape[1] != self.n_features_in_:
            raise ValueError(
                f"X has {matrix.shape[1]} features, but CleanNet is expecting {self.n_features_in_} features as input"
            )
        numbers, classes = _tables.labels_of(y, len(matrix))
        places = np.searchsorted(self.classes_, classes)
        places = np.minimum(places, len(self.classes_) - 1)
        unknown = classes[self.classes_[places] != classes]
        if len(unknown):
            label = unknown[0].item() if hasattr(unknown[0], "item") else unknown[0]
            raise ValueError(f"The label {label!r} did not occur in fit. Fit again with images of that class.")
        both = Workspace(progress=self.progress)
        shutil.copytree(self.workspace_.path, both.path)
        both._import_rows(matrix, [str(place) for place in places[numbers]], None, None)
        self._learn(both)
        return self._table(both, table, first=self._fitted)

    @property
    def issues_(self) -> Any:
        self._check_fitted()
        return self._issues("auto")

    @property
    def sample_weight_(self) -> np.ndarray:
        self._check_fitted()
        return self.workspace_.sample_weights("soft")

    def _issues(self, table: str) -> Any:
        return self._table(self.workspace_, table, first=0)

    def _table(self, workspace: Workspace, table: str, first: int) -> Any:
        arrays = workspace._arrays()
        # The program numbers classes as they first occur; their names are our numbers.
        classes = self.classes_[np.array([int(name) for name in arrays["class_names"]])]
        columns = {
            "probability": arrays["probability"],
            "is_label_issue": arrays["is_label_issue"],
            "suggested_label": classes[suggested(arrays)],
            "weight_soft": arrays["weight_soft"],
            "weight_hard": arrays["weight_hard"],
        }
        return _tables.table({name: values[first:] for name, values in columns.items()}, table)

    def _check_fitted(self) -> None:
        if not hasattr(self, "workspace_"):
            message = "This CleanNet instance is not fitted yet. Call fit first."
            try:
                from sklearn.exceptions import NotFittedError
            except ImportError:
                raise AttributeError(message) from None
            raise NotFittedError(message)
