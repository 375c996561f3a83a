# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From a device that is unlinked on its phone to the message about it; everything except Fonnte is real."""

from __future__ import annotations

import re
import signal
import socket
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from tests.sandbox.driver import Sandbox

from .conftest import SECRET, Rulebook, post

CLIENTS = [f"08120000{number}" for number in range(2001, 2022)]
OURS = ("081200001001", "081200001002")
WATCHER = "6281299990000"
DROPPED = 'event.fonnte.kind == "connect" and event.fonnte.connected == false'


def world(sandbox: Sandbox) -> None:
    """Create the clients' devices and two devices for messages, all of them linked."""
    devices = [{"number": number, "name": f"Toko {number}", "linked": True} for number in (*OURS, *CLIENTS)]
    sandbox.reset(accounts=[{"token": sandbox.account_token, "plan": "Super", "devices": devices}])
    for number in (*OURS, *CLIENTS):
        if not sandbox.device(number)["linked"]:
            sandbox.link(number)


def rulebook(source: dict[str, Any], action: dict[str, Any], **more: Any) -> list[Any]:
    """Return a rulebook for devices that drop off."""
    rule = {"name": "dropped", "condition": DROPPED, "action": action}
    return [{"name": "test", "hosts": "localhost", "sources": [source], "rules": [rule], **more}]


def wait_for_outbox(sandbox: Sandbox, count: int, within: float) -> list[Any]:
    """Wait for a number of messages, and return the outbox."""
    end = time.monotonic() + within
    while len(sandbox.outbox()) < count and time.monotonic() < end:
        time.sleep(0.1)
    return sandbox.outbox()


def test_outage_of_many_devices_sends_one_message_that_names_all(sandbox: Sandbox, start: Any) -> None:
    world(sandbox)
    senders = [OURS[0], OURS[1]]
    run: Rulebook = start(
        "fonnte.whatsapp.dropped_off",
        "--verbose",
        fonnte_events_port=0,
        dropped_off_targets=[WATCHER],
        dropped_off_senders=senders,
    )
    url = run.url()
    for number in (*OURS, *CLIENTS):
        sandbox.edit(number, webhookconnect=f"{url}/{SECRET}")
    back = CLIENTS[-1]
    for number in (*CLIENTS, OURS[0]):
        sandbox.unlink(number, reason="logged out on the telephone")
    sandbox.link(back)
    (message,) = wait_for_outbox(sandbox, 1, 60)
    assert (message["device"], message["target"]) == (OURS[1], WATCHER)
    lines = message["message"].splitlines()
    assert lines[0] == "21 of our devices dropped off WhatsApp:"
    gone = (OURS[0], *CLIENTS[:-1])
    assert sorted(lines[1:-1]) == sorted(f"- Toko {number} ({number}): logged out on the telephone" for number in gone)
    # No second message is sent, neither for webhooks that Fonnte sends again, nor at the end of the window.
    for number in gone:
        event = next(one for one in sandbox.webhooks() if one["number"] == number)
        assert post(f"{url}/{SECRET}", event["payload"]) == 200
    time.sleep(3)
    assert len(sandbox.outbox()) == 1
    counts = requests.get(f"{url}/health", timeout=60).json()
    assert (counts["taken"], counts["waiting"], counts["duplicates"]) == (23, 0, 21)
    assert sum(counts["refused"].values()) == 0


def test_probe_of_webhook_url_is_answered(sandbox: Sandbox, start: Any) -> None:
    source = {"fonnte.whatsapp.webhook": {"port": 0}}
    run: Rulebook = start(rulebook(source, {"none": {}}), "--verbose", "--print-events")
    url = run.url()
    sandbox.reset(readings={"webhook_probe": "called"}, accounts=[_account(sandbox)])
    sandbox.set_options(probe_timeout=60)
    saved = requests.post(
        f"{sandbox.url}/update-device",
        headers={"Authorization": sandbox.device(OURS[0])["token"]},
        data={"name": "Toko", "device": OURS[0], "webhookconnect": f"{url}/{SECRET}"},
        timeout=60,
    ).json()
    assert saved["status"] is True, saved
    counts = requests.get(f"{url}/health", timeout=60).json()
    assert (counts["probes"], counts["received"], counts["accepted"]) == (1, 1, 0)
    # The next event is the first one that the rules receive.
    assert post(f"{url}/{SECRET}", {"device": OURS[0], "status": "disconnect", "timestamp": 1760000000}) == 200
    run.wait_for("'kind': 'connect'")
    assert run.output().count("'kind': ") == 1


def _account(sandbox: Sandbox) -> dict[str, Any]:
    return {"token": sandbox.account_token, "devices": [{"number": OURS[0], "name": "Toko"}]}


def test_filter_normalizes_events_of_another_source(sandbox: Sandbox, start: Any) -> None:
    world(sandbox)
    port = _free_port()
    source = {
        "eda.builtin.webhook": {"host": "127.0.0.1", "port": port},
        "filters": [{"fonnte.whatsapp.normalize": {}}],
    }
    action = {
        "debug": {
            "msg": "reported of {{ event.fonnte.device }} {{ event.fonnte.withheld }} {{ event.meta.keys() | sort }}"
        }
    }
    run: Rulebook = start(rulebook(source, action), "--print-events")
    sandbox.edit(CLIENTS[0], webhookconnect=f"http://127.0.0.1:{port}/{SECRET}/connect")
    end = time.monotonic() + 30
    while time.monotonic() < end:
        try:
            requests.get(f"http://127.0.0.1:{port}/", timeout=60)
            break
        except requests.RequestException:
            time.sleep(0.1)
    sandbox.unlink(CLIENTS[0], reason="logged out")
    found = run.wait_for(r"reported of (\S+) \['token'\] (\[.*\])")
    assert found[1] == CLIENTS[0]
    assert "endpoint" not in found[2] and "headers" not in found[2]


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


DOCUMENT = Path(__file__).parents[2] / "docs" / "events.md"
BLOCKS = [
    block
    for text in re.findall(r"^```yaml\n(.*?)^```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    if isinstance(block := yaml.safe_load(text), list)
]


# The rulebook that answers messages has a separate test.
(REPLIES,) = [ruleset for (ruleset,) in BLOCKS if "run_module" in ruleset["rules"][0]["action"]]
RULEBOOKS = [[ruleset] for (ruleset,) in BLOCKS if ruleset is not REPLIES]


@pytest.mark.parametrize("index", range(len(RULEBOOKS)))
def test_rulebooks_of_documentation_run(index: int, start: Any) -> None:
    (ruleset,) = RULEBOOKS[index]
    port = _free_port()
    for options in ruleset["sources"][0].values():
        if isinstance(options, dict):
            options["port"] = port
    # Without --verbose, since the source of eda.builtin would log the path of each request.
    run: Rulebook = start([ruleset])
    connected = "== true" in ruleset["rules"][0]["condition"]
    event = {"device": CLIENTS[0], "status": "connect" if connected else "disconnect", "timestamp": 1760000000}
    end = time.monotonic() + 30
    while True:
        try:
            assert post(f"http://127.0.0.1:{port}/{SECRET}", event) == 200
            break
        except requests.RequestException:
            assert time.monotonic() < end, run.output()
            time.sleep(0.1)
    run.wait_for(f"(?m)^{CLIENTS[0]}(: | is linked)")


def test_invalid_option_ends_rulebook_with_one_sentence(start: Any) -> None:
    run: Rulebook = start(rulebook({"fonnte.whatsapp.webhook": {"port": 0, "secret": "too-short"}}, {"none": {}}))
    assert run.ended() == 1
    assert "Option secret: it has 9 characters; a secret has 16 to 128; create one with: python3 -c" in run.output()
    assert "too-short" not in run.output()


def test_stop_during_burst_names_accepted_events_that_no_rule_took(start: Any) -> None:
    # The rules are slower than the burst. They print each event that they take.
    run: Rulebook = start(
        rulebook({"fonnte.whatsapp.webhook": {"port": 0, "queue_size": 200}}, {"none": {}}),
        "--print-events",
        "--verbose",
    )
    url = f"{run.url()}/{SECRET}"
    accepted: list[str] = []
    stopped = threading.Event()

    def deliver(first: int) -> None:
        with requests.Session() as session:
            session.trust_env = False
            for number in range(first, 40_000, 8):
                try:
                    body = {"device": OURS[0], "status": "disconnect", "timestamp": 1760000000 + number, "reason": "x"}
                    if session.post(url, json=body, timeout=60).status_code == 200:
                        accepted.append(_at(1760000000 + number))
                except requests.RequestException:
                    return
                if stopped.is_set() and run.process.poll() is not None:
                    return

    callers = [threading.Thread(target=deliver, args=(first,)) for first in range(8)]
    for caller in callers:
        caller.start()
    while len(accepted) < 400:
        time.sleep(0.02)
    run.process.send_signal(signal.SIGTERM)
    stopped.set()
    run.ended()
    for caller in callers:
        caller.join()
    output = run.output()
    named = re.findall(r"(?:Not received|not processed): connect of \S+ at (\S+)\.\n", output)
    taken = re.findall(r"'at': '(\S+)'", output)
    assert len(set(named)) == len(named) and len(accepted) >= 400
    assert set(accepted) <= set(taken) | set(named)
    print(f"{len(accepted)} answered with 200, {len(taken)} taken, {len(named)} named")


def _at(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
