import numpy as np
import pandas
import pytest
from cleannet import _program, _tables


@pytest.mark.parametrize(
    "verified",
    [
        {1: True, 3: False},
        [np.nan, 1, np.nan, 0],
        [-1, 1, -1, 0],
        [None, True, None, False],
        np.array([np.nan, 1, np.nan, 0], np.float32),
        pandas.array([None, True, None, False], dtype="boolean"),
    ],
)
def test_verdicts_of_any_kind(verified):
    assert _tables.verdicts_of(verified, 4) == {1: True, 3: False}


def test_bad_verdicts_are_named():
    with pytest.raises(ValueError, match="image 4.*0 to 3"):
        _tables.verdicts_of({4: True}, 4)
    with pytest.raises(ValueError, match="0.5 for image 1"):
        _tables.verdicts_of([1, 0.5, 0, 0], 4)
    with pytest.raises(ValueError, match="shape"):
        _tables.verdicts_of([1, 0], 4)


def test_features_keep_half_precision_and_lose_nothing_else():
    assert _tables.matrix_of(np.ones((2, 3), np.float16)).dtype == np.float16
    assert _tables.matrix_of(np.ones((2, 3))).dtype == np.float32
    assert _tables.matrix_of(np.ones((3, 2)).T).flags.c_contiguous
    with pytest.raises(ValueError, match="the first is 1"):
        _tables.matrix_of([[0, 1], [np.nan, 1]])
    with pytest.raises(ValueError, match="2D"):
        _tables.matrix_of([0, 1])


def test_labels_are_classes():
    numbers, classes = _tables.labels_of(["b", "a", "b"], 3)
    assert numbers.tolist() == [1, 0, 1] and classes.tolist() == ["a", "b"]
    with pytest.raises(ValueError, match="continuous"):
        _tables.labels_of([0.5, 1.0], 2)
    with pytest.raises(ValueError, match="2 rows of features and 3 labels"):
        _tables.labels_of([0, 1, 1], 2)


def test_options():
    assert _program.options({"held_out": 3, "quiet": True, "a": None, "b": False, "classes": ["x", "y"]}) == [
        "--held-out", "3", "--quiet", "--classes", "x,y",
    ]


def test_a_table_without_pandas():
    rows = _tables.table({"a": np.arange(3), "b": np.array(["x", "y", "z"])}, "numpy")
    assert rows["b"][1] == "y" and rows.a.sum() == 3
    with pytest.raises(ValueError):
        _tables.table({"a": np.arange(3)}, "polars")
