import csv
import json

import cleannet
import numpy as np
import pytest


@pytest.fixture(scope="module")
def scored(clusters, tmp_path_factory):
    features, labels, _, verified = clusters
    ws = cleannet.Workspace(tmp_path_factory.mktemp("scored") / "workspace", progress=False)
    names = np.array(["a b", "c,d", "é", "日本"])
    ws.import_features(features, names[labels], keys=[f"k {i}, ü" for i in range(len(labels))])
    ws.verify({int(i): bool(verified[i]) for i in np.flatnonzero(~np.isnan(verified))})
    ws.train(steps=10, references=2)
    ws.score()
    return ws


def test_reads_what_is_there(clusters, scored):
    features, labels, _, verified = clusters
    assert len(scored) == len(labels)
    assert scored.keys[3] == "k 3, ü"
    assert set(scored.classes) == {"a b", "c,d", "é", "日本"}
    assert np.array_equal(scored.features, features)
    assert (scored.labels == np.array(["a b", "c,d", "é", "日本"])[labels]).all()
    assert scored.verifications == {int(i): bool(verified[i]) for i in np.flatnonzero(~np.isnan(verified))}
    assert scored.scores["probability"].shape == labels.shape
    assert set(scored.splits) == {"train"}


def test_tables_agree(scored, tmp_path):
    issues = scored.issues()
    scored.export(tmp_path / "scores.csv")
    rows = list(csv.DictReader(open(tmp_path / "scores.csv", encoding="utf-8")))
    assert [row["key"] for row in rows] == issues["key"].tolist()
    assert np.allclose([float(row["probability"]) for row in rows], issues["probability"], atol=1e-5)
    cleanlab = cleannet.to_cleanlab(scored)
    assert list(cleanlab.columns) == ["is_label_issue", "label_score", "given_label", "predicted_label"]
    assert (cleanlab["given_label"] == issues["label"]).all()
    assert np.array_equal(cleannet.sample_weights(scored, "hard"), issues["weight_hard"])


def test_label_studio_shows_images_only(scored, tmp_path):
    with pytest.raises(cleannet.InvalidInputError, match="Label Studio"):
        cleannet.to_label_studio(scored, tmp_path / "tasks.json", unverified=3, classes=["é"])


def test_what_is_missing_is_said(tmp_path):
    ws = cleannet.Workspace(tmp_path / "none", progress=False)
    with pytest.raises(cleannet.MissingInputError, match="Import"):
        ws.keys
    with pytest.raises(cleannet.MissingInputError):
        ws.import_data(tmp_path / "nowhere")
    (tmp_path / "bad.csv").write_text("path,label\nx.jpg\n")
    with pytest.raises(cleannet.InvalidInputError, match="bad.csv"):
        ws.import_data(tmp_path / "bad.csv")


def test_an_image_folder(tmp_path):
    Image = pytest.importorskip("PIL.Image")

    random = np.random.default_rng(0)
    for label in ("red", "blue"):
        (tmp_path / "photos" / label).mkdir(parents=True)
        for index in range(3):
            pixels = random.integers(0, 255, (32, 32, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "photos" / label / f"{index}.png")
    ws = cleannet.from_folder(tmp_path / "photos")
    ws.progress = False
    assert sorted(ws.keys)[0] == "blue/0.png"
    ws.embed(size=64)
    assert ws.features.shape == (6, 1280)
    ws.verify({"red/0.png": True, 0: None})
    assert list(ws.verifications.values()) == [True]
    assert cleannet.to_label_studio(ws, tmp_path / "tasks.json", unverified=2) == 5
    assert len(json.load(open(tmp_path / "tasks.json"))) == 5


class Pairs:
    classes = ["cat", "dog"]

    def __init__(self, images):
        self.images = images

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        return self.images[index], index % 2


def test_from_torch():
    Image = pytest.importorskip("PIL.Image")
    images = [np.full((8, 8, 3), 10 * index, np.uint8) for index in range(4)]
    images += [np.full((3, 8, 8), 0.5, np.float32)]
    ws = cleannet.from_torch(Pairs(images))
    assert ws.labels.tolist() == ["cat", "dog", "cat", "dog", "cat"]
    from cleannet.targets import _paths

    assert np.asarray(Image.open(_paths(ws)[3])).tolist() == images[3].tolist()
    assert (np.asarray(Image.open(_paths(ws)[4])) == 128).all()
    with pytest.raises(ValueError, match="Leave out the transform"):
        cleannet.from_torch(Pairs([np.full((3, 8, 8), -2.0)]))


def test_progress_and_warnings_are_told(clusters, tmp_path, capfd):
    features, labels, _, verified = clusters
    ws = cleannet.Workspace(tmp_path / "workspace", progress=True)
    ws.import_features(features, labels, verified=verified)
    ws.train(steps=20, references=4)
    shown = capfd.readouterr().err
    assert "{" not in shown and shown.strip()
