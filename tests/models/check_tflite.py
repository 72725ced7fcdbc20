#!/usr/bin/env python3
"""Checks the TFLite models that `nas export` writes with readers that are not ours.

    python3 -m venv venv && venv/bin/pip install ai-edge-litert onnxruntime tflite
    venv/bin/python tests/models/check_tflite.py target/release/nas SPACE_OR_REPORT_OR_MODEL...

Of a space (nas.space/1) a few samples are taken, of a report (nas.report/1) the baseline and all entries; a network
(.json) or ONNX model is taken as it is. Each is exported as int8 and as fp32. Checked are: the file itself (data at
multiples of sixteen bytes, MACs from weights and shapes against `nas estimate`), that the LiteRT interpreter allocates
and runs it, with its own kernels and with the reference kernels; that every layer's tensor has the predicted shape; that
fp32 answers like ONNX Runtime on the ONNX model of the same seed (but for bilinear resizing, since TFLite's goes without
half-pixel centres); and that the tensors of int8 follow those of fp32. Rounding adds up along an untrained network, so that
is asked of the first layers, and told of the answers.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

import numpy
import onnxruntime
import tflite
from ai_edge_litert.interpreter import Interpreter, OpResolverType

ESTIMATOR = pathlib.Path(__file__).parents[2] / "estimators" / "ethos-u55-128.json"
TRAINED = {tflite.BuiltinOperator.CONV_2D, tflite.BuiltinOperator.DEPTHWISE_CONV_2D, tflite.BuiltinOperator.FULLY_CONNECTED}


def nas(binary, *arguments):
    return subprocess.run([binary, *map(str, arguments)], check=True, capture_output=True, text=True).stdout


def subjects(binary, path, folder):
    """What to export, by the name that nas takes."""
    text = json.loads(pathlib.Path(path).read_text()) if not path.endswith(".onnx") else {"schema": "onnx"}
    if text["schema"] == "nas.report/1":
        return [f"{path}#{name}" for name in ["baseline", *range(len(text["front"]))]]
    if text["schema"] != "nas.space/1":
        return [path]
    found = []
    for index, line in enumerate(nas(binary, "space", path, "--samples", 4, "--format", "jsonl").splitlines()):
        found.append(folder / f"sample-{index}.json")
        found[-1].write_text(line)
    return found


def check_file(data, estimate):
    """The table of outputs by name, after a look at the bytes."""
    assert tflite.Model.ModelBufferHasIdentifier(data, 0)
    model = tflite.Model.GetRootAsModel(data, 0)
    assert (model.Version(), model.SubgraphsLength(), model.Buffers(0).DataLength()) == (3, 1, 0)
    for index in range(model.BuffersLength()):
        buffer = model.Buffers(index)
        if buffer.DataLength():
            start = buffer._tab.Vector(buffer._tab.Offset(4))
            assert start % 16 == 0, (index, start)
    graph = model.Subgraphs(0)
    tensors = [graph.Tensors(index) for index in range(graph.TensorsLength())]
    names = [tensor.Name() for tensor in tensors]
    assert len(set(names)) == len(names)
    macs, codes = 0, set()
    for index in range(graph.OperatorsLength()):
        operator = graph.Operators(index)
        code = model.OperatorCodes(operator.OpcodeIndex()).BuiltinCode()
        codes.add(code)
        if code in TRAINED:
            weights, output = tensors[operator.Inputs(1)], tensors[operator.Outputs(0)]
            macs += int(numpy.prod(weights.ShapeAsNumpy())) * int(numpy.prod(output.ShapeAsNumpy()[1:3]))
    assert macs == estimate["macs"], (macs, estimate["macs"])
    return codes


def run(data, picture, kernels=OpResolverType.BUILTIN_REF):
    """What each layer writes, by name, as real numbers in the order of execution; and the names of the answers."""
    keep = kernels == OpResolverType.BUILTIN_REF
    interpreter = Interpreter(model_content=data, experimental_op_resolver_type=kernels, num_threads=1,
                              experimental_preserve_all_tensors=keep)
    interpreter.allocate_tensors()
    [asked] = interpreter.get_input_details()
    scale, zero = asked["quantization"]
    fed = picture.transpose(0, 2, 3, 1)
    if scale:
        fed = numpy.clip(numpy.rint(fed / scale) + zero, -128, 127)
    interpreter.set_tensor(asked["index"], fed.astype(asked["dtype"]))
    interpreter.invoke()
    answers = [told["name"] for told in interpreter.get_output_details()]
    found = {}
    for told in interpreter.get_tensor_details():
        if keep and len(told["shape"]) == 4 or told["name"] in answers:
            (scale, zero), numbers = told["quantization"], interpreter.get_tensor(told["index"]).astype("float32")
            found[told["name"]] = (numbers - zero) * scale if scale else numbers
    return found, answers


def follows(eight, exact):
    """The correlation of int8 numbers with what they stand for, as far as eight bits reach."""
    exact = numpy.clip(exact, eight.min(), eight.max())
    return float(numpy.corrcoef(eight.ravel(), exact.ravel())[0, 1]) if eight.std() and exact.std() else 0.0


def onnx(path, picture):
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, {"input": picture})))


def check(binary, subject, folder):
    estimate = json.loads(nas(binary, "estimate", subject, "-e", ESTIMATOR, "--format", "json"))
    network = estimate["network"]
    sides = network["input"]
    picture = numpy.random.default_rng(1).uniform(-3, 3, (1, sides["c"], sides["h"], sides["w"])).astype("float32")
    data = {}
    for dtype in ("int8", "fp32"):
        file = folder / f"{dtype}.tflite"
        nas(binary, "export", subject, "-o", file, "--dtype", dtype, "--force")
        data[dtype] = file.read_bytes()
        codes = check_file(data[dtype], estimate)
    (eight, answers), (exact, _) = run(data["int8"], picture), run(data["fp32"], picture)
    for layer in network["layers"]:
        assert eight[layer["name"]].shape == exact[layer["name"]].shape, layer["name"]
        assert numpy.isfinite(exact[layer["name"]]).all(), layer["name"]
    early = {layer["name"]: follows(eight[layer["name"]], exact[layer["name"]]) for layer in network["layers"][:6]}
    assert min(early.values()) > 0.9, early
    late = [follows(eight[name], exact[name]) for name in answers if eight[name].size > 64]
    for dtype in ("int8", "fp32"):
        fast, again = run(data[dtype], picture, OpResolverType.AUTO)
        assert again == answers and all(len(numpy.unique(fast[name])) > 1 for name in answers), answers
    file = folder / "model.onnx"
    nas(binary, "export", subject, "-o", file, "--force")
    expected, worst = onnx(str(file), picture), 0.0
    assert list(expected) == answers, (list(expected), answers)
    for name, answer in expected.items():
        told = exact[name].transpose(0, 3, 1, 2).reshape(answer.shape)
        worst = max(worst, float(numpy.abs(told - answer).max() / max(numpy.abs(answer).max(), 1e-9)))
    bilinear = tflite.BuiltinOperator.RESIZE_BILINEAR in codes
    assert bilinear or worst < 1e-3, worst
    unlike = "are not compared (bilinear)" if bilinear else f"differ by {worst:.1e}"
    late = f", answers {min(late):.2f}" if late else ""
    print(f"ok {subject}: {estimate['macs']:,} MACs; in fp32 LiteRT and ONNX Runtime {unlike}; int8 follows fp32: "
          f"first layers {min(early.values()):.3f}{late}")


def main():
    binary, *paths = sys.argv[1:]
    for path in paths:
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            for subject in subjects(binary, path, folder):
                check(binary, subject, folder)


if __name__ == "__main__":
    main()
