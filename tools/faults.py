# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of faults: played, and written into the documents of the checkout."""

from __future__ import annotations

import subprocess

from tools.environment import for_stage
from tools.paths import NAME, NAMESPACE, ROOT, TREE_ROOT
from tools.runner import prepare_tree

MODULE = "ansible_collections.%s.%s.tests.fault_injection" % (NAMESPACE, NAME)


def main() -> int:
    """Set up and play; return the exit code."""
    venv = prepare_tree("newest")
    env = for_stage("faults", [venv.bin])
    env["PYTHONPATH"] = str(TREE_ROOT)
    words = [venv.program("python"), "-m", MODULE, str(ROOT / "docs" / "faults.md")]
    return subprocess.run(words, cwd=str(ROOT), env=env, stdin=subprocess.DEVNULL, check=False).returncode
