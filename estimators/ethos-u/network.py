"""Read `nas.network/1` and infer shapes: the Python twin of the Rust network room.

Only what the measuring scripts need. Shapes are (height, width, channels); batch is 1.
A network may have more than one input here (`extra_inputs`), because an isolated `add`, `mul` or
`concat` needs two different tensors; the JSON schema itself has one input called "input".
"""

import gzip
import json
from dataclasses import dataclass, field
from pathlib import Path

SCHEMA = "nas.network/1"
ACTIVATIONS = ("none", "relu", "relu6", "hard_swish", "hard_sigmoid", "sigmoid")
WINDOWED = ("conv2d", "depthwise_conv2d", "avg_pool", "max_pool")
OPS = WINDOWED + ("dense", "add", "mul", "concat", "global_avg_pool", "resize")


class NetworkError(ValueError):
    """A network that cannot be read; the message names network and layer."""


@dataclass
class Layer:
    name: str
    op: str
    inputs: list
    in_shapes: list
    out: tuple
    kernel: tuple = (1, 1)
    stride: tuple = (1, 1)
    dilation: tuple = (1, 1)
    pad: object = "same"
    groups: int = 1
    activation: str = "none"
    mode: str = "nearest"


@dataclass
class Network:
    name: str
    inputs: dict
    layers: list
    source: dict = field(repr=False, default=None)

    def shape(self, tensor):
        if tensor in self.inputs:
            return self.inputs[tensor]
        return next(layer.out for layer in self.layers if layer.name == tensor)

    def outputs(self):
        """Names of the layers that nobody consumes."""
        used = {name for layer in self.layers for name in layer.inputs}
        return [layer.name for layer in self.layers if layer.name not in used]


def pair(value):
    return tuple(value) if isinstance(value, (list, tuple)) else (value, value)


def window_out(size, kernel, stride, dilation, before_after):
    """Output size of one spatial axis; `before_after` is "same", "valid" or (before, after)."""
    reach = (kernel - 1) * dilation + 1
    if before_after == "same":
        return -(-size // stride)
    before, after = (0, 0) if before_after == "valid" else before_after
    return (size + before + after - reach) // stride + 1


def axis_pad(pad, axis):
    if isinstance(pad, str):
        return pad
    top, left, bottom, right = pad
    return (top, bottom) if axis == 0 else (left, right)


def _windowed_out(spec, shape, cout):
    kernel, stride = pair(spec.get("kernel", 1)), pair(spec.get("stride", 1))
    dilation, pad = pair(spec.get("dilation", 1)), spec.get("pad", "same")
    sizes = [
        window_out(shape[a], kernel[a], stride[a], dilation[a], axis_pad(pad, a)) for a in (0, 1)
    ]
    return (sizes[0], sizes[1], cout)


def _broadcast(shapes):
    return tuple(max(s[axis] for s in shapes) for axis in range(3))


def output_shape(spec, shapes):
    """The one shape rule per operator."""
    op, first = spec["op"], shapes[0]
    if op == "conv2d":
        return _windowed_out(spec, first, spec["cout"])
    if op == "depthwise_conv2d":
        return _windowed_out(spec, first, spec.get("cout", first[2]))
    if op in WINDOWED:
        return _windowed_out(spec, first, first[2])
    if op == "dense":
        return (1, 1, spec["cout"])
    if op in ("add", "mul"):
        return _broadcast(shapes)
    if op == "concat":
        return (first[0], first[1], sum(s[2] for s in shapes))
    if op == "global_avg_pool":
        return (1, 1, first[2])
    if op == "resize":
        return (*pair(spec["size"]), first[2])
    raise NetworkError(f"unknown op `{op}`; known: {', '.join(OPS)}")


def _layer(spec, shapes_by_name):
    shapes = [shapes_by_name[name] for name in spec["inputs"]]
    activation, groups = spec.get("activation", "none"), spec.get("groups", 1)
    if activation not in ACTIVATIONS:
        raise NetworkError(f"unknown activation `{activation}`; known: {', '.join(ACTIVATIONS)}")
    if not shapes:
        raise NetworkError("it has no inputs")
    out, cin = output_shape(spec, shapes), shapes[0][2]
    if min(out) < 1:
        raise NetworkError(f"its output shape is {out}; every size must be at least 1")
    if cin % groups or (spec["op"] == "depthwise_conv2d" and out[2] % cin):
        raise NetworkError(f"{cin} input and {out[2]} output channels do not divide into groups")
    return Layer(
        name=spec["name"],
        op=spec["op"],
        inputs=list(spec["inputs"]),
        in_shapes=shapes,
        out=out,
        kernel=pair(spec.get("kernel", 1)),
        stride=pair(spec.get("stride", 1)),
        dilation=pair(spec.get("dilation", 1)),
        pad=spec.get("pad", "same"),
        groups=groups,
        activation=activation,
        mode=spec.get("mode", "nearest"),
    )


def parse(doc, extra_inputs=None):
    """A `nas.network/1` object as a shape-checked `Network`."""
    if not isinstance(doc, dict) or doc.get("schema") != SCHEMA:
        found = doc.get("schema") if isinstance(doc, dict) else doc
        raise NetworkError(f"schema is {found!r:.40}, expected {SCHEMA!r}")
    try:
        name, size, specs = doc["name"], doc["input"], doc["layers"]
        inputs = {"input": (size["h"], size["w"], size["c"]), **(extra_inputs or {})}
    except (KeyError, TypeError) as error:
        raise NetworkError(f"field `name`, `input` {{h, w, c}} or `layers` is missing or wrong: {error}") from None
    if doc.get("dtype", "int8") != "int8":
        raise NetworkError(f"network `{name}`: dtype is {doc['dtype']!r}; only int8 runs on Ethos-U here")
    shapes, layers = dict(inputs), []
    for spec in specs:
        layer = _checked_layer(f"network `{name}`", spec, shapes)
        shapes[layer.name] = layer.out
        layers.append(layer)
    if not layers:
        raise NetworkError(f"network `{name}` has no layers")
    return Network(name, inputs, layers, doc)


def _checked_layer(where, spec, shapes):
    where = f"{where}, layer `{spec.get('name') if isinstance(spec, dict) else spec}`"
    try:
        if spec["name"] in shapes:
            raise NetworkError("the name is used twice")
        return _layer(spec, shapes)
    except KeyError as missing:
        raise NetworkError(f"{where}: field or input {missing} is missing") from None
    except NetworkError as error:
        raise NetworkError(f"{where}: {error}") from None
    except (TypeError, ValueError, ZeroDivisionError) as error:
        raise NetworkError(f"{where}: a field has a wrong value: {error}") from None


def open_text(path):
    return gzip.open(path, "rt") if str(path).endswith(".gz") else open(path, encoding="utf-8")


def read_documents(path):
    """The JSON objects of a `.json`, `.jsonl` or gzipped file."""
    with open_text(path) as file:
        text = file.read()
    if ".jsonl" in Path(path).name:
        return [json.loads(line) for line in text.splitlines() if line.strip()]
    return [json.loads(text)]
