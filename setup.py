"""What pyproject.toml cannot say: an installed library carries all claims and recorded runs."""

from pathlib import Path

from setuptools import setup

BOOK = Path("book")
folders = [BOOK / "claims", *sorted(BOOK.glob("results/*/*"))]
setup(data_files=[
    (f"share/cdp-lib/{folder.relative_to(BOOK).as_posix()}", [str(f) for f in folder.iterdir()])
    for folder in folders
])
