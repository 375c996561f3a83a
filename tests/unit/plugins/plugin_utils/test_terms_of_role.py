# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages of a module name the variables of the role that runs it."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from ansible_collections.fonnte.whatsapp.plugins.plugin_utils._declared import in_terms_of_role

ROOT = Path(__file__).parents[4]
OPTIONS = yaml.safe_load((ROOT / "roles" / "fleet" / "vars" / "main.yml").read_text(encoding="utf-8"))["fleet_options"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("if this is intended, set max_clear: 28 (nothing", "if this is intended, set -e fleet_max_clear=28 (nothing"),
        ("allow the risk with handle_unknown: warn.", "allow the risk with -e fleet_handle_unknown=warn."),
        ("and max_create is 3", "and fleet_max_create is 3"),
        ("set -e fleet_max_clear=28", "set -e fleet_max_clear=28"),
        ("the devices of clients, files and hosts", "the devices of clients, files and hosts"),
        ("Option max_clear: there is", "Option fleet_max_clear: there is"),
        ("set handle_undeclared: forget once.", "set -e fleet_handle_undeclared=forget once."),
    ],
)
def test_options_of_module_become_variables(text: str, shown: str) -> None:
    assert in_terms_of_role(text, "fleet_", OPTIONS) == shown


def test_text_is_unchanged_without_options() -> None:
    assert in_terms_of_role("set max_clear: 28", "fleet_", []) == "set max_clear: 28"
