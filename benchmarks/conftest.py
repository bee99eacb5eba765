"""What several benchmarks measure in one way."""

import subprocess
import sys

import pytest

PEAK = """
import importlib.util, pathlib, re, sys
spec = importlib.util.spec_from_file_location("bench", sys.argv[1])
bench = importlib.util.module_from_spec(spec)
spec.loader.exec_module(bench)
bench.here(*bench.tables())
print(re.search(r"VmHWM:\\s+(\\d+) kB", pathlib.Path("/proc/self/status").read_text())[1])
"""


@pytest.fixture
def peak(request):
    """GB that a fresh process takes to make this file's `tables()` and run its `here` on them."""
    if sys.platform != "linux":
        pytest.skip("only Linux has /proc/self/status")
    child = subprocess.run(
        [sys.executable, "-c", PEAK, str(request.path)], capture_output=True, text=True, check=True
    )
    return int(child.stdout) * 1024 / 1e9
