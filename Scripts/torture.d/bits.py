"""One bit flipped in each kind of file: told, or without effect; never silent, never a crash."""
import collections, os, re


def kind(path):
    """The kind of a file: its folder and name, without keys and numbers."""
    return re.sub(r"[0-9a-f]{12,}|\d+", "#", path)


def outcome(bench, workspace, slot):
    """Uses the files again; then another training and more verdicts read features, labels and neighbors."""
    export, predicted = (os.path.join(slot, name) for name in ("scores.csv", "predicted.csv"))
    for path in (export, predicted):
        if os.path.exists(path):
            os.unlink(path)
    train = ["train", "--steps", "20", "--references", "2"]
    steps = [bench.run(arguments, workspace) for arguments in (
        ["embed"], train, ["score"], ["classify", "predict", f"{bench.photos}/class0", "--out", predicted],
        ["report"], ["verify", "import", bench.more], [*train, "--seed", "1"], ["score"],
        ["export", "scores", "--out", export])]
    crashed = [step for step in steps if step.returncode < 0 or step.returncode >= 128]
    told = [step for step in steps if step.returncode != 0 or "damaged" in step.stderr]
    return crashed, told, [open(path).read() if os.path.exists(path) else "" for path in (export, predicted)]


def torment(bench, base):
    whole = bench.copy(base, "whole")
    _, told, expected = outcome(bench, whole, bench.folder)
    if told:
        bench.fail("refused", "bits: a workspace that is whole", told[0].stderr)
    kinds = collections.defaultdict(list)
    for folder, _, names in os.walk(base):
        for name in names:
            path = os.path.relpath(os.path.join(folder, name), base)
            if name != "lock" and os.path.getsize(os.path.join(base, path)) > 0:
                kinds[kind(path)].append(path)
    results = collections.defaultdict(collections.Counter)
    order = sorted(kinds)
    picks = []
    for number in range(bench.options.bits):
        name = order[number % len(order)]
        path = bench.random.choice(kinds[name])
        picks.append((name, path, bench.random.randrange(8 * os.path.getsize(os.path.join(base, path)))))

    def flip(pick, slot):
        name, path, bit = pick
        workspace = bench.copy(base, os.path.join(slot, "workspace"))
        with open(os.path.join(workspace, path), "r+b") as file:
            data = file.read()
            file.seek(bit // 8)
            file.write(bytes([data[bit // 8] ^ 1 << bit % 8]))
        checked = bench.run(["check"], workspace)
        crashed, told, found = outcome(bench, workspace, slot)
        what = f"bit {bit} of {path}"
        if checked.returncode < 0 or checked.returncode >= 128:
            crashed.append(checked)
        if crashed:
            bench.fail("crash", what, f"{crashed[0].args}\n{crashed[0].stderr}")
            return name, "crash"
        if told or checked.returncode != 0:
            return name, "told"
        if found != expected:
            bench.fail("silent", what)
            return name, "silent"
        return name, "without effect"

    for name, result in bench.each(picks, flip):
        results[name][result] += 1
    for name in order:
        bench.table.append(f"bits of {name}: " + ", ".join(f"{n} {what}" for what, n in results[name].items()))
        print(bench.table[-1], flush=True)
