"""What the package says of itself: one version, one licence, the supported Python versions, a complete citation file."""

from __future__ import annotations

import configparser
import re
from pathlib import Path

import npgrad

ROOT = Path(__file__).parents[1]
CONFIG = configparser.ConfigParser()
CONFIG.read(ROOT / "setup.cfg")
# The keys at the top of the citation file; its lists stand below theirs.
CITATION = dict(re.findall(r"^([\w-]+): *(.*)$", (ROOT / "CITATION.cff").read_text(), re.MULTILINE))


def test_the_citation_is_of_this_version() -> None:
    assert CITATION["version"] == npgrad.__version__
    assert CITATION["license"] == CONFIG["metadata"]["license_expression"]


def test_the_citation_has_what_its_schema_requires() -> None:
    assert {"cff-version", "message", "title", "authors"} <= set(CITATION) and CITATION["cff-version"] == "1.2.0"


def test_the_changelog_begins_with_this_version() -> None:
    first = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert first and first[1] == npgrad.__version__


def test_classifiers_agree_with_the_required_python() -> None:
    versions = re.findall(r":: (3\.\d+)$", CONFIG["metadata"]["classifiers"], re.MULTILINE)
    assert CONFIG["options"]["python_requires"] == f">={versions[0]}"
    assert versions == sorted(versions, key=lambda version: int(version[2:]))


def test_numpy_is_all_that_is_needed() -> None:
    assert CONFIG["options"]["install_requires"].split() == ["numpy>=2.2"]


def test_keys_are_complete() -> None:
    for key in ("name", "version", "author", "description", "long_description", "license_files", "keywords"):
        assert CONFIG["metadata"][key]
