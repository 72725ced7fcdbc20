"""Measure networks from a file, layer by layer, with Vela: rows for `nas fit` where they are wanted.

    nas space search-spaces/presence-detector.json --samples 120 --seed 1 --format jsonl > nets.jsonl
    python measure_given.py nets.jsonl --out spaces

An estimator is asked about the networks of a search space, so it should have seen some of them. Writes
`<npu>.csv.gz`, `networks.jsonl.gz` and `targets.json` into `--out`, as `measure.py` does, without isolated
operators. The latencies are the compiler's cycle estimates divided by the clock, NOT SILICON.
"""

import argparse
import hashlib
import json
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import measure
from network import NetworkError, parse, read_documents
from target import Target

_target = None


def start_worker(*target):
    global _target
    _target = Target(*target)


def cycles_of(document):
    layers, _ = _target.measure(parse(document))
    return list(layers.values())


def measured(target, documents, jobs):
    """Cycles per layer of each network, in order."""
    arguments = (target.npu, target.system_config, target.memory_mode)
    with ProcessPoolExecutor(jobs, initializer=start_worker, initargs=arguments) as pool:
        results = []
        for number, cycles in enumerate(pool.map(cycles_of, documents, chunksize=4), 1):
            results.append(cycles)
            if number % 40 == 0 or number == len(documents):
                measure.note(f"{target.npu}: {number}/{len(documents)} networks")
    return results


def rows(target, documents, cycles):
    for document, counts in zip(documents, cycles, strict=True):
        yield from measure.network_rows(target, parse(document), counts)


def read_all(paths):
    documents = [document for path in paths for document in read_documents(path)]
    names = [document.get("name") for document in documents]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise NetworkError(f"network names occur twice: {', '.join(sorted(twice))}; draw them with other seeds")
    return documents


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("networks", type=Path, nargs="+", help="nas.network/1, .json or .jsonl, may be gzipped")
    parser.add_argument("--npu", action="append", help=f"accelerator, repeatable (default {', '.join(measure.NPUS)})")
    parser.add_argument("--system-config", help="section of Vela's Arm/vela.ini (default: see target.py)")
    parser.add_argument("--memory-mode", help="section of Vela's Arm/vela.ini (default: see target.py)")
    parser.add_argument("--jobs", type=int, default=2, help="processes (default 2)")
    parser.add_argument("--out", type=Path, required=True, help="where the files go")
    return parser.parse_args()


def main():
    args = arguments()
    documents = read_all(args.networks)
    lines = "".join(json.dumps(document, separators=(",", ":")) + "\n" for document in documents)
    args.out.mkdir(parents=True, exist_ok=True)
    about = {"networks": len(documents), "networks_sha256": hashlib.sha256(lines.encode()).hexdigest()}
    for npu in args.npu or measure.NPUS:
        target = Target(npu, args.system_config, args.memory_mode)
        cycles = measured(target, documents, args.jobs)
        total = measure.write_csv(args.out / f"{target.npu}.csv.gz", target, rows(target, documents, cycles))
        measure.update_targets(args.out / "targets.json", target, about | {"rows": total})
    measure.write_whole(args.out / "networks.jsonl.gz", measure.packed(lines))


if __name__ == "__main__":
    main()
