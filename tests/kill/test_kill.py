"""Commands that write, killed at random moments: nothing half-written has its name, and the same command goes on.

KILLS=100 kills each so often.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.kill.driver import COMMANDS

KILLS = os.environ.get("KILLS", "6")


@pytest.mark.long
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.parametrize("command", COMMANDS)
def test_killed_at_random_moments(command: str, repository: Path) -> None:
    kills = "1" if command == "train" else KILLS  # which takes a minute
    words = [sys.executable, "-m", "tests.kill.driver", command, kills, "1"]
    done = subprocess.run(words, cwd=repository, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    assert json.loads(done.stdout)["killed"] > 0
