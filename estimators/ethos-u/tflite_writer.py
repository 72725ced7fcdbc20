"""Write a network as int8 TFLite with seeded random weights; no TensorFlow needed.

`write` also returns the layer that each TFLite operator belongs to, so that a compiler's per-operator rows
can be joined back to layers; tensors are called `<layer>` (the layer's output) or `<layer>/<part>`. What a
TFLite converter does is done here too: relu and relu6 are fused into the operators that have such a field; hard_swish is
HARD_SWISH and sigmoid LOGISTIC (one table look-up each on Ethos-U); hard_sigmoid, which TFLite lacks,
is relu6(x + 3) * (1/6) as Keras exports it; a global average pool is MEAN over height and width;
explicit padding is a PAD operator before a VALID window.

Weights are drawn per layer from a normal distribution whose peak fills the int8 range, as in trained and
quantised networks; Vela compresses weights, so the distribution has an influence on memory traffic.
"""

import zlib
from functools import lru_cache

import flatbuffers
import numpy as np
import tflite
from tflite import ActivationFunctionType as Fused
from tflite import BuiltinOperator as Code
from tflite import BuiltinOptions as Options
from tflite import Padding, TensorType

INT8, INT32 = TensorType.INT8, TensorType.INT32
SAME, VALID = Padding.SAME, Padding.VALID
FUSED = {
    "none": Fused.NONE,
    "relu": Fused.RELU,
    "relu6": Fused.RELU6,
}
OPCODES = Code
# Operators whose options carry a fused activation; the others get an operator of their own.
CAN_FUSE = ("conv2d", "depthwise_conv2d", "dense", "add", "mul", "avg_pool", "max_pool")
KEEP_QUANT = ("avg_pool", "max_pool", "global_avg_pool", "resize", "concat")
ACTIVATION_SCALE, WEIGHT_SCALE = 6.0 / 255, 0.02
POOL_SIZE = 1 << 22


@lru_cache(maxsize=2)
def _weight_pool(seed):
    """Normal int8 numbers; layers read them from an offset of their own, which is much faster."""
    draws = np.random.default_rng(seed).normal(0.0, 127 / 4, POOL_SIZE)
    return np.clip(np.rint(draws), -127, 127).astype(np.int8)


def random_weights(seed, name, shape):
    pool, count = _weight_pool(seed), int(np.prod(shape))
    start = zlib.crc32(name.encode()) % POOL_SIZE
    return np.resize(np.roll(pool, -start) if count > POOL_SIZE else _slice(pool, start, count), shape)


def _slice(pool, start, count):
    tail = pool[start : start + count]
    return tail if len(tail) == count else np.concatenate([tail, pool[: count - len(tail)]])


class _Builder:
    """Collects tensors and operators, then writes the flatbuffer."""

    def __init__(self, seed):
        self.fb = flatbuffers.Builder(1 << 16)
        self.seed = seed
        self.buffers = [None]
        self.tensors, self.operators, self.opcodes = [], [], []
        self.index = {}
        self.layer, self.owners = None, []  # the layer being written; the layer of each operator

    # -- tensors -------------------------------------------------------------------------------
    def tensor(self, name, shape, dtype=INT8, data=None, quant=None):
        """Add a tensor; `quant` is (scales, zero points, quantised axis) and has a default."""
        if data is not None:
            self.buffers.append(np.ascontiguousarray(data))
        buffer = len(self.buffers) - 1 if data is not None else 0
        quant = quant or ([ACTIVATION_SCALE], [-128], 0)
        self.tensors.append((name, list(shape), dtype, buffer, quant))
        self.index[name] = len(self.tensors) - 1
        return self.index[name]

    def activation(self, name, shape, quant=None):
        return self.tensor(name, (1, *shape), quant=quant)

    def quant(self, tensor):
        return self.tensors[tensor][4]

    def weights(self, name, shape, axis):
        data = random_weights(self.seed, name, shape)
        return self.tensor(name, shape, data=data, quant=_per_channel(WEIGHT_SCALE, shape[axis], axis))

    def bias(self, name, channels):
        data = random_weights(self.seed, name, (channels,)).astype(np.int32) * 8
        quant = _per_channel(WEIGHT_SCALE * ACTIVATION_SCALE, channels, 0)
        return self.tensor(name, (channels,), INT32, data, quant)

    def constant(self, name, values):
        data = np.asarray(values, np.int32)
        return self.tensor(name, data.shape, INT32, data, quant=([1.0], [0], 0))

    # -- operators -----------------------------------------------------------------------------
    def operator(self, code, inputs, output, kind=0, options=None):
        if code not in self.opcodes:
            self.opcodes.append(code)
        self.operators.append((self.opcodes.index(code), inputs, output, kind, options))
        self.owners.append(self.layer)

    def options(self, table, **fields):
        """An options table by name: `options("Conv2DOptions", StrideH=2, …)`."""
        getattr(tflite, f"{table}Start")(self.fb)
        for key, value in fields.items():
            getattr(tflite, f"{table}Add{key}")(self.fb, value)
        return getattr(Options, table), getattr(tflite, f"{table}End")(self.fb)

    # -- file ----------------------------------------------------------------------------------
    def finish(self, inputs, outputs):
        fb = self.fb
        tensors = self._offsets(self._tensor(*t) for t in self.tensors)
        operators = self._offsets(self._operator(*o) for o in self.operators)
        graph = self._subgraph(tensors, operators, inputs, outputs)
        codes = self._offsets(self._opcode(c) for c in self.opcodes)
        buffers = self._offsets([self._buffer(b) for b in self.buffers])
        graphs, text = self._offsets([graph]), fb.CreateString("nas")
        tflite.ModelStart(fb)
        tflite.ModelAddVersion(fb, 3)
        tflite.ModelAddOperatorCodes(fb, codes)
        tflite.ModelAddSubgraphs(fb, graphs)
        tflite.ModelAddDescription(fb, text)
        tflite.ModelAddBuffers(fb, buffers)
        fb.Finish(tflite.ModelEnd(fb), b"TFL3")
        return bytes(fb.Output())

    def _offsets(self, offsets):
        offsets = list(offsets)
        self.fb.StartVector(4, len(offsets), 4)
        for offset in reversed(offsets):
            self.fb.PrependUOffsetTRelative(offset)
        return self.fb.EndVector()

    def _ints(self, values):
        return self.fb.CreateNumpyVector(np.asarray(values, np.int32))

    def _buffer(self, data):
        if data is None:
            tflite.BufferStart(self.fb)
            return tflite.BufferEnd(self.fb)
        vector = self.fb.CreateNumpyVector(data.view(np.uint8).reshape(-1))
        tflite.BufferStart(self.fb)
        tflite.BufferAddData(self.fb, vector)
        return tflite.BufferEnd(self.fb)

    def _tensor(self, name, shape, dtype, buffer, quant):
        fb = self.fb
        text, dims, quantization = fb.CreateString(name), self._ints(shape), self._quantization(*quant)
        tflite.TensorStart(fb)
        tflite.TensorAddShape(fb, dims)
        tflite.TensorAddType(fb, dtype)
        tflite.TensorAddBuffer(fb, buffer)
        tflite.TensorAddName(fb, text)
        tflite.TensorAddQuantization(fb, quantization)
        return tflite.TensorEnd(fb)

    def _quantization(self, scales, zero_points, axis):
        fb = self.fb
        scale = fb.CreateNumpyVector(np.asarray(scales, np.float32))
        zero = fb.CreateNumpyVector(np.asarray(zero_points, np.int64))
        tflite.QuantizationParametersStart(fb)
        tflite.QuantizationParametersAddScale(fb, scale)
        tflite.QuantizationParametersAddZeroPoint(fb, zero)
        tflite.QuantizationParametersAddQuantizedDimension(fb, axis)
        return tflite.QuantizationParametersEnd(fb)

    def _operator(self, opcode, inputs, output, kind, options):
        fb = self.fb
        ins, outs = self._ints(inputs), self._ints([output])
        tflite.OperatorStart(fb)
        tflite.OperatorAddOpcodeIndex(fb, opcode)
        tflite.OperatorAddInputs(fb, ins)
        tflite.OperatorAddOutputs(fb, outs)
        if options is not None:
            tflite.OperatorAddBuiltinOptionsType(fb, kind)
            tflite.OperatorAddBuiltinOptions(fb, options)
        return tflite.OperatorEnd(fb)

    def _opcode(self, code):
        tflite.OperatorCodeStart(self.fb)
        tflite.OperatorCodeAddDeprecatedBuiltinCode(self.fb, min(code, 127))
        tflite.OperatorCodeAddVersion(self.fb, 3)
        tflite.OperatorCodeAddBuiltinCode(self.fb, code)
        return tflite.OperatorCodeEnd(self.fb)

    def _subgraph(self, tensors, operators, inputs, outputs):
        fb = self.fb
        ins, outs, name = self._ints(inputs), self._ints(outputs), fb.CreateString("main")
        tflite.SubGraphStart(fb)
        tflite.SubGraphAddTensors(fb, tensors)
        tflite.SubGraphAddInputs(fb, ins)
        tflite.SubGraphAddOutputs(fb, outs)
        tflite.SubGraphAddOperators(fb, operators)
        tflite.SubGraphAddName(fb, name)
        return tflite.SubGraphEnd(fb)


def _per_channel(scale, channels, axis):
    return [scale * (1 + (i % 7) / 16) for i in range(channels)], [0] * channels, axis


# -- one function per operator: (builder, layer, input tensors, output tensor, fused code) ----------
def _conv2d(b, layer, inputs, output, fused):
    source, padding = _pad(b, layer, inputs[0])
    per_group = layer.in_shapes[0][2] // layer.groups
    kernel = b.weights(f"{layer.name}/weights", (layer.out[2], *layer.kernel, per_group), 0)
    bias = b.bias(f"{layer.name}/bias", layer.out[2])
    options = b.options("Conv2DOptions", Padding=padding, **_window(layer, fused))
    b.operator(OPCODES.CONV_2D, [source, kernel, bias], output, *options)


def _depthwise(b, layer, inputs, output, fused):
    source, padding = _pad(b, layer, inputs[0])
    kernel = b.weights(f"{layer.name}/weights", (1, *layer.kernel, layer.out[2]), 3)
    bias = b.bias(f"{layer.name}/bias", layer.out[2])
    window = _window(layer, fused)
    multiplier = layer.out[2] // layer.in_shapes[0][2]
    options = b.options("DepthwiseConv2DOptions", Padding=padding, DepthMultiplier=multiplier, **window)
    b.operator(OPCODES.DEPTHWISE_CONV_2D, [source, kernel, bias], output, *options)


def _window(layer, fused):
    return {
        "StrideH": layer.stride[0],
        "StrideW": layer.stride[1],
        "DilationHFactor": layer.dilation[0],
        "DilationWFactor": layer.dilation[1],
        "FusedActivationFunction": fused,
    }


def _pad(b, layer, source):
    """Explicit padding as a PAD operator; returns the tensor to read and TFLite's padding kind."""
    if isinstance(layer.pad, str):
        return source, SAME if layer.pad == "same" else VALID
    top, left, bottom, right = layer.pad
    if not any(layer.pad):
        return source, VALID
    h, w, c = layer.in_shapes[0]
    amounts = b.constant(f"{layer.name}/pad.amounts", [[0, 0], [top, bottom], [left, right], [0, 0]])
    shape = (h + top + bottom, w + left + right, c)
    padded = b.activation(f"{layer.name}/pad", shape, b.quant(source))
    b.operator(OPCODES.PAD, [source, amounts], padded, *b.options("PadOptions"))
    return padded, VALID


def _dense(b, layer, inputs, output, fused):
    h, w, c = layer.in_shapes[0]
    source = inputs[0]
    if (h, w) != (1, 1):
        source = b.activation(f"{layer.name}/flat", (1, 1, h * w * c), b.quant(source))
        shape = b.constant(f"{layer.name}/flat.shape", [1, 1, 1, h * w * c])
        b.operator(OPCODES.RESHAPE, [inputs[0], shape], source, *b.options("ReshapeOptions"))
    kernel = b.weights(f"{layer.name}/weights", (layer.out[2], h * w * c), 0)
    bias = b.bias(f"{layer.name}/bias", layer.out[2])
    fields = {"FusedActivationFunction": fused, "KeepNumDims": True}
    b.operator(
        OPCODES.FULLY_CONNECTED,
        [source, kernel, bias],
        output,
        *b.options("FullyConnectedOptions", **fields),
    )


def _pool(code):
    def build(b, layer, inputs, output, fused):
        source, padding = _pad(b, layer, inputs[0])
        options = b.options(
            "Pool2DOptions",
            Padding=padding,
            StrideH=layer.stride[0],
            StrideW=layer.stride[1],
            FilterHeight=layer.kernel[0],
            FilterWidth=layer.kernel[1],
            FusedActivationFunction=fused,
        )
        b.operator(code, [source], output, *options)

    return build


def _elementwise(code, table):
    def build(b, layer, inputs, output, fused):
        b.operator(code, inputs, output, *b.options(table, FusedActivationFunction=fused))

    return build


def _concat(b, layer, inputs, output, fused):
    options = b.options("ConcatenationOptions", Axis=3, FusedActivationFunction=fused)
    b.operator(OPCODES.CONCATENATION, inputs, output, *options)


def _mean(b, layer, inputs, output, fused):
    axes = b.constant(f"{layer.name}/axes", [1, 2])
    b.operator(OPCODES.MEAN, [inputs[0], axes], output, *b.options("ReducerOptions", KeepDims=True))


def _resize(b, layer, inputs, output, fused):
    size = b.constant(f"{layer.name}/size", layer.out[:2])
    bilinear = layer.mode == "bilinear"
    table = "ResizeBilinearOptions" if bilinear else "ResizeNearestNeighborOptions"
    code = OPCODES.RESIZE_BILINEAR if bilinear else OPCODES.RESIZE_NEAREST_NEIGHBOR
    b.operator(code, [inputs[0], size], output, *b.options(table, AlignCorners=False))


BUILDERS = {
    "conv2d": _conv2d,
    "depthwise_conv2d": _depthwise,
    "dense": _dense,
    "add": _elementwise(OPCODES.ADD, "AddOptions"),
    "mul": _elementwise(OPCODES.MUL, "MulOptions"),
    "concat": _concat,
    "avg_pool": _pool(OPCODES.AVERAGE_POOL_2D),
    "max_pool": _pool(OPCODES.MAX_POOL_2D),
    "global_avg_pool": _mean,
    "resize": _resize,
}


# -- activations that are operators of their own ----------------------------------------------------
def _activate(b, layer, source, output):
    """Apply the layer's activation to `source`, writing the tensor `output`."""
    if layer.activation == "hard_sigmoid":
        return _hard_sigmoid(b, layer, source, output)
    code, table = {
        "relu": (OPCODES.RELU, None),
        "relu6": (OPCODES.RELU6, None),
        "hard_swish": (OPCODES.HARD_SWISH, "HardSwishOptions"),
        "sigmoid": (OPCODES.LOGISTIC, None),
    }[layer.activation]
    options = b.options(table) if table else ()
    b.operator(code, [source], output, *options)


def _hard_sigmoid(b, layer, source, output):
    """relu6(x + 3) * (1/6), the graph that Keras' hard_sigmoid becomes."""
    three = _scalar(b, f"{layer.name}/act.three", 3.0)
    sixth = _scalar(b, f"{layer.name}/act.sixth", 1.0 / 6)
    shifted = b.activation(f"{layer.name}/act.add", layer.out)
    relu6 = b.options("AddOptions", FusedActivationFunction=FUSED["relu6"])
    b.operator(OPCODES.ADD, [source, three], shifted, *relu6)
    plain = b.options("MulOptions", FusedActivationFunction=FUSED["none"])
    b.operator(OPCODES.MUL, [shifted, sixth], output, *plain)


def _scalar(b, name, value):
    return b.tensor(name, (1, 1, 1, 1), data=np.asarray([127], np.int8), quant=([value / 127], [0], 0))


def _signed_quant():
    """Range of a tensor in front of an activation: it has negative values."""
    return [12.0 / 255], [0], 0


def _output_quant(b, layer):
    """The quantisation of a layer's output; operators that only move or pick values keep their input's."""
    if layer.op in KEEP_QUANT and layer.activation == "none":
        return b.quant(b.index[layer.inputs[0]])
    if layer.activation in ("sigmoid", "hard_sigmoid"):
        return [1.0 / 256], [-128], 0
    if layer.activation in ("relu", "relu6"):
        return None
    return _signed_quant()


def _add_layer(b, layer):
    b.layer = layer.name
    inputs = [b.index[name] for name in layer.inputs]
    fused = layer.activation in FUSED and (layer.op in CAN_FUSE or layer.activation == "none")
    build = BUILDERS[layer.op]
    if fused:
        output = b.activation(layer.name, layer.out, _output_quant(b, layer))
        return build(b, layer, inputs, output, FUSED[layer.activation])
    raw = b.activation(f"{layer.name}/raw", layer.out, _signed_quant())
    build(b, layer, inputs, raw, FUSED["none"])
    _activate(b, layer, raw, b.activation(layer.name, layer.out, _output_quant(b, layer)))


def write(network, seed=0):
    """The network as the bytes of a `.tflite` file, and the layer name of each of its operators."""
    b = _Builder(seed)
    inputs = [b.activation(name, shape, _signed_quant()) for name, shape in network.inputs.items()]
    for layer in network.layers:
        _add_layer(b, layer)
    return b.finish(inputs, [b.index[name] for name in network.outputs()]), b.owners
