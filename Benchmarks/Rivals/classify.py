"""Training throughput of PyTorch (eager, channels last, bf16 autocast) on the files of `cleannet-bench classify`.

    pip install torch torchvision timm
    python classify.py FOLDER efficientnet-lite0|resnet18 [f32|bf16] [threads] [steps]
"""
import resource
import sys
import time

import torch
import torchvision
from torchvision import transforms

folder, name = sys.argv[1], sys.argv[2]
precision = sys.argv[3] if len(sys.argv) > 3 else "bf16"
torch.set_num_threads(int(sys.argv[4]) if len(sys.argv) > 4 else 2)
size, batch, steps = 224, 32, int(sys.argv[5]) if len(sys.argv) > 5 else 8
if name == "resnet18":
    model = torchvision.models.resnet18(num_classes=2)
    mean, deviation = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
else:
    import timm

    model = timm.create_model("tf_efficientnet_lite0", num_classes=2)
    mean, deviation = [127 / 255] * 3, [128 / 255] * 3
model = model.train().to(memory_format=torch.channels_last)
prepare = transforms.Compose([
    transforms.RandomResizedCrop(size, scale=(0.25, 1), interpolation=transforms.InterpolationMode.BICUBIC),
    transforms.RandomHorizontalFlip(), transforms.ToTensor(), transforms.Normalize(mean, deviation)])
images = torchvision.datasets.ImageFolder(folder, prepare)
order = [i % len(images) for i in range((steps + 2) * batch)]
loader = torch.utils.data.DataLoader(
    torch.utils.data.Subset(images, order), batch_size=batch, shuffle=True, num_workers=2)
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)
loss_of = torch.nn.CrossEntropyLoss(label_smoothing=0.1)
for step, (pixels, labels) in enumerate(loader):
    if step == 2:
        start, cpu = time.perf_counter(), time.process_time()
    pixels = pixels.to(memory_format=torch.channels_last)
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == "bf16"):
        loss = loss_of(model(pixels), labels)
    loss.backward()
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
elapsed = time.perf_counter() - start
print(f"PyTorch {torch.__version__} {name} {precision}: {steps * batch / elapsed:.1f} images/s, "
      f"CPU time without the loader's {1000 * (time.process_time() - cpu) / steps / batch:.1f} ms/image, "
      f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
