# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each link of a Markdown file leads to an existing file, and to an existing heading of it."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping

import pytest

from tools import site
from tools.paths import ROOT
from tools.tree import list_files

FILES = list_files()
PAGES = {path: (ROOT / path).read_text(encoding="utf-8") for path in FILES if path.endswith(".md")}
CODE = re.compile(r"^```.*?^```|`[^`\n]+`", re.DOTALL | re.MULTILINE)
# A link or an image, an address that is defined below, and the HTML anchors of CHANGELOG.md and GitHub.
LINK = re.compile(r"\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)|^\[[^\]]+\]: (\S+)$|(?:href|src)=\"([^\"]+)\"", re.MULTILINE)


def anchors(text: str) -> set[str]:
    """Return the anchors that GitHub gives the headings of a page; a duplicate gets a number."""
    text = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    found: list[str] = re.findall(r"<a id=\"([^\"]+)\"", text)
    for heading in re.findall(r"^#+ (.+?)\s*$", text, re.MULTILINE):
        shown = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", shown.lower()).replace(" ", "-")
        again = sum(1 for known in found if re.fullmatch(rf"{re.escape(slug)}(-\d+)?", known))
        found.append(f"{slug}-{again}" if again else slug)
    return set(found)


def dead_links(pages: Mapping[str, str], files: list[str]) -> Iterator[str]:
    folders = {posixpath.dirname(path) for path in files}
    for page, text in pages.items():
        for link in map("".join, LINK.findall(CODE.sub("", text))):
            if re.match(r"[a-z]+:", link):
                continue
            target, _hash, heading = link.partition("#")
            place = posixpath.normpath(posixpath.join(posixpath.dirname(page), target)) if target else page
            if place not in pages and place not in files and place not in folders:
                yield f"{page}: {link} is not there"
            elif heading and heading not in anchors(pages.get(place, "")):
                yield f"{page}: {link} has no such heading"


def test_every_link_leads_to_a_file_and_a_heading() -> None:
    assert list(dead_links(PAGES, FILES)) == []


def test_links_of_the_pages_are_found() -> None:
    """The index leads to all guides, so it has at least as many links."""
    assert len(LINK.findall(PAGES["docs/README.md"])) >= 20
    assert "try-it-without-an-account" in anchors(PAGES["README.md"])


@pytest.mark.parametrize(
    ("text", "dead"),
    [
        ("[a](b.md#two-words)", False),
        ("[a](b.md#two-words-1)", False),
        ("[a](b.md#-stamp--and-more)", False),
        ("`[a](none.md)`", False),
        ("[a](https://none.example/x)", False),
        ("[a](c)", False),
        ("[a](b.md#three)", True),
        ("[a](none.md)", True),
        ("[a](#nowhere)", True),
        ("![a](none.png)", True),
        ("[a]: none.md", True),
        ('<img src="none.png">', True),
    ],
)
def test_dead_link_is_reported(text: str, dead: bool) -> None:
    pages = {"docs/a.md": text, "docs/b.md": "# Two words\n\n## Two words\n\n## `~stamp`, and more\n"}
    pages["docs/b.md"] = pages["docs/b.md"].replace("`~stamp`,", "~ `stamp`, ")
    assert bool(list(dead_links(pages, [*pages, "docs/c/d.txt"]))) is dead


def test_every_page_is_in_the_contents_of_the_site_once() -> None:
    there = [path[: -len(".md")] for path in PAGES if not path.startswith(site.NOT_SHOWN)]
    shown = re.findall(r"^   (?!:)(\S+)$", site.contents(site.sections(PAGES[site.INDEX]), there), re.MULTILINE)
    assert sorted(shown) == sorted([*there, "collection/index", "playbooks"])


def test_reference_of_the_index_precedes_that_of_the_modules() -> None:
    shown = site.contents({"Reference": ["docs/errors", "docs/a", "docs/errors"]}, ["docs/a", "docs/errors"])
    reference = shown.partition(":caption: Reference")[2].partition(":caption: More")[0]
    assert re.findall(r"^   (?!:)(\S+)$", reference, re.MULTILINE) == [
        "docs/errors",
        "docs/a",
        "collection/index",
        "playbooks",
    ]


def test_link_without_an_address_is_removed() -> None:
    link = '  - title: "A"\n    url: "%s"\n    external: true\n'
    one, other = link % "", link % "https://a.example"
    head = ".. ansible-links::\n\n"
    assert site.without_empty_links(head + one + other + "\nText\n") == head + other + "\nText\n"
    assert site.without_empty_links("Before\n\n" + head + one + "\nText\n") == "Before\n\n\nText\n"


def test_contents_of_a_page_are_removed_for_the_theme() -> None:
    assert site.without_contents("A\n\n.. contents::\n   :local:\n   :depth: 1\n\nB\n") == "A\n\n\nB\n"


def test_commands_become_blocks_and_prose_does_not() -> None:
    head = "---\n# Copyright\n# SPDX\n\n# Tells.\n#\n#   ansible-playbook a.b.c\n#     -e d\n#\n# More.\n\n- name: A title\n"
    page = site.playbooks({"c": head})
    assert page.endswith(
        "## fonnte.whatsapp.c\n\nA title.\n\nTells.\n\n```shell\nansible-playbook a.b.c\n  -e d\n```\n\nMore.\n\n"
    )
