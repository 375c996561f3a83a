# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each value of each behavior variant."""

from __future__ import annotations

import pytest

from tests.sandbox.readings import VALUES, Readings, from_text

URL = "https://a.example/x"


def test_first_value_is_the_default():
    for name, values in VALUES.items():
        assert getattr(Readings(), name) == values[0]


@pytest.mark.parametrize(
    "changes",
    [
        {"omitted": "forgets"},
        {"refusal_status": 418},
        {"refusal_status": "200"},
        {"listing": None},
        {"colour": "red"},
    ],
)
def test_other_values_are_refused(changes):
    with pytest.raises(ValueError):
        Readings().but(changes)


def test_variants_from_the_command_line():
    assert from_text(["refusal_status=400", "omitted=resets"]) == Readings(refusal_status=400, omitted="resets")
    with pytest.raises(ValueError):
        from_text(["omitted"])


def full(api, token):
    assert (
        api.update(
            token,
            webhook=URL,
            webhookstatus=URL,
            quick="true",
            autoread="true",
            target="628333333333",
            countryCode="60",
        )["status"]
        is True
    )


def test_omitted_keeps(api, sandbox, token, number):
    full(api, token)
    api.update(token, group="true")
    settings = sandbox.device(number)["settings"]
    assert settings["webhook"] == URL and settings["quick"] is True and settings["group"] is True


def test_omitted_resets(api, sandbox, token, number):
    sandbox.set_readings(omitted="resets")
    full(api, token)
    api.update(token, group="true", webhookstatus=URL)
    assert sandbox.device(number)["settings"] == {
        "autoread": False,
        "personal": False,
        "group": True,
        "quick": False,
        "resend": False,
        "target": "",
        "countryCode": "62",
        "webhook": "",
        "webhookconnect": "",
        "webhookstatus": URL,
        "webhookchaining": "",
    }


@pytest.mark.parametrize(("reading", "left"), [("clears", ""), ("ignored", URL)])
def test_empty_webhook_accepted(api, sandbox, token, number, reading, left):
    sandbox.set_readings(empty_webhook=reading)
    full(api, token)
    assert api.update(token, webhook="")["status"] is True
    assert sandbox.device(number)["settings"]["webhook"] == left


def test_empty_webhook_refused(api, sandbox, token, number):
    sandbox.set_readings(empty_webhook="refused")
    full(api, token)
    assert api.update(token, webhook="") == {"reason": "invalid/empty body value", "status": False}
    assert sandbox.device(number)["settings"]["webhook"] == URL


@pytest.mark.parametrize(("reading", "stored"), [("verbatim", "08123456789"), ("international", "628123456789")])
def test_add_number(api, sandbox, reading, stored):
    sandbox.set_readings(add_number=reading)
    assert api.account("/add-device", name="one", device="08123456789")["device"] == stored
    assert list(sandbox.devices()) == [stored]


def test_international_spellings_are_one_number(api, sandbox):
    sandbox.set_readings(add_number="international")
    api.add("628123456789")
    assert api.account("/add-device", name="one", device="08123456789")["reason"] == "device already exist"
    assert api.account("/add-device", name="one", device="0" * 15)["reason"] == "input invalid"


def test_verbatim_spellings_are_two_numbers(api, sandbox):
    api.add("628123456789")
    api.add("08123456789")
    assert len(sandbox.devices()) == 2


def test_update_always_uses_the_number_verbatim(api, sandbox, token):
    sandbox.set_readings(add_number="international")
    api.update(token, number="08123456789")
    assert list(sandbox.devices()) == ["08123456789"]


@pytest.mark.parametrize("status", [200, 400])
def test_refusal_status(api, sandbox, status):
    sandbox.set_readings(refusal_status=status)
    for path, body in (
        ("/get-devices", {"reason": "unknown user", "status": False}),
        ("/disconnect", {"detail": "token invalid", "status": False}),
        ("/send", {"reason": "token invalid", "Status": False}),
    ):
        reply = api.reply(path, "nobody")
        assert (reply.status_code, reply.json()) == (status, body)
    assert api.reply("/get-devices", sandbox.account_token).status_code == 200


def test_update_without_device_works(api, sandbox, token, number):
    assert api("/update-device", token, name="two")["status"] is True
    assert sandbox.device(number)["name"] == "two"


def test_update_without_device_refused(api, sandbox, token, number):
    sandbox.set_readings(update_without_device="refused")
    assert api("/update-device", token, name="two") == {"reason": "input invalid", "status": False}
    assert sandbox.device(number)["name"] == "one"
    assert api.update(token, name="two")["status"] is True


def test_webhook_not_called(api, sandbox, token, number):
    api.update(token, webhook=sandbox.sink_url("a"))
    assert sandbox.sink("a") == []


def test_webhook_called(api, sandbox, token, number):
    sandbox.set_readings(webhook_probe="called")
    url = sandbox.sink_url("a") + "/secret?key=1%2B2"
    assert api.update(token, webhook=url, webhookstatus=sandbox.sink_url("b"))["status"] is True
    post = sandbox.sink("a")[0]
    assert (post["path"], post["query"], post["body"]) == ("/sink/a/secret", "key=1%2B2", {"device": number})
    assert len(sandbox.sink("b")) == 1
    api.update(token, name="two")
    assert len(sandbox.sink("a")) == 1
    assert sandbox.device(number)["settings"]["webhook"] == url


@pytest.mark.parametrize("target", ["closed", "answers_500", "redirects"])
def test_webhook_probe_that_fails(api, sandbox, token, number, target):
    sandbox.set_readings(webhook_probe="called")
    if target != "closed":
        sandbox.sink_answers("a", 500 if target == "answers_500" else 302)
    url = "http://127.0.0.1:1/" if target == "closed" else sandbox.sink_url("a")
    reply = api.update(token, name="two", webhook=url)
    assert reply["status"] is False and reply["reason"].startswith("webhook url ")
    assert sandbox.device(number)["name"] == "one" and sandbox.device(number)["settings"]["webhook"] == ""
    assert api.update(token, webhook="")["status"] is True


def test_listing_partial(api, sandbox, token, number, other):
    api.add(other)
    sandbox.edit(number, unlisted=True)
    assert api.account("/get-devices")["devices"] == 2
    sandbox.set_readings(listing="partial")
    reply = api.account("/get-devices")
    assert [item["device"] for item in reply["data"]] == [other] and reply["devices"] == 1
    assert api("/device", token)["status"] is True
    assert api.account("/add-device", name="one", device=number)["reason"] == "device already exist"
    sandbox.edit(number, package="Super")
    assert api.account("/get-devices")["devices"] == 2


@pytest.mark.parametrize(("reading", "shown"), [("registered", "628111111111"), ("linked", "628777777777")])
def test_profile_number(api, sandbox, token, number, reading, shown):
    sandbox.set_readings(profile_number=reading)
    assert api("/device", token)["device"] == number
    sandbox.link(number, "628777777777")
    assert api("/device", token)["device"] == shown
    assert api.account("/get-devices")["data"][0]["device"] == number


@pytest.mark.parametrize(("reading", "shown"), [("delivered", "read"), ("sent", "sent")])
def test_message_status(api, sandbox, token, number, reading, shown):
    sandbox.set_readings(message_status=reading)
    sandbox.link(number)
    (sent,) = api("/send", token, target="628333333333", message="x")["id"]
    assert api("/status", token, id=sent)["message_status"] == "sent"
    sandbox.message_status(sent, "read")
    assert api("/status", token, id=sent)["message_status"] == shown
    sandbox.message_status(sent, "expired")
    assert api("/status", token, id=sent)["message_status"] == "expired"


def test_message_status_gone(api, sandbox, token):
    sandbox.set_readings(message_status="gone")
    reply = api.reply("/status", token, {"id": "1"})
    assert (reply.status_code, reply.text) == (404, "404 page not found")
    assert sandbox.journal()[-1]["applied"] is False


def test_url_without_message(api, sandbox, token, number):
    sandbox.link(number)
    sandbox.edit(number, package="Super")
    bare = {"target": "628333333333", "url": "https://a.example/x.png"}
    assert api("/send", token, **bare)["status"] is True
    sandbox.set_readings(url_without_message="refused")
    assert api("/send", token, **bare) == {"reason": "message cannot empty", "status": False}
    assert api("/send", token, **bare, message="x")["status"] is True
    assert api.reply("/send", token, {"target": "628333333333"}, files={"file": ("a", b"x")}).json()["status"] is True
