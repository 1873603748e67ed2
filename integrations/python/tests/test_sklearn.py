"""scikit-learn's own checks of an estimator. They know nothing of verdicts, so every image gets one here."""
import warnings

import cleannet
import numpy as np
import pytest
from sklearn.utils.estimator_checks import estimator_checks_generator

# Checks that mean something else by an estimator than this one is.
NOT_MEANT = {
    "check_fit1d": "features are a matrix; one row or column is named in the error",
    "check_estimator_sparse_array": "sparse features are refused with TypeError, as the check allows, but it fits first",
    "check_readonly_memmap_input": "slow here, and files are only read",
}


class Verified(cleannet.CleanNet):
    """Says of every third label that it is right, and of every seventh that it is wrong."""

    def fit(self, X, y=None, verified=None):
        if verified is None and y is not None and np.ndim(X) == 2:
            verified = {index: index % 7 != 0 for index in range(np.shape(X)[0]) if index % 3 == 0 or index % 7 == 0}
        return super().fit(X, y, verified)


def _checks():
    model = Verified(steps=5, references=2, threads=1, progress=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for estimator, check in estimator_checks_generator(model):
            name = getattr(check, "func", check).__name__
            marks = [pytest.mark.xfail(reason=NOT_MEANT[name], strict=False)] if name in NOT_MEANT else []
            yield pytest.param(estimator, check, id=name, marks=marks)


@pytest.mark.parametrize("estimator, check", _checks())
def test_estimator_check(estimator, check):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check(estimator)
