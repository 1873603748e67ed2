"""Writes expected.safetensors beside this script, from the format's description alone (struct and json).

Entries stand in the order given, data by falling element size, as CleanNet lays them out.
"""

import json
import pathlib
import struct

TENSORS = [
    ("flag", "BOOL", [3], struct.pack("<3B", 1, 0, 1)),
    ("weight", "F32", [2, 2], struct.pack("<4f", 0.5, -1.25, 3.0, 1e-3)),
    ("half", "F16", [2], struct.pack("<2e", 0.5, -2.0)),
    ("count", "I64", [], struct.pack("<q", 7)),
    ("größe \"quoted\"\\\n\u0001/", "U8", [1, 2], bytes([9, 10])),
    ("empty", "F32", [0, 5], b""),
    ("double", "F64", [1], struct.pack("<d", 1 / 3)),
]
METADATA = {"format": "pt", "author": "Zoë \U0001F41F\t", "a": ""}
SIZES = {"F64": 8, "I64": 8, "F32": 4, "F16": 2, "U8": 1, "BOOL": 1}

order = sorted(range(len(TENSORS)), key=lambda index: (-SIZES[TENSORS[index][1]], index))
places, end = {}, 0
for index in order:
    places[index] = [end, end + len(TENSORS[index][3])]
    end = places[index][1]
header = {"__metadata__": dict(sorted(METADATA.items()))}
for index, (name, dtype, shape, _) in enumerate(TENSORS):
    header[name] = {"dtype": dtype, "shape": shape, "data_offsets": places[index]}
text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
text += b" " * (-len(text) % 8)
path = pathlib.Path(__file__).resolve().parent / "expected.safetensors"
path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(TENSORS[index][3] for index in order))
