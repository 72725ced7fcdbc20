"""Check the measuring scripts and the committed data; a minute or two, no test framework needed.

    python check.py
"""

import csv
import gzip
import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

import networks
import tflite_writer
from measure import NPUS, layer_row
from network import NetworkError, parse, read_documents
from target import CONFIG, Target

HERE = Path(__file__).resolve().parent
SEED = 20260  # not the seed of the committed data


def one_of_each_family():
    """The first small network of each family."""
    found = {}
    for index in range(200):
        doc = networks.draw(SEED, index)
        found.setdefault(doc["name"].split(".")[1], doc)
    return list(found.values())


def a_draw_depends_on_seed_and_index_alone():
    assert networks.draw(1, 5) == networks.draw(1, 5) != networks.draw(2, 5)
    assert networks.draw_operator(1, 5) == networks.draw_operator(1, 5)


def every_layer_owns_tflite_operators():
    for doc in one_of_each_family():
        network = parse(doc)
        _, owners = tflite_writer.write(network)
        assert set(owners) == {layer.name for layer in network.layers}


def layers_sum_to_velas_total_and_names_agree_with_the_database():
    """`Target.measure` asserts the sum; tensor names are the second witness of the attribution."""
    for npu in NPUS:
        target = Target(npu)
        for doc in one_of_each_family():
            network = parse(doc)
            model, owners = tflite_writer.write(network)
            target.measure(network)
            for operator in target.compile(model).operators:
                owner = owners[operator.source]
                named = operator.name.split("/")[0]
                known = named in {layer.name for layer in network.layers}
                assert not known or named == owner, (npu, doc["name"], operator.name, owner)


def macs_of_convolutions_are_velas():
    target = Target("ethos-u55-128")
    for doc in one_of_each_family():
        network = parse(doc)
        model, owners = tflite_writer.write(network)
        counted = defaultdict(int)
        for operator in target.compile(model).operators:
            counted[owners[operator.source]] += operator.macs
        for layer in network.layers:
            if layer.op == "conv2d":
                area = layer.kernel[0] * layer.kernel[1] * layer.out[0] * layer.out[1]
                macs = area * layer.in_shapes[0][2] * layer.out[2]
                assert counted[layer.name] == macs, (layer, counted[layer.name], macs)


def the_vela_command_line_gives_the_same_cycles():
    doc = one_of_each_family()[0]
    for npu in NPUS:
        target = Target(npu)
        model, _ = tflite_writer.write(parse(doc))
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.tflite"
            path.write_bytes(model)
            command = [sys.executable, "-m", "ethosu.vela", str(path), "--output-dir", folder]
            command += ["--config", CONFIG, "--accelerator-config", target.npu]
            command += ["--system-config", target.system_config, "--memory-mode", target.memory_mode]
            subprocess.run(command, check=True, capture_output=True)
            (summary,) = Path(folder).glob("*summary*.csv")
            with open(summary, newline="", encoding="utf-8") as file:
                (row,) = csv.DictReader(file)
        cycles = round(float(row["inference_time"]) * target.clock_hz)
        ours = target.compile(model).total_cycles
        assert abs(cycles - ours) <= 1e-6 * ours, (npu, cycles, ours)


def a_network_that_cannot_be_read_is_refused():
    good = networks.draw(1, 0)
    layer = good["layers"][0]
    for bad in (
        {"schema": "other/1"},
        {"layers": [layer, layer]},
        {"layers": [layer | {"op": "conv9"}]},
        {"layers": [layer | {"inputs": ["nowhere"]}]},
        {"layers": [layer | {"activation": "gelu"}]},
    ):
        try:
            parse(good | bad)
        except NetworkError:
            continue
        raise AssertionError(f"accepted {bad}")


def rows_of(npu):
    with gzip.open(HERE / f"{npu}.csv.gz", "rt", newline="") as file:
        return list(csv.DictReader(file))


def committed_rows_join_with_the_networks_and_add_up():
    docs = read_documents(HERE / "networks.jsonl.gz")
    targets = json.loads((HERE / "targets.json").read_text(encoding="utf-8"))
    for npu, about in targets.items():
        rows, layers, totals, isolated = rows_of(npu), defaultdict(list), {}, 0
        for row in rows:
            assert float(row["latency_us"]) >= 0, row
            if row["op"] == "network":
                totals[row["network"]] = float(row["latency_us"])
            elif row["network"]:
                layers[row["network"]].append(row)
            else:
                isolated += 1
        assert (len(rows), isolated, len(totals)) == (about["rows"], about["operators"], about["networks"])
        assert list(layers) == [doc["name"] for doc in docs] == list(totals)
        for doc in docs:
            _check_network(parse(doc), layers[doc["name"]], totals[doc["name"]])


def _check_network(network, rows, total):
    for layer, row in zip(network.layers, rows, strict=True):
        described = {key: str(value) for key, value in layer_row(layer).items()}
        assert row["layer"] == layer.name and described.items() <= row.items(), (network.name, row)
    summed = sum(float(row["latency_us"]) for row in rows)
    assert abs(summed - total) <= 0.005 * (len(rows) + 1), (network.name, summed, total)


CHECKS = (
    a_draw_depends_on_seed_and_index_alone,
    every_layer_owns_tflite_operators,
    a_network_that_cannot_be_read_is_refused,
    macs_of_convolutions_are_velas,
    layers_sum_to_velas_total_and_names_agree_with_the_database,
    the_vela_command_line_gives_the_same_cycles,
    committed_rows_join_with_the_networks_and_add_up,
)


def main():
    failed = 0
    for check in CHECKS:
        name = check.__name__.replace("_", " ")
        try:
            check()
        except AssertionError as error:
            failed += 1
            print(f"FAILED  {name}: {error}")
        else:
            print(f"ok      {name}", flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
