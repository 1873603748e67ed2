"""Writes the PyTorch fixtures beside this script, and expected.json with what is in them.

Run with a Python that has PyTorch (made with 1.13.1): python3 make_fixtures.py
"""

import collections
import json
import pathlib
import zipfile

import torch

HERE = pathlib.Path(__file__).resolve().parent
NAMES = {torch.float64: "float64", torch.float32: "float32", torch.float16: "float16",
         torch.bfloat16: "bfloat16", torch.int64: "int64", torch.int32: "int32", torch.int16: "int16",
         torch.int8: "int8", torch.uint8: "uint8", torch.bool: "bool"}


def state_dict():
    """Every element type, and every way in which tensors lie in storages."""
    torch.manual_seed(7)
    base = torch.arange(24, dtype=torch.float32)
    state = collections.OrderedDict()
    state["scalar"] = torch.tensor(2.5)
    state["empty"] = torch.zeros(0, 3)
    state["transposed"] = torch.arange(6.0).reshape(2, 3).t()
    state["channels_last"] = torch.arange(48.0).reshape(2, 3, 2, 4).to(memory_format=torch.channels_last)
    state["every_other"] = base[4:20:2]
    state["shared"] = base.reshape(4, 6)
    state["shared_window"] = base.reshape(4, 6)[1:3, 2:5]
    state["parameter"] = torch.nn.Parameter(torch.randn(2, 2))
    state["double"] = torch.tensor([1 / 3, -1e-300], dtype=torch.float64)
    state["half"] = torch.tensor([0.1, -65504.0, 6e-8, float("inf")]).half()
    state["brain"] = torch.tensor([0.1, 3e38, -1.0]).bfloat16()
    state["long"] = torch.tensor([-1, 2 ** 40])
    state["int"] = torch.tensor([-2, 2 ** 30], dtype=torch.int32)
    state["short"] = torch.tensor([-3, 300], dtype=torch.int16)
    state["char"] = torch.tensor([-4, 127], dtype=torch.int8)
    state["byte"] = torch.tensor([5, 255], dtype=torch.uint8)
    state["bool"] = torch.tensor([True, False, True])
    return state


def model():
    torch.manual_seed(11)
    layers = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3, bias=False), torch.nn.BatchNorm2d(2))
    layers(torch.randn(2, 1, 4, 4))  # fills the running statistics and num_batches_tracked
    return layers


def training():
    """A file as training programs save it: weights deep inside, an optimizer's state beside them."""
    wrapped = collections.OrderedDict(("module." + name, value) for name, value in model().state_dict().items())
    parameters = [torch.nn.Parameter(torch.ones(2))]
    optimizer = torch.optim.SGD(parameters, lr=0.1, momentum=0.9)
    parameters[0].sum().backward()
    optimizer.step()
    return {"epoch": 3, "best": 0.75, "arch": "tiny", "ema": False, "none": None,
            "big": -2 ** 40, "state_dict": wrapped, "optimizer": optimizer.state_dict()}


def nested():
    """No conventional key, so flattened."""
    return {"encoder": {"weight": torch.ones(2), "layers": [torch.zeros(1), torch.full((1,), 2.0)]},
            "decoder": {0: torch.full((1,), 3.0)}, "step": 5}


def described(tensors):
    """Name, type, shape and the bytes in C order, in hexadecimal."""
    return [{"name": name, "dtype": NAMES[tensor.dtype], "shape": list(tensor.shape),
             "bytes": bytes(tensor.detach().contiguous().reshape(-1).view(torch.uint8).tolist()).hex()
             if tensor.dim() and tensor.numel() else
             bytes(tensor.detach().reshape(1).view(torch.uint8).tolist()).hex() if tensor.numel() else ""}
            for name, tensor in tensors]


class Hostile:
    """A pickle that would run a command."""

    def __reduce__(self):
        import os
        return os.system, ("true",)


def main():
    inner = nested()
    cases = {
        "types": (state_dict(), list(state_dict().items()), {}),
        "model": (model().state_dict(), list(model().state_dict().items()), {}),
        "training": (training(), list(training()["state_dict"].items()),
                     {"epoch": "3", "best": "0.75", "arch": "tiny", "ema": "false", "big": str(-2 ** 40)}),
        "nested": (inner, [("encoder.weight", inner["encoder"]["weight"]),
                           ("encoder.layers.0", inner["encoder"]["layers"][0]),
                           ("encoder.layers.1", inner["encoder"]["layers"][1]),
                           ("decoder.0", inner["decoder"][0])], {"step": "5"}),
    }
    expected = {}
    for name, (value, tensors, metadata) in cases.items():
        torch.save(value, HERE / f"{name}.zip.pt")
        torch.save(value, HERE / f"{name}.legacy.pth", _use_new_zipfile_serialization=False)
        expected[name] = {"tensors": described(tensors), "metadata": metadata}
    torch.save(nested(), HERE / "nested.protocol4.pt", pickle_protocol=4)
    torch.save(nested(), HERE / "nested.protocol4.pth", pickle_protocol=4, _use_new_zipfile_serialization=False)
    (HERE / "expected.json").write_text(json.dumps(expected, indent=0) + "\n")

    for suffix, zipped in (("pt", True), ("pth", False)):
        torch.save({"weight": torch.ones(1), "trap": Hostile()}, HERE / f"hostile.{suffix}",
                   _use_new_zipfile_serialization=zipped)
    torch.save(torch.nn.Linear(1, 1), HERE / "whole_model.pt")
    torch.save({"expanded": torch.ones(1).expand(1000, 1000)}, HERE / "expanded.pt")
    torch.jit.script(torch.nn.Linear(1, 1)).save(str(HERE / "torchscript.pt"))
    with zipfile.ZipFile(HERE / "nested.zip.pt") as plain, \
            zipfile.ZipFile(HERE / "compressed.pt", "w", zipfile.ZIP_DEFLATED) as packed:
        for name in plain.namelist():
            packed.writestr(zipfile.ZipInfo(name), plain.read(name), zipfile.ZIP_DEFLATED)


main()
