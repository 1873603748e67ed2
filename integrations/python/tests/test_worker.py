"""The client of the worker's protocol, against a stand-in for the program that dies when it is told to."""

import sys
import textwrap

import numpy as np
import pytest

from cleannet import _worker
from cleannet.errors import CleanNetError, InvalidInputError

PROGRAM = """
    import json, os, signal, struct, sys

    def send(kind, payload):
        sys.stdout.buffer.write(struct.pack("<IB", len(payload), kind) + payload)
        sys.stdout.buffer.flush()

    marks = os.environ["MARKS"]
    with open(marks + "/starts", "a") as file:
        file.write("x")
    if "refuse" in sys.argv:
        sys.stderr.write("error: There is no model.\\n")
        sys.exit(65)
    send(128, json.dumps({"protocol": 2 if "future" in sys.argv else 1, "batch": 4}).encode())
    while True:
        header = sys.stdin.buffer.read(5)
        if len(header) < 5:
            break
        length, kind = struct.unpack("<IB", header)
        payload = sys.stdin.buffer.read(length)
        size = struct.unpack("<I", payload[:4])[0]
        label = None if size == 0xFFFFFFFF else payload[4:4 + size].decode()
        content = payload[4 + (0 if label is None else size):]
        if content == b"deadly":
            os.kill(os.getpid(), signal.SIGKILL)
        if content == b"accident" and not os.path.exists(marks + "/accident"):
            open(marks + "/accident", "w").close()
            os.kill(os.getpid(), signal.SIGKILL)
        if content == b"bad":
            send(255, json.dumps({"error": "It is no image."}).encode())
        elif kind == 2:
            send(129, content)
        else:
            send(130, json.dumps({"label": label, "content": content.decode()}).encode())
"""


@pytest.fixture
def worker(tmp_path, monkeypatch):
    program = tmp_path / "program"
    program.write_text(f"#!{sys.executable}\n" + textwrap.dedent(PROGRAM))
    program.chmod(0o755)
    monkeypatch.setenv("MARKS", str(tmp_path))

    def make(*arguments):
        made.append(_worker.Worker(arguments, str(program)))
        return made[-1]

    made = []
    yield make
    for each in made:
        each.close()


def images(*contents):
    return [_worker.Worker.request(_worker.IMAGE, content, "cat") for content in contents]


def starts(tmp_path):
    return len((tmp_path / "starts").read_text())


def test_answers_are_in_order_and_bad_images_are_answers(worker, tmp_path):
    contents = [b"bad" if number % 10 == 3 else str(number).encode() for number in range(200)]
    answers = list(worker().map(images(*contents)))
    assert len(answers) == 200 and starts(tmp_path) == 1
    for content, answer in zip(contents, answers):
        if content == b"bad":
            assert isinstance(answer, CleanNetError) and "no image" in str(answer)
        else:
            assert answer == {"label": "cat", "content": content.decode()}


def test_features_and_missing_labels(worker):
    row = np.arange(3, dtype="<f4")
    requests = [_worker.Worker.request(_worker.FEATURES, row.tobytes()), _worker.Worker.request(_worker.IMAGE, b"a")]
    answers = list(worker().map(requests))
    assert np.array_equal(answers[0], row) and answers[1]["label"] is None


def test_a_worker_that_dies_by_accident_loses_nothing(worker, tmp_path):
    answers = list(worker().map(images(b"1", b"accident", b"2", b"3")))
    assert [answer["content"] for answer in answers] == ["1", "accident", "2", "3"]
    assert starts(tmp_path) == 2


def test_an_image_that_kills_workers_gets_an_error(worker):
    answers = list(worker().map(images(b"1", b"deadly", b"2", b"deadly", b"3")))
    assert [isinstance(answer, CleanNetError) for answer in answers] == [False, True, False, True, False]
    assert "ended on this image" in str(answers[1])


def test_what_the_program_refuses_is_raised(worker):
    with pytest.raises(InvalidInputError, match="no model"):
        list(worker("refuse").map(images(b"1")))
    with pytest.raises(CleanNetError, match="version 2"):
        worker("future").start()


def test_large_batches_do_not_block(worker):
    # More than both pipes hold, in both directions.
    answers = list(worker().map(images(*[b"x" * 50_000] * 300)))
    assert len(answers) == 300 and all(len(answer["content"]) == 50_000 for answer in answers)
