# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The state of an API behavior check, and its result."""

from __future__ import annotations

import typing as t
from dataclasses import asdict, fields

from .._device.service_facts import ServiceFacts
from .choice import OWN_NAME, DoctorOptions, TestDeviceChoice, _name
from .device_under_test import RESTORATION, TestDevice
from .experiments import (
    CREATION,
    CREATION_CALLS,
    EXPERIMENTS,
    PREPARATION,
    PREPARATION_CALLS,
    RESTORATION_CALLS,
    Finding,
)
from .journal import JournalingClient
from .tokens import Tokens

if t.TYPE_CHECKING:
    from .._record.backend import StorageCheck
    from .journal import Entry


Result = t.Dict[str, t.Any]


_STILL_OPEN = {
    "add_number": "it can be determined only when the check creates the device: set device to a number that starts "
    "with 0 and that no device has",
    "listing": "a complete list cannot be distinguished from one that omits a device: set device and device_token to "
    "those of a device that is missing from the list",
    "otp_scope": "it requires a deletion: request a code for one of two scratch devices, and delete the other one "
    "with it",
}


_MAY_BE_IGNORED = (
    "whether an accepted empty webhook also clears the URL cannot be observed through the API: check the device in "
    "the dashboard"
)


class Diagnosis:
    """The results of a check so far."""

    def __init__(self, options: DoctorOptions, calls: JournalingClient, folder: StorageCheck) -> None:
        self.options = options
        self.calls = calls
        self.folder = folder
        self.tokens = Tokens(None, None)
        self.choice = TestDeviceChoice(reason_not_to_write="the run ended before this check")
        self.test_device: TestDevice | None = None
        self.findings: dict[str, Finding] = {}
        self.warnings: list[str] = []

    @property
    def facts(self) -> ServiceFacts:
        """The facts that were found out."""
        known: dict[str, t.Any] = {
            fact: finding.value for fact, finding in self.findings.items() if finding.value is not None
        }
        return ServiceFacts(**known)

    @property
    def would_write(self) -> bool:
        """Whether a run with these options would send requests that write."""
        return self.options.consent and bool(self.choice.device or self.choice.create)

    def all_warnings(self) -> list[str]:
        """Return the warnings for the user, including the remaining changes of the test device."""
        return self.warnings + (_leftover_warnings(self.test_device) if self.test_device else [])

    def state(self) -> str:
        """Return the facts so far and the state of the test device, as the end of a sentence."""
        known = [f"{fact} {value}" for fact, value in self.facts.known().items()]
        return f"determined so far: {', '.join(known) if known else 'nothing'}; {self._device_state()}"

    def _device_state(self) -> str:
        if self.test_device is None:
            return f"device {self.choice.create} may exist now" if self.calls.wrote else "nothing was written"
        number, left = self.test_device.start.number, self.test_device.leftovers()
        if self.test_device.touched:
            return f"of device {number}, {', '.join(left) if left else 'everything is as it was'}"
        made = "created, and nothing else was written to it"
        return f"device {number} was {made if self.test_device.made else 'not written to'}"

    def result(self) -> Result:
        """Return the result for the user, without the facts file."""
        return {
            "changed": self.calls.wrote or (self.options.check_mode and self.would_write),
            "facts": asdict(self.facts),
            "how": {fact: finding.reason for fact, finding in self.findings.items() if finding.value is not None},
            "not_found_out": self._unknown_facts(),
            "tokens": {"account_token": self.tokens.account, "device_token": self.tokens.device},
            "record": _record_facts(self.folder),
            "scratch": self._describe_choice(),
            "would_call": self._planned_calls(),
            "journal": [_journal_entry(entry) for entry in self.calls.entries],
        }

    def _unknown_facts(self) -> dict[str, str]:
        names = [one.name for one in fields(ServiceFacts)] + ["otp_scope"]
        open_ones = {name: self._why_open(name) for name in names if getattr(self.facts, name, None) is None}
        if self.facts.empty_webhook == "accepted":
            open_ones["empty_webhook"] = _MAY_BE_IGNORED
        return open_ones

    def _why_open(self, fact: str) -> str:
        if fact in self.findings:
            return self.findings[fact].reason
        if fact in _STILL_OPEN:
            return _STILL_OPEN[fact]
        if self.choice.reason_not_to_write:
            return self.choice.reason_not_to_write
        if not self.options.consent:
            return "it requires requests that write: set consent: true"
        return "check mode writes nothing" if self.options.check_mode else "the run ended before this check"

    def _describe_choice(self) -> Result | None:
        device = self.test_device.start if self.test_device else self.choice.device
        if device is None:
            return None
        return {
            "device": device.number,
            "name": _name(device),
            "made": bool(self.test_device and self.test_device.made),
            "left": self.test_device.leftovers() if self.test_device else [],
        }

    def _planned_calls(self) -> list[Result]:
        """Return the requests of the writing part that this run left out, each with the most times that it is sent."""
        if self.options.writes or self.choice.reason_not_to_write:
            return []
        number = self.choice.device.number if self.choice.device else self.choice.create
        parts = [
            (
                CREATION if self.choice.create else PREPARATION,
                CREATION_CALLS if self.choice.create else PREPARATION_CALLS,
            )
        ]
        parts += [(one.fact, one.calls) for one in EXPERIMENTS] + [(RESTORATION, RESTORATION_CALLS)]
        return [
            {"path": path, "device": None if path == "/get-devices" else number, "purpose": purpose, "at_most": times}
            for purpose, calls in parts
            for path, times in calls.items()
        ]


def _record_facts(folder: StorageCheck) -> Result:
    """Return the facts on the place of the record, with the keys of the result."""
    return {
        "folder": folder.place,
        "exists": folder.exists,
        "writable": folder.writable,
        "mode": folder.mode,
        "lasting": folder.persistent,
        "because": folder.reason,
    }


def _journal_entry(entry: Entry) -> Result:
    """Return a request of the journal, with the keys of the result."""
    return {
        "at": entry.at,
        "path": entry.path,
        "device": entry.device,
        "purpose": entry.purpose,
        "reply": entry.response,
    }


def _leftover_warnings(test_device: TestDevice) -> list[str]:
    left = test_device.leftovers()
    reported = [f"Of device {test_device.start.number}, {', '.join(left)}."] if left else []
    return reported + (
        [_removal(test_device.start.number)] if test_device.made or _name(test_device.start) == OWN_NAME else []
    )


def _removal(number: str) -> str:
    task = "fonnte.whatsapp.fonnte_device"
    return (
        f"The scratch device {number} was not deleted, since a deletion needs a one-time code. Request one with the "
        f'task {task}: {{device: "{number}", state: absent, request_otp: true}} and delete with {task}: {{device: '
        f'"{number}", state: absent, otp: "the code"}}'
    )
