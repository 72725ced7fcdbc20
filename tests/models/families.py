"""What `nas import` says of the families that users bring, as a table in Markdown.

    python3 -m pip install -r requirements.txt && cargo build --release && python3 families.py [NAME...]

Each network of torchvision (`tv/`) or timm is exported by the TorchScript exporter at 224x224 with random weights, imported with
channels in multiples of 8 (of 1 where that differs), and its baseline compared with the model by `nas` itself.
"""

import os
import re
import subprocess
import sys
import tempfile

import onnx
import timm
import torchvision
from make import script, seeded

NAS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../target/release/nas")

NAMES = """
tv/mobilenet_v2 tv/mobilenet_v3_small tv/mobilenet_v3_large tv/mnasnet0_5 tv/mnasnet1_0
tv/efficientnet_b0 tv/efficientnet_b3 tv/efficientnet_v2_s
tv/resnet18 tv/resnet34 tv/resnet50 tv/resnet101 tv/wide_resnet50_2 tv/resnext50_32x4d
tv/regnet_x_400mf tv/regnet_y_400mf tv/regnet_y_8gf
tv/shufflenet_v2_x1_0 tv/vgg11 tv/vgg16_bn tv/squeezenet1_1 tv/densenet121 tv/googlenet tv/convnext_tiny tv/vit_b_16
tv/segmentation.lraspp_mobilenet_v3_large tv/segmentation.deeplabv3_mobilenet_v3_large
mobilenetv1_100 mobilenet_edgetpu_100 mobilenetv4_conv_small mobilenetv4_hybrid_medium
efficientnet_es efficientnet_lite0 tf_efficientnet_b0 tf_efficientnetv2_b0 fbnetc_100 fbnetv3_b spnasnet_100
semnasnet_100 mixnet_s tinynet_e lcnet_100 ghostnet_100 hardcorenas_a resnet26d seresnet18 resnetv2_50 rexnet_100
repvgg_a0 mobileone_s0 regnetz_005 convnext_atto
""".split()


def network(name):
    if name.startswith("tv/"):
        make = torchvision.models
        for part in name[3:].split("."):
            make = getattr(make, part)
        options = {"aux_logits": False, "init_weights": False} if name == "tv/googlenet" else {}
        if "segmentation" in name:
            options = {"weights_backbone": None}
        return seeded(make, **options)
    return seeded(timm.create_model, name)


def said(path, parallelism):
    """What `nas import` says: its differences, or its refusal."""
    command = [NAS, "import", path, "--parallelism", str(parallelism), "-o", path + ".json", "--force"]
    run = subprocess.run(command, capture_output=True, text=True)
    if run.returncode:
        return None, run.stderr.strip()
    return [line for line in run.stderr.splitlines() if line.startswith("differs:")], run.stdout.strip()


def row(name, folder):
    path = os.path.join(folder, name.replace("/", "-").replace(".", "-") + ".onnx")
    onnx.save(script(network(name), 17), path)
    for parallelism in (8, 1):
        differences, text = said(path, parallelism)
        if not differences:
            break
    if differences is None:
        reason = re.sub(r"\s+", " ", text).replace(folder + "/", "")
        return f"| {name} | refused | {reason[:400]} |"
    counts = re.search(r"architectures around \S+ \((.*)\)", text)
    blocks = counts.group(1) if counts else ""
    if differences:
        return f"| {name} | {len(differences)} differences | {blocks}; {'; '.join(differences)[9:300]} |"
    return f"| {name} | exactly | {blocks}{'' if parallelism == 8 else '; --parallelism 1'} |"


def main():
    print("| network | imports | blocks, or why not |\n|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for name in sys.argv[1:] or NAMES:
            try:
                print(row(name, folder), flush=True)
            except Exception as error:  # What an exporter cannot write is no reason to stop.
                print(f"| {name} | not exported | {str(error).splitlines()[0][:200]} |", flush=True)


if __name__ == "__main__":
    main()
