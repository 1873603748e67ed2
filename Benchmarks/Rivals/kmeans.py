"""scikit-learn's K-means on the vectors that `cleannet-bench kmeans --dump` wrote: 101 classes, K = 32, 10 restarts."""
import sys
import time

import numpy as np
from sklearn.cluster import KMeans

vectors = np.load(sys.argv[1], mmap_mode="r")
classes = 101
per_class = len(vectors) // classes
start, inertia = time.time(), 0.0
for label in range(classes):
    part = np.asarray(vectors[label * per_class : (label + 1) * per_class])
    inertia += KMeans(n_clusters=32, n_init=10, random_state=0).fit(part).inertia_
print(f"kmeans.scikit-learn: {time.time() - start:.1f} s")
print(f"kmeans.scikit-learn.inertia: {inertia:.1f}")
