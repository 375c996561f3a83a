# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""add-device, update-device, get-devices, device, disconnect: every response and every refusal."""

from __future__ import annotations

import pytest

HIDDEN = ("webhook", "webhookconnect", "webhookstatus", "webhookchaining", "quick", "resend", "target", "countryCode")


def refused(text, where="reason"):
    return {where: text, "status": False}


# --- add-device ---


def test_add_device_response_matches_the_api_documentation(api, sandbox):
    reply = api.account("/add-device", name="device name", device="08123456789")
    token = reply.pop("token")
    assert reply == {
        "autoread": "off",
        "device": "08123456789",
        "group": "off",
        "name": "device name",
        "personal": "off",
        "status": True,
    }
    assert len(token) == 20 and "," not in token
    assert sandbox.device("08123456789")["package"] == "Free"


def test_add_device_accepts_booleans_and_ignores_webhooks(api, sandbox, number):
    reply = api.account(
        "/add-device",
        name="one",
        device=number,
        autoread="true",
        personal="false",
        group="true",
        webhook="https://a.example/x",
        quick="true",
    )
    assert (reply["autoread"], reply["personal"], reply["group"]) == ("on", "off", "on")
    settings = sandbox.device(number)["settings"]
    assert settings["autoread"] is True and settings["group"] is True
    assert settings["webhook"] == "" and settings["quick"] is False


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "x", "device": "628111111111"},
        {"name": "x" * 31, "device": "628111111111"},
        {"device": "628111111111"},
        {"name": "one"},
        {"name": "one", "device": ""},
        {"name": "one", "device": "1234567"},
        {"name": "one", "device": "1" * 16},
        {"name": "one", "device": "+628111111111"},
        {"name": "one", "device": "6281-111-1111"},
    ],
)
def test_add_device_refuses_invalid_input(api, sandbox, fields):
    assert api.account("/add-device", **fields) == refused("input invalid")
    assert sandbox.devices() == {}


@pytest.mark.parametrize("value", ["on", "off", "True", "1", "0", ""])
def test_add_device_refuses_other_booleans(api, number, value):
    assert api.account("/add-device", name="one", device=number, autoread=value) == refused("invalid/empty body value")


def test_add_device_requires_an_account_token(api, token, other):
    for wrong in ("nobody", token, "", f"Bearer {api.sandbox.account_token}"):
        assert api("/add-device", wrong, name="one", device=other) == refused("unknown user")


def test_add_device_refuses_an_existing_number_of_any_account(api, sandbox, token, number):
    sandbox.add_account(token="second")
    assert api.account("/add-device", name="one", device=number) == refused("device already exist")
    assert api("/add-device", "second", name="one", device=number) == refused("device already exist")


def test_limit_is_ten_free_devices(api, sandbox):
    for index in range(10):
        api.add(f"62811111110{index}")
    assert api.account("/add-device", name="one", device="628999999999") == refused("too much free device")
    sandbox.edit("628111111100", package="Super")
    api.add("628999999999")


def test_paid_plan_has_no_device_limit(api, sandbox):
    sandbox.reset(accounts=[{"token": "paid", "plan": "Super"}])
    for index in range(12):
        assert api("/add-device", "paid", name="one", device=str(628000000000 + index))["status"] is True


# --- get-devices ---


def test_device_list_matches_the_api_documentation(api, sandbox, token, number):
    sandbox.edit(number, expires=1707782400, quota=998)
    assert api.account("/get-devices") == {
        "connected": 0,
        "data": [
            {
                "autoread": "off",
                "device": number,
                "expired": "1707782400",
                "name": "one",
                "package": "Free",
                "quota": "998",
                "status": "disconnect",
                "token": token,
            }
        ],
        "devices": 1,
        "messages": 0,
        "status": True,
        "type": "device",
    }


def test_device_list_never_shows_write_only_settings(api, token):
    api.update(token, webhook="https://a.example/x", quick="true", personal="true", autoread="true")
    item = api.account("/get-devices")["data"][0]
    assert not set(item) & {*HIDDEN, "personal", "group"}
    assert item["autoread"] == "on"


def test_device_list_contains_one_account(api, sandbox, token, other):
    sandbox.add_account(token="second", devices=[{"number": other}])
    assert [item["device"] for item in api("/get-devices", "second")["data"]] == [other]


def test_device_list_counts_linked_devices(api, sandbox, token, number):
    sandbox.link(number)
    reply = api.account("/get-devices")
    assert reply["connected"] == 1 and reply["data"][0]["status"] == "connect"


def test_device_list_refuses_unknown_users(api, token):
    for wrong in ("nobody", token):
        assert api("/get-devices", wrong) == refused("unknown user")


# --- update-device ---


def test_update_sets_all_fields_and_returns_none(api, sandbox, token, number):
    reply = api.update(
        token,
        name="two",
        autoread="true",
        personal="true",
        group="true",
        quick="true",
        resend="true",
        target="628333333333",
        countryCode="60",
        webhook="https://a.example/w",
        webhookconnect="https://a.example/c",
        webhookstatus="https://a.example/s",
        webhookchaining="http://a.example/n",
    )
    assert reply == {"detail": "device updated!", "status": True}
    device = sandbox.device(number)
    assert device["name"] == "two"
    assert device["settings"] == {
        "autoread": True,
        "personal": True,
        "group": True,
        "quick": True,
        "resend": True,
        "target": "628333333333",
        "countryCode": "60",
        "webhook": "https://a.example/w",
        "webhookconnect": "https://a.example/c",
        "webhookstatus": "https://a.example/s",
        "webhookchaining": "http://a.example/n",
    }


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"name": ""}, "input invalid"),
        ({"name": "x"}, "input invalid"),
        ({"device": ""}, "input invalid"),
        ({"device": "12"}, "input invalid"),
        ({"autoread": "off"}, "invalid/empty body value"),
        ({"quick": "on"}, "invalid/empty body value"),
        ({"resend": ""}, "invalid/empty body value"),
        ({"countryCode": ""}, "invalid/empty body value"),
        ({"countryCode": "id"}, "input invalid"),
        ({"target": "me"}, "input invalid"),
        ({"webhook": "a.example"}, "webhook url is not valid"),
        ({"webhookstatus": "ftp://a.example/"}, "webhook url is not valid"),
        ({"webhookconnect": "https://a.example/a b"}, "webhook url is not valid"),
        ({"webhookchaining": "http://[/"}, "webhook url is not valid"),
    ],
)
def test_refused_update_changes_nothing(api, sandbox, token, number, fields, text):
    before = sandbox.device(number)
    good = {"name": "two", "device": number, "group": "true"}
    assert api("/update-device", token, **{**good, **fields}) == refused(text)
    assert sandbox.device(number) == before


def test_update_requires_a_device_token(api, token, number):
    for wrong in ("nobody", api.sandbox.account_token):
        assert api.update(wrong) == refused("device not found")


def test_update_renumbers(api, sandbox, token, number, other):
    assert api.update(token, number=other)["status"] is True
    assert list(sandbox.devices()) == [other]
    assert sandbox.device(other)["token"] == token
    assert api("/device", token)["device"] == other


def test_update_keeps_numbers_unique(api, sandbox, token, number, other):
    api.add(other)
    assert api.update(token, number=other) == refused("input invalid")
    assert sandbox.device(number)["token"] == token


# --- device ---


def test_profile_matches_the_api_documentation(api, sandbox, token, number):
    sandbox.edit(number, expires=1889654400, package="Reguler", quota=78, name="Fonnte admin")
    sandbox.link(number)
    assert api("/device", token) == {
        "device": number,
        "device_status": "connect",
        "expired": "18 November 2029",
        "messages": 0,
        "name": "Fonnte admin",
        "package": "Reguler",
        "quota": "78",
        "status": True,
    }


def test_profile_requires_a_device_token(api, token):
    for wrong in ("nobody", api.sandbox.account_token, f"Bearer {token}"):
        assert api("/device", wrong) == refused("token invalid")


# --- disconnect ---


def test_device_is_disconnected_once(api, sandbox, token, number):
    sandbox.link(number)
    assert api("/disconnect", token) == {"detail": "device disconnected", "status": True}
    assert sandbox.device(number)["linked"] is False
    assert api("/disconnect", token) == refused("device already disconnected", "detail")


def test_disconnect_requires_a_device_token(api):
    for wrong in ("nobody", api.sandbox.account_token):
        assert api("/disconnect", wrong) == refused("token invalid", "detail")


# --- the format of requests ---


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize("path", ["/get-devices", "/add-device", "/device", "/delete-device", "/qr"])
def test_only_post_is_accepted(api, method, path):
    reply = api.session.request(method, api.sandbox.url + path, headers={"Authorization": api.sandbox.account_token})
    assert (reply.status_code, reply.text) == (405, "Method Not Allowed")
    assert reply.headers["Content-Type"].startswith("text/plain")


@pytest.mark.parametrize("path", ["/", "/devices", "/state", "/get-devices/", "/order", "/add_device"])
def test_other_paths_are_not_found(api, path):
    reply = api.reply(path, api.sandbox.account_token)
    assert (reply.status_code, reply.text) == (404, "404 page not found")


def test_responses_are_json(api):
    assert api.reply("/get-devices", api.sandbox.account_token).headers["Content-Type"] == "application/json"


def test_json_body_is_no_form(api, number):
    reply = api.session.post(
        api.sandbox.url + "/add-device",
        json={"name": "one", "device": number},
        headers={"Authorization": api.sandbox.account_token},
    )
    assert reply.json() == refused("input invalid")


def test_multipart_body_is_a_form(api, sandbox, number):
    reply = api.session.post(
        api.sandbox.url + "/add-device",
        files={"name": (None, "one"), "device": (None, number)},
        headers={"Authorization": api.sandbox.account_token},
    )
    assert reply.json()["device"] == number
