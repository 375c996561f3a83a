# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The paths of the checkout. All output of the tools is under .build, which git ignores."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / ".build"

NAMESPACE = "fonnte"
NAME = "whatsapp"
INSTALLED_ROOT = BUILD / "installed"
VENVS = BUILD / "venvs"
LOGS = BUILD / "logs"
RESULTS = BUILD / "results"
HOMES = BUILD / "home"
PYTHONS = BUILD / "pythons"
REQUIREMENTS = ROOT / "tools" / "requirements"


def collection_in(root: Path) -> Path:
    """Return the collection's directory under a root that ANSIBLE_COLLECTIONS_PATH may name."""
    return root / "ansible_collections" / NAMESPACE / NAME
