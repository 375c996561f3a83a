# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where everything is. All that the tools write is under .build, which git ignores."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / ".build"

NAMESPACE = "fonnte"
NAME = "whatsapp"
TREE_ROOT = BUILD / "tree"
INSTALLED_ROOT = BUILD / "installed"
VENVS = BUILD / "venvs"
LOGS = BUILD / "logs"
RESULTS = BUILD / "results"
ARTIFACTS = BUILD / "artifact"
HOMES = BUILD / "home"
PYTHONS = BUILD / "pythons"
LOCK = BUILD / "lock"
REQUIREMENTS = ROOT / "tools" / "requirements"


def collection_in(root: Path) -> Path:
    """Return the collection's folder under a root that ANSIBLE_COLLECTIONS_PATH may name."""
    return root / "ansible_collections" / NAMESPACE / NAME


def relative(path: Path) -> str:
    """Return the path as a person in the checkout would type it."""
    return os.path.relpath(path, ROOT)
