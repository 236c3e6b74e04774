"""House rules that no linter knows: where a broad except may stand, and how long files and functions may be."""

from __future__ import annotations

import ast
from pathlib import Path

SOURCE = Path(__file__).parents[1] / "src" / "pointsman"
BROAD = {"layers/rescue.py", "runtime/tasks.py", "runtime/observers.py", "runtime/trial.py", "transports/callable.py"}
LONGEST_FILE = 350
LONGEST_FUNCTION = 70


def files() -> list[Path]:
    """Return every source file."""
    return sorted(SOURCE.rglob("*.py"))


def _caught(handler: ast.ExceptHandler) -> set[str]:
    """Return the names that a handler catches; a bare one catches everything."""
    if handler.type is None:
        return {"Exception"}
    return {node.id for node in ast.walk(handler.type) if isinstance(node, ast.Name)}


def test_broad_excepts_stand_in_four_files_only() -> None:
    """Everywhere else a fault of ours would be hidden by one."""
    found = set()
    for path in files():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ExceptHandler) and "Exception" in _caught(node):
                found.add(str(path.relative_to(SOURCE)))
    assert found == BROAD


def test_files_and_functions_stay_short() -> None:
    """What does not fit on a few screens holds more than one idea."""
    long = []
    for path in files():
        text = path.read_text("utf-8")
        if text.count("\n") > LONGEST_FILE:
            long.append(f"{path.relative_to(SOURCE)}: {text.count(chr(10))} lines")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > LONGEST_FUNCTION:
                    long.append(f"{path.relative_to(SOURCE)}:{node.lineno} {node.name}: {length} lines")
    assert long == []
