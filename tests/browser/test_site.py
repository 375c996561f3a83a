# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation site, opened from a disk: no requests to servers, a working search, and no broken links."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urldefrag

import pytest
from playwright.sync_api import Browser, Page

from .conftest import DESKTOP, PHONE

SITE = Path(os.environ["FONNTE_SITE"])
# A page of each kind, and words that it contains.
PAGES = {
    "index.html": "Getting started",
    "README.html": "WhatsApp devices as code",
    "docs/README.html": "When something is wrong",
    "docs/evidence.html": "Evidence",
    "docs/troubleshooting.html": "no hosts matched",
    "docs/bench.html": "Benchmarks",
    "playbooks.html": "fonnte.whatsapp.provision",
    "collection/index.html": "fonnte_device",
    "collection/docsite/guide.html": "Modules and plugins by task",
    "collection/fonnte_device_module.html": "handle_write_only",
    "collection/fleet_role.html": "fleet_devices",
    "collection/phone_number_filter.html": "in any spelling and returns its digits",
    "collection/fonnte_token_lookup.html": "FONNTE_ACCOUNT_TOKEN",
    "collection/fonnte_inventory.html": "keyed_groups",
    "collection/environment_variables.html": "FONNTE_ACCOUNT_TOKEN",
}
OpenPage = Callable[..., Page]


@pytest.fixture
def open_site(browser: Browser) -> Iterator[OpenPage]:
    """Open a page of the site; it must not report errors, and must not request URLs outside of the site."""
    trouble: list[str] = []
    contexts = []

    def opened(address: str, **options: Any) -> Page:
        context = browser.new_context(**{"viewport": DESKTOP, **options})
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: trouble.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: trouble.append(f"error: {error}"))
        page.on("requestfailed", lambda request: trouble.append(f"failed: {request.url}"))
        page.on("request", lambda request: asked(request.url))
        page.goto(f"{SITE.as_uri()}/{address}")
        return page

    def asked(url: str) -> None:
        if not url.startswith((f"{SITE.as_uri()}/", "data:")):
            trouble.append(f"asked for {url}")

    yield opened
    for context in contexts:
        context.close()
    assert trouble == []


@pytest.mark.parametrize(("address", "words"), PAGES.items(), ids=PAGES)
def test_each_kind_of_page_is_rendered(open_site: OpenPage, address: str, words: str) -> None:
    page = open_site(address)
    assert words in page.locator("article").inner_text()
    # If a page has its own table of contents, the theme shows an error instead.
    assert page.locator("article .contents, article .system-message, article .error").count() == 0


@pytest.mark.parametrize("address", ["index.html", "collection/fonnte_device_module.html", "docs/troubleshooting.html"])
def test_phone_needs_no_horizontal_scrolling(open_site: OpenPage, address: str) -> None:
    page = open_site(address, viewport=PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_benchmark_page_shows_the_chart(open_site: OpenPage) -> None:
    page = open_site("docs/bench.html")
    (width,) = {image.evaluate("image => image.naturalWidth") for image in page.locator("img[src$='bench.svg']").all()}
    assert width > 100


@pytest.mark.parametrize(
    ("words", "found"),
    [("attest", "Evidence"), ("handle_write_only", "fonnte_device"), ("wordthatisnowhere", "")],
)
def test_search_works_without_a_server(open_site: OpenPage, words: str, found: str) -> None:
    page = open_site("index.html")
    page.get_by_placeholder("Search").fill(words)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/search.html?q={words}*")
    page.locator("#search-results .search-summary").wait_for()
    page.wait_for_function("!document.querySelector('#search-results h2').textContent.startsWith('Searching')")
    titles = " ".join(page.locator("#search-results li a").all_inner_texts())
    assert found in titles and bool(titles) is bool(found)


def test_link_between_guides_opens_the_heading(open_site: OpenPage) -> None:
    page = open_site("README.html")
    page.locator("article").get_by_role("link", name="the table", exact=True).click()
    page.wait_for_url("**/docs/share-state.html#changes-that-a-run-detects")
    assert (
        page.locator(":target")
        .get_by_role("heading", level=2)
        .first.inner_text()
        .startswith("Changes that a run detects")
    )


class Anchors(HTMLParser):
    """The anchors and the links of a page."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect the ids, links and sources of an element."""
        for name, value in attrs:
            if name == "id" and value:
                self.ids.add(value)
            elif name in ("href", "src"):
                self.links.append(value or "")


def dead_links(pages: dict[Path, Anchors]) -> Iterator[str]:
    for path, anchors in pages.items():
        for link in anchors.links:
            target, fragment = urldefrag(link)
            if "://" in link or link.startswith(("mailto:", "data:")):
                continue
            # The query of a URL only distinguishes versions of a file.
            place = (path.parent / unquote(target.partition("?")[0])).resolve() if target else path
            known = pages[place].ids if place in pages else set()
            if not link or not place.is_file() or (fragment and unquote(fragment) not in known):
                yield f"{path.relative_to(SITE)}: {link!r}"


def test_site_has_no_broken_links() -> None:
    pages = {path.resolve(): Anchors(path) for path in SITE.rglob("*.html")}
    assert len(pages) > len(PAGES) and sum(len(anchors.links) for anchors in pages.values()) > 1000
    assert sorted(dead_links(pages)) == []
