# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The public address of the repository in galaxy.yml and in the README."""

from __future__ import annotations

import pytest

from tools import address
from tools.paths import ROOT

GALAXY = (ROOT / "galaxy.yml").read_text(encoding="utf-8")
URL = "https://git.example/shop/fonnte.whatsapp"


def test_address_is_written_once() -> None:
    changed = address.with_fields(GALAXY, URL)
    assert address.with_fields(changed, URL) == changed
    assert changed.count("\nrepository: %s\n" % URL) == 1 and changed.count("\nissues: %s/issues\n" % URL) == 1
    assert changed.replace("\n", "").endswith(GALAXY.replace("\n", "").rpartition("- ")[2])


def test_links_become_full_addresses() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    changed = address.with_full_links(text, URL)
    assert address.LINK.search(changed) is None
    assert changed.replace("](%s/blob/main/" % URL, "](") == text
    assert "](%s/blob/main/docs/secrets.md#if-a-secret-leaked)" % URL in changed


@pytest.mark.parametrize("arguments", [[], ["x"], ["http://git.example/a/b"], ["https://git.example"], [URL, URL]])
def test_invalid_address_is_refused(arguments: list[str]) -> None:
    with pytest.raises(SystemExit, match="name the address"):
        address.write_address(arguments)
