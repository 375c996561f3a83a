# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Groups as targets of fonnte_message: a name is resolved to one ID, or nothing is sent."""

from __future__ import annotations

import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fonnte.whatsapp.plugins.module_utils._api.contact_requests import Group
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.errors import (
    FonnteError,
    NotFoundError,
    OptionError,
    RefusedError,
)
from ansible_collections.fonnte.whatsapp.plugins.module_utils._messages import sending as _sending
from ansible_collections.fonnte.whatsapp.plugins.module_utils._messages.group_targets import find_group, find_similar
from ansible_collections.fonnte.whatsapp.tests.control_node import Controller

SENDER, PERSON = "081200000001", "081200002001"
NAMES = {
    "1@g.us": "Gudang",
    "2@g.us": "Toko, Jakarta | 1",
    "3@g.us": PERSON,
    "4@g.us": "Kembar",
    "5@g.us": "Kembar",
    "6@g.us": "Gudang  Pusat",
    "7@g.us": "{{ lookup('pipe', 'id') }}",
    "8@g.us": "Gudang Timur\x1b[2J",
    "9@g.us": "Cafe\u0301",
    "10@g.us": "rotator#1",
}


@pytest.fixture(autouse=True)
def fetched(controller: Controller) -> None:
    """Set a linked device whose groups the service stores."""
    groups = [{"id": group_id, "name": name} for group_id, name in NAMES.items()]
    device = {"number": SENDER, "linked": True, "quota": 100, "fetched_groups": groups, "groups_fetched": True}
    controller.sandbox.reset(accounts=[{"token": controller.sandbox.account_token, "devices": [device]}])


def send(controller: Controller, target: t.Any, check: bool = False, **params: t.Any) -> dict[str, t.Any]:
    return controller.run(
        "message", check, **{"device": SENDER, "target": target, "message": "hello {name}", **params}
    ).result


def paths(controller: Controller) -> list[str]:
    return [entry["path"] for entry in controller.sandbox.journal()]


def sent(controller: Controller) -> list[str]:
    return [entry["form"]["target"] for entry in controller.sandbox.journal() if entry["path"] == "/send"]


@pytest.mark.parametrize(
    ("target", "group"),
    [
        ("group:Gudang", "1@g.us"),
        ("group: Gudang ", "1@g.us"),
        ("group:Toko, Jakarta | 1", "2@g.us"),
        (f"group:{PERSON}", "3@g.us"),
        ("group:Gudang Pusat", "6@g.us"),
        ("group:{{ lookup('pipe', 'id') }}", "7@g.us"),
        ("group:Café", "9@g.us"),
        ("group:rotator#1", "10@g.us"),
        ({"to": "group:Toko, Jakarta | 1"}, "2@g.us"),
    ],
)
@pytest.mark.parametrize("method", ["post", "get"])
def test_only_the_id_is_sent(controller: Controller, target: t.Any, group: str, method: str) -> None:
    result = send(controller, [target], method=method)
    assert sent(controller) == [group] and result["messages"][0]["target"] == group
    assert paths(controller) == ["/get-devices", "/get-whatsapp-group", "/send"]


def test_groups_and_numbers_keep_their_order_and_values(controller: Controller) -> None:
    targets = [PERSON, {"to": "group:Gudang", "name": "tim", "variables": ["x"]}, "group:Toko, Jakarta | 1"]
    send(controller, targets)
    assert sent(controller) == [f"{PERSON},1@g.us|tim|x,2@g.us"]


def test_group_by_name_and_by_id_gets_one_message(controller: Controller) -> None:
    report = controller.run(
        "message", device=SENDER, target=["group:Gudang", "1@g.us", "group:Gudang"], message="hello"
    )
    assert sent(controller) == ["1@g.us"]
    assert len(report.result["messages"]) == 1 and "more than once" in report.warnings[0]


def test_message_without_a_group_name_reads_no_groups(controller: Controller) -> None:
    send(controller, ["1@g.us", PERSON])
    assert paths(controller) == ["/get-devices", "/send"]


def test_device_token_alone_is_sufficient(controller: Controller) -> None:
    token = controller.sandbox.device(SENDER)["token"]
    send(controller, ["group:Gudang"], device=None, account_token=None, device_token=token)
    assert paths(controller) == ["/get-whatsapp-group", "/send"]


@pytest.mark.parametrize("check", [False, True])
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Gudan", 'no group "Gudan"; similar names are "Gudang"'),
        ("gudang", 'no group "gudang"; similar names are "Gudang"'),
        ("Timur", '"Gudang Timur [2J"'),
        ("Kembar", '2 groups have the name "Kembar": 4@g.us, 5@g.us, and nothing was sent; write the ID'),
        ("xyzzy", 'no group "xyzzy", and nothing was sent; write the name as in that list'),
        ("1@g.us", 'no group "1@g.us"'),
    ],
)
def test_missing_or_ambiguous_name_is_an_error(controller: Controller, name: str, text: str, check: bool) -> None:
    with pytest.raises(NotFoundError) as caught:
        send(controller, [f"group:{name}"], check)
    assert text in str(caught.value) and str(caught.value).startswith("Option target: ")
    assert str(caught.value).isprintable() and sent(controller) == []
    assert check or caught.value.partial_result["queued"] is False


def test_another_device_does_not_send_to_the_group_of_the_first(
    controller: Controller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ID of a group is valid for the device whose groups were read."""
    read = _sending.read_stored_groups

    def read_and_replace(*arguments: t.Any) -> t.Any:
        groups = read(*arguments)
        accounts = controller.sandbox.state()["accounts"]
        accounts[0]["devices"][0]["token"] = "token-of-the-next-device"
        controller.sandbox.reset(accounts=accounts)
        return groups

    monkeypatch.setattr(_sending, "read_stored_groups", read_and_replace)
    with pytest.raises(RefusedError, match="token invalid") as caught:
        send(controller, ["group:Gudang"], False)
    assert caught.value.partial_result["queued"] is False
    assert len(sent(controller)) == 1 and controller.sandbox.outbox() == []


def test_similar_names_that_differ_in_case_are_all_listed() -> None:
    groups = [Group("1@g.us", "Tim Gudang"), Group("2@g.us", "tim gudang"), Group("3@g.us", "tim gudang")]
    assert find_similar("TIM GUDANG", groups) == ["Tim Gudang", "tim gudang"]


@pytest.mark.parametrize(
    ("target", "text"),
    [
        (["group:"], "it has no name after group:"),
        (["group:  "], "it has no name after group:"),
        ([{"to": "group:Gudang", "name": "a,b"}], "a comma or a vertical bar"),
        (["group:half \ud83d"], "a character that cannot be sent"),
        # Ansible splits one string at each comma.
        ("group:Toko, Jakarta | 1", "it is one string with a comma and a group"),
        (f"{PERSON},group:Toko, {PERSON}", "it is one string with a comma and a group"),
    ],
)
def test_invalid_group_target_is_refused_before_any_request(controller: Controller, target: t.Any, text: str) -> None:
    with pytest.raises(OptionError, match=text):
        send(controller, target)
    assert paths(controller) == []


def test_check_mode_predicts_the_ids_and_sends_nothing(controller: Controller) -> None:
    result = send(controller, ["group:Gudang", PERSON], check=True)
    assert [one["target"] for one in result["messages"]] == ["1@g.us", "6281200002001"]
    assert result["diff"]["after"]["target"] == ["1@g.us", "6281200002001"]
    assert controller.sandbox.outbox() == [] and sent(controller) == []


def test_list_that_was_never_fetched_fails_and_warns_in_check_mode(controller: Controller) -> None:
    devices = [{"number": SENDER, "linked": True}]
    controller.sandbox.reset(accounts=[{"token": controller.sandbox.account_token, "devices": devices}])
    with pytest.raises(RefusedError, match="refresh: true") as caught:
        send(controller, ["group:Gudang"])
    assert "nothing was sent" in str(caught.value) and caught.value.partial_result["queued"] is False
    report = controller.run("message", True, device=SENDER, target=["group:Gudang"], message="hello")
    assert any("unless an earlier one refreshes the groups" in warning for warning in report.warnings)
    assert report.result["messages"] == [{"id": None, "target": "group:Gudang"}]
    assert not any(entry["path"] in ("/send", "/fetch-group") for entry in controller.sandbox.journal())


@pytest.mark.parametrize("kind", ["reset", "hang", "html", "truncated"])
def test_lost_list_sends_nothing_and_is_no_doubt(controller: Controller, kind: str) -> None:
    controller.sandbox.fault(kind, path="/get-whatsapp-group", times=None)
    with pytest.raises(FonnteError, match="nothing was sent") as caught:
        send(controller, ["group:Gudang"], api_timeout=0.2, api_retries=0)
    assert caught.value.partial_result["queued"] is False and sent(controller) == []


def test_lost_response_to_the_message_is_still_a_doubt(controller: Controller) -> None:
    controller.sandbox.fault("reset", path="/send", when="after")
    with pytest.raises(FonnteError) as caught:
        send(controller, ["group:Gudang"])
    assert caught.value.partial_result["queued"] is None and len(controller.sandbox.outbox()) == 1


# Names


def test_error_about_many_groups_is_bounded() -> None:
    groups = [Group(f"{index}@g.us", f"toko {index} " + "x" * 180) for index in range(50_000)]
    with pytest.raises(NotFoundError) as caught:
        find_group("toko x", groups, "target")
    assert len(str(caught.value)) < 800
    same = [Group(f"{index}@g.us", "toko") for index in range(50_000)]
    with pytest.raises(NotFoundError, match="50000 groups have the name") as caught:
        find_group("toko", same, "target")
    assert len(str(caught.value)) < 400


@given(st.lists(st.text(max_size=20), max_size=6), st.text(max_size=20))
def test_found_group_has_the_name_alone(names: list[str], wanted: str) -> None:
    groups = [Group(f"{index}@g.us", name) for index, name in enumerate(names)]
    exact = [group for group in groups if group.name == wanted]
    assert len(find_similar(wanted, groups)) <= 5
    if len(exact) == 1:
        assert find_group(wanted, groups, "target") is exact[0]
    elif exact:
        with pytest.raises(NotFoundError):
            find_group(wanted, groups, "target")
