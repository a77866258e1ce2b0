"""What a benchmark ran on, and whether the machine was quiet."""

from __future__ import annotations

import os
import platform
from typing import Any

BUSY_SHARE = 0.1
LISTENING_S = 0.5
FEATURES = ("sse4.2", "avx", "avx2", "fma", "avx512f", "avx512vnni", "avxvnni", "neon", "dotprod", "sve")


def facts() -> dict[str, Any]:
    """Processor, those of its features that decoding can use, cores, memory, system, and how busy others keep it."""
    import psutil
    from llvmlite import binding

    has = binding.get_host_cpu_features()
    return {
        "processor": binding.get_host_cpu_name(),
        "architecture": platform.machine(),
        "features": [name for name in FEATURES if has.get(name)],
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "system": platform.system(),
        "python": platform.python_version(),
        "busy_share": busy_share(),
    }


def busy_share(seconds: float = LISTENING_S) -> float:
    """The share of all cores' time, 0 to 1, that is used while this process waits for so many seconds."""
    import psutil

    return psutil.cpu_percent(interval=seconds) / 100.0


def warning(busy: float) -> str | None:
    """What to say of figures that were taken while others used such a share of the cores; None: quiet enough."""
    if busy <= BUSY_SHARE:
        return None
    return f"other programs use {busy:.0%} of this machine; what is timed now is slower than it is"
