# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan, cell by cell: state x there x differs x evidence x policy."""

from __future__ import annotations

import typing as t
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from ansible_collections.fonnte.whatsapp.plugins.module_utils._clock import TIME_FORMAT
from ansible_collections.fonnte.whatsapp.plugins.module_utils._errors import (
    NotFoundError,
    OptionError,
    PolicyError,
)
from ansible_collections.fonnte.whatsapp.plugins.module_utils._known import Evidence, Source
from ansible_collections.fonnte.whatsapp.plugins.module_utils._plan import make_plan
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record import (
    DeviceRecord,
    Entry,
    Standing,
)
from ansible_collections.fonnte.whatsapp.plugins.module_utils._settings import (
    RECORDED,
    Settings,
)
from ansible_collections.fonnte.whatsapp.plugins.module_utils._terms import (
    CREATE,
    DELETE,
    DISCONNECT,
    REQUEST_OTP,
    UPDATE,
    Desired,
    Observed,
    Plan,
    Policy,
    Reason,
    Recorded,
    State,
)

NOW = datetime(2026, 11, 22, 12, 0, 0, tzinfo=timezone.utc)
NUMBER = "081200000001"
URL = "https://h.example.com/a"
OTHER = "https://h.example.com/b"


def ago(**length: float) -> str:
    return (NOW - timedelta(**length)).strftime(TIME_FORMAT)


AT = ago(hours=1)


def seen(connected: bool | None = False, **settings: t.Any) -> Observed:
    return Observed(NUMBER, {"name": "Toko", "autoread": True, **settings}, connected)


def remembered(standing: Standing = Standing.RECORDED, at: str = AT, **settings: t.Any) -> Recorded:
    entries = {option: Entry(value, at, standing) for option, value in settings.items()}
    return Recorded(DeviceRecord(entries), number_seen=True, had_device=True)


def plan(
    settings: Settings,
    observed: Observed | None = None,
    recorded: Recorded | None = None,
    state: State = State.PRESENT,
    **more: t.Any,
) -> Plan:
    return make_plan(Desired(NUMBER, state, settings, **more), observed, recorded or Recorded(), NOW)


# The state table. A name is read back, a webhook never.

SAME: Settings = {"name": "Toko", "webhook": URL}
TABLE: list[tuple[str, State, Observed | None, Settings, tuple[str, ...]]] = [
    ("present, missing", State.PRESENT, None, {"name": "Toko"}, (CREATE,)),
    ("present, missing, with what add-device does not take", State.PRESENT, None, SAME, (CREATE, UPDATE)),
    ("present, there, same", State.PRESENT, seen(), SAME, ()),
    ("present, there, linked, same", State.PRESENT, seen(True), SAME, ()),
    ("present, there, name differs", State.PRESENT, seen(name="Tako"), SAME, (UPDATE,)),
    ("present, there, webhook differs", State.PRESENT, seen(), {"webhook": OTHER}, (UPDATE,)),
    ("present, there, webhook not known", State.PRESENT, seen(), {"webhook_status": URL}, (UPDATE,)),
    ("present, there, nothing declared", State.PRESENT, seen(), {}, ()),
    ("disconnected, missing", State.DISCONNECTED, None, SAME, ()),
    ("disconnected, there, not linked, same", State.DISCONNECTED, seen(), SAME, ()),
    ("disconnected, there, linked, same", State.DISCONNECTED, seen(True), SAME, (DISCONNECT,)),
    ("disconnected, there, linked, differs", State.DISCONNECTED, seen(True), {"name": "Tako"}, (UPDATE, DISCONNECT)),
    ("disconnected, there, not linked, differs", State.DISCONNECTED, seen(), {"name": "Tako"}, (UPDATE,)),
    ("disconnected, there, link not known", State.DISCONNECTED, seen(None), SAME, (DISCONNECT,)),
    ("absent, missing", State.ABSENT, None, SAME, ()),
]


@pytest.mark.parametrize(
    ("state", "observed", "settings", "operations"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
def test_state_table(state: State, observed: Observed | None, settings: Settings, operations: tuple[str, ...]) -> None:
    assert plan(settings, observed, remembered(webhook=URL), state).operations == operations


def test_absent_and_there_deletes_with_a_code_and_asks_for_one_only_on_request() -> None:
    assert plan({}, seen(), state=State.ABSENT, otp="0123").operations == (DELETE,)
    assert plan({}, seen(), state=State.ABSENT, otp="0123", request_otp=True).operations == (DELETE,)
    assert plan({}, seen(), state=State.ABSENT, request_otp=True).operations == (REQUEST_OTP,)
    with pytest.raises(OptionError, match="request_otp: true; the code goes to the WhatsApp of the account's owner"):
        plan({}, seen(), state=State.ABSENT)


def test_absent_and_missing_needs_no_code_and_warns_only_of_a_number_it_never_saw() -> None:
    assert plan({}, None, Recorded(number_seen=True), State.ABSENT, otp="0123") == Plan()
    (warning,) = plan({}, None, Recorded(), State.ABSENT).warnings
    assert NUMBER in warning and "knows nothing of it" in warning


@pytest.mark.parametrize(("age", "wait"), [(0, 600), (10, 590), (599, 1), (600, None), (601, None), (-5, None)])
def test_a_code_on_its_way_is_foreseen(age: float, wait: int | None) -> None:
    recorded = Recorded(DeviceRecord(otp_requested_at=ago(seconds=age)))
    made = plan({}, seen(), recorded, State.ABSENT, request_otp=True)
    assert made.otp_wait == wait
    assert made.operations == (REQUEST_OTP,)
    assert made.foreseen == (() if wait is not None else (REQUEST_OTP,))


def test_a_deletion_ends_in_nothing() -> None:
    made = plan({}, seen(), remembered(webhook=URL), State.ABSENT, otp="0123")
    assert made.before == {"name": "Toko", "autoread": True, "webhook": URL} and made.after is None


# Creating


def test_creating_needs_a_name() -> None:
    with pytest.raises(OptionError, match="Option name: device 081200000001 does not exist"):
        plan({"autoread": True})


def test_add_device_is_given_what_it_takes_and_the_update_everything() -> None:
    made = plan({"name": "Toko", "personal": True, "quick": False, "webhook": URL, "webhook_status": ""})
    assert made.add == {"name": "Toko", "personal": True}
    assert made.send == {"name": "Toko", "personal": True, "quick": False, "webhook": URL}
    assert set(made.reasons) == {"name", "personal", "quick", "webhook"}
    assert set(made.reasons.values()) == {Reason.DIFFERS}
    assert made.evidence["webhook_status"] == Evidence(Source.NONE)
    assert made.before is None and made.after is not None and made.after["webhook_status"] == ""
    assert (made.at_risk, made.carried) == ((), {})


def test_clearing_webhooks_of_a_new_device_sends_nothing() -> None:
    made = plan({"name": "Toko", "webhook": ""})
    assert made.operations == (CREATE,) and "webhook" not in made.reasons


def test_a_device_that_was_known_and_is_gone_is_made_anew_with_a_warning() -> None:
    made = plan({"name": "Toko"}, None, Recorded(number_seen=True, had_device=True))
    assert made.recreated and "new token" in made.warnings[0]
    again = plan({"name": "Toko"}, None, Recorded(number_seen=True))
    assert not again.recreated and again.warnings == ()


def test_disconnecting_what_is_missing_warns_and_creates_nothing() -> None:
    made = plan({"name": "Toko"}, state=State.DISCONNECTED)
    assert not made.operations and "not created" in made.warnings[0]


# A task that may not create


def test_webhooks_of_a_missing_device_are_an_error() -> None:
    with pytest.raises(NotFoundError, match="fonnte_device"):
        plan({"webhook": URL}, may_create=False)


def test_webhooks_of_a_missing_device_are_foreseen_where_an_earlier_task_may_make_it() -> None:
    made = plan({"webhook": URL, "webhook_status": ""}, may_create=False, expect_earlier=True)
    assert made.operations == (UPDATE,)
    assert made.reasons == {"webhook": Reason.NO_RECORD, "webhook_status": Reason.NO_RECORD}
    assert "does not exist yet" in made.warnings[0] and made.at_risk == ()


def test_clearing_the_webhooks_of_a_missing_device_is_nothing() -> None:
    made = plan({"webhook": ""}, may_create=False, missing_is_fine=True)
    assert not made.operations and made.before is None and made.after is None and not made.warnings


# Evidence and reasons

CELLS: list[tuple[str, Recorded, Policy, Settings, Source, Reason | None]] = [
    ("nothing known", Recorded(), Policy(), {"webhook": URL}, Source.NONE, Reason.NO_RECORD),
    ("recorded, same", remembered(webhook=URL), Policy(), {"webhook": URL}, Source.RECORDED, None),
    ("recorded, other", remembered(webhook=URL), Policy(), {"webhook": OTHER}, Source.RECORDED, Reason.DIFFERS),
    ("recorded, clear", remembered(webhook=URL), Policy(), {"webhook": ""}, Source.RECORDED, Reason.DIFFERS),
    (
        "unconfirmed, same",
        remembered(Standing.UNCONFIRMED, webhook=""),
        Policy(),
        {"webhook": ""},
        Source.UNCONFIRMED,
        None,
    ),
    (
        "unconfirmed, other",
        remembered(Standing.UNCONFIRMED, webhook=""),
        Policy(),
        {"webhook": URL},
        Source.UNCONFIRMED,
        Reason.DIFFERS,
    ),
    (
        "in doubt, same",
        remembered(Standing.IN_DOUBT, webhook=URL),
        Policy(),
        {"webhook": URL},
        Source.IN_DOUBT,
        Reason.IN_DOUBT,
    ),
    (
        "in doubt, other",
        remembered(Standing.IN_DOUBT, webhook=URL),
        Policy(),
        {"webhook": OTHER},
        Source.IN_DOUBT,
        Reason.IN_DOUBT,
    ),
    ("young", remembered(webhook=URL), Policy(max_age=3600), {"webhook": URL}, Source.RECORDED, None),
    ("old", remembered(webhook=URL), Policy(max_age=3599), {"webhook": URL}, Source.RECORDED, Reason.EXPIRED),
    ("old, other", remembered(webhook=URL), Policy(max_age=1), {"webhook": OTHER}, Source.RECORDED, Reason.DIFFERS),
    (
        "from the future",
        remembered(at=ago(days=-1), webhook=URL),
        Policy(max_age=1e9),
        {"webhook": URL},
        Source.RECORDED,
        Reason.EXPIRED,
    ),
    ("undated", remembered(at="", webhook=URL), Policy(max_age=1e9), {"webhook": URL}, Source.RECORDED, Reason.EXPIRED),
    (
        "always, same",
        remembered(webhook=URL),
        Policy("always_update"),
        {"webhook": URL},
        Source.RECORDED,
        Reason.ALWAYS,
    ),
    (
        "always, other",
        remembered(webhook=URL),
        Policy("always_update"),
        {"webhook": OTHER},
        Source.RECORDED,
        Reason.DIFFERS,
    ),
    ("always, unknown", Recorded(), Policy("always_update"), {"webhook": URL}, Source.NONE, Reason.NO_RECORD),
    ("always, readable", Recorded(), Policy("always_update"), {"name": "Toko"}, Source.SERVICE, None),
    ("error, same", remembered(webhook=URL), Policy("error"), {"webhook": URL}, Source.RECORDED, None),
    ("error, other", remembered(webhook=URL), Policy("error"), {"webhook": OTHER}, Source.RECORDED, Reason.DIFFERS),
    (
        "error, in doubt",
        remembered(Standing.IN_DOUBT, webhook=URL),
        Policy("error"),
        {"webhook": URL},
        Source.IN_DOUBT,
        Reason.IN_DOUBT,
    ),
    ("readable, same", Recorded(), Policy(), {"autoread": True}, Source.SERVICE, None),
    ("readable, other", Recorded(), Policy(), {"autoread": False}, Source.SERVICE, Reason.DIFFERS),
    (
        "readable beats recorded",
        remembered(autoread=False),
        Policy(),
        {"autoread": False},
        Source.SERVICE,
        Reason.DIFFERS,
    ),
]


@pytest.mark.parametrize(
    ("recorded", "policy", "settings", "source", "reason"),
    [cell[1:] for cell in CELLS],
    ids=[cell[0] for cell in CELLS],
)
def test_evidence_and_reason(
    recorded: Recorded, policy: Policy, settings: Settings, source: Source, reason: Reason | None
) -> None:
    made = plan(settings, seen(), recorded, policy=replace(policy, unknown="ignore"))
    (option,) = settings
    assert made.evidence[option].source is source
    assert made.evidence[option].at == (
        recorded.device.entries[option].at if source not in (Source.NONE, Source.SERVICE) else None
    )
    assert made.reasons == ({option: reason} if reason else {})
    assert bool(made.operations) is bool(reason)


def test_the_error_policy_refuses_a_setting_without_evidence_but_not_a_creation() -> None:
    with pytest.raises(PolicyError, match="webhook is as declared"):
        plan({"webhook": URL}, seen(), policy=Policy("error"))
    assert plan({"name": "Toko", "webhook": URL}, policy=Policy("error")).operations == (CREATE, UPDATE)


def test_with_a_token_alone_autoread_is_hidden_like_the_rest() -> None:
    profile = Observed(NUMBER, {"name": "Toko"})
    assert plan({"autoread": True}, profile).reasons == {"autoread": Reason.NO_RECORD}
    assert plan({"autoread": True}, profile, remembered(autoread=True)).reasons == {}


def test_nothing_is_unknown_of_a_device_whose_creation_was_begun() -> None:
    begun = replace(remembered(Standing.IN_DOUBT, personal=True), begun=True)
    made = plan({"webhook": URL}, seen(), begun, policy=Policy("error", "error"))
    assert made.reasons == {"webhook": Reason.NO_RECORD} and made.at_risk == () and made.send["personal"] is True


def test_a_device_that_was_renumbered_is_named() -> None:
    moved = Recorded(number_seen=True, moved_to="081200000009")
    for made in (
        plan({"name": "Toko"}, None, moved),
        plan({}, None, moved, State.ABSENT),
        plan({}, None, moved, State.DISCONNECTED),
    ):
        assert "081200000009" in made.warnings[-1] and not made.recreated


# What an update sends


def test_an_update_sends_everything_that_is_known() -> None:
    recorded = remembered(webhook=URL, quick=True, target="628123456789")
    made = plan({"name": "Tako"}, seen(), recorded)
    assert made.send == {"name": "Tako", "autoread": True, "webhook": URL, "quick": True, "target": "628123456789"}
    assert made.carried == {"webhook": AT, "quick": AT, "target": AT}
    assert made.at_risk == (
        "personal",
        "group",
        "resend",
        "country_code",
        "webhook_connect",
        "webhook_status",
        "webhook_chaining",
    )
    assert made.after == {**made.send}
    assert made.before == {**made.send, "name": "Toko"}


def test_a_declared_setting_is_neither_carried_nor_at_risk() -> None:
    made = plan({"name": "Tako", "webhook": URL, "quick": False}, seen(), remembered(webhook=URL))
    assert "webhook" not in made.carried and not {"webhook", "quick"} & set(made.at_risk)
    assert made.send["webhook"] == URL and made.send["quick"] is False
    assert set(made.reasons) == {"name", "quick"}


def test_what_is_in_doubt_goes_out_again_and_is_shown_as_unknown() -> None:
    made = plan({"name": "Tako"}, seen(), remembered(Standing.IN_DOUBT, webhook=URL, webhook_status=""))
    assert made.send["webhook"] == URL and made.send["webhook_status"] == ""
    assert set(made.carried) == {"webhook", "webhook_status"}
    assert made.before is not None and "webhook" not in made.before


def test_a_cleared_webhook_is_left_out_afterwards() -> None:
    cleared = remembered(Standing.UNCONFIRMED, webhook="")
    for settings in ({"name": "Tako"}, {"name": "Tako", "webhook": ""}):
        made = plan(settings, seen(), cleared)
        assert "webhook" not in made.send and "webhook" not in made.at_risk and "webhook" not in made.carried


def test_an_empty_webhook_is_sent_when_the_last_value_is_unknown_or_another() -> None:
    assert plan({"webhook": ""}, seen()).send["webhook"] == ""
    made = plan({"webhook": ""}, seen(), remembered(webhook=URL))
    assert made.send["webhook"] == "" and made.clears == {"webhook": ""}


def test_what_the_dashboard_changed_and_nobody_declares_is_not_undone() -> None:
    assert plan({"webhook": URL}, seen(autoread=False), remembered(autoread=True)).send["autoread"] is False


def test_nothing_is_sent_carried_or_at_risk_when_nothing_changes() -> None:
    made = plan({"name": "Toko"}, seen(), remembered(webhook=URL))
    assert (made.send, made.carried, made.at_risk, made.warnings) == ({}, {}, (), ())
    assert made.before == made.after == {"name": "Toko", "autoread": True, "webhook": URL}


def test_disconnecting_alone_puts_nothing_at_risk() -> None:
    made = plan({}, seen(True), state=State.DISCONNECTED)
    assert (made.send, made.at_risk) == ({}, ())
    assert made.reasons == {"connected": Reason.DIFFERS}
    assert made.before is not None and made.before["connected"] is True
    assert made.after is not None and made.after["connected"] is False


# Warnings and brakes


def test_what_is_at_risk_is_named_or_refused_or_left_to_the_result() -> None:
    warn = plan({"name": "Tako"}, seen())
    assert "webhook_chaining" in warn.warnings[0] and "personal" in warn.warnings[0]
    ignore = plan({"name": "Tako"}, seen(), policy=Policy(unknown="ignore"))
    assert ignore.warnings == () and ignore.at_risk == warn.at_risk
    with pytest.raises(PolicyError, match="webhook_chaining"):
        plan({"name": "Tako"}, seen(), policy=Policy(unknown="error"))


def test_nothing_is_at_risk_where_all_is_known() -> None:
    everything = remembered(
        **{
            option: URL if option.startswith("webhook") else option not in ("target", "country_code") or "62812345678"
            for option in RECORDED
        }
    )
    made = plan({"name": "Tako"}, seen(), everything, policy=Policy(unknown="error"))
    assert made.at_risk == () and made.operations == (UPDATE,)


def test_a_number_that_only_the_profile_vouches_for_is_a_warning_when_it_is_sent() -> None:
    uncertain = Observed(NUMBER, {"name": "Toko"}, certain=False)
    assert "renumbered" in " ".join(plan({"name": "Tako"}, uncertain).warnings)
    assert plan({"name": "Toko"}, uncertain).warnings == ()


@pytest.mark.parametrize(
    ("settings", "observed", "word"),
    [
        ({"webhook": URL}, seen(autoread=False), "autoread is off"),
        ({"webhook": URL, "autoread": False}, seen(), "autoread is off"),
        ({"webhook_connect": "http://h.example.com/a"}, seen(), "plain http"),
        ({"resend": True}, seen(), "no target is known"),
    ],
)
def test_advice(settings: Settings, observed: Observed, word: str) -> None:
    made = plan(settings, observed, policy=Policy(unknown="ignore"))
    assert len(made.warnings) == 1 and word in made.warnings[0] and NUMBER in made.warnings[0]
    created = plan({"name": "Toko", **settings})
    assert len(created.warnings) == 1


@pytest.mark.parametrize(
    "settings",
    [
        {"webhook": URL, "autoread": True},
        {"webhook": "", "autoread": False},
        {"webhook_connect": URL},
        {"webhook_connect": ""},
        {"resend": True, "target": "628123456789"},
        {"resend": False},
    ],
)
def test_no_advice_is_given_where_all_is_well(settings: Settings) -> None:
    assert plan(settings, seen(), policy=Policy(unknown="ignore")).warnings == ()
