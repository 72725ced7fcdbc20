"""Trains a classifier for `nas train`: a folder of pictures in, a line of JSON with the accuracy out.

    nas train runs/my-run --trainer-command 'python3 examples/train.py {model} --data pictures --seed {seed}'

`pictures/train` and `pictures/test` hold a folder of pictures for each class. It needs torch and torchvision. It is
a short recipe to begin with: replace it by the one that your products are trained with.
"""

import argparse
import importlib.util
import json
import pathlib

import torch
from torch import nn
from torchvision import datasets, transforms


def load(path):
    """The class `Network` of a module that `nas` wrote, and the size of the pictures that it reads."""
    spec = importlib.util.spec_from_file_location("found", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    size = next(line for line in module.__doc__.splitlines() if line.startswith("Input "))
    height, width = (int(side) for side in size.split(";")[0].split("x")[2:4])
    return module.Network(), (height, width)


def pictures(folder, size, training, batch):
    """Batches of the pictures in a folder, at the network's size."""
    steps = [transforms.Resize(size), transforms.ToTensor(), transforms.Normalize([0.5] * 3, [0.5] * 3)]
    if training:
        steps.insert(1, transforms.RandomCrop(size, padding=max(size) // 16))
    found = datasets.ImageFolder(folder, transforms.Compose(steps))
    return torch.utils.data.DataLoader(found, batch, shuffle=training, drop_last=training), len(found.classes)


@torch.no_grad()
def accuracy(network, batches):
    """The share of pictures whose class is the network's first choice."""
    network.eval()
    right = sum((network(images).flatten(1).argmax(1) == labels).sum().item() for images, labels in batches)
    return right / len(batches.dataset)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rate", type=float, default=0.1)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    network, size = load(options.model)
    batches, classes = pictures(options.data / "train", size, True, options.batch)
    test, _ = pictures(options.data / "test", size, False, options.batch)
    with torch.no_grad():
        outputs = network.eval()(torch.zeros(1, 3, *size)).flatten(1).shape[1]
    if outputs != classes:
        raise SystemExit(f"{options.data} has {classes} classes, the network {outputs}")
    optimizer = torch.optim.SGD(network.parameters(), options.rate, momentum=0.9, nesterov=True, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, options.rate, options.epochs * len(batches))
    for epoch in range(options.epochs):
        network.train()
        for images, labels in batches:
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(network(images).flatten(1), labels)
            loss.backward()
            optimizer.step()
            schedule.step()
        print(f"epoch {epoch + 1} of {options.epochs}: loss {loss.item():.3f}", flush=True)
    print(json.dumps({"accuracy": accuracy(network, test), "metric": "top-1"}), flush=True)


if __name__ == "__main__":
    main()
