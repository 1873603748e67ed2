"""Writes parity.json: what scikit-learn and SciPy say of 200 scored labels, with ties.

    python make_fixtures.py [FOLDER]      (default: this folder)
"""

import json
import sys
from pathlib import Path

import numpy as np
from scipy import stats
from sklearn import metrics

random = np.random.default_rng(3)
COUNT, CLASSES = 200, 4
labels = random.integers(0, CLASSES, COUNT)
right = random.random(COUNT) < 0.5 + 0.1 * labels
# Rounded, so that there are ties; multiples of 1/64 are exact in float32.
scores = np.round(np.clip(random.normal(0.4 + 0.25 * right, 0.2), 0, 1) * 64) / 64
threshold = 0.52
decisions = scores >= threshold


def finite(values):
    return [float(f"{value:.12g}") for value in values]


def calibration_error(bins=10):
    place = np.clip(np.ceil(scores * bins) - 1, 0, bins - 1)
    return sum(
        abs(scores[place == bin].mean() - right[place == bin].mean()) * (place == bin).mean()
        for bin in range(bins)
        if (place == bin).any()
    )


def interval(values, confidence):
    low, high = stats.t.interval(confidence, len(values) - 1, np.mean(values), stats.sem(values))
    return {"values": values, "confidence": confidence, "low": low, "high": high}


# Wrong labels are what is looked for, at low scores.
fpr, tpr, _ = metrics.roc_curve(~right, -scores, drop_intermediate=False)
precision, recall, _ = metrics.precision_recall_curve(~right, -scores)
document = {
    "scores": finite(scores),
    "isRight": [bool(x) for x in right],
    "labels": labels.tolist(),
    "threshold": threshold,
    "auroc": metrics.roc_auc_score(~right, -scores),
    "averagePrecision": metrics.average_precision_score(~right, -scores),
    "precision": metrics.precision_score(~right, ~decisions),
    "recall": metrics.recall_score(~right, ~decisions),
    "f1": metrics.f1_score(~right, ~decisions),
    "brier": metrics.brier_score_loss(right, scores),
    "calibrationError": calibration_error(),
    "averageErrorRate": 100 * np.mean([(decisions != right)[labels == c].mean() for c in range(CLASSES)]),
    "aurocOfClass": [metrics.roc_auc_score(~right[labels == c], -scores[labels == c]) for c in range(CLASSES)],
    "roc": [finite(fpr), finite(tpr)],
    # scikit-learn's ends with an artificial point at recall 0, and begins at recall 1.
    "precisionRecall": [finite(recall[-2::-1]), finite(precision[-2::-1])],
    "intervals": [interval([0.91, 0.95, 0.9, 0.97, 0.93], 0.95), interval([3.0, 4.5], 0.9), interval(list(range(30)), 0.99)],
    "upperBounds": [
        {"successes": k, "trials": n, "confidence": c, "bound": stats.beta.ppf(c, k + 1, n - k)}
        for k, n, c in [(0, 10, 0.95), (0, 1000, 0.95), (3, 50, 0.95), (40, 100, 0.9), (99, 100, 0.99), (17, 20000, 0.95)]
    ],
}
folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
(folder / "parity.json").write_text(json.dumps(document, separators=(",", ":")) + "\n")
