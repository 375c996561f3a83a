# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The requests on groups and numbers."""

from __future__ import annotations

import threading

import pytest

GROUPS = [{"id": "1203630@g.us", "name": "Gudang"}, {"id": "6281-14@g.us", "name": "Toko, Jakarta | 1"}]


def test_groups_are_stored_only_after_a_fetch(api, sandbox, token, number):
    sandbox.edit(number, groups=GROUPS)
    reply = api("/get-whatsapp-group", token)
    assert reply["status"] is False and reply["detail"] and "reason" not in reply
    refused = {"detail": "cannot fetch with disconnected device", "status": False}
    assert api("/fetch-group", token) == refused
    sandbox.link(number)
    assert api("/fetch-group", token) == {"detail": "update whatsapp group list finished", "status": True}
    sandbox.edit(number, groups=[])
    assert api("/get-whatsapp-group", token) == {"data": GROUPS, "status": True}
    assert [entry["path"] for entry in sandbox.writes()][-2:] == ["/fetch-group", "/fetch-group"]


def test_groups_survive_a_reset_from_the_state(api, sandbox, token, number):
    sandbox.edit(number, groups=GROUPS)
    sandbox.link(number)
    api("/fetch-group", token)
    sandbox.reset(accounts=sandbox.state()["accounts"])
    assert api("/get-whatsapp-group", token)["data"] == GROUPS


@pytest.mark.parametrize("path", ["/get-whatsapp-group", "/fetch-group"])
def test_unknown_token_is_refused_in_detail(api, path):
    assert api(path, "nobody") == {"detail": "token invalid", "status": False}


def test_numbers_are_returned_in_the_form_with_62_and_once(api, sandbox, token, number):
    sandbox.link(number)
    sandbox.without_whatsapp("081200002002")
    reply = api("/validate", token, target="081200002001,6281200002001,081200002002", countryCode="60")
    # 60 replaces the 0: the two spellings are then two numbers.
    assert reply["registered"] == ["6081200002001", "6281200002001", "6081200002002"]
    reply = api("/validate", token, target="081200002001,6281200002001,081200002002")
    assert reply == {"not_registered": ["6281200002002"], "registered": ["6281200002001"], "status": True}
    sandbox.set_readings(validate_numbers="verbatim")
    assert api("/validate", token, target="081200002002")["not_registered"] == ["081200002002"]


@pytest.mark.parametrize(
    ("target", "text"),
    [
        ("", "target required"),
        ("0812", "target invalid"),
        ("081200002001, 081200002002", "target invalid"),
        ("+6281200002001", "target invalid"),
        (",".join(["081200002001"] * 501), "target invalid"),
    ],
)
def test_other_targets_are_refused(api, sandbox, token, number, target, text):
    sandbox.link(number)
    assert api("/validate", token, target=target) == {"reason": text, "status": False}


@pytest.mark.parametrize(
    ("reading", "key", "text"),
    [
        ("like_send", "reason", "request invalid on disconnected device"),
        ("like_fetch", "detail", "cannot validate with disconnected device"),
    ],
)
def test_unlinked_device_cannot_validate(api, sandbox, token, reading, key, text):
    sandbox.set_readings(validate_unlinked=reading)
    assert api("/validate", token, target="081200002001") == {key: text, "status": False}


def test_two_validations_at_a_time_interfere(api, sandbox, token, number):
    sandbox.link(number)
    sandbox.set_options(validate_seconds=1.0)
    replies = []
    first = threading.Thread(target=lambda: replies.append(api("/validate", token, target="081200002001")))
    first.start()
    while not sandbox.state()["validations"]:
        assert first.is_alive()
    second = type(api)(sandbox)("/validate", token, target="081200002002")
    first.join()
    assert second["registered"] == replies[0]["registered"] == ["6281200002002"]
