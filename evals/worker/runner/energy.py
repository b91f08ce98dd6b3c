"""The energy that a task takes: measured where the hardware counts it, else estimated and said so.

Processors with RAPL count microjoules in the kernel's powercap files (which only root may read on
many hosts); NVIDIA's library counts millijoules of each GPU. Both count the whole device, whoever
uses it.
"""

import ctypes
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

POWERCAP = Path("/sys/class/powercap")
PROCESSOR_WATTS = 65.0
GPU_WATTS = 300.0
"""Assumed draw at work where nothing measures it."""


@dataclass(frozen=True)
class Energy:
    """What one task took."""

    joules: float
    method: str
    """`measured` when every device in use was, else `estimated`."""
    how: str
    """What was measured or assumed, for people."""


class EnergyMeter:
    """Counts from when it is made; `read` says how much it was."""

    def __init__(
        self, *, uses_gpu: bool = False, powercap: Path = POWERCAP, nvml: Any = None
    ) -> None:
        self._began = time.monotonic()
        self._packages = _packages(powercap)
        self._gpu = _Gpu(nvml) if uses_gpu else None
        self._processor_before = _counts(self._packages)
        self._gpu_before = self._gpu.joules() if self._gpu else None

    def read(self) -> Energy:
        """Return the energy since the start, with how it was found."""
        seconds = time.monotonic() - self._began
        found = [self._processor(seconds)]
        if self._gpu:
            found.append(self._graphics(seconds))
        measured = all(part.method == "measured" for part in found)
        return Energy(
            sum(part.joules for part in found),
            "measured" if measured else "estimated",
            "; ".join(part.how for part in found),
        )

    def _processor(self, seconds: float) -> Energy:
        after = _counts(self._packages)
        if after is None or self._processor_before is None or not self._packages:
            return _assumed("processor", PROCESSOR_WATTS, seconds)
        joules = 0.0
        for package, before, now in zip(self._packages, self._processor_before, after, strict=True):
            # The counter begins anew at the top of its range.
            used = now - before if now >= before else now - before + _range(package)
            joules += used / 1e6
        return Energy(joules, "measured", "processor measured by RAPL, all packages of the host")

    def _graphics(self, seconds: float) -> Energy:
        now = self._gpu.joules() if self._gpu else None
        if now is None or self._gpu_before is None:
            return _assumed("GPU", GPU_WATTS, seconds)
        return Energy(now - self._gpu_before, "measured", "GPU 0 measured by NVML")


def _assumed(device: str, watts: float, seconds: float) -> Energy:
    return Energy(watts * seconds, "estimated", f"{device} assumed at {watts:.0f} W")


def _packages(powercap: Path) -> list[Path]:
    """Return the counters of whole processors; those inside of them are counted there already."""
    with suppress(OSError):
        return sorted(
            zone
            for zone in powercap.glob("intel-rapl:*")
            if zone.name.count(":") == 1 and (zone / "energy_uj").exists()
        )
    return []


def _counts(packages: list[Path]) -> list[int] | None:
    try:
        return [int((package / "energy_uj").read_text()) for package in packages]
    except (OSError, ValueError):
        return None


def _range(package: Path) -> int:
    try:
        return int((package / "max_energy_range_uj").read_text())
    except (OSError, ValueError):
        return 0


class _Gpu:
    """The first GPU's own counter, through NVIDIA's library."""

    def __init__(self, library: Any = None) -> None:
        self._library = library
        self._handle = ctypes.c_void_p()
        try:
            self._library = library or ctypes.CDLL("libnvidia-ml.so.1")
            if self._library.nvmlInit_v2() or self._library.nvmlDeviceGetHandleByIndex_v2(
                0, ctypes.byref(self._handle)
            ):
                self._library = None
        except (OSError, AttributeError):
            self._library = None

    def joules(self) -> float | None:
        """Return the count since the driver was loaded; None where the device has no counter."""
        if self._library is None:
            return None
        count = ctypes.c_ulonglong()
        if self._library.nvmlDeviceGetTotalEnergyConsumption(self._handle, ctypes.byref(count)):
            return None
        return count.value / 1000
