# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""fonnte_number_info: each number gets the answer of the service, in the user's spelling and order, or none."""

from __future__ import annotations

import threading
import typing as t
from pathlib import Path

import pytest

from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.errors import (
    FonnteError,
    OptionError,
    RecordLockedError,
    RefusedError,
    UnexpectedResponseError,
)
from ansible_collections.fonnte.whatsapp.plugins.module_utils._contacts import number_check as _number_check
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.store import RecordStore
from ansible_collections.fonnte.whatsapp.tests.control_node import Controller

DEVICE, OTHER = "081200000001", "081200000002"
ONE, TWO = "081200002001", "081200002002"
VARIANTS = ["international", "verbatim"]


@pytest.fixture
def phones(controller: Controller) -> Controller:
    devices = [
        {"number": DEVICE, "name": "Toko Satu", "linked": True},
        {"number": OTHER, "name": "Toko Dua"},
    ]
    controller.sandbox.reset(accounts=[{"token": controller.sandbox.account_token, "devices": devices}])
    controller.sandbox.without_whatsapp(TWO)
    return controller


def validate(controller: Controller, numbers: t.Any, check: bool = False, **params: t.Any) -> dict[str, t.Any]:
    report = controller.run("number_info", check, **{"device": DEVICE, "numbers": numbers, **params})
    assert report.result["changed"] is False
    return report.result


def requests(controller: Controller) -> list[dict[str, t.Any]]:
    return [entry for entry in controller.sandbox.journal() if entry["path"] == "/validate"]


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("check", [False, True])
def test_each_number_is_answered_as_written_and_in_order(phones: Controller, variant: str, check: bool) -> None:
    phones.sandbox.set_readings(validate_numbers=variant)
    numbers = ["+62 812-0000-2002", 6281200002001, ONE, "0062 812 0000 2003", "+65 6123 4567"]
    result = validate(phones, numbers, check)
    written = [str(number) for number in numbers]
    assert result == {
        "changed": False,
        "device": DEVICE,
        "registered": written[1:],
        "not_registered": written[:1],
        "unanswered": [],
        "results": [
            {"number": written[0], "international": "6281200002002", "registered": False},
            {"number": written[1], "international": "6281200002001", "registered": True},
            {"number": written[2], "international": "6281200002001", "registered": True},
            {"number": written[3], "international": "6281200002003", "registered": True},
            {"number": written[4], "international": "6561234567", "registered": True},
        ],
    }
    # Two spellings of a number are sent once.
    (sent,) = requests(phones)
    assert sent["form"] == {"target": "6281200002002,6281200002001,6281200002003,6561234567"}
    assert phones.sandbox.writes() == []


@pytest.mark.parametrize("variant", VARIANTS)
def test_country_code_replaces_the_zero(phones: Controller, variant: str) -> None:
    phones.sandbox.set_readings(validate_numbers=variant)
    result = validate(phones, ["0123456789", "0812-0000-2002"], country_code="60")
    assert [one["international"] for one in result["results"]] == ["60123456789", "6081200002002"]
    assert result["registered"] == ["0123456789", "0812-0000-2002"]
    assert requests(phones)[0]["form"] == {"target": "60123456789,6081200002002", "countryCode": "60"}


@pytest.mark.parametrize("variant", VARIANTS)
def test_country_code_0_sends_the_digits(phones: Controller, variant: str) -> None:
    phones.sandbox.set_readings(validate_numbers=variant)
    result = validate(phones, [TWO, "81200002001"], country_code="0")
    assert result["not_registered"] == [TWO] and result["registered"] == ["81200002001"]
    assert requests(phones)[0]["form"] == {"target": f"{TWO},81200002001", "countryCode": "0"}


@pytest.mark.parametrize(
    ("count", "sizes"), [(0, []), (1, [1]), (500, [500]), (501, [500, 1]), (1203, [500, 500, 203])]
)
def test_numbers_are_sent_500_at_a_time(phones: Controller, count: int, sizes: list[int]) -> None:
    numbers = [f"0812{index:08}" for index in range(count)]
    phones.sandbox.without_whatsapp(*numbers[1::2])
    result = validate(phones, numbers)
    assert result["registered"] == numbers[::2] and result["not_registered"] == numbers[1::2]
    assert [one["number"] for one in result["results"]] == numbers
    assert [len(entry["form"]["target"].split(",")) for entry in requests(phones)] == sizes


def test_invalid_numbers_are_refused_before_any_request(phones: Controller) -> None:
    with pytest.raises(OptionError, match=r"Option numbers\[1\]: it has 4 digits"):
        validate(phones, [ONE, "0812"])
    bad = [ONE, "0812", "1234@g.us", 2155543210 // 100, "81200002001", None, 62.0]
    with pytest.raises(OptionError) as caught:
        validate(phones, bad)
    text = str(caught.value)
    assert "6 items are not valid: numbers[1]: it has 4 digits" in text
    assert all(f"numbers[{index}]: " in text for index in range(1, 7)) and "numbers[0]" not in text
    with pytest.raises(OptionError, match="and 90 more") as caught:
        validate(phones, ["x"] * 100)
    assert len(str(caught.value)) < 1000
    assert phones.sandbox.journal() == []


def test_single_number_that_lost_its_zero_is_refused(phones: Controller) -> None:
    with pytest.raises(OptionError, match="quote it"):
        validate(phones, 21555432)


@pytest.mark.parametrize("value", ["62x", ""])
def test_invalid_country_code_is_refused(phones: Controller, value: str) -> None:
    with pytest.raises(OptionError, match="country_code"):
        validate(phones, [ONE], country_code=value)


@pytest.mark.parametrize("variant", ["like_send", "like_fetch"])
@pytest.mark.parametrize("by_token", [False, True])
@pytest.mark.parametrize("status", [200, 400])
def test_unlinked_device_is_a_clear_error(phones: Controller, variant: str, by_token: bool, status: int) -> None:
    phones.sandbox.set_readings(validate_unlinked=variant, refusal_status=status)
    token = phones.sandbox.device(OTHER)["token"]
    device = {"device": None, "account_token": None, "device_token": token} if by_token else {"device": OTHER}
    with pytest.raises(RefusedError, match="no phone is linked to the device; link the device first") as caught:
        validate(phones, [ONE], **device)
    assert "disconnected device" in str(caught.value) and token not in str(caught.value)
    assert caught.value.partial_result["unanswered"] == [ONE]


def test_unknown_refusal_of_a_linked_device_is_shown(phones: Controller) -> None:
    phones.sandbox.fault("status", path="/validate", code=200, body={"status": False, "reason": "not now"})
    with pytest.raises(RefusedError, match='Fonnte returned "not now"; this error is not known'):
        validate(phones, [ONE])


def test_device_that_was_unlinked_after_the_list_is_a_clear_error(phones: Controller) -> None:
    numbers = [f"0812{index:08}" for index in range(600)]
    phones.sandbox.set_readings(validate_unlinked="like_fetch")
    phones.sandbox.fault("status", path="/validate", skip=1, code=200, body={"status": False, "reason": "not now"})
    listed = phones.sandbox.device(DEVICE)
    phones.sandbox.fault(
        "status", path="/device", code=200, body={"status": True, "device": DEVICE, "device_status": "disconnect"}
    )
    assert listed["linked"]
    with pytest.raises(RefusedError, match="no phone is linked") as caught:
        validate(phones, numbers)
    # The answers of the first request are not lost.
    assert caught.value.partial_result["registered"] == numbers[:500]
    assert caught.value.partial_result["unanswered"] == numbers[500:]


# Responses


def test_missing_number_is_reported_and_not_guessed(phones: Controller) -> None:
    phones.sandbox.fault("mutate", path="/validate", set={"registered": ["6281200002001"], "not_registered": []})
    report = phones.run("number_info", device=DEVICE, numbers=[ONE, TWO])
    assert report.result["registered"] == [ONE] and report.result["not_registered"] == []
    assert report.result["unanswered"] == [TWO] and report.result["results"][1]["registered"] is None
    assert report.warnings == [f"Fonnte returned no answer for {TWO}: see unanswered."]


def test_number_that_was_not_requested_is_a_warning(phones: Controller) -> None:
    found = ["6281200002001", *(f"62813{index:08}\x1b[2J" for index in range(50))]
    phones.sandbox.fault("mutate", path="/validate", set={"registered": found})
    report = phones.run("number_info", device=DEVICE, numbers=[ONE])
    assert report.result["registered"] == [ONE]
    (warning,) = report.warnings
    assert "not requested" in warning and len(warning) < 400 and warning.isprintable()


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"registered": ["6281200002001"], "not_registered": ["6281200002001"]}, "registered and not registered"),
        ({"registered": [], "not_registered": []}, "without any of the 1 requested numbers"),
        ({"registered": ["6281999999999"], "not_registered": []}, "without any of the 1 requested numbers"),
        ({"registered": "6281200002001"}, "with a number that is not a string"),
        ({"registered": [None]}, "with a number that is not a string"),
        ({"registered": [["6281200002001"]]}, "with a number that is not a string"),
        ({"registered": None, "not_registered": None}, "without a list of registered"),
    ],
)
def test_unknown_response_is_an_error(phones: Controller, change: dict[str, t.Any], text: str) -> None:
    phones.sandbox.fault("mutate", path="/validate", set=change)
    with pytest.raises(UnexpectedResponseError, match=text):
        validate(phones, [ONE])


@pytest.mark.parametrize("omitted", ["registered", "not_registered"])
def test_one_list_may_be_omitted(phones: Controller, omitted: str) -> None:
    phones.sandbox.fault("mutate", path="/validate", remove=[omitted])
    number = TWO if omitted == "registered" else ONE
    assert validate(phones, [number])["results"][0]["registered"] is (number == ONE)


@pytest.mark.parametrize("kind", ["reset", "hang", "truncated", "html"])
def test_request_that_may_still_run_is_not_repeated(phones: Controller, kind: str) -> None:
    """A second request for the device would interfere with the first one."""
    phones.sandbox.fault(kind, path="/validate", when="after")
    with pytest.raises(FonnteError, match="wait a minute"):
        validate(phones, [ONE], api_timeout=0.3)
    assert len(requests(phones)) == 1


# One request at a time


def test_other_run_waits_for_the_lock(phones: Controller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_number_check, "LOCK_SECONDS", 0.05)
    token = phones.sandbox.device(DEVICE)["token"]
    store = RecordStore(str(phones.records), phones.sandbox.url)
    with store.lock_request(token, "validate", 0.0):
        with pytest.raises(RecordLockedError):
            validate(phones, [ONE])
        # It is the lock of one device and of no entry of the record.
        assert phones.device(DEVICE, name="Toko Baru").result["changed"]
    assert requests(phones) == []


@pytest.mark.parametrize("place", ["files", "database"])
def test_workers_never_validate_at_the_same_time(
    phones: Controller, tmp_path: Path, place: str, request: pytest.FixtureRequest
) -> None:
    """The sandbox mixes the answers of two requests that run at the same time."""
    url = request.getfixturevalue("record_url") if place == "database" else ""
    nodes = [Controller(phones.sandbox, tmp_path / str(index), url) for index in range(4)]
    for node in nodes:
        node.common.update({} if url else {"record_path": str(phones.records)})
    phones.sandbox.set_options(validate_seconds=0.05)
    start = threading.Barrier(len(nodes))
    found: dict[int, t.Any] = {}

    def work(index: int) -> None:
        numbers = [f"08120{index}{turn:06}" for turn in range(501)]
        start.wait()
        try:
            found[index] = validate(nodes[index], numbers)["registered"] == numbers
        except FonnteError as fault:
            found[index] = str(fault)

    threads = [threading.Thread(target=work, args=(index,)) for index in range(len(nodes))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == dict.fromkeys(range(len(nodes)), True)
    assert len(requests(phones)) == 2 * len(nodes)


def test_lock_is_no_entry_of_the_record(phones: Controller) -> None:
    validate(phones, [ONE])
    assert [name for name in phones.record_files() if not name.startswith("validate-")] == []
    info = phones.run("record_info").result
    assert info["unclaimed"]["count"] == 0 and info["orphans"]["count"] == 0 and info["damaged"] == []
    assert phones.device(DEVICE, name="Toko Satu", quick=True).result["changed"]


# Check mode


@pytest.mark.parametrize("device", [OTHER, "081200009999"])
def test_check_mode_warns_of_a_device_that_an_earlier_task_may_prepare(phones: Controller, device: str) -> None:
    report = phones.run("number_info", True, device=device, numbers=[ONE, TWO])
    assert report.result["unanswered"] == [ONE, TWO] and report.result["registered"] == []
    assert any("unless an earlier one creates the device or links it" in warning for warning in report.warnings)
    with pytest.raises(FonnteError):
        validate(phones, [ONE], device=device)


def test_check_mode_fails_for_other_errors(phones: Controller) -> None:
    phones.sandbox.fault("status", path="/validate", code=200, body={"status": False, "reason": "not now"})
    with pytest.raises(RefusedError):
        validate(phones, [ONE], check=True)
