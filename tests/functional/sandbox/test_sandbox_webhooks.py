# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Events are posted, and repeated until they are answered with 200."""

from __future__ import annotations

import time

import pytest


@pytest.fixture
def hooked(api, sandbox, token):
    """Return the token of a device whose four webhooks are four sinks."""
    urls = {name: f"{sandbox.sink_url(name)}/secret" for name in ("webhook", "webhookconnect", "webhookstatus")}
    api.update(token, autoread="true", personal="true", **urls)
    return token


def bodies(sandbox, name, count=1):
    return [post["body"] for post in sandbox.wait_for_sink(name, count)]


def test_connect_and_disconnect(api, sandbox, hooked, number):
    sandbox.link(number)
    event = bodies(sandbox, "webhookconnect")[0]
    assert isinstance(event.pop("timestamp"), int)
    assert event == {"device": number, "status": "connect", "token": hooked}
    sandbox.unlink(number, reason="battery")
    event = bodies(sandbox, "webhookconnect", 2)[1]
    assert (event["status"], event["reason"], event["token"]) == ("disconnect", "battery", hooked)
    sandbox.link(number)
    bodies(sandbox, "webhookconnect", 3)
    api("/disconnect", hooked)
    assert bodies(sandbox, "webhookconnect", 4)[3]["status"] == "disconnect"
    post = sandbox.sink("webhookconnect")[0]
    assert (post["path"], post["content_type"]) == ("/sink/webhookconnect/secret", "application/json")


def test_event_has_the_label_and_not_the_linked_number(sandbox, hooked, number):
    sandbox.link(number, "628777777777")
    assert bodies(sandbox, "webhookconnect")[0]["device"] == number


def test_link_after_a_delay(sandbox, hooked, number):
    assert sandbox.link(number, after=0.05)["linked"] is False
    bodies(sandbox, "webhookconnect")
    assert sandbox.device(number)["linked"] is True


def test_incoming_message(sandbox, hooked, number):
    sandbox.link(number)
    assert sandbox.incoming(number, sender="628333333333", message="hello", name="Ann") == {
        "posted": True,
        "because": None,
    }
    event = bodies(sandbox, "webhook")[0]
    assert set(event) == {
        "device",
        "sender",
        "message",
        "text",
        "member",
        "name",
        "location",
        "pollname",
        "choices",
        "timestamp",
        "inboxid",
    }
    assert (event["device"], event["sender"], event["message"]) == (number, "628333333333", "hello")


def test_incoming_attachments_require_a_package(sandbox, hooked, number):
    sandbox.link(number)
    sandbox.edit(number, package="Ultra")
    sandbox.incoming(number, sender="628333333333", url="https://a.example/x.png", filename="x", extension="png")
    assert bodies(sandbox, "webhook")[0]["extension"] == "png"


@pytest.mark.parametrize(
    ("changes", "sender", "because"),
    [
        ({"autoread": False}, "628333333333", "autoread is off"),
        ({"personal": False}, "628333333333", "personal is off"),
        ({}, "1203@g.us", "group is off"),
        ({"webhook": ""}, "628333333333", "the device has no webhook"),
    ],
)
def test_incoming_not_posted(sandbox, hooked, number, changes, sender, because):
    sandbox.link(number)
    sandbox.edit(number, **changes)
    assert sandbox.incoming(number, sender=sender, message="x") == {"posted": False, "because": because}
    assert sandbox.sink("webhook") == []


def test_incoming_message_requires_a_link(sandbox, hooked, number):
    assert sandbox.incoming(number, sender="628333333333")["because"] == "the device is not linked"


def test_message_status(api, sandbox, hooked, number):
    sandbox.link(number)
    message_id = api("/send", hooked, target="628333333333", message="x")["id"][0]
    first = bodies(sandbox, "webhookstatus")[0]
    assert first == {"device": number, "id": message_id, "stateid": first["stateid"], "status": "sent", "state": "sent"}
    sandbox.message_status(message_id, "read")
    assert bodies(sandbox, "webhookstatus", 2)[1] == {"stateid": first["stateid"], "state": "read"}


def test_event_is_repeated_until_answered_with_200(sandbox, hooked, number):
    sandbox.set_options(webhook_retry=0.01)
    sandbox.sink_answers("webhookconnect", 204, times=3)
    sandbox.link(number)
    events = bodies(sandbox, "webhookconnect", 4)
    assert all(event == events[0] for event in events)
    time.sleep(0.05)
    assert [(d["attempt"], d["status"]) for d in sandbox.webhooks()] == [(1, 204), (2, 204), (3, 204), (4, 200)]


def test_event_has_fifteen_attempts(sandbox, hooked, number):
    sandbox.set_options(webhook_retry=0.001)
    sandbox.sink_answers("webhookconnect", 500, times=99)
    sandbox.link(number)
    bodies(sandbox, "webhookconnect", 15)
    time.sleep(0.05)
    assert len(sandbox.sink("webhookconnect")) == 15


def test_attempts_are_a_minute_of_the_clock_apart(sandbox, hooked, number):
    sandbox.sink_answers("webhookconnect", 500, times=1)
    sandbox.link(number)
    bodies(sandbox, "webhookconnect", 1)
    time.sleep(0.05)
    sandbox.advance(30)
    time.sleep(0.05)
    assert len(sandbox.sink("webhookconnect")) == 1
    sandbox.advance(31)
    bodies(sandbox, "webhookconnect", 2)


def test_refused_webhook_connection_is_logged(sandbox, hooked, number):
    sandbox.set_options(webhook_tries=1)
    sandbox.edit(number, webhookconnect="http://127.0.0.1:1/")
    sandbox.link(number)
    end = time.monotonic() + 60
    while not sandbox.webhooks() and time.monotonic() < end:
        time.sleep(0.01)
    assert sandbox.webhooks()[0]["status"] is None and sandbox.webhooks()[0]["error"]


def test_device_without_a_webhook_gets_no_post(sandbox, token, number):
    sandbox.link(number)
    assert sandbox.webhooks() == []


OWN_FORMS = {
    "quick": {"quick": True},
    "from_me": {"fromMe": True},
    "self": {"self": True},
    "sender": {"sender": "08111111111"},
    "footer": {"message": "halo\n\n> _Sent via fonnte.com_"},
}


@pytest.mark.parametrize("form", OWN_FORMS)
def test_own_message_is_posted_in_the_form_of_the_variant(api, sandbox, hooked, number, form):
    sandbox.set_readings(own_messages=form)
    sandbox.link(number)
    assert api("/send", hooked, target="628333333333,628444444444", message="halo")["status"] is True
    events = bodies(sandbox, "webhook", 2)
    plain = {"device": number, "sender": "628333333333", "message": "halo"}
    (event,) = [event for event in events if event["sender"] != "628444444444"][:1]
    assert {key: event[key] for key in ("device", "sender", "message", *OWN_FORMS[form])} == {
        **plain,
        **OWN_FORMS[form],
    }
    assert {delivery["kind"] for delivery in sandbox.webhooks()} >= {"own"}


def test_own_message_in_a_group_has_the_device_as_its_member(api, sandbox, hooked, number):
    sandbox.set_readings(own_messages="sender")
    sandbox.link(number)
    sandbox.edit(number, group=True)
    api("/send", hooked, target="120363012345678901@g.us", message="halo")
    event = bodies(sandbox, "webhook")[0]
    assert (event["sender"], event["member"]) == ("120363012345678901@g.us", "08111111111")


def test_own_message_is_not_posted_by_default_or_without_the_settings(api, sandbox, hooked, number):
    sandbox.link(number)
    api("/send", hooked, target="628333333333", message="halo")
    sandbox.set_readings(own_messages="only_with_quick")
    api("/send", hooked, target="628333333333", message="halo")
    sandbox.edit(number, quick=True)
    api("/send", hooked, target="628333333333", message="own")
    assert [event["message"] for event in bodies(sandbox, "webhook")] == ["own"]
    sandbox.set_readings(own_messages="footer")
    sandbox.edit(number, autoread=False)
    api("/send", hooked, target="628333333333", message="halo")
    bodies(sandbox, "webhookstatus", 4)
    assert len(sandbox.sink("webhook")) == 1
