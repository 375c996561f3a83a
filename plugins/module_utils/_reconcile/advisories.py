# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The warnings of a plan: risks of an update, and pitfalls of the service."""

from __future__ import annotations

import typing as t

from .._common.errors import PolicyError
from .._common.phone_numbers import COUNTRY, NO_COUNTRY, may_lack_zero, no_country
from .._device.delivery import Cause, DeliveryRisk, find_delivery_risks
from .._device.settings import BY_OPTION, WRITE_ONLY, Settings, ValueType, significant
from .._device.stamp import HOOKS, OWN
from .._record.entries import DeviceRecord
from .state import Desired, Observed, Recorded


def moved_warning(desired: Desired, recorded: Recorded) -> t.Iterator[str]:
    if recorded.renumbered_to:
        yield (
            f"The device that had the number {desired.number} still exists, as {recorded.renumbered_to}: it was "
            "renumbered in the dashboard. Declare it under that number, or restore its old number there."
        )


def risk_warning(desired: Desired, observed: Observed, at_risk: t.Sequence[str], after: Settings) -> t.Iterator[str]:
    """Yield a warning for settings that an update may reset, except for those whose loss has no effect.

    Raises:
        PolicyError: The policy for unknown settings is ``error``.
    """
    missed = significant(at_risk, after)
    if not missed or desired.policy.unknown == "ignore":
        return
    names = ", ".join(missed)
    if desired.policy.unknown == "error":
        raise PolicyError(
            f"an update may reset settings that Fonnte never shows and that are neither declared nor recorded: {names}",
            "declare them as they are in the dashboard, or allow the risk with handle_unknown: warn (nothing was changed)",
            tuple(at_risk),
        )
    yield (
        f"An update of device {observed.number} may reset settings that Fonnte never shows and that are neither "
        f"declared nor recorded: {names}. Declare those that are set in the dashboard, or set handle_unknown: ignore."
    )


# The values of a new device, for the settings that a declaration leaves open.
_NEW_DEVICE: t.Mapping[ValueType, str] = {
    ValueType.FLAG: "false",
    ValueType.URL: "''",
    ValueType.NUMBER: "''",
    ValueType.COUNTRY: f"'{COUNTRY}'",
}


def refusal_warning(desired: Desired, unknown: t.Iterable[str], after: Settings) -> t.Iterator[str]:
    """Yield a warning for a declaration that this run accepts, and that a later change of the device would not.

    It contains YAML to paste: an example, since Fonnte does not show the values.
    """
    missed = [option for option in significant(unknown, {"resend": False, **after}) if option in WRITE_ONLY]
    if missed and desired.policy.unknown == "error" and not desired.policy.keeps_omitted:
        values = ", ".join(f"{option}: {_NEW_DEVICE[BY_OPTION[option].value_type]}" for option in missed)
        yield (
            f"The next change of device {desired.number} will be refused, since handle_unknown is error: Fonnte never shows "
            f"{', '.join(missed)}, and they are neither declared nor recorded. Declare them now. A new device "
            f"has {{{values}}}."
        )


def stamp_warning(observed: Observed, ours: bool) -> t.Iterator[str]:
    """Yield a warning for a stamp of another control node that is removed by an update without a stamp."""
    if observed.stamp is not None and not ours:
        yield (
            f'The name of device {observed.number} ends with the stamp "~{observed.stamp.code}" of another control '
            "node, and this update removes it. Set handle_write_only: stamped in all playbooks that manage the "
            "device."
        )


_PARTS = {OWN: "its own settings", HOOKS: "its webhooks"}


def lost_proof_warning(lost: t.Sequence[str]) -> t.Iterator[str]:
    """Yield a warning for an update whose stamp no longer proves the settings that another job has sent.

    It contains no device, so a fleet reports it once.
    """
    if lost:
        parts = " and ".join(_PARTS[part] for part in lost)
        yield (
            f"The stamp of a device proves that another job sent {parts}, which this task neither declares nor has in its "
            "record. This update removes that proof, so the other job sends them again and removes the proof of this one. "
            "Declare all settings of a device in one job, or let both jobs use one record (FONNTE_RECORD_PATH)."
        )


def carry_warning(observed: Observed, carried: t.Mapping[str, str | None], record: DeviceRecord) -> t.Iterator[str]:
    """Yield a warning the first time that undeclared settings are sent because they are recorded."""
    news = [
        f"{option} ({at or 'proven by the stamp'})" for option, at in carried.items() if option not in record.carried
    ]
    if news:
        yield (
            f"An update of device {observed.number} also sends recorded settings that this task does not declare: "
            f"{', '.join(news)}. If no task declares them any more, set handle_undeclared: forget once. This warning "
            "is shown once."
        )


def attested_warning(observed: Observed, attested: t.Sequence[str], unknown: t.Sequence[str]) -> t.Iterator[str]:
    """Yield a warning for attested values: other control nodes can check them once an update has written a stamp.

    Args:
        observed: The device.
        attested: The settings.
        unknown: The settings that prevent the update; empty where it is sent.
    """
    if unknown:
        yield (
            f"Only this control node knows the attested settings of device {observed.number}. No stamp can be written: "
            f"{', '.join(unknown)} are neither declared nor recorded, and an update may reset them. Declare them as they "
            "are in the dashboard."
        )
    elif attested:
        yield (
            f"Only this control node knows the attested settings of device {observed.number}. This update sends them once "
            "and writes a stamp, so that other control nodes can check them."
        )


def removed_warnings(
    desired: Desired, observed: Observed, recorded: Recorded, removed: t.Collection[str], after: Settings
) -> t.Iterator[str]:
    """Yield warnings for removed lines: of settings that are still set, and of those that only this record knows.

    A stamp proves declared settings only, so other control nodes do not know that a setting without a line is empty.
    """
    if removed:
        values = ", ".join(f"{option}: {_NEW_DEVICE[BY_OPTION[option].value_type]}" for option in removed)
        yield (
            f"Device {observed.number} no longer declares {', '.join(removed)}, and still has the recorded value. To clear "
            f"it, declare {values}; to keep it, declare the value again."
        )
    policy = desired.policy
    refuses = policy.write_only == "stamped" and policy.unknown == "error" and not policy.keeps_omitted
    left = desired.removed_empty(recorded.device) if refuses and not recorded.creation_pending else ()
    empty = [option for option in significant(left, after) if option in WRITE_ONLY and option not in observed.settings]
    if empty:
        values = ", ".join(f"{option}: {_NEW_DEVICE[BY_OPTION[option].value_type]}" for option in empty)
        yield (
            f"Device {observed.number} no longer declares {', '.join(empty)}, which are known here to have the values of "
            "a new device. Control nodes without this record refuse the next change. Keep the lines "
            f"{values}."
        )


def number_warning(desired: Desired, observed: Observed, updates: bool) -> t.Iterator[str]:
    if desired.policy.facts.update_without_device == "works":
        # A number that is not certain is not sent.
        return
    if updates and observed.conflicting_number:
        yield (
            f"According to the record, the device is registered as {observed.number}, and its profile shows "
            f"{observed.conflicting_number}. The update is sent without a number. Set account_token as well, so that "
            "the list shows the registered number."
        )
    elif updates and not observed.number_confirmed:
        yield (
            f"Only its profile shows that the device is registered as {observed.number}. The update is sent without "
            "a number; if Fonnte requires one, it is this number, and a device that is registered under another "
            "number or spelling is renumbered. Set account_token as well to rule this out."
        )


def setting_warnings(desired: Desired, after: Settings) -> t.Iterator[str]:
    """Yield warnings about settings with side effects in the service that a user may not expect."""
    declared = desired.settings
    for risk in find_delivery_risks(declared, after, desired.managed_options):
        yield _risk_text(desired, risk)
    if declared.get("target"):
        yield from _target_warning(desired, str(declared["target"]), str(after.get("country_code") or COUNTRY))
    # An empty target is a decision.
    if declared.get("resend") is True and not after.get("target") and "target" not in declared:
        yield f"Device {desired.number} has resend on, but no target is known: nothing will be forwarded."


_RISKS: t.Mapping[Cause, str] = {
    Cause.INCOMING_OFF: "Fonnte may not send incoming chats to the webhook of device {number}: {options} {are} off or unknown. Set "
    "autoread: true and personal: true{where}.",
    Cause.LOCAL_HOST: "Device {number} has a URL that Fonnte cannot reach, since its host exists only in this network: "
    "{options}. Declare a host that the internet can reach.",
    Cause.SHARED_URL: "Device {number} has one URL in {options}: the events of all of them arrive there, and a message "
    "that it causes can cause the next one. Declare a different URL for each.",
    Cause.PLAIN_HTTP: "The {options} of device {number} is plain http, and Fonnte sends the device's token there: anyone "
    "on the network path can read it. Use https.",
}


def _risk_text(desired: Desired, risk: DeliveryRisk) -> str:
    """Return the warning for a delivery risk. It has no value, so that a fleet reports equal ones of devices once."""
    return _RISKS[risk.cause].format(
        number=desired.number,
        options=" and ".join(risk.options),
        are="are" if len(risk.options) > 1 else "is",
        where="" if set(risk.options) <= set(desired.managed_options) else " with fonnte_device",
    )


def _target_warning(desired: Desired, target: str, country: str) -> t.Iterator[str]:
    """Yield a warning for a target that may be the number of another person than intended."""
    if may_lack_zero(target, country):
        yield (
            f"The target {target} of device {desired.number} begins with 8, like a number that has lost its leading "
            f"zero in a spreadsheet. Write 0{target}. If 8 begins the code of its country, declare country_code: '0' "
            "to send it as it is."
        )
    elif country != NO_COUNTRY:
        yield from no_country(target, country)


def never_seen_warning(number: str) -> str:
    return (
        f"Device {number} is not in the account's list, and this record has no entry for it. This is also the case "
        "for a mistyped number, and for a free device that the list omits."
    )
