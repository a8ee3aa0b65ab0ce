"""What docs/releasing.md asks to be changed together is the same."""

from __future__ import annotations

import re
from pathlib import Path

import npgrad as ng

ROOT = Path(__file__).parents[1]


def test_one_version():
    citation = re.search(r'^version: "?([\d.]+)"?$', (ROOT / "CITATION.cff").read_text(), re.MULTILINE)
    assert citation is not None and citation.group(1) == ng.__version__
    section = re.search(r"^## (\S+) \((.*)\)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert section is not None and section.group(1) == ng.__version__
    assert section.group(2) == "unreleased" or re.fullmatch(r"\d{4}-\d\d-\d\d", section.group(2))


def test_pages_name_what_is_there():
    """Files that the pages for maintainers speak of."""
    for page in ("CONTRIBUTING.md", "docs/releasing.md"):
        text = (ROOT / page).read_text()
        for name in re.findall(r"(?:tests|docs|benchmarks|examples|npgrad)/[\w./-]*\w", text):
            assert (ROOT / name).exists(), f"{page}: {name}"
