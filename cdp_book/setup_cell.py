"""The set-up cell that every notebook opens with: it makes one file enough to run a chapter.

On Colab, or wherever else the library is missing, it installs the library and nothing more:
no upgrade of what is there, no other torch, no Drive. Where the library is, it does nothing.
The address is the one in `_config.yml`; the environment variable CDP_INSTALL, anything that
`pip install` takes, replaces it.
"""

TEMPLATE = """\
# Installs the book's library where it is missing (as on Colab); elsewhere this does nothing.
import importlib.util
import os
import subprocess
import sys

if importlib.util.find_spec("cdp_lib") is None:
    source = os.environ.get("CDP_INSTALL", "cdp-lib @ git+{repository}@{branch}")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-color", source]
    pip = subprocess.run(command, capture_output=True, text=True)
    importlib.invalidate_caches()
    if pip.returncode:
        raise RuntimeError(
            f"pip could not install {{source}}: check the network, and run this cell again. "
            f"pip says: {{pip.stderr.strip()[-500:]}}"
        )"""


def setup_cell(repository: str, branch: str = "main") -> str:
    """The source of the set-up cell, for a repository's web address."""
    return TEMPLATE.format(repository=repository.rstrip("/"), branch=branch)
