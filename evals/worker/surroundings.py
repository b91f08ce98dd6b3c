"""What this host is, as far as it can be said without importing torch."""

import os
import platform
from importlib import metadata

PACKAGES = {"lm_eval": "lm_eval", "torch": "torch", "transformers": "transformers"}


def software() -> dict[str, str]:
    """Return the versions of what takes part in an evaluation."""
    return {"python": platform.python_version()} | {
        name: _version(package) for name, package in PACKAGES.items()
    }


def device() -> dict[str, str | int]:
    """Return the host's processor and memory; the runner states the device that it really used."""
    pages, page_bytes = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    return {
        "class": "cpu",
        "name": f"{platform.machine()}, {os.cpu_count() or 1} cores",
        "memory_bytes": pages * page_bytes,
        "driver": "",
    }


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""
