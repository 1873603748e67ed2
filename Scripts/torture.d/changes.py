"""Changes to workspaces and images beside kills: two processes, other places, other images, other clocks."""
import json, os, shutil, subprocess

from bench import png, tree

TRAIN = ["train", "--steps", "20", "--references", "2"]


def together(bench):
    """Two first imports into one new workspace, one of which fails."""
    bad = bench.write("bad.csv", "path,label\nnone.jpg,a\n")
    for attempt in range(5):
        workspace = bench.path(f"together{attempt}")
        pair = [start(bench, ["import", source], workspace) for source in (bad, bench.photos)]
        codes = [process.wait() for process in pair]
        status = bench.run(["status", "--json"], workspace)
        if codes[1] != 0 or json.loads(status.stdout or "{}").get("images") != len(tree(bench.photos)):
            bench.fail("lost", "two first imports at once", f"{codes} {status.stdout[:200]}{status.stderr}")


def start(bench, arguments, workspace):
    return subprocess.Popen([bench.binary, *arguments, "--workspace", workspace], stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL, env=bench.environment())


def two(bench, base):
    """A stage twice at once, and a verdict beside it."""
    plain = bench.copy(base, "whole")
    for arguments in (["verify", "import", bench.other], TRAIN, ["score"]):
        bench.must(arguments, plain)
    expected = bench.state(plain)
    for _ in range(3):
        workspace = bench.copy(base)
        bench.must(["verify", "import", bench.other], workspace)
        codes = [p.wait() for p in [start(bench, TRAIN, workspace) for _ in range(2)]]
        if 0 not in codes or any(code not in (0, 74, 75) for code in codes):
            bench.fail("status", f"two trainings at once: {codes}")
        bench.must(["score"], workspace)
        bench.compare("two trainings at once", workspace, expected)


def read_only(bench, base):
    """Read from a read-only mount, where this user may mount."""
    place = bench.copy(base)
    script = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@" --workspace "$0"'
    for arguments in (["status"], ["check"], ["export", "scores", "--out", "-"]):
        done = subprocess.run(["unshare", "-m", "sh", "-c", script, place, bench.binary, *arguments],
                              capture_output=True, text=True, env=bench.environment())
        if "unshare" in done.stderr or "mount:" in done.stderr:
            return print("read-only: not tried, as this user may not mount", flush=True)
        if done.returncode != 0:
            bench.fail("refused", f"read-only: {arguments[0]}", done.stderr)


def moved(bench, base):
    expected = bench.state(base)
    workspace = bench.path("moved")
    shutil.copytree(base, workspace)
    bench.compare("a moved workspace", workspace, expected)
    for arguments in (["embed"], TRAIN, ["score"]):
        done = bench.run([*arguments, "--json"], workspace)
        again = json.loads(done.stdout or "{}")
        if done.returncode != 0 or again.get("embedded", 0) or again.get("reused") is False:
            bench.fail("different", f"a moved workspace: {arguments[0]}", done.stdout + done.stderr)
    shutil.rmtree(workspace)


def images(bench, base):
    """Moved, changed, unreachable and vanished images cost only what changed."""
    workspace, elsewhere = bench.copy(base), bench.path("elsewhere")
    def embedded(what, expected, status=0):
        done = bench.run(["embed", "--json"], workspace)
        found = json.loads(done.stdout or "{}").get("embedded")
        if done.returncode != status or status == 0 and found != expected:
            bench.fail("different", f"{what}: {found} images embedded, status {done.returncode}", done.stderr)
    before = bench.state(workspace)
    os.rename(bench.photos, elsewhere)
    embedded("images on a drive that is not mounted", 0)
    if bench.state(workspace)["files"] != before["files"]:
        bench.fail("lost", "images on a drive that is not mounted")
    bench.must(["relocate", bench.photos, elsewhere], workspace)
    embedded("images that were moved", 0)
    png(f"{elsewhere}/class0/3.png", 77)
    embedded("an image that was replaced", 1)
    os.unlink(f"{elsewhere}/class0/4.png")
    bench.must(["import", "--update", elsewhere], workspace)
    embedded("an image that vanished", 0)
    png(f"{elsewhere}/class0/4.png", 4)
    bench.must(["import", "--update", elsewhere], workspace)
    embedded("an image that came back", 0)
    os.rename(elsewhere, bench.photos)
    png(f"{bench.photos}/class0/3.png", 3)


def clock(bench, base):
    """Answers that come while the clock is a day behind count as the last, and stages see them."""
    def run(env):
        workspace = bench.copy(base)
        for arguments in (["verify", "import", bench.other], TRAIN, ["score"]):
            bench.must(arguments, workspace, env)
        return bench.state(workspace), workspace
    expected, _ = run({})
    found, workspace = run(bench.shimmed(clock=-86_400))
    if found != expected:
        bench.fail("different", "a clock that was set back", f"{expected['status']}\n{found['status']}")
    check = bench.run(["check"], workspace)
    if check.returncode != 0:
        bench.fail("damaged", "a clock that was set back", check.stdout)


def torment(bench, base):
    before = len(bench.failures)
    for change in (two, read_only, moved, images, clock):
        change(bench, base)
    together(bench)
    bench.line("two processes, read-only, moved, changed, vanished, clock set back", 0, before)
