"""Sweep operators and whole networks through Vela and write the measurement CSVs that `nas fit` reads.

    python measure.py                                  # the committed data: three NPUs, about half an hour on two cores
    python measure.py --npu ethos-u55-256 --seed 7 --networks 200 --operators 1500 --out DIR

For each NPU it writes `<npu>.csv.gz` with isolated operators (no `network`), whole networks layer by layer,
and one `op=network` row for each network; beside them `networks.jsonl.gz` (the same networks for all NPUs)
and `targets.json`. The latencies are the compiler's cycle estimates divided by the clock, NOT SILICON.

Results so far are kept in `--state`, so a sweep that was interrupted goes on where it stopped. The output
depends only on the arguments and on the version of Vela, not on the number of processes.
"""

import argparse
import contextlib
import csv
import gzip
import hashlib
import io
import json
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import networks
from network import parse
from target import Target

HERE = Path(__file__).resolve().parent
NPUS = ("ethos-u55-128", "ethos-u65-512", "ethos-u85-2048")
STATEMENT = "compiler cycle estimates, not silicon"
COLUMNS = (
    "op", "in_h", "in_w", "cin", "cout", "kernel", "stride", "groups", "activation", "out_h", "out_w",
    "network", "layer", "latency_us", "dtype", "device",
)  # fmt: skip
BATCH = {"operators": 50, "networks": 4}


# -- work: one batch of operators or networks on one NPU ----------------------------------------------
def draw(kind, seed, index):
    """The network object of one item and its extra inputs."""
    if kind == "operators":
        return networks.draw_operator(seed, index)
    return networks.draw(seed, index), {}


_target = None


def start_worker(*target):
    global _target
    _target = Target(*target)


def run_batch(kind, seed, indices):
    """Cycles per layer, in order, for each item."""
    return [(kind, index, _cycles(kind, seed, index)) for index in indices]


def _cycles(kind, seed, index):
    layers, _ = _target.measure(parse(*draw(kind, seed, index)))
    return list(layers.values())


class State:
    """Results of one NPU so far, one JSON line an item; a torn last line is measured again."""

    def __init__(self, folder, target, seed):
        sources = [HERE / name for name in ("networks.py", "network.py", "tflite_writer.py")]
        key = json.dumps([target.describe(), seed]).encode() + b"".join(p.read_bytes() for p in sources)
        self.path = folder / f"{target.npu}.{hashlib.sha256(key).hexdigest()[:12]}.jsonl"
        self.done = {}
        folder.mkdir(parents=True, exist_ok=True)
        if self.path.exists():
            self._load()

    def _load(self):
        for line in self.path.read_text(encoding="utf-8").split("\n"):
            with contextlib.suppress(json.JSONDecodeError):
                kind, index, cycles = json.loads(line)
                self.done[kind, index] = cycles

    def add(self, results):
        with open(self.path, "a", encoding="utf-8") as file:
            for kind, index, cycles in results:
                self.done[kind, index] = cycles
                file.write("\n" + json.dumps([kind, index, cycles], separators=(",", ":")))


def measure(target, counts, seed, folder, jobs):
    """Cycles per layer of every item, by (kind, index)."""
    state = State(folder, target, seed)
    batches = []
    for kind, count in counts.items():
        missing = [i for i in range(count) if (kind, i) not in state.done]
        batches += [(kind, missing[i : i + BATCH[kind]]) for i in range(0, len(missing), BATCH[kind])]
    started = time.monotonic()
    arguments = (target.npu, target.system_config, target.memory_mode)
    with ProcessPoolExecutor(jobs, initializer=start_worker, initargs=arguments) as pool:
        waiting = [pool.submit(run_batch, kind, seed, indices) for kind, indices in batches]
        for number, future in enumerate(waiting, 1):
            state.add(future.result())
            if number % 20 == 0 or number == len(batches):
                note(f"{target.npu}: {number}/{len(batches)} batches, {time.monotonic() - started:.0f} s")
    return state.done


def note(text):
    print(text, file=sys.stderr, flush=True)


# -- rows ----------------------------------------------------------------------------------------------
def size_text(pair):
    """3 for a square window, 3x1 for another."""
    return pair[0] if pair[0] == pair[1] else f"{pair[0]}x{pair[1]}"


def layer_row(layer):
    """The columns that describe a layer; `concat` counts the channels of all its inputs."""
    h, w, c = layer.in_shapes[0]
    cin = sum(s[2] for s in layer.in_shapes) if layer.op == "concat" else c
    return {
        "op": layer.op, "in_h": h, "in_w": w, "cin": cin, "cout": layer.out[2],
        "kernel": size_text(layer.kernel), "stride": size_text(layer.stride),
        "groups": cin if layer.op == "depthwise_conv2d" else layer.groups,
        "activation": layer.activation, "out_h": layer.out[0], "out_w": layer.out[1],
    }  # fmt: skip


def latency(target, cycles):
    return {"latency_us": f"{cycles * 1e6 / target.clock_hz:.2f}"}


def network_rows(target, network, cycles):
    """A network's layers in execution order, then its total."""
    named = {"network": network.name}
    for layer, count in zip(network.layers, cycles, strict=True):
        yield layer_row(layer) | named | {"layer": layer.name} | latency(target, count)
    yield {"op": "network"} | named | latency(target, sum(cycles))


def rows(target, counts, seed, cycles):
    """Isolated operators first, then the networks."""
    for index in range(counts["operators"]):
        (layer,) = parse(*draw("operators", seed, index)).layers
        yield layer_row(layer) | latency(target, sum(cycles["operators", index]))
    for index in range(counts["networks"]):
        yield from network_rows(target, parse(draw("networks", seed, index)[0]), cycles["networks", index])


# -- files -----------------------------------------------------------------------------------------------
def write_whole(path, data):
    """Write beside, then rename: a reader never sees half a file."""
    beside = path.with_name(path.name + ".new")
    beside.write_bytes(data)
    os.replace(beside, path)
    note(f"{path.name}: {len(data):,} bytes")


def packed(text):
    return gzip.compress(text.encode(), compresslevel=9, mtime=0)


def write_csv(path, target, lines):
    text, total = io.StringIO(), 0
    writer = csv.DictWriter(text, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    for total, row in enumerate(lines, 1):
        writer.writerow(row | {"dtype": "int8", "device": target.npu})
    write_whole(path, packed(text.getvalue()))
    return total


def write_networks(path, count, seed):
    docs = (networks.draw(seed, index) for index in range(count))
    write_whole(path, packed("".join(json.dumps(d, separators=(",", ":")) + "\n" for d in docs)))


def update_targets(path, target, about):
    """One entry an NPU; entries of other NPUs stay."""
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    known[target.npu] = {"statement": STATEMENT} | target.describe() | about
    write_whole(path, (json.dumps(dict(sorted(known.items())), indent=1) + "\n").encode())


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--npu", action="append", help=f"accelerator, repeatable (default {', '.join(NPUS)})")
    parser.add_argument("--system-config", help="section of Vela's Arm/vela.ini (default: see target.py)")
    parser.add_argument("--memory-mode", help="section of Vela's Arm/vela.ini (default: see target.py)")
    parser.add_argument("--networks", type=int, default=600, help="whole networks (default 600)")
    parser.add_argument("--operators", type=int, default=4000, help="isolated operators (default 4000)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the draw (default 1)")
    parser.add_argument("--jobs", type=int, default=2, help="processes (default 2)")
    parser.add_argument("--out", type=Path, default=HERE, help="where the files go (default: this folder)")
    parser.add_argument("--state", type=Path, help="where partial results are kept (default OUT/.state)")
    return parser.parse_args()


def main():
    args = arguments()
    counts = {"operators": args.operators, "networks": args.networks}
    args.out.mkdir(parents=True, exist_ok=True)
    for npu in args.npu or NPUS:
        target = Target(npu, args.system_config, args.memory_mode)
        cycles = measure(target, counts, args.seed, args.state or args.out / ".state", args.jobs)
        lines = rows(target, counts, args.seed, cycles)
        total = write_csv(args.out / f"{target.npu}.csv.gz", target, lines)
        update_targets(args.out / "targets.json", target, counts | {"rows": total, "seed": args.seed})
    write_networks(args.out / "networks.jsonl.gz", args.networks, args.seed)


if __name__ == "__main__":
    main()
