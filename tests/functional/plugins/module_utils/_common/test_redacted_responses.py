# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No module returns or writes a token that the service repeats, in any spelling."""

from __future__ import annotations

import base64
import html
import json
import typing as t
from urllib.parse import quote, quote_plus

import pytest

from ansible_collections.fonnte.whatsapp.plugins.module_utils._api.client import MAX_SHOWN_NUMBER_LENGTH
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.errors import FonnteError
from ansible_collections.fonnte.whatsapp.tests.control_node import Controller

TOKEN = 'Ex@mple!t0ken+of#a"test_-x'
NUMBER = "081200000001"


def in_base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


SPELLINGS: dict[str, t.Callable[[str], str]] = {
    "plain": str,
    "URL-encoded": lambda secret: quote(secret, safe=""),
    "URL-encoded in small letters": lambda secret: quote(secret, safe="").lower(),
    "as a form": quote_plus,
    "every character URL-encoded": lambda secret: "".join(f"%{letter:02x}" for letter in secret.encode()),
    "URL-encoded twice": lambda secret: quote(quote(secret, safe=""), safe=""),
    "JSON-escaped": lambda secret: json.dumps(secret)[1:-1],
    "JSON-escaped as PHP does": lambda secret: json.dumps(secret)[1:-1].replace("/", "\\/"),
    "every character JSON-escaped": lambda secret: "".join(f"\\u{ord(letter):04X}" for letter in secret),
    "JSON in JSON": lambda secret: json.dumps(json.dumps(secret)),
    "HTML-escaped": html.escape,
    "in base64": in_base64,
    "in base64 without padding": lambda secret: in_base64(secret).rstrip("="),
    "in base64 for URLs": lambda secret: base64.urlsafe_b64encode(secret.encode()).decode(),
    "in base64, URL-encoded": lambda secret: quote(in_base64(secret), safe=""),
    "in base64 of JSON": lambda secret: in_base64(json.dumps({"Authorization": secret})),
    "in base64 behind a byte": lambda secret: in_base64("x" + secret + "y"),
    "in base64 behind two bytes": lambda secret: in_base64("xx" + secret),
    "in capitals": str.upper,
    "in small letters": str.lower,
    "in small letters in base64": lambda secret: in_base64(secret.lower()),
}
MODULES: tuple[tuple[str, dict[str, t.Any]], ...] = (
    ("device", {"device": NUMBER, "name": "Tako"}),
    ("device", {"device": NUMBER, "autoread": True}),
    ("device_info", {"recorded": True, "profile": True}),
    ("fleet", {"devices": [{"device": "081200000002", "name": "Toko"}], "unlisted": "report"}),
    ("fleet", {"devices": [{"device": NUMBER, "name": "Tako"}, {"device": "081200000002", "name": "Toko"}]}),
    ("audit", {"devices": [{"device": NUMBER, "name": "Tako"}]}),
    ("record_info", {}),
    ("record", {"operation": "forget", "orphans": True}),
    ("webhook_config", {"device": NUMBER, "webhook": ""}),
    ("doctor", {}),
    ("message", {"device": NUMBER, "target": ["081200000009"], "message": "hello"}),
    ("message", {"device": NUMBER, "target": ["group:Toko"], "message": "hello"}),
    ("group_info", {"device": NUMBER, "refresh": True}),
    ("number_info", {"device": NUMBER, "numbers": ["081200000009"]}),
    ("device_qr", {"device": NUMBER, "method": "code", "whatsapp": "081200000009"}),
)


@pytest.mark.parametrize("whose", ["account", "device"])
@pytest.mark.parametrize("name", ["plain", "URL-encoded", "every character JSON-escaped", "in base64", "in capitals"])
@pytest.mark.parametrize("field", ["name", "package", "device", "reason"])
def test_no_module_shows_a_token_that_the_service_repeats(
    controller: Controller, field: str, name: str, whose: str, tmp_path: t.Any
) -> None:
    controller.device(NUMBER, name="Toko", quick=True)
    tokens = {"account": controller.sandbox.account_token, "device": controller.sandbox.device(NUMBER)["token"]}
    said = SPELLINGS[name](tokens[whose])
    if field == "device" and len(said) > MAX_SHOWN_NUMBER_LENGTH - 4:
        # Longer values are truncated.
        field = "name"
    if field == "reason":
        refusing = ("/device", "/update-device", "/add-device", "/send", "/qr")
        for path in (*refusing, "/get-whatsapp-group", "/fetch-group", "/validate"):
            controller.sandbox.fault("status", path=path, times=None, code=200, body={"status": False, "reason": said})
    elif field == "device":
        controller.sandbox.fault("mutate", path="/get-devices", times=None, set_each={field: f"0812{said}"})
    else:
        controller.sandbox.fault("mutate", path="/get-devices", times=None, set_each={field: f"Toko {said}"})
    for module, params in MODULES:
        more = {"dest": str(tmp_path / "audit"), "language": "en"} if module == "audit" else {}
        try:
            report = controller.run(module, field != "reason", **params, **more)
            shown = json.dumps([report.result, report.warnings]) + str(report)
        except FonnteError as fault:
            shown = json.dumps([str(fault), fault.partial_result, fault.warnings])
        written = "".join(
            path.read_text(encoding="utf-8", errors="replace")
            for path in (tmp_path / "audit").rglob("*")
            if path.is_file()
        )
        for text in (shown, written):
            assert said not in text and json.dumps(said)[1:-1] not in text, (module, text[:500])
            assert tokens[whose].lower() not in text.lower()


@pytest.mark.parametrize("whose", ["account", "device"])
@pytest.mark.parametrize("name", SPELLINGS)
@pytest.mark.parametrize("field", ["message_status", "reason"])
def test_wait_for_a_message_shows_no_token_that_the_service_repeats(
    controller: Controller, field: str, name: str, whose: str
) -> None:
    controller.device(NUMBER, name="Toko", quick=True)
    tokens = {"account": controller.sandbox.account_token, "device": controller.sandbox.device(NUMBER)["token"]}
    said = SPELLINGS[name](tokens[whose])
    body = {"status": field != "reason", field: f"now {said}"}
    controller.sandbox.fault("status", path="/status", times=None, code=200, body=body)
    given = {"device": NUMBER, "target": ["081200000009"], "message": "hello", "connect_only": False}
    with pytest.raises(FonnteError, match="the message was queued") as caught:
        controller.run("message", **given, wait="sent", wait_timeout=5)
    shown = json.dumps([str(caught.value), caught.value.partial_result, caught.value.warnings])
    assert "now " in shown and said not in shown and json.dumps(said)[1:-1] not in shown
    assert tokens[whose].lower() not in shown.lower()
