# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role and the playbook decommission: no change before all devices are confirmed, and none twice."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ansible_collections.fonnte.whatsapp.tests.conformance.cases import there
from ansible_collections.fonnte.whatsapp.tests.conformance.playbooks import OTP, WRONG_OTP, Player, Run, Task, device
from ansible_collections.fonnte.whatsapp.tests.conformance.scenarios import ACCOUNT, World
from ansible_collections.fonnte.whatsapp.tests.conformance.terminal import at_a_terminal
from ansible_collections.fonnte.whatsapp.tests.conformance.workspace import CORES, USUAL_CORES, sample
from ansible_collections.fonnte.whatsapp.tests.sandbox.driver import Sandbox

FIRST, SECOND, GONE = "081200012001", "081200012002", "081200012009"
NAMES = {FIRST: "Toko Satu", SECOND: "Toko Dua"}
_SAID = {"ansible.builtin.debug": {"msg": "The first one failed."}}


def _leave(world: World, *words: str, devices: object = FIRST, **variables: object) -> Run:
    given = {f"decommission_{name}": value for name, value in {"devices": devices, **variables}.items()}
    # In a file, as in the documentation: every user of the machine can read a command line.
    path = world.player.home.parent / "variables.json"
    path.write_text(json.dumps(given), encoding="utf-8")
    run = world.player.play_by_name("decommission", "-e", f"@{path}", *words, env={"FONNTE_ACCOUNT_TOKEN": ACCOUNT})
    path.unlink()
    return run


def _role(**variables: object) -> dict[str, object]:
    """Return a task that runs the role."""
    given = {f"decommission_{name}": value for name, value in variables.items()}
    return {"ansible.builtin.include_role": {"name": "fonnte.whatsapp.decommission"}, "vars": given}


def _play(world: World, *tasks: dict[str, object], **keywords: object) -> Run:
    """Run a user's own play."""
    play = {"hosts": "localhost", "connection": "local", "gather_facts": False, **keywords, "tasks": list(tasks)}
    return world.player.play_book([play], env={"FONNTE_ACCOUNT_TOKEN": ACCOUNT})


@pytest.fixture(params=USUAL_CORES)
def on_a_core(request: pytest.FixtureRequest, sandbox: Sandbox, tmp_path: Path) -> World:
    """Return a world whose tasks run on one of the cores."""
    return World(sandbox, Player(tmp_path, sandbox, CORES[request.param]))


@pytest.fixture()
def shops(world: World) -> World:
    """Return a world with two devices, one of them linked, and with a known code for a deletion."""
    world.begin(there(FIRST, name=NAMES[FIRST], linked=True), there(SECOND, name=NAMES[SECOND]))
    world.sandbox.next_otp(OTP)
    return world


@pytest.mark.weekly
def test_unattended_deletion_takes_two_runs(shops: World) -> None:
    """As with a survey: the first run requests the code, and the second one uses it. Each of them can be repeated."""
    predicted = _leave(shops, "--check", names=NAMES)
    assert "would be requested" in predicted.output and shops.writes() == []
    first = _leave(shops, names=NAMES)
    assert "waiting for its code" in first.output and "failed=0" in first.output
    assert shops.writes() == ["/disconnect", "/delete-device"]
    again = _leave(shops, names=NAMES)
    assert "waiting for its code" in again.output and "changed=0" in again.output
    assert [call["form"]["otp"] for call in shops.sandbox.writes()] == [""], "the code is on its way, and was asked for"
    shops.calls()
    second = _leave(shops, names={"+62 812-0001-2001": NAMES[FIRST]}, otps={"6281200012001": OTP})
    assert f"{FIRST} (Toko Satu): deleted" in second.output and list(shops.devices()) == [SECOND]
    assert shops.writes() == ["/delete-device"]
    last = _leave(shops, names=NAMES, otps={FIRST: OTP})
    assert "was deleted before" in last.output and "changed=0" in last.output and "failed=0" in last.output
    assert shops.writes() == []
    assert all(OTP not in run.output for run in (first, again, second, last))


@pytest.mark.parametrize(
    ("variables", "words"),
    sample(
        [
            ({"names": {}}, "081200012001 has another name than the one that was typed, or none was typed"),
            ({"names": {FIRST: "Toko Dua"}}, "081200012001 has another name"),
            ({"names": {SECOND: NAMES[FIRST]}}, "081200012001 has another name"),
            ({"devices": [FIRST, SECOND], "max": 2, "names": {FIRST: NAMES[FIRST]}}, "081200012002 has another name"),
            (
                {"devices": [FIRST, SECOND], "names": NAMES},
                f"2 devices would be deleted, and decommission_max is 1. If the list is right, raise decommission_max: "
                f"{FIRST}, {SECOND}. Nothing was done.",
            ),
            ({"devices": f"{FIRST}, {SECOND}", "sure": True}, "2 devices would be deleted, and decommission_max is 1"),
            ({"devices": "0812x"}, "x"),
        ],
        2,
    ),
)
def test_nothing_changes_before_all_devices_are_confirmed(
    shops: World, variables: dict[str, object], words: str
) -> None:
    run = _leave(shops, **{"ask": False, **variables})
    assert words in run.output and "failed=1" in run.output, run.output[-3000:]
    assert shops.writes() == []


def _without_a_name(world: World, name: str | None) -> None:
    """Replace the first device's name in the ``/get-devices`` response, or remove it."""
    change = {"set_each": {"name": name}} if name is not None else {"remove_each": ["name"]}
    world.sandbox.fault("mutate", path="/get-devices", times=None, only=FIRST, **change)


@pytest.mark.weekly
@pytest.mark.parametrize(
    ("name", "typed"), sample([("", {FIRST: ""}), (" ", {FIRST: " "}), (None, {FIRST: None}), ("", {})], 2)
)
def test_empty_text_does_not_confirm_device_without_name(
    shops: World, name: str | None, typed: dict[str, object]
) -> None:
    _without_a_name(shops, name)
    run = _leave(shops, names=typed, otps={FIRST: OTP})
    assert "081200012001 has another name than the one that was typed, or none was typed" in run.output
    assert "failed=1" in run.output and shops.writes() == []


@pytest.mark.weekly
def test_number_confirms_device_without_name(shops: World) -> None:
    _without_a_name(shops, "")
    shops.sandbox.next_otp(OTP)
    run = _leave(shops, names={FIRST: FIRST})
    assert "failed=0" in run.output and shops.writes() == ["/disconnect", "/delete-device"]


@pytest.mark.weekly
@pytest.mark.parametrize("devices", sample([[], "", " , "], 2))
def test_empty_list_of_devices_is_refused(shops: World, devices: object) -> None:
    run = _leave(shops, devices=devices, sure=True, max=9)
    assert "No device is named." in run.output and "failed=1" in run.output and shops.calls() == []


@pytest.mark.parametrize(
    ("variables", "words"),
    sample(
        [
            ({"devices": 6281200012001}, "is neither a list of quoted numbers nor a text with commas"),
            ({"devices": [6281200012001]}, "is neither a list of quoted numbers nor a text with commas"),
            ({"devices": [{"device": FIRST}]}, "is neither a list of quoted numbers nor a text with commas"),
            ({"devices": [None]}, "No device is named."),
            ({"devices": ["0812x"]}, 'it has the character "x"'),
            ({"names": {NAMES[FIRST]: FIRST}}, "have something for each number, and the number is in quotes"),
            ({"names": f"{FIRST}=Toko"}, "have something for each number, and the number is in quotes"),
        ],
        1,
    ),
)
def test_invalid_variable_fails_with_one_sentence(shops: World, variables: dict[str, object], words: str) -> None:
    run = _leave(shops, **{"ask": False, **variables})
    assert words in run.reported[-1].message and run.reported[-1].message.endswith("."), run.reported[-1].result
    assert "caused by" not in run.output.lower() and shops.calls() == []


@pytest.mark.weekly
def test_unquoted_code_is_not_sent(shops: World) -> None:
    """YAML drops the leading zeros of an unquoted code, and a wrong code uses up one of the tries."""
    run = _leave(shops, sure=True, otps={FIRST: 313})
    assert run.reported[-1].message == (
        f"Quote the code of {FIRST}; an unquoted number loses its leading zeros. Nothing was done."
    )
    assert shops.calls() == []
    keys = _play(shops, {"ansible.builtin.set_fact": {"otps": "{{ {81200012001: 'x'} }}"}}, _role(otps="{{ otps }}"))
    assert "failed=1" in keys.output and shops.calls() == []


@pytest.mark.weekly
def test_null_code_counts_as_missing(shops: World) -> None:
    """A survey with an empty answer gives such a value."""
    run = _leave(shops, sure=True, otps={FIRST: None})
    assert "waiting for its code" in run.output and shops.writes() == ["/disconnect", "/delete-device"]


@pytest.mark.weekly
def test_play_on_several_hosts_is_refused(shops: World, tmp_path: Path) -> None:
    """Otherwise, each host would have a separate count for decommission_max."""
    inventory = tmp_path / "inventory"
    inventory.write_text(f"{FIRST}\n{SECOND}\n", encoding="utf-8")
    role = _role(devices=["{{ inventory_hostname }}"], sure=True)
    play = {"hosts": "all", "connection": "local", "gather_facts": False, "tasks": [role]}
    for more in ({}, {"serial": 1}):
        run = shops.player.play_book([{**play, **more}], "-i", str(inventory), env={"FONNTE_ACCOUNT_TOKEN": ACCOUNT})
        assert "use hosts: localhost. Nothing was done." in run.reported[-1].message and shops.calls() == []


@pytest.mark.weekly
def test_check_mode_keyword_of_play_predicts_without_prompt(on_a_core: World) -> None:
    """The keyword check_mode of a play does not set ansible_check_mode. The summary must still be a prediction."""
    on_a_core.begin(there(FIRST, name=NAMES[FIRST], linked=True))
    devices = {"devices": FIRST, "names": {FIRST: NAMES[FIRST]}}
    run = _play(on_a_core, _role(**devices), _role(otps={FIRST: OTP}, **devices), check_mode=True)
    assert f"{FIRST} (Toko Satu): would be disconnected, and a code would be requested" in run.output
    assert f"{FIRST} (Toko Satu): would be deleted with the code" in run.output and "failed=0" in run.output
    assert "will be deleted. Type its name" not in run.output and on_a_core.writes() == []


@pytest.mark.weekly
def test_failure_is_not_reported_by_next_run_of_role(shops: World) -> None:
    """The role runs twice in one play; the first run fails, and the play rescues it."""
    shops.sandbox.next_otp(OTP)
    assert "failed=0" in _leave(shops, sure=True).output
    first = {"block": [_role(devices=FIRST, sure=True, otps={FIRST: WRONG_OTP})], "rescue": [_SAID]}
    run = _play(shops, first, _role(devices=SECOND, sure=True))
    assert "1 of 1 devices failed" in run.output and "failed=0" in run.output and "rescued=2" in run.output
    assert f"{SECOND} (Toko Dua): disconnected, and waiting for its code" in run.output


def test_start_at_task_deletes_nothing(shops: World) -> None:
    run = shops.player.play_book(
        [{"hosts": "localhost", "gather_facts": False, "roles": ["fonnte.whatsapp.decommission"]}],
        "--start-at-task",
        "List the devices",
        env={"FONNTE_ACCOUNT_TOKEN": ACCOUNT},
    )
    assert "There was nothing to do." in run.output and "failed=0" in run.output and shops.writes() == []


@pytest.mark.weekly
def test_two_spellings_of_one_device_send_one_request(shops: World) -> None:
    run = _leave(shops, devices=[FIRST, "+62 812 0001 2001"], sure=True)
    assert "failed=0" in run.output and shops.writes() == ["/disconnect", "/delete-device"]


@pytest.mark.weekly
def test_failed_device_does_not_stop_others(shops: World) -> None:
    """A wrong code is sent once and reported, and the run fails at its end."""
    variables = {"devices": [FIRST, SECOND], "max": 2, "sure": True}
    assert "failed=0" in _leave(shops, **variables).output
    code = shops.sandbox.otp(SECOND)
    shops.writes()
    run = _leave(shops, otps={FIRST: WRONG_OTP, SECOND: code}, **variables)
    assert f"{FIRST} (Toko Satu): FAILED: " in run.output and "incorrect OTP" in run.output
    assert f"{SECOND} (Toko Dua): deleted" in run.output and "1 of 2 devices failed" in run.output
    assert list(shops.devices()) == [FIRST] and shops.writes() == ["/delete-device"] * 2


SHOP, BANK = "0811111111", "62811111111"


@pytest.fixture()
def twins(world: World) -> World:
    """Return a world with two linked devices whose numbers are equivalent, and with a known code of the account."""
    world.begin(
        *(there(n, name=name, linked=True, package="Super") for n, name in ((SHOP, "shop A"), (BANK, "bank B")))
    )
    world.sandbox.set_readings(otp_scope="account")
    world.sandbox.next_otp(OTP)
    return world


@pytest.mark.weekly
@pytest.mark.parametrize("devices", [[SHOP, BANK], [BANK, SHOP], f"{SHOP}, {BANK}"])
def test_two_devices_with_equivalent_numbers_count_as_two(twins: World, devices: object) -> None:
    run = _leave(twins, devices=devices, sure=True, ask=False)
    assert "2 devices would be deleted, and decommission_max is 1" in run.output and "failed=1" in run.output
    assert twins.writes() == []


@pytest.mark.weekly
def test_one_device_in_two_spellings_counts_as_one(shops: World) -> None:
    run = _leave(shops, devices=[FIRST, "+62 812-0001-2001"], names=NAMES)
    assert "waiting for its code" in run.output and shops.writes() == ["/disconnect", "/delete-device"]


@pytest.mark.weekly
def test_code_is_used_only_for_device_with_its_spelling(twins: World) -> None:
    assert twins.run_task(_ask_for_code(BANK)).changed
    twins.calls()
    run = _leave(twins, devices=[SHOP, BANK], sure=True, ask=False, max=2, otps={BANK: OTP})
    assert f"{BANK} (bank B): deleted" in run.output and list(twins.devices()) == [SHOP]
    assert f"{SHOP} (shop A): disconnected, and waiting for its code" in run.output


@pytest.mark.weekly
def test_code_of_equivalent_number_is_not_used(twins: World) -> None:
    assert twins.run_task(_ask_for_code(BANK)).changed
    run = _leave(twins, devices=[SHOP], sure=True, ask=False, otps={BANK: OTP})
    assert "waiting for its code" in run.output and list(twins.devices()) == [SHOP, BANK]


@pytest.mark.weekly
def test_name_confirms_only_device_with_its_spelling(twins: World) -> None:
    run = _leave(twins, devices=[BANK], ask=False, names={SHOP: "bank B"})
    assert f"{BANK} has another name than the one that was typed" in run.output and twins.writes() == []
    run = _leave(twins, devices=[BANK], ask=False, names={SHOP: "shop A", BANK: "bank B"})
    assert f"{BANK} (bank B): disconnected" in run.output and twins.writes() == ["/disconnect", "/delete-device"]


@pytest.mark.weekly
@pytest.mark.parametrize(
    "variables",
    [
        {"devices": ["+62 (0)811111111"]},
        {"devices": [SHOP], "names": {"0062 811111111": "shop A"}},
        {"devices": [SHOP], "otps": {"0062 811111111": OTP}},
    ],
)
def test_spelling_that_matches_two_devices_is_refused(twins: World, variables: dict[str, object]) -> None:
    run = _leave(twins, sure=True, ask=False, max=9, **variables)
    assert f"These numbers are more than one device of the account: {SHOP} and {BANK}." in run.reported[-1].message
    assert "failed=1" in run.output and twins.writes() == []


@pytest.mark.weekly
@pytest.mark.parametrize(
    "variables",
    [
        {"names": {FIRST: NAMES[FIRST], "+62 812-0001-2001": "Toko Dua"}},
        {"otps": {FIRST: OTP, "6281200012001": WRONG_OTP}},
    ],
)
def test_two_names_or_codes_of_one_device_are_refused(shops: World, variables: dict[str, object]) -> None:
    run = _leave(shops, sure=True, **variables)
    assert "has two spellings of one device's number" in run.reported[-1].message
    assert "failed=1" in run.output and shops.writes() == []


def _ask_for_code(number: str) -> Task:
    """Return a task that requests a code for a deletion."""
    return device(device=number, state="absent", request_otp=True)


def test_terminal_prompts_for_name_and_code(shops: World) -> None:
    """The terminal does not show the code."""
    output = at_a_terminal(
        shops,
        "decommission",
        ["-e", f"decommission_devices={FIRST}"],
        [
            (f"Device {FIRST} will be deleted. Type its name", lambda: NAMES[FIRST]),
            ("A code for the deletion of device", lambda: OTP),
        ],
    )
    assert f"{FIRST} (Toko Satu): deleted" in output and "failed=0" in output
    assert OTP not in output and list(shops.devices()) == [SECOND]


def test_abort_at_prompt_for_code_leaves_the_next_device_alone(world: World) -> None:
    """A person who aborts has a reason: the phone of the next client must stay connected."""
    world.begin(*(there(number, name=name, linked=True, package="Super") for number, name in NAMES.items()))
    output = at_a_terminal(
        world,
        "decommission",
        ["-e", f"decommission_devices={FIRST},{SECOND}", "-e", "decommission_max=2"],
        [
            (f"Device {FIRST} will be deleted", lambda: NAMES[FIRST]),
            (f"Device {SECOND} will be deleted", lambda: NAMES[SECOND]),
            (f"A code for the deletion of device {FIRST}", lambda: "\x03"),
            ("to abort", lambda: "a"),
        ],
    )
    assert f"Aborted at the prompt for device {FIRST}" in " ".join(output.split())
    assert world.writes() == ["/disconnect", "/delete-device"] and world.sandbox.device(SECOND)["linked"]


@pytest.mark.weekly
@pytest.mark.parametrize("given", [True, False])
def test_digits_stay_strings_with_native_types(given: bool, sandbox: Sandbox, tmp_path: Path) -> None:
    """With jinja2_native, older cores convert a template that yields only digits to an integer."""
    world, number, code = World(sandbox, Player(tmp_path, sandbox, CORES["oldest"])), "62" + FIRST[1:], "147193"
    world.begin(there(number, name=NAMES[FIRST]))
    sandbox.next_otp(code)
    if given:
        for otps in ({}, {FIRST: code}):
            path = tmp_path / "variables.json"
            given_now = {"devices": FIRST, "names": {FIRST: NAMES[FIRST]}, "otps": otps}
            path.write_text(json.dumps({f"decommission_{name}": value for name, value in given_now.items()}))
            env = {"FONNTE_ACCOUNT_TOKEN": ACCOUNT, "ANSIBLE_JINJA2_NATIVE": "true"}
            output = world.player.play_by_name("decommission", "-e", f"@{path}", env=env).output
    else:
        answers = [("Type its name", lambda: NAMES[FIRST]), ("A code for the deletion of device", lambda: code)]
        words = ["-e", f"decommission_devices={FIRST}"]
        output = at_a_terminal(world, "decommission", words, answers, more={"ANSIBLE_JINJA2_NATIVE": "true"})
    assert f"{number} (Toko Satu): deleted" in output and "failed=0" in output, output
    assert world.devices() == {}


@pytest.mark.weekly
def test_name_of_digits_confirms_with_native_types(sandbox: Sandbox, tmp_path: Path) -> None:
    world = World(sandbox, Player(tmp_path, sandbox, CORES["oldest"]))
    world.begin(there("62" + FIRST[1:], name="2024"))
    path = tmp_path / "variables.json"
    given = {"decommission_devices": [FIRST], "decommission_names": {FIRST: "2024"}}
    path.write_text(json.dumps(given), encoding="utf-8")
    env = {"FONNTE_ACCOUNT_TOKEN": ACCOUNT, "ANSIBLE_JINJA2_NATIVE": "true"}
    output = world.player.play_by_name("decommission", "-e", f"@{path}", env=env).output
    assert "waiting for its code" in output and "failed=0" in output, output


@pytest.mark.weekly
def test_null_does_not_confirm_a_device_named_none(world: World) -> None:
    world.begin(there(FIRST, name="None"))
    run = _leave(world, ask=False, names={FIRST: None})
    assert "has another name" in run.output and world.writes() == []


@pytest.mark.weekly
def test_wrong_name_at_terminal_is_refused(shops: World) -> None:
    output = at_a_terminal(
        shops,
        "decommission",
        ["-e", f"decommission_devices={FIRST}"],
        [(f"Device {FIRST} will be deleted. Type its name", lambda: NAMES[SECOND])],
    )
    assert "has another name than the one that was typed" in output and shops.writes() == []


def test_device_renumbered_during_prompt_for_code_is_not_deleted(shops: World) -> None:
    """By then, its number belongs to a device that was not confirmed, which a code of the account would delete."""
    shops.sandbox.set_readings(otp_scope="account")

    def renumber_and_type_code() -> str:
        shops.sandbox.edit(FIRST, device=GONE)
        shops.sandbox.edit(SECOND, device=FIRST)
        return OTP

    output = at_a_terminal(
        shops,
        "decommission",
        ["-e", f"decommission_devices={FIRST}"],
        [
            (f"Device {FIRST} will be deleted. Type its name", lambda: NAMES[FIRST]),
            ("A code for the deletion of device", renumber_and_type_code),
        ],
    )
    assert "are not one device" in " ".join(output.split()) and "failed=1" in output
    assert sorted(device["name"] for device in shops.devices().values()) == sorted(NAMES.values())
