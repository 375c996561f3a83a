# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet in several accounts: the order of previews and runs, and the limits over all of them."""

from __future__ import annotations

import threading
import typing as t

import pytest

from ansible_collections.fonnte.whatsapp.plugins.module_utils._fleet.accounts import (
    HAS_WORK,
    AccountsOptions,
    reconcile_accounts,
)

Json = dict[str, t.Any]
NO_LIMITS: dict[str, int | None] = {"max_create": None, "max_clear": 3, "max_disconnect": 3}


def account(name: str) -> Json:
    return {"name": name, "devices": [{"device": "081200000001"}], "owners": {}, "clients": []}


def result(**counts: int) -> Json:
    operations = [name for name, key in (("create", "created"), ("disconnect", "disconnected")) if counts.get(key)]
    device = {"number": "081200000001", "operations": operations, "device": {"name": "Toko"}}
    device["evidence"] = {"webhook": {"source": "recorded"}}
    summary = {"created": 0, "updated": 0, "disconnected": 0, "unchanged": 0, "cleared": 0, **counts}
    summary["cleared_devices"] = ["081200000001"] if counts.get("cleared") else []
    return {"changed": True, "summary": summary, "devices": [device]}


class Runner:
    """Runs accounts, and records the calls."""

    def __init__(self, results: t.Mapping[tuple[str, bool], Json] | None = None) -> None:
        self.calls: list[tuple[str, bool]] = []
        self.limits: dict[tuple[str, bool], t.Mapping[str, int] | None] = {}
        self._results = results or {}
        self._lock = threading.Lock()

    def __call__(self, one: t.Mapping[str, t.Any], preview: bool, limits: t.Mapping[str, int] | None) -> Json:
        with self._lock:
            self.calls.append((one["name"], preview))
            self.limits[one["name"], preview] = limits
        return self._results.get((one["name"], preview), result(created=1))


def test_single_account_is_run_without_a_preview() -> None:
    run = Runner()
    ended = reconcile_accounts([account("a")], run, AccountsOptions(NO_LIMITS))
    assert run.calls == [("a", False)] and ended["failures"] == []
    assert ended["summary"]["counts"]["created"] == 1


def test_single_account_in_check_mode() -> None:
    run = Runner()
    reconcile_accounts([account("a")], run, AccountsOptions(NO_LIMITS, check_mode=True))
    assert run.calls == [("a", True)]


def test_all_accounts_are_previewed_before_the_first_run() -> None:
    run = Runner()
    reconcile_accounts([account("a"), account("b")], run, AccountsOptions(NO_LIMITS))
    assert sorted(run.calls[:2]) == [("a", True), ("b", True)]
    assert sorted(run.calls[2:]) == [("a", False), ("b", False)]


UNCHANGED: Json = {**result(unchanged=1), "changed": False}


def test_account_with_nothing_to_change_is_not_run_after_its_preview() -> None:
    run = Runner({("a", True): UNCHANGED, ("a", False): result(updated=1)})
    ended = reconcile_accounts([account("a"), account("b")], run, AccountsOptions(NO_LIMITS))
    assert run.calls[2:] == [("b", False)]
    assert ended["results"] == [UNCHANGED, result(created=1)]


def test_account_with_nothing_to_change_is_run_if_each_account_must_be() -> None:
    run = Runner({("a", True): UNCHANGED, ("b", True): UNCHANGED})
    reconcile_accounts([account("a"), account("b")], run, AccountsOptions(NO_LIMITS, run_unchanged=True))
    assert sorted(run.calls[2:]) == [("a", False), ("b", False)]


def test_order_of_results_and_stop_with_an_unchanged_account_between() -> None:
    run = Runner({("b", True): UNCHANGED, ("a", False): {"failed": True, "msg": "refused"}})
    accounts = [account("a"), account("b"), account("c")]
    ended = reconcile_accounts(accounts, run, AccountsOptions(NO_LIMITS, stop=True))
    assert run.calls[3:] == [("a", False)]
    assert ended["results"] == [{"failed": True, "msg": "refused"}, UNCHANGED, {}]


def test_check_mode_of_several_accounts_is_their_preview() -> None:
    run = Runner()
    ended = reconcile_accounts([account("a"), account("b")], run, AccountsOptions(NO_LIMITS, check_mode=True))
    assert sorted(run.calls) == [("a", True), ("b", True)]
    assert "Expected result of a run: 2 created" in ended["summary"]["text"][0]


@pytest.mark.parametrize("check_mode", [True, False])
def test_failed_preview_prevents_every_run(check_mode: bool) -> None:
    run = Runner({("b", True): {"failed": True, "msg": "unknown user"}})
    options = AccountsOptions(NO_LIMITS, check_mode=check_mode)
    ended = reconcile_accounts([account("a"), account("b")], run, options)
    assert all(preview for _name, preview in run.calls)
    assert ended["failures"] == ["Account b: unknown user"] and ended["summary"]["text"] == []


@pytest.mark.parametrize(
    ("option", "counts", "what"),
    [
        ("max_create", {"created": 2}, "create 4 devices"),
        ("max_disconnect", {"disconnected": 2}, "disconnect 4 devices"),
        ("max_clear", {"cleared": 2}, "clear webhooks of 4 devices"),
    ],
)
def test_limits_apply_to_the_sum_over_all_accounts(option: str, counts: dict[str, int], what: str) -> None:
    two = result(**counts)
    run = Runner({("a", True): two, ("b", True): two})
    accounts = [account("a"), account("b")]
    ended = reconcile_accounts(accounts, run, AccountsOptions({**NO_LIMITS, option: 3}, prefix="fleet_"))
    assert ended["failures"] == [
        f'The run would {what} in 2 accounts, and fleet_{option} is 3: 081200000001 "Toko", 081200000001 "Toko". Check the '
        f"list; if this is intended, set -e fleet_{option}=4 (nothing was changed)."
    ]
    assert all(preview for _name, preview in run.calls) and ended["results"] == []
    assert reconcile_accounts(accounts, run, AccountsOptions({**NO_LIMITS, option: 4}))["failures"] == []


def test_limits_count_where_the_result_lists_no_devices() -> None:
    two = {**result(created=2), "devices": []}
    run = Runner({("a", True): two, ("b", True): two})
    options = AccountsOptions({**NO_LIMITS, "max_create": 3})
    (failure,) = reconcile_accounts([account("a"), account("b")], run, options)["failures"]
    assert failure.startswith("The run would create 4 devices in 2 accounts, and max_create is 3. Check the list")


def test_an_empty_webhook_without_a_record_is_not_reported_as_clearing() -> None:
    two = result(cleared=2)
    two["devices"][0]["evidence"] = {"webhook": {"source": "none"}, "name": {"source": "service"}}
    two["devices"] = two["devices"] * 2
    run = Runner({("a", True): two, ("b", True): two})
    options = AccountsOptions({**NO_LIMITS, "max_clear": 3}, prefix="fleet_")
    (failure,) = reconcile_accounts([account("a"), account("b")], run, options)["failures"]
    assert failure.startswith("This control node has no record of 4 devices in 2 accounts")
    assert "would clear" not in failure and "-e fleet_max_clear=4" in failure


@pytest.mark.parametrize("stop", [True, False])
def test_other_accounts_run_after_a_failure_unless_stop_is_set(stop: bool) -> None:
    run = Runner({("a", False): {"failed": True, "msg": "no"}})
    accounts = [account("a"), account("b"), account("c")]
    ended = reconcile_accounts(accounts, run, AccountsOptions(NO_LIMITS, stop=stop))
    assert sorted(name for name, preview in run.calls if not preview) == (["a"] if stop else ["a", "b", "c"])
    assert ended["failures"] == ["Account a: no"]
    assert (ended["results"][1:] == [{}, {}]) is stop


def test_unchanged_account_is_named_because_another_one_was_changed() -> None:
    text = "Managing the fleet: the account has devices that are not declared: 081; declare them (nothing was changed)."
    failed = {"failed": True, "msg": text}
    accounts = [account("a"), account("b")]
    (failure,) = reconcile_accounts(accounts, Runner({("a", False): failed}), AccountsOptions(NO_LIMITS))["failures"]
    assert failure == f"Account a: {text.replace('(nothing was changed)', '(nothing was changed in account a)')}"
    # A preview fails before any account is changed, and a single account is the whole run.
    (failure,) = reconcile_accounts(accounts, Runner({("a", True): failed}), AccountsOptions(NO_LIMITS))["failures"]
    assert failure == f"Account a: {text}"
    (failure,) = reconcile_accounts(accounts[:1], Runner({("a", False): failed}), AccountsOptions(NO_LIMITS))[
        "failures"
    ]
    assert failure == text


def test_accounts_can_run_one_after_another() -> None:
    run = Runner()
    reconcile_accounts([account("a"), account("b")], run, AccountsOptions(NO_LIMITS, at_a_time=1))
    assert run.calls == [("a", True), ("b", True), ("a", False), ("b", False)]


def test_reasons_of_devices_are_reported_once() -> None:
    devices = [{"number": "081", "status": "failed", "msg": "why", "operations": []}]
    failed = {**result(), "failed": True, "msg": "of 1 devices 1 failed (why)", "devices": devices}
    ended = reconcile_accounts([account("a")], Runner({("a", False): failed}), AccountsOptions(NO_LIMITS))
    assert ended["failures"] == [("1 device failed, see above. A second run repeats no completed operation.")]
    assert "Failed (1): 081: why" in ended["summary"]["text"]


def test_run_of_an_account_is_limited_to_its_preview() -> None:
    run = Runner({("b", True): result(created=0, cleared=2)})
    reconcile_accounts([account("a"), account("b")], run, AccountsOptions(NO_LIMITS))
    assert run.limits["a", False] == {"max_create": 1, "max_clear": 0, "max_disconnect": 0}
    assert run.limits["b", False] == {"max_create": 0, "max_clear": 2, "max_disconnect": 0}
    assert set((run.limits["a", True] or {}).values()) == {10**9}
    reconcile_accounts([account("a")], run, AccountsOptions(NO_LIMITS))
    assert run.limits["a", False] is None


def test_account_with_something_to_record_is_run() -> None:
    """A stamp of another control node that proves a value is no change, and must reach the record."""
    unchanged = {**result(), "changed": False}
    run = Runner({("a", True): {**unchanged, HAS_WORK: True}, ("b", True): {**unchanged, HAS_WORK: False}})
    reconcile_accounts([account("a"), account("b")], run, AccountsOptions(NO_LIMITS))
    assert run.calls[2:] == [("a", False)]


@pytest.mark.parametrize("preview", [True, False])
def test_interruption_is_passed_on_to_the_accounts_in_progress(preview: bool) -> None:
    """A timeout of the task and Ctrl-C reach only the thread that waits."""
    begun, interrupted, finished = threading.Event(), threading.Event(), threading.Event()

    def run(one: Json, ahead: bool, _limits: t.Mapping[str, int] | None) -> Json:
        if ahead is not preview:
            return result(created=1)
        if one["name"] == "a":
            begun.wait(60)
            raise KeyboardInterrupt
        begun.set()
        assert interrupted.wait(60)
        finished.set()
        return result(created=1)

    options = AccountsOptions(NO_LIMITS, interrupt=interrupted.set)
    with pytest.raises(KeyboardInterrupt):
        reconcile_accounts([account("a"), account("b")], run, options)
    assert finished.wait(60)
