# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page of a report: its structure, its policy, and the form of its texts."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fonnte.whatsapp.plugins.module_utils._audit.findings import (
    Audit,
    Kind,
    Level,
    Limits,
)
from ansible_collections.fonnte.whatsapp.plugins.module_utils._audit.html_report import render
from ansible_collections.fonnte.whatsapp.plugins.module_utils._audit.html_style import STYLE
from ansible_collections.fonnte.whatsapp.plugins.module_utils._audit.messages import LANGUAGES, Messages
from ansible_collections.fonnte.whatsapp.plugins.module_utils._audit.page_messages import PageMessages
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.clock import age
from ansible_collections.fonnte.whatsapp.plugins.module_utils._events.last_events import LastEvent
from ansible_collections.fonnte.whatsapp.tests.browser.samples import (
    NASTY,
    NOW,
    device,
    everything,
    named,
    recorded,
    report,
    seen,
)

EMPTY = Audit(NOW, "Nothing", "https://api.fonnte.com", Limits())
EN, ID = Messages("en"), Messages("id")


class Parsed(HTMLParser):
    """Parses a page as a browser does: its tags with their attributes, and the text of scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.inside: dict[str, list[str]] = {"script": [], "style": []}
        self.shown: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "link", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in self.inside:
            self.inside[self.open[-1]].append(data)
        else:
            self.shown.append(data)


def with_events(*events: str | None) -> Audit:
    """Return a report of a device for each time of a last event."""
    audit = report([seen(device(f"08120000000{place}")) for place in range(len(events))])
    ages = [None if at is None else LastEvent("incoming", at, int(age(at, NOW))) for at in events]
    devices = tuple(replace(subject, last_event=event) for subject, event in zip(audit.devices, ages, strict=True))
    return replace(audit, devices=devices)


def rows(text: str) -> list[str]:
    """Return the rows of the table of devices."""
    return re.findall(r"<tr class=.*</tr>", text)


def plain(text: str) -> str:
    """Return the text of a page, or of a part of it."""
    return " ".join("".join(Parsed(text).shown).split())


# --- inert and self-contained -------------------------------------------------------------------------------------


@pytest.mark.parametrize("style", ["", ":root{--accent:#0b6e4f}", "a{color:red}\r\nb{color:red}\r"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_page_is_self_contained(language: str, style: str) -> None:
    text = render(everything(), Messages(language), "ops@example.com", style)
    parsed = Parsed(text)
    assert parsed.open == [] and ("html", {"lang": language}) in parsed.tags
    policy = next(attributes["content"] for tag, attributes in parsed.tags if "http-equiv" in attributes) or ""
    assert policy.startswith("default-src 'none'; ") and "unsafe" not in policy and "http" not in policy
    # A browser changes these line ends before it computes the digest.
    assert (
        parsed.inside["style"][0].endswith(style.replace("\r\n", "\n").replace("\r", "\n"))
        and len(parsed.inside["script"]) == 2
    )
    for kind, contents in parsed.inside.items():
        for content in contents:
            digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
            assert f"'sha256-{digest}'" in policy.partition(f"{kind}-src ")[2].partition(";")[0]
    ids = [attributes["id"] for _tag, attributes in parsed.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    for tag, attributes in parsed.tags:
        assert tag not in ("img", "iframe", "object", "embed", "base", "source", "video", "audio")
        assert not [
            name for name in attributes if name.startswith("on") or name in ("style", "src", "srcset", "action")
        ]
        link = attributes.get("href") or "data:,"
        assert link == "data:," or (link[0] == "#" and link[1:] in ids)
    assert "url(" not in text and "@import" not in text and "fetch(" not in text


@given(st.one_of(st.sampled_from(NASTY), st.text(max_size=30)))
def test_external_text_never_becomes_markup(name: str) -> None:
    clean = "".join(letter for letter in name if letter.isprintable())
    expected, nasty = Parsed(render(named("Ani"), EN, "Ani")), Parsed(render(named(clean or "Ani"), EN, clean or "Ani"))
    shape = [(tag, sorted(attributes)) for tag, attributes in expected.tags if tag != "bdi"]
    assert [(tag, sorted(attributes)) for tag, attributes in nasty.tags if tag != "bdi"] == shape
    assert nasty.inside == expected.inside
    assert not clean.strip() or clean in "".join(nasty.shown)


@pytest.mark.parametrize("at", ["yesterday", "<b>", "2026-13-40T00:00:00Z"])
def test_time_of_another_form_is_shown_as_text(at: str) -> None:
    words = PageMessages("en")
    assert plain(words.moment(at)) == at and [tag for tag, _attributes in Parsed(words.moment(at)).tags] == ["time"]


# --- order --------------------------------------------------------------------------------------------------------


def test_devices_precede_the_explanation_which_is_closed() -> None:
    text = render(everything(), EN)
    places = [text.index(part) for part in ('id="levels"', 'id="devices"', 'id="list"', 'id="account"', 'id="help"')]
    assert places == sorted(places) and '<details id="help"><summary>' in text
    # The rows contain no meaning of a kind; the explanation contains the kinds of this report only.
    meanings = {kind: EN.meaning(kind) for kind in Kind}
    assert not any(meaning in row for row in rows(text) for meaning in meanings.values())
    counts = everything().counts()
    assert {kind for kind in Kind if meanings[kind] in text[places[-1] :]} == {kind for kind in Kind if counts[kind]}


def test_most_urgent_devices_are_first_and_names_are_in_natural_order() -> None:
    subjects = [
        seen(device(f"0812000000{place:02}", name), name=name) for place, name in enumerate(("Warung 10", "warung 9"))
    ]
    audit = report([*subjects, seen(device("081200000099", "Zeta", connected=False), name="Zeta")])
    found = [re.findall(r'class="name">(.*?)<', row)[0] for row in rows(render(audit, EN))]
    assert found == ["Zeta", "warung 9", "Warung 10"]
    assert [re.findall(r'data-name="(.*?)"', row)[0] for row in rows(render(audit, EN))] == ["2", "0", "1"]
    levels = [re.findall(r'class="(.*?)"', row)[0] for row in rows(render(everything(), EN))]
    urgency = [level.value for level in Level]
    assert levels == sorted(levels, key=urgency.index) and set(levels) == set(urgency)


def test_row_has_each_value_to_sort_by_and_none_if_it_is_unknown() -> None:
    unknown, known = rows(render(report([seen(device("081200000001")), seen(None, "081200000002", name="Ani")]), EN))
    assert 'data-ends="20270218073000"' in known and 'data-quota="5000"' in known and "data-event" not in known
    assert "data-ends" not in unknown and "data-quota" not in unknown


def test_form_offers_only_choices_of_this_report() -> None:
    text, few = render(everything(), EN), render(report([seen(device("081200000001"))]), EN)
    assert 'id="by-owner"' in text and '<option value="0">PT Contoh</option>' in text
    assert "Different at Fonnte (1)</option>" in text and '<option value="owner">' in text
    assert 'id="by-owner"' not in few and 'id="by-kind"' not in few and '<option value="owner">' not in few
    assert text.count("<select") == 3 and few.count("<select") == 1


# --- texts --------------------------------------------------------------------------------------------------------


def test_titles_describe_the_result() -> None:
    assert "<title>Toko Bersama: action needed on 5 of 18 devices, 20 Nov 2026</title>" in render(everything(), EN)
    assert "<title>Toko Bersama: 5 dari 18 perangkat perlu tindakan, 20 Nov 2026</title>" in render(everything(), ID)
    assert "<title>Nothing: no action required, 20 Nov 2026</title>" in render(EMPTY, EN)


@pytest.mark.parametrize("name", ["9" * 5000, "a" + "\u0301\u0316" * 100_000])
def test_name_without_an_end_is_cut(name: str) -> None:
    """Sorting such a name would take minutes, and a number of so many digits is an error."""
    audit = report([seen(device("081200000001", name))])
    assert len(audit.devices[0].name) == 1001 and "081200000001" in render(audit, EN)


def test_page_without_findings_states_that() -> None:
    assert "No action is required." in render(EMPTY, EN) and "No action is required." not in render(everything(), EN)


def test_rows_have_one_action_for_each_kind_and_no_evidence_of_the_list_itself() -> None:
    text = render(everything(), EN)
    (row,) = [row for row in rows(text) if "Toko Tujuh" in row]
    assert row.count('class="say"') == 3 and row.count(EN.action(Kind.UNKNOWN)) == 1
    assert not any(
        "Read from Fonnte" in row or "No evidence" in row or "Settings that match" in row for row in rows(text)
    )
    (row,) = [row for row in rows(text) if "Toko Dua" in row]
    assert "Recorded 2 Jun 2026, 03:04 UTC." in plain(row)
    # The sentences of these kinds already end with an action.
    for kind in (Kind.RECEIVER_FAILED, Kind.DELIVERY_RISK):
        assert EN.label(kind) in text and EN.action(kind) not in "".join(rows(text))
    # The evidence of all matching settings is in the explanation.
    assert "Settings that match the declaration: 3 recorded, 17 read from Fonnte." in plain(text)


def test_limitation_of_a_status_is_next_to_it() -> None:
    good = seen(device("081200000001", "Ani"), record=recorded(quick=True), name="Ani", quick=True)
    for words in (EN, ID):
        text = render(report([good]), words)
        state, _comma, limit = words("level_fine_recorded").partition(", ")
        assert state == words("level_fine") and limit
        assert f"{state}</span><small>{limit}</small>" in rows(text)[0]
        assert plain(text).count(f"{state} {limit}") == 1 and f"{state}, {limit}" in plain(text)


def test_numbers_have_the_separators_of_the_language() -> None:
    audit = report([seen(device("081200000001", quota=1234567))])
    assert ": </span>1,234,567</td>" in render(audit, EN) and ": </span>1.234.567</td>" in render(audit, ID)
    assert EN.of(1000, 5000) == "1,000 of 5,000" and ID.of(1000, 5000) == "1.000 dari 5.000"


def test_times_have_months_of_the_language_and_a_form_for_scripts() -> None:
    at = "2026-08-05T03:04:05Z"
    assert PageMessages("en").moment(at) == f'<time datetime="{at}">5 Aug 2026, 03:04 UTC</time>'
    assert PageMessages("id").moment(at) == f'<time datetime="{at}">5 Agu 2026, 03.04 UTC</time>'
    assert PageMessages("id").day(at) == f'<time class="day" datetime="{at}">5 Agu 2026</time>'
    (row,) = [row for row in rows(render(everything(), EN)) if "Toko Empat" in row]
    assert row.count('<time class="day" datetime="2026-11-19T07:30:00Z">19 Nov 2026</time>') == 2


def test_contact_is_in_the_head_or_else_a_sentence_is_in_the_explanation() -> None:
    sentence = "If an action mentions a playbook or a declaration, contact "
    text = render(everything(), EN, "Ani & <Budi>")
    head, _end, rest = text.partition("</header>")
    assert f"{sentence}<bdi>Ani &amp; &lt;Budi&gt;</bdi>." in head and f"{sentence}<bdi>Ani" in rest
    head, _end, rest = render(everything(), EN).partition("</header>")
    assert sentence not in head and f"{sentence}the person who sent you this report." in rest


@pytest.mark.parametrize(
    ("event", "words"),
    [
        ("2026-11-20T07:18:00Z", "Last event: incoming message, 12 min ago."),
        ("2026-11-20T02:00:00Z", "Last event: incoming message, 5 h ago."),
        ("2026-11-10T07:30:00Z", "Last event: incoming message, 10 days ago."),
    ],
)
def test_last_event_is_shown_and_sorted_by_if_it_is_known(event: str, words: str) -> None:
    text = render(with_events(event, None), EN)
    first, second = rows(text)
    assert words in plain(first) and f'data-event="{re.sub("[^0-9]", "", event)}"' in first
    assert "incoming" not in second and '<option value="event">' in text
    assert '<option value="event">' not in render(with_events(None), EN)


# --- style --------------------------------------------------------------------------------------------------------


def variables(scheme: str) -> dict[str, str]:
    """Return the CSS variables of a color scheme."""
    light, dark = re.findall(r":root\{(.*?)\}", STYLE, re.DOTALL)[:2]
    found = dict(re.findall(r"--([a-z-]+):([^;]+)", light.replace("\n", "")))
    return found if scheme == "light" else {**found, **dict(re.findall(r"--([a-z-]+):([^;]+)", dark.replace("\n", "")))}


def luminance(color: str) -> float:
    """Return the relative luminance of a color, as WCAG defines it."""
    color = "".join(letter * 2 for letter in color[1:]) if len(color) == 4 else color[1:]
    parts = [int(color[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colors, as WCAG defines it."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colors_have_the_contrast_of_level_aa(scheme: str) -> None:
    color = variables(scheme)
    backs = [color["page"], color["surface"]]
    texts = ["text", "muted", "accent", *(level.value for level in Level)]
    pairs = [(color[text], back) for text in texts for back in backs]
    for level in Level:
        tint = color[f"{level.value}-tint"]
        pairs += [(color[level.value], tint), (color["text"], tint), (color["muted"], tint)]
    assert min(contrast(text, back) for text, back in pairs) >= 4.5
    assert min(contrast(color["control"], back) for back in backs) >= 3


def test_every_color_is_a_variable() -> None:
    rules = re.sub(r":root\{.*?\}", "", STYLE, flags=re.DOTALL)
    assert re.findall(r"#[0-9a-f]{3,8}\b(?=[;}])", rules) == [] and "rgb" not in rules
    assert "var(--action)" in rules and STYLE.count(":root{") == 3
