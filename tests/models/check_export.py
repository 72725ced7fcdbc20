#!/usr/bin/env python3
"""Checks what `nas export` writes with readers that are not ours.

    python3 -m venv venv && venv/bin/pip install onnx onnxruntime torch onnxscript
    venv/bin/python tests/models/check_export.py target/release/nas SPACE_OR_REPORT...

Of a space (nas.space/1) a few samples are taken, of a report (nas.report/1) the baseline and all entries. Each is
exported as ONNX in several operator sets, with batch-norm present and folded, and checked: onnx.checker in full with
strict shape inference, the shapes and MACs that follow from it against `nas estimate`, and a run of ONNX Runtime with
finite answers of the predicted shapes, which must be alike in all operator sets. The PyTorch module is imported, run,
its params are counted, and it is exported to ONNX again, with the same convolutions in the same order. With the same
weights PyTorch and ONNX Runtime must answer alike.
"""

import importlib.util
import json
import pathlib
import subprocess
import sys
import tempfile
import warnings

import numpy
import onnx
import onnxruntime
import torch
from onnx import numpy_helper

warnings.filterwarnings("ignore")
OPSETS = [11, 13, 14, 17, 18, 20, 21, 23]


def nas(binary, *arguments):
    return subprocess.run([binary, *map(str, arguments)], check=True, capture_output=True, text=True).stdout


def subjects(binary, path, folder):
    """Pairs of what to export and the network as nas describes it."""
    text = json.loads(pathlib.Path(path).read_text())
    if text["schema"] == "nas.report/1":
        names = ["baseline", *map(str, range(len(text["front"])))]
        entries = [text["baseline"], *text["front"]]
        return [(f"{path}#{name}", entry["network"]) for name, entry in zip(names, entries)]
    lines = nas(binary, "space", path, "--samples", 4, "--format", "jsonl").splitlines()
    found = []
    for index, line in enumerate(lines):
        file = folder / f"sample-{index}.json"
        file.write_text(line)
        found.append((file, json.loads(line)))
    return found


def shapes(graph):
    infos = [*graph.input, *graph.output, *graph.value_info]
    sides = {info.name: [d.dim_value for d in info.type.tensor_type.shape.dim] for info in infos}
    return sides | {tensor.name: list(tensor.dims) for tensor in graph.initializer}


def convolutions(model):
    """What each convolution and dense layer is: weights, stride, groups, and the shape that it writes."""
    known = shapes(model.graph)
    found = []
    for node in model.graph.node:
        if node.op_type in ("Conv", "Gemm"):
            attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
            strides = list(attributes.get("strides", []))
            found.append((known[node.input[1]], strides, attributes.get("group", 1), known[node.output[0]]))
    return found


def macs(model):
    return sum(int(numpy.prod(weights)) * int(numpy.prod(output[2:])) for weights, _, _, output in convolutions(model))


def check_onnx(model, network, estimate):
    onnx.checker.check_model(model, full_check=True)
    bare = onnx.ModelProto()
    bare.CopyFrom(model)
    said = shapes(model.graph)
    del bare.graph.value_info[:]
    bare = onnx.shape_inference.infer_shapes(bare, check_type=True, strict_mode=True, data_prop=True)
    inferred = shapes(bare.graph)
    for layer in network["layers"]:
        assert said[layer["name"]] == inferred[layer["name"]], layer["name"]
    assert macs(bare) == estimate["macs"], (macs(bare), estimate["macs"])


def run(model, picture):
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    outputs = session.run(None, {"input": picture})
    known = shapes(model.graph)
    for info, output in zip(session.get_outputs(), outputs):
        assert list(output.shape) == known[info.name], info.name
        assert numpy.isfinite(output).all(), info.name
    return outputs


def load(path):
    spec = importlib.util.spec_from_file_location("exported", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def alike(a, b):
    """The largest difference, as a share of the largest answer."""
    return max(float(numpy.abs(x - y).max() / max(numpy.abs(x).max(), 1e-9)) for x, y in zip(a, b, strict=True))


def check_torch(module, model, picture, estimate):
    """Params, answers with the ONNX model's weights, and the module's own export."""
    network = module.Network().eval()
    assert network.params() == estimate["params"], (network.params(), estimate["params"])
    trained = [numpy_helper.to_array(t) for t in model.graph.initializer if t.name.endswith((".weight", ".bias"))]
    order = {id(m): m for m in network.modules()}
    with torch.no_grad():
        by_call = []
        hooks = [
            m.register_forward_hook(lambda m, i, o: by_call.append(m))
            for m in order.values()
            if isinstance(m, (torch.nn.Conv2d, torch.nn.Linear))
        ]
        network(torch.from_numpy(picture))
        for hook in hooks:
            hook.remove()
        values = iter(trained)
        for m in by_call:
            for parameter in [m.weight, *([m.bias] if m.bias is not None else [])]:
                parameter.copy_(torch.from_numpy(next(values).copy()))
        outputs = network(torch.from_numpy(picture))
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    outputs = [output.numpy() for output in outputs]
    assert next(values, None) is None, "weights left over"
    difference = alike(run(model, picture), outputs)
    assert difference < 1e-3, difference
    return network, difference


def check_reexport(network, picture, model, folder):
    again = folder / "again.onnx"
    torch.onnx.export(network, (torch.from_numpy(picture),), again, opset_version=18, verbose=False, dynamo=True)
    exported = onnx.shape_inference.infer_shapes(onnx.load(again), data_prop=True)
    ours, theirs = convolutions(onnx.shape_inference.infer_shapes(model)), convolutions(exported)
    assert [(w, g) for w, _, g, _ in ours] == [(w, g) for w, _, g, _ in theirs]
    assert [o for _, _, _, o in ours] == [o for _, _, _, o in theirs]


def check(binary, subject, network, folder):
    estimator = pathlib.Path(__file__).parents[2] / "estimators" / "ethos-u55-128.json"
    estimate = json.loads(nas(binary, "estimate", subject, "-e", estimator, "--format", "json"))
    sides = network["input"]
    picture = numpy.random.default_rng(1).standard_normal((1, sides["c"], sides["h"], sides["w"])).astype("float32")
    file, answers, worst = folder / "model.onnx", None, 0.0
    for opset in OPSETS:
        for norm in ("folded", "present"):
            nas(binary, "export", subject, "-o", file, "--opset", opset, "--batch-norm", norm, "--force")
            model = onnx.load(file)
            check_onnx(model, network, estimate)
            answer = run(model, picture)
            answers = answers or answer
            # Weights do not depend on the operator set, and batch-norm starts as 1 / sqrt(1 + 1e-5).
            assert alike(answers, answer) < 0.01, (opset, norm, alike(answers, answer))
    nas(binary, "export", subject, "-o", file, "--force")
    model = onnx.load(file)
    for norm in ("folded", "present"):
        source = folder / f"model_{norm}.py"
        nas(binary, "export", subject, "-o", source, "--batch-norm", norm, "--force")
        module = load(source)
        if norm == "folded":
            torch_network, worst = check_torch(module, model, picture, estimate)
            check_reexport(torch_network, picture, model, folder)
        else:
            trained = module.Network().train()
            assert trained.params() == estimate["params"], (trained.params(), estimate["params"])
            outputs = trained(torch.from_numpy(numpy.concatenate([picture, picture])))
            outputs = outputs if isinstance(outputs, tuple) else (outputs,)
            sum(output.float().square().mean() for output in outputs).backward()
            assert all(p.grad is not None and p.grad.isfinite().all() for p in trained.parameters())
    print(f"ok {subject}: {estimate['macs']:,} MACs, {estimate['params']:,} params, "
          f"PyTorch and ONNX Runtime differ by {worst:.1e}")


def main():
    binary, *paths = sys.argv[1:]
    for path in paths:
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            for subject, network in subjects(binary, path, folder):
                check(binary, subject, network, folder)


if __name__ == "__main__":
    main()
