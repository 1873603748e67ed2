"""Weights and an image made by formulas; Weights.swift has the same.

A table of 65537 numbers in [0, 1) from SplitMix64 with seed 1; a tensor takes numbers from the place that the FNV-1a hash of
its name gives, round and round, and scales them by its kind.
"""
import numpy as np
import torch

PERIOD = 65537


def table():
    state, values = 1, []
    mask = (1 << 64) - 1
    for _ in range(PERIOD):
        state = (state + 0x9E3779B97F4A7C15) & mask
        z = state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        values.append(((z ^ (z >> 31)) >> 40) / (1 << 24))
    return np.array(values)


TABLE = table()


def hashed(name):
    value = 0xCBF29CE484222325
    for byte in name.encode():
        value = ((value ^ byte) * 0x100000001B3) & ((1 << 64) - 1)
    return value


def made(name, shape):
    if name.endswith("running_mean") or name.endswith("bias"):
        low, width = -0.2, 0.4
    elif name.endswith("running_var"):
        low, width = 0.5, 1.0
    elif "pos" in name:
        low, width = -1.0, 2.0
    elif len(shape) == 1:
        low, width = 0.75, 0.5
    else:
        bound = (3.0 / float(np.prod(shape[1:]))) ** 0.5
        low, width = -bound, 2 * bound
    values = (TABLE * width + low).astype(np.float32)
    places = (hashed(name) % PERIOD + np.arange(int(np.prod(shape)))) % PERIOD
    return torch.from_numpy(values[places].reshape(shape))


def pixels(size):
    y, x, c = np.meshgrid(np.arange(size), np.arange(size), np.arange(3), indexing="ij")
    return ((3 * x + 5 * y + 40 * c + x * y // 4) % 256).astype(np.uint8)
