"""Kills stages at chosen calls and at random moments, and fills their disk."""
import os, shutil, signal, subprocess, time

from bench import tree


class Stage:
    """A verb, what it writes beside the workspace, and what follows before workspaces are compared."""

    def __init__(self, name, arguments, settle=(), out=None):
        self.name, self.verb, self.settle, self.out = name, arguments, settle, out

    def arguments(self, slot):
        return [*self.verb, *(["--out", self.place(slot)] if self.out else [])]

    def place(self, slot):
        return os.path.join(slot, "out", self.out)

    def clear(self, slot):
        shutil.rmtree(os.path.join(slot, "out"), ignore_errors=True)
        os.makedirs(os.path.join(slot, "out"))

    def written(self, slot):
        if not self.out or not os.path.exists(self.place(slot)):
            return None
        return tree(self.place(slot)) if os.path.isdir(self.place(slot)) else open(self.place(slot), "rb").read()


def moments(bench, stage, calls, seconds):
    """Calls to be killed at, and as many random moments; more of these where a stage makes few calls. Then full disks."""
    kills = bench.options.kills
    at = sorted(bench.random.sample(range(1, calls + 1), min(calls, kills))) if calls else []
    waits = [bench.random.uniform(0, seconds) for _ in range(2 * kills - len(at))]
    full = at[:: max(1, len(at) // 5)]
    return ([(f"{stage.name}, killed at call {call} of {calls}", {"kill_at": call}, None) for call in at]
            + [(f"{stage.name}, killed after {wait:.3f} s of {seconds:.3f}", {}, wait) for wait in waits]
            + [(f"{stage.name}, disk full from call {call}", {"full_at": call}, None) for call in full])


def torment(bench, stage, base):
    """200 kills, say, of one stage. The base then holds what the stage made."""
    before, whole, slot = len(bench.failures), bench.copy(base, "whole"), bench.path("first")
    counter, log = bench.path("count"), bench.path("log")
    if os.path.exists(counter):
        os.unlink(counter)
    stage.clear(slot)
    bench.must(stage.arguments(slot), whole, bench.shimmed(count=counter, log=log))
    flushed(bench, stage, log)
    calls = int(open(counter).read()) if os.path.exists(counter) else 0
    # How long it takes without the log, now that its files are in memory.
    again = bench.copy(base, "again")
    stage.clear(slot)
    start = time.time()
    bench.must(stage.arguments(slot), again)
    seconds = time.time() - start
    made = shutil.copytree(whole, bench.path("made"))
    for arguments in stage.settle:
        bench.must(arguments, whole)
    expected = bench.state(whole), stage.written(slot)

    def torture(moment, slot):
        what, variables, wait = moment
        workspace = bench.copy(base, os.path.join(slot, "workspace"))
        stage.clear(slot)
        if wait is None:
            done = bench.run(stage.arguments(slot), workspace, bench.shimmed(**variables))
            if "full_at" in variables and done.returncode not in (0, 73, 74):
                bench.fail("status", f"{what}: {done.returncode}", done.stderr)
        else:
            kill(bench, stage.arguments(slot), workspace, wait)
        resume(bench, what, stage, workspace, slot, expected)

    bench.each(moments(bench, stage, calls, seconds), torture)
    bench.line(f"{stage.name} ({calls} calls)", 2 * bench.options.kills, before)
    shutil.rmtree(base, ignore_errors=True)
    os.rename(made, base)


def flushed(bench, stage, log):
    """Whether whatever was given its name lay on the disk before, and its folder's entry soon after."""
    if not os.path.exists(log):
        return
    lines = [line.rstrip("\n").split("\t") for line in open(log)]
    real = os.path.realpath
    for place, (what, source, target) in enumerate(lines):
        if what != "renamed":
            continue
        before = [line for line in lines[:place] if line[0] == "all" or line[0] == "flushed" and real(line[1]) == real(source)]
        folder = os.path.dirname(real(target))
        after = [line for line in lines[place:] if line[0] == "all" or line[0] == "flushed" and real(line[1]) == folder]
        if not before or not after:
            bench.fail("not flushed", f"{stage.name}: {target}", "its bytes" if not before else "its folder")
    os.unlink(log)


def kill(bench, arguments, workspace, wait):
    process = subprocess.Popen([bench.binary, *arguments, "--workspace", workspace], stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, env=bench.environment())
    time.sleep(wait)
    process.send_signal(signal.SIGKILL)
    process.wait()


def resume(bench, what, stage, workspace, slot, expected):
    """Runs the stage to its end and compares."""
    state, written = expected
    # Data sets are never written over: one that is there must be whole.
    if not (stage.out and "dataset" in stage.verb and stage.written(slot) == written):
        for arguments in [stage.arguments(slot), *stage.settle]:
            again = bench.run(arguments, workspace)
            if again.returncode != 0:
                return bench.fail("refused", what, f"{again.returncode}: {again.stderr}")
    bench.compare(what, workspace, state)
    if stage.out:
        if stage.written(slot) != written:
            bench.fail("different", f"{what}: {stage.out}")
        if left := bench.leftovers(os.path.join(slot, "out")):
            bench.fail("left over", what, "\n".join(left))
