"""One NPU as Vela sees it: compile TFLite in process and attribute every compiled operator to a layer.

Vela's database says which TFLite operator each compiled operator comes from (also the copies, staging
buffers and helpers that it inserts), and the writer knows which layer each TFLite operator belongs to.

The cycles are the compiler's ESTIMATES, not measurements of silicon. `Target.compile` goes the way the
`vela` command line goes (`process_regor`), without files, and is checked against it in `check.py`.
"""

import contextlib
import io
from dataclasses import dataclass

from ethosu import regor
from ethosu.vela import _version, architecture_features

import tflite_writer

VELA_VERSION = _version.__version__
CONFIG = f"{architecture_features.CONFIG_FILES_PATH}/Arm/vela.ini"
# Vela's own pairs of system and memory for each family: (system config, memory mode).
DEFAULTS = {
    "u55": ("Ethos_U55_High_End_Embedded", "Shared_Sram"),
    "u65": ("Ethos_U65_High_End", "Dedicated_Sram_384KB"),
    "u85": ("Ethos_U85_SYS_DRAM_Mid", "Dedicated_Sram_384KB"),
}


class AttributionError(RuntimeError):
    """A compiled operator that belongs to no layer, or cycles that got lost."""


class CompileError(RuntimeError):
    """A network that does not run on the NPU alone."""


@dataclass
class Operator:
    """One compiled operator of Vela's performance table."""

    name: str
    kind: str
    source: int  # index of the TFLite operator that it comes from
    cycles: int
    macs: int
    details: dict  # Vela's own columns: memories, formats, buffering, cascade


@dataclass
class Compiled:
    operators: list
    total_cycles: int
    sram_bytes: int
    weight_bytes: int
    cascades: int


def accelerators():
    """The names that Vela knows, `ethos-u55-32` and so on."""
    return architecture_features.Accelerator.member_list()


class Target:
    """An accelerator with its system configuration and memory mode, as Vela sees it."""

    def __init__(self, npu, system_config=None, memory_mode=None):
        self.npu = npu if npu.startswith("ethos-") else f"ethos-{npu}"
        default_system, default_memory = DEFAULTS[self.npu.split("-")[1]]
        self.system_config = system_config or default_system
        self.memory_mode = memory_mode or default_memory
        with contextlib.redirect_stdout(io.StringIO()):
            self.arch = self._architecture()
        self.clock_hz = int(self.arch.core_clock)
        self._system, self._options = self._system_text(), self._option_text()
        self._family = "".join(part.capitalize() for part in self.npu.split("-")[:-1])

    def _architecture(self):
        return architecture_features.ArchitectureFeatures(
            vela_config_files=[CONFIG],
            system_config=self.system_config,
            memory_mode=self.memory_mode,
            accelerator_config=self.npu,
            max_blockdep=architecture_features.ArchitectureFeatures.MAX_BLOCKDEP,
            verbose_config=False,
            arena_cache_size=None,
        )

    def _system_text(self):
        with open(CONFIG, encoding="utf-8") as file:
            ini = file.read()
        return (
            f"[architecture]\nmacs={self.arch.num_macs_per_cycle}\ncores={self.arch.ncores}\n"
            f"[vela]\nsystem_config_name={self.system_config}\nmemory_mode_name={self.memory_mode}\n{ini}"
        )

    def _option_text(self):
        """The compiler section that `vela --verbose-performance` builds from its defaults."""
        return (
            "\n[compiler]\nenable_db=true\noutput_format=TFLite\ncop_format=COP1\n"
            f"\n[scheduler]\noptimize=Performance\narena_size_limit={self.arch.arena_cache_size}\n"
            "disable_feature=\ncpu_tensor_alignment=16\ntensor_allocator=HillClimb\n"
            "\n[graph]\nsoftmax_int16_neg_exp_range=10.0\n"
        )

    def command(self):
        """The command line that gives the same figures."""
        return (
            f"vela --config Arm/vela.ini --accelerator-config {self.npu} --system-config {self.system_config} "
            f"--memory-mode {self.memory_mode} --verbose-performance MODEL.tflite"
        )

    def describe(self):
        return {
            "accelerator": self.npu,
            "system_config": self.system_config,
            "memory_mode": self.memory_mode,
            "arena_cache_size_bytes": int(self.arch.arena_cache_size),
            "core_clock_hz": self.clock_hz,
            "macs_per_cycle": self.arch.num_macs_per_cycle * self.arch.ncores,
            "vela_version": VELA_VERSION,
            "command": self.command(),
        }

    def compile(self, model):
        """Compile the bytes of a TFLite file."""
        try:
            built = regor.compile(
                self._family, model, "TFLITE", self._system, options=self._options, verbose=True
            )
        except RuntimeError as error:
            raise CompileError(str(error).strip()) from None
        report = built.perf_report
        return Compiled(
            operators=_operators(built.opt_database.tables),
            total_cycles=int(report.totalCycles),
            sram_bytes=_peak(report, "sram"),
            weight_bytes=int(report.encodedWeights),
            cascades=int(report.cascades),
        )

    def measure(self, network, seed=0):
        """Compile a network; returns cycles per layer, in the network's order, and the compilation."""
        model, owners = tflite_writer.write(network, seed)
        compiled = self.compile(model)
        return attribute(network, compiled, owners), compiled


def _rows(table):
    return [dict(zip(table.header, row)) for row in table.data]


def _operators(tables):
    sources = {row["id"]: int(row["ext_key"]) for row in _rows(tables["source"])}
    details = {row["id"]: row for row in _rows(tables["perf_debug"])}
    return [
        _operator(row, sources.get(row["source_id"], -1), details.get(row["id"], {}))
        for row in _rows(tables["perf"])
    ]


def _operator(row, source, details):
    if row["operator"] == "Passthrough":
        raise CompileError(f"operator `{row['name']}` fell back to the CPU")
    return Operator(
        row["name"], row["operator"], source, int(row["op_cycles"]), int(row["mac_count"]), details
    )


def _peak(report, memory):
    return sum(int(m.peakUsage) for name, m in report.memories.items() if str(name).lower() == memory)


def attribute(network, compiled, owners):
    """Cycles per layer name, in execution order of the network; nothing may be lost."""
    cycles = {layer.name: 0 for layer in network.layers}
    for operator in compiled.operators:
        if not 0 <= operator.source < len(owners):
            raise AttributionError(
                f"network `{network.name}`: compiled operator `{operator.name}` ({operator.kind}, "
                f"{operator.cycles} cycles) belongs to no layer"
            )
        cycles[owners[operator.source]] += operator.cycles
    if sum(cycles.values()) != compiled.total_cycles:
        raise AttributionError(
            f"network `{network.name}`: layers sum to {sum(cycles.values())} cycles, Vela's total is "
            f"{compiled.total_cycles}"
        )
    return cycles
