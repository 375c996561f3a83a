# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A device's own messages are detected in each form, and a person who quotes the footer is not."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.fonnte.whatsapp.plugins.module_utils._events.own_messages import FOOTER
from ansible_collections.fonnte.whatsapp.plugins.module_utils._events.payload import (
    PayloadError,
    event_of,
    is_probe,
    normalize,
)

# Public clients show that Fonnte sends "quick": false with the messages of other people.
CHAT: dict[str, t.Any] = {
    "device": "081200001001",
    "sender": "6281299990000",
    "message": "halo",
    "member": "",
    "quick": False,
    "timestamp": 1760000000,
}


def outgoing(**changes: t.Any) -> t.Any:
    return event_of({**CHAT, **changes}).data["outgoing"]


def test_message_of_a_person_is_not_outgoing() -> None:
    assert outgoing() is False


@pytest.mark.parametrize("key", ["quick", "Quick", "fromMe", "fromme", "from_me", "FROM-ME", "self"])
@pytest.mark.parametrize("value", [True, "true", "TRUE", 1, "1", "on", "yes"])
def test_true_flag_is_an_own_message(key: str, value: t.Any) -> None:
    payload = {**CHAT, key: value}
    event = event_of(payload)
    assert event.data["outgoing"] is True
    # The key stays available to rules.
    assert event.data["other"][key] == value


@pytest.mark.parametrize("key", ["quick", "fromMe", "self"])
@pytest.mark.parametrize("value", [False, "false", 0, "0", "", None, "no", [True], {"a": True}, 1.0, "6281299990000"])
def test_other_value_of_a_flag_is_no_sign(key: str, value: t.Any) -> None:
    assert outgoing(**{key: value}) is False


@pytest.mark.parametrize("device", ["081200001001", "6281200001001", "+62 812-0000-1001", "81200001001"])
@pytest.mark.parametrize(
    "sender",
    [
        "081200001001",
        "6281200001001",
        6281200001001,
        "+62 812-0000-1001",
        "0062 812 0000 1001",
        "6281200001001@s.whatsapp.net",
        "6281200001001:12@s.whatsapp.net",
        "6281200001001@c.us",
        "\u200e+62\u00a0812\u00a00000\u00a01001",
    ],
)
def test_sender_in_any_spelling_of_the_device_is_an_own_message(device: str, sender: t.Any) -> None:
    assert outgoing(device=device, sender=sender) is True


def test_member_of_a_group_is_compared_with_the_device() -> None:
    group = "120363012345678901@g.us"
    assert outgoing(sender=group, member="6281200001001") is True
    assert outgoing(sender=group, member="6281299990000") is False
    # The digits of an old group are those of its creator, and not the sender.
    assert outgoing(sender="6281200001001-1600000000@g.us", member="6281299990000") is False
    assert outgoing(sender="6281200001001@g.us") is False


@pytest.mark.parametrize(
    "message",
    [
        FOOTER,
        f"Terima kasih\n\n{FOOTER}",
        f"Terima kasih\r\n\r\n{FOOTER}\r\n",
        f"Terima kasih \n \t \n {FOOTER} \n\n",
        f"satu\ndua\n\ntiga\n\n\n{FOOTER}",
        f"> halo\n\nTerima kasih\n\n{FOOTER}",
    ],
)
def test_footer_as_the_last_paragraph_is_an_own_message(message: str) -> None:
    assert outgoing(message=message) is True
    assert outgoing(message="", text=message) is True


@pytest.mark.parametrize(
    "message",
    [
        f"{FOOTER}\n\nApa ini?",
        f"Terima kasih\n\n{FOOTER}\nApa ini?",
        f"> Terima kasih\n>\n> {FOOTER}",
        f"Apa arti {FOOTER}",
        f'Apa arti "{FOOTER}"?',
        f"Terima kasih\n\n{FOOTER} Apa ini?",
        f"Apa ini:\n\n{FOOTER}?",
        "Terima kasih\n\n_Sent via fonnte.com_",
        "Terima kasih\n\n> Sent via fonnte.com",
        "fonnte.com",
    ],
)
def test_quoted_footer_is_no_sign(message: str) -> None:
    assert outgoing(message=message) is False


def test_footer_in_the_last_line_of_a_paragraph_is_unknown() -> None:
    assert outgoing(message=f"Apa ini:\n{FOOTER}") is None
    assert outgoing(message=f"satu\n\ndua\n{FOOTER}") is None


def test_own_message_needs_no_sender() -> None:
    own = {"device": "081200001001", "quick": True, "message": "halo"}
    event = event_of(own)
    assert (event.kind, event.data["outgoing"], event.data["sender"]) == ("incoming", True, None)
    with pytest.raises(PayloadError):
        event_of({**own, "quick": False}, "incoming")


def test_event_that_is_no_message_has_no_direction() -> None:
    for payload in (
        {"device": "081200001001", "status": "connect", "self": True},
        {"device": "081200001001", "id": "1", "stateid": "s1", "status": "sent", "state": "sent"},
    ):
        assert event_of(payload).data["outgoing"] is None
    assert event_of({"device": "081200001001", "step": 2}, "chaining").data["outgoing"] is None
    assert event_of(CHAT, "chaining").data["outgoing"] is False


def test_filter_sets_the_direction_for_every_payload() -> None:
    assert normalize({**CHAT, "fromMe": True})["outgoing"] is True
    for payload in ({}, {"x": 1}, [1], None, {"x": "y" * 2_000_000}):
        assert normalize(payload)["outgoing"] is None
    assert not is_probe({"device": "081200001001", "quick": True})
