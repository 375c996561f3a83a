# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Java machine, in which ansible-rulebook works out its rules."""

from __future__ import annotations

import re
import subprocess

OLDEST = 17
MISSING = (
    "ansible-rulebook needs Java 17 or newer, and no java that runs is on the PATH: install a JRE, "
    "such as the package openjdk-17-jre-headless"
)


def is_there() -> bool:
    """Tell whether there is one that runs."""
    try:
        done = subprocess.run(["java", "-version"], stdin=subprocess.DEVNULL, capture_output=True, check=False)
    except OSError:
        return False
    found = re.search(rb'version "(\d+)', done.stderr)
    return found is not None and int(found.group(1)) >= OLDEST
