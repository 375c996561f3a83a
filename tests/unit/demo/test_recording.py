# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The recording shows the quick start of the README; `make recording` writes it."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).parents[3]
DRAWN = [ROOT / "docs" / name for name in ("quick-start.svg", "quick-start-end.svg")]
README = (ROOT / "README.md").read_text(encoding="utf-8")
# The commands and the summaries.
SHOWN = re.findall(r"(?m)^(?:\$ ansible-playbook|1 device is declared) ?.*$", README)


@pytest.mark.parametrize("path", DRAWN, ids=lambda path: path.stem)
def test_recording_shows_commands_and_summaries_of_readme(path: Path) -> None:
    lines = {text.text for text in ElementTree.parse(path).iter("{http://www.w3.org/2000/svg}text")}
    assert len(SHOWN) == 6 and [line for line in SHOWN if line not in lines] == []


@pytest.mark.parametrize("path", DRAWN, ids=lambda path: path.stem)
def test_recording_is_small_and_has_a_description(path: Path) -> None:
    root = ElementTree.parse(path).getroot()
    parts = [root.find("*[@id='%s']" % name) for name in root.attrib["aria-labelledby"].split()]
    assert root.attrib["role"] == "img" and [part is not None and bool(part.text) for part in parts] == [True, True]
    assert path.stat().st_size < 150_000
