"""Compile a search's networks with Vela and set the compiled latency beside the predicted one.

    python verify.py RUN                       # baseline and front of RUN/report.json
    python verify.py RUN --markdown --top 5    # a table for a README
    python verify.py net.json --npu ethos-u55-128 --per-layer

The NPU is the one that the report's estimator is named after, or `--npu`; its system configuration and
memory mode are those that its measurements were made with (`targets.json`). Networks are written as int8
TFLite with random weights. Compiled latency is the compiler's cycle estimate, not silicon.
"""

import argparse
import json
import math
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

from network import NetworkError, parse, read_documents
from target import CompileError, Target, accelerators

HERE = Path(__file__).resolve().parent
NPU_NAME = re.compile(r"u(?:55|65|85)-\d+", re.IGNORECASE)
REPORT = "nas.report/1"


class InputError(ValueError):
    """Bad input; the message says where, what was found and what is expected."""


@dataclass
class Entry:
    """A network to compile, and what a report says about it."""

    label: str
    network: object
    predicted_ms: float = None
    low_ms: float = None
    high_ms: float = None
    reduction: float = None
    trainability: float = None
    layers: dict = field(default_factory=dict)  # predicted ms per layer
    compiled_ms: float = None
    compiled_layers: dict = None
    problem: str = None  # why it does not compile for the NPU alone

    def name(self):
        return self.label or self.network.name

    def error(self):
        return 100 * (self.predicted_ms / self.compiled_ms - 1)

    def covered(self):
        return self.low_ms <= self.compiled_ms <= self.high_ms


# -- input -------------------------------------------------------------------------------------------
def read(path):
    """The entries of a run folder, a report or a file of networks, and the report's estimator names."""
    path = path / "report.json" if path.is_dir() else path
    try:
        docs = read_documents(path)
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from None
    except json.JSONDecodeError as error:
        raise InputError(f"{path}: not JSON: {error}") from None
    if not docs:
        raise InputError(f"{path}: holds no network")
    if len(docs) == 1 and isinstance(docs[0], dict) and docs[0].get("schema") == REPORT:
        return _report(path, docs[0])
    return [Entry("", _network(path, doc)) for doc in docs], []


def _report(path, doc):
    baseline, front = (_field(path, doc, key, kind) for key, kind in (("baseline", dict), ("front", list)))
    chosen = doc.get("chosen")
    entries = [_entry(f"{path}: baseline", baseline, "baseline")]
    for index, entry in enumerate(front):
        mark = " *" if index == chosen else ""
        entries.append(_entry(f"{path}: front[{index}]", entry, f"#{index}{mark}"))
    names = [e.get("name", "") for e in doc.get("estimators", []) if isinstance(e, dict)]
    return entries, names


def _entry(where, doc, label):
    if not isinstance(doc, dict):
        raise InputError(f"{where}: is {doc!r:.40}, expected an object")
    layers = [la for la in doc.get("layers") or [] if isinstance(la, dict) and "latency_ms" in la]
    return Entry(
        label=label,
        network=_network(where, _field(where, doc, "network", dict)),
        predicted_ms=_number(where, doc, "latency_ms"),
        low_ms=_number(where, doc, "latency_ms_low", required=False),
        high_ms=_number(where, doc, "latency_ms_high", required=False),
        reduction=_number(where, doc, "latency_reduction_pct", required=False),
        trainability=_number(where, doc, "trainability", required=False),
        layers={layer.get("name"): layer["latency_ms"] for layer in layers},
    )


def _field(where, doc, key, kind):
    value = doc.get(key)
    if not isinstance(value, kind):
        names = {dict: "an object", list: "a list"}
        raise InputError(f"{where}: field `{key}` is {value!r:.40}, expected {names[kind]}")
    return value


def _number(where, doc, key, required=True):
    value = doc.get(key)
    if value is None and not required:
        return None
    good = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    if not good or (key == "latency_ms" and value <= 0):
        raise InputError(f"{where}: field `{key}` is {value!r:.40}, expected a number")
    return value


def _network(where, doc):
    try:
        return parse(doc)
    except NetworkError as error:
        raise InputError(f"{where}: {error}") from None


def pick_target(args, names):
    """The NPU asked for, or the one an estimator is named after, as it was measured."""
    found = [m.group().lower() for m in map(NPU_NAME.search, names) if m]
    if not args.npu and not found:
        said = f"the report's estimators are {names}" if names else "a network file names no NPU"
        raise InputError(f"{said}; give one with --npu, for example --npu ethos-u55-128")
    npu = args.npu or found[0]
    npu = npu if npu.startswith("ethos-") else f"ethos-{npu}"
    if npu not in accelerators():
        raise InputError(f"unknown NPU `{npu}`; known: {', '.join(accelerators())}")
    measured = json.loads((HERE / "targets.json").read_text(encoding="utf-8")).get(npu, {})
    return Target(
        npu,
        args.system_config or measured.get("system_config"),
        args.memory_mode or measured.get("memory_mode"),
    )


# -- work --------------------------------------------------------------------------------------------
def compile_entries(entries, target):
    for entry in entries:
        try:
            cycles, compiled = target.measure(entry.network)
        except CompileError as problem:
            entry.problem = str(problem)
            continue
        to_ms = 1e3 / target.clock_hz
        entry.compiled_layers = {name: count * to_ms for name, count in cycles.items()}
        entry.compiled_ms = compiled.total_cycles * to_ms


# -- output ------------------------------------------------------------------------------------------
def number(value, form="{:.3f}"):
    return "" if value is None else form.format(value)


def report_table(entries):
    header = ["", "predicted ms", "compiled ms", "error %", "predicted reduction %", "compiled reduction %"]
    header += ["trainability"]
    base, rows = entries[0], []
    for entry in entries:
        error, reduction = None if entry.problem else entry.error(), saved(entry, base)
        predicted = entry.reduction
        if predicted is None:
            predicted = 100 * (1 - entry.predicted_ms / base.predicted_ms)
        cells = [entry.label, number(entry.predicted_ms), number(entry.compiled_ms)]
        cells += [number(error, "{:+.1f}"), number(predicted, "{:.1f}"), number(reduction, "{:.1f}")]
        rows.append(cells + [number(entry.trainability, "{:.4g}")])
    return header, rows


def saved(entry, base):
    """Per cent of compiled latency less than the baseline's."""
    return None if entry.problem or base.problem else 100 * (1 - entry.compiled_ms / base.compiled_ms)


def network_table(entries):
    return ["network", "layers", "compiled ms"], [
        [e.network.name, str(len(e.network.layers)), number(e.compiled_ms)] for e in entries
    ]


def layer_table(entry):
    header, rows = ["layer", "op", "input", "output", "compiled ms"], []
    header += ["predicted ms"] if entry.layers else []
    for layer in entry.network.layers:
        shapes = ["x".join(map(str, shape)) for shape in (layer.in_shapes[0], layer.out)]
        cells = [layer.name, layer.op, *shapes, number(entry.compiled_layers[layer.name], "{:.4f}")]
        cells += [number(entry.layers.get(layer.name), "{:.4f}")] if entry.layers else []
        rows.append(cells)
    return header, rows


def show(header, rows, markdown):
    if markdown:
        lines = [header, ["---"] + ["---:"] * (len(header) - 1), *rows]
        print("\n".join("| " + " | ".join(line) + " |" for line in lines))
        return
    widths = [max(len(line[i]) for line in [header, *rows]) for i in range(len(header))]
    for line in [header, *rows]:
        cells = [text.ljust(w) if i == 0 else text.rjust(w) for i, (text, w) in enumerate(zip(line, widths))]
        print("  ".join(cells).rstrip())


def summary(entries):
    """What the table says, in sentences."""
    base, entries = entries[0], [entry for entry in entries if not entry.problem]
    errors = [abs(entry.error()) for entry in entries]
    if not errors:
        return []
    close = sum(error <= 10 for error in errors)
    text = [
        f"error: mean {sum(errors) / len(errors):.1f} %, worst {max(errors):.1f} %, "
        f"{close} of {len(errors)} within 10 %"
    ]
    intervals = [e.covered() for e in entries if e.low_ms is not None and e.high_ms is not None]
    if intervals:
        text.append(f"interval: {sum(intervals)} of {len(intervals)} compiled latencies are inside")
    scored = [e for e in entries if e is not base and None not in (e.trainability, base.trainability)]
    able = [e for e in scored if e.trainability >= base.trainability]
    if able and not base.problem:
        best = min(able, key=lambda e: e.compiled_ms)
        less = f"{saved(best, base):.1f} % less compiled latency"
        text.append(f"best at no less trainability: {best.label}, {less}")
    return text


def print_all(entries, target, args):
    is_report = entries[0].predicted_ms is not None
    print(f"{target.npu}, {target.system_config}, {target.memory_mode}, {target.clock_hz / 1e6:.0f} MHz")
    print("compiled: Vela's cycle estimates, not silicon\n")
    show(*(report_table if is_report else network_table)(entries), args.markdown)
    print()
    for line in summary(entries) if is_report else []:
        print(("- " if args.markdown else "") + line)
    for entry in entries:
        if entry.problem:
            print(f"not for this NPU alone: {entry.name()}: {entry.problem}")
        elif args.per_layer:
            print(f"\n{entry.name()}\n")
            show(*layer_table(entry), args.markdown)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("path", type=Path, help="run folder, report.json, or nas.network/1 .json or .jsonl")
    parser.add_argument("--npu", help="accelerator (default: the one the report's estimator is named after)")
    parser.add_argument("--system-config", help="section of Vela's Arm/vela.ini")
    parser.add_argument("--memory-mode", help="section of Vela's Arm/vela.ini")
    parser.add_argument("--top", type=int, help="only the first TOP entries of the front")
    parser.add_argument("--per-layer", action="store_true", help="also a table of layers for each network")
    parser.add_argument("--markdown", action="store_true", help="print Markdown tables")
    return parser.parse_args()


def main():
    args = arguments()
    try:
        entries, names = read(args.path)
        target = pick_target(args, names)
        if args.top is not None:
            entries = entries[: args.top + 1]
        compile_entries(entries, target)
    except InputError as error:
        sys.exit(_fail(error))
    print_all(entries, target, args)


def _fail(error):
    print(f"verify.py: error: {error}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    main()
