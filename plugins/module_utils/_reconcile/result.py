# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Convert outcomes to results: plain data in which every secret is masked."""

from __future__ import annotations

import typing as t

from .._common.clock import unix_to_text
from .._common.redaction import Redactor
from .._device.models import Device
from .._device.settings import SETTINGS, WEBHOOKS, Settings, Value
from .._record.entries import DeviceRecord
from .evidence import Evidence
from .outcome import Outcome
from .state import ATTEST, CREATE, DISCONNECT, FORGET, REQUEST_OTP, UPDATE, Desired, State

Result = t.Dict[str, t.Any]


def mask_value(option: str, value: Value | None, redactor: Redactor) -> Value | None:
    """Return the value of a setting for a result: of a URL, only the host and a digest."""
    return redactor.url(value) if option in WEBHOOKS and isinstance(value, str) else value


def device_facts(device: Device | None, number: str, settings: Settings, redactor: Redactor) -> Result:
    """Return the known facts on a device, always under the same keys; None if unknown."""
    expires = device.expires if device else None
    facts: Result = {
        "device": number,
        "connected": device.connected if device else None,
        "package": device.package if device else None,
        "quota": device.quota if device else None,
        "expires": unix_to_text(expires),
    }
    for setting in SETTINGS:
        value = settings.get(setting.option)
        facts[setting.option] = None if value is None else mask_value(setting.option, value, redactor)
    return facts


def recorded_facts(record: DeviceRecord, redactor: Redactor) -> Result:
    """Return the recorded value of each setting, with its source and time."""
    return {
        option: {
            "value": mask_value(option, entry.value, redactor),
            "source": entry.status.value,
            "at": entry.at,
            **({"by": entry.by} if entry.by else {}),
        }
        for option, entry in sorted(record.entries.items())
    }


def device_result(desired: Desired, outcome: Outcome, redactor: Redactor) -> Result:
    """Return the result of a run, or of check mode, for one device."""
    return {**device_report(desired, outcome, redactor), "diff": device_diff(desired, outcome, redactor)}


def device_report(desired: Desired, outcome: Outcome, redactor: Redactor) -> Result:
    """Return the result for one device without its diff."""
    plan = outcome.plan
    operations = outcome.operations
    result: Result = {
        "changed": bool(operations),
        "operations": operations,
        "device": _device(desired, outcome, redactor),
        "changed_fields": list(plan.reasons),
        "reasons": {option: reason.value for option, reason in plan.reasons.items()},
        "evidence": {option: _evidence(item) for option, item in plan.evidence.items()},
        "carried": dict(plan.carried),
        "at_risk": list(plan.at_risk),
        "forgotten": list(plan.forgotten),
        "recreated": plan.recreated,
    }
    if desired.state is State.ABSENT:
        result.update(_otp_result(outcome))
    return result


def webhook_result(desired: Desired, outcome: Outcome, redactor: Redactor) -> Result:
    """Return the result for the webhooks of one device."""
    result = device_result(desired, outcome, redactor)
    device = result["device"] or {}
    result["webhooks"] = {option: device.get(option) for option in WEBHOOKS}
    return result


def _otp_result(outcome: Outcome) -> Result:
    pending = outcome.otp_wait is not None
    result: Result = {"otp_requested": REQUEST_OTP in outcome.done, "otp_pending": pending}
    if pending:
        result["retry_after"] = outcome.otp_wait
    return result


def _evidence(evidence: Evidence) -> Result:
    by = {"by": evidence.by} if evidence.by else {}
    return {"source": evidence.source.value, "at": evidence.at, **by}


def _device(desired: Desired, outcome: Outcome, redactor: Redactor) -> Result | None:
    reached = _final_settings(outcome)
    if reached is None:
        return None
    stored = outcome.device is not None and CREATE in outcome.done
    number = outcome.device.number if outcome.device is not None and stored else outcome.observation.number
    facts = device_facts(outcome.device, number, reached, redactor)
    facts["connected"] = is_connected(outcome)
    # The service refused to clear these webhooks, so their values are unknown.
    facts.update(dict.fromkeys(outcome.refused_clears))
    return facts


def is_connected(outcome: Outcome) -> bool | None:
    """Return whether the device is linked to a phone after the run; None if it is unknown, or there is no device."""
    if _final_settings(outcome) is None:
        return None
    # A device that was just disconnected or created is linked to no phone.
    if DISCONNECT in outcome.done or outcome.observation.device is None:
        return False
    return outcome.device.connected if outcome.device else None


def differs(outcome: Outcome) -> bool:
    """Return whether the settings after the run differ from those before it, as far as they are known."""
    return outcome.plan.before != _final_settings(outcome)


def _final_settings(outcome: Outcome) -> Settings | None:
    """Return the settings after the run; after a failure, those that are certain; None if there is no device."""
    plan, done = outcome.plan, set(outcome.done)
    if set(plan.operations) <= done:
        return plan.after
    if CREATE in plan.operations and CREATE not in done:
        return plan.before
    if UPDATE not in done and plan.before is not None:
        # The record was already updated.
        forgotten = plan.forgotten if FORGET in done else ()
        attested = plan.attested if ATTEST in done else {}
        return {**{option: value for option, value in plan.before.items() if option not in forgotten}, **attested}
    if UPDATE in done and plan.after is not None:
        # The update was applied, but not the operations after it.
        kept = {"connected": plan.before["connected"]} if plan.before and "connected" in plan.before else {}
        return {**{option: value for option, value in plan.after.items() if option != "connected"}, **kept}
    return plan.add if CREATE in done else plan.before


def device_diff(desired: Desired, outcome: Outcome, redactor: Redactor) -> Result:
    """Return the settings before and after the run, as Ansible prints them with ``--diff``."""
    number = desired.number or outcome.observation.number
    header = f"device {number}"
    return {
        "before_header": header,
        "after_header": header,
        "before": _mask_settings(number, outcome.plan.before, redactor),
        "after": _mask_settings(number, _final_settings(outcome), redactor),
    }


def _mask_settings(number: str, settings: Settings | None, redactor: Redactor) -> Result:
    if settings is None:
        return {}
    return {"device": number, **{option: mask_value(option, value, redactor) for option, value in settings.items()}}
