"""Makes the models that tests/onnx.rs reads: python3 -m pip install -r requirements.txt && python3 make.py

Each is a network of torchvision or timm as an exporter writes it, without its weights: every tensor of floats
(and of quantised weights) that has more than one element points into a file that is not there. Sides, integers
and bounds stay, which is all that a reader of costs needs. The same versions write the same bytes.
"""

import os
import random
import tempfile
import warnings

import numpy
import onnx
import timm
import torch
import torchvision
from onnx import TensorProto, numpy_helper

warnings.filterwarnings("ignore")
HERE = os.path.dirname(os.path.abspath(__file__))
FLOATS = (TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.DOUBLE)


def strip(tensor):
    count = int(numpy.prod(tensor.dims)) if tensor.dims else 1
    if count <= 1 or (tensor.data_type not in FLOATS and count <= 64):
        return
    kept = (list(tensor.dims), tensor.data_type, tensor.name)
    tensor.Clear()
    tensor.dims.extend(kept[0])
    tensor.data_type, tensor.name = kept[1], kept[2]
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="w")


def strip_graph(graph):
    graph.doc_string = ""
    del graph.value_info[:]
    del graph.metadata_props[:]
    for tensor in graph.initializer:
        strip(tensor)
    strip_nodes(graph.node)


def strip_nodes(nodes):
    for node in nodes:
        node.doc_string = ""
        del node.metadata_props[:]
        for attribute in node.attribute:
            if attribute.HasField("t"):
                strip(attribute.t)
            if attribute.HasField("g"):
                strip_graph(attribute.g)


def rename(graph, names):
    """Short names for values, so that the files are small; nodes keep theirs."""
    short = lambda name: names.setdefault(name, f"v{len(names)}") if name else ""
    for tensor in graph.initializer:
        tensor.name = short(tensor.name)
    for value in list(graph.input) + list(graph.output):
        value.name = short(value.name)
    for node in graph.node:
        node.input[:] = [short(name) for name in node.input]
        node.output[:] = [short(name) for name in node.output]
        for attribute in node.attribute:
            if attribute.HasField("g"):
                rename(attribute.g, names)


def save(model, name):
    strip_graph(model.graph)
    rename(model.graph, {"picture": "picture", "answers": "answers"})
    model.doc_string = ""
    del model.metadata_props[:]
    for function in model.functions:
        function.doc_string = ""
        del function.metadata_props[:]
        del function.value_info[:]
        strip_nodes(function.node)
    path = os.path.join(HERE, name + ".onnx")
    with open(path, "wb") as file:
        file.write(model.SerializeToString(deterministic=True))
    print(f"{os.path.getsize(path):7} {name}")


def script(net, opset, fold=True, axes=None, half=False, constants=False):
    """The TorchScript exporter; without `fold`, batch-norms stay nodes of their own."""
    net = net.eval()
    picture = torch.zeros(1, 3, 224, 224)
    if half:
        net, picture = net.half(), picture.half()
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.onnx")
        torch.onnx.export(
            net,
            (picture,),
            path,
            dynamo=False,
            opset_version=opset,
            input_names=["picture"],
            output_names=["answers"],
            do_constant_folding=fold,
            training=torch.onnx.TrainingMode.EVAL if fold else torch.onnx.TrainingMode.PRESERVE,
            dynamic_axes=axes,
            keep_initializers_as_inputs=constants,
        )
        return onnx.load(path)


def dynamo(net, shapes=None, optimize=True):
    """The exporter on torch.export, which writes weights into a file beside the model."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.onnx")
        torch.onnx.export(
            net.eval(),
            (torch.zeros(2 if shapes else 1, 3, 224, 224),),
            path,
            dynamo=True,
            external_data=True,
            optimize=optimize,
            input_names=["picture"],
            output_names=["answers"],
            dynamic_shapes=shapes,
            verbose=False,
        )
        return onnx.load(path)


def quantised(net):
    """ONNX Runtime's static quantisation to int8, as QuantizeLinear and DequantizeLinear pairs."""
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Noise(CalibrationDataReader):
        def __init__(self):
            rng = numpy.random.default_rng(0)
            shape = (1, 3, 224, 224)
            self.left = [{"picture": rng.standard_normal(shape, dtype=numpy.float32)} for _ in range(2)]

        def get_next(self):
            return self.left.pop() if self.left else None

    with tempfile.TemporaryDirectory() as folder:
        paths = [os.path.join(folder, name) for name in ("float.onnx", "ready.onnx", "int8.onnx")]
        onnx.save(script(net, 17), paths[0])
        quant_pre_process(paths[0], paths[1])
        quantize_static(
            paths[1],
            paths[2],
            Noise(),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QInt8,
            weight_type=QuantType.QInt8,
        )
        return onnx.load(paths[2])


class Unusual(torch.nn.Module):
    """A layer that the reader has no operator for, between layers that it has."""

    def __init__(self):
        super().__init__()
        self.before = torch.nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.up = torch.nn.ConvTranspose2d(8, 8, 2, stride=2)
        self.after = torch.nn.Conv2d(8, 8, 3, padding=1)

    def forward(self, picture):
        return self.after(self.up(self.before(picture)).relu())


def seeded(make, *names, **options):
    torch.manual_seed(0)
    net = make(*names, **options)
    for module in net.modules():
        # As after training: an exporter leaves out a bias that is zero.
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.bias, -0.5, 0.5)
            torch.nn.init.uniform_(module.running_mean, -0.5, 0.5)
        elif isinstance(module, (torch.nn.Conv2d, torch.nn.Linear)) and module.bias is not None:
            torch.nn.init.uniform_(module.bias, -0.5, 0.5)
    return net


def main():
    random.seed(0)
    tv = torchvision.models
    sides = {"picture": {0: "batch", 2: "height", 3: "width"}, "answers": {0: "batch"}}

    def v2():
        return seeded(tv.mobilenet_v2)

    def v3():
        return seeded(tv.mobilenet_v3_small)

    save(script(v2(), 17), "mobilenet_v2-script17")
    save(script(v2(), 9, fold=False, constants=True), "mobilenet_v2-script9-batchnorm-ir3")
    save(script(v2(), 11, fold=False), "mobilenet_v2-script11-batchnorm")
    save(script(v2(), 13, axes=sides), "mobilenet_v2-script13-open-sides")
    save(script(v2(), 17, half=True), "mobilenet_v2-script17-fp16")
    save(quantised(v2()), "mobilenet_v2-qdq-int8")
    save(dynamo(v2()), "mobilenet_v2-dynamo")
    save(dynamo(v2(), {"x": {0: torch.export.Dim("batch")}}), "mobilenet_v2-dynamo-open-batch")
    save(dynamo(v2(), optimize=False), "mobilenet_v2-dynamo-unoptimised")
    save(script(v3(), 17), "mobilenet_v3_small-script17")
    save(script(v3(), 9, fold=False), "mobilenet_v3_small-script9-batchnorm")
    save(script(v3(), 13), "mobilenet_v3_small-script13")
    save(dynamo(v3()), "mobilenet_v3_small-dynamo")
    for name in ("mobilenetv1_100", "mobilenet_edgetpu_100", "efficientnet_es"):
        save(script(seeded(timm.create_model, name), 17), name)
    lite = seeded(timm.create_model, "tf_efficientnet_lite0")
    save(script(lite, 13, axes=sides), "tf_efficientnet_lite0-same-padding-open-sides")
    save(script(seeded(tv.shufflenet_v2_x0_5), 13), "shufflenet_v2_x0_5")
    save(script(seeded(tv.efficientnet_b0), 17), "efficientnet_b0")
    save(script(seeded(tv.resnet18), 17), "resnet18")
    save(dynamo(seeded(tv.resnet50)), "resnet50-dynamo")
    save(script(seeded(tv.resnext50_32x4d), 17), "resnext50_32x4d")
    save(script(seeded(tv.regnet_y_400mf), 17), "regnet_y_400mf")
    save(script(seeded(Unusual), 17), "unusual")


if __name__ == "__main__":
    main()
