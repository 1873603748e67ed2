"""Writes expected.safetensors: what PyTorch makes of an image by each network, with weights made by a formula.

Needs torch, torchvision, timm and numpy. ResNets are torchvision's. The EfficientNet-Lites are written out below from the
paper's table and the release's rules, without a look at the Swift: channels and repeats of each are listed as numbers. timm's Lites, under their own names
of tensors and so with other weights, are a second opinion.

The formulas are in formulas.py.
"""
import json
import pathlib
import struct

import numpy as np
import timm
import torch
import torch.nn.functional as F
import torchvision
from torch import nn

from formulas import made, pixels

CLASSES = 10


class SameConv(nn.Conv2d):
    """TensorFlow's SAME padding."""

    def forward(self, x):
        pads = []
        for size in (x.shape[3], x.shape[2]):
            k, s = self.kernel_size[0], self.stride[0]
            total = max((-(-size // s) - 1) * s + k - size, 0)
            pads += [total // 2, total - total // 2]
        return super().forward(F.pad(x, pads))


class LiteBlock(nn.Module):
    def __init__(self, i, o, k, s, widen):
        super().__init__()
        m = i * widen
        if widen > 1:
            self._expand_conv = SameConv(i, m, 1, bias=False)
            self._bn0 = nn.BatchNorm2d(m, eps=1e-3)
        self._depthwise_conv = SameConv(m, m, k, s, groups=m, bias=False)
        self._bn1 = nn.BatchNorm2d(m, eps=1e-3)
        self._project_conv = SameConv(m, o, 1, bias=False)
        self._bn2 = nn.BatchNorm2d(o, eps=1e-3)
        self.widen, self.skip = widen > 1, s == 1 and i == o

    def forward(self, x):
        y = x
        if self.widen:
            y = F.relu6(self._bn0(self._expand_conv(y)))
        y = F.relu6(self._bn1(self._depthwise_conv(y)))
        y = self._bn2(self._project_conv(y))
        return x + y if self.skip else y


class Lite(nn.Module):
    def __init__(self, channels, repeats):
        super().__init__()
        self._conv_stem = SameConv(3, 32, 3, 2, bias=False)
        self._bn0 = nn.BatchNorm2d(32, eps=1e-3)
        kernels, strides = [3, 3, 5, 3, 5, 5, 3], [1, 2, 2, 2, 1, 2, 1]
        blocks, last = [], 32
        for stage in range(7):
            for place in range(repeats[stage]):
                blocks.append(LiteBlock(last, channels[stage], kernels[stage],
                                        strides[stage] if place == 0 else 1, 1 if stage == 0 else 6))
                last = channels[stage]
        self._blocks = nn.Sequential(*blocks)
        self._conv_head = SameConv(last, 1280, 1, bias=False)
        self._bn1 = nn.BatchNorm2d(1280, eps=1e-3)
        self._fc = nn.Linear(1280, CLASSES)

    def forward(self, x):
        x = F.relu6(self._bn0(self._conv_stem(x)))
        return F.relu6(self._bn1(self._conv_head(self._blocks(x)))).mean((2, 3))


NETWORKS = {
    "efficientnet-lite0": lambda: Lite([16, 24, 40, 80, 112, 192, 320], [1, 2, 2, 3, 3, 4, 1]),
    "efficientnet-lite1": lambda: Lite([16, 24, 40, 80, 112, 192, 320], [1, 3, 3, 4, 4, 5, 1]),
    "efficientnet-lite2": lambda: Lite([16, 24, 48, 88, 120, 208, 352], [1, 3, 3, 4, 4, 5, 1]),
    "timm.efficientnet-lite0": lambda: timm.create_model("tf_efficientnet_lite0", num_classes=CLASSES),
    "timm.efficientnet-lite2": lambda: timm.create_model("tf_efficientnet_lite2", num_classes=CLASSES),
    "resnet18": lambda: torchvision.models.resnet18(num_classes=CLASSES),
    "resnet34": lambda: torchvision.models.resnet34(num_classes=CLASSES),
    "resnet50": lambda: torchvision.models.resnet50(num_classes=CLASSES),
    "resnet101": lambda: torchvision.models.resnet101(num_classes=CLASSES),
}
# An odd size goes through odd and even maps, so that both paddings of a stride of 2 occur.
SIZES = {"efficientnet-lite0": [64, 75], "efficientnet-lite2": [64, 75], "resnet18": [64, 75], "resnet50": [64, 75]}


def run(kind, size):
    model = NETWORKS[kind]().eval()
    state = {name: made(name, tuple(tensor.shape)) for name, tensor in model.state_dict().items()
             if not name.endswith("num_batches_tracked")}
    model.load_state_dict(state, strict=False)
    image = pixels(size).astype(np.float64)
    if kind.startswith("resnet"):
        image = (image / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
        classifier, model.fc = model.fc, nn.Identity()
    else:
        image = (image - 127) / 128
        classifier = model.classifier if kind.startswith("timm") else model._fc
        if kind.startswith("timm"):
            model.classifier = nn.Identity()
    x = torch.from_numpy(image).float().permute(2, 0, 1)[None]
    with torch.no_grad():
        features = model(x)
        return features[0].numpy(), classifier(features)[0].numpy()


def write(path, tensors):
    header, body = {}, b""
    for name, values in tensors.items():
        data = values.astype("<f4").tobytes()
        header[name] = {"dtype": "F32", "shape": list(values.shape), "data_offsets": [len(body), len(body) + len(data)]}
        body += data
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + body)


expected = {}
for kind in NETWORKS:
    for size in SIZES.get(kind, [64]):
        features, logits = run(kind, size)
        expected[f"{kind}.{size}.features"] = features
        expected[f"{kind}.{size}.logits"] = logits
        print(kind, size, "features", features.mean(), features.std(), (features == 0).mean())
write(pathlib.Path(__file__).with_name("expected.safetensors"), expected)
