"""What no detector on these features can be expected to beat: wrong labels found by classifiers that were trained with every
*true* label (five folds, each image judged by the ones that did not see it) and by the true noise matrix of all images.
Everything that is left to choose (regularisation, sharpness of the posterior, which classifier) is chosen by the truth, for
each set of labels. Prints the error in percent, averaged over classes, and the AUROC.

    ceiling.py DATA/cifar10n        needs scikit-learn and pandas; minutes
"""

import sys

import numpy as np
import pandas as pd
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.neural_network import MLPClassifier

folder = sys.argv[1]
table = pd.read_csv(f"{folder}/labels.csv")
features = np.load(f"{folder}/features_effnetlite0_160px_train.npy").astype(np.float32)
features /= np.linalg.norm(features, axis=1, keepdims=True)
features -= features.mean(axis=0)
inputs = PCA(256, random_state=0).fit_transform(features / features.std())
names = sorted(set(table.clean_label))
truth = pd.Categorical(table.clean_label, categories=names).codes
rows, classes = np.arange(len(truth)), range(len(names))
fold = np.random.default_rng(0).integers(0, 5, len(truth))


def out_of_fold(make):
    posterior = np.zeros((len(truth), len(names)))
    for part in range(5):
        model = make().fit(inputs[fold != part], truth[fold != part])
        posterior[fold == part] = model.predict_proba(inputs[fold == part])
    print(f"{make()}: {100 * np.mean(posterior.argmax(1) == truth):.1f} % of the images right")
    return posterior


posteriors = [out_of_fold(lambda c=c: LogisticRegression(C=c, max_iter=300)) for c in (0.003, 0.01, 0.03)]
posteriors += [
    out_of_fold(lambda a=a: MLPClassifier((256,), alpha=a, max_iter=40, early_stopping=True, random_state=0))
    for a in (1, 3)
]
posteriors.append((posteriors[1] + posteriors[3]) / 2)

for column in ["aggre_label", "random1", "random2", "random3", "worse_label"]:
    given = pd.Categorical(table[column], categories=names).codes
    right = given == truth
    noise = np.zeros((len(names), len(names)))
    np.add.at(noise, (truth, given), 1)
    noise /= noise.sum(axis=1, keepdims=True)
    found = []
    for posterior in posteriors:
        for sharpness in (0.75, 1, 1.25, 1.5, 2, 2.5, 3):
            joint = posterior**sharpness * noise[:, given].T
            probability = joint[rows, given] / joint.sum(axis=1)
            errors = [np.mean((probability > 0.5)[given == c] != right[given == c]) for c in classes]
            areas = [roc_auc_score(right[given == c], probability[given == c]) for c in classes]
            found.append((100 * np.mean(errors), np.mean(areas)))
    print(f"{column}: error {min(found)[0]:.1f} %, AUROC {max(area for _, area in found):.3f}")
