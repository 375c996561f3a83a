# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The documented rule that answers messages does not answer its own ones, in any form that Fonnte may post them."""

from __future__ import annotations

import copy
import os
import time
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.sandbox.driver import Sandbox
from tests.sandbox.readings import VALUES
from tests.sandbox.webhooks import FOOTER

from .conftest import SECRET, Rulebook
from .test_rulebook import REPLIES

DEVICE = "081200001001"
FORMS = [form for form in VALUES["own_messages"] if form not in ("not_posted", "only_with_quick")]
# Unit tests cover the forms; here, one of them goes through the real programs for each change.
EACH_FORM = [pytest.param(form, marks=[pytest.mark.weekly] if place else []) for place, form in enumerate(FORMS)]
# The number of own messages. 10,000 need about half a minute for each form.
MESSAGES = int(os.environ.get("FONNTE_TESTS_OWN_MESSAGES", "200"))
# The targets of one request. It may not be longer than a form that the sandbox reads.
AT_ONCE = 200
WITHIN = 300.0
PERSONS = ("6281299990001", "6281299990002", "6281299990003")
# The last person quotes the footer.
TEXTS = ("halo", "> halo\n\nbuka jam berapa?", f"{FOOTER}\n\nApa ini?")


def start_rule(sandbox: Sandbox, start: Any, form: str, **options: Any) -> str:
    """Start the rulebook of the page, and set its URL on a device; return the URL of its counts."""
    device = {"number": DEVICE, "name": "Toko", "package": "Super", "linked": True, "quota": 10 * MESSAGES + 1000}
    sandbox.reset(
        accounts=[{"token": sandbox.account_token, "plan": "Super", "devices": [device]}],
        readings={"own_messages": form},
    )
    ruleset = copy.deepcopy(REPLIES)
    ruleset["sources"][0]["fonnte.whatsapp.webhook"].update(port=0, **options)
    run: Rulebook = start([ruleset], "--verbose")
    url = run.url()
    sandbox.edit(DEVICE, autoread=True, personal=True, webhook=f"{url}/{SECRET}")
    return f"{url}/health"


def send_own_messages(sandbox: Sandbox, health: str, count: str, first: int, last: int) -> None:
    """Send messages through the API, as an application does. Each is posted to the webhook as an own message.

    The next request waits until these posts have arrived: the sandbox ends a post that waits for too long.
    """
    token = sandbox.device(DEVICE)["token"]
    with requests.Session() as session:
        session.trust_env = False
        for place in range(first, last, AT_ONCE):
            numbers = range(place, min(place + AT_ONCE, last))
            form = {"target": ",".join(f"62813{number:08}" for number in numbers), "message": "Pesanan Anda dikirim."}
            answer = session.post(f"{sandbox.url}/send", form, headers={"Authorization": token}, timeout=60).json()
            assert answer["status"] is True, answer
            wait_for(health, **{count: numbers[-1] + 1})


def wait_for(health: str, **expected: int) -> dict[str, Any]:
    """Wait until counts have at least their expected values, and return all counts.

    On a slow machine, the sandbox may post an event twice.
    """
    end = time.monotonic() + WITHIN
    while True:
        counts: dict[str, Any] = requests.get(health, timeout=60).json()
        if all(counts[name] >= value for name, value in expected.items()):
            return counts
        assert time.monotonic() < end, (counts, expected)
        time.sleep(0.1)


def answers(sandbox: Sandbox) -> list[str]:
    """Return the recipients of the answers of the rule."""
    return [message["target"] for message in sandbox.outbox() if message["message"].startswith("Thank you.")]


@pytest.mark.parametrize("form", EACH_FORM)
def test_documented_rule_answers_persons_and_no_own_message(form: str, sandbox: Sandbox, start: Any) -> None:
    health = start_rule(sandbox, start, form)
    began = time.monotonic()
    third = MESSAGES // 3
    for place, (person, text) in enumerate(zip(PERSONS, TEXTS, strict=True)):
        assert sandbox.incoming(DEVICE, sender=person, message=text)["posted"] is True
        send_own_messages(
            sandbox, health, "own_messages", place * third, MESSAGES if place == 2 else (place + 1) * third
        )
    # Each message of the outbox was posted, and counted: those of the application, and the answers.
    counts = wait_for(health, accepted=len(PERSONS), own_messages=MESSAGES + len(PERSONS))
    seconds = time.monotonic() - began
    assert sorted(answers(sandbox)) == sorted(PERSONS)
    assert len(sandbox.outbox()) == MESSAGES + len(PERSONS)
    assert (counts["accepted"], counts["taken"], sum(counts["refused"].values())) == (len(PERSONS), len(PERSONS), 0)
    print(f"{form}: {counts['own_messages']} own messages dropped, {counts['accepted']} accepted, {seconds:.0f} s")


@pytest.mark.parametrize("form", EACH_FORM)
def test_condition_of_the_rule_suffices_if_own_messages_are_kept(form: str, sandbox: Sandbox, start: Any) -> None:
    health = start_rule(sandbox, start, form, own_messages="keep")
    send_own_messages(sandbox, health, "accepted", 0, 100)
    assert sandbox.incoming(DEVICE, sender=PERSONS[0], message=TEXTS[0])["posted"] is True
    # The own messages, the message of the person, and the answer, which comes back too.
    wait_for(health, taken=102)
    assert sandbox.incoming(DEVICE, sender=PERSONS[1], message=TEXTS[1])["posted"] is True
    assert wait_for(health, taken=104)["accepted"] == 104
    assert answers(sandbox) == list(PERSONS[:2])


@pytest.mark.parametrize("form", ["not_posted", pytest.param("only_with_quick", marks=pytest.mark.weekly)])
def test_answer_is_sent_if_own_messages_are_not_posted(form: str, sandbox: Sandbox, start: Any) -> None:
    health = start_rule(sandbox, start, form)
    sandbox.incoming(DEVICE, sender=PERSONS[0], message="halo")
    end = time.monotonic() + 60
    while not answers(sandbox):
        assert time.monotonic() < end
        time.sleep(0.1)
    assert wait_for(health, accepted=1)["own_messages"] == 0


def test_page_states_the_throttle_of_the_rule() -> None:
    page = (Path(__file__).parents[2] / "docs" / "events.md").read_text(encoding="utf-8")
    (rule,) = REPLIES["rules"]
    assert "outgoing == false" in rule["condition"] and rule["throttle"]["once_within"] == "1 minute"
    assert "The throttle is the limit for two automatic systems" in page
