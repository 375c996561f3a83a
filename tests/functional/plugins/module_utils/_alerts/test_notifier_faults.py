# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each fault of tests/fault_injection at each request of an alert: a warning or a sent alert, within the time limit."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.fonnte.whatsapp.plugins.module_utils._alerts.notifier import NOTIFY, Notifier
from ansible_collections.fonnte.whatsapp.plugins.module_utils._alerts.outcome import Failure, Outcome
from ansible_collections.fonnte.whatsapp.plugins.module_utils._inventory.account import ACCOUNT
from ansible_collections.fonnte.whatsapp.tests.fault_injection.request_faults import ELSEWHERE, FAULTS, Fault
from ansible_collections.fonnte.whatsapp.tests.sandbox.driver import Sandbox

SENDER, GROUP = "081200000001", {"id": "120363042012345678@g.us", "name": "Gudang"}
TOKEN, DEVICE_TOKEN = "account-token-for-alerts", "device-token-for-alerts"
FAILED = Outcome("site.yml", hosts=1, failed=("web1",), failures=(Failure("web1", "Deploy", "it broke"),))
# The requests of an alert to a group that its target names.
REQUESTS = ("/get-devices", "/get-whatsapp-group", "/send")
# Time limits in seconds. A slow fault uses all of the first one; the second one is longer than any delay of a test.
SLOW_LIMIT, LIMIT = 1.0, 600.0
REFUSED = Fault("connection refused", "refuse", "before")
CELLS = [
    pytest.param(
        path,
        fault,
        times,
        id=f"{path}: {fault.name}, {'always' if times is None else 'once'}",
        marks=[pytest.mark.long] if fault.slow else [],
    )
    for path in REQUESTS
    for fault in (REFUSED, *FAULTS)
    # A slow fault uses the whole time limit the first time.
    for times in ((1,) if fault.slow else (1, None))
    if not fault.then_away and (fault.paths is None or path in fault.paths)
]


@pytest.fixture(scope="module")
def elsewhere() -> t.Iterator[Sandbox]:
    """Yield a server that must not receive requests."""
    with Sandbox() as sandbox:
        yield sandbox


def notifier(sandbox: Sandbox, limit: float) -> Notifier:
    """Return a notifier that retries without a delay, on an account with a linked device whose phone has a group."""
    device = {"number": SENDER, "name": "Toko Satu", "linked": True, "package": "Super", "token": DEVICE_TOKEN}
    groups = {"groups": [GROUP], "fetched_groups": [GROUP], "groups_fetched": True}
    sandbox.reset(accounts=[{"token": TOKEN, "devices": [{**device, **groups}]}])
    defaults = {option: row.get("default") for option, row in {**ACCOUNT, **NOTIFY}.items()}
    params = {"api_endpoint": sandbox.url, "account_token": TOKEN, "api_retries": 1, "api_retry_max_delay": 0}
    options = {"notify_device": SENDER, "notify_target": ["group:Gudang"], "notify_timeout": limit}
    return Notifier({**defaults, **params, **options}, {})


@pytest.mark.parametrize(("path", "fault", "times"), CELLS)
def test_fault_ends_in_a_warning_or_a_sent_alert(
    sandbox: Sandbox, elsewhere: Sandbox, path: str, fault: Fault, times: int | None
) -> None:
    made = notifier(sandbox, SLOW_LIMIT if fault.slow else LIMIT)
    args = {key: elsewhere.url + path if value == ELSEWHERE else value for key, value in fault.args.items()}
    sandbox.fault(fault.kind, path=path, when=fault.when, times=times, args=args)
    # A slow fault lasts longer than any test, so the time limit must end it.
    warning = made.send(FAILED)
    sent = len(sandbox.outbox())
    if not warning:
        assert sent == 1
    elif warning.startswith("The alert about site.yml was not sent. "):
        assert sent == 0, warning
    else:
        assert warning.startswith("It is not known whether the alert about site.yml was sent. "), warning
        assert path == "/send"
    assert warning.isprintable() and TOKEN not in warning and DEVICE_TOKEN not in warning
    assert elsewhere.journal() == []
