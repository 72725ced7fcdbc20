#!/usr/bin/env python3
"""Times ONNX models with ONNX Runtime, for `nas measure --runner server`.

    python3 -m venv venv && venv/bin/pip install -r estimators/cpu-ort/requirements.txt
    nas measure SPACE -o cpu.csv --runner server \\
        --runner-command 'venv/bin/python estimators/cpu-ort/ort_runner.py --threads 1'

First a line about the device; then, for each line `{"model": PATH, "nodes": BOOL}` on stdin, one line on stdout with the raw
times of single runs and, where wanted, from a second session with profiling, the times of each node. Ends with stdin.

With `--int8`, each model is quantised first, as ONNX Runtime's own tool does it (QDQ, a scale for each channel of the weights,
unsigned activations), with scales from one random picture: times do not depend on them, accuracy does. Operators on their own
would be mostly conversions from and to single precision, so measure `--sorts networks`. Needs the package onnx as well.
"""

import argparse
import json
import logging
import os
import platform
import signal
import sys
import tempfile
import time

import numpy
import onnxruntime

KERNEL = "_kernel_time"


def session(path, threads, profile=None):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    if profile:
        options.enable_profiling = True
        options.profile_file_prefix = profile
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def inputs(of):
    random = numpy.random.default_rng(0)
    return {i.name: random.standard_normal(i.shape).astype(numpy.float32) for i in of.get_inputs()}


def timed(path, arguments):
    """Microseconds of single runs: some to warm up, then as many as fit the time for one model, within bounds."""
    of = session(path, arguments.threads)
    names, fed = [o.name for o in of.get_outputs()], inputs(of)
    clock = time.thread_time_ns if arguments.cpu_time else time.perf_counter_ns
    start = clock()
    for _ in range(arguments.warm_up):
        of.run(names, fed)
    each = max((clock() - start) / arguments.warm_up, 1)
    runs = int(min(max(arguments.milliseconds * 1e6 / each, arguments.least), arguments.most))
    samples = []
    for _ in range(runs):
        start = clock()
        of.run(names, fed)
        samples.append((clock() - start) / 1e3)
    return samples


def nodes(path, arguments):
    """The times of each node, in the order of execution, run by run."""
    with tempfile.TemporaryDirectory() as folder:
        of = session(path, arguments.threads, os.path.join(folder, "trace"))
        names, fed = [o.name for o in of.get_outputs()], inputs(of)
        for _ in range(arguments.warm_up + arguments.profiled):
            of.run(names, fed)
        with open(of.end_profiling(), encoding="utf-8") as file:
            events = json.load(file)
    found = {}
    for event in events:
        if event.get("cat") != "Node" or not event["name"].endswith(KERNEL):
            continue
        name, details = event["name"][: -len(KERNEL)], event["args"]
        node = found.setdefault(name, {"name": name, "op": details["op_name"], "us": []})
        node["inputs"] = len(details.get("input_type_shape", []))
        node["us"].append(event["dur"])
    return [{**node, "us": node["us"][arguments.warm_up :]} for node in found.values()]


def quantised(path, folder):
    """The model in int8 in `folder`; nodes keep their names."""
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

    class OnePicture(CalibrationDataReader):
        def __init__(self):
            self.left = [inputs(session(path, 1))]

        def get_next(self):
            return self.left.pop() if self.left else None

    to = os.path.join(folder, "int8.onnx")
    kinds = {"activation_type": QuantType.QUInt8, "weight_type": QuantType.QInt8}
    quantize_static(path, to, OnePicture(), quant_format=QuantFormat.QDQ, per_channel=True, **kinds)
    return to


def answered(request, path, arguments):
    answer = {"latency_us": timed(path, arguments)}
    if request.get("nodes", True) and arguments.profiled:
        answer["nodes"] = nodes(path, arguments)
    return answer


def cpu():
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--cpu", type=int, help="pin the process to this core")
    parser.add_argument(
        "--cpu-time",
        action="store_true",
        help="count the time that the thread computes, not the time that it waits for a core: for machines that do "
        "other things too; with one thread only",
    )
    parser.add_argument("--warm-up", type=int, default=3, help="runs that are not counted")
    parser.add_argument("--milliseconds", type=float, default=40, help="time for one model's runs")
    parser.add_argument("--least", type=int, default=5, help="runs of a model at least")
    parser.add_argument("--most", type=int, default=40, help="and at most")
    parser.add_argument("--profiled", type=int, default=5, help="runs with profiling; 0 for none")
    parser.add_argument("--int8", action="store_true", help="quantise the models")
    arguments = parser.parse_args()
    if arguments.int8:
        logging.disable(logging.WARNING)  # The tool recommends a step that brings nothing for these models.
    if arguments.cpu_time and arguments.threads != 1:
        parser.error("--cpu-time counts one thread; give --threads 1")
    # Ctrl-C is for nas, which ends this process when it has written what there is.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if arguments.cpu is not None:
        os.sched_setaffinity(0, {arguments.cpu})
    about = {
        "device": f"cpu-ort-{platform.machine()}",
        "accelerator": cpu(),
        "runtime": f"onnxruntime {onnxruntime.__version__}, CPUExecutionProvider, all optimisations"
        + (", QDQ" if arguments.int8 else "")
        + (", time of the thread" if arguments.cpu_time else ""),
        "threads": arguments.threads,
        "dtype": "int8" if arguments.int8 else "fp32",
    }
    print(json.dumps(about), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if arguments.int8:
                with tempfile.TemporaryDirectory() as folder:
                    answer = answered(request, quantised(request["model"], folder), arguments)
            else:
                answer = answered(request, request["model"], arguments)
        except Exception as error:  # What one model does wrong must not end the sweep.
            answer = {"error": str(error)}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
