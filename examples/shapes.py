"""Draws pictures of four classes, to try `examples/train.py` without data: python3 examples/shapes.py pictures

Noisy shapes of any colour, place and size: `pictures/train` and `pictures/test` with a folder a class. Needs Pillow.
"""

import pathlib
import random
import sys

from PIL import Image, ImageDraw, ImageFilter

SIDE = 96
COUNTS = {"train": 200, "test": 100}


def corners(kind, x, y, radius):
    """The corners of a shape around a point."""
    if kind == "triangle":
        return [(x, y - radius), (x + radius, y + radius), (x - radius, y + radius)]
    if kind == "cross":
        arm = radius / 3
        steps = [(-1, -3), (1, -3), (1, -1), (3, -1), (3, 1), (1, 1), (1, 3), (-1, 3), (-1, 1), (-3, 1), (-3, -1), (-1, -1)]
        return [(x + arm * dx, y + arm * dy) for dx, dy in steps]
    return [(x - radius, y - radius), (x + radius, y - radius), (x + radius, y + radius), (x - radius, y + radius)]


def picture(kind, draw):
    """One shape on a ground of other strokes."""
    image = Image.new("RGB", (SIDE, SIDE), tuple(draw.randrange(256) for _ in range(3)))
    pen = ImageDraw.Draw(image)
    for _ in range(12):
        ends = [draw.randrange(SIDE) for _ in range(4)]
        pen.line(ends, tuple(draw.randrange(256) for _ in range(3)), width=draw.randrange(1, 4))
    x, y = (draw.uniform(0.3, 0.7) * SIDE for _ in range(2))
    radius = draw.uniform(0.1, 0.25) * SIDE
    colour = tuple(draw.randrange(256) for _ in range(3))
    if kind == "circle":
        pen.ellipse([x - radius, y - radius, x + radius, y + radius], fill=colour)
    else:
        pen.polygon(corners(kind, x, y, radius), fill=colour)
    return image.filter(ImageFilter.GaussianBlur(draw.uniform(0, 2)))


def main():
    draw = random.Random(0)
    for part, count in COUNTS.items():
        for kind in ("circle", "cross", "square", "triangle"):
            folder = pathlib.Path(sys.argv[1], part, kind)
            folder.mkdir(parents=True, exist_ok=True)
            for index in range(count):
                picture(kind, draw).save(folder / f"{index:03}.png")


if __name__ == "__main__":
    main()
