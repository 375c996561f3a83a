# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Create a plan from the declaration, the observed state and the recorded state.

Pure: no network, no files, no clock, no Ansible. Check mode returns a plan; a real run carries it out.
"""

from __future__ import annotations

import typing as t
from dataclasses import replace
from datetime import datetime

from .._common.clock import age, expired
from .._common.errors import NotFoundError, OptionError, PolicyError
from .._common.phone_numbers import check_dialed, no_country
from .._device.settings import BY_OPTION, NAME_LENGTH, WRITE_ONLY, Settings, Value, significant
from .._device.stamp import LENGTH as STAMP_LENGTH
from .._device.stamp import Claims
from .advisories import (
    attested_warning,
    carry_warning,
    lost_proof_warning,
    moved_warning,
    never_seen_warning,
    number_warning,
    refusal_warning,
    removed_warnings,
    risk_warning,
    setting_warnings,
    stamp_warning,
)
from .attest import plan_attest
from .evidence import (
    Evidence,
    Knowledge,
    Known,
    Origin,
    Source,
    apply_stamp,
    claims,
    confirmed_values,
    find_lost_parts,
    find_origin,
    known_settings,
    proven_values,
    stamp_updates,
    without_settings,
)
from .state import (
    CREATE,
    DELETE,
    DISCONNECT,
    FORGET,
    REQUEST_OTP,
    UPDATE,
    Desired,
    Observed,
    Plan,
    Reason,
    Recorded,
    State,
    UpdatePayload,
)

# The service sends another code only after this time.
OTP_WAIT_SECONDS = 600


def make_plan(desired: Desired, observed: Observed | None, recorded: Recorded, now: datetime) -> Plan:
    """Return the plan that reconciles a device.

    Args:
        desired: The declaration.
        observed: The observed state; None if the device does not exist.
        recorded: The recorded state.
        now: The present time, for the age of recorded values.

    Raises:
        OptionError: A required setting is not declared.
        PolicyError: The user's policy forbids the change.
        NotFoundError: The device must exist, and does not.
    """
    if observed is not None and not desired.number:
        desired = replace(desired, number=observed.number)
    if desired.state is State.ABSENT:
        return _plan_absent(desired, observed, recorded, now)
    if observed is not None:
        if desired.policy.write_only == "attest":
            return _checked_name(desired, plan_attest(desired, observed, recorded, now))
        plan = _plan_existing(_relaxed_policy(desired, recorded), observed, recorded, now)
        return _checked_name(desired, plan)
    if desired.policy.write_only == "attest" and not desired.allow_missing:
        raise NotFoundError(
            f"the account has no device {desired.number}, so there is nothing to attest",
            "correct the number, or create the device without handle_write_only: attest",
        )
    if desired.state is State.DISCONNECTED:
        nothing = f"Device {desired.number} does not exist, so there is nothing to disconnect; it was not created."
        return replace(noop_plan(desired, None, recorded), warnings=(nothing, *moved_warning(desired, recorded)))
    if desired.may_create:
        return _plan_create(desired, recorded)
    if desired.allow_missing:
        return noop_plan(desired, None, recorded)
    return _plan_missing(desired, now)


def noop_plan(desired: Desired, observed: Observed | None, recorded: Recorded) -> Plan:
    """Return a plan without operations, with the known settings and their evidence."""
    if observed is None:
        return Plan(evidence={option: Evidence() for option in desired.settings})
    known = known_settings(observed.settings, recorded.device)
    before = confirmed_values(known)
    return Plan(before=before, after=before, evidence={option: known[option].evidence for option in desired.settings})


def _plan_create(desired: Desired, recorded: Recorded) -> Plan:
    settings = desired.settings
    if "name" not in settings:
        raise OptionError(
            "name", f"device {desired.number} does not exist, and creating it needs a name", "declare its name"
        )
    # A new device has no webhooks, so there is nothing to clear.
    wanted = {option: value for option, value in settings.items() if value != ""}
    add = {option: value for option, value in wanted.items() if BY_OPTION[option].on_add}
    # The code of a stamp depends on the new device's token, so add-device cannot send it.
    stamped = _claims(desired, settings, WRITE_ONLY)
    later = len(wanted) > len(add) or stamped is not None
    warnings = [
        *no_country(check_dialed(desired.number, "device")),
        *setting_warnings(desired, wanted),
        *moved_warning(desired, recorded),
        *refusal_warning(desired, [option for option in WRITE_ONLY if option not in settings], settings),
    ]
    if recorded.existed_before:
        warnings.append(
            f"Device {desired.number} was known to this record and is gone: it is recreated, gets a new token "
            "and must be linked again."
        )
    return Plan(
        operations=(CREATE, UPDATE) if later else (CREATE,),
        add=add,
        send=wanted if later else {},
        claims=stamped,
        reasons=dict.fromkeys(wanted, Reason.DIFFERS),
        evidence={option: Evidence() for option in settings},
        before=None,
        after=dict(settings),
        recreated=recorded.existed_before,
        warnings=tuple(warnings),
    )


def _plan_missing(desired: Desired, now: datetime) -> Plan:
    """Return the plan for a missing device that this task may not create, such as for its webhooks."""
    if not desired.created_by_earlier_task:
        raise NotFoundError(
            f"the account has no device {desired.number}",
            "create it first with fonnte.whatsapp.fonnte_device, or correct the number",
        )
    predicted = _plan_existing(desired, Observed(desired.number), Recorded(creation_pending=True), now)
    warning = f"Device {desired.number} does not exist yet; in a real run, an earlier task must create it."
    return Plan(
        operations=predicted.operations,
        send=predicted.send,
        reasons=predicted.reasons,
        evidence=predicted.evidence,
        before=predicted.before,
        after=predicted.after,
        warnings=(warning, *predicted.warnings),
    )


def _relaxed_policy(desired: Desired, recorded: Recorded) -> Desired:
    """Return the declaration with the policies for unknown values that apply to a creation.

    A device that this run has created has no unknown value. An interrupted creation was allowed when it began, so a
    task with the same settings finishes it at any time, and reports the settings that others may have set since.
    """
    policy = desired.policy
    if recorded.creation_pending and policy.write_only == "error":
        policy = replace(policy, write_only="recorded")
    if recorded.continues and policy.unknown == "error":
        policy = replace(policy, unknown="warn")
    return desired if policy is desired.policy else replace(desired, policy=policy)


def _checked_name(desired: Desired, plan: Plan) -> Plan:
    """Return the plan after a check that the name in its update can be sent."""
    if UPDATE not in plan.operations:
        return plan
    name = plan.send.get("name")
    if name is None:
        raise OptionError(
            "name",
            f"an update of device {desired.number} needs its name, and the one that Fonnte shows cannot be sent back",
            "declare it",
        )
    longest = NAME_LENGTH[1] - STAMP_LENGTH
    if plan.claims is not None and len(str(name)) > longest:
        raise OptionError(
            "name",
            f"device {desired.number} has a name of {len(str(name))} characters, and a stamp leaves room for {longest}",
            "set a shorter one with fonnte.whatsapp.fonnte_device, or omit handle_write_only: stamped",
        )
    return plan


def _plan_existing(desired: Desired, observed: Observed, recorded: Recorded, now: datetime) -> Plan:
    forgotten = desired.forgets(observed.settings, recorded.device)
    everything = known_settings(observed.settings, recorded.device)
    kept = without_settings(everything, forgotten)
    origin = find_origin(observed.stamp, recorded.device) if observed.stamp else Origin.FOREIGN
    known = _known(desired, observed, kept, origin)
    reasons, payload, attested, unstamped = _update(desired, known, now)
    learns = desired.settings if desired.policy.unmanaged_hidden == "forget" else known
    proven, superseded = stamp_updates(kept, known, learns)
    before = confirmed_values({**known, **{option: everything[option] for option in forgotten}})
    after: dict[str, Value] = {**confirmed_values(known), **payload.send}
    operations = [*([FORGET] if forgotten else []), *([UPDATE] if reasons else [])]
    # An undeclared empty webhook is not sent, so it is claimed only if it is proven.
    reported = {**proven_values(known), **payload.send, **desired.settings}
    # With a token alone, autoread is unreadable as well.
    telling = {*WRITE_ONLY, "autoread"} if "autoread" in desired.settings else WRITE_ONLY
    stamped = _claims(desired, reported, telling) if reasons else None
    stamped, lost = _keep_digests(desired, observed, stamped, reported)
    if desired.state is State.DISCONNECTED and observed.connected is not False:
        operations.append(DISCONNECT)
        reasons = {**reasons, "connected": Reason.DIFFERS}
        if observed.connected is not None:
            before["connected"] = observed.connected
        after["connected"] = False
    removed = _removed(desired, observed, recorded, known, forgotten)
    # An update that is refused, or that is prevented, reports these settings itself.
    predicts = (not reasons and not unstamped) or recorded.creation_pending
    unknown = [option for option, item in known.items() if option not in desired.settings and item.value is None]
    at_risk = () if recorded.creation_pending or desired.policy.keeps_omitted else payload.at_risk
    return Plan(
        operations=tuple(operations),
        send=payload.send,
        claims=stamped,
        forgotten=forgotten,
        proven=proven,
        superseded=superseded,
        seen_code=observed.stamp.code if observed.stamp else "",
        reasons=reasons,
        evidence={option: known[option].evidence for option in desired.settings},
        carried=payload.carried,
        at_risk=at_risk,
        before=before,
        after=after,
        removed=removed,
        warnings=(
            *risk_warning(desired, observed, at_risk, after),
            *(refusal_warning(desired, unknown, after) if predicts else ()),
            *carry_warning(observed, payload.carried, recorded.device),
            *removed_warnings(desired, observed, recorded, removed, after),
            *attested_warning(observed, attested if stamped else (), unstamped),
            *(stamp_warning(observed, origin is not Origin.FOREIGN) if reasons and stamped is None else ()),
            *lost_proof_warning(lost if not forgotten else ()),
            *number_warning(desired, observed, bool(reasons)),
            *setting_warnings(desired, after),
        ),
    )


def _update(
    desired: Desired, known: Knowledge, now: datetime
) -> tuple[dict[str, Reason], UpdatePayload, list[str], tuple[str, ...]]:
    """Return the reasons for an update, its content, the attested settings in it, and those that refuse a stamp."""
    reasons = _reasons(desired, known, now)
    payload = _update_payload(desired, known, reasons) if reasons else UpdatePayload()
    attested = [option for option in reasons if known[option].evidence.source is Source.ATTESTED]
    if attested and set(reasons) == set(attested) and _is_refused(desired, known, payload):
        # Nothing differs: without a stamp, the attested values still count on this control node.
        return {}, UpdatePayload(), attested, tuple(payload.at_risk)
    return reasons, payload, attested, ()


def _removed(
    desired: Desired, observed: Observed, recorded: Recorded, known: Knowledge, forgotten: t.Collection[str]
) -> dict[str, Evidence]:
    """Return the evidence of settings that are still set, and no longer declared."""
    left = (option for option in desired.removed(recorded.device) if option not in (*forgotten, *observed.settings))
    # A stamp may prove another set.
    return {option: known[option].evidence for option in left if known[option].value is not None}


def _is_refused(desired: Desired, known: Knowledge, payload: UpdatePayload) -> bool:
    """Return whether the policy of a task refuses an update, because it may reset settings."""
    after = {**confirmed_values(known), **payload.send}
    error = desired.policy.unknown == "error" and not desired.policy.keeps_omitted
    return error and bool(significant(payload.at_risk, after))


def _known(desired: Desired, observed: Observed, known: Knowledge, origin: Origin) -> Knowledge:
    if desired.policy.write_only != "stamped" or observed.stamp is None:
        return known
    return apply_stamp(known, desired.settings, observed.settings, observed.stamp, origin)


def _claims(desired: Desired, settings: Settings, telling: t.Collection[str]) -> Claims | None:
    """Return the claims of a stamp for some settings; None if the policy has no stamps, or it would prove nothing."""
    if desired.policy.write_only != "stamped" or not any(option in settings for option in telling):
        return None
    return claims(settings)


def _keep_digests(
    desired: Desired, observed: Observed, stamped: Claims | None, reported: Settings
) -> tuple[Claims | None, tuple[str, ...]]:
    """Return the claims of an update with those that it keeps from the present stamp, and the lost parts.

    A part is lost if the new stamp no longer proves it. A digest is kept if the service is known to keep the settings
    that an update leaves out, and if the name, which is a part of the digest, does not change.
    """
    stamp = observed.stamp
    if stamped is None or stamp is None:
        return stamped, ()
    lost = find_lost_parts(stamped, stamp, observed.settings)
    if desired.policy.keeps_omitted and reported.get("name") == stamp.name:
        return {**stamped, **{part: stamp.digests[part] for part in lost}}, ()
    return stamped, lost


def _reasons(desired: Desired, known: Knowledge, now: datetime) -> dict[str, Reason]:
    reasons = {option: _reason(desired, option, known[option], now) for option in desired.settings}
    return {option: reason for option, reason in reasons.items() if reason is not None}


def _reason(desired: Desired, option: str, known: Known, now: datetime) -> Reason | None:
    source, value = known.evidence.source, desired.settings[option]
    if source is Source.SERVICE:
        return Reason.DIFFERS if known.value != value else None
    if source is Source.IN_DOUBT:
        return Reason.IN_DOUBT
    if source is Source.NONE and desired.policy.write_only == "error":
        raise PolicyError(
            f"it is unknown whether {option} matches the declaration: Fonnte never shows it, and it is not in "
            "the record",
            "allow it to be sent with handle_write_only: recorded (nothing was changed)",
        )
    if known.value is not None and known.value != value:
        return Reason.DIFFERS
    # Attested values count only here: the first run with stamps sends them, so that other control nodes can check them.
    if desired.policy.write_only == "stamped" and not known.proven:
        return Reason.UNPROVEN
    if source is Source.NONE:
        return Reason.NO_RECORD
    if expired(known.evidence.at, desired.policy.max_age, now):
        return Reason.EXPIRED
    return Reason.ALWAYS if desired.policy.write_only == "always_update" else None


def _update_payload(desired: Desired, known: Knowledge, reasons: t.Mapping[str, Reason]) -> UpdatePayload:
    """Return the complete known set, because the service may reset the settings that an update leaves out."""
    send: dict[str, Value] = {}
    carried: dict[str, str | None] = {}
    at_risk: list[str] = []
    for option, item in known.items():
        if option in desired.settings:
            # An empty webhook is sent once to clear it, and not again: in some behavior variants, the service refuses
            # it.
            if desired.settings[option] != "" or reasons.get(option, Reason.ALWAYS) is not Reason.ALWAYS:
                send[option] = desired.settings[option]
        elif item.value is None:
            at_risk.append(option)
        elif item.value != "" or item.evidence.source is Source.IN_DOUBT:
            send[option] = item.value
            if item.evidence.source is not Source.SERVICE:
                carried[option] = item.evidence.at
    return UpdatePayload(send, carried, tuple(at_risk))


def _plan_absent(desired: Desired, observed: Observed | None, recorded: Recorded, now: datetime) -> Plan:
    if observed is None:
        unseen = () if recorded.number_seen else (*no_country(desired.number), never_seen_warning(desired.number))
        return Plan(warnings=(*moved_warning(desired, recorded), *unseen))
    before = confirmed_values(known_settings(observed.settings, recorded.device))
    if desired.otp:
        return Plan(operations=(DELETE,), before=before, after=None)
    if not desired.request_otp:
        raise OptionError(
            "otp",
            f"deleting device {observed.number} needs a one-time code",
            "run once with request_otp: true; the code goes to the WhatsApp of the account's owner; then run with otp set to it",
        )
    # A real run sends the request anyway: only the service knows whether the last code is still valid.
    left = _otp_wait(recorded.device.otp_requested_at, now)
    return Plan(operations=(REQUEST_OTP,), before=before, after=before, otp_wait=left)


def _otp_wait(requested_at: str | None, now: datetime) -> int | None:
    """Return the seconds until the service sends another code; None if the record does not know of a recent one."""
    passed = age(requested_at, now)
    return int(OTP_WAIT_SECONDS - passed) if 0 <= passed < OTP_WAIT_SECONDS else None
