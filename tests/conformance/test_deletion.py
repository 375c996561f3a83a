# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A deletion is final and requires a code: it is requested once, used once, and for the named device only."""

from __future__ import annotations

import pytest

from ansible_collections.fonnte.whatsapp.tests.conformance.cases import code_sent, there
from ansible_collections.fonnte.whatsapp.tests.conformance.playbooks import OTP, WRONG_OTP, device
from ansible_collections.fonnte.whatsapp.tests.conformance.scenarios import World

MEANT, OTHER = "081200003001", "081200003002"
GONE = device(device=MEANT, state="absent")


def _codes(world: World) -> list[str]:
    """Return the codes that were sent to the service, in order; an empty one is a request for a code."""
    return [call["form"]["otp"] for call in world.sandbox.journal() if call["path"] == "/delete-device"]


@pytest.mark.parametrize(
    ("scope", "refusal"), [("device", 200), pytest.param("account", 400, marks=pytest.mark.weekly)]
)
def test_deletion_requests_and_uses_code_once(world: World, scope: str, refusal: int) -> None:
    """Request a code twice, send a wrong code and the right one, and repeat: no task sends two requests to delete."""
    world.begin(there(MEANT), there(OTHER), reading={"otp_scope": scope, "refusal_status": refusal})
    world.sandbox.next_otp(OTP)
    requesting = GONE.but(request_otp=True)

    predicted = world.run_task(requesting, check=True)
    assert predicted["operations"] == ["request_otp"] and predicted.changed and predicted["otp_requested"]
    assert _codes(world) == [], "check mode asked for a code"

    first, pending, neither, empty, wrong = world.play(
        requesting,
        requesting,
        GONE,
        GONE.but(otp=""),
        GONE.but(otp=WRONG_OTP),
    ).reported
    assert first["operations"] == ["request_otp"] and first.changed and first["otp_requested"], first.result
    assert first["device"]["device"] == MEANT
    assert not pending.failed and not pending.changed and not pending["otp_requested"], pending.result
    assert pending["otp_pending"] and 500 < pending["retry_after"] <= 600, pending.result
    for reported in (neither, empty):
        assert reported.failed and "request_otp" in reported.message and "owner" in reported.message, reported.result
    assert wrong.failed and "incorrect OTP" in wrong.message and not wrong.changed, wrong.result
    assert _codes(world) == ["", "", WRONG_OTP], "a code was asked for or tried more often than it was declared"

    uses = GONE.but(otp=OTP)
    requested_again = world.play(requesting, uses, check=True).reported
    assert requested_again[0]["otp_pending"] and not requested_again[0].changed, requested_again[0].result
    assert requested_again[1]["operations"] == ["delete"] and requested_again[1]["device"] is None
    assert len(_codes(world)) == 3, "check mode sent a code"

    deleted, *after = world.play(uses, uses, requesting, GONE).reported
    assert deleted["operations"] == ["delete"] and deleted.changed and deleted["device"] is None, deleted.result
    assert deleted["diff"]["after"] == {} and deleted["diff"]["before"]["device"] == MEANT
    for reported in after:
        assert not reported.failed and not reported.changed and reported["operations"] == [], reported.result
        assert reported.warnings == [], "a number that this record has seen is no reason to warn"
    assert _codes(world)[3:] == [OTP]
    assert list(world.devices()) == [OTHER]


@pytest.mark.weekly
def test_code_of_account_deletes_named_device(world: World) -> None:
    """If codes belong to the account, one that was requested for A also deletes B. The task deletes only its device."""
    world.begin(there(MEANT), there(OTHER), reading={"otp_scope": "account"})
    code_sent(OTHER)(world.sandbox)
    pending, deleted = world.play(GONE.but(request_otp=True), GONE.but(otp=OTP)).reported
    assert pending["otp_pending"] and not pending.changed, pending.result
    assert deleted["operations"] == ["delete"], deleted.result
    assert list(world.devices()) == [OTHER]


@pytest.mark.weekly
def test_refused_code_is_reported_with_reason_and_wait(world: World) -> None:
    """For a code that was not requested, and for too many wrong ones, the error quotes the service."""
    world.begin(there(MEANT), there(OTHER))
    code_sent(OTHER)(world.sandbox)
    locked = device(device=OTHER, state="absent", otp=WRONG_OTP)
    unasked, *wrong = world.play(GONE.but(otp=OTP), *([locked] * 5), locked.but(otp=OTP)).reported
    assert unasked.failed and "otp haven't requested" in unasked.message, unasked.result
    assert all(reported.failed and "incorrect OTP" in reported.message for reported in wrong[:4])
    for reported in wrong[4:]:
        assert reported.failed and "try again in" in reported.message and "seconds" in reported.message, (
            reported.message
        )
    assert _codes(world)[1:] == [OTP, *([WRONG_OTP] * 5), OTP]
    assert sorted(world.devices()) == [MEANT, OTHER]


@pytest.mark.weekly
def test_code_without_state_absent_is_refused(world: World) -> None:
    """otp and request_otp require state absent; an empty otp is ignored."""
    world.begin(there(MEANT, linked=True))
    run = world.play(
        device(device=MEANT, otp=OTP),
        device(device=MEANT, state="disconnected", otp=OTP),
        device(device=MEANT, request_otp=True),
        device(device=MEANT, name="Toko Tetap", otp=""),
    )
    assert [reported.failed for reported in run.reported] == [True, True, True, False]
    assert all("absent" in reported.message for reported in run.reported[:3])
    assert _codes(world) == []


@pytest.mark.weekly
def test_deletion_of_other_number_is_reported(world: World) -> None:
    """The number in the response is compared with that of the task."""
    world.begin(there(MEANT), there(OTHER))
    code_sent(MEANT)(world.sandbox)
    world.sandbox.fault("mutate", path="/delete-device", set={"detail": f"device {OTHER} successfully deleted"})
    reported = world.run_task(GONE.but(otp=OTP))
    assert reported.failed and MEANT in reported.message and OTHER in reported.message, reported.result
