# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The environment in which ansible-test runs without containers, and with no network but the package index."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Dict

from tools.environment import for_stage, home_of
from tools.paths import PYTHONS

# ansible-test downloads a get-pip script for its own environments, unless one of the same name is cached. Every
# Python contains pip: ensurepip runs in a separate process, since the script itself gets the arguments and the
# environment of get-pip.
GET_PIP = """from __future__ import annotations

import os
import subprocess
import sys

environment = {name: value for name, value in os.environ.items() if name != "GET_PIP"}
sys.exit(subprocess.call([sys.executable, "-m", "ensurepip", "--default-pip"], env=environment))
"""


def environment(stage: str, venv: Path) -> Dict[str, str]:
    """Return the environment of an ansible-test command, with the script that it would download in its cache."""
    cache = home_of(stage) / ".ansible" / "test" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    (source,) = venv.glob("lib/python*/site-packages/ansible_test/_internal/python_requirements.py")
    for version in re.findall(r"\bpip='([0-9.]+)'", source.read_text(encoding="utf-8")):
        (cache / ("get_pip_%s.py" % version.replace(".", "_"))).write_text(GET_PIP, encoding="utf-8")
    env = for_stage(stage, [venv / "bin"])
    # No other directory of your PATH: its pythonX.Y may be shims that do not run.
    system = [path for path in ("/usr/local/bin", "/usr/bin", "/bin") if os.path.isdir(path)]
    env["PATH"] = os.pathsep.join([str(venv / "bin"), str(PYTHONS), *system])
    return env
