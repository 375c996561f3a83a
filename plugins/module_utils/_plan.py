# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The plan: what has to be done, from what is declared, what is seen and what is recorded.

Pure: no network, no files, no clock, no Ansible. Check mode shows a plan; a real run carries it out.
"""

from __future__ import annotations

import enum
import typing as t
from dataclasses import dataclass, field, replace
from datetime import datetime

from ._clock import age
from ._errors import NotFoundError, OptionError, PolicyError
from ._facts import ServiceFacts
from ._known import Evidence, Known, Knowledge, Source, claims, holds, lessons, remembered, weighed, without
from ._record import DeviceRecord
from ._settings import BY_OPTION, HIDDEN, NAME_LENGTH, SETTINGS, Settings, Value
from ._stamp import LENGTH as STAMP_LENGTH
from ._stamp import Claims, Stamp

FORGET, ATTEST, CREATE, UPDATE, DISCONNECT, DELETE, REQUEST_OTP = OPERATIONS = (
    "forget",
    "attest",
    "create",
    "update",
    "disconnect",
    "delete",
    "request_otp",
)

# The service makes a new code no sooner than this after the last one.
OTP_WAIT_SECONDS = 600


class State(enum.Enum):
    """What a task wants of a device."""

    PRESENT = "present"
    DISCONNECTED = "disconnected"
    ABSENT = "absent"


class Reason(enum.Enum):
    """Why a setting is changed."""

    DIFFERS = "differs"
    NO_RECORD = "no_record"
    UNPROVEN = "unproven"
    IN_DOUBT = "in_doubt"
    EXPIRED = "expired"
    ALWAYS = "always"


@dataclass(frozen=True)
class Policy:
    """What the user wants done about settings that nobody can read.

    Attributes:
        write_only: ``recorded``, ``stamped``, ``always_update``, ``error`` or ``attest`` (option handle_write_only).
        unknown: ``warn``, ``error`` or ``ignore`` (option handle_unknown).
        undeclared: ``carry`` or ``forget`` (option handle_undeclared).
        max_age: Seconds after which a record no longer counts; None for never.
        stamp_attested: Whether what is attested is stamped too, which takes an update.
        facts: What is known of the service.
    """

    write_only: str = "recorded"
    unknown: str = "warn"
    undeclared: str = "carry"
    max_age: float | None = None
    stamp_attested: bool = False
    facts: ServiceFacts = ServiceFacts()

    @property
    def left_out_is_kept(self) -> bool:
        """Whether it is known that the service keeps what an update leaves out."""
        return self.facts.omitted == "keeps"


@dataclass(frozen=True)
class Desired:
    """What a task declares of one device.

    Attributes:
        number: The digits as the user wrote them; empty where only a token was given.
        settings: Only what is declared.
        manages: The settings that the task could declare.
        may_create: Whether a missing device is made; otherwise it is an error.
        expect_earlier: Whether an earlier task of the play may make it, so that check mode must foresee that.
        missing_is_fine: Whether a missing device is as wanted, since nothing has to be taken from it.
    """

    number: str
    state: State = State.PRESENT
    settings: Settings = field(default_factory=dict)
    manages: tuple[str, ...] = tuple(setting.option for setting in SETTINGS)
    policy: Policy = Policy()
    otp: str = field(default="", repr=False)
    request_otp: bool = False
    may_create: bool = True
    expect_earlier: bool = False
    missing_is_fine: bool = False


@dataclass(frozen=True)
class Observed:
    """What the service shows of a device that is there.

    Attributes:
        number: The number that is sent back with an update: a writable field of the service.
        certain: Whether that is known to be the registered number, in the registered spelling.
        rival: The number in the profile, where the record has another one.
        stamp: What its name proves of its hidden settings.
    """

    number: str
    settings: Settings = field(default_factory=dict)
    connected: bool | None = None
    certain: bool = True
    rival: str = ""
    stamp: Stamp | None = None


@dataclass(frozen=True)
class Recorded:
    """What this controller remembers: of the device, and of its number.

    Attributes:
        device: The record of the device.
        number_seen: Whether anything was ever done about this number.
        had_device: Whether the number had a device that is gone, and that was not deleted by us.
        begun: Whether a creation of this device was begun here and not ended: it has nothing that nobody knows.
        moved_to: The number that the device has now; it was changed in the dashboard.
    """

    device: DeviceRecord = field(default_factory=DeviceRecord)
    number_seen: bool = False
    had_device: bool = False
    begun: bool = False
    moved_to: str = ""


@dataclass(frozen=True)
class Parcel:
    """The complete set that an update sends, and what it says about what was not declared."""

    send: Settings = field(default_factory=dict)
    carried: t.Mapping[str, str] = field(default_factory=dict)
    at_risk: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """What will be done, and everything that a result says about it.

    Attributes:
        operations: In the order in which they are carried out.
        add: What add-device is given, beside the number.
        send: The complete set that update-device is given, beside the number.
        claims: What the stamp in the name says of that set; None where the name goes out without one.
        attested: What a person vouches for.
        forgotten: What the record is to hold no longer, as the user wishes.
        proven: What the stamp proves, and the record did not know.
        superseded: What the record holds, and the stamp proves to be the set of an earlier update.
        reasons: For each field that changes.
        before: Known settings, and connected where it changes; None for no device.
        after: The same afterwards.
        otp_wait: Seconds until the service makes another code, where this controller knows of one on its way.
    """

    operations: tuple[str, ...] = ()
    add: Settings = field(default_factory=dict)
    send: Settings = field(default_factory=dict)
    claims: Claims | None = None
    attested: Settings = field(default_factory=dict)
    forgotten: tuple[str, ...] = ()
    proven: Settings = field(default_factory=dict)
    superseded: tuple[str, ...] = ()
    reasons: t.Mapping[str, Reason] = field(default_factory=dict)
    evidence: t.Mapping[str, Evidence] = field(default_factory=dict)
    carried: t.Mapping[str, str] = field(default_factory=dict)
    at_risk: tuple[str, ...] = ()
    before: Settings | None = None
    after: Settings | None = None
    recreated: bool = False
    otp_wait: int | None = None
    warnings: tuple[str, ...] = ()

    @property
    def foreseen(self) -> tuple[str, ...]:
        """What a real run would have done: the service refuses a new code while one is on its way."""
        return () if self.otp_wait is not None else self.operations

    @property
    def teaches(self) -> bool:
        """Whether the stamp told of something that the record should know."""
        return bool(self.proven or self.superseded)

    @property
    def clears(self) -> Settings:
        """The webhooks that are sent as empty."""
        return {option: value for option, value in self.send.items() if value == ""}


def make_plan(desired: Desired, observed: Observed | None, recorded: Recorded, now: datetime) -> Plan:
    """Return what has to be done.

    Args:
        desired: What is declared.
        observed: What is there; None for no such device.
        recorded: What is remembered.
        now: The time, for the age of a record.

    Raises:
        OptionError: Something that is needed was not declared.
        PolicyError: The user's policy forbids the change.
        NotFoundError: The device has to be there and is not.
    """
    if observed is not None and not desired.number:
        desired = replace(desired, number=observed.number)
    if desired.state is State.ABSENT:
        return _plan_absent(desired, observed, recorded, now)
    if observed is not None:
        if desired.policy.write_only == "attest":
            return _checked_name(desired, _plan_attest(desired, observed, recorded, now))
        plan = _plan_existing(_without_brakes(desired) if recorded.begun else desired, observed, recorded, now)
        return _checked_name(desired, plan)
    if desired.policy.write_only == "attest":
        raise NotFoundError(
            f"the account has no device {desired.number}, so there is nothing to vouch for",
            "correct the number, or create the device without handle_write_only: attest",
        )
    if desired.state is State.DISCONNECTED:
        nothing = f"Device {desired.number} does not exist, so there is nothing to disconnect; it was not created."
        return replace(stand_still(desired, None, recorded), warnings=(nothing, *_moved(desired, recorded)))
    if desired.may_create:
        return _plan_create(desired, recorded)
    if desired.missing_is_fine:
        return stand_still(desired, None, recorded)
    return _plan_elsewhere(desired, now)


def stand_still(desired: Desired, observed: Observed | None, recorded: Recorded) -> Plan:
    """Return the plan that does nothing, and tells what is known."""
    if observed is None:
        return Plan(evidence={option: Evidence() for option in desired.settings})
    known = remembered(observed.settings, recorded.device)
    before = _certain(known)
    return Plan(before=before, after=before, evidence={option: known[option].evidence for option in desired.settings})


def _certain(known: Knowledge) -> dict[str, Value]:
    return {option: item.value for option, item in known.items() if item.certain and item.value is not None}


def _plan_create(desired: Desired, recorded: Recorded) -> Plan:
    settings = desired.settings
    if "name" not in settings:
        raise OptionError(
            "name", f"device {desired.number} does not exist, and creating it needs a name", "declare its name"
        )
    # A new device has no webhooks: there is nothing to clear.
    wanted = {option: value for option, value in settings.items() if value != ""}
    add = {option: value for option, value in wanted.items() if BY_OPTION[option].on_add}
    # A stamp is made with the new device's token, so add-device cannot carry it.
    stamped = _claims(desired, settings, shown={"autoread": False})
    later = len(wanted) > len(add) or stamped is not None
    # The service makes a device with autoread off.
    warnings = [*_advice(desired, {"autoread": False, **wanted}), *_moved(desired, recorded)]
    if recorded.had_device:
        warnings.append(
            f"Device {desired.number} was known to this record and is gone: it is made anew, gets a new token and has to be linked again."
        )
    return Plan(
        operations=(CREATE, UPDATE) if later else (CREATE,),
        add=add,
        send=wanted if later else {},
        claims=stamped,
        reasons={option: Reason.DIFFERS for option in wanted},
        evidence={option: Evidence() for option in settings},
        before=None,
        after=dict(settings),
        recreated=recorded.had_device,
        warnings=tuple(warnings),
    )


def _plan_elsewhere(desired: Desired, now: datetime) -> Plan:
    """Plan for a device that this task may not create: the webhooks of one that is not there."""
    if not desired.expect_earlier:
        raise NotFoundError(
            f"the account has no device {desired.number}",
            "create it first with fonnte.whatsapp.fonnte_device, or correct the number",
        )
    foreseen = _plan_existing(desired, Observed(desired.number), Recorded(begun=True), now)
    warning = f"Device {desired.number} does not exist yet; in a real run an earlier task has to create it."
    return Plan(
        operations=foreseen.operations,
        send=foreseen.send,
        reasons=foreseen.reasons,
        evidence=foreseen.evidence,
        before=foreseen.before,
        after=foreseen.after,
        warnings=(warning, *foreseen.warnings),
    )


def _without_brakes(desired: Desired) -> Desired:
    """Return what is declared without the policies against unknown values: of a device that we are making none are."""
    write_only = "recorded" if desired.policy.write_only == "error" else desired.policy.write_only
    return replace(desired, policy=replace(desired.policy, write_only=write_only))


def _checked_name(desired: Desired, plan: Plan) -> Plan:
    """Return the plan if its update has a name that can be sent."""
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
            "declare a shorter one, or do without handle_write_only: stamped",
        )
    return plan


def _moved(desired: Desired, recorded: Recorded) -> t.Iterator[str]:
    if recorded.moved_to:
        yield (
            f"The device that had the number {desired.number} is still there, as {recorded.moved_to}: it was renumbered in the dashboard. "
            "Declare it under that number, or give it its old number back there."
        )


def _plan_existing(desired: Desired, observed: Observed, recorded: Recorded, now: datetime) -> Plan:
    forgotten = _forgotten(desired, observed, recorded.device)
    everything = remembered(observed.settings, recorded.device)
    kept = without(everything, forgotten)
    known = _known(desired, observed, kept)
    reasons = _reasons(desired, observed, known, now)
    parcel = _parcel(desired, known, reasons) if reasons else Parcel()
    proven, superseded = lessons(kept, known)
    before = _certain({**known, **{option: everything[option] for option in forgotten}})
    after: dict[str, Value] = {**_certain(known), **parcel.send, **(desired.settings if reasons else {})}
    operations = [*([FORGET] if forgotten else []), *([UPDATE] if reasons else [])]
    told = {**_values(known), **desired.settings}
    stamped = _claims(desired, told, observed.settings) if reasons else None
    if desired.state is State.DISCONNECTED and observed.connected is not False:
        operations.append(DISCONNECT)
        reasons = {**reasons, "connected": Reason.DIFFERS}
        if observed.connected is not None:
            before["connected"] = observed.connected
        after["connected"] = False
    at_risk = () if recorded.begun or desired.policy.left_out_is_kept else parcel.at_risk
    return Plan(
        operations=tuple(operations),
        send=parcel.send,
        claims=stamped,
        forgotten=forgotten,
        proven=proven,
        superseded=superseded,
        reasons=reasons,
        evidence={option: known[option].evidence for option in desired.settings},
        carried=parcel.carried,
        at_risk=at_risk,
        before=before,
        after=after,
        warnings=(
            *_risk_warning(desired, observed, at_risk),
            *_carry_warning(observed, parcel.carried, recorded.device),
            *_number_warning(desired, observed, bool(reasons)),
            *_advice(desired, after),
        ),
    )


def _forgotten(desired: Desired, observed: Observed, record: DeviceRecord) -> tuple[str, ...]:
    """Return what is recorded and no longer declared, where the user does not want that to be carried on."""
    if desired.policy.undeclared != "forget":
        return ()
    # What the service shows is not taken from the record.
    known = {*desired.settings, *observed.settings}
    return tuple(option for option in desired.manages if option in record.entries and option not in known)


def _known(desired: Desired, observed: Observed, known: Knowledge) -> Knowledge:
    stamp = holds(observed.stamp, observed.settings)
    if desired.policy.write_only != "stamped" or stamp is None:
        return known
    return weighed(known, desired.settings, stamp)


def _values(known: Knowledge) -> dict[str, Value]:
    return {option: item.value for option, item in known.items() if item.value is not None}


def _claims(desired: Desired, settings: Settings, shown: Settings) -> Claims | None:
    """Return what a stamp says of the set that goes out; None where the user wants no stamp, or it would say nothing."""
    if desired.policy.write_only != "stamped":
        return None
    worth_saying = any(option in settings and option not in shown for option in (*HIDDEN, "autoread"))
    return claims(settings) if worth_saying else None


def _plan_attest(desired: Desired, observed: Observed, recorded: Recorded, now: datetime) -> Plan:
    """Plan to write down what a person vouches for. Nothing of it is sent."""
    forgotten = _forgotten(desired, observed, recorded.device)
    everything = remembered(observed.settings, recorded.device)
    known = without(everything, forgotten)
    contradicted = [
        option
        for option, value in desired.settings.items()
        if known[option].evidence.source is Source.SERVICE and known[option].value != value
    ]
    if contradicted:
        raise PolicyError(
            f"Fonnte shows another {', '.join(contradicted)} than is declared, and what is attested has to be so already",
            "correct what is declared, or change the device first, without handle_write_only: attest",
        )
    reasons = {
        option: reason
        for option, value in desired.settings.items()
        for reason in [_reason_to_attest(desired, value, known[option], now)]
        if reason is not None
    }
    attested = {option: desired.settings[option] for option in reasons}
    sent, stamped, warnings = _stamp_for_attested(desired, observed, {**_values(known), **attested})
    return Plan(
        operations=(
            *([FORGET] if forgotten else []),
            *([ATTEST] if attested else []),
            *([UPDATE] if stamped is not None else []),
        ),
        send=sent,
        claims=stamped,
        attested=attested,
        forgotten=forgotten,
        reasons=reasons,
        evidence={option: known[option].evidence for option in desired.settings},
        before=_certain(everything),
        after={**_certain(known), **attested},
        warnings=(*warnings, *_number_warning(desired, observed, stamped is not None)),
    )


def _reason_to_attest(desired: Desired, value: Value, known: Known, now: datetime) -> Reason | None:
    source = known.evidence.source
    if source is Source.SERVICE:
        return None
    if source is Source.NONE:
        return Reason.NO_RECORD
    if source is Source.IN_DOUBT:
        return Reason.IN_DOUBT
    if known.value != value:
        return Reason.DIFFERS
    if source is Source.UNCONFIRMED:
        return Reason.UNPROVEN
    return Reason.EXPIRED if _expired(known.evidence.at, desired.policy.max_age, now) else None


def _stamp_for_attested(
    desired: Desired, observed: Observed, settings: Settings
) -> tuple[Settings, Claims | None, tuple[str, ...]]:
    """Return what a stamp for attested settings takes: what is sent, what it claims, and a warning where it is wrong.

    Only where left-out settings are kept can a name be sent alone.
    """
    told = claims(settings)
    stamp = holds(observed.stamp, observed.settings)
    spoken = {part: held for part, held in told.items() if held}
    if stamp is not None and all(stamp.proves(part, held) for part, held in spoken.items()):
        return {}, None, ()
    if desired.policy.stamp_attested and spoken:
        if not desired.policy.left_out_is_kept:
            raise PolicyError(
                "a stamp goes out with an update, and an update may reset the settings that you vouch for",
                "find out what Fonnte does with the playbook fonnte.whatsapp.doctor and give its answers as "
                "service_facts_path, or leave attest_stamp out (nothing was changed)",
            )
        return {**observed.settings}, told, ()
    if stamp is not None and any(stamp.speaks_of(part) for part in spoken):
        return (
            {},
            None,
            (
                f"The name of device {observed.number} has a stamp that tells of other settings. A run with "
                "handle_write_only: stamped believes the stamp, and sends what it declares.",
            ),
        )
    return {}, None, ()


def _reasons(desired: Desired, observed: Observed, known: Knowledge, now: datetime) -> dict[str, Reason]:
    reasons = {option: _reason(desired, observed, option, known[option], now) for option in desired.settings}
    return {option: reason for option, reason in reasons.items() if reason is not None}


def _reason(desired: Desired, observed: Observed, option: str, known: Known, now: datetime) -> Reason | None:
    source, value = known.evidence.source, desired.settings[option]
    if source is Source.SERVICE:
        return Reason.DIFFERS if known.value != value else None
    if source is Source.IN_DOUBT:
        return Reason.IN_DOUBT
    if source is Source.NONE and desired.policy.write_only == "error":
        raise PolicyError(
            f"nothing tells whether {option} is as declared: Fonnte never shows it, and it is not in the record",
            "allow it to be sent with handle_write_only: recorded (nothing was changed)",
        )
    if known.value is not None and known.value != value:
        return Reason.DIFFERS
    if desired.policy.write_only == "stamped" and not _stands(known, observed):
        return Reason.UNPROVEN
    if source is Source.NONE:
        return Reason.NO_RECORD
    if _expired(known.evidence.at, desired.policy.max_age, now):
        return Reason.EXPIRED
    return Reason.ALWAYS if desired.policy.write_only == "always_update" else None


def _stands(known: Known, observed: Observed) -> bool:
    """Tell whether a stamp proves it, or a person vouched for it and no stamp was written since."""
    return known.proven or (known.evidence.source is Source.ATTESTED and observed.stamp is None)


def _expired(at: str | None, max_age: float | None, now: datetime) -> bool:
    if max_age is None:
        return False
    if at is None:
        # Proven by a stamp, which has no date.
        return False
    # A record from the future is one whose age nobody knows.
    return not 0 <= age(at, now) <= max_age


def _parcel(desired: Desired, known: Knowledge, reasons: t.Mapping[str, Reason]) -> Parcel:
    """Return the complete known set: what an update leaves out may be reset by the service."""
    send: dict[str, Value] = {}
    carried: dict[str, str] = {}
    at_risk: list[str] = []
    for option, item in known.items():
        if option in desired.settings:
            # An empty webhook is sent to clear one, and not again afterwards: some readings refuse it.
            if desired.settings[option] != "" or reasons.get(option, Reason.ALWAYS) is not Reason.ALWAYS:
                send[option] = desired.settings[option]
        elif item.value is None:
            at_risk.append(option)
        elif item.value != "" or item.evidence.source is Source.IN_DOUBT:
            send[option] = item.value
            if item.evidence.source is not Source.SERVICE:
                carried[option] = item.evidence.at or ""
    return Parcel(send, carried, tuple(at_risk))


def _risk_warning(desired: Desired, observed: Observed, at_risk: t.Sequence[str]) -> t.Iterator[str]:
    if not at_risk or desired.policy.unknown == "ignore":
        return
    names = ", ".join(at_risk)
    if desired.policy.unknown == "error":
        raise PolicyError(
            f"an update may reset settings that Fonnte never shows and that are neither declared nor recorded: {names}",
            "declare them as they are in the dashboard, or allow the risk with handle_unknown: warn (nothing was changed)",
            tuple(at_risk),
        )
    yield (
        f"An update of device {observed.number} may reset settings that Fonnte never shows and that are neither declared "
        f"nor recorded: {names}. Declare those that are set in the dashboard, or say handle_unknown: ignore."
    )


def _carry_warning(observed: Observed, carried: t.Mapping[str, str], record: DeviceRecord) -> t.Iterator[str]:
    """Yield a warning for what is sent only because it was recorded once, the first time that it is."""
    news = [f"{option} (of {at})" for option, at in carried.items() if option not in record.carried]
    if news:
        yield (
            f"An update of device {observed.number} also sends what this task does not declare, as it was recorded: "
            f"{', '.join(news)}. If nothing declares it any more, say handle_undeclared: forget once. This is told once."
        )


def _number_warning(desired: Desired, observed: Observed, updates: bool) -> t.Iterator[str]:
    if desired.policy.facts.update_without_device == "works":
        # Where it is not certain it is not sent.
        return
    if updates and observed.rival:
        yield (
            f"The record tells that the device is registered as {observed.number}, and its profile shows {observed.rival}. "
            "The update is sent without a number. Give account_token as well, so that the list can tell."
        )
    elif updates and not observed.certain:
        yield (
            f"Nothing but its profile tells that the device is registered as {observed.number}. The update is sent without a number; "
            "if Fonnte insists on one, it is this, and a device that is registered under another number or spelling is renumbered. "
            "Give account_token as well to rule that out."
        )


def _advice(desired: Desired, after: Settings) -> t.Iterator[str]:
    """Yield what a person who knows the service would say about these settings."""
    declared = desired.settings
    if after.get("webhook") and after.get("autoread") is False and {"webhook", "autoread"} & set(declared):
        yield f"The webhook of device {desired.number} will not be called for incoming chats while its autoread is off."
    if str(declared.get("webhook_connect", "")).startswith("http://"):
        yield (
            f"The webhook_connect of device {desired.number} is plain http, and Fonnte sends the device's token there: "
            "anybody on the way can read it. Use https."
        )
    if declared.get("resend") is True and not after.get("target"):
        yield f"Device {desired.number} has resend on, but no target is known: nothing will be forwarded."


def _plan_absent(desired: Desired, observed: Observed | None, recorded: Recorded, now: datetime) -> Plan:
    if observed is None:
        return Plan(
            warnings=(*_moved(desired, recorded), *(() if recorded.number_seen else (_never_seen(desired.number),)))
        )
    before = _certain(remembered(observed.settings, recorded.device))
    if desired.otp:
        return Plan(operations=(DELETE,), before=before, after=None)
    if not desired.request_otp:
        raise OptionError(
            "otp",
            f"deleting device {observed.number} needs a one-time code",
            "run once with request_otp: true; the code goes to the WhatsApp of the account's owner; then run with otp set to it",
        )
    # A real run asks the service all the same: only it knows whether the code is still good.
    left = _otp_wait(recorded.device.otp_requested_at, now)
    return Plan(operations=(REQUEST_OTP,), before=before, after=before, otp_wait=left)


def _never_seen(number: str) -> str:
    return (
        f"Device {number} is not in the account's list, and this record knows nothing of it: "
        "a mistyped number, or a free device that the list leaves out, looks the same."
    )


def _otp_wait(requested_at: str | None, now: datetime) -> int | None:
    """Return the seconds until a code can be asked for again, if this controller knows of one on its way."""
    passed = age(requested_at, now)
    return int(OTP_WAIT_SECONDS - passed) if 0 <= passed < OTP_WAIT_SECONDS else None
