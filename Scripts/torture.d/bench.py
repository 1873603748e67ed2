"""Workspaces to be tormented: runs the program, compares what workspaces hold, and counts what is wrong."""
import collections, concurrent.futures, http.server, json, os, queue, random, shutil, struct, subprocess, sys, tempfile, threading, zlib

HERE = os.path.dirname(os.path.abspath(__file__))


def png(path, seed, side=48):
    """A picture of coloured noise: valid, small, and unlike the others."""
    rng = random.Random(seed)
    base = [rng.randrange(256) for _ in range(3)]
    rows = b"".join(
        b"\0" + bytes((b + rng.randrange(40)) % 256 for _ in range(side) for b in base) for _ in range(side))
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
                   + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def tree(folder, skip=lambda name: False):
    """Path below the folder → checksum."""
    files = {}
    for parent, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(parent, name)
            if not skip(name):
                with open(path, "rb") as file:
                    files[os.path.relpath(path, folder)] = zlib.crc32(file.read())
    return files


class Pictures:
    """A server of the photos, which has some of them only later."""

    def __init__(self, folder):
        self.folder, self.late = folder, set()
        outer = self
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                path = outer.folder + self.path
                if self.path in outer.late or not os.path.exists(path):
                    self.send_error(404)
                    return
                data = open(path, "rb").read()
                self.send_response(200)
                self.send_header("Content-Type", "image/png")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)
            def log_message(self, *_):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        # Programs that are killed hang up.
        self.server.handle_error = lambda *_: None
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.address = f"http://127.0.0.1:{self.server.server_port}"


class Bench:
    def __init__(self, options):
        self.binary = os.path.abspath(options.binary)
        self.options = options
        self.random = random.Random(options.seed)
        # In memory, where there is room: a kill loses nothing that was written, so disks only make it slow.
        free = os.statvfs("/dev/shm") if os.access("/dev/shm", os.W_OK) else None
        memory = "/dev/shm" if free and free.f_bavail * free.f_frsize > 2 << 30 else None
        self.folder = tempfile.mkdtemp(prefix="cleannet-torture.", dir=options.folder or memory)
        self.shim = self.path("killer.so")
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", self.shim, os.path.join(HERE, "killer.c"), "-ldl"], check=True)
        self.failures = []
        self.table = []
        self.photos = self.path("photos")
        for label in range(3):
            os.makedirs(f"{self.photos}/class{label}")
            for number in range(options.images):
                png(f"{self.photos}/class{label}/{number}.png", label * 1000 + number)
        self.keys = sorted(tree(self.photos))
        self.verdicts = self.write("verdicts.csv", "key,verification\n" + "".join(
            f"class{label}/{number}.png,{int(number % 3 > 0)}\n" for label in range(2) for number in range(8)))
        self.more = self.write("more.csv", "key,verification\nclass2/1.png,1\nclass2/2.png,0\nclass2/3.png,1\n")
        self.other = self.write("other.csv", "key,verification\nclass0/1.png,0\nclass0/3.png,1\nclass2/4.png,1\n")

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w") as file:
            file.write(text)
        return self.path(name)

    def environment(self, extra=None):
        return {**os.environ, "SWIFT_BACKTRACE": "enable=no", **(extra or {})}

    def shimmed(self, **variables):
        return {"LD_PRELOAD": self.shim, **{f"TORTURE_{name.upper()}": str(value) for name, value in variables.items()}}

    def run(self, arguments, workspace, env=None, timeout=900):
        return subprocess.run([self.binary, *arguments, "--workspace", workspace], capture_output=True, text=True,
                              env=self.environment(env), timeout=timeout)

    def must(self, arguments, workspace, env=None):
        done = self.run(arguments, workspace, env)
        if done.returncode != 0:
            sys.exit(f"{' '.join(arguments)} does not run: {done.stderr}")
        return done

    def each(self, items, body):
        """Calls body(item, slot) for each item, some side by side; a slot is a folder that no other call has at the time."""
        slots = queue.SimpleQueue()
        for number in range(self.options.jobs):
            slots.put(self.path(f"slot{number}"))
            os.makedirs(self.path(f"slot{number}"), exist_ok=True)
        def call(item):
            slot = slots.get()
            try:
                return body(item, slot)
            finally:
                slots.put(slot)
        with concurrent.futures.ThreadPoolExecutor(self.options.jobs) as pool:
            return list(pool.map(call, items))

    def copy(self, source, name="workspace"):
        """A fresh copy of a workspace, or its absence."""
        target = self.path(name)
        shutil.rmtree(target, ignore_errors=True)
        if os.path.exists(source):
            shutil.copytree(source, target)
        return target

    def state(self, workspace):
        """The contents of a workspace, without dates and durations, which differ from run to run."""
        def plain(value):
            if isinstance(value, dict):
                return {k: plain(v) for k, v in value.items() if k not in ("date", "seconds", "reused", "path")}
            return [plain(v) for v in value] if isinstance(value, list) else value
        status = self.run(["status", "--json", "--problems"], workspace)
        def skip(name):
            return name in ("log.jsonl", "downloads.jsonl", "neighbors.safetensors") or name.startswith(".")
        files = {}
        for part in ("features", "models", "scores", "downloads"):
            files.update({f"{part}/{k}": v for k, v in tree(os.path.join(workspace, part), skip).items()})
        return {"status": plain(json.loads(status.stdout or "null")), "files": files}

    def leftovers(self, folder):
        found = []
        for parent, folders, names in os.walk(folder):
            found += [os.path.join(parent, name) for name in folders + names
                      if name.startswith(".") or name.startswith("checkpoint-") or name.endswith(".part")
                      or name == "state.safetensors"]
        return found

    def fail(self, kind, what, detail=""):
        """kind: refused, different, left over, lost, damaged, silent, crash, status"""
        self.failures.append(kind)
        print(f"FOUND: {what}: {kind}\n{detail.strip()[:800]}", flush=True)

    def compare(self, what, workspace, expected):
        if (found := self.state(workspace)) != expected:
            lines = [f"{k}: {expected['files'].get(k)} → {found['files'].get(k)}"
                     for k in sorted(set(expected["files"]) | set(found["files"]))
                     if expected["files"].get(k) != found["files"].get(k)]
            self.fail("different", what, "\n".join(lines) or f"{expected['status']}\n{found['status']}")
        if left := self.leftovers(workspace):
            self.fail("left over", what, "\n".join(left))
        check = self.run(["check"], workspace)
        if check.returncode != 0:
            self.fail("damaged", what, check.stdout)

    def line(self, name, kills, before):
        """A stage's row of the table."""
        found = collections.Counter(self.failures[before:])
        text = ", ".join(f"{found.pop(kind, 0)} {kind}" for kind in ("lost", "different", "left over", "refused"))
        rest = "".join(f", {count} {kind}" for kind, count in found.items())
        self.table.append(f"{name}: {kills} kills, {text}{rest}")
        print(self.table[-1], flush=True)
