import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "src"))


@pytest.fixture(scope="session")
def clusters():
    """Four clusters of 300 images in 16 dimensions; one label in five is another class's. 60 images of each of two
    classes were looked at."""
    random = np.random.default_rng(0)
    count = 1200
    truth = np.arange(count) % 4
    labels = np.where(random.random(count) < 0.2, random.integers(0, 4, count), truth)
    features = np.eye(4, 16)[truth] * 3 + np.abs(random.normal(size=(count, 16)))
    looked_at = np.concatenate([np.flatnonzero(labels == label)[:60] for label in (0, 2)])
    verified = np.full(count, np.nan)
    verified[looked_at] = labels[looked_at] == truth[looked_at]
    return features.astype(np.float32), labels, truth, verified


@pytest.fixture(scope="session")
def fitted(clusters):
    import cleannet

    features, labels, _, verified = clusters
    return cleannet.CleanNet(steps=10, references=2, progress=False).fit(features, labels, verified)
