"""Writes pixels and reference features for ReferenceTests: make_reference.py DATA COUNT OUT.safetensors

DATA is a folder with CIFAR-10 images (images_png.tar), labels.csv, and EfficientNet-Lite0 features of the images at
160×160 pixels, resized bicubically by Pillow (features_effnetlite0_160px_train.npy, rows in the order of labels.csv).
COUNT images are taken, spread over all. Needs numpy and Pillow. Then:

    CLEANNET_REFERENCE=OUT.safetensors CLEANNET_WEIGHTS=efficientnet-lite0.pth swift test --filter ReferenceTests
"""
import csv
import io
import json
import pathlib
import struct
import sys
import tarfile

import numpy as np
from PIL import Image

data, count, out = pathlib.Path(sys.argv[1]), int(sys.argv[2]), pathlib.Path(sys.argv[3])
files = [row["file"] for row in csv.DictReader(open(data / "labels.csv"))]
features = np.load(data / "features_effnetlite0_160px_train.npy", mmap_mode="r")
rows = np.linspace(0, len(features) - 1, count).astype(int)
pixels = np.empty((count, 160, 160, 3), np.uint8)
with tarfile.open(data / "images_png.tar") as tar:
    members = {name: member for member in tar.getmembers() for name in [member.name.removeprefix("./")]}
    for place, row in enumerate(rows):
        name = next(m for n, m in members.items() if n.endswith(files[row]))
        image = Image.open(io.BytesIO(tar.extractfile(name).read())).convert("RGB")
        pixels[place] = np.asarray(image.resize((160, 160), Image.BICUBIC))
expected = np.ascontiguousarray(features[rows]).astype("<f2")
header = {
    "pixels": {"dtype": "U8", "shape": list(pixels.shape), "data_offsets": [0, pixels.nbytes]},
    "features": {"dtype": "F16", "shape": list(expected.shape),
                 "data_offsets": [pixels.nbytes, pixels.nbytes + expected.nbytes]},
}
text = json.dumps(header).encode()
text += b" " * (-len(text) % 8)
out.write_bytes(struct.pack("<Q", len(text)) + text + pixels.tobytes() + expected.tobytes())
