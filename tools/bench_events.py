# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The event source under load."""

from __future__ import annotations

import subprocess
from typing import Sequence

from tools.environment import for_stage
from tools.paths import ROOT
from tools.runner import locked, set_up


def main(arguments: Sequence[str] = ()) -> int:
    """Set up and measure; return the exit code."""
    with locked():
        venv = set_up(["eda"])["eda"]
    words = [venv.program("python"), "-m", "tests.eda.bench"] + list(arguments)
    env = for_stage("bench-events", [venv.bin])
    return subprocess.run(words, cwd=str(ROOT), env=env, stdin=subprocess.DEVNULL, check=False).returncode
