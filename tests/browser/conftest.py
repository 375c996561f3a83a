# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A headless browser, and pages as they are written to a disk."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

# The directory that contains ansible_collections, if PYTHONPATH does not have it.
ROOT = Path(__file__).parents[5]
if str(ROOT) not in sys.path:
    sys.path.append(str(ROOT))

from ansible_collections.fonnte.whatsapp.plugins.module_utils._audit.findings import Audit
from ansible_collections.fonnte.whatsapp.plugins.module_utils._audit.html_report import render
from ansible_collections.fonnte.whatsapp.plugins.module_utils._audit.messages import Messages
from ansible_collections.fonnte.whatsapp.tests.browser.samples import everything, many

CHROMIUM = os.environ["FONNTE_CHROMIUM"]
DESKTOP, TABLET, PHONE = {"width": 1200, "height": 800}, {"width": 768, "height": 1024}, {"width": 390, "height": 844}


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Return one Chromium for all tests. As root it has no sandbox; it opens only pages of this project."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"] * (os.geteuid() == 0))
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Write pages: examples of each finding in both languages, and five thousand devices."""
    folder = tmp_path_factory.mktemp("pages")
    audits: dict[str, tuple[Audit, str]] = {
        "en": (everything(), "en"),
        "id": (everything(), "id"),
        "many": (many(5000), "en"),
    }
    for name, (audit, language) in audits.items():
        (folder / f"{name}.html").write_text(render(audit, Messages(language)), encoding="utf-8")
    styled = render(everything(), Messages("en"), "ops@example.com", ":root{--accent:#0b6e4f}")
    (folder / "styled.html").write_text(styled, encoding="utf-8")
    return {name: folder / f"{name}.html" for name in (*audits, "styled")}


Open = Callable[..., Page]


@pytest.fixture
def open_page(browser: Browser, files: dict[str, Path]) -> Iterator[Open]:
    """Open a page; it must not write to the console, and must not request other URLs."""
    trouble: list[str] = []
    contexts = []

    def opened(name: str = "en", **options: Any) -> Page:
        context = browser.new_context(**{"viewport": DESKTOP, **options})
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: trouble.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: trouble.append(f"error: {error}"))
        page.on("request", lambda request: trouble.append(request.url) if request.url != address else None)
        address = files[name].as_uri()
        page.goto(address)
        return page

    yield opened
    for context in contexts:
        context.close()
    # The icon is an empty data: URL in the page itself.
    assert [text for text in trouble if not text.startswith("data:")] == []
