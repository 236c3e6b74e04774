"""What the classifier costs before the first message: import, file, memory. In processes of their own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

from benchmarks.classification.figures import Figure

PART = "footprint"
RUNS = 5

_IMPORT = """
import time
begun = time.process_time()
import pointsman.core.classify.pipeline
print((time.process_time() - begun) * 1e3)
"""
_MEMORY = """
import tracemalloc
tracemalloc.start()
from pointsman.config.models import default_stored, ready
model = ready(default_stored(), "default")
print(tracemalloc.get_traced_memory()[0] / 1e6)
"""
_NUMPY = """
import sys
import pointsman.config.models
print(float("numpy" in sys.modules))
"""


def measure(data: Path) -> Iterator[Figure]:
    """Yield what it takes."""
    yield Figure(
        PART, f"import of the classifier, CPU, best of {RUNS}", min(_run(_IMPORT) for _ in range(RUNS)), 60.0, unit="ms"
    )
    yield Figure(PART, "numpy is imported", _run(_NUMPY), 0.0)
    file = resources.files("pointsman.core.classify") / "default_model.json"
    yield Figure(PART, "file of the shipped model", len(file.read_bytes()) / 1e6, 1.0, unit="MB")
    yield Figure(PART, "memory, with code and libraries", _run(_MEMORY), 15.0, unit="MB")


def _run(program: str) -> float:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return float(done.stdout)
