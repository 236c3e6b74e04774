from __future__ import annotations

import sys

import pytest

from pointsman.telemetry.process import read


@pytest.mark.skipif(sys.platform != "linux", reason="data not present: other systems keep no /proc")
def test_linux_tells_everything(tmp_path):
    """Memory in bytes, time in seconds, descriptors as they are opened."""
    before = read()
    with (tmp_path / "open").open("w"):
        during = read()
    assert None not in (before.resident_bytes, before.cpu_s, before.open_fds, before.max_fds)
    assert before.open_fds is not None
    assert during.open_fds == before.open_fds + 1
    assert during.resident_bytes is not None
    assert 1_000_000 < during.resident_bytes < 100_000_000_000
    assert during.cpu_s is not None
    assert before.cpu_s is not None
    assert during.cpu_s >= before.cpu_s > 0
