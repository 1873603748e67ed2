"""Judgements as a table, and the arrays that go in."""

from __future__ import annotations

import importlib.util
from typing import Any, Mapping, Sequence

import numpy as np

__all__ = ["table", "matrix_of", "labels_of", "verdicts_of"]


def table(columns: Mapping[str, np.ndarray], kind: str = "auto") -> Any:
    """Columns of one length as a ``pandas.DataFrame``, or a NumPy record array where there is no pandas.

    Parameters
    ----------
    kind
        ``"pandas"``, ``"numpy"``, or ``"auto"``: pandas where it is installed.
    """
    if kind not in ("auto", "pandas", "numpy"):
        raise ValueError(f'a table is "auto", "pandas" or "numpy", not {kind!r}')
    if kind == "pandas" or (kind == "auto" and importlib.util.find_spec("pandas")):
        import pandas

        return pandas.DataFrame(dict(columns))
    return np.rec.fromarrays(list(columns.values()), names=list(columns))


def matrix_of(features: Any) -> np.ndarray:
    """Features ``[N, D]`` as the program reads them: float16 or float32, in C order.

    Takes arrays, pandas tables and torch tensors. Sparse matrices and complex numbers are refused.
    """
    if hasattr(features, "toarray"):
        raise TypeError("A sparse matrix was passed, but dense data is required. Use features.toarray().")
    if hasattr(features, "detach"):
        features = features.detach().cpu().numpy()
    array = np.asarray(features)
    if array.dtype.kind == "c":
        raise ValueError("Complex data not supported: features are real numbers.")
    if array.ndim != 2:
        raise ValueError(
            f"Expected 2D array, got {array.ndim}D array instead: features are [images, numbers per image]. "
            "Reshape your data: array.reshape(1, -1) if it is one image, array.reshape(-1, 1) if it is one number per image."
        )
    if array.shape[0] == 0:
        raise ValueError(f"Found array with 0 sample(s) (shape={array.shape}) while a minimum of 1 is required.")
    if array.shape[1] == 0:
        raise ValueError(f"Found array with 0 feature(s) (shape={array.shape}) while a minimum of 1 is required.")
    if array.dtype != np.float16:
        array = array.astype(np.float32, copy=False)
    bad = ~np.isfinite(array).all(axis=1)
    if bad.any():
        rows = np.flatnonzero(bad)
        raise ValueError(
            f"Input X contains NaN or infinity, in {len(rows)} rows (the first is {rows[0]}). Compute them anew, or "
            "leave the images out."
        )
    return np.ascontiguousarray(array)


def labels_of(labels: Any, count: int) -> "tuple[np.ndarray, np.ndarray]":
    """Labels as class numbers ``[N]``, and the classes, sorted."""
    if labels is None:
        raise ValueError("labels are needed: requires y to be passed, but the target y is None")
    if hasattr(labels, "detach"):
        labels = labels.detach().cpu().numpy()
    array = np.asarray(labels)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise ValueError(f"labels are one per image, a 1D array; got an array of shape {array.shape}")
    if len(array) != count:
        raise ValueError(f"inconsistent numbers of samples: there are {count} rows of features and {len(array)} labels")
    if array.dtype.kind == "f":
        if not np.isfinite(array).all():
            raise ValueError("Input y contains NaN or infinity. Leave out images without a label.")
        if not (array == np.floor(array)).all():
            raise ValueError("Unknown label type: continuous. Labels are classes, not measurements.")
    classes, numbers = np.unique(array, return_inverse=True)
    return numbers.reshape(-1), classes


def verdicts_of(verified: Any, count: int) -> "dict[int, bool]":
    """People's verdicts, by the number of the image.

    Parameters
    ----------
    verified
        None; a mapping from image numbers to whether the label is right; or an array ``[count]`` of 1 or True (right), 0 or
        False (wrong), and NaN, None or -1 (nobody looked).
    """
    if verified is None:
        return {}
    if isinstance(verified, Mapping):
        wrong = [index for index in verified if not 0 <= int(index) < count]
        if wrong:
            raise ValueError(f"verified names image {wrong[0]}, but images are numbered from 0 to {count - 1}")
        return {int(index): bool(answer) for index, answer in verified.items() if answer is not None}
    if hasattr(verified, "detach"):
        verified = verified.detach().cpu().numpy()
    array = np.asarray(verified)
    if array.shape != (count,):
        raise ValueError(
            f"verified has the shape {array.shape}, but there are {count} images. It holds one answer per image "
            "(1 right, 0 wrong, NaN or -1 unknown), or is a dictionary from image numbers to answers."
        )
    if array.dtype.kind == "b":
        values = array.astype(float)
    else:
        values = np.array([_answer(value) for value in array.tolist()])
    known = np.flatnonzero(~np.isnan(values) & (values != -1))
    strange = known[(values[known] != 0) & (values[known] != 1)]
    if len(strange):
        raise ValueError(
            f"verified holds {values[strange[0]]} for image {strange[0]}. Answers are 1 (right), 0 (wrong), and NaN or "
            "-1 (nobody looked)."
        )
    return {int(index): bool(values[index]) for index in known}


def _answer(value: Any) -> float:
    """A number; NaN for what stands for nothing: None, NaN, pandas' NA."""
    try:
        return float(value)
    except (TypeError, ValueError):
        if value is None or type(value).__name__ == "NAType":
            return float("nan")
        raise ValueError(
            f"verified holds {value!r}. Answers are 1 (right), 0 (wrong), and NaN or -1 (nobody looked)."
        ) from None
