"""What this machine is: its versions, its memory, its device."""

import contextlib
import os
import platform
from pathlib import Path
from typing import Any

import cdp_lib


def versions() -> str:
    """The versions that decide a number, in one line."""
    import numpy
    import pandas
    import torch

    modules = {"cdp_lib": cdp_lib, "torch": torch, "numpy": numpy, "pandas": pandas}
    numbers = [f"{name} {module.__version__}" for name, module in modules.items()]
    return ", ".join([f"Python {platform.python_version()}", *numbers])


def memory(limit: Path = Path("/sys/fs/cgroup/memory.max")) -> float | None:
    """GiB of this machine, or of the container that this process runs in; None if unknown."""
    try:
        size = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):  # not on Windows
        return None
    with contextlib.suppress(OSError, ValueError):  # no container, or one without a limit
        size = min(size, int(limit.read_text()))
    return size / 2**30


def device_words(device: Any) -> str:
    """The device, and how much of it."""
    import torch

    if str(device).startswith("cuda"):
        return f"{device} ({torch.cuda.get_device_name(device)})"
    threads = torch.get_num_threads()
    return f"{device} with {threads} thread{'s' * (threads > 1)}"
