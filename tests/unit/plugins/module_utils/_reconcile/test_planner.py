# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan, for each combination of state, existence, difference, evidence and policy."""

from __future__ import annotations

import typing as t
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.clock import TIME_FORMAT
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.errors import (
    NotFoundError,
    OptionError,
    PolicyError,
)
from ansible_collections.fonnte.whatsapp.plugins.module_utils._device.service_facts import ServiceFacts
from ansible_collections.fonnte.whatsapp.plugins.module_utils._device.settings import (
    RECORDED,
    Settings,
)
from ansible_collections.fonnte.whatsapp.plugins.module_utils._device.stamp import (
    Stamp,
    make_code,
    read_stamp,
    stamped_name,
)
from ansible_collections.fonnte.whatsapp.plugins.module_utils._reconcile.evidence import Evidence, Source, claims
from ansible_collections.fonnte.whatsapp.plugins.module_utils._reconcile.planner import make_plan, noop_plan
from ansible_collections.fonnte.whatsapp.plugins.module_utils._reconcile.state import (
    ATTEST,
    CREATE,
    DELETE,
    DISCONNECT,
    FORGET,
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
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.entries import DeviceRecord, Entry, EntryStatus

NOW = datetime(2026, 11, 22, 12, 0, 0, tzinfo=timezone.utc)
NUMBER = "081200000001"
URL = "https://h.example.com/a"
OTHER = "https://h.example.com/b"


def ago(**length: float) -> str:
    return (NOW - timedelta(**length)).strftime(TIME_FORMAT)


AT = ago(hours=1)


def seen(connected: bool | None = False, **settings: t.Any) -> Observed:
    return Observed(NUMBER, {"name": "Toko", "autoread": True, **settings}, connected)


def remembered(standing: EntryStatus = EntryStatus.RECORDED, at: str = AT, **settings: t.Any) -> Recorded:
    entries = {option: Entry(value, at, standing) for option, value in settings.items()}
    return Recorded(DeviceRecord(entries), number_seen=True, existed_before=True)


def plan(
    settings: Settings,
    observed: Observed | None = None,
    recorded: Recorded | None = None,
    state: State = State.PRESENT,
    **more: t.Any,
) -> Plan:
    return make_plan(Desired(NUMBER, state, settings, **more), observed, recorded or Recorded(), NOW)


# The state table. The service returns a name, but never a webhook.

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


def test_existing_absent_device_is_deleted_with_a_code_which_is_requested_only_on_request() -> None:
    assert plan({}, seen(), state=State.ABSENT, otp="0123").operations == (DELETE,)
    assert plan({}, seen(), state=State.ABSENT, otp="0123", request_otp=True).operations == (DELETE,)
    assert plan({}, seen(), state=State.ABSENT, request_otp=True).operations == (REQUEST_OTP,)
    with pytest.raises(
        OptionError, match="Option otp: .* request_otp: true; the code goes to the WhatsApp of the account's owner"
    ):
        plan({}, seen(), state=State.ABSENT)


def test_missing_absent_device_needs_no_code_and_warns_if_its_number_is_unknown() -> None:
    assert plan({}, None, Recorded(number_seen=True), State.ABSENT, otp="0123") == Plan()
    (warning,) = plan({}, None, Recorded(), State.ABSENT).warnings
    assert NUMBER in warning and "has no entry for it" in warning


@pytest.mark.parametrize(("age", "wait"), [(0, 600), (10, 590), (599, 1), (600, None), (601, None), (-5, None)])
def test_pending_code_is_predicted(age: float, wait: int | None) -> None:
    recorded = Recorded(DeviceRecord(otp_requested_at=ago(seconds=age)))
    made = plan({}, seen(), recorded, State.ABSENT, request_otp=True)
    assert made.otp_wait == wait
    assert made.operations == (REQUEST_OTP,)
    assert made.predicted_operations == (() if wait is not None else (REQUEST_OTP,))


def test_requesting_a_code_changes_nothing() -> None:
    made = plan({}, seen(), remembered(webhook=URL), State.ABSENT, request_otp=True)
    assert made.before == made.after == {"name": "Toko", "autoread": True, "webhook": URL}


def test_deletion_has_no_state_after_it() -> None:
    made = plan({}, seen(), remembered(webhook=URL), State.ABSENT, otp="0123")
    assert made.before == {"name": "Toko", "autoread": True, "webhook": URL} and made.after is None


# Creating


def test_creation_requires_a_name() -> None:
    with pytest.raises(OptionError, match="Option name: device 081200000001 does not exist"):
        plan({"autoread": True})


@pytest.mark.parametrize("number", ["0062812000000001", "62081200000001"])
def test_number_that_cannot_be_dialed_is_not_created(number: str) -> None:
    """A device in the list keeps its spelling. A new one would take a free place with a number that nobody has."""
    with pytest.raises(OptionError, match='cannot be dialed; write "6281200000'):
        make_plan(Desired(number, State.PRESENT, {"name": "Toko"}), None, Recorded(), NOW)


def test_creation_sends_accepted_settings_and_the_update_sends_all() -> None:
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


def test_known_device_that_disappeared_is_recreated_with_a_warning() -> None:
    made = plan({"name": "Toko"}, None, Recorded(number_seen=True, existed_before=True))
    assert made.recreated and "new token" in made.warnings[0]
    again = plan({"name": "Toko"}, None, Recorded(number_seen=True))
    assert not again.recreated and again.warnings == ()


def test_disconnecting_a_missing_device_warns_and_creates_nothing() -> None:
    made = plan({"name": "Toko"}, state=State.DISCONNECTED)
    assert not made.operations and "not created" in made.warnings[0]


# A task that may not create


def test_webhooks_of_a_missing_device_are_an_error() -> None:
    with pytest.raises(NotFoundError, match="fonnte_device"):
        plan({"webhook": URL}, may_create=False)


def test_webhooks_of_a_missing_device_are_predicted_if_an_earlier_task_creates_it() -> None:
    made = plan({"webhook": URL, "webhook_status": ""}, may_create=False, created_by_earlier_task=True)
    assert made.operations == (UPDATE,)
    assert made.reasons == {"webhook": Reason.NO_RECORD, "webhook_status": Reason.NO_RECORD}
    assert "does not exist yet" in made.warnings[0] and made.at_risk == ()


def test_clearing_the_webhooks_of_a_missing_device_does_nothing() -> None:
    made = plan({"webhook": ""}, may_create=False, allow_missing=True)
    assert not made.operations and made.before is None and made.after is None and not made.warnings


# Evidence and reasons

CELLS: list[tuple[str, Recorded, Policy, Settings, Source, Reason | None]] = [
    ("nothing known", Recorded(), Policy(), {"webhook": URL}, Source.NONE, Reason.NO_RECORD),
    ("recorded, same", remembered(webhook=URL), Policy(), {"webhook": URL}, Source.RECORDED, None),
    ("recorded, other", remembered(webhook=URL), Policy(), {"webhook": OTHER}, Source.RECORDED, Reason.DIFFERS),
    ("recorded, clear", remembered(webhook=URL), Policy(), {"webhook": ""}, Source.RECORDED, Reason.DIFFERS),
    (
        "unconfirmed, same",
        remembered(EntryStatus.UNCONFIRMED, webhook=""),
        Policy(),
        {"webhook": ""},
        Source.UNCONFIRMED,
        None,
    ),
    (
        "unconfirmed, other",
        remembered(EntryStatus.UNCONFIRMED, webhook=""),
        Policy(),
        {"webhook": URL},
        Source.UNCONFIRMED,
        Reason.DIFFERS,
    ),
    (
        "in doubt, same",
        remembered(EntryStatus.IN_DOUBT, webhook=URL),
        Policy(),
        {"webhook": URL},
        Source.IN_DOUBT,
        Reason.IN_DOUBT,
    ),
    (
        "in doubt, other",
        remembered(EntryStatus.IN_DOUBT, webhook=URL),
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
        remembered(EntryStatus.IN_DOUBT, webhook=URL),
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


def test_error_policy_refuses_a_setting_without_evidence_but_not_a_creation() -> None:
    with pytest.raises(PolicyError, match="webhook matches the declaration"):
        plan({"webhook": URL}, seen(), policy=Policy("error"))
    assert plan({"name": "Toko", "webhook": URL}, policy=Policy("error")).operations == (CREATE, UPDATE)


def test_autoread_is_write_only_with_only_a_device_token() -> None:
    profile = Observed(NUMBER, {"name": "Toko"})
    assert plan({"autoread": True}, profile).reasons == {"autoread": Reason.NO_RECORD}
    assert plan({"autoread": True}, profile, remembered(autoread=True)).reasons == {}


def test_nothing_is_at_risk_for_a_device_with_a_pending_creation() -> None:
    begun = replace(remembered(EntryStatus.IN_DOUBT, personal=True), creation_pending=True)
    made = plan({"webhook": URL}, seen(), begun, policy=Policy("error", "error"))
    assert made.reasons == {"webhook": Reason.NO_RECORD} and made.at_risk == () and made.send["personal"] is True


def test_renumbered_device_is_named() -> None:
    moved = Recorded(number_seen=True, renumbered_to="081200000009")
    for made in (
        plan({"name": "Toko"}, None, moved),
        plan({}, None, moved, State.ABSENT),
        plan({}, None, moved, State.DISCONNECTED),
    ):
        assert "081200000009" in made.warnings[-1] and not made.recreated


# Settings of an update


def test_update_sends_all_known_settings() -> None:
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


def test_declared_setting_is_neither_carried_nor_at_risk() -> None:
    made = plan({"name": "Tako", "webhook": URL, "quick": False}, seen(), remembered(webhook=URL))
    assert "webhook" not in made.carried and not {"webhook", "quick"} & set(made.at_risk)
    assert made.send["webhook"] == URL and made.send["quick"] is False
    assert set(made.reasons) == {"name", "quick"}


def test_setting_in_doubt_is_sent_again_and_shown_as_unknown() -> None:
    made = plan({"name": "Tako"}, seen(), remembered(EntryStatus.IN_DOUBT, webhook=URL, webhook_status=""))
    assert made.send["webhook"] == URL and made.send["webhook_status"] == ""
    assert set(made.carried) == {"webhook", "webhook_status"}
    assert made.before is not None and "webhook" not in made.before
    assert made.after is not None and made.after["webhook"] == URL


def test_cleared_webhook_is_omitted_later() -> None:
    cleared = remembered(EntryStatus.UNCONFIRMED, webhook="")
    for settings in ({"name": "Tako"}, {"name": "Tako", "webhook": ""}):
        made = plan(settings, seen(), cleared)
        assert "webhook" not in made.send and "webhook" not in made.at_risk and "webhook" not in made.carried


def test_empty_webhook_is_sent_if_the_last_value_is_unknown_or_different() -> None:
    assert plan({"webhook": ""}, seen()).send["webhook"] == ""
    made = plan({"webhook": ""}, seen(), remembered(webhook=URL))
    assert made.send["webhook"] == "" and made.clears == {"webhook": ""}


def test_undeclared_change_in_the_dashboard_is_kept() -> None:
    assert plan({"webhook": URL}, seen(autoread=False), remembered(autoread=True)).send["autoread"] is False


def test_nothing_is_sent_carried_or_at_risk_without_a_change() -> None:
    made = plan({"name": "Toko"}, seen(), remembered(webhook=URL))
    assert (made.send, made.carried, made.at_risk, made.warnings) == ({}, {}, (), ())
    assert made.before == made.after == {"name": "Toko", "autoread": True, "webhook": URL}


def test_disconnecting_puts_nothing_at_risk() -> None:
    made = plan({}, seen(True), state=State.DISCONNECTED)
    assert (made.send, made.at_risk) == ({}, ())
    assert made.reasons == {"connected": Reason.DIFFERS}
    assert made.before is not None and made.before["connected"] is True
    assert made.after is not None and made.after["connected"] is False


# Warnings and safety limits


def test_settings_at_risk_are_a_warning_an_error_or_only_in_the_result() -> None:
    warn = plan({"name": "Tako"}, seen())
    assert "webhook_chaining" in warn.warnings[0] and "personal" in warn.warnings[0]
    ignore = plan({"name": "Tako"}, seen(), policy=Policy(unknown="ignore"))
    assert ignore.warnings == () and ignore.at_risk == warn.at_risk
    with pytest.raises(PolicyError, match="webhook_chaining"):
        plan({"name": "Tako"}, seen(), policy=Policy(unknown="error"))


def test_nothing_is_at_risk_if_all_settings_are_known() -> None:
    everything = remembered(
        **{
            option: URL if option.startswith("webhook") else option not in ("target", "country_code") or "62812345678"
            for option in RECORDED
        }
    )
    made = plan({"name": "Tako"}, seen(), everything, policy=Policy(unknown="error"))
    assert made.at_risk == () and made.operations == (UPDATE,)


def test_number_known_only_from_the_profile_is_a_warning_if_it_is_sent() -> None:
    uncertain = Observed(NUMBER, {"name": "Toko"}, number_confirmed=False)
    assert "renumbered" in " ".join(plan({"name": "Tako"}, uncertain).warnings)
    assert plan({"name": "Toko"}, uncertain).warnings == ()


@pytest.mark.parametrize(
    ("settings", "observed", "word"),
    [
        ({"webhook": URL, "personal": True}, seen(autoread=False), "autoread is off or unknown"),
        ({"webhook": URL, "autoread": False}, seen(), "autoread and personal are off or unknown"),
        ({"webhook": URL, "autoread": True}, seen(), "personal is off or unknown"),
        ({"webhook_connect": URL, "webhook_status": URL}, seen(), "one URL in webhook_connect and webhook_status"),
        ({"webhook_status": "https://n8n.local/hook"}, seen(), "only in this network: webhook_status"),
        ({"webhook_connect": "http://h.example.com/a"}, seen(), "plain http"),
        ({"resend": True}, seen(), "no target is known"),
    ],
)
def test_combination_that_needs_advice_has_one_warning(settings: Settings, observed: Observed, word: str) -> None:
    made = plan(settings, observed, policy=Policy(unknown="ignore"))
    assert len(made.warnings) == 1 and word in made.warnings[0] and NUMBER in made.warnings[0]
    created = plan({"name": "Toko", **settings})
    assert len(created.warnings) == 1


@pytest.mark.parametrize(
    "settings",
    [
        {"webhook": URL, "autoread": True, "personal": True},
        {"webhook": URL, "autoread": True, "personal": False, "group": True},
        {"webhook": "", "autoread": False},
        {"webhook_connect": URL},
        {"webhook_connect": ""},
        {"resend": True, "target": "628123456789"},
        {"resend": False},
    ],
)
def test_sensible_settings_have_no_warning(settings: Settings) -> None:
    assert plan(settings, seen(), policy=Policy(unknown="ignore")).warnings == ()


# Stamps

STAMPED = Policy("stamped", unknown="ignore")


def stamp_of(settings: Settings, autoread: bool | None = True) -> Stamp:
    """Return the stamp of an update that sent these settings."""
    stamp = read_stamp("token", stamped_name("Toko", make_code("token", "Toko", claims(settings), autoread)))
    assert stamp is not None
    return stamp


def carrying(stamp: Stamp | None, **settings: t.Any) -> Observed:
    return replace(seen(**settings), stamp=stamp)


def with_codes(recorded: Recorded, *stamps: Stamp) -> Recorded:
    return replace(recorded, device=replace(recorded.device, stamps=tuple(stamp.code for stamp in stamps)))


def test_recorded_unstamped_setting_is_unproven_and_its_update_has_a_stamp() -> None:
    made = plan({"webhook": URL}, seen(), remembered(webhook=URL, quick=True), policy=STAMPED)
    assert made.reasons == {"webhook": Reason.UNPROVEN} and made.operations == (UPDATE,)
    assert made.claims == {"own": {"quick": True}, "webhooks": {"webhook": URL}}
    assert (made.seen_code, made.proven, made.superseded) == ("", {}, ())


def test_setting_proven_by_the_stamp_matches_and_is_recorded() -> None:
    stamp = stamp_of({"webhook": URL})
    made = plan({"webhook": URL}, carrying(stamp), policy=STAMPED)
    assert made.operations == () and made.reasons == {} and made.claims is None
    assert made.evidence["webhook"].source is Source.STAMPED
    assert made.proven == {"webhook": URL} and made.superseded == () and made.seen_code == stamp.code
    assert made.before is not None and made.before["webhook"] == URL


def test_stamp_proves_autoread_with_only_a_device_token() -> None:
    profile = Observed(NUMBER, {"name": "Toko"}, stamp=stamp_of({"webhook": URL}, autoread=False))
    made = plan({"autoread": False}, profile, policy=STAMPED)
    assert made.operations == () and made.evidence["autoread"].source is Source.STAMPED
    assert plan({"autoread": True}, profile, policy=STAMPED).reasons == {"autoread": Reason.DIFFERS}


def test_stamp_proves_nothing_without_the_stamped_policy() -> None:
    made = plan({"webhook": URL}, carrying(stamp_of({"webhook": URL})))
    assert made.reasons == {"webhook": Reason.NO_RECORD} and made.proven == {}
    assert made.claims is None
    assert "of another control node" in " ".join(made.warnings)


def test_no_warning_about_the_own_stamp_or_a_kept_stamp() -> None:
    stamp = stamp_of({"webhook": URL})
    recorded = remembered(webhook=URL)
    ours = plan({"name": "Tako"}, carrying(stamp), with_codes(recorded, stamp), policy=Policy(unknown="ignore"))
    kept = plan({"name": "Toko"}, carrying(stamp), recorded)
    again = plan({"webhook": OTHER}, carrying(stamp), recorded, policy=STAMPED)
    for made in (ours, kept, again):
        assert "another control node" not in " ".join(made.warnings)


def test_stamp_of_another_control_node_supersedes_the_record_but_the_own_stamp_does_not() -> None:
    stamp = stamp_of({"webhook": OTHER})
    recorded = remembered(webhook=URL, quick=True)
    theirs = plan({"name": "Tako"}, carrying(stamp), recorded, policy=STAMPED)
    assert theirs.superseded == ("webhook",) and "webhook" not in theirs.send and theirs.send["quick"] is True
    ours = plan({"name": "Tako"}, carrying(stamp), with_codes(recorded, stamp), policy=STAMPED)
    assert ours.superseded == () and ours.send["webhook"] == URL


@pytest.mark.parametrize("stamp", [False, True])
def test_first_stamped_run_sends_attested_values(stamp: bool) -> None:
    attested = remembered(EntryStatus.ATTESTED, webhook=URL)
    observed = carrying(stamp_of({"quick": True})) if stamp else seen()
    made = plan({"webhook": URL}, observed, attested, policy=STAMPED)
    assert made.reasons == {"webhook": Reason.UNPROVEN} and made.send["webhook"] == URL
    assert made.claims is not None and made.claims["webhooks"] == {"webhook": URL}


@pytest.mark.parametrize("write_only", ["recorded", "stamped"])
def test_only_an_update_with_a_stamp_promises_one(write_only: str) -> None:
    attested = remembered(EntryStatus.ATTESTED, webhook=URL + "/old")
    made = plan({"webhook": URL}, seen(), attested, policy=Policy(write_only, unknown="ignore"))
    assert made.operations == (UPDATE,)
    assert any("writes a stamp" in warning for warning in made.warnings) == (write_only == "stamped")


def test_update_without_declared_or_known_write_only_settings_has_no_stamp() -> None:
    assert plan({"name": "Tako"}, seen(), policy=STAMPED).claims is None
    assert plan({"name": "Tako", "autoread": True}, seen(), policy=STAMPED).claims == {"own": {}, "webhooks": {}}


def test_unproven_cleared_webhook_is_stamped_only_if_declared() -> None:
    cleared = remembered(EntryStatus.UNCONFIRMED, webhook="")
    made = plan({"quick": True}, seen(), cleared, policy=STAMPED)
    assert made.claims == {"own": {"quick": True}, "webhooks": {}}
    declared = plan({"quick": True, "webhook": ""}, seen(), cleared, policy=STAMPED)
    assert declared.claims == {"own": {"quick": True}, "webhooks": {"webhook": ""}}
    attested = plan(
        {"quick": True, "webhook": ""}, seen(), remembered(EntryStatus.ATTESTED, webhook=""), policy=STAMPED
    )
    assert attested.claims == declared.claims and attested.send["webhook"] == ""
    stamp = stamp_of({"webhook": ""})
    proven = plan({"quick": True}, carrying(stamp), with_codes(cleared, stamp), policy=STAMPED)
    assert proven.claims == {"own": {"quick": True}, "webhooks": {"webhook": ""}} and "webhook" not in proven.send


def test_new_device_with_write_only_settings_is_stamped_by_an_update() -> None:
    made = plan({"name": "Toko", "personal": True}, policy=STAMPED)
    assert made.operations == (CREATE, UPDATE) and made.send == {"name": "Toko", "personal": True}
    assert made.claims == {"own": {"personal": True}, "webhooks": {}}
    cleared = plan({"name": "Toko", "webhook": ""}, policy=STAMPED)
    assert cleared.operations == (CREATE, UPDATE) and cleared.send == {"name": "Toko"}
    assert cleared.claims == {"own": {}, "webhooks": {"webhook": ""}}
    shown = plan({"name": "Toko", "autoread": True}, policy=STAMPED)
    assert shown.operations == (CREATE,) and shown.claims is None and shown.send == {}


@pytest.mark.parametrize(("length", "fits"), [(23, True), (24, False)])
def test_name_must_have_space_for_a_stamp(length: int, fits: bool) -> None:
    observed = seen(name="T" * length)
    assert plan({"webhook": URL}, observed, policy=Policy(unknown="ignore")).operations == (UPDATE,)
    if fits:
        assert plan({"webhook": URL}, observed, policy=STAMPED).operations == (UPDATE,)
    else:
        with pytest.raises(
            OptionError, match="Option name: .* a name of 24 characters, .* leaves room for 23"
        ) as caught:
            plan({"webhook": URL}, observed, policy=STAMPED)
        assert NUMBER in str(caught.value)


def test_update_without_a_sendable_name_is_an_error() -> None:
    nameless = Observed(NUMBER, {"autoread": True}, False)
    with pytest.raises(OptionError, match=f"Option name: an update of device {NUMBER} needs its name"):
        plan({"webhook": URL}, nameless)
    assert plan({"autoread": True}, nameless).operations == ()
    assert plan({"name": "Toko", "webhook": URL}, nameless).operations == (UPDATE,)


# Attesting


def test_attesting_records_and_sends_nothing() -> None:
    made = plan({"webhook": URL}, seen(), policy=Policy("attest"))
    assert made.operations == (ATTEST,) and made.attested == {"webhook": URL} and made.send == {}


def test_attesting_needs_a_device_unless_a_missing_one_is_fine() -> None:
    with pytest.raises(NotFoundError, match=f"no device {NUMBER}, so there is nothing to attest"):
        plan({"name": "Toko"}, policy=Policy("attest"))
    made = plan({"webhook": ""}, policy=Policy("attest"), may_create=False, allow_missing=True)
    assert made.operations == () and made.evidence == {"webhook": Evidence()}


def test_attest_policy_allows_the_absence_of_a_device() -> None:
    assert plan({}, None, Recorded(number_seen=True), State.ABSENT, policy=Policy("attest")) == Plan()


def test_attested_setting_expires_after_max_age() -> None:
    attested = remembered(EntryStatus.ATTESTED, webhook=URL)
    assert plan({"webhook": URL}, seen(), attested, policy=Policy("attest", max_age=3600)).operations == ()
    assert plan({"webhook": URL}, seen(), attested, policy=Policy("attest", max_age=3599)).operations == (ATTEST,)


# Forgetting


def test_undeclared_setting_is_forgotten_and_neither_sent_nor_shown() -> None:
    forget = Policy(unmanaged_hidden="forget", unknown="ignore")
    recorded = remembered(webhook=URL, quick=True)
    made = plan({"webhook": URL}, seen(), recorded, policy=forget)
    assert made.operations == (FORGET,) and made.forgotten == ("quick",)
    assert made.before is not None and made.before["quick"] is True
    assert made.after is not None and "quick" not in made.after and made.send == {}
    sent = plan({"webhook": OTHER}, seen(), recorded, policy=forget)
    assert sent.operations == (FORGET, UPDATE) and "quick" not in sent.send and sent.at_risk != ()
    carried = plan({"webhook": URL}, seen(), recorded)
    assert carried.operations == () and carried.forgotten == ()


def test_forget_policy_records_only_declared_settings() -> None:
    stamp = stamp_of({"webhook": URL, "quick": True})
    settings: Settings = {"webhook": URL}
    recorded = with_codes(remembered(EntryStatus.IN_DOUBT, quick=True), stamp_of({"quick": False}), stamp)
    learns = plan(settings, carrying(stamp), recorded, policy=STAMPED)
    assert learns.proven == {"webhook": URL, "quick": True}
    forget = replace(STAMPED, unmanaged_hidden="forget")
    assert plan(settings, carrying(stamp), recorded, policy=forget).proven == {"webhook": URL}
    # Settings that the task could not declare are neither forgotten nor recorded.
    others = plan(settings, carrying(stamp), recorded, policy=forget, managed_options=("webhook",))
    assert others.proven == {"webhook": URL} and others.forgotten == ()


# The state in the result


def test_noop_plan_shows_the_known_settings() -> None:
    desired = Desired(NUMBER, settings={"webhook": URL, "name": "Tako", "quick": True})
    still = noop_plan(desired, seen(), remembered(webhook=URL, resend=True))
    assert (still.operations, still.reasons, still.send) == ((), {}, {})
    assert still.before == still.after == {"name": "Toko", "autoread": True, "webhook": URL, "resend": True}
    assert still.evidence == {
        "webhook": Evidence(Source.RECORDED, AT),
        "name": Evidence(Source.SERVICE),
        "quick": Evidence(),
    }


def test_nothing_is_at_risk_if_the_service_keeps_omitted_settings() -> None:
    facts = ServiceFacts(omitted="keeps")
    made = plan({"name": "Tako"}, seen(), policy=Policy(unknown="error", facts=facts))
    assert made.at_risk == () and made.warnings == ()


def test_nothing_is_at_risk_during_the_own_creation() -> None:
    made = plan({"name": "Tako"}, seen(), Recorded(creation_pending=True))
    assert made.at_risk == () and made.warnings == ()


def test_pending_creation_is_completed_under_the_policy_of_the_run() -> None:
    begun = replace(remembered(webhook=URL), creation_pending=True)
    always = plan({"webhook": URL}, seen(), begun, policy=Policy("always_update"))
    assert always.reasons == {"webhook": Reason.ALWAYS}
    proven = plan({"webhook": URL}, seen(), begun, policy=STAMPED)
    assert proven.reasons == {"webhook": Reason.UNPROVEN} and proven.claims is not None


def test_carried_setting_is_reported_with_its_date() -> None:
    made = plan({"name": "Tako"}, seen(), remembered(quick=True), policy=Policy(unknown="ignore"))
    assert made.carried == {"quick": AT}
    (warning,) = made.warnings
    assert f"quick ({AT})" in warning and NUMBER in warning


def test_disconnecting_shows_only_a_known_link_state() -> None:
    made = plan({}, seen(None), state=State.DISCONNECTED)
    assert made.before is not None and "connected" not in made.before
    assert made.after is not None and made.after["connected"] is False
    both = plan({"name": "Tako"}, seen(True), remembered(quick=True), State.DISCONNECTED)
    assert both.reasons == {"name": Reason.DIFFERS, "connected": Reason.DIFFERS}
    assert both.after == {"name": "Tako", "autoread": True, "quick": True, "connected": False}


def test_undeclared_number_is_that_of_the_observed_device() -> None:
    desired = Desired("", settings={"webhook": URL}, policy=STAMPED)
    with pytest.raises(OptionError, match=f"device {NUMBER} has a name of 30 characters"):
        make_plan(desired, seen(name="T" * 30), Recorded(), NOW)
    other = Desired("081200000009", settings={"webhook": URL}, policy=STAMPED)
    with pytest.raises(OptionError, match="device 081200000009 has a name of 30 characters"):
        make_plan(other, seen(name="T" * 30), Recorded(), NOW)


def test_missing_device_that_stays_missing_has_no_evidence() -> None:
    made = plan({"name": "Toko", "webhook": URL}, state=State.DISCONNECTED)
    assert made.evidence == {"name": Evidence(), "webhook": Evidence()}
    assert (made.before, made.after, made.reasons, made.send) == (None, None, {}, {})
    assert f"Device {NUMBER} does not exist" in made.warnings[0]


def test_settings_of_a_device_created_by_an_earlier_task_are_predicted() -> None:
    hook = "http://h.example.com/a"
    made = plan({"webhook_connect": hook, "name": "Toko"}, may_create=False, created_by_earlier_task=True)
    assert made.send == {"webhook_connect": hook, "name": "Toko"}
    assert (made.before, made.after) == ({}, {"webhook_connect": hook, "name": "Toko"})
    assert made.evidence == {"webhook_connect": Evidence(), "name": Evidence()}
    missing, plain_http = made.warnings
    assert NUMBER in missing and "does not exist yet" in missing and "plain http" in plain_http
    # No webhook of the new device is known; the real run has the same result.
    with pytest.raises(PolicyError, match="webhook matches the declaration"):
        plan({"webhook": URL}, may_create=False, created_by_earlier_task=True, policy=Policy("error"))
