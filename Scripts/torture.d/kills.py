"""Kills stages at chosen calls and at random moments, and fills their disk."""
import os, shutil, signal, subprocess, time

from bench import tree


class Stage:
    """A verb, and what follows before workspaces are compared."""

    def __init__(self, name, arguments, settle=(), out=None):
        self.name, self.arguments, self.settle, self.out = name, arguments, settle, out


def moments(bench, calls):
    kills = min(calls, bench.options.kills)
    return sorted(bench.random.sample(range(1, calls + 1), kills)) if calls else []


def torment(bench, stage, base):
    """200 kills, say, of one stage. The base then holds what the stage made."""
    before, whole = len(bench.failures), bench.copy(base, "whole")
    counter = bench.path("count")
    if os.path.exists(counter):
        os.unlink(counter)
    clear(stage)
    start = time.time()
    log = bench.path("log")
    bench.must(stage.arguments, whole, bench.shimmed(count=counter, log=log))
    flushed(bench, stage, log)
    seconds = time.time() - start
    calls = int(open(counter).read()) if os.path.exists(counter) else 0
    made = shutil.copytree(whole, bench.path("made"))
    for arguments in stage.settle:
        bench.must(arguments, whole)
    expected = bench.state(whole), out(stage)
    at = moments(bench, calls)
    for index in range(2 * len(at)):
        workspace = bench.copy(base)
        clear(stage)
        if index < len(at):
            what = f"{stage.name}, killed at call {at[index]} of {calls}"
            bench.run(stage.arguments, workspace, bench.shimmed(kill_at=at[index]))
        else:
            wait = bench.random.uniform(0, seconds)
            what = f"{stage.name}, killed after {wait:.3f} s of {seconds:.3f}"
            kill(bench, stage.arguments, workspace, wait)
        resume(bench, what, stage, workspace, expected)
    for moment in at[:: max(1, len(at) // 5)]:
        workspace = bench.copy(base)
        clear(stage)
        full = bench.run(stage.arguments, workspace, bench.shimmed(full_at=moment))
        what = f"{stage.name}, disk full from call {moment}"
        if full.returncode not in (0, 73, 74):
            bench.fail("status", f"{what}: {full.returncode}", full.stderr)
        resume(bench, what, stage, workspace, expected)
    bench.line(f"{stage.name} ({calls} calls)", 2 * len(at), before)
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


def clear(stage):
    if stage.out and os.path.isdir(stage.out):
        shutil.rmtree(stage.out)
    elif stage.out and os.path.exists(stage.out):
        os.unlink(stage.out)


def out(stage):
    if not stage.out or not os.path.exists(stage.out):
        return None
    return tree(stage.out) if os.path.isdir(stage.out) else open(stage.out, "rb").read()


def kill(bench, arguments, workspace, wait):
    process = subprocess.Popen([bench.binary, *arguments, "--workspace", workspace], stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, env=bench.environment())
    time.sleep(wait)
    process.send_signal(signal.SIGKILL)
    process.wait()


def resume(bench, what, stage, workspace, expected):
    """Runs the stage to its end and compares."""
    state, written = expected
    # Data sets are never written over: one that is there must be whole.
    if not (stage.out and "dataset" in stage.arguments and out(stage) == written):
        for arguments in [stage.arguments, *stage.settle]:
            again = bench.run(arguments, workspace)
            if again.returncode != 0:
                return bench.fail("refused", what, f"{again.returncode}: {again.stderr}")
    bench.compare(what, workspace, state)
    if stage.out:
        if out(stage) != written:
            bench.fail("different", f"{what}: {stage.out}")
        if left := bench.leftovers(os.path.dirname(stage.out)):
            bench.fail("left over", what, "\n".join(left))
            for path in left:
                shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path)
