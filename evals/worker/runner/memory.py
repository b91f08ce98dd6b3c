"""The runner's memory: bounded, so that it ends with a message and not by the kernel's hand."""

import re
import resource
from contextlib import suppress
from pathlib import Path
from typing import Any

STATUS = Path("/proc/self/status")
CLEAR = Path("/proc/self/clear_refs")


def bound_memory(megabytes: int) -> None:
    """Let this process ask for no more than so much memory; 0 leaves it as it is.

    Beyond it an allocation fails, and what asked for it can ask for less. Files that are mapped to
    be read, as weights are, do not count: they can be read again.
    """
    if megabytes:
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        wanted = megabytes * 1_000_000
        if hard != resource.RLIM_INFINITY:
            wanted = min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (wanted, hard))


class MemoryMeter:
    """The highest use of memory from when it is made on, of the host and of the GPUs."""

    def __init__(self, torch: Any) -> None:
        self._cuda = torch.cuda if torch.cuda.is_available() else None
        # Without the right to begin anew, the peak is that of the whole process: never too low.
        with suppress(OSError):
            CLEAR.write_text("5")
        for device in self._devices():
            self._cuda.reset_peak_memory_stats(device)  # type: ignore[union-attr]

    def read(self) -> dict[str, int]:
        """Return the peaks in bytes: resident memory, and that of all GPUs where there are any."""
        peaks = {"peakMemoryBytes": _resident_peak()}
        if self._cuda is not None:
            used = (self._cuda.max_memory_allocated(device) for device in self._devices())
            peaks["deviceMemoryBytes"] = sum(used)
        return peaks

    def _devices(self) -> range:
        return range(self._cuda.device_count() if self._cuda is not None else 0)


def _resident_peak() -> int:
    with suppress(OSError):
        if found := re.search(r"VmHWM:\s+(\d+) kB", STATUS.read_text()):
            return int(found[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
