# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Numbers that a spreadsheet changed are refused by every option that takes a number, before any request."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.errors import FonnteError, OptionError
from ansible_collections.fonnte.whatsapp.plugins.module_utils._events.config import parse_options
from ansible_collections.fonnte.whatsapp.plugins.module_utils._fleet.declaration import read_fleet
from ansible_collections.fonnte.whatsapp.plugins.module_utils._fleet.declared_accounts import accounts_of
from ansible_collections.fonnte.whatsapp.tests.control_node import Controller

DECIMAL = "6281200002001.0"
A, LOST = "081200001001", "81200001001"

OPTIONS: list[tuple[str, dict[str, t.Any]]] = [
    ("device", {"device": DECIMAL, "name": "Toko"}),
    ("device", {"device": A, "name": "Toko", "target": DECIMAL}),
    ("webhook_config", {"device": DECIMAL, "webhook": "https://h.example.com/x"}),
    ("device_info", {"devices": [DECIMAL]}),
    ("fleet", {"devices": [{"device": DECIMAL, "name": "Toko"}]}),
    ("fleet", {"devices": [{"device": A, "name": "Toko"}], "defaults": {"target": DECIMAL}}),
    ("audit", {"devices": [{"device": DECIMAL}]}),
    ("audit", {"devices": [], "owners": {DECIMAL: "PT Satu"}}),
    ("message", {"device": DECIMAL, "target": ["081200002001"], "message": "hello"}),
    ("message", {"device": A, "target": [DECIMAL], "message": "hello"}),
    ("message", {"device": A, "target": [{"to": DECIMAL}], "message": "hello"}),
    ("message", {"device": A, "target": [f"{DECIMAL}|Budi"], "message": "hello"}),
    ("message", {"device": A, "target": [6281200002001.0], "message": "hello"}),
    ("device_qr", {"device": DECIMAL, "method": "code", "whatsapp": "6281200002001"}),
    ("device_qr", {"device": A, "method": "code", "whatsapp": DECIMAL}),
    ("group_info", {"device": DECIMAL}),
    ("number_info", {"device": DECIMAL, "numbers": ["081200002001"]}),
    ("number_info", {"device": A, "numbers": ["081200002001", DECIMAL]}),
    ("number_info", {"device": A, "numbers": [6281200002001.0]}),
    ("record", {"operation": "forget", "devices": [DECIMAL]}),
    ("record_info", {"devices": [DECIMAL]}),
    ("doctor", {"device": DECIMAL}),
]


@pytest.fixture(autouse=True)
def one(controller: Controller) -> None:
    devices = [{"number": A, "name": "Toko", "package": "Super", "linked": True}]
    controller.sandbox.reset(accounts=[{"token": controller.sandbox.account_token, "devices": devices}])


@pytest.mark.parametrize(("module", "params"), OPTIONS)
def test_decimal_number_is_refused_before_any_request(
    controller: Controller, module: str, params: dict[str, t.Any]
) -> None:
    with pytest.raises(OptionError, match="decimal.*in quotes"):
        controller.run(module, **params)
    assert controller.sandbox.journal() == []


def test_decimal_number_is_refused_in_a_declaration_and_an_event_source() -> None:
    declaration = {"fleet_clients": [{"name": "PT Satu", "devices": [{"device": DECIMAL, "name": "Toko"}]}]}
    assert any("decimal" in problem for problem in read_fleet({"toko.yml": declaration}).problems)
    with pytest.raises(OptionError, match="decimal"):
        parse_options({"devices": [DECIMAL], "secret": "a-made-up-secret-for-this-test"}, {})


def test_declared_number_with_a_country_code_is_kept() -> None:
    device = {"device": f"+{LOST}", "name": "Toko Tokyo"}
    (account,) = accounts_of(read_fleet({"toko.yml": {"fleet_clients": [{"name": "PT Satu", "devices": [device]}]}}))
    assert [entry["device"] for entry in account.as_data()["devices"]] == [f"+{LOST}"]


@pytest.mark.parametrize(
    ("module", "params"),
    [
        ("device", {"device": LOST, "name": "Toko"}),
        ("device", {"device": LOST, "state": "absent"}),
        ("device", {"device": int(LOST), "state": "disconnected"}),
        ("webhook_config", {"device": LOST, "webhook": ""}),
        ("device_info", {"devices": [LOST]}),
        ("fleet", {"devices": [{"device": "081200001009", "name": "Toko"}, {"device": LOST, "name": "Toko"}]}),
        ("message", {"device": LOST, "target": ["081200002001"], "message": "hello"}),
        ("device_qr", {"device": LOST, "method": "code", "whatsapp": "6281200002001"}),
        ("doctor", {"device": LOST, "consent": True}),
    ],
)
def test_number_without_its_zero_is_refused_before_any_write(
    controller: Controller, module: str, params: dict[str, t.Any]
) -> None:
    for check in (True, False):
        with pytest.raises(FonnteError) as caught:
            controller.run(module, check, **params)
        reported = str(caught.value)
        assert f"{LOST} is not registered, and {A} is" in reported and f'"+{LOST}"' in reported
    assert controller.sandbox.writes() == []


@pytest.mark.parametrize("check", [True, False])
def test_device_is_not_created_without_its_zero(controller: Controller, check: bool) -> None:
    new = "81200040000"
    with pytest.raises(OptionError, match=f'{new} begins with 8, .*write "0{new}", or "\\+{new}"'):
        controller.device(new, check, name="Toko")
    with pytest.raises(OptionError, match=rf'devices\[1\] .*write "0{new}"'):
        controller.run("fleet", check, devices=[{"device": A, "name": "Toko 2"}, {"device": new, "name": "Toko Baru"}])
    assert controller.sandbox.writes() == []
    # Nothing is created for them.
    assert controller.device(new, check, state="absent").result["changed"] is False


def test_number_with_a_country_code_is_a_new_device(controller: Controller) -> None:
    assert controller.device(f"+{LOST}", name="Toko Tokyo").result["operations"] == ["create"]
    assert sorted(controller.sandbox.devices()) == [A, LOST]
    # After its registration, it is found in any spelling.
    assert not controller.device(LOST, name="Toko Tokyo").result["changed"]
    fleet = controller.run("fleet", devices=[{"device": "+81 2000-01009", "name": "Toko Osaka"}]).result
    assert fleet["summary"]["created"] == 1
    assert controller.run("device_info", devices=["+81200001008"]).result["missing"] == ["81200001008"]


def test_number_with_an_unknown_country_code_has_a_warning(controller: Controller) -> None:
    unknown = "99912345678"
    strange = f"No country has numbers that begin with 999: check the number {unknown}."
    for check in (True, False):
        assert strange in controller.device(unknown, check, name="Toko").warnings
    assert strange in controller.device("99912345679", state="absent").warnings[0].replace("79.", "78.")
    message = controller.run("message", device=A, target=[unknown, "081200002001"], message="hello")
    assert message.warnings == [strange]
    assert controller.run("message", device=A, target=[unknown], message="hello", country_code="0").warnings == []
    declared = controller.device(A, True, target=unknown, resend=True, handle_unknown="ignore")
    assert strange in declared.warnings


@pytest.mark.parametrize("target", ["81200002001", 81200002001, {"to": "8120-0002-001"}, "81200002001|Budi"])
def test_message_to_a_number_without_its_zero_is_refused(controller: Controller, target: object) -> None:
    message = {"device": A, "target": [target], "message": "hello"}
    for country in (None, "62"):
        with pytest.raises(OptionError, match='begins with 8.*write "081200002001", or "\\+81200002001"'):
            controller.run("message", country_code=country, **message)
    assert controller.sandbox.outbox() == []
    # Here 81 is the country, or nothing is replaced.
    for country in ("81", "0"):
        controller.run("message", country_code=country, **message)
    assert [sent["target"] for sent in controller.sandbox.outbox()] == ["81200002001"] * 2


def test_message_to_a_country_code_that_begins_with_8_requires_a_plus(controller: Controller) -> None:
    controller.run("message", device=A, target=["+81 200 002 001"], message="hello")
    assert [sent["target"] for sent in controller.sandbox.outbox()] == ["81200002001"]


def test_forwarding_target_without_its_zero_has_a_warning(controller: Controller) -> None:
    reported = controller.device(A, True, target="81200002001", resend=True, handle_unknown="ignore").warnings
    assert any("begins with 8" in warning and "081200002001" in warning for warning in reported)
    other = {"target": "81200002001", "country_code": "0", "resend": True, "handle_unknown": "ignore"}
    assert not any("begins with 8" in warning for warning in controller.device(A, True, **other).warnings)
