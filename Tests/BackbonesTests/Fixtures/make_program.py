"""Writes program.pt, a small vision transformer of timm as a TorchScript program, and program.safetensors, what it makes of an
image. Made with torch 2.13, whose programs call an operator for attention that libtorch 1.13 does not have.

    python make_program.py
"""
import json
import pathlib
import warnings

import numpy as np
import timm
import torch
from safetensors.torch import save_file

from formulas import made, pixels

warnings.simplefilter("ignore")
folder = pathlib.Path(__file__).parent
mean, deviation = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
model = timm.models.vision_transformer.VisionTransformer(
    img_size=32, patch_size=8, embed_dim=32, depth=1, num_heads=2, num_classes=0, mlp_ratio=2).eval()
model.load_state_dict({name: made(name, tuple(tensor.shape)) for name, tensor in model.state_dict().items()})
values = torch.from_numpy((pixels(32).astype(np.float64) / 255 - mean) / deviation).float().permute(2, 0, 1)[None]
with torch.no_grad():
    program = torch.jit.trace(model, torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0)))
    about = {"name": "small", "size": 32, "mean": mean, "deviation": deviation}
    torch.jit.save(program, str(folder / "program.pt"), _extra_files={"cleannet.json": json.dumps(about)})
    save_file({"features": model(values)[0].contiguous()}, folder / "program.safetensors")
assert "scaled_dot_product_attention" in str(program.inlined_graph)
