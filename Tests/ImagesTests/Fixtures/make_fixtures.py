"""Writes the images that ImagesTests reads, and what Pillow makes of them. Needs Pillow and NumPy.

    python3 make_fixtures.py

Expected pixels lie beside the images as raw RGB: NAME.WIDTHxHEIGHT.KERNEL.rgb.
"""

import io
import os
import struct
import tarfile
import zlib

import numpy as np
from PIL import Image

os.chdir(os.path.dirname(os.path.abspath(__file__)))
random = np.random.default_rng(1)
KERNELS = {"linear": Image.BILINEAR, "cubic": Image.BICUBIC, "lanczos3": Image.LANCZOS}


def picture(width, height):
    """Smooth colors, a sharp edge and some noise; all four corners differ."""
    y, x = np.mgrid[0:height, 0:width]
    red = 255 * x / (width - 1)
    green = 255 * y / (height - 1)
    blue = 128 + 100 * np.sin(x / 5) * np.cos(y / 7)
    pixels = np.stack([red, green, blue], axis=-1) + random.normal(0, 6, (height, width, 3))
    pixels[height // 3 : height // 2, width // 4 : width // 2] = (250, 20, 40)
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def png(width, height, depth, kind, rows):
    """A PNG with any header, whatever the pixels that follow."""

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def write(name, data):
    with open(name, "wb") as file:
        file.write(data)


def encoded(image, kind, **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def expect(name, image, size, kernel):
    write(f"{name}.{size[0]}x{size[1]}.{kernel}.rgb", image.resize(size, KERNELS[kernel]).tobytes())


# Resizing, against Pillow.
wide = picture(50, 38)
wide.save("wide.png")
for kernel in KERNELS:
    expect("wide", wide, (16, 16), kernel)
    expect("wide", wide, (80, 80), kernel)
expect("wide", wide, (45, 45), "cubic")
# The crop of torchvision's Resize(20), CenterCrop(16): shorter side 20, longer int(20 * 50 / 38) = 26.
resized = wide.resize((26, 20), Image.BICUBIC)
write("wide.crop16of20.rgb", resized.crop((5, 2, 21, 18)).tobytes())

# One picture in every format. Lossless ones must give the very pixels.
small = picture(24, 20)
small.save("small.png")
small.save("small.bmp")
small.save("small.tiff")
small.save("small.webp", lossless=True)
small.save("small.jpg", quality=95, subsampling=0)
small.save("small.avif", quality=95)
small.quantize(16).save("palette.gif")
small.quantize(16).convert("RGB").save("palette_expected.png")
frames = [Image.new("RGB", (8, 8), color) for color in ("red", "blue")]
frames[0].save("animated.gif", save_all=True, append_images=frames[1:])
frames[0].save("animated.webp", save_all=True, append_images=frames[1:], lossless=True)
frames[0].save("pages.tiff", save_all=True, append_images=frames[1:])

# EXIF orientation: what each viewer shows is the same picture, stored in eight ways.
stored = {
    1: [], 2: [Image.FLIP_LEFT_RIGHT], 3: [Image.ROTATE_180], 4: [Image.FLIP_TOP_BOTTOM], 5: [Image.TRANSPOSE],
    6: [Image.ROTATE_90], 7: [Image.TRANSVERSE], 8: [Image.ROTATE_270],
}
tall = picture(19, 30)
tall.save("tall.png")
for tag, ways in stored.items():
    image = tall
    for way in ways:
        image = image.transpose(way)
    exif = Image.Exif()
    exif[0x112] = tag
    image.save(f"orientation{tag}.png", exif=exif)

# Kinds of pixels.
grey = np.linspace(0, 255, 64).reshape(8, 8).astype(np.uint8)
Image.fromarray(grey).save("grey8.png")
big = np.repeat(grey.astype(">u2") * 257, 1, axis=1)
write("grey16.png", png(8, 8, 16, 0, b"".join(b"\0" + row.tobytes() for row in big)))
colors = np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [128, 64, 32]]], dtype=np.uint8)
write("rgb16.png", png(2, 2, 16, 2, b"".join(b"\0" + (row.astype(">u2") * 257).tobytes() for row in colors)))
alpha = np.zeros((2, 2, 4), dtype=np.uint8)
alpha[0, 0] = (255, 0, 0, 255)
alpha[0, 1] = (255, 0, 0, 0)
alpha[1, 0] = (0, 0, 0, 51)
alpha[1, 1] = (0, 0, 255, 255)
Image.fromarray(alpha).save("alpha.png")
write("alpha16.png", png(2, 2, 16, 6, b"".join(b"\0" + (row.astype(">u2") * 257).tobytes() for row in alpha)))
palette = Image.new("P", (2, 1))
palette.putpalette([10, 200, 30, 0, 0, 0])
palette.putdata([0, 1])
palette.save("palette_alpha.png", transparency=1)
bits = Image.new("1", (2, 1))
bits.putdata([0, 255])
bits.save("bits.png")
Image.new("CMYK", (16, 16), (0, 255, 255, 0)).save("cmyk.jpg", quality=95)

# A photo large enough to be decoded at an eighth.
photo = picture(100, 80).resize((800, 640), Image.BICUBIC)
photo.save("photo.jpg", quality=50)
expect("photo", Image.open("photo.jpg"), (40, 40), "cubic")

# Bad ones.
for name, data in {
    "jpg": encoded(small, "jpeg", quality=95), "png": encoded(small, "png"), "gif": encoded(small.quantize(16), "gif"),
    "webp": encoded(small, "webp", lossless=True), "bmp": encoded(small, "bmp"), "tiff": encoded(small, "tiff"),
}.items():
    write(f"truncated.{name}", data[: len(data) * 6 // 10])
broken = bytearray(encoded(small, "png"))
broken[len(broken) // 2] ^= 0xFF
write("damaged.png", bytes(broken))
write("empty.jpg", b"")
write("text.jpg", b"<html><body>404 Not Found</body></html>\n")
write("bomb.png", png(100_000, 100_000, 8, 2, b"\0" * 1000))
write("bomb.bmp", encoded(small, "bmp")[:18] + struct.pack("<ii", 100_000, 100_000) + encoded(small, "bmp")[26:])
# Half a JPEG that a downloader ended properly.
half = encoded(picture(64, 64), "jpeg", quality=90)
write("half.jpg", half[: len(half) // 2] + b"\xff\xd9")
# Stray bytes before the end, as some cameras leave them: the pixels are whole.
whole = encoded(small, "jpeg", quality=95, subsampling=0)
write("stray.jpg", whole[:-2] + b"\x12\x34\x56" + b"\xff\xd9")

with tarfile.open("two.tar", "w", format=tarfile.USTAR_FORMAT) as archive:
    for name in ("small.png", "tall.png"):
        with open(name, "rb") as file:
            data = file.read()
        member = tarfile.TarInfo(name)
        member.size = len(data)
        archive.addfile(member, io.BytesIO(data))
