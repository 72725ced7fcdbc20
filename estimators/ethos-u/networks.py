"""Draw varied whole networks, as `nas.network/1` objects, from a seed.

The families are what `nas search` proposes: MobileNetV1/V2/V3-like classifiers, SSDLite-like person
detectors on a MobileNetV2-like trunk, and LR-ASPP-like segmenters on a MobileNetV3-like trunk. About half
of the trunks are a published table with its neighbourhood (another width, other channels, kernels,
expansions and depths, fused blocks); the other half ramp freely through stages.

    python networks.py --count 5 --seed 1 > nets.jsonl

The same (seed, index) gives the same network, whatever the count.
"""

import argparse
import json
import math
import random
import sys

from network import SCHEMA, output_shape

# MobileNetV2: (expansion, channels, repeats, stride) per stage; Sandler et al. 2018, table 2.
MOBILENET_V2 = [
    (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1),
]  # fmt: skip
# MobileNetV3: stages of blocks (kernel, expanded, channels, squeeze-excite, activation, stride);
# Howard et al. 2019, tables 1 and 2.
R, H = "relu", "hard_swish"
MOBILENET_V3_SMALL = [
    [(3, 16, 16, 1, R, 2)],
    [(3, 72, 24, 0, R, 2), (3, 88, 24, 0, R, 1)],
    [(5, 96, 40, 1, H, 2), (5, 240, 40, 1, H, 1), (5, 240, 40, 1, H, 1)],
    [(5, 120, 48, 1, H, 1), (5, 144, 48, 1, H, 1)],
    [(5, 288, 96, 1, H, 2), (5, 576, 96, 1, H, 1), (5, 576, 96, 1, H, 1)],
]
MOBILENET_V3_LARGE = [
    [(3, 16, 16, 0, R, 1)],
    [(3, 64, 24, 0, R, 2), (3, 72, 24, 0, R, 1)],
    [(5, 72, 40, 1, R, 2), (5, 120, 40, 1, R, 1), (5, 120, 40, 1, R, 1)],
    [(3, 240, 80, 0, H, 2), (3, 200, 80, 0, H, 1), (3, 184, 80, 0, H, 1), (3, 184, 80, 0, H, 1)],
    [(3, 480, 112, 1, H, 1), (3, 672, 112, 1, H, 1)],
    [(5, 672, 160, 1, H, 2), (5, 960, 160, 1, H, 1), (5, 960, 160, 1, H, 1)],
]
# MobileNetV1: (channels, stride) per depthwise-separable block; Howard et al. 2017, table 1.
MOBILENET_V1 = [
    (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), (512, 1), (512, 1), (512, 1), (512, 1), (512, 1),
    (1024, 2), (1024, 1),
]  # fmt: skip
EXTRAS = (512, 256, 256, 128)
MAX_MACS, MAX_PARAMS = 4.0e9, 14.0e6


class Graph:
    """A growing network; tensors are layer names, `shape[name]` is (h, w, c)."""

    def __init__(self, name, h, w, c):
        self.doc = {
            "schema": SCHEMA, "name": name, "input": {"h": h, "w": w, "c": c}, "dtype": "int8", "layers": [],
        }  # fmt: skip
        self.shape = {"input": (h, w, c)}
        self.macs = self.params = 0

    def add(self, name, op, *inputs, **fields):
        """Append a layer and return its name; defaults are left out."""
        if fields.get("activation") == "none":
            del fields["activation"]
        spec = {"name": name, "op": op, "inputs": list(inputs), **fields}
        self.shape[name] = output_shape(spec, [self.shape[i] for i in inputs])
        self.doc["layers"].append(spec)
        self._count(spec)
        return name

    def _count(self, spec):
        h, w, c = self.shape[spec["inputs"][0]]
        oh, ow, oc = self.shape[spec["name"]]
        area = spec.get("kernel", 1) ** 2
        weights = {"conv2d": area * c * oc, "depthwise_conv2d": area * oc, "dense": h * w * c * oc}
        self.params += weights.get(spec["op"], 0)
        self.macs += weights.get(spec["op"], 0) * oh * ow

    def conv(self, name, x, cout, kernel=1, stride=1, activation="none"):
        return self.add(name, "conv2d", x, cout=cout, kernel=kernel, stride=stride, activation=activation)

    def depthwise(self, name, x, kernel, stride=1, activation="none"):
        return self.add(name, "depthwise_conv2d", x, kernel=kernel, stride=stride, activation=activation)

    def channels(self, x):
        return self.shape[x][2]

    def stride(self, x):
        return round(self.doc["input"]["h"] / self.shape[x][0])


class Style:
    """What one network has in common: how channels snap, which blocks are fused, which kernels occur."""

    def __init__(self, rng, sizes=(96, 320)):
        self.rng = rng
        self.multiple = rng.choices((1, 4, 8, 16, 32), (0.27, 0.05, 0.43, 0.2, 0.05))[0]
        self.width = rng.choice((0.35, 0.5, 0.75, 1.0, 1.25, 1.5, rng.uniform(0.35, 1.5)))
        self.kernels = rng.choices((None, (3,), (3, 5), (5,), (3, 5, 7)), (0.3, 0.15, 0.4, 0.05, 0.1))[0]
        self.spread = rng.choices((0.0, 0.25, 0.5), (0.3, 0.35, 0.35))[0]
        self.fuse = rng.choices(("never", "always", "early", "mixed"), (0.28, 0.08, 0.28, 0.36))[0]
        self.fuse_until = rng.randint(1, 9)
        self.fuse_chance = rng.uniform(0.1, 0.7)
        self.expansion = rng.choices(("table", "stage", "block"), (0.4, 0.35, 0.25))[0]
        self.activation = rng.choices((R, "relu6", H), (0.35, 0.57, 0.08))[0]
        self.residual = rng.random() < 0.95
        self.published = rng.random() < 0.15
        if self.published:
            self._as_published()
        self.blocks = 0
        self.h, self.w = _size(rng, *sizes)
        self.c = rng.choices((3, 1, 4), (0.92, 0.05, 0.03))[0]

    def _as_published(self):
        """A published table at some width; only fused blocks make it differ."""
        self.multiple, self.kernels, self.spread = 8, None, 0.0
        self.expansion, self.activation, self.residual = "table", "relu6", True

    def snap(self, channels):
        """The nearest multiple, and never less than one of them (nor than 4 channels)."""
        nearest = round(channels / self.multiple) * self.multiple
        return max(nearest, self.multiple, 4)

    def channels(self, table):
        """A table's channels under this network's width and spread."""
        return self.snap(table * self.width * self.rng.uniform(1 - self.spread, 1 + self.spread))

    def kernel(self, table):
        return self.rng.choice(self.kernels) if self.kernels else table

    def depth(self, repeats):
        if self.spread == 0.0:
            return repeats
        return max(1, repeats + self.rng.choice((-1, -1, 0, 0, 0, 1)))

    def fused(self):
        """Whether the next block is fused; called once for each block that may be."""
        self.blocks += 1
        chance = {"never": 0.0, "always": 1.0, "early": float(self.blocks <= self.fuse_until)}
        return self.rng.random() < chance.get(self.fuse, self.fuse_chance)

    def expansions(self, table, repeats):
        """One expansion for each block of a stage."""
        if self.expansion == "table" or table == 1:
            return [table] * repeats
        draws = [self.draw_expansion() for _ in range(repeats)]
        return draws if self.expansion == "block" else draws[:1] * repeats

    def draw_expansion(self):
        return self.rng.choice((1, 2, 3, 3, 4, 4, 5, 6, 6, 6, 8, 2.5))


def _size(rng, low, high):
    """Height and width of the input: mostly square, mostly a multiple of 32."""
    step = rng.choices((32, 16, 8, 1), (0.78, 0.1, 0.08, 0.04))[0]
    sizes = range(-(-low // step) * step, high + 1, step)
    h = rng.choice(sizes)
    return h, (h if rng.random() < 0.87 else rng.choice(sizes))


# -- blocks ------------------------------------------------------------------------------------------
def squeeze_excite(g, block, x, squeezed):
    """Scale the channels of `x` by a gate computed from their means."""
    pooled = g.add(f"{block}.se.pool", "global_avg_pool", x)
    reduced = g.conv(f"{block}.se.reduce", pooled, squeezed, activation=R)
    gate = g.conv(f"{block}.se.expand", reduced, g.channels(x), activation="hard_sigmoid")
    return g.add(f"{block}.se.mul", "mul", x, gate)


def bottleneck(g, block, x, cout, expanded, kernel, stride, activation, fused, squeezed=0, residual=True):
    """An inverted bottleneck, plain or fused, with or without squeeze-excite."""
    inner = x
    if fused:
        inner = g.conv(f"{block}.fused", inner, expanded, kernel, stride, activation)
    else:
        if expanded != g.channels(x):
            inner = g.conv(f"{block}.expand", inner, expanded, activation=activation)
        inner = g.depthwise(f"{block}.depthwise", inner, kernel, stride, activation)
    if squeezed:
        inner = squeeze_excite(g, block, inner, squeezed)
    out = g.conv(f"{block}.project", inner, cout)
    if residual and stride == 1 and g.channels(x) == cout:
        out = g.add(f"{block}.add", "add", out, x)
    return out


def separable(g, block, x, cout, kernel, stride, activation, fused):
    """MobileNetV1's block: depthwise and 1x1, or one dense convolution when fused."""
    if fused:
        return g.conv(f"{block}.fused", x, cout, kernel, stride, activation)
    x = g.depthwise(f"{block}.depthwise", x, kernel, stride, activation)
    return g.conv(f"{block}.project", x, cout, activation=activation)


# -- trunks ------------------------------------------------------------------------------------------
def stem(g, style, channels=32, activation=None):
    kernel = 3 if style.rng.random() < 0.94 else 5
    return g.conv("stem", "input", style.channels(channels), kernel, 2, activation or style.activation)


def free_table(style):
    """A random ramp of stages in the form of `MOBILENET_V2`."""
    rng, channels, table = style.rng, style.rng.uniform(8, 28), []
    strides = rng.choice(([1, 2, 2, 2, 1, 2, 1], [1, 2, 2, 2, 1, 2], [2, 2, 2, 1, 2], [2, 2, 1, 2, 2, 1]))
    for stage, stride in enumerate(strides):
        expansion = 1 if stage == 0 and rng.random() < 0.6 else style.draw_expansion()
        table.append((expansion, channels, rng.randint(1, 4 if stage else 2), stride))
        channels = min(channels * rng.uniform(1.1, 1.9), 340)
    return table


def trunk_v2(g, style):
    """Stages of inverted bottlenecks; returns the outputs of all blocks and of the strided expansions."""
    table = MOBILENET_V2 if style.published or style.rng.random() < 0.5 else free_table(style)
    x, blocks, expansions = stem(g, style), [], []
    for stage, (expansion, channels, repeats, stride) in enumerate(table, 1):
        cout, repeats = style.channels(channels), style.depth(repeats)
        kernel = style.kernel(3)
        for index, ratio in enumerate(style.expansions(expansion, repeats), 1):
            kernel = style.kernel(3) if style.expansion == "block" else kernel
            block, step = f"s{stage}.b{index}", stride if index == 1 else 1
            expanded = max(4, round(g.channels(x) * ratio))
            fused = (ratio > 1 or style.rng.random() < 0.3) and style.fused()
            x = bottleneck(
                g, block, x, cout, expanded, kernel, step, style.activation, fused, residual=style.residual
            )
            blocks.append(x)
            if step == 2 and f"{block}.expand" in g.shape:
                expansions.append(f"{block}.expand")
    return blocks, expansions


def trunk_v3(g, style, last_stride=2):
    """MobileNetV3-like stages; `last_stride` 1 keeps the last strided stage at 1/16."""
    table = MOBILENET_V3_SMALL if style.rng.random() < 0.7 else MOBILENET_V3_LARGE
    swish = style.rng.choices((H, R, "relu6"), (0.7, 0.2, 0.1))[0]
    squeeze = style.rng.choices(("table", "never", "always"), (0.7, 0.2, 0.1))[0]
    if style.published:
        swish, squeeze = H, "table"
    x, blocks = stem(g, style, 16, swish), []
    strided = max(i for i, stage in enumerate(table) if stage[0][5] == 2)
    for stage, rows in enumerate(table):
        cout = style.channels(rows[0][2])
        for index, row in enumerate(_resample(rows, style.depth(len(rows))), 1):
            kernel, expanded, width, se, activation, stride = row
            stride = 1 if index > 1 else last_stride if stage == strided else stride
            if style.expansion == "table":
                expanded = style.snap(expanded * cout / width)
            else:
                expanded = max(4, round(g.channels(x) * style.draw_expansion()))
            se = {"never": False, "always": True}.get(squeeze, bool(se))
            fused = style.fused()
            x = bottleneck(
                g, f"s{stage + 1}.b{index}", x, cout, expanded, style.kernel(kernel), stride,
                swish if activation == H else R, fused, style.snap(expanded / 4) if se else 0, style.residual,
            )  # fmt: skip
            blocks.append(x)
    return blocks


def _resample(rows, count):
    return (rows + [rows[-1]])[:count]


def trunk_v1(g, style):
    rng, x = style.rng, stem(g, style)
    table = MOBILENET_V1
    if not style.published and rng.random() < 0.5:
        drop = set(rng.sample(range(6, 11), rng.randint(0, 5)))
        table = [row for i, row in enumerate(MOBILENET_V1) if i not in drop]
    stage = index = 0
    for channels, stride in table:
        stage, index = (stage + 1, 1) if stride == 2 or not stage else (stage, index + 1)
        cout, kernel = style.channels(channels), style.kernel(3)
        x = separable(g, f"s{stage}.b{index}", x, cout, kernel, stride, style.activation, style.fused())
    return x


# -- heads -------------------------------------------------------------------------------------------
def classifier(g, style, x, features, activation, hidden=0):
    rng = style.rng
    if features:
        x = g.conv("head.features", x, features, activation=activation)
    x = g.add("head.pool", "global_avg_pool", x)
    if hidden:
        x = g.conv("head.hidden", x, hidden, activation=activation)
    classes = rng.choice((2, 2, 3, 5, 8, 10, 12, 20, 50, 100, 100, 1000, 1000))
    g.add("head.dense", "dense", x, cout=classes)


def detector(g, style, blocks, expansions):
    """SSDLite: predictors on a tap at stride 16, on the features, and on extra levels."""
    rng, act = style.rng, style.activation
    at16 = [b for b in blocks if g.stride(b) == 16] or blocks[:1]
    taps = [e for e in expansions if g.stride(e) == 16]
    levels = [rng.choice(taps) if taps and rng.random() < 0.6 else at16[-1]]
    scale = max(1.0, style.width) if rng.random() < 0.5 else style.width * rng.uniform(0.5, 1.2)
    x = g.conv("head.features", blocks[-1], style.snap(max(64, 1280 * scale)), activation=act)
    levels.append(x)
    for number, channels in enumerate(EXTRAS[: rng.choice((0, 1, 2, 3, 4, 4, 4))], 1):
        if min(g.shape[x][:2]) < 2:
            break
        cout = style.snap(max(32, channels * scale))
        x = g.conv(f"head.extra{number}.reduce", x, style.snap(cout / 2), activation=act)
        x = g.depthwise(f"head.extra{number}.depthwise", x, 3, 2, act)
        x = g.conv(f"head.extra{number}.project", x, cout, activation=act)
        levels.append(x)
    _predictors(g, style, levels)


def _predictors(g, style, levels):
    rng, act = style.rng, style.activation
    classes, first, others = rng.choice((1, 2, 2, 3, 6, 21, 91)), rng.choice((3, 3, 6)), rng.choice((3, 6, 6))
    kernel = 3 if rng.random() < 0.9 else 5
    for number, level in enumerate(levels, 1):
        anchors = first if number == 1 else others
        for kind, values in (("box", 4), ("class", classes)):
            x = g.depthwise(f"head.{kind}{number}.depthwise", level, kernel, 1, act)
            g.conv(f"head.{kind}{number}.project", x, anchors * values)


def segmenter(g, style, blocks, swish):
    """LR-ASPP: a gated 1x1 branch, upsampled and added to a low-level tap."""
    rng, classes = style.rng, style.rng.choice((2, 2, 3, 4, 6, 8, 12, 19, 21))
    high = blocks[-1]
    if rng.random() < 0.7:
        high = g.conv("head.features", high, style.channels(rng.choice((576, 960))), activation=swish)
    branch = style.snap(rng.choice((128, 128, 64, 96, 160, 32)) * max(0.5, min(style.width, 1)))
    tap_stride = 8 if rng.random() < 0.8 else 4
    low = next(b for b in reversed(blocks) if g.stride(b) == tap_stride)
    x = g.conv("head.branch", high, branch, activation=R)
    gate = g.add("head.gate.pool", "global_avg_pool", high)
    gate = g.conv("head.gate.conv", gate, branch, activation="sigmoid")
    x = g.add("head.mul", "mul", x, gate)
    x = g.add("head.up", "resize", x, size=list(g.shape[low][:2]), mode="bilinear")
    if rng.random() < 0.12:
        skip = g.conv("head.low", low, style.snap(rng.choice((16, 24, 32))))
        x = g.add("head.concat", "concat", g.conv("head.high", x, branch), skip)
        x = g.conv("head.classes", x, classes)
    else:
        x, skip = g.conv("head.high", x, classes), g.conv("head.low", low, classes)
        x = g.add("head.add", "add", x, skip)
    factor = rng.choice((1, 1, 2, 4, 8))
    if 1 < factor <= tap_stride:
        size = [side * factor for side in g.shape[low][:2]]
        g.add("head.out", "resize", x, size=size, mode="bilinear")


# -- families ----------------------------------------------------------------------------------------
def mobilenet_v2(rng, name):
    style = Style(rng)
    g = Graph(name, style.h, style.w, style.c)
    blocks, _ = trunk_v2(g, style)
    features = style.snap(1280 * (max(1.0, style.width) if rng.random() < 0.5 else style.width))
    classifier(g, style, blocks[-1], features if rng.random() < 0.9 else 0, style.activation)
    return g


def ssdlite(rng, name):
    style = Style(rng, (160, 320))
    style.h, style.w = (-(-side // 32) * 32 if rng.random() < 0.9 else side for side in (style.h, style.w))
    g = Graph(name, style.h, style.w, style.c)
    detector(g, style, *trunk_v2(g, style))
    return g


def lr_aspp(rng, name):
    style = Style(rng, (192, 512))
    style.h, style.w = (-(-side // 32) * 32 for side in (style.h, style.w))
    g = Graph(name, style.h, style.w, style.c)
    blocks = trunk_v3(g, style, rng.choice((1, 2)))
    segmenter(g, style, blocks, H)
    return g


def mobilenet_v1(rng, name):
    style = Style(rng, (96, 224))
    style.width = rng.choice((0.1, 0.25, 0.25, 0.5, 0.75, 1.0, rng.uniform(0.1, 1.0)))
    g = Graph(name, style.h, style.w, style.c)
    classifier(g, style, trunk_v1(g, style), 0, style.activation)
    return g


def mobilenet_v3(rng, name):
    style = Style(rng, (96, 256))
    g = Graph(name, style.h, style.w, style.c)
    blocks = trunk_v3(g, style)
    hidden = style.snap(rng.choice((1024, 1280, 512)) * style.width)
    classifier(g, style, blocks[-1], style.channels(576), H, hidden if rng.random() < 0.7 else 0)
    return g


FAMILIES = {mobilenet_v2: 0.28, ssdlite: 0.28, lr_aspp: 0.24, mobilenet_v1: 0.11, mobilenet_v3: 0.09}


def draw(seed, index):
    """Network number `index` of the stream `seed`; too heavy draws are drawn again."""
    rng = random.Random(f"networks/{seed}/{index}")
    family = rng.choices(list(FAMILIES), list(FAMILIES.values()))[0]
    while True:
        g = family(rng, f"n{index:04d}.{family.__name__}")
        if g.macs <= MAX_MACS and g.params <= MAX_PARAMS:
            return g.doc


# -- isolated operators ------------------------------------------------------------------------------
OPERATORS = {
    "conv2d": 0.54, "depthwise_conv2d": 0.22, "dense": 0.04, "add": 0.06, "mul": 0.03, "concat": 0.02,
    "avg_pool": 0.015, "max_pool": 0.015, "global_avg_pool": 0.03, "resize": 0.03,
}  # fmt: skip
TYPICAL_SIZES = (4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224)
MAX_TENSOR_BYTES, MAX_WEIGHTS, MAX_OPERATOR_MACS = 5.0e6, 3.5e6, 1.4e9


def _log_uniform(rng, low, high):
    return round(math.exp(rng.uniform(math.log(low), math.log(high))))


def _side(rng):
    return rng.choice(TYPICAL_SIZES) if rng.random() < 0.6 else _log_uniform(rng, 4, 224)


def _channels(rng, low=3, high=1280):
    drawn = _log_uniform(rng, low, high)
    multiple = rng.choices((1, 8, 16), (0.5, 0.35, 0.15))[0]
    return max(low, round(drawn / multiple) * multiple)


def _operator_layer(rng, op, shape):
    """The fields of one isolated layer."""
    act = rng.choices(("none", R, "relu6", H, "hard_sigmoid", "sigmoid"), (40, 20, 28, 8, 2, 2))[0]
    plain = act if act in ("none", R, "relu6") else "none"
    stride = 2 if rng.random() < 0.3 else 1
    if op == "conv2d":
        kernel = rng.choices((1, 3, 5, 7), (0.5, 0.36, 0.13, 0.01))[0]
        return {"cout": _channels(rng), "kernel": kernel, "stride": stride, "activation": act}
    if op == "depthwise_conv2d":
        kernel = rng.choices((3, 5, 7, 1), (0.58, 0.34, 0.06, 0.02))[0]
        return {"kernel": kernel, "stride": stride, "activation": act}
    if op == "dense":
        return {"cout": _channels(rng, 2), "activation": plain}
    if op in ("avg_pool", "max_pool"):
        return {"kernel": rng.choice((2, 3, 5)), "stride": stride}
    if op == "resize":
        factor = rng.choice((2, 2, 4, 8))
        return {"size": [shape[0] * factor, shape[1] * factor], "mode": "bilinear"}
    return {"activation": plain} if op in ("add", "mul") else {}


def _operator_inputs(rng, op, shape):
    """The second input of the operators that have two."""
    if op == "add":
        return {"other": shape}
    if op == "mul":
        return {"other": (1, 1, shape[2])}
    if op == "concat":
        return {"other": (*shape[:2], _channels(rng, 3, 640))}
    return {}


def draw_operator(seed, index):
    """Isolated operator number `index`: a one-layer network object and its extra inputs."""
    rng = random.Random(f"operators/{seed}/{index}")
    op = rng.choices(list(OPERATORS), list(OPERATORS.values()))[0]
    while True:
        h = _side(rng)
        w, c = (h if rng.random() < 0.85 else _side(rng)), _channels(rng)
        if op == "dense":
            h, w = (1, 1) if rng.random() < 0.7 else (rng.randint(1, 7),) * 2
        g = Graph(f"o{index:05d}.{op}", h, w, c)
        others = _operator_inputs(rng, op, (h, w, c))
        g.shape.update(others)
        name = g.add("layer", op, "input", *others, **_operator_layer(rng, op, (h, w, c)))
        biggest = max(math.prod(shape) for shape in g.shape.values())
        if biggest <= MAX_TENSOR_BYTES and g.params <= MAX_WEIGHTS and g.macs <= MAX_OPERATOR_MACS:
            assert math.prod(g.shape[name])
            return g.doc, others


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=10, help="how many networks (default 10)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the stream (default 1)")
    args = parser.parse_args()
    for index in range(args.count):
        sys.stdout.write(json.dumps(draw(args.seed, index), separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
