"""Generated pages are what the code says, and links in the documentation lead somewhere."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)")


def generator() -> ModuleType:
    """Return docs/generate.py as a module."""
    spec = importlib.util.spec_from_file_location("docs_generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", sorted(generator().pages()))
def test_reference_pages_are_fresh(name: str) -> None:
    """A page that differs from what the code says is stale: run `make docs`."""
    assert (ROOT / "docs" / "reference" / name).read_text("utf-8") == generator().pages()[name], "run `make docs`"


def documents() -> list[Path]:
    """Return every Markdown file of the project."""
    return [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]


@pytest.mark.parametrize("path", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path: Path) -> None:
    """Every relative link names a file or folder that is there."""
    dead = [link for link in LINK.findall(path.read_text("utf-8")) if not (path.parent / link).exists()]
    assert dead == []


def test_the_readme_shows_the_two_commands_first() -> None:
    """`make run` and `make test` stand on the first screen."""
    first_screen = (ROOT / "README.md").read_text("utf-8").splitlines()[:24]
    assert any(line.startswith("make run") for line in first_screen)
    assert any(line.startswith("make test") for line in first_screen)
