"""Writes networks.safetensors: what timm, transformers, open_clip and torchvision make of an image by small networks of each
family, with weights made by a formula (formulas.py).

    python make_networks.py

Needs torch, torchvision, timm, transformers, open_clip_torch, safetensors and numpy; made with torch 2.13, timm 1.0.31,
transformers 5.24, open_clip 3.3. For each file the names and shapes of its tensors are kept, as the library saves them; the
test makes the weights again. torch.hub's networks are timm's under torch.hub's names.
"""
import json
import pathlib
import struct
import tempfile

import numpy as np
import open_clip
import timm
import torch
import torch.nn.functional as F
import torchvision
import transformers as hf
from safetensors.torch import load_file, save_file
from timm.layers import resample_abs_pos_embed

from formulas import made, pixels

IMAGENET = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
CLIP = [0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]
CENTERED = [0.5] * 3, [0.5] * 3

files, cases, features = {}, [], {}


def image(size, normalization):
    mean, deviation = normalization
    values = (pixels(size).astype(np.float64) / 255 - mean) / deviation
    return torch.from_numpy(values).float().permute(2, 0, 1)[None]


def filled(state):
    return {name: made(name, tuple(tensor.shape)) for name, tensor in state.items()}


def note(file, state):
    files[file] = [[name, list(tensor.shape)] for name, tensor in state.items()]


def case(file, size, pool, result):
    name = f"{file}.{size}.{pool}"
    cases.append({"file": file, "size": size, "pool": pool, "features": name})
    features[name] = result.detach()[0].float().numpy()
    print(f"{name:48s}", tuple(features[name].shape), float(features[name].std()))


def pools(file, size, tokens, prefix):
    """Class token, mean and both, of normalized tokens."""
    token, mean = tokens[:, 0], tokens[:, prefix:].mean(1)
    case(file, size, "class", token)
    case(file, size, "mean", mean)
    case(file, size, "both", torch.cat([token, mean], 1))


def timm_vit(name, file, normalization, sizes, prefix, rename=None, **options):
    small = dict(embed_dim=128, depth=2, num_heads=2, **options)
    model = timm.create_model(name, pretrained=False, img_size=sizes[0], **small).eval()
    state = filled(model.state_dict())
    note(file, state)
    for size in sizes:
        model = timm.create_model(name, pretrained=False, img_size=size, **small).eval()
        own = dict(state)
        if "pos_embed" in own:
            own["pos_embed"] = resample_abs_pos_embed(
                own["pos_embed"], list(model.patch_embed.grid_size), num_prefix_tokens=own["pos_embed"].shape[1]
                - (sizes[0] // model.patch_embed.patch_size[0]) ** 2)
        model.load_state_dict(own)
        with torch.no_grad():
            tokens = model.forward_features(image(size, normalization))
            if hasattr(model, "attn_pool") and model.attn_pool is not None:
                case(file, size, "class", model.forward_head(tokens, pre_logits=True))
                case(file, size, "mean", tokens.mean(1))
            else:
                pools(file, size, tokens, prefix)
    return state


timm_vit("vit_small_patch14_dinov2", "timm-dinov2", IMAGENET, [70, 56], 1)
timm_vit("vit_small_patch14_reg4_dinov2", "timm-dinov2-reg4", IMAGENET, [70, 84], 5)
timm_vit("vit_giant_patch14_reg4_dinov2", "timm-dinov2-swiglu", IMAGENET, [70], 5, mlp_ratio=2.66667 * 2)
timm_vit("vit_small_patch16_dinov3", "timm-dinov3", IMAGENET, [64, 96], 5)
timm_vit("vit_small_patch16_dinov3_qkvb", "timm-dinov3-qkvb", IMAGENET, [64], 5)
timm_vit("vit_small_plus_patch16_dinov3", "timm-dinov3-gated", IMAGENET, [64], 5)
timm_vit("vit_base_patch16_clip_224", "timm-clip", CLIP, [64], 1)
timm_vit("vit_base_patch16_siglip_224", "timm-siglip", CENTERED, [64, 80], 0)
timm_vit("vit_base_patch16_224", "timm-vit", CENTERED, [64, 48], 1)


def hugging_face(file, model, normalization, size, run):
    """The model, saved and loaded, so that names are those of files."""
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        path = f"{folder}/model.safetensors"
        state = filled(load_file(path))
        note(file, state)
        save_file(state, path, metadata={"format": "pt"})
        loaded = type(model).from_pretrained(folder, attn_implementation="eager").eval()
    with torch.no_grad():
        for one in size if isinstance(size, list) else [size]:
            run(file, one, loaded, image(one, normalization))


def hf_tokens(prefix, **options):
    def run(file, size, model, x):
        pools(file, size, model(x, **options).last_hidden_state, prefix)
    return run


def hf_clip(file, size, model, x):
    inner = model.vision_model
    result = inner(x, interpolate_pos_encoding=size != 64)
    case(file, size, "class", result.pooler_output)
    case(file, size, "mean", inner.post_layernorm(result.last_hidden_state)[:, 1:].mean(1))


def hf_siglip(file, size, model, x):
    result = model(x, interpolate_pos_encoding=size != 64)
    case(file, size, "class", result.pooler_output)
    case(file, size, "mean", result.last_hidden_state.mean(1))


small = dict(hidden_size=128, num_hidden_layers=2, num_attention_heads=2)
wide = dict(small, intermediate_size=256)
dino = dict(small, image_size=70, patch_size=14)
hugging_face("hf-dinov2", hf.Dinov2Model(hf.Dinov2Config(**dino)), IMAGENET, [70, 56], hf_tokens(1))
hugging_face("hf-dinov2-reg4", hf.Dinov2WithRegistersModel(hf.Dinov2WithRegistersConfig(**dino)), IMAGENET, [70, 84],
             hf_tokens(5))
hugging_face("hf-dinov2-swiglu", hf.Dinov2Model(hf.Dinov2Config(**dino, use_swiglu_ffn=True)), IMAGENET, 70, hf_tokens(1))
hugging_face("hf-dinov3", hf.DINOv3ViTModel(hf.DINOv3ViTConfig(**wide, num_register_tokens=4)), IMAGENET, [64, 96],
             hf_tokens(5))
hugging_face("hf-dinov3-gated",
             hf.DINOv3ViTModel(hf.DINOv3ViTConfig(**wide, num_register_tokens=4, use_gated_mlp=True, hidden_act="silu")),
             IMAGENET, 64, hf_tokens(5))
vision = dict(wide, image_size=64, patch_size=16)
hugging_face("hf-clip-vision", hf.CLIPVisionModelWithProjection(hf.CLIPVisionConfig(**vision, projection_dim=32)), CLIP,
             64, hf_clip)
hugging_face("hf-clip", hf.CLIPModel(hf.CLIPConfig(
    vision_config=vision, text_config=dict(wide, vocab_size=50, bos_token_id=1, eos_token_id=2, num_hidden_layers=1),
    projection_dim=32)), CLIP, [64, 80], hf_clip)
hugging_face("hf-siglip", hf.SiglipVisionModel(hf.SiglipVisionConfig(**vision)), CENTERED, [64, 80], hf_siglip)
hugging_face("hf-vit", hf.ViTForImageClassification(hf.ViTConfig(**vision)), CENTERED, 64,
             lambda file, size, model, x: pools(file, size, model.vit(x).last_hidden_state, 1))

# open_clip: the image tower's result before it is projected to the text's space.
for file, options in [("open-clip", {}), ("open-clip-layer-scale", {"ls_init_value": 0.1})]:
    model = open_clip.model.CLIP(
        embed_dim=32, vision_cfg=dict(image_size=64, layers=2, width=128, head_width=64, patch_size=16, **options),
        text_cfg=dict(context_length=8, vocab_size=50, width=64, heads=1, layers=1)).eval()
    state = filled(model.state_dict())
    note(file, state)
    model.load_state_dict(state)
    model.visual.proj = None
    with torch.no_grad():
        case(file, 64, "class", model.visual(image(64, CLIP)))


# torch.hub's DINOv2: timm's names but for one tensor more, and positions resized by a scale of a grid 0.1 larger.
def hub_dinov2():
    options = dict(embed_dim=128, depth=2, num_heads=2)
    model = timm.create_model("vit_small_patch14_dinov2", pretrained=False, img_size=70, **options).eval()
    state = filled(model.state_dict())
    note("hub-dinov2", dict(state, mask_token=torch.zeros(1, 128)))
    for size in [70, 56]:
        model = timm.create_model("vit_small_patch14_dinov2", pretrained=False, img_size=size, **options).eval()
        grid, new = 5, size // 14
        own = dict(state)
        if grid != new:
            token, rest = own["pos_embed"][:, :1], own["pos_embed"][:, 1:]
            scale = (new + 0.1) / grid
            maps = rest.reshape(1, grid, grid, 128).permute(0, 3, 1, 2)
            maps = F.interpolate(maps, scale_factor=(scale, scale), mode="bicubic", antialias=False)
            assert maps.shape[-1] == new
            own["pos_embed"] = torch.cat([token, maps.permute(0, 2, 3, 1).reshape(1, new * new, 128)], 1)
        model.load_state_dict(own)
        with torch.no_grad():
            pools("hub-dinov2", size, model.forward_features(image(size, IMAGENET)), 1)


# torch.hub's DINOv3: biases for queries, keys and values together, and a mask that takes those of keys away.
def hub_dinov3():
    model = timm.create_model("vit_small_plus_patch16_dinov3_qkvb", pretrained=False, img_size=64, embed_dim=128, depth=2,
                              num_heads=2).eval()
    own = {}
    names = {"reg_token": "storage_tokens", "gamma_1": "ls1.gamma", "gamma_2": "ls2.gamma", "mlp.fc1_g": "mlp.w1",
             "mlp.fc1_x": "mlp.w2", "mlp.fc2": "mlp.w3"}
    listed, state = {}, {}
    for name, tensor in model.state_dict().items():
        if name.endswith("q_bias"):
            whole = name.replace("q_bias", "qkv.bias")
            bias = made(whole, (384,))
            listed[whole], listed[whole + "_mask"] = bias, torch.zeros(384)
            state[name], state[name.replace("q_bias", "v_bias")] = bias[:128], bias[256:]
        elif not name.endswith("v_bias"):
            theirs = name
            for old, new in names.items():
                theirs = theirs.replace(old, new)
            listed[theirs] = state[name] = made(theirs, tuple(tensor.shape))
    listed["mask_token"] = torch.zeros(1, 128)
    listed["rope_embed.periods"] = torch.zeros(16)
    note("hub-dinov3", listed)
    missing = model.load_state_dict(state, strict=False)
    assert all(name.endswith("bias") for name in missing.missing_keys), missing
    with torch.no_grad():
        pools("hub-dinov3", 64, model.forward_features(image(64, IMAGENET)), 5)


hub_dinov2()
hub_dinov3()


# ConvNeXt.
def convnext(file, model, run, rename=None):
    names = {name: rename(name) if rename else name for name in model.state_dict()}
    state = {name: made(names[name], tuple(t.shape)) for name, t in model.state_dict().items()}
    note(file, {names[name]: tensor for name, tensor in state.items()})
    model.load_state_dict(state)
    with torch.no_grad():
        case(file, 64, "mean", run(model.eval(), image(64, IMAGENET)))


dims = dict(depths=(1, 2, 1, 1), dims=(16, 32, 48, 64))
timm_head = lambda model, x: model.forward_head(model.forward_features(x), pre_logits=True)
convnext("timm-convnext", timm.create_model("convnext_tiny", num_classes=5, **dims), timm_head)
convnext("timm-convnext-atto", timm.create_model("convnext_atto", num_classes=5, **dims), timm_head)
convnext("timm-convnextv2", timm.create_model("convnextv2_tiny", num_classes=5, **dims), timm_head)
sizes = dict(depths=[1, 2, 1, 1], hidden_sizes=[16, 32, 48, 64])
pooled = lambda file, size, model, x: case(file, size, "mean", model(x).pooler_output)
hugging_face("hf-convnext", hf.ConvNextForImageClassification(hf.ConvNextConfig(**sizes)), IMAGENET, 64,
             lambda file, size, model, x: case(file, size, "mean", model.convnext(x).pooler_output))
hugging_face("hf-convnextv2", hf.ConvNextV2Model(hf.ConvNextV2Config(**sizes)), IMAGENET, 64, pooled)
hugging_face("hf-dinov3-convnext", hf.DINOv3ConvNextModel(hf.DINOv3ConvNextConfig(**sizes)), IMAGENET, 64, pooled)
layers = [torchvision.models.convnext.CNBlockConfig(*row) for row in
          [(16, 32, 1), (32, 48, 2), (48, 64, 1), (64, None, 1)]]
convnext("torchvision-convnext", torchvision.models.ConvNeXt(layers, num_classes=5),
         lambda model, x: model.classifier[1](model.classifier[0](model.avgpool(model.features(x)))))


def authors(name):
    """timm's names as ConvNeXt's authors have them."""
    for old, new in [("stem.", "downsample_layers.0."), ("conv_dw", "dwconv"), ("mlp.fc1", "pwconv1"), ("mlp.fc2", "pwconv2"),
                     ("mlp.grn.weight", "grn.gamma"), ("mlp.grn.bias", "grn.beta"), (".blocks.", "."),
                     ("head.norm", "norm"), ("head.fc", "head")]:
        name = name.replace(old, new)
    if ".downsample." in name:
        stage, rest = name.removeprefix("stages.").split(".downsample.")
        name = f"downsample_layers.{stage}.{rest}"
    return name


convnext("authors-convnextv2", timm.create_model("convnextv2_tiny", num_classes=5, **dims), timm_head, authors)

header, body = {"__metadata__": {"files": json.dumps(files), "cases": json.dumps(cases)}}, b""
for name, values in features.items():
    data = values.astype("<f4").tobytes()
    header[name] = {"dtype": "F32", "shape": list(values.shape), "data_offsets": [len(body), len(body) + len(data)]}
    body += data
text = json.dumps(header, separators=(",", ":")).encode()
text += b" " * (-len(text) % 8)
pathlib.Path(__file__).with_name("networks.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + body)
