"""The command line: `pointsman COMMAND`.

Commands are thin: each asks something below, or a running router over HTTP, and gives the answer to `output`, which
alone prints. Nothing heavy is imported before a command runs, so that `pointsman --help` appears at once.
"""

from __future__ import annotations

import sys
from typing import NoReturn


def main() -> NoReturn:
    """Run the command that the process was started with, and end the process with its exit code."""
    from pointsman.cli.start import begin

    sys.exit(begin(sys.argv[1:]))
