# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cases for each behavior variant of the service: an account, a declaration, and the expected result.

Every case has its own account, so that one process can run all of them. To add one, add a row to ``CASES``. The
properties of all cases are in ``invariants.py``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import requests

from ansible_collections.fonnte.whatsapp.tests.sandbox.driver import Json, Sandbox
from ansible_collections.fonnte.whatsapp.tests.sandbox.readings import VALUES, Readings

from .playbooks import MARK, OTP, Task, device, device_info, device_qr, record_info, webhook_config

# --- behavior variants --------------------------------------------------------------------------------------------

Reading = Mapping[str, str | int]


def _readings() -> dict[str, Reading]:
    """Return the variants: the defaults, each other value of one switch, and the last values of all switches."""
    turned = {f"{switch}={value}": {switch: value} for switch, values in VALUES.items() for value in values[1:]}
    return {"default": {}, **turned, "all-hard": {switch: values[-1] for switch, values in VALUES.items()}}


READINGS: dict[str, Reading] = _readings()
# Playbooks take long, and tests/functional runs each case in each variant without them.
USUAL_READINGS = tuple(READINGS) if os.environ.get("FONNTE_TESTS_READINGS") == "all" else ("default", "all-hard")


def effective(reading: Reading) -> Readings:
    """Return the values of all switches in a variant."""
    return Readings().but(reading)


# --- parts of a case ----------------------------------------------------------------------------------------------


def account_token(case: str) -> str:
    """Return the account token of a case."""
    return f"account-{MARK}-{case}"


def device_token(number: str) -> str:
    """Return the token of a device that exists at the start."""
    return f"device-{MARK}-{number}"


@dataclass(frozen=True)
class Hook:
    """A webhook whose URL depends on the variant: if the service probes URLs, a server must respond at this one."""

    name: str

    def url(self, sandbox: Sandbox, reading: Reading) -> str:
        """Return the URL, with a secret in its path and in its query."""
        secret = f"{MARK}-{self.name}?key={MARK}"
        if effective(reading).webhook_probe == "called":
            return f"{sandbox.sink_url(self.name)}/{secret}"
        return f"https://hooks.example.com/{secret}"


def there(number: str, **fields: object) -> Json:
    """Return a device that exists at the start: settings by wire name, ``linked``, ``package`` and so on."""
    return {"number": number, "token": device_token(number), "name": "Toko Lama", **fields}


Touch = Callable[[Sandbox], object]


def edited(number: str, **fields: object) -> Touch:
    """Return a function that changes a device, as a person does in the dashboard."""
    return lambda sandbox: sandbox.edit(number, **fields)


def purged(number: str) -> Touch:
    """Return a function that purges a device, in the spelling under which the service stores its number."""
    return lambda sandbox: [sandbox.purge(known) for known in (number, "62" + number[1:]) if known in sandbox.devices()]


def code_sent(number: str) -> Touch:
    """Return a function that requests a code for the deletion, as another control node would."""

    def ask(sandbox: Sandbox) -> None:
        sandbox.next_otp(OTP)
        with requests.Session() as session:
            session.trust_env = False
            session.post(
                f"{sandbox.url}/delete-device",
                data={"otp": ""},
                timeout=10,
                headers={"Authorization": sandbox.device(number)["token"]},
            )

    return ask


@dataclass(frozen=True)
class Case:
    """An account, a declaration and the expected result.

    Attributes:
        name: A short name, for the id of the test.
        task: The declaration.
        there: The devices of the account at the start.
        prepare: Tasks that run before the case.
        touch: Functions that change the account after these tasks.
        minds: The switches that affect this case; None means all of them. The case runs in the variant "default", in
            the variants of these switches, and in "all-hard".
        quick: Whether the quick tests run it.
        operations: The operations of the run.
        reasons: The reason for each changed field.
        carried, at_risk: The values in the result; at_risk is not compared if it is None.
        leaves_out: Declared settings that the update must not send: webhooks that are known to be empty.
        warns: A part of a warning, in check mode and in the run.
        fails: A part of the error message; such a run must not write.
        result: Other keys of the run's result, with their values.
        evidence_again: The sources of declared settings in the evidence of the second run.
        always: Whether the second run changes again, as always_update requires.
        asks_again: Whether the second run sends a request again, which the service refuses because a code is pending.
        refused_by_service: Whether only the service can refuse this, so that check mode predicts the change.
        unless: Other values of these attributes, by switch and value.
    """

    name: str
    task: Task
    there: tuple[Json, ...] = ()
    prepare: tuple[Task, ...] = ()
    touch: tuple[Touch, ...] = ()
    minds: tuple[str, ...] | None = None
    quick: bool = False
    operations: tuple[str, ...] = ()
    reasons: Mapping[str, str] = field(default_factory=dict)
    carried: frozenset[str] = frozenset()
    at_risk: frozenset[str] | None = None
    leaves_out: frozenset[str] = frozenset()
    warns: str = ""
    fails: str = ""
    result: Mapping[str, object] = field(default_factory=dict)
    evidence_again: Mapping[str, str] = field(default_factory=dict)
    always: bool = False
    asks_again: bool = False
    refused_by_service: bool = False
    unless: Mapping[tuple[str, str | int], Mapping[str, object]] = field(default_factory=dict)

    @property
    def account(self) -> str:
        """The token of the case's account."""
        return account_token(self.name)

    def applies_to(self, label: str) -> bool:
        """Return whether the case runs in a variant."""
        reading = READINGS[label]
        return self.minds is None or label in ("default", "all-hard") or bool(set(reading) & set(self.minds))

    def under(self, reading: Reading) -> Case:
        """Return the case with the values that apply in a variant."""
        changes: dict[str, Any] = {}
        for switch, value in reading.items():
            changes.update(self.unless.get((switch, value), {}))
        return replace(self, **changes)


HIDDEN = frozenset(
    {
        "personal",
        "group",
        "quick",
        "resend",
        "target",
        "country_code",
        "webhook",
        "webhook_connect",
        "webhook_status",
        "webhook_chaining",
    }
)
FOUR = ("webhook", "webhook_connect", "webhook_status", "webhook_chaining")


def four(prefix: str) -> dict[str, object]:
    """Return all four webhooks."""
    return {option: Hook(f"{prefix}-{option.replace('_', '-')}") for option in FOUR}


def each(options: Iterable[str], reason: str) -> dict[str, str]:
    """Return one reason for several fields."""
    return dict.fromkeys(options, reason)


EVERYTHING: dict[str, object] = {
    "name": "Toko Satu",
    "autoread": True,
    "personal": True,
    "group": True,
    "quick": True,
    "resend": True,
    "target": "0812000090001",
    "country_code": "65",
    **four("all"),
}

# --- the table ----------------------------------------------------------------------------------------------------

CASES: tuple[Case, ...] = (
    # fonnte_device, present
    Case(
        "create-with-everything",
        quick=True,
        task=device(device="0812 0000-1001", **EVERYTHING),
        operations=("create", "update"),
        reasons=each(EVERYTHING, "differs"),
        result={"recreated": False},
    ),
    Case(
        "create-with-a-name",
        minds=("add_number", "refusal_status"),
        task=device(device="081200001002", name="Toko Dua"),
        operations=("create",),
        reasons={"name": "differs"},
    ),
    Case(
        "create-with-an-empty-webhook",
        minds=("empty_webhook", "webhook_probe"),
        task=device(device="081200001003", name="Toko Tiga", webhook="", autoread=True),
        operations=("create",),
        reasons=each(("name", "autoread"), "differs"),
    ),
    Case(
        "nothing-to-do",
        minds=(),
        there=(there("081200001004", name="Toko Empat", autoread=True, quick=True),),
        task=device(device="081200001004", name="Toko Empat", autoread=True),
    ),
    Case(
        "readable-settings-differ",
        quick=True,
        there=(
            there("081200001005", linked=True, package="Super"),
            there("081200001905", webhook="https://a.example.com"),
        ),
        task=device(device="+62 (812) 0000.1005", name="Toko Lima", autoread=True),
        operations=("update",),
        reasons=each(("name", "autoread"), "differs"),
        at_risk=HIDDEN,
        warns="may reset",
    ),
    Case(
        "hidden-settings-without-a-record",
        minds=("omitted", "webhook_probe", "update_without_device", "listing"),
        there=(there("6281200001006", webhook="https://hooks.example.com/by-hand"),),
        task=device(
            device="0812-0000-1006",
            webhook=Hook("new"),
            quick=True,
            resend=True,
            target="0812000090006",
            country_code="60",
        ),
        operations=("update",),
        reasons=each(("webhook", "quick", "resend", "target", "country_code"), "no_record"),
        at_risk=HIDDEN - {"webhook", "quick", "resend", "target", "country_code"},
        evidence_again=each(("webhook", "quick"), "recorded"),
    ),
    Case(
        "recorded-settings-differ",
        minds=("webhook_probe", "update_without_device"),
        there=(there("081200001007"),),
        prepare=(device(device="081200001007", name="Toko Tujuh", webhook=Hook("old"), quick=True, personal=True),),
        task=device(device="081200001007", name="Toko Tujuh", webhook=Hook("new"), quick=False, personal=True),
        operations=("update",),
        reasons=each(("webhook", "quick"), "differs"),
    ),
    Case(
        "changed-in-the-dashboard",
        quick=True,
        minds=("omitted",),
        there=(there("081200001008"),),
        prepare=(device(device="081200001008", **EVERYTHING),),
        touch=(edited("081200001008", name="Toko Lain", autoread=False),),
        task=device(device="081200001008", **EVERYTHING),
        operations=("update",),
        reasons=each(("name", "autoread"), "differs"),
        at_risk=frozenset(),
    ),
    Case(
        "renamed-after-its-webhooks",
        minds=("omitted", "webhook_probe", "update_without_device"),
        there=(there("081200001009"),),
        prepare=(webhook_config(device="081200001009", **four("kept")),),
        task=device(device="081200001009", name="Toko Sembilan"),
        operations=("update",),
        reasons={"name": "differs"},
        carried=frozenset(FOUR),
        at_risk=HIDDEN - set(FOUR),
        warns="may reset",
    ),
    Case(
        "cleared-webhook",
        minds=("empty_webhook", "omitted"),
        there=(there("081200001010"),),
        prepare=(device(device="081200001010", webhook=Hook("old"), webhook_status=Hook("kept"), quick=True),),
        task=device(device="081200001010", webhook="", name="Toko Sepuluh"),
        operations=("update",),
        reasons=each(("webhook", "name"), "differs"),
        carried=frozenset({"webhook_status", "quick"}),
        evidence_again={"webhook": "unconfirmed"},
    ),
    Case(
        "renamed-after-clearing",
        minds=("empty_webhook", "omitted"),
        there=(there("081200001034"),),
        prepare=(
            device(device="081200001034", webhook=Hook("old"), quick=True),
            webhook_config(device="081200001034", state="absent"),
        ),
        task=device(device="081200001034", name="Toko Kemudian", webhook=""),
        operations=("update",),
        reasons={"name": "differs"},
        carried=frozenset({"quick"}),
        leaves_out=frozenset(FOUR),
        evidence_again={"webhook": "unconfirmed"},
    ),
    Case(
        "always-update",
        minds=(),
        there=(there("081200001011", name="Toko Lama"),),
        prepare=(device(device="081200001011", webhook=Hook("same")),),
        task=device(device="081200001011", webhook=Hook("same"), handle_write_only="always_update"),
        operations=("update",),
        reasons={"webhook": "always"},
        always=True,
    ),
    Case(
        "set-by-hand",
        minds=("omitted",),
        there=(there("081200001012"),),
        prepare=(device(device="081200001012", quick=True, handle_unknown="ignore"),),
        touch=(edited("081200001012", webhookstatus="https://hooks.example.com/by-hand"),),
        task=device(device="081200001012", name="Toko Tangan"),
        operations=("update",),
        reasons={"name": "differs"},
        carried=frozenset({"quick"}),
        at_risk=HIDDEN - {"quick"},
        warns="webhook_status",
    ),
    Case(
        "unknown-is-an-error",
        minds=(),
        there=(there("081200001013", webhook="https://hooks.example.com/by-hand"),),
        task=device(device="081200001013", name="Toko Baru", handle_unknown="error"),
        fails="webhook_chaining",
    ),
    Case(
        "no-evidence-is-an-error",
        minds=(),
        there=(there("081200001014"),),
        task=device(device="081200001014", quick=True, handle_write_only="error"),
        fails="quick",
    ),
    Case(
        "creation-needs-no-evidence",
        minds=("add_number",),
        task=device(
            device="081200001015", name="Toko Baru", quick=True, webhook=Hook("new"), handle_write_only="error"
        ),
        operations=("create", "update"),
        reasons=each(("name", "quick", "webhook"), "differs"),
    ),
    Case(
        "purged-and-made-anew",
        minds=("add_number",),
        prepare=(device(device="081200001016", name="Toko Enam", quick=True, webhook=Hook("same")),),
        touch=(purged("081200001016"),),
        task=device(device="081200001016", name="Toko Enam", quick=True, webhook=Hook("same")),
        operations=("create", "update"),
        reasons=each(("name", "quick", "webhook"), "differs"),
        result={"recreated": True},
        warns="linked again",
    ),
    Case(
        "by-its-token-alone",
        minds=("profile_number", "update_without_device", "omitted"),
        there=(there("6281200001017", linked=True, autoread=True),),
        task=device(
            account_token=None,
            device_token=device_token("6281200001017"),
            name="Toko Token",
            autoread=False,
            quick=True,
        ),
        operations=("update",),
        reasons={"name": "differs", "autoread": "no_record", "quick": "no_record"},
    ),
    Case(
        "unlisted-with-its-token",
        minds=("listing", "profile_number"),
        there=(there("081200001018", unlisted=True, linked=True),),
        task=device(device="081200001018", device_token=device_token("081200001018"), name="Toko Tak Tampak"),
        operations=("update",),
        reasons={"name": "differs"},
    ),
    Case(
        "unlisted-without-its-token",
        minds=("listing", "refusal_status"),
        there=(there("6281200001019", unlisted=True),),
        task=device(device="6281200001019", name="Toko Tak Tampak"),
        operations=("update",),
        reasons={"name": "differs"},
        unless={
            ("listing", "partial"): {
                "fails": "device already exist",
                "refused_by_service": True,
                "operations": ("create",),
            }
        },
    ),
    # fonnte_device, disconnected
    Case(
        "disconnect",
        quick=True,
        there=(there("081200001020", linked=True, quick=True),),
        task=device(device="081200001020", state="disconnected"),
        operations=("disconnect",),
        reasons={"connected": "differs"},
    ),
    Case(
        "disconnect-with-settings",
        minds=("omitted", "update_without_device", "refusal_status"),
        there=(there("081200001021", linked=True),),
        task=device(device="081200001021", state="disconnected", name="Toko Putus", group=True),
        operations=("update", "disconnect"),
        reasons={"name": "differs", "group": "no_record", "connected": "differs"},
    ),
    Case(
        "disconnected-already",
        minds=(),
        there=(there("081200001022"),),
        task=device(device="081200001022", state="disconnected", name="Toko Lama"),
    ),
    Case(
        "disconnect-a-missing-one",
        minds=(),
        task=device(device="081200001023", state="disconnected", name="Toko Baru"),
        warns="not created",
        result={"device": None},
    ),
    # fonnte_device, absent
    Case(
        "absent-and-never-seen",
        minds=("listing",),
        there=(there("081200001924"),),
        task=device(device="081200001024", state="absent", otp=OTP),
        warns="mistyped",
        result={"device": None},
    ),
    Case(
        "absent-without-a-code",
        minds=(),
        there=(there("081200001025"),),
        task=device(device="081200001025", state="absent", otp=""),
        fails="request_otp",
    ),
    Case(
        "ask-for-a-code",
        there=(there("081200001026", quick=True),),
        task=device(device="081200001026", state="absent", request_otp=True),
        operations=("request_otp",),
        result={"otp_requested": True, "otp_pending": False},
        asks_again=True,
    ),
    Case(
        "delete-with-a-code",
        quick=True,
        there=(there("081200001027", linked=True), there("081200001927")),
        touch=(code_sent("081200001027"),),
        task=device(device="62812 0000 1027", state="absent", otp=OTP),
        operations=("delete",),
        result={"device": None},
    ),
    # fonnte_webhook_config
    Case(
        "webhooks-after-its-settings",
        quick=True,
        there=(there("081200001028"),),
        prepare=(
            device(device="081200001028", **{**EVERYTHING, "webhook_status": Hook("old"), "webhook_chaining": ""}),
        ),
        task=webhook_config(device="081200001028", webhook=Hook("new"), webhook_connect=Hook("connect")),
        operations=("update",),
        reasons=each(("webhook", "webhook_connect"), "differs"),
        carried=HIDDEN - {"webhook", "webhook_connect", "webhook_chaining"},
        at_risk=frozenset(),
    ),
    Case(
        "webhooks-without-a-record",
        minds=("webhook_probe", "profile_number"),
        there=(there("081200001029", linked=True),),
        task=webhook_config(
            device="081200001029", account_token=None, device_token=device_token("081200001029"), **four("new")
        ),
        operations=("update",),
        reasons=each(FOUR, "no_record"),
    ),
    Case(
        "webhooks-absent",
        there=(there("081200001030", quick=True),),
        prepare=(device(device="081200001030", quick=True, webhook=Hook("old"), webhook_status=Hook("other")),),
        task=webhook_config(device="081200001030", state="absent"),
        operations=("update",),
        reasons={
            **each(("webhook", "webhook_status"), "differs"),
            **each(("webhook_connect", "webhook_chaining"), "no_record"),
        },
        carried=frozenset({"quick"}),
        evidence_again=each(FOUR, "unconfirmed"),
    ),
    Case(
        "webhooks-absent-without-a-record",
        minds=("empty_webhook",),
        there=(there("081200001031"),),
        task=webhook_config(device="081200001031", state="absent"),
        operations=("update",),
        reasons=each(FOUR, "no_record"),
        evidence_again=each(FOUR, "unconfirmed"),
    ),
    Case(
        "webhooks-absent-of-a-missing-one",
        minds=("listing",),
        task=webhook_config(device="081200001032", state="absent"),
    ),
    # fonnte_device_info
    Case(
        "info",
        quick=True,
        there=(there("081200001033", linked=True, messages=7), there("081200001933", quota=3)),
        task=device_info(devices=["+62 812-0000-1033", "081200001999"], profile=True, recorded=True),
        result={"missing": ["081200001999"]},
    ),
    # fonnte_record_info
    Case(
        "record-info",
        quick=True,
        minds=("listing",),
        there=(there("081200001035"), there("081200001935", linked=True)),
        prepare=(device(device="081200001035", webhook=Hook("kept"), quick=True),),
        task=record_info(devices=["+62 812-0000-1035", "081200001999"]),
        result={"missing": ["081200001999"], "damaged": [], "writable": True},
    ),
    # fonnte_device_qr
    Case(
        "link-what-is-linked",
        quick=True,
        minds=("profile_number", "listing"),
        there=(there("081200001036", linked=True),),
        task=device_qr(device="+62 812-0000-1036", dest="qr.png", wait=True),
        result={"connected": True, "device": "081200001036", "dest": None, "code": None},
    ),
    Case(
        "link-by-its-token-alone",
        minds=("profile_number",),
        there=(there("081200001037", linked=True),),
        task=device_qr(
            account_token=None,
            device_token=device_token("081200001037"),
            method="code",
            whatsapp="6281200001037",
        ),
        result={"connected": True, "code": None},
    ),
    Case(
        "link-a-second-free-one",
        minds=("refusal_status",),
        there=(there("081200001038"), there("081200001938", linked=True)),
        task=device_qr(device="081200001038", dest="qr.png"),
        fails="the free device 081200001938 is linked",
        refused_by_service=True,
    ),
)
