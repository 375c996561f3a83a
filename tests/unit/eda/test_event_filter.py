# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The event filter, loaded as ansible-rulebook loads it, and its documentation compared with the code."""

from __future__ import annotations

import copy
import json
import re
import runpy
import typing as t
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

ROOT = Path(__file__).parents[3]
PLUGINS = ROOT / "extensions" / "eda" / "plugins"
FILTER = runpy.run_path(str(PLUGINS / "event_filter" / "normalize.py"))
SOURCE = runpy.run_path(str(PLUGINS / "event_source" / "webhook.py"))
PAGE = (ROOT / "docs" / "events.md").read_text(encoding="utf-8")
SECRET = "Zk3-9xTq7LmPw2Rb"
TOKEN = "tok3n+of-a-client"

DROPPED = {
    "device": "081200001001",
    "status": "disconnect",
    "timestamp": 1760000000,
    "reason": "logged out",
    "token": TOKEN,
}
CHAT = {
    **dict.fromkeys(("text", "member", "location", "pollname", "choices", "url", "filename", "extension"), ""),
    "device": "081200001001",
    "sender": "6281299990000",
    "message": "halo",
    "name": "Warung Tiga",
    "timestamp": 1760000000,
    "inboxid": 4711,
}
SENT = {"device": "081200001001", "id": "80367170", "stateid": "st1", "status": "sent", "state": "sent"}


def received(payload: object, endpoint: str = SECRET) -> dict[str, t.Any]:
    """Return an event as ansible.eda.webhook creates it."""
    return {"payload": payload, "meta": {"endpoint": endpoint, "headers": {"Host": "x", "X-Key": SECRET}}}


def filtered(event: t.Any, **options: t.Any) -> t.Any:
    return FILTER["main"](copy.deepcopy(event), **options)


def test_filter_returns_the_event_of_the_source_without_secrets() -> None:
    event = filtered(received(DROPPED))
    assert event["fonnte"] == SOURCE["_intake"].event_of(DROPPED).data
    assert "payload" not in event and event["meta"] == {}
    assert TOKEN not in json.dumps(event) and SECRET not in json.dumps(event)


def test_filter_keeps_tokens_and_request_on_request() -> None:
    event = filtered(received(DROPPED), return_tokens=True, keep_request=True)
    assert event["fonnte"]["token"] == TOKEN and event["meta"]["endpoint"] == SECRET


def test_kind_is_read_from_the_endpoint() -> None:
    assert filtered(received({"step": 2}, f"{SECRET}/chaining"))["fonnte"]["kind"] == "chaining"
    assert filtered(received({"step": 2}, f"{SECRET}/elsewhere"))["fonnte"]["kind"] == "unknown"


@pytest.mark.parametrize(
    ("payload", "kind"), [({}, "probe"), ({"x": 1}, "unknown"), ([1], "unknown"), (None, "unknown"), (SENT, "status")]
)
def test_payload_that_is_no_webhook_is_passed_on_with_its_kind(payload: object, kind: str) -> None:
    assert filtered(received(payload))["fonnte"]["kind"] == kind


@given(st.recursive(st.none() | st.integers() | st.text(), lambda one: st.lists(one) | st.dictionaries(st.text(), one)))
def test_filter_accepts_any_value(value: t.Any) -> None:
    filtered(value)
    json.dumps(filtered({"payload": value}))
    json.dumps(filtered({"payload": value, "meta": value}))


def test_event_with_kept_request_contains_no_template() -> None:
    event = received({**DROPPED, "reason": "{{ 1 }}"}, "{{ 2 }}")
    event["meta"]["headers"]["__ansible_vault"] = "{% %}"
    event["{{ 3 }}"] = "#jinja2:x"
    event = filtered(event, keep_request=True)
    assert event["fonnte"]["reason"] == "\uff5b\uff5b 1 }}" and event["meta"]["endpoint"] == "\uff5b\uff5b 2 }}"
    assert event["fonnte"]["altered"] == [
        "reason",
        "meta.endpoint",
        "meta.headers.\uff3f\uff3fansible_vault",
        "\uff5b\uff5b 3 }}",
    ]


def test_secret_path_and_token_are_masked_in_all_values() -> None:
    event = received({**DROPPED, "reason": f"{TOKEN} {SECRET}"}, f"{SECRET}/connect")
    event["meta"]["raw"] = {"path": f"/{SECRET}/connect", "query": f"?t={TOKEN}"}
    text = json.dumps(filtered(event))
    assert TOKEN not in text and SECRET not in text and "/connect" in text
    assert SECRET in json.dumps(filtered(event, keep_request=True))


def test_secret_path_of_plain_words_is_masked_only_in_meta() -> None:
    event = received({**CHAT, "message": "kasirtoko"}, "kasirtoko")
    event["meta"]["raw"] = {"path": "/kasirtoko"}
    event = filtered(event)
    assert (event["fonnte"]["message"], event["meta"]["raw"]["path"]) == ("kasirtoko", "/********")


@pytest.mark.parametrize("endpoint", ["{}", "a/b/c/d/{}/incoming"])
def test_long_word_in_the_path_is_a_secret(endpoint: str) -> None:
    secret = "kmzqvtrbnxpwlsdfkmzq"
    event = filtered(received({**CHAT, "message": f"see {secret}"}, endpoint.format(secret)))
    assert event["fonnte"]["message"] == "see ********"


def test_large_event_is_reduced_to_a_small_one() -> None:
    event = received({**CHAT, **{"x" * number: 1 for number in range(1, 3000)}})
    event["meta"] = {"uuid": "u", "source": {"name": "s"}, "headers": {}, "x": "y" * 2_000_000}
    event = filtered(event)
    assert event["fonnte"]["kind"] == "unknown" and event["meta"] == {"uuid": "u", "source": {"name": "s"}}
    assert len(json.dumps(event)) < 2000


def test_event_of_another_source_is_unchanged() -> None:
    assert filtered({"alert": 1}) == {"alert": 1}


def test_example_events_in_the_documentation_match_the_filter() -> None:
    blocks = [
        example["fonnte"]
        for block in re.findall(r"^```json\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
        if "fonnte" in (example := json.loads(block))
    ]
    assert blocks == [filtered(received(payload))["fonnte"] for payload in (DROPPED, CHAT, SENT)]


def test_documentation_lists_every_option_with_its_default() -> None:
    listener = SOURCE["_listener"]
    documented = yaml.safe_load(SOURCE["DOCUMENTATION"])["options"]
    assert set(documented) == set(listener.NAMES)
    options = listener.parse_options({"secret": SECRET}, {})
    real = {
        "host": options.host,
        "port": options.port,
        "body_limit": options.body_limit,
        "queue_size": options.limits.waiting,
        "duplicates_within": options.limits.duplicates_within,
        "duplicates_kept": options.limits.duplicates_kept,
        "return_tokens": options.limits.return_tokens,
        "settle": options.settle,
        "own_messages": "keep" if options.limits.keep_own_messages else "drop",
    }
    assert {name: option["default"] for name, option in documented.items() if "default" in option} == real
    table = PAGE.partition("## Options of the source")[2].partition("## HTTP responses")[0]
    for name in listener.NAMES:
        assert f"`{name}`" in table
    for name, default in real.items():
        row = re.search(rf"^\| `{name}` \| `?([^|`]+)`? \|", table, re.MULTILINE)
        assert row and row[1].strip() == str(default).lower().replace(".0", "" if name != "host" else ".0")
    assert set(yaml.safe_load(FILTER["DOCUMENTATION"])["options"]) == {"return_tokens", "keep_request"}


def test_documentation_lists_every_refusal_with_its_status() -> None:
    rows = {
        name: int(status) for status, name in re.findall(r"^\| [^|]+ \| (\d+)[^|]*\| `(\w+)` \|$", PAGE, re.MULTILINE)
    }
    intake = SOURCE["_intake"]
    assert rows == {
        "accepted": 200,
        "duplicates": 200,
        "probes": 200,
        "own_messages": 200,
        **{answer.outcome: answer.status for answer in intake.REFUSALS},
    }
