#!/usr/bin/env python3
"""Compile one TFLite model with Vela and print its latency, for `nas measure --runner command`.

    nas measure RUN --verify -o vela.csv --device ethos-u55-128 --model-format tflite --repeats 1 --runner command \\
        --runner-command 'python estimators/ethos-u/vela_runner.py --npu ethos-u55-128 {model}'

Prints one line of JSON, such as {"latency_us": 15137.1}. The latency is the compiler's cycle estimate at the NPU's
clock, not silicon; system configuration and memory mode are those of `targets.json` unless they are given.
"""

import argparse
import json
import sys
from pathlib import Path

from target import CompileError, Target, accelerators

HERE = Path(__file__).resolve().parent


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path, help="a .tflite file, as `nas export` writes it")
    parser.add_argument("--npu", required=True, choices=accelerators(), help="such as ethos-u55-128")
    parser.add_argument("--system-config", help="section of Vela's Arm/vela.ini")
    parser.add_argument("--memory-mode", help="section of Vela's Arm/vela.ini")
    return parser.parse_args()


def main():
    args = arguments()
    measured = json.loads((HERE / "targets.json").read_text(encoding="utf-8")).get(args.npu, {})
    system_config = args.system_config or measured.get("system_config")
    target = Target(args.npu, system_config, args.memory_mode or measured.get("memory_mode"))
    try:
        model = args.model.read_bytes()
        if model[4:8] != b"TFL3":  # which Vela does not survive
            raise CompileError("is no TFLite model; nas writes them with --model-format tflite")
        compiled = target.compile(model)
    except (OSError, CompileError) as problem:
        sys.exit(f"vela_runner.py: error: {args.model}: {problem}")
    print(json.dumps({"latency_us": 1e6 * compiled.total_cycles / target.clock_hz}))


if __name__ == "__main__":
    main()
