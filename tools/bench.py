# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The benchmark: the collection as users install it, measured by tests/bench."""

from __future__ import annotations

import subprocess
from typing import Sequence

from tools.environment import for_stage
from tools.paths import BUILD, ROOT
from tools.runner import prepare_installed

HOME = BUILD / "bench"
INSTALLED = HOME / "collections"


def main(arguments: Sequence[str] = ()) -> int:
    """Set up and measure; return the exit code."""
    # It has a PostgreSQL server and psycopg, which the environment of the demo lacks.
    venv = prepare_installed("newest", INSTALLED)
    env = for_stage("bench", [venv.bin])
    env.update(ANSIBLE_COLLECTIONS_PATH=str(INSTALLED), ANSIBLE_COLLECTIONS_SCAN_SYS_PATH="false")
    words = [venv.program("python"), "-m", "tests.bench"] + list(arguments)
    return subprocess.run(words, cwd=str(ROOT), env=env, stdin=subprocess.DEVNULL, check=False).returncode
