# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible.module_utils.common.validation import check_type_bool
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.errors import OptionError
from ansible_collections.fonnte.whatsapp.plugins.module_utils._device.settings import WRITE_ONLY, validate
from ansible_collections.fonnte.whatsapp.plugins.module_utils._fleet.declaration import (
    FleetData,
    Unresolved,
    read_fleet,
    unmanaged_hidden,
)
from ansible_collections.fonnte.whatsapp.plugins.module_utils._fleet.declared_accounts import accounts_of
from ansible_collections.fonnte.whatsapp.plugins.module_utils._fleet.entry_values import slug
from ansible_collections.fonnte.whatsapp.plugins.module_utils._options.fleet_members import ENTRY

A, B, C = "081200000001", "6281200000002", "081200000003"
SECRET = "https://hooks.example.com/s3cr3t"


def client(*devices: t.Any, name: str = "Toko", **more: t.Any) -> dict[str, t.Any]:
    return {"name": name, "devices": list(devices), **more}


def entries(fleet: FleetData) -> list[dict[str, t.Any]]:
    return [dict(device.entry) for device in fleet.devices]


def problems(said: t.Any, **more: t.Any) -> list[str]:
    found = list(read_fleet({"toko.yml": said}, **more).problems)
    assert not any("s3cr3t" in problem for problem in found)
    assert all(problem.endswith(".") and "\n" not in problem for problem in found)
    return found


def test_more_specific_value_has_priority() -> None:
    # Each value is set in one more place than the previous value.
    fleet = read_fleet(
        {
            "fleet.yml": {
                "fleet_defaults": {"autoread": True, "personal": True, "group": True, "quick": True, "resend": True},
                "fleet_packages": {"cashier": {"group": False, "quick": False, "resend": False, "target": A}},
            },
            "toko.yml": {
                "fleet_defaults": {"personal": False, "country_code": "62"},
                "fleet_clients": [
                    client(
                        {"device": B, "resend": True, "target": None},
                        {"device": A, "package": None},
                        package="cashier",
                        defaults={"quick": True, "resend": False},
                    )
                ],
            },
            "other.yml": {"fleet_devices": [{"device": C, "package": "cashier"}]},
        }
    )
    assert fleet.problems == ()
    first, second, third = entries(fleet)
    common = {"autoread": True, "country_code": "62", "personal": False}
    assert first == {"device": B, **common, "group": False, "quick": True, "resend": True}
    assert second == {"device": A, **common, "group": True, "quick": True, "resend": False}
    # Defaults in a file with devices apply to that file only.
    assert third == {
        "device": C, "autoread": True, "personal": True, "group": False, "quick": False, "resend": False, "target": A
    }  # fmt: skip


@pytest.mark.parametrize("token", [None, "", "a b", ["one"]])
def test_client_with_an_invalid_token_is_in_no_account(token: object) -> None:
    fleet = read_fleet({"a": {"fleet_clients": [client({"device": A}, account_token=token)]}})
    assert fleet.problems and accounts_of(fleet) == []


def test_accounts_are_grouped_by_token() -> None:
    fleet = read_fleet(
        {
            "a.yml": {
                "fleet_clients": [client({"device": A}, account_token="one"), client({"device": B}, name="Warung")]
            },
            "b": [
                client({"device": C, "name": "Satu"}, name="Toko Dua", account_token="one", contacts=[{"name": "x"}])
            ],
            "c": [client({"device": "081200000004"}, name="Toko!", account_token="two")],
        }
    )
    assert fleet.problems == ("Two clients have one name, Toko in a.yml and Toko! in c; merge them, or rename one.",)
    one, run, two = accounts_of(fleet)
    assert (one.name, one.token, run.name, run.token, two.name) == ("toko", "one", "account", "", "toko-2")
    data = one.as_data()
    assert data["devices"] == [{"device": A}, {"device": C, "name": "Satu"}]
    assert data["sources"] == {A: "a", C: "b"}
    assert data["owners"] == {A: "Toko", C: "Toko Dua"}
    assert data["clients"] == [
        {"name": "Toko", "file": "toko", "contacts": [], "numbers": [A]},
        {"name": "Toko Dua", "file": "toko-dua", "contacts": [{"name": "x"}], "numbers": [C]},
    ]
    assert [account.name for account in accounts_of(read_fleet({"a": {"fleet_devices": [{"device": A}]}}))] == [
        "account"
    ]


WRONG: list[tuple[t.Any, str]] = [
    (None, "toko.yml has no list fleet_clients or fleet_devices"),
    ({"devices": []}, "toko.yml has no list"),
    ({"fleet_devices": [], "webhook": "s3cr3t"}, "toko.yml has webhook; it may have"),
    ({"fleet_devices": "x"}, "In toko.yml fleet_devices is not a list"),
    ({"fleet_devices": [], "fleet_defaults": []}, "In toko.yml fleet_defaults is not a dictionary"),
    ({"fleet_devices": [7]}, "fleet_devices[0]: it is not a dictionary"),
    ({"fleet_devices": [{"name": "Toko"}]}, "fleet_devices[0]: no device is named"),
    ({"fleet_devices": [{"device": 2155543210 // 10}]}, "may have lost its leading zero"),
    ({"fleet_devices": [{"device": A, "number": A}]}, "two names of one option"),
    ({"fleet_devices": [{"device": A, "webhok": "s3cr3t"}]}, f"({A}): webhok is unknown here; webhook may be meant."),
    ({"fleet_devices": [{"device": A, "webhook": "ftp://s3cr3t"}]}, "Option webhook: it is not a URL"),
    ({"fleet_devices": [{"device": A, "webhook": {"s3cr3t": 1}}]}, "Option webhook: it is not a string"),
    ({"fleet_devices": [{"device": A, "name": True}]}, "Option name: YAML reads it as true or false"),
    ({"fleet_devices": [{"device": A, "name": "x" * 31}]}, "Option name: it has 31 characters"),
    ({"fleet_devices": [{"device": A, "quick": "maybe"}]}, "Option quick: it is neither true nor false"),
    ({"fleet_devices": [{"device": A, "state": "absent"}]}, "Option state: it is not an allowed value"),
    ({"fleet_devices": [{"device": A, "otp": "123456"}]}, "otp is unknown here; it may have "),
    ({"fleet_devices": [{"device": A, "device_token": "a b"}]}, "Option device_token: it has white space"),
    ({"fleet_devices": [{"device": A, "package": "x"}]}, "there is no package x; fleet_packages has none"),
    (
        {"fleet_devices": [{"device": A, "package": 7}], "fleet_packages": {"y": {}}},
        "no package 7; fleet_packages has y",
    ),
    ({"fleet_defaults": {"name": "Toko"}}, "fleet_defaults: name is unknown here"),
    ({"fleet_packages": {"y": {"quick": "s3cr3t"}}}, "fleet_packages.y: Option quick: it is neither"),
    ({"fleet_packages": {"y": True}}, "fleet_packages.y: it is not a dictionary of settings"),
    ({"fleet_clients": ["x"]}, "fleet_clients[0] is not a dictionary"),
    ({"fleet_clients": [{"devices": []}]}, "fleet_clients[0] has no name"),
    ({"fleet_clients": [client(name="Toko", token="s3cr3t")]}, "toko.yml: Toko: token is unknown here"),
    ({"fleet_clients": [client(account_token="")]}, "toko.yml: Toko: Option account_token: it is empty"),
    ({"fleet_clients": [client(account_token="s3cr3t ")]}, "Option account_token: it has white space"),
    (
        {"fleet_clients": [client(account_token=None)]},
        "toko.yml: Toko: Option account_token: it is null; leave it out for the account of the run, or set it.",
    ),
    ({"fleet_clients": [client(account_token=["s3cr3t"])]}, "Option account_token: it is not a string"),
    ({"fleet_clients": [client(account_token=("s3cr3t",))]}, "Option account_token: it is not a string"),
    ({"fleet_clients": [client(account_token={"s3cr3t": 1})]}, "Option account_token: it is not a string"),
    ({"fleet_clients": [client(account_token=12345)]}, "Option account_token: it is not a string"),
    ({"fleet_clients": [client(account_token=True)]}, "Option account_token: it is not a string"),
    ({"fleet_clients": [client(contacts=["x"])]}, "contacts[0] is not a dictionary with some of name, whatsapp, email"),
    ({"fleet_clients": [client(contacts="x")]}, "contacts is not a list"),
    ({"fleet_clients": [{"name": "Toko", "devices": {"device": A}}]}, "toko.yml: Toko: devices is not a list"),
    ({"fleet_clients": [client(defaults={"webhook": "s3cr3t"})]}, "toko.yml: Toko: defaults: Option webhook"),
    ({"fleet_clients": [client({"device": A}), client({"device": "+62 812-0000-0001"}, name="B")]}, "more than once"),
    ({"fleet_clients": [client(), client(name="TOKO")]}, "Two clients have one name"),
]


@pytest.mark.parametrize(("said", "words"), WRONG)
def test_invalid_declaration_has_one_problem(said: t.Any, words: str) -> None:
    assert [words in problem for problem in problems(said)] == [True]


def test_duplicate_is_reported_with_both_places() -> None:
    said = {"fleet_clients": [client({"device": B}, {"device": A}), client({"device": "+62 812-0000-0001"}, name="B")]}
    assert problems(said) == [
        f"One device is declared more than once, as {A} in toko.yml: Toko: devices[1] and as 6281200000001 in "
        "toko.yml: B: devices[0]; remove one."
    ]


def test_valid_declaration_may_use_other_spellings() -> None:
    said = {"fleet_devices": [{"number": 6281200000002, "quick": "yes", "group": 0, "country_code": 62, "name": 12345}]}
    assert problems(said) == []
    assert problems({"fleet_devices": [{"device_token": "a-token"}]}) == []
    assert problems({"fleet_devices": [], "fleet_defaults": None}) == []


def test_defaults_in_two_files_are_a_problem() -> None:
    fleet = read_fleet(
        {
            "a.yml": {"fleet_defaults": {}, "fleet_packages": {"x": {}}},
            "b.yml": {"fleet_defaults": {}, "fleet_packages": {"x": {}}},
        }
    )
    assert fleet.problems == (
        "a.yml and b.yml declare no device, and each has fleet_defaults for all files; keep one of them.",
        "The package x is in a.yml and in b.yml; remove one.",
    )


def test_name_must_leave_space_for_a_stamp() -> None:
    said = {
        "fleet_devices": [
            {"device": A, "name": "x" * 26},
            {"device": B, "name": "x" * 26, "handle_write_only": "recorded"},
        ]
    }
    assert problems(said) == []
    assert ["leaves room for 23" in problem for problem in problems(said, stamped=True)] == [True]


def test_too_long_name_is_reported_once() -> None:
    assert len(problems({"fleet_devices": [{"device": A, "name": "x" * 31}]}, stamped=True)) == 1


def test_unresolved_value_is_no_problem() -> None:
    unread = Unresolved("{{ x }}")
    assert unread == Unresolved("{{ x }}") != Unresolved("{{ y }}") and len({unread, Unresolved("{{ x }}")}) == 1
    said = {
        "fleet_clients": [client({"device": unread, "quick": unread, "package": unread}, account_token=unread)],
        "fleet_devices": [{"device": A, "webhook": unread, "name": unread}],
    }
    assert problems(said, stamped=True) == []


def test_undeclared_settings_of_a_declaration() -> None:
    (bare, off, whole) = read_fleet(
        {
            "a": {
                "fleet_devices": [
                    {"device": A},
                    {"device": B, "resend": False},
                    {
                        "device": C,
                        "target": A,
                        **{
                            option: "62" if option == "country_code" else False
                            for option in WRITE_ONLY
                            if option not in ("target",) and "webhook" not in option
                        },
                        **{option: "" for option in WRITE_ONLY if "webhook" in option},
                    },
                ]
            }
        }
    ).devices
    assert unmanaged_hidden(bare) == WRITE_ONLY
    assert set(WRITE_ONLY) - set(unmanaged_hidden(off)) == {"resend", "target", "country_code"}
    assert unmanaged_hidden(whole) == ()


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 10**12),
    st.text(max_size=40),
    st.just(SECRET),
    st.sampled_from(["yes", "No", "OFF", "t", "1", "0", "ja", 1, 0, 1.0, 2]),
    st.lists(st.text(max_size=2)),
)


@given(st.dictionaries(st.sampled_from(["name", "quick", "target", "country_code", "webhook"]), VALUES))
def test_accepted_settings_are_accepted_by_the_module(settings: dict[str, t.Any]) -> None:
    """A fleet that is valid without a token must not be refused for a value later."""
    if problems({"fleet_devices": [{"device": A, **settings}]}):
        return
    for option, value in settings.items():
        if value is None:
            continue
        # Ansible converts a flag to true or false before the module receives it.
        flag = ENTRY[option]["type"] == "bool"
        try:
            validate(option, check_type_bool(value) if flag else value)
        except (OptionError, TypeError) as fault:
            raise AssertionError(f"{option} {value!r}") from fault


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("Toko Bunga", "toko-bunga"),
        ("../../etc/passwd", "etc-passwd"),
        ("  ", "client"),
        ("日本", "日本"),
        ("A.B", "a-b"),
    ],
)
def test_name_is_converted_to_a_file_name(name: str, file: str) -> None:
    assert slug(name) == file
