# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Reconcile a fleet in several accounts: preview all, check the safety limits over all, then apply concurrently."""

from __future__ import annotations

import concurrent.futures
import typing as t
from dataclasses import dataclass

from .._common.errors import limit_scope
from .limit_checks import exceeded_limit
from .limits import MAX_CLEAR, MAX_CREATE, MAX_DISCONNECT
from .summary import FAILED, Result, summarize

# Each account has its own workers and its own connections.
MAX_ACCOUNTS_AT_A_TIME = 8

# The safety limits, and the figures of a summary that count for them.
LIMITS = {MAX_CREATE: "created", MAX_CLEAR: "cleared", MAX_DISCONNECT: "disconnected"}


# Runs fonnte_fleet on an account and returns its result, with ``failed`` and ``msg`` after a failure. The arguments are
# the account, whether it is a preview, and the limits of this account; None for the limits of the user.
# A preview also has HAS_WORK, whether the account must be run: a proof for the record is work, and no change.
HAS_WORK = "has_work"
Runner = t.Callable[[Result, bool, t.Optional[t.Mapping[str, int]]], Result]
NO_LIMIT = 10**9


@dataclass(frozen=True)
class AccountsOptions:
    """Options for the reconciliation of several accounts.

    Attributes:
        limits: The safety limits by the names of their options; None for no limit.
        prefix: The prefix of option names in messages, such as ``fleet_`` for variables of the role.
        stop: Whether to begin no further account after a failure. The accounts are then reconciled one after another.
        at_a_time: The number of accounts to reconcile at a time.
        check_mode: Whether the run is in check mode.
        run_unchanged: Whether to run an account with nothing to do after its preview, too.
        interrupt: Called if the run is interrupted, such as by the timeout of the task: an account in progress must
            begin no further device.
    """

    limits: t.Mapping[str, int | None]
    prefix: str = ""
    stop: bool = False
    at_a_time: int = MAX_ACCOUNTS_AT_A_TIME
    check_mode: bool = False
    run_unchanged: bool = False
    interrupt: t.Callable[[], None] = lambda: None

    def must_run(self, preview: Result) -> bool:
        """Return whether an account must be run after its preview."""
        return self.run_unchanged or bool(preview.get("changed") or preview.get(HAS_WORK))


def reconcile_accounts(accounts: t.Sequence[Result], run: Runner, options: AccountsOptions) -> dict[str, t.Any]:
    """Reconcile the devices of all accounts.

    Nothing is written before all accounts were previewed and their sums are within the safety limits.

    Args:
        accounts: The accounts, as ``Account.as_data()`` returns them.
        run: Runs one account.
        options: The options.

    Returns:
        ``results``, one for each account in the same order; ``summary``, the result of ``summarize``;
        ``failures``, a sentence for each failure.
    """
    if len(accounts) > 1:
        # The limits count for all accounts together, below.
        unlimited = [dict.fromkeys(LIMITS, NO_LIMIT)] * len(accounts)
        previews = _run_all(accounts, run, True, options, unlimited)
        problems = _preview_problems(accounts, previews, options)
        if problems:
            reported = summarize(accounts, [{} for _account in accounts], predicted=True)
            return {"results": [], "summary": {**reported, "text": []}, "failures": problems}
        if options.check_mode:
            return _ended(accounts, previews, options)
        return _ended(accounts, _apply(accounts, run, options, previews), options)
    return _ended(accounts, _run_all(accounts, run, options.check_mode, options, [None] * len(accounts)), options)


def _apply(
    accounts: t.Sequence[Result], run: Runner, options: AccountsOptions, previews: t.Sequence[Result]
) -> list[Result]:
    """Run the accounts that have something to do, and return the result of each account."""
    work = [(account, preview) for account, preview in zip(accounts, previews) if options.must_run(preview)]
    # The user's limits were checked against the previews, so no account may exceed its preview.
    limits = [_planned(account, preview) for account, preview in work]
    applied = iter(_run_all([account for account, _preview in work], run, False, options, limits))
    # With nothing to do, the preview is the result: a run would read the same again.
    return [next(applied) if options.must_run(preview) else preview for preview in previews]


def _planned(account: Result, preview: Result) -> dict[str, int]:
    counts = summarize([account], [preview], predicted=True)["counts"]
    return {option: counts[key] for option, key in LIMITS.items()}


def _ended(accounts: t.Sequence[Result], results: list[Result], options: AccountsOptions) -> dict[str, t.Any]:
    several = len(accounts) > 1
    failures = [
        _failure(result, account["name"] if several else "")
        for account, result in zip(accounts, results)
        if result.get("failed")
    ]
    return {"results": results, "summary": summarize(accounts, results, options.check_mode), "failures": failures}


def _failure(result: Result, account: str) -> str:
    """Return the sentence for an account that failed. The summary has the reasons of its devices, each once.

    Args:
        result: The result of the account.
        account: Its name, if other accounts may have been changed; empty otherwise.
    """
    failed = sum(device.get("status") in FAILED for device in result.get("devices", ()))
    if not failed:
        text = str(result["msg"])
        return f"Account {account}: {limit_scope(text, f'in account {account}')}" if account else text
    devices = "device" if failed == 1 else "devices"
    return f"{failed} {devices} failed, see above. A second run repeats no completed operation."


def _run_all(
    accounts: t.Sequence[Result],
    run: Runner,
    preview: bool,
    options: AccountsOptions,
    limits: t.Sequence[t.Mapping[str, int] | None],
) -> list[Result]:
    """Return the result of each account; an empty dictionary for an account that was not begun."""
    if options.at_a_time > 1 and len(accounts) > 1 and (preview or not options.stop):
        return run_concurrently(
            lambda account, own: run(account, preview, own),
            accounts,
            limits,
            at_a_time=options.at_a_time,
            interrupt=options.interrupt,
        )
    results: list[Result] = []
    for account, own in zip(accounts, limits):
        stopped = options.stop and not preview and any(result.get("failed") or not result for result in results)
        results.append({} if stopped else run(account, preview, own))
    return results


def run_concurrently(
    run: t.Callable[..., Result], *columns: t.Iterable[t.Any], at_a_time: int, interrupt: t.Callable[[], None]
) -> list[Result]:
    """Return the results of a function for each row of its arguments, in their order.

    An interruption reaches only the thread that waits here. ``interrupt`` passes it on, and the error is raised without
    waiting for the other threads. The process still ends after them, because Python joins them at exit.
    """
    pool = concurrent.futures.ThreadPoolExecutor(at_a_time)
    try:
        results = list(pool.map(run, *columns))
    except BaseException as fault:
        interrupt()
        pool.shutdown(wait=isinstance(fault, Exception))
        raise
    pool.shutdown()
    return results


def _preview_problems(
    accounts: t.Sequence[Result], previews: t.Sequence[Result], options: AccountsOptions
) -> list[str]:
    failed = [
        f"Account {account['name']}: {preview['msg']}"
        for account, preview in zip(accounts, previews)
        if preview.get("failed")
    ]
    return failed or list(_exceeded(accounts, previews, options))


def _exceeded(accounts: t.Sequence[Result], previews: t.Sequence[Result], options: AccountsOptions) -> t.Iterator[str]:
    where = f" in {len(accounts)} accounts"
    counts = summarize(accounts, previews, predicted=True)["counts"]
    for option, key in LIMITS.items():
        limit, name, count = options.limits.get(option), options.prefix + option, counts[key]
        if limit is None or count <= limit:
            continue
        # With ``result: summary`` there are none.
        devices = [device for preview in previews for device in _counted(preview, option)]
        lacking = sum(_lacks_record(device) for device in devices)
        problem = exceeded_limit(option, name, limit, count, [_label(device) for device in devices], lacking, where)
        remedy = f"-e {name}={count}" if options.prefix else f"{name}: {count}"
        yield f"{problem[0].upper()}{problem[1:]}. Check the list; if this is intended, set {remedy} (nothing was changed)."


_OPERATIONS = {MAX_CREATE: "create", MAX_DISCONNECT: "disconnect"}


def _counted(preview: Result, option: str) -> t.Iterator[Result]:
    """Yield the devices of a preview that count for a limit."""
    cleared = set(preview.get("summary", {}).get("cleared_devices", ()))
    for device in preview.get("devices", ()):
        if _OPERATIONS[option] in device["operations"] if option in _OPERATIONS else device["number"] in cleared:
            yield device


def _lacks_record(device: Result) -> bool:
    return all(one["source"] in ("none", "service") for one in device["evidence"].values())


def _label(device: Result) -> str:
    facts = device.get("device") or {}
    name = facts.get("name")
    return f'{device["number"]} "{name}"' if name else str(device["number"])
