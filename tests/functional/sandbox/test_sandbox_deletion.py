# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""delete-device: the code, its waits, its lock; and the purge of unused devices."""

from __future__ import annotations

import pytest


def refused(text):
    return {"reason": text, "status": False}


def ask(api, token):
    return api("/delete-device", token, otp="")


def test_deletion_in_two_steps(api, sandbox, token, number):
    assert sandbox.otp(number) is None
    assert ask(api, token)["status"] is True
    code = sandbox.otp(number)
    assert len(code) == 6 and code.isdigit()
    assert api("/delete-device", token, otp=code) == {
        "detail": f"device {number} successfully deleted",
        "status": True,
    }
    assert sandbox.devices() == {}
    assert api("/device", token) == refused("token invalid")


def test_leading_zeros_of_a_code_count(api, sandbox, token, number):
    sandbox.next_otp("000471")
    ask(api, token)
    assert sandbox.otp(number) == "000471"
    assert api("/delete-device", token, otp="471") == refused("incorrect OTP")
    assert api("/delete-device", token, otp="000471")["status"] is True


def test_invalid_tokens_are_refused(api, token):
    for wrong in ("nobody", api.sandbox.account_token):
        for otp in ("", "123456"):
            assert api("/delete-device", wrong, otp=otp) == refused("invalid device")


def test_missing_otp_field_is_refused(api, sandbox, token, number):
    assert api("/delete-device", token) == refused("input invalid")
    assert sandbox.otp(number) is None


def test_code_without_a_request_is_refused(api, token):
    assert api("/delete-device", token, otp="123456") == refused("otp haven't requested")


def test_second_code_requires_a_wait(api, sandbox, token, number):
    asked = sandbox.now()
    ask(api, token)
    first = sandbox.otp(number)
    sandbox.advance(300)
    reason = ask(api, token)["reason"]
    elapsed = sandbox.now() - asked
    seconds = int(reason.removeprefix("please wait ").removesuffix(" seconds before requesting new otp"))
    assert 600 - elapsed - 1 <= seconds <= 300
    assert sandbox.otp(number) == first
    sandbox.advance(300)
    assert ask(api, token)["status"] is True
    assert sandbox.otp(number) != first


def test_code_expires(api, sandbox, token, number):
    ask(api, token)
    sandbox.advance(601)
    assert api("/delete-device", token, otp=sandbox.otp(number)) == refused("otp haven't requested")


def test_too_many_wrong_codes_lock(api, sandbox, token, number):
    sandbox.next_otp("111111")
    ask(api, token)
    for _unused in range(4):
        assert api("/delete-device", token, otp="222222") == refused("incorrect OTP")
    locked = refused("delete failed. try again in 600 seconds")
    assert api("/delete-device", token, otp="222222") == locked
    for otp in ("111111", ""):
        assert api("/delete-device", token, otp=otp)["reason"].startswith("delete failed. try again in ")
    assert number in sandbox.devices()
    sandbox.advance(601)
    assert api("/delete-device", token, otp="111111") == refused("otp haven't requested")
    assert ask(api, token)["status"] is True


def test_otp_scope_device(api, sandbox, token, number, other):
    second = api.add(other)
    ask(api, token)
    assert api("/delete-device", second, otp=sandbox.otp(number)) == refused("otp haven't requested")
    assert ask(api, second)["status"] is True


def test_otp_scope_account(api, sandbox, token, number, other):
    sandbox.set_readings(otp_scope="account")
    second = api.add(other)
    ask(api, token)
    assert ask(api, second)["reason"].startswith("please wait ")
    code = sandbox.otp(other)
    assert code == sandbox.otp(number)
    assert api("/delete-device", second, otp=code)["status"] is True
    assert list(sandbox.devices()) == [number]
    assert api("/delete-device", token, otp=code) == refused("otp haven't requested")


def test_recreated_device_has_another_token_and_no_settings(api, sandbox, token, number):
    api.update(token, webhook="https://a.example/x")
    sandbox.purge(number)
    again = api.add(number)
    assert again != token
    assert sandbox.device(number)["settings"]["webhook"] == ""
    assert sandbox.otp(number) is None


def test_unused_free_devices_are_purged(api, sandbox, token, number, other):
    sandbox.reset(
        accounts=[
            {
                "token": "a",
                "devices": [
                    {"number": "628000000001"},
                    {"number": "628000000002", "linked": True},
                    {"number": "628000000003", "package": "Super"},
                ],
            }
        ]
    )
    assert sandbox.advance(29 * 86400)["purged"] == []
    assert sandbox.advance(86400)["purged"] == ["628000000001"]
    assert list(sandbox.devices()) == ["628000000002", "628000000003"]
    sandbox.unlink("628000000002")
    assert sandbox.advance(86400)["purged"] == []
    assert sandbox.advance(30 * 86400)["purged"] == ["628000000002"]


def test_only_free_devices_are_purged(sandbox, token, number):
    from tests.sandbox.driver import ControlError

    sandbox.edit(number, package="Reguler")
    with pytest.raises(ControlError, match="Only free devices"):
        sandbox.purge(number)
