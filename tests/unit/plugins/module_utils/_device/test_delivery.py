# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Delivery risks: declarations with which events may not arrive."""

from __future__ import annotations

import pytest

from ansible_collections.fonnte.whatsapp.plugins.module_utils._device.delivery import find_delivery_risks
from ansible_collections.fonnte.whatsapp.plugins.module_utils._device.settings import SETTINGS, WEBHOOKS, Settings

ALL = tuple(setting.option for setting in SETTINGS)
ONE, TWO = "https://hooks.example.com/one", "https://hooks.example.com/two"
CHATS: Settings = {"webhook": ONE, "autoread": True, "personal": True}


def risks(declared: Settings, known: Settings | None = None, manageable: tuple[str, ...] = ALL) -> dict[str, list[str]]:
    """Return the risks of a declaration for a device with these known settings, by cause."""
    found = find_delivery_risks(declared, {**(known or {}), **declared}, manageable)
    assert len({risk.cause for risk in found}) == len(found)
    return {risk.cause.value: list(risk.options) for risk in found}


@pytest.mark.parametrize(
    ("declared", "known", "off"),
    [
        (CHATS, {}, []),
        ({"webhook": ONE}, {}, ["autoread", "personal"]),
        ({"webhook": ONE, "autoread": True}, {}, ["personal"]),
        ({"webhook": ONE, "personal": True}, {"autoread": False}, ["autoread"]),
        ({"webhook": ONE}, {"autoread": True, "personal": True}, []),
        # The webhook is known, and the task declares a setting that it depends on.
        ({"autoread": False, "personal": True}, {"webhook": ONE}, ["autoread"]),
        ({"quick": True}, {"webhook": ONE}, []),
        # Groups only, a decision; an omitted setting is none.
        ({"webhook": ONE, "autoread": True, "personal": False, "group": True}, {}, []),
        ({"webhook": ONE, "autoread": True, "personal": False}, {}, ["personal"]),
        ({"webhook": ONE, "autoread": True, "group": True}, {}, ["personal"]),
        ({"webhook": ONE, "autoread": False, "personal": False, "group": True}, {}, ["autoread"]),
        ({"webhook": "", "autoread": False}, {}, []),
        ({"autoread": False}, {}, []),
        ({}, {"webhook": ONE, "autoread": False}, []),
    ],
)
def test_webhook_without_the_settings_that_fonnte_needs(declared: Settings, known: Settings, off: list[str]) -> None:
    assert risks(declared, known).get("incoming_off", []) == off


def test_unknown_setting_that_the_task_cannot_declare_is_no_risk() -> None:
    declared: Settings = {"webhook": ONE}
    assert risks(declared, {}, WEBHOOKS) == {}
    assert risks(declared, {"autoread": True, "personal": False}, WEBHOOKS) == {"incoming_off": ["personal"]}


def test_local_host_is_one_risk_for_all_fields() -> None:
    declared: Settings = {**CHATS, "webhook_status": "http://localhost:3000/a", "webhook_connect": "https://n8n/b"}
    assert risks(declared) == {"local_host": ["webhook_connect", "webhook_status"]}
    # The task does not declare it.
    assert risks(CHATS, {"webhook_status": "http://localhost/"}) == {}


def test_one_url_in_several_fields() -> None:
    assert risks({**CHATS, "webhook_status": ONE, "webhook_connect": TWO}) == {
        "shared_url": ["webhook", "webhook_status"]
    }
    assert risks({**CHATS, "webhook_status": TWO, "webhook_connect": TWO, "webhook_chaining": ONE}) == {
        "shared_url": list(WEBHOOKS)
    }
    assert risks({"webhook_status": ONE}, {**CHATS}) == {"shared_url": ["webhook", "webhook_status"]}
    assert risks({"quick": True}, {**CHATS, "webhook_status": ONE}) == {}
    assert risks(dict.fromkeys(WEBHOOKS, "")) == {}


def test_plain_http_is_a_risk_only_where_fonnte_sends_the_token() -> None:
    assert risks({**CHATS, "webhook": "http://hooks.example.com/one"}) == {}
    assert risks({**CHATS, "webhook_connect": "HTTP://hooks.example.com/one"}) == {"plain_http": ["webhook_connect"]}
