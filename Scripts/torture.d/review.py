"""Kills the review server while several people answer and one trains: what was acknowledged is kept, once."""
import http.client, json, os, signal, sqlite3, subprocess, threading, time, uuid

PEOPLE = 4


class Reviewer:
    """A browser with one connection."""

    def __init__(self, port, token):
        self.host, self.connection, self.cookie = f"127.0.0.1:{port}", http.client.HTTPConnection("127.0.0.1", port), None
        self.send("POST", "/api/enter", {"token": token})

    def send(self, method, path, body=None):
        headers = {"Origin": f"http://{self.host}", "X-CleanNet": "1", "Content-Type": "application/json"}
        if self.cookie:
            headers["Cookie"] = self.cookie
        self.connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        response = self.connection.getresponse()
        content = response.read()
        if response.getheader("Set-Cookie"):
            self.cookie = response.getheader("Set-Cookie").split(";")[0]
        return response.status, content


def serve(bench, workspace, environment):
    names = [part for number in range(PEOPLE) for part in ("--reviewer", f"reviewer {number}")]
    process = subprocess.Popen(
        [bench.binary, "review", "--workspace", workspace, "--port", "0", "--glance", "0", "--json", *names],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=bench.environment(environment))
    text = ""
    for line in process.stdout:
        text += line
        if line.startswith("}"):
            break
    reply = json.loads(text or "null")
    return process, reply


def answer(bench, workspace, environment, seconds):
    """Serves until the kill, or for some seconds. Returns what was acknowledged: client → (image, answer)."""
    process, reply = serve(bench, workspace, environment)
    acknowledged, lock = {}, threading.Lock()
    labels = len(bench.keys)

    def review(number, link):
        try:
            reviewer = Reviewer(reply["port"], link["url"].split("#token=")[1])
            end = time.time() + seconds
            for step in range(10_000):
                if time.time() > end:
                    return
                image = (number + PEOPLE * step) % labels
                sent = {"client": str(uuid.uuid4()), "image": image, "label": image // bench.options.images,
                        "answer": ("right", "wrong")[step % 2], "dwell": 800}
                status, _ = reviewer.send("POST", "/api/verdicts", {"answers": [sent]})
                if status == 200:
                    with lock:
                        acknowledged[sent["client"]] = (image, int(sent["answer"] == "right"))
                if number == 0 and step == 5:
                    reviewer.send("POST", "/api/retrain", {})
                if number == 1 and step % 4 == 3:
                    reviewer.send("GET", "/api/queue")
                time.sleep(0.01)
        except (OSError, http.client.HTTPException):
            return

    if reply:
        threads = [threading.Thread(target=review, args=(n, link)) for n, link in enumerate(reply["links"])]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    if process.poll() is None:
        process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    return acknowledged


def torment(bench, base):
    before, counter = len(bench.failures), bench.path("count")
    if os.path.exists(counter):
        os.unlink(counter)
    # How many calls a second of work makes: counted until the server ends by itself.
    workspace = bench.copy(base)
    process, _ = serve(bench, workspace, bench.shimmed(count=counter))
    time.sleep(1)
    process.send_signal(signal.SIGTERM)
    process.wait()
    start = int(open(counter).read()) if os.path.exists(counter) else 0
    kills = bench.options.kills
    # Half of them while the server starts and answers, by its calls, half at any moment.
    plan = [(bench.random.randrange(1, start + 120), 3) for _ in range(kills)]
    plan += [(None, bench.random.uniform(0, 3)) for _ in range(kills)]

    def torture(item, slot):
        moment, wait = item
        workspace = bench.copy(base, os.path.join(slot, "workspace"))
        what = f"review, killed at call {moment}" if moment else f"review, killed after {wait:.3f} s"
        acknowledged = answer(bench, workspace, bench.shimmed(kill_at=moment) if moment else {}, wait)
        rows = sqlite3.connect(f"file:{workspace}/catalogue.sqlite", uri=True).execute(
            "SELECT client, sample, answer FROM verifications").fetchall()
        kept = {client: (sample, said) for client, sample, said in rows}
        if lost := [client for client, said in acknowledged.items() if kept.get(client) != said]:
            bench.fail("lost", what, f"{len(lost)} of {len(acknowledged)} acknowledged answers")
        if len([r for r in rows if r[0]]) != len({r[0] for r in rows if r[0]}):
            bench.fail("different", what, "answers kept twice")
        # Training goes on from there, and removes what a killed one left.
        for arguments in (["train", "--steps", "20", "--references", "2"], ["score"]):
            again = bench.run(arguments, workspace)
            if again.returncode != 0:
                return bench.fail("refused", f"{what}: {arguments[0]}", again.stderr)
        if left := [path for path in bench.leftovers(workspace)]:
            bench.fail("left over", what, "\n".join(left))
        check = bench.run(["check"], workspace)
        if check.returncode != 0:
            bench.fail("damaged", what, check.stdout)

    bench.each(plan, torture)
    bench.line("review under load", 2 * kills, before)
