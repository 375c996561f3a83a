# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The libraries that all tasks of a run share, because the action plugin imports them."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

IMPORT_ACTION = """
import importlib, sys
for name in sys.argv[1:]:
    sys.modules[name] = None
importlib.import_module("ansible_collections.fonnte.whatsapp.plugins.plugin_utils._in_process")
print([name for name in ("requests", "cryptography.hazmat.primitives.ciphers.aead") if sys.modules.get(name)])
"""


@pytest.mark.parametrize(
    "missing, imported",
    [
        ([], ["requests", "cryptography.hazmat.primitives.ciphers.aead"]),
        (["requests"], ["cryptography.hazmat.primitives.ciphers.aead"]),
        (["cryptography"], ["requests"]),
    ],
    ids=str,
)
def test_action_plugin_imports_the_libraries_before_its_processes_start(
    missing: list[str], imported: list[str]
) -> None:
    """Otherwise, each task imports them again, which takes four times as long as its work."""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", IMPORT_ACTION, *missing]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert (done.stderr, done.stdout.strip()) == ("", str(imported))
