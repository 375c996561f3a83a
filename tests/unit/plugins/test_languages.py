# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A page in Bahasa Indonesia has the same structure as its page in English.

Each paragraph is one line, so the pages are compared line by line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PAGES = ("getting-started", "fleet", "import", "link", "messages", "on-call", "audit")
ENGLISH = ("README.md", *(f"docs/{name}.md" for name in PAGES))
TRANSLATED = sorted(
    str(path.relative_to(ROOT)) for where in ("", "docs/", "roles/*/") for path in ROOT.glob(f"{where}*.id.md")
)

_PART = re.compile(r"^(?:(?P<block>```.*?^```)|(?P<level>#+) (?P<heading>[^\n]*))$", re.DOTALL | re.MULTILINE)
_CODE = re.compile(r"`([^`]+)`")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_FIGURE = re.compile(r"\d+(?:[.,]\d+)*")


@dataclass(frozen=True)
class Section:
    """A part of a page that begins with a heading; the first one is the part before all headings.

    Attributes:
        level: The number signs before the heading.
        blocks: The fenced blocks, with their fences.
        lines: The heading and the other lines with words.
    """

    level: str
    lines: list[str]
    blocks: list[str]


def sections_of(page: str) -> list[Section]:
    """Return the sections of a page, in order."""
    found = [Section("", [""], [])]
    end = 0
    for part in _PART.finditer(page):
        found[-1].lines.extend(line for line in page[end : part.start()].splitlines() if line)
        end = part.end()
        if part["block"]:
            found[-1].blocks.append(part["block"])
        else:
            found.append(Section(part["level"], [part["heading"]], []))
    found[-1].lines.extend(line for line in page[end:].splitlines() if line)
    return found


def path_of(target: str) -> str:
    """Return the path that a link leads to. The README may have full addresses, as `make address` writes them."""
    return re.sub(r"^https://\S+/blob/main/", "", target).replace(".id.md", ".md").partition("#")[0]


def kept(line: str) -> dict[str, list[str]]:
    """Return the parts of a line that are the same in all languages."""
    plain = _LINK.sub("]", _CODE.sub("", line))
    return {
        "code": sorted(_CODE.findall(line)),
        "links": sorted(path_of(target) for target in _LINK.findall(line)),
        # 2,800 is 2.800 in Bahasa Indonesia.
        "figures": sorted(re.sub("[.,]", "", figure) for figure in _FIGURE.findall(plain)),
        "cells": re.findall(r"\|", plain),
        "marks": re.findall(r"^(?:- |\d+\. )|\*\*", plain),
    }


def differences(english: str, other: str) -> Iterator[str]:
    """Yield the differences of a page in another language, section by section."""
    ours, theirs = sections_of(english), sections_of(other)
    if [section.level for section in ours] != [section.level for section in theirs]:
        yield f"headings: {[section.lines[0] for section in ours]} and {[section.lines[0] for section in theirs]}"
        return
    for mine, its in zip(ours, theirs, strict=False):
        for block, again in zip_longest(mine.blocks, its.blocks):
            if block != again:
                yield f"under {mine.lines[0]!r}: the block\n{block}\nis\n{again}"
        if len(mine.lines) != len(its.lines):
            yield f"under {mine.lines[0]!r}: {len(mine.lines)} lines and {len(its.lines)}"
            continue
        for line, again in zip(mine.lines, its.lines, strict=False):
            if kept(line) != kept(again):
                yield f"under {mine.lines[0]!r}: {kept(line)} of\n{line}\nis {kept(again)} of\n{again}"


def english_of(page: str) -> str:
    return page.replace(".id.md", ".md")


def read(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def test_first_pages_are_in_both_languages() -> None:
    assert {english_of(page) for page in TRANSLATED} >= set(ENGLISH)


@pytest.mark.parametrize("page", TRANSLATED)
def test_translated_page_has_the_structure_of_the_english_one(page: str) -> None:
    assert (ROOT / english_of(page)).exists(), f"{page} is a translation of nothing"
    assert list(differences(read(english_of(page)), read(page))) == []


@pytest.mark.parametrize("page", TRANSLATED)
def test_translated_pages_link_to_each_other_below_the_title(page: str) -> None:
    here, there = sections_of(read(page))[1], sections_of(read(english_of(page)))[1]
    assert here.lines[1] == f"[English]({Path(english_of(page)).name})"
    assert re.fullmatch(rf"\[Bahasa Indonesia\]\((https://\S+/)?{re.escape(Path(page).name)}\)", there.lines[1])


def anchors_of(page: Path) -> set[str]:
    """Return the anchors of the headings of a page."""
    headings = [section.lines[0] for section in sections_of(page.read_text(encoding="utf-8"))]
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", TRANSLATED)
def test_links_lead_to_the_same_language_if_possible(page: str) -> None:
    linked = [target for section in sections_of(read(page)) for line in section.lines for target in _LINK.findall(line)]
    own = [target for target in linked if "://" not in target]
    assert len(own) > 3
    for target in own:
        path, _sign, anchor = target.partition("#")
        there = (ROOT / page).parent / path if path else ROOT / page
        assert there.exists(), target
        assert not anchor or anchor in anchors_of(there), target
        if there.resolve() != ROOT / english_of(page):
            assert not there.with_suffix(".id.md").exists(), f"{target} is there in Bahasa Indonesia"


PAGE = """<!-- head -->

# Devices

**Both:** 2,800 devices, with `one` and `two`. See [more](docs/more.md#all).

## Do it

```shell
# Not a heading.
make demo
```

| what | version |
|---|---|
| `one` | 3.7 |

- A line.
"""
SAME = """<!-- head -->

# Perangkat

**Keduanya:** dengan `two` dan `one`, 2.800 perangkat. Lihat [lainnya](docs/more.id.md#semua).

## Lakukan

```shell
# Not a heading.
make demo
```

| apa | versi |
|---|---|
| `one` | 3,7 |

- Sebuah baris.
"""


def test_other_words_are_no_difference() -> None:
    assert list(differences(PAGE, SAME)) == []


@pytest.mark.parametrize(
    ("part", "other"),
    [
        ("<!-- head -->", ""),
        ("## Lakukan", "### Lakukan"),
        ("## Lakukan\n", ""),
        ("```shell", "```sh"),
        ("make demo", "make test"),
        ("# Not a heading.", "# Bukan judul."),
        ("```shell\n# Not a heading.\nmake demo\n```\n", ""),
        ("| `one` | 3,7 |\n", ""),
        ("| `one` | 3,7 |", "| `one` | 3,7 | |"),
        ("3,7", "3,8"),
        ("2.800", "2.801"),
        ("`two`", "`dua`"),
        ("`two`", "two"),
        ("docs/more.id.md", "docs/other.md"),
        ("**Keduanya:**", "Keduanya:"),
        ("- Sebuah", "Sebuah"),
        ("- Sebuah baris.\n", ""),
        ("- Sebuah baris.\n", "- Sebuah baris.\n\nDan lagi.\n"),
    ],
)
def test_each_difference_is_found(part: str, other: str) -> None:
    assert SAME.count(part) == 1
    assert len(list(differences(PAGE, SAME.replace(part, other)))) > 0


@pytest.mark.parametrize("page", TRANSLATED)
def test_links_to_english_pages_are_marked(page: str) -> None:
    links = re.findall(
        r"\[[^\]]+\]\((?:https://\S+/blob/main/)?([^)\s:]+\.md)(?:#[^)\s]*)?\)( \(Inggris\))?", read(page)
    )
    assert len(links) > 1
    # The first link leads to the English version of the page itself.
    assert [target for target, mark in links[1:] if bool(mark) == target.endswith(".id.md")] == []
