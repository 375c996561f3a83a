# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""fonnte_message: each message is sent once, none in check mode, and no secret is shown."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ansible_collections.fonnte.whatsapp.tests.conformance.cases import device_token, there
from ansible_collections.fonnte.whatsapp.tests.conformance.phone_simulator import Person
from ansible_collections.fonnte.whatsapp.tests.conformance.playbooks import MARK, Player, Run, Task, message
from ansible_collections.fonnte.whatsapp.tests.conformance.scenarios import World
from ansible_collections.fonnte.whatsapp.tests.conformance.workspace import CORES, USUAL_CORES
from ansible_collections.fonnte.whatsapp.tests.sandbox.driver import Sandbox

SENDER, UNLINKED, PERSON = "081200011001", "081200011002", "081200002001"
DIALLED = "6281200002001"
SIGNED = f"https://files.example.com/invoice.pdf?signature={MARK}"
PATIENCE = "news is not failed or news.queued | default(none) is not false"


@pytest.fixture(params=[(core, way) for core in USUAL_CORES for way in (True, False)], ids=str)
def everywhere(request: pytest.FixtureRequest, sandbox: Sandbox, tmp_path: Path) -> World:
    """Return a world on each core, in-process and as an ordinary module."""
    core, in_process = request.param
    world = World(sandbox, Player(tmp_path, sandbox, CORES[core], in_process=in_process))
    world.begin(there(SENDER, linked=True, package="Super"), there(UNLINKED))
    return world


def _hello(**args: object) -> Task:
    return message(**{"device": SENDER, "target": [PERSON], "message": "hello", **args})


def _sent(world: World) -> list[tuple[str, str]]:
    return [(sent["target"], sent["message"]) for sent in world.sandbox.outbox()]


def test_messages_are_predicted_and_sent_or_refused(everywhere: World, tmp_path: Path) -> None:
    """All ways to send a message, and errors of the options and of the service; check mode runs first."""
    path = tmp_path / "invoice.pdf"
    path.write_bytes(b"%PDF-1.7")
    tasks = [
        _hello(),
        _hello(target=[f"{PERSON}|Toko Satu", {"to": "+62 812 0000 2002", "name": "Toko Dua"}], message="hello {name}"),
        _hello(url=SIGNED, method="get"),
        _hello(file=str(path), message=None),
        message(device_token=device_token(SENDER), target=[PERSON], message="by token", account_token=None),
        _hello(device=UNLINKED),
        _hello(schedule="2020-01-01T00:00:00Z"),
        _hello(poll={"name": "?", "choices": ["one"]}),
        _hello(device=SENDER, device_token=device_token(UNLINKED)),
        # msg and message are two names of one option, and only one of them may be used.
        _hello(msg="hello"),
    ]
    predicted = everywhere.play(*tasks, check=True)
    assert [reported.failed for reported in predicted.reported] == [False] * 6 + [True] * 4, _messages(predicted)
    assert any("is not linked" in warning for warning in predicted.reported[5].warnings)
    assert "/send" not in everywhere.calls() and _sent(everywhere) == []
    run = everywhere.play(*tasks)
    assert [reported.failed for reported in run.reported] == [False] * 5 + [True] * 5, _messages(run)
    assert all(reported.changed and reported["queued"] for reported in run.reported[:5])
    assert "Unsupported parameters" in run.reported[-1].message and "message" in run.reported[-1].message
    assert "request invalid on disconnected device" in run.reported[5].message and run.reported[5]["queued"] is False
    assert _sent(everywhere) == [
        (DIALLED, "hello"),
        (DIALLED, "hello Toko Satu"),
        ("6281200002002", "hello Toko Dua"),
        (DIALLED, "hello"),
        (DIALLED, ""),
        (DIALLED, "by token"),
    ]
    for reported, expected in zip(run.reported[:5], predicted.reported[:5], strict=False):
        assert set(reported.result) == set(expected.result)
        targets = [found["target"] for found in expected["messages"]]
        assert targets == [found["target"] for found in reported["messages"]]


@pytest.mark.weekly
def test_task_waits_for_each_message_and_reports_states_by_id(everywhere: World) -> None:
    """Success, a timeout, and a service without the request; each result has the IDs of the queued messages."""
    both = [PERSON, "081200002002"]
    with Person(everywhere.sandbox):
        delivered, sent = everywhere.play(_hello(target=both, wait="delivered"), _hello(wait="sent")).reported
    ids = [message["id"] for message in everywhere.sandbox.outbox()]
    assert not delivered.failed and delivered["states"] == dict.fromkeys(ids[:2], "delivered"), delivered.result
    assert not sent.failed and sent["states"] == {ids[2]: "sent"}, sent.result
    predicted = everywhere.play(_hello(wait="sent"), check=True).only()
    assert predicted["states"] == {} and set(predicted.result) == set(sent.result)
    late = everywhere.run_task(_hello(message="late", wait="delivered", wait_timeout=2))
    assert 'is "sent"' in late.message and "not reported as delivered within 2 s" in late.message
    everywhere.sandbox.fault("reset", path="/status", times=None)
    lost = everywhere.run_task(_hello(message="lost", wait="sent", wait_timeout=2, api_retries=0))
    assert "the last request failed" in lost.message
    everywhere.sandbox.clear_faults()
    everywhere.sandbox.set_readings(message_status="gone")
    gone = everywhere.run_task(_hello(message="gone", wait="sent"))
    assert "the request /status does not exist any more (HTTP 404)" in gone.message
    for failure, text in ((late, "late"), (lost, "lost"), (gone, "gone")):
        (queued,) = [message for message in everywhere.sandbox.outbox() if message["message"] == text]
        assert failure.failed and failure.changed and failure["queued"] is True, failure.result
        assert failure["messages"] == [{"id": queued["id"], "target": DIALLED}] and queued["id"] in failure.message
        assert list(failure["states"]) == [queued["id"]]


@pytest.mark.weekly
def test_impossible_waits_and_warnings_are_equal_in_check_mode(everywhere: World) -> None:
    tasks = [
        _hello(schedule="2030-01-31T08:00:00+07:00", wait="sent"),
        _hello(follow_up=300, wait="sent"),
        _hello(wait="soon"),
        _hello(url=SIGNED, message=None),
        _hello(sequence=True, follow_up=3),
        _hello(delay="2"),
    ]
    for check in (True, False):
        run = everywhere.play(*tasks, check=check)
        assert [reported.failed for reported in run.reported] == [True] * 3 + [False] * 3, _messages(run)
        words = ("url is set without msg", "Fonnte ignores follow_up", "delay has no effect")
        for reported, text in zip(run.reported[3:], words, strict=True):
            assert any(text in warning for warning in reported.warnings), reported.result
    assert len(_sent(everywhere)) == 3


@pytest.mark.weekly
def test_lost_response_leaves_queued_unknown_and_shows_no_url(everywhere: World) -> None:
    """With GET, the token and the message are in the URL, which exceptions and logs often contain."""
    faults: dict[str, dict[str, object]] = {
        "reset": {"at": "middle", "when": "after"},
        "html": {"code": 502, "when": "after"},
        "redirect": {"location": f"https://elsewhere.example.com/{MARK}", "when": "after"},
        "refuse": {},
    }
    senders = dict(zip((f"08120001101{index}" for index in range(len(faults))), faults, strict=False))
    everywhere.begin(*(there(sender, linked=True, package="Super") for sender in senders))
    for sender, kind in senders.items():
        everywhere.sandbox.fault(kind, path="/send", token=device_token(sender), times=1, **faults[kind])
    tasks = [_hello(device=sender, method="get", url=SIGNED) for sender in senders]
    alone = {"account_token": None, "device": None, "device_token": device_token(SENDER)}
    tasks.append(_hello(method="get", url=SIGNED, api_endpoint="http://127.0.0.1:9").but(**alone))
    tasks[-1] = Task("fonnte_message", {**tasks[-1].args, "account_token": None})
    run = everywhere.play(*tasks)
    for reported in run.reported[:-1]:
        assert reported.failed and reported["queued"] is None, reported.result
        assert "whether the message is queued is not known" in reported.message
    assert (
        run.reported[-1].failed
        and run.reported[-1]["queued"] is False
        and "nothing was sent" in run.reported[-1].message
    )
    assert everywhere.calls().count("/send") == len(faults)


@pytest.mark.weekly
def test_documented_retry_repeats_only_unsent_messages(everywhere: World) -> None:
    """The pattern of docs/messages.md retries if the service is busy, but not after a lost response."""
    installed = Path(os.environ["ANSIBLE_COLLECTIONS_PATH"]) / "ansible_collections" / "fonnte" / "whatsapp"
    assert f"until: {PATIENCE}" in (installed / "docs" / "messages.md").read_text(encoding="utf-8")
    patient = {"register": "news", "until": PATIENCE, "retries": 3, "delay": 0}
    everywhere.sandbox.fault("status", path="/send", times=2, code=429)
    reported = everywhere.run_task(_hello().named(**patient))
    assert not reported.failed and reported["attempts"] == 3 and len(_sent(everywhere)) == 1
    (reported,) = everywhere.play(_hello().named(**patient), check=True).reported
    assert not reported.failed and reported["attempts"] == 1, (
        "check mode sends nothing, and that is no reason to try again"
    )
    everywhere.sandbox.fault("reset", path="/send", times=None, when="after")
    reported = everywhere.run_task(_hello(message="once").named(**patient))
    assert reported.failed and reported["queued"] is None and reported["attempts"] == 1
    assert [text for _target, text in _sent(everywhere)] == ["hello", "once"]
    everywhere.sandbox.clear_faults()
    reported = everywhere.run_task(_hello(message="late", wait="delivered", wait_timeout=1).named(**patient))
    assert reported.failed and reported["queued"] is True and reported["attempts"] == 1, (
        "a queued message is not sent again"
    )
    assert [text for _target, text in _sent(everywhere)] == ["hello", "once", "late"]


def test_url_of_get_request_is_not_in_debug_logs(world: World) -> None:
    """Debug output of requests, urllib3 and http.client is not logged, even at the highest log level of Ansible."""
    world.begin(there(SENDER, linked=True, package="Super"))
    reported = world.run_task(
        _hello(method="get", url=SIGNED), env={"ANSIBLE_DEBUG": "1", "ANSIBLE_LOG_VERBOSITY": "5"}
    )
    assert reported["queued"] is True
    log = (world.player.home / "ansible.log").read_text(encoding="utf-8")
    assert "PLAY RECAP" in log and "/send?" not in log


def _messages(run: Run) -> list[str]:
    return [reported.message if reported.failed else "" for reported in run.reported]
