"""cleannet.spark on a cluster of one master and two workers, also over Spark Connect: see Scripts/cluster-test."""

import gzip
import json
import os
import signal
import subprocess
import tarfile
import threading
import time
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("pyspark")
MASTER = os.environ.get("CLEANNET_SPARK_MASTER")
# The address of a Spark Connect server of the cluster, sc://HOST:PORT.
REMOTE = os.environ.get("CLEANNET_SPARK_REMOTE")
if not MASTER and not REMOTE:
    pytest.skip("there is no cluster; run Scripts/cluster-test", allow_module_level=True)

from cleannet import spark as cleannet_spark  # noqa: E402

IMAGES = int(os.environ["CLEANNET_SPARK_IMAGES"])
FOLDER = Path(os.environ["CLEANNET_SPARK_FOLDER"])
SIZE = int(os.environ.get("CLEANNET_SPARK_SIZE", "32"))
NETWORK = {"quality": "fast", "size": SIZE}
CLASSES = ["T-shirt", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Boot"]


def _idx(name, offset):
    with gzip.open(f"/usr/share/datasets/fashion-mnist/{name}") as file:
        return np.frombuffer(file.read(), np.uint8, offset=offset)


@pytest.fixture(scope="session")
def images():
    """Paths of images with labels, of which one in five is wrong, and a table of them for the program."""
    pixels = _idx("train-images-idx3-ubyte.gz", 16).reshape(-1, 28, 28)[:IMAGES]
    truth = _idx("train-labels-idx1-ubyte.gz", 8)[:IMAGES]
    random = np.random.default_rng(0)
    labels = np.where(random.random(len(truth)) < 0.2, random.integers(0, 10, len(truth)), truth)
    (FOLDER / "images").mkdir(exist_ok=True)
    rows = []
    for number, (image, label) in enumerate(zip(pixels, labels)):
        path = FOLDER / "images" / f"{number:06d}.pgm"
        path.write_bytes(b"P5\n28 28\n255\n" + image.tobytes())
        rows.append((str(path), CLASSES[label]))
    table = "".join(f"{path},{label}\n" for path, label in rows)
    (FOLDER / "images.csv").write_text("path,label\n" + table)
    return rows


def cleannet(*words):
    done = subprocess.run([os.environ["CLEANNET_PROGRAM"], *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def local(images):
    """A model that was trained locally, and its judgements of the images by one process."""
    workspace = str(FOLDER / "workspace")
    model = str(FOLDER / "model.safetensors")
    if not os.path.exists(model):
        cleannet("import", str(FOLDER / "images.csv"), "-w", workspace, "-q")
        cleannet("embed", "--quality", "fast", "--size", str(SIZE), "-w", workspace, "-q")
        cleannet("train", "--steps", "30", "-w", workspace, "-q")
        cleannet("export", "model", "--out", model, "-w", workspace)
    start = time.monotonic()
    answers = cleannet("judge", str(FOLDER / "images.csv"), "--model", model, "-q")
    seconds = time.monotonic() - start
    rows = [json.loads(line) for line in answers.splitlines()]
    return model, {row["key"]: row for row in rows}, seconds


def archive():
    """The program and its engine as a job takes them along where nothing is installed."""
    path = FOLDER / "program.tar.gz"
    beside = Path(os.environ["CLEANNET_PROGRAM"]).parent
    with tarfile.open(path, "w:gz", compresslevel=1) as file:
        for name in ("cleannet", "libCleanNetEngine.so"):
            file.add(beside / name, name)
    return path


@pytest.fixture(scope="session")
def session():
    from pyspark.sql import SparkSession

    if REMOTE:
        built = SparkSession.builder.remote(REMOTE).getOrCreate()
        yield built
        built.stop()
        return
    built = (
        SparkSession.builder.master(MASTER)
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.executor.memory", "900m")
        .config("spark.executorEnv.CLEANNET_PROGRAM", os.environ["CLEANNET_PROGRAM"])
        .config("spark.executorEnv.PYTHONPATH", os.environ["PYTHONPATH"])
        .config("spark.sql.execution.arrow.maxRecordsPerBatch", "1000")
        .config("spark.archives", f"{archive()}#unpacked")
        .config("spark.ui.enabled", "false")
        .getOrCreate()
    )
    yield built
    built.stop()


@pytest.fixture(scope="session")
def frame(session, images):
    """The images as Spark reads them, with labels."""
    files = session.read.format("binaryFile").load(str(FOLDER / "images")).select("path", "content")
    labels = session.createDataFrame([(f"file:{path}", label) for path, label in images], "path string, label string")
    return files.join(labels, "path").repartition(4)


def workers(model):
    """Numbers of the running workers of this model."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                words = Path(f"/proc/{entry}/cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if b"worker" in words and model.encode() in words:
                found.append(int(entry))
    return found


def probabilities(rows):
    return {row["path"].removeprefix("file:"): row["probability"] for row in rows}


def agrees(found, local):
    assert set(found) == set(local)
    apart = [abs(found[path] - local[path]["probability"]) for path in local]
    print(f"{sum(one > 1e-6 for one in apart)} of {len(apart)} differ, by up to {max(apart):.6f}")
    return max(apart) <= 1e-6


def test_judge_as_the_program_does(frame, local):
    model, answers, seconds = local
    judged = cleannet_spark.judge(frame, model)
    assert judged.columns == [
        "path", "label", "verdict", "probability", "suggested_label", "cosine", "suggested_cosine", "disagreement", "error",
    ]  # fmt: skip
    rows = judged.collect()
    assert all(row["error"] is None for row in rows)
    assert agrees(probabilities(rows), answers)


def test_paths_as_fast_as_the_program(session, images, local):
    model, answers, seconds = local
    frame = session.createDataFrame(images, "path string, label string").repartition(4)
    # Starts the executors' Python and their programs.
    few = session.createDataFrame(images[:64], "path string, label string").repartition(8)
    cleannet_spark.judge(few, model, image_col="path").collect()
    start = time.monotonic()
    rows = cleannet_spark.judge(frame, model, image_col="path").collect()
    print(f"{len(rows)} images by their paths: Spark {time.monotonic() - start:.1f} s, one process {seconds:.1f} s")
    assert agrees(probabilities(rows), answers)


def test_a_killed_worker_loses_nothing(frame, local):
    model, answers, _ = local
    # A name of its own, so that only workers of this test are killed.
    own = str(FOLDER / ("killed-remote.safetensors" if REMOTE else "killed.safetensors"))
    os.link(model, own)
    killed = []

    def kill():
        end = time.monotonic() + 300
        while not killed and time.monotonic() < end:
            for process in workers(own)[:1]:
                # While it loads, or works.
                time.sleep(1.5)
                try:
                    os.kill(process, signal.SIGKILL)
                    killed.append(process)
                except ProcessLookupError:
                    pass
            time.sleep(0.05)

    killer = threading.Thread(target=kill, daemon=True)
    killer.start()
    rows = cleannet_spark.judge(frame, own).collect()
    killer.join(1)
    assert killed
    assert agrees(probabilities(rows), answers)


def test_poison_rows_are_answers(session, images, local):
    model, answers, _ = local
    good = Path(images[0][0]).read_bytes()
    rows = [("a", good, images[0][1]), ("b", b"poison", "Bag"), ("c", b"", "Bag"), ("d", good, "Hat"), ("e", None, "Bag")]
    frame = session.createDataFrame(rows, "path string, content binary, label string")
    found = {row["path"]: row for row in cleannet_spark.judge(frame, model).collect()}
    assert found["a"]["error"] is None
    assert abs(found["a"]["probability"] - answers[images[0][0]]["probability"]) < 1e-6
    assert all(found[key]["error"] and found[key]["verdict"] is None for key in "bcde")
    assert "Hat" in found["d"]["error"] and found["d"]["suggested_label"] in CLASSES


@pytest.mark.skipif(bool(REMOTE), reason="pipelines of pyspark.ml are of the classic interface")
def test_features_then_fit_then_judge_as_a_pipeline(frame, local):
    from pyspark.ml import Pipeline, PipelineModel

    model = str(FOLDER / "spark.safetensors")
    embedded = cleannet_spark.embed(frame, **NETWORK).cache()
    first = embedded.first()
    assert len(first["features"]) == 1280 and first["error"] is None
    trained = cleannet_spark.fit(embedded.drop("error"), model, steps=20, progress=False)
    judged = cleannet_spark.judge(embedded.drop("error"), trained, features_col="features").collect()
    assert len(judged) == len(local[1]) and all(row["error"] is None for row in judged)

    stages = Pipeline(stages=[cleannet_spark.LabelJudge(modelPath=trained)])
    fitted = stages.fit(embedded.drop("error"))
    fitted.write().overwrite().save(str(FOLDER / "pipeline"))
    again = PipelineModel.load(str(FOLDER / "pipeline")).transform(embedded.drop("error"))
    assert probabilities(again.collect()).keys() == probabilities(judged).keys()


def test_a_shipped_model_is_found(session, images, local):
    model, answers, _ = local
    shipped = str(FOLDER / ("shipped-remote.safetensors" if REMOTE else "shipped.safetensors"))
    os.link(model, shipped)
    name = cleannet_spark.ship(session, shipped)
    frame = session.createDataFrame([(images[0][0], images[0][1])], "path string, label string")
    row = cleannet_spark.judge(frame, name).collect()[0]
    assert row["path"] == images[0][0]
    assert abs(row["probability"] - answers[images[0][0]]["probability"]) < 1e-6


@pytest.mark.skipif(bool(REMOTE), reason="the server's session began without the archive")
def test_the_program_comes_in_an_archive(session, images, local):
    model, answers, _ = local
    frame = session.createDataFrame(images[:3], "path string, label string")
    # The executors' folders differ, so that only the archive has this path.
    rows = cleannet_spark.judge(frame, model, program="unpacked/cleannet").collect()
    assert [row["error"] for row in rows] == [None] * 3
    assert all(abs(row["probability"] - answers[row["path"]]["probability"]) < 1e-6 for row in rows)


def test_many_partitions_load_the_model_once_per_executor(session, images, local):
    model, answers, _ = local
    starts = FOLDER / ("starts-remote" if REMOTE else "starts")
    program = FOLDER / ("counted-remote" if REMOTE else "counted")
    program.write_text(f'#!/bin/sh\necho $$ >>"{starts}"\nexec "{os.environ["CLEANNET_PROGRAM"]}" "$@"\n')
    program.chmod(0o755)
    partitions = min(1000, len(images) // 4)
    frame = session.createDataFrame(images[:2000], "path string, label string").repartition(partitions)
    rows = cleannet_spark.judge(frame, model, program=str(program)).collect()
    assert len(rows) == min(2000, len(images)) and all(row["error"] is None for row in rows)
    # Two executors of one core.
    assert len(starts.read_text().split()) <= 2
