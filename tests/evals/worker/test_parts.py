"""Messages, faults of weights, energy: the worker's small parts."""

import ctypes
import json
import struct
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.worker.runner.energy import EnergyMeter
from evals.worker.runner.memory import MemoryMeter
from evals.worker.runner.positions import Positions
from evals.worker.runner.protocol import (
    Failed,
    Finished,
    Load,
    Loaded,
    Progress,
    Ready,
    Run,
    Shutdown,
    decode,
    encode,
)
from evals.worker.weights import fault_of

PROJECT = Path(__file__).resolve().parents[3]
MESSAGES = [
    Load("/m", "sha256:0", "hf", "float32", "cpu", 16),
    Load("/m", "sha256:0", "hf", "float32", "cpu", "auto"),
    Run("t", None, ["acc"], None, 3, True, [1, 2, 3, 4], None, "/s", "/s/a", "/s/b"),
    Shutdown(),
    Ready(),
    Loaded("cpu", 0.5, was_loaded=True),
    Progress(1, 2),
    Finished(),
    Failed("internal", "line\nbreak and “quotes”"),
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_a_message_is_one_line_and_comes_back_as_it_was(message):
    line = encode(message)
    assert line.count(b"\n") == 1
    assert decode(line) == message


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{",
        encode(MESSAGES[0])[:-9],
        b"[]\n",
        b'"Ready"\n',
        b'{"kind": "Explode"}\n',
        b'{"kind": "Progress", "done": 1}\n',
        b'{"kind": "Ready", "more": 1}\n',
    ],
)
def test_anything_else_is_no_message(line):
    with pytest.raises(ValueError):  # noqa: PT011 - its words are for the log
        decode(line)


def write_weights(folder, *, data=64, header=None):
    (folder / "config.json").write_text('{"model_type": "llama"}')
    said = header or {"w": {"dtype": "F32", "shape": [16], "data_offsets": [0, 64]}}
    content = json.dumps(said).encode()
    weights = struct.pack("<Q", len(content)) + content + bytes(data)
    (folder / "model.safetensors").write_bytes(weights)


def test_whole_weights_have_no_fault(tmp_path):
    write_weights(tmp_path)
    assert fault_of(tmp_path) == ""


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("config.json", None, "config.json is missing"),
        ("config.json", b"{", "config.json is not JSON"),
        ("config.json", b"{}", "config.json does not name a model_type"),
        ("model.safetensors", None, "holds neither"),
        ("model.safetensors", b"abc", "cut off: it has 3 bytes"),
        ("model.safetensors", struct.pack("<Q", 999) + b"{}", "cut off in its header"),
        ("model.safetensors", struct.pack("<Q", 2) + b"{]", "header that cannot be read"),
        ("model.safetensors.index.json", b"{}", "index.json cannot be read"),
        (
            "model.safetensors.index.json",
            b'{"weight_map": {"w": "model-2.safetensors"}}',
            "model-2.safetensors is missing; model.safetensors.index.json names it",
        ),
    ],
)
def test_the_faulty_file_is_named(tmp_path, name, content, words):
    write_weights(tmp_path)
    (tmp_path / name).unlink(missing_ok=True)
    if content is not None:
        (tmp_path / name).write_bytes(content)
    assert words in fault_of(tmp_path)


def test_missing_bytes_are_counted(tmp_path):
    write_weights(tmp_path, data=40)
    size = (tmp_path / "model.safetensors").stat().st_size
    assert f"{size} of {size + 24} bytes are there" in fault_of(tmp_path)


def powercap(folder, **packages):
    for name, count in packages.items():
        zone = folder / name.replace("_", ":")
        zone.mkdir(parents=True, exist_ok=True)
        (zone / "energy_uj").write_text(f"{count}\n")
        (zone / "max_energy_range_uj").write_text("10000000\n")
    return folder


def test_energy_is_measured_where_the_processor_counts_it(tmp_path):
    # What lies inside of a package is counted with it.
    meter = EnergyMeter(powercap=powercap(tmp_path, **{"intel-rapl_0": 1_000_000}))
    powercap(tmp_path, **{"intel-rapl_0": 4_500_000, "intel-rapl_0_0": 9_000_000})
    found = meter.read()
    assert (found.joules, found.method) == (3.5, "measured")
    assert "RAPL" in found.how


def test_a_counter_that_begins_anew_loses_nothing(tmp_path):
    meter = EnergyMeter(powercap=powercap(tmp_path, **{"intel-rapl_0": 9_000_000}))
    powercap(tmp_path, **{"intel-rapl_0": 500_000})
    assert meter.read().joules == 1.5


def test_energy_that_nothing_counts_is_estimated_and_says_with_what(tmp_path):
    found = EnergyMeter(powercap=tmp_path).read()
    assert found.method == "estimated"
    assert found.how == "processor assumed at 65 W"
    assert found.joules >= 0


class FakeNvml:
    """Stands for NVIDIA's library, which is there only beside its devices."""

    def __init__(self, *counts):
        self.counts = list(counts)

    def nvmlInit_v2(self):
        return 0

    def nvmlDeviceGetHandleByIndex_v2(self, index, handle):
        return 0

    def nvmlDeviceGetTotalEnergyConsumption(self, handle, count):
        if not self.counts:
            return 3
        ctypes.cast(count, ctypes.POINTER(ctypes.c_ulonglong))[0] = self.counts.pop(0)
        return 0


def test_a_gpu_is_measured_beside_the_processor(tmp_path):
    zone = powercap(tmp_path, **{"intel-rapl_0": 0})
    meter = EnergyMeter(uses_gpu=True, powercap=zone, nvml=FakeNvml(5_000, 9_000))
    powercap(tmp_path, **{"intel-rapl_0": 1_000_000})
    found = meter.read()
    assert (found.joules, found.method) == (5.0, "measured")


def test_one_device_that_is_not_counted_makes_the_whole_an_estimate(tmp_path):
    zone = powercap(tmp_path, **{"intel-rapl_0": 0})
    found = EnergyMeter(uses_gpu=True, powercap=zone, nvml=FakeNvml()).read()
    assert found.method == "estimated"
    assert found.how == (
        "processor measured by RAPL, all packages of the host; GPU assumed at 300 W"
    )


@pytest.mark.parametrize(("megabytes", "ends"), [(300, "MemoryError"), (0, "fits")])
def test_memory_is_bounded_where_the_operator_says_so(megabytes, ends):
    code = f"""
from evals.worker.runner.memory import bound_memory
bound_memory({megabytes})
bytearray(600_000_000)
print("fits")
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    assert (done.stdout + done.stderr).strip().endswith(ends)


NO_GPU = SimpleNamespace(cuda=SimpleNamespace(is_available=lambda: False))
"""Stands for torch on a host without a GPU."""


def test_the_peak_of_memory_is_that_of_the_task():
    meter = MemoryMeter(NO_GPU)
    before = meter.read()["peakMemoryBytes"]
    held = bytearray(80_000_000)
    held[::4096] = b"x" * len(held[::4096])
    assert meter.read()["peakMemoryBytes"] >= before + 70_000_000
    del held
    assert MemoryMeter(NO_GPU).read()["peakMemoryBytes"] < before + 70_000_000
    assert "deviceMemoryBytes" not in meter.read()


def request(context, answer):
    return (("", ""), [1] * context, [2] * answer)


def test_only_scored_positions_are_needed():
    # Read are 12, 7 and 4 tokens; scored from position 10, 4 and 1 on.
    positions = Positions([request(11, 2), request(5, 3), request(2, 3)], 100)
    assert positions.needed(12, 12) == 2
    assert positions.needed(7, 12) == 8
    assert positions.needed(4, 12) == 11
    # Shorter than it is said to be: never less than needed.
    assert positions.needed(1, 7) == 6


@given(
    st.lists(st.tuples(st.integers(1, 40), st.integers(1, 9)), min_size=1, max_size=20),
    st.integers(5, 60),
    st.data(),
)
def test_no_scored_position_is_ever_missing(sizes, max_length, data):
    sizes = [(context, min(answer, max_length)) for context, answer in sizes]
    requests = [request(*size) for size in sizes]
    batch = data.draw(st.lists(st.sampled_from(sizes), min_size=1))
    lengths = [min(sum(size), max_length + 1) - 1 for size in batch]
    kept = Positions(requests, max_length).needed(min(lengths), max(lengths))
    for length, (_, answer) in zip(lengths, batch, strict=True):
        # The harness reads the last `answer` positions before the padding.
        assert max(lengths) - kept <= max(0, length - answer)
