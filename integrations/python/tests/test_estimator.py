import cleannet
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError


def test_finds_wrong_labels(clusters, fitted):
    features, labels, truth, verified = clusters
    issues = fitted.issues_
    assert list(issues.columns) == ["probability", "is_label_issue", "suggested_label", "weight_soft", "weight_hard"]
    unseen = np.isnan(verified)
    wrong = labels != truth
    assert (issues["is_label_issue"][unseen] == wrong[unseen]).mean() > 0.95
    # People's verdicts go first.
    assert (issues["is_label_issue"][~unseen] == wrong[~unseen]).all()
    caught = issues["is_label_issue"].to_numpy() & wrong & unseen
    assert (issues["suggested_label"].to_numpy()[caught] == truth[caught]).mean() > 0.9
    assert issues["suggested_label"].dtype.kind == "i"
    weights = fitted.sample_weight_
    assert weights.dtype == np.float32 and np.isfinite(weights).all() and weights.shape == labels.shape
    assert weights[wrong].mean() < weights[~wrong].mean()


def test_the_function_is_the_estimator(clusters):
    features, labels, truth, verified = clusters
    names = np.array(["ant", "bee", "cow", "däg"])
    answers = {int(index): bool(verified[index]) for index in np.flatnonzero(~np.isnan(verified))}
    issues = cleannet.find_label_issues(features, names[labels], answers, progress=False, table="numpy")
    wrong = labels != truth
    caught = issues["is_label_issue"] & wrong & np.isnan(verified)
    assert caught.sum() > 0.8 * (wrong & np.isnan(verified)).sum()
    assert (issues["suggested_label"][caught] == names[truth[caught]]).mean() > 0.9


def test_the_same_input_gives_the_same_table(clusters, fitted):
    features, labels, _, verified = clusters
    again = clone(fitted).fit(features, labels, verified)
    assert again.issues_.equals(fitted.issues_)


def test_judges_images_that_came_later(clusters, fitted):
    random = np.random.default_rng(1)
    truth = random.integers(0, 4, 80)
    given = np.where(random.random(80) < 0.3, (truth + 1) % 4, truth)
    new = (np.eye(4, 16)[truth] * 3 + np.abs(random.normal(size=(80, 16)))).astype(np.float32)
    judged = fitted.judge(new, given)
    assert len(judged) == 80
    assert (judged["is_label_issue"].to_numpy() == (given != truth)).mean() > 0.9
    # Nothing of it stays.
    assert len(fitted.workspace_) == len(clusters[1])
    with pytest.raises(ValueError, match="label 9 did not occur"):
        fitted.judge(new, np.full(80, 9))
    with pytest.raises(ValueError, match="expecting 16 features"):
        fitted.judge(new[:, :5], given)


def test_parameters_and_names():
    model = cleannet.CleanNet(seed=3)
    assert repr(model) == "CleanNet(seed=3)"
    assert clone(model).get_params() == model.get_params()
    assert model.set_params(references=8).references == 8
    with pytest.raises(ValueError, match="no_such"):
        model.set_params(no_such=1)


def test_not_fitted():
    with pytest.raises(NotFittedError, match="not fitted"):
        cleannet.CleanNet().judge([[0.0]], [0])
    with pytest.raises(NotFittedError):
        cleannet.CleanNet().issues_


def test_what_the_program_refuses_is_an_exception(clusters):
    features, labels, _, verified = clusters
    with pytest.raises(cleannet.UsageError, match="references"):
        cleannet.CleanNet(references=0, progress=False).fit(features, labels, verified)


def test_it_is_not_written_over(clusters, fitted):
    features, labels, _, verified = clusters
    with pytest.raises(ValueError, match="workspace at"):
        cleannet.CleanNet(workspace=fitted.workspace_.path).fit(features, labels, verified)
