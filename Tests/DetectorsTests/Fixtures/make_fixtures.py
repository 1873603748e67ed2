"""Writes parity.json: what scikit-learn and cleanlab say of 150 examples in three clusters with noisy labels.

    python make_fixtures.py [FOLDER]      (default: this folder)

Needs numpy, scikit-learn and cleanlab; Scripts/parity sets them up.
"""

import json
import sys
from pathlib import Path

import numpy as np
from cleanlab.count import calibrate_confident_joint, compute_confident_joint
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_label_quality_scores
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
from sklearn.neighbors import NearestNeighbors
from sklearn.semi_supervised import LabelPropagation, LabelSpreading
from sklearn.svm import SVC, OneClassSVM

random = np.random.default_rng(7)
COUNT, DIMENSION, CLASSES, K = 150, 6, 3, 7
centers = random.normal(0, 1.2, (CLASSES, DIMENSION)) + 1
truth = random.integers(0, CLASSES, COUNT)
features = np.round(centers[truth] + random.normal(0, 1, (COUNT, DIMENSION)), 4)
noisy = np.where(random.random(COUNT) < 0.25, random.integers(0, CLASSES, COUNT), truth)


def numbers(array, digits=8):
    return [float(f"{value:.{digits}g}") for value in np.asarray(array, dtype=float).ravel()]


def logistic():
    model = LogisticRegression(C=0.5, tol=1e-10, max_iter=10000).fit(features, noisy)
    return {
        "c": 0.5,
        "weights": numbers(model.coef_),
        "bias": numbers(model.intercept_),
        "probabilities": numbers(model.predict_proba(features)),
    }


def confident():
    model = LogisticRegression(C=1, max_iter=10000)
    given = np.round(cross_val_predict(model, features, noisy, cv=5, method="predict_proba"), 5)
    # Exactly the numbers that float32 holds, so that both sides start alike.
    given = given.astype(np.float32).astype(np.float64)
    counts = compute_confident_joint(noisy, given, calibrate=False)
    expected = {"probabilities": numbers(given, 9), "joint": calibrate_confident_joint(counts, noisy).ravel().tolist()}
    for method in ("self_confidence", "normalized_margin", "confidence_weighted_entropy"):
        expected[method] = numbers(get_label_quality_scores(noisy, given, method=method))
    for method in ("prune_by_noise_rate", "prune_by_class", "both"):
        expected[method] = [bool(x) for x in find_label_issues(noisy, given, filter_by=method, n_jobs=1)]
    return expected


def neighbors():
    found = NearestNeighbors(n_neighbors=K + 1, metric="cosine", algorithm="brute").fit(features)
    distances, indices = found.kneighbors(features)
    assert (indices[:, 0] == np.arange(COUNT)).all()
    return {"k": K, "indices": indices[:, 1:].ravel().tolist(), "similarities": numbers(1 - distances[:, 1:])}


def graph(rows, _=None):
    distances, indices = NearestNeighbors(n_neighbors=K + 1, metric="cosine").fit(rows).kneighbors(rows)
    weights = np.zeros((len(rows), len(rows)))
    for row in range(len(rows)):
        for distance, other in zip(distances[row], indices[row]):
            if other != row:
                weights[row, other] = weights[other, row] = max(0, 1 - distance)
    return weights


def spreading():
    known = list(range(0, COUNT, 5))
    answers = np.full(COUNT, -1)
    answers[known] = (noisy == truth)[known]
    expected = {"k": K, "known": known, "answers": [bool(answers[i]) for i in known]}
    propagation = LabelPropagation(kernel=graph, max_iter=1000, tol=1e-3).fit(features, answers)
    expected["propagation"] = numbers(propagation.label_distributions_[:, 1])
    spread = LabelSpreading(kernel=graph, alpha=0.2, max_iter=1000, tol=1e-3).fit(features, answers)
    expected["spreading"] = numbers(spread.label_distributions_[:, 1])
    return expected


def machines():
    answers = noisy == truth
    learning = np.arange(0, COUNT, 2)
    expected = {"learning": learning.tolist(), "answers": [bool(x) for x in answers[learning]]}
    for kernel in ("linear", "rbf"):
        machine = SVC(kernel=kernel, C=0.7, gamma="scale", class_weight="balanced", tol=1e-6)
        machine.fit(features[learning], answers[learning])
        expected[kernel] = numbers(machine.decision_function(features))
    one = OneClassSVM(kernel="rbf", gamma="scale", nu=0.3, tol=1e-6).fit(features[learning])
    expected["oneClass"] = numbers(one.decision_function(features))
    return expected


document = {
    "dimension": DIMENSION,
    "classes": CLASSES,
    "features": numbers(features),
    "labels": noisy.tolist(),
    "logistic": logistic(),
    "confident": confident(),
    "neighbors": neighbors(),
    "spreading": spreading(),
    "machines": machines(),
}
folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
(folder / "parity.json").write_text(json.dumps(document, separators=(",", ":")) + "\n")
