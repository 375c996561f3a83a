# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook dropped_off by its name; tests/eda runs it with its rulebook."""

from __future__ import annotations

import concurrent.futures
import json
import os
import stat
import time
from pathlib import Path

import pytest

from ansible_collections.fonnte.whatsapp.tests.conformance.cases import READINGS, USUAL_READINGS, Reading, there
from ansible_collections.fonnte.whatsapp.tests.conformance.playbooks import Player, Run, Task
from ansible_collections.fonnte.whatsapp.tests.conformance.scenarios import ACCOUNT, World
from ansible_collections.fonnte.whatsapp.tests.conformance.test_secrets import CORES
from ansible_collections.fonnte.whatsapp.tests.conformance.workspace import USUAL_CORES, sample
from ansible_collections.fonnte.whatsapp.tests.sandbox.driver import Sandbox

GONE, SENDER, OTHER = "081200014001", "081200014002", "081200014003"
WATCHERS = ["6281299990000", "6281299990001"]


def play(world: World, *words: str, **variables: object) -> Run:
    extra = json.dumps({f"dropped_off_{name}": value for name, value in variables.items()})
    return world.player.play_by_name("dropped_off", *words, "-e", extra, env={"FONNTE_ACCOUNT_TOKEN": ACCOUNT})


@pytest.mark.weekly
@pytest.mark.parametrize(
    ("targets", "senders"),
    [
        pytest.param(WATCHERS, [GONE, SENDER], marks=pytest.mark.weekly),
        (", ".join(WATCHERS), f"{GONE},{SENDER}"),
    ],
)
def test_lists_and_strings_with_commas_are_accepted(world: World, targets: object, senders: object) -> None:
    world.begin(there(GONE, package="Super"), there(SENDER, package="Super", linked=True))
    run = play(world, targets=targets, senders=senders, state="")
    assert "failed=0" in run.output
    assert [(sent["device"], sent["target"]) for sent in world.sandbox.outbox()] == [(SENDER, one) for one in WATCHERS]


def test_invalid_name_does_not_prevent_message(world: World) -> None:
    """The name of one device must not prevent the message about all devices."""
    names = ["a\x00b", "\x1b[31mred", "Toko\n- Toko Palsu (1)", "\u202eterbalik", "half \ud83d", "x" * 30]
    # Markup of WhatsApp, links, and variables of Fonnte.
    names += ["*URGENT* _call_ ~x~", "http://evil.example {name}", "PT.Maju", "toko@jaya"]
    numbers = [f"08120001401{number}" for number in range(len(names))]
    gone = [there(number, name=name) for number, name in zip(numbers, names, strict=False)]
    world.begin(*gone, there(SENDER, package="Super", linked=True))
    reason = {"device": numbers[0], "reason": "a\x00b\n- c www.evil.example"}
    event = {"ansible_eda": {"event": {"fonnte": reason}}}
    extra = {
        "dropped_off_targets": WATCHERS[:1],
        "dropped_off_senders": [SENDER],
        "dropped_off_devices": numbers,
        **event,
    }
    run = world.player.play_by_name("dropped_off", "-e", json.dumps(extra), env={"FONNTE_ACCOUNT_TOKEN": ACCOUNT})
    assert "failed=0" in run.output
    (sent,) = world.sandbox.outbox()
    lines = sent["message"].splitlines()
    assert len(lines) == len(names) + 2
    for number, line in zip(numbers, sorted(lines[1:-1], key=lambda line: line.partition("(0")[2]), strict=False):
        assert line.startswith("- ") and f"({number})" in line and line.isprintable() and len(line) < 200
        assert (
            not set("*~`{}") & set(line) and "://" not in line and "evil.example" not in line and "_call_" not in line
        )
    assert f"- a b ({numbers[0]}): a b - c www. evil. example" in lines
    assert any(line.startswith("- http: //evil. example") for line in lines)
    assert [f"- PT. Maju ({numbers[8]})", f"- toko@ jaya ({numbers[9]})"] == [
        line for line in lines if "PT" in line or "toko@" in line
    ]


@pytest.mark.weekly
def test_sender_has_a_message_for_each_recipient(world: World) -> None:
    world.begin(
        there(GONE, package="Super"),
        there(OTHER, package="Super", linked=True, quota=1),
        there(SENDER, package="Super", linked=True, quota=100),
    )
    run = play(world, targets=WATCHERS, senders=[OTHER, SENDER], state="")
    assert "failed=0" in run.output and [sent["device"] for sent in world.sandbox.outbox()] == [SENDER, SENDER]
    run = play(world, targets=WATCHERS, senders=[OTHER], state="")
    assert "has a message left for each recipient" in run.reported[-1].message and run.reported[-1].failed


@pytest.mark.weekly
def test_number_that_is_not_listed_is_named(world: World) -> None:
    world.begin(there(SENDER, package="Super", linked=True))
    run = play(world, targets=WATCHERS[:1], senders=[SENDER], devices=[GONE])
    assert f"does not list these numbers of dropped_off_devices: {GONE}." in run.output and "failed=0" in run.output


@pytest.mark.weekly
def test_custom_message_with_invalid_name_is_sent(world: World) -> None:
    world.begin(there(GONE, name="a\x00b"), there(SENDER, package="Super", linked=True))
    message = "{{ dropped_off_now.devices | map(attribute='name') | join }}"
    run = play(world, targets=WATCHERS[:1], senders=[SENDER], message=message, state="")
    assert "failed=0" in run.output and [sent["message"] for sent in world.sandbox.outbox()] == ["a b"]


@pytest.mark.parametrize(
    "wrong",
    sample(
        [
            {"targets": None},
            {"targets": [6281299990000]},
            {"targets": 6281299990000},
            # Without their zero, and too short.
            {"targets": ["81299990000"]},
            {"senders": ["81200014002", SENDER]},
            {"targets": [WATCHERS[0], "0812"]},
            {"senders": None},
            {"senders": " , "},
            {"senders": [81200014002]},
            {"senders": {"device": SENDER}},
            {"senders": "0812x"},
        ],
        3,
    ),
)
def test_invalid_variables_fail_while_all_devices_are_linked(world: World, wrong: dict[str, object]) -> None:
    """Otherwise, the error would appear only when a device drops off, and no message would be sent."""
    world.begin(there(SENDER, package="Super", linked=True))
    run = play(world, **{"targets": WATCHERS, "senders": [SENDER], **wrong})
    said = run.reported[-1].message
    assert said.startswith("Set the recipients in dropped_off_targets") or '"0812": it has 4 digits' in said, said
    assert world.calls() == []


@pytest.mark.weekly
def test_message_about_a_whole_account_is_short(world: World) -> None:
    """The longest list must not be the one that cannot be sent."""
    world.begin(there(SENDER, package="Super", linked=True), *(there(f"0812{70000000 + place}") for place in range(60)))
    run = play(world, targets=WATCHERS[:1], senders=[SENDER], state="")
    assert "failed=0" in run.output, run.output
    (sent,) = world.sandbox.outbox()
    lines = sent["message"].splitlines()
    assert lines[0].startswith("60 of our devices") and lines[51] == "and 10 more." and len(lines) == 53


# On a schedule

NEVER = "081200014004"


class Schedule:
    """Runs of the playbook as a timer starts them, with its state in the home of the user."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.state = world.player.home / ".ansible" / "fonnte-dropped-off.json"

    def begin(self, reading: Reading | None = None) -> None:
        """Create linked devices and one that was never linked."""
        linked = [there(number, package="Super", linked=True, name=f"Toko {number}") for number in (GONE, OTHER)]
        self.world.begin(*linked, there(SENDER, package="Super", linked=True), there(NEVER), reading=reading)

    def run(self, *words: str, **variables: object) -> Run:
        """Run the playbook."""
        return play(self.world, *words, **{"targets": WATCHERS[:1], "senders": [SENDER], **variables})

    def sent(self, *words: str, **variables: object) -> list[str]:
        """Run the playbook, which must succeed; return the lines of its message."""
        before = len(self.world.sandbox.outbox())
        run = self.run(*words, **variables)
        assert "failed=0" in run.output and run.unfit == (), run.output
        messages = [sent["message"] for sent in self.world.sandbox.outbox()[before:]]
        assert len(messages) <= 1
        return messages[0].splitlines() if messages else []


@pytest.fixture
def schedule(world: World) -> Schedule:
    return Schedule(world)


@pytest.fixture(params=USUAL_CORES)
def on_a_core(request: pytest.FixtureRequest, sandbox: Sandbox, tmp_path: Path) -> Schedule:
    """Return a schedule whose runs use one of the cores."""
    return Schedule(World(sandbox, Player(tmp_path, sandbox, CORES[request.param])))


def test_each_change_is_sent_once_with_recoveries(on_a_core: Schedule) -> None:
    on_a_core.begin()
    assert on_a_core.sent() == []
    assert stat.S_IMODE(on_a_core.state.stat().st_mode) == 0o600
    sandbox = on_a_core.world.sandbox
    sandbox.unlink(GONE)
    dropped = ["1 of our devices dropped off WhatsApp:", f"- Toko {GONE} ({GONE})"]
    assert on_a_core.sent() == [*dropped, "Link them again in the dashboard of Fonnte."]
    assert on_a_core.sent() == []
    sandbox.link(GONE)
    sandbox.unlink(OTHER)
    assert on_a_core.sent() == [
        "1 of our devices dropped off WhatsApp:",
        f"- Toko {OTHER} ({OTHER})",
        "Link them again in the dashboard of Fonnte.",
        "1 of our devices can be used again:",
        f"- Toko {GONE} ({GONE})",
    ]
    assert on_a_core.sent() == []


@pytest.mark.weekly
@pytest.mark.parametrize(
    "name", [name for name in USUAL_READINGS if name.startswith(("default", "all", "listing", "profile", "refusal"))]
)
def test_variants_of_the_service_change_no_report(schedule: Schedule, name: str) -> None:
    """A device that the list omits, and a device that was never linked, did not drop off."""
    schedule.begin(READINGS[name])
    assert schedule.sent() == []
    schedule.world.sandbox.unlink(GONE)
    assert f"- Toko {GONE} ({GONE})" in schedule.sent()
    assert schedule.sent() == []


@pytest.mark.weekly
def test_check_mode_shows_message_and_devices_and_stores_nothing(schedule: Schedule) -> None:
    schedule.begin()
    assert schedule.sent("--check") == [] and not schedule.state.exists()
    assert schedule.sent() == []
    before = schedule.state.read_bytes()
    schedule.world.sandbox.unlink(GONE)
    for _run in range(2):
        run = schedule.run("--check")
        assert "failed=0" in run.output and schedule.world.sandbox.outbox() == []
        assert "1 of our devices dropped off WhatsApp:" in run.output and f"- Toko {GONE} ({GONE})" in run.output
    assert schedule.state.read_bytes() == before
    assert f"- Toko {GONE} ({GONE})" in schedule.sent()


@pytest.mark.weekly
@pytest.mark.parametrize("cause", sample(["no sender", "refused", "unreachable", "no recipient"], 2))
def test_message_that_was_not_sent_is_sent_by_the_next_run(schedule: Schedule, cause: str) -> None:
    schedule.begin()
    assert schedule.sent() == []
    sandbox = schedule.world.sandbox
    sandbox.unlink(GONE)
    if cause == "no sender":
        sandbox.unlink(SENDER)
    elif cause == "unreachable":
        sandbox.fault("status", path="/get-devices", times=None, code=503)
    elif cause == "refused":
        sandbox.edit(SENDER, quota=1)
    wrong = {"no recipient": {"targets": ["0812"]}, "refused": {"targets": WATCHERS}}
    for _run in range(3):
        run = schedule.run(**wrong.get(cause, {}))
        assert run.reported[-1].failed and sandbox.outbox() == [], run.output
    sandbox.clear_faults()
    if cause == "no sender":
        sandbox.link(SENDER)
    lines = schedule.sent()
    assert f"- Toko {GONE} ({GONE})" in lines and "perhaps" not in "".join(lines)
    assert schedule.sent() == []


@pytest.mark.weekly
def test_message_without_a_response_is_repeated_once_and_marked(schedule: Schedule) -> None:
    """Whether Fonnte has queued it is unknown."""
    schedule.begin()
    assert schedule.sent() == []
    sandbox = schedule.world.sandbox
    sandbox.unlink(GONE)
    for count in (1, 2):
        sandbox.fault("reset", path="/send", when="after")
        run = schedule.run()
        assert run.reported[-1].failed and "whether the message is queued is not known" in run.reported[-1].message
        assert f"Changed: {GONE}." in run.reported[-1].message
        assert len(sandbox.outbox()) == count
    marked = f"- Toko {GONE} ({GONE}) (perhaps already reported)"
    assert [marked in sent["message"] for sent in sandbox.outbox()] == [False, True]
    assert schedule.sent() == []


@pytest.mark.weekly
@pytest.mark.parametrize(
    ("content", "words"), [(b"{", "is not the state of an earlier run"), (b"", "is not the state of an earlier run")]
)
def test_damaged_state_is_an_error_and_nothing_is_sent(schedule: Schedule, content: bytes, words: str) -> None:
    schedule.begin()
    assert schedule.sent() == []
    schedule.state.write_bytes(content)
    schedule.world.sandbox.unlink(GONE)
    run = schedule.run()
    assert words in run.reported[-1].message and schedule.world.sandbox.outbox() == []
    assert schedule.state.read_bytes() == content


@pytest.mark.weekly
def test_state_that_cannot_be_written_prevents_the_message(schedule: Schedule) -> None:
    """Otherwise, each run would send it again."""
    schedule.begin()
    assert schedule.sent() == []
    schedule.world.sandbox.unlink(GONE)
    # No user can create a file in a directory of /proc.
    run = schedule.run(state="/proc/self/links.json")
    assert "cannot be written" in run.reported[-1].message and schedule.world.sandbox.outbox() == []


@pytest.mark.weekly
def test_second_run_at_the_same_time_fails_and_sends_nothing(on_a_core: Schedule) -> None:
    """The first run waits for the response to its message. A third run, after its end, finds the change reported."""
    on_a_core.begin()
    assert on_a_core.sent() == []
    sandbox = on_a_core.world.sandbox
    sandbox.unlink(GONE)
    sandbox.fault("delay", path="/send", seconds=25)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        first = pool.submit(on_a_core.run)
        end = time.monotonic() + 120
        while b"undo" not in on_a_core.state.read_bytes():
            assert time.monotonic() < end and not first.done()
            time.sleep(0.1)
        second = on_a_core.run()
        assert not first.done()
    assert second.reported[-1].failed and "another run" in second.reported[-1].message, second.output
    assert "failed=0" in first.result().output and len(sandbox.outbox()) == 1
    assert on_a_core.sent() == []


@pytest.mark.weekly
def test_killed_run_does_not_block_the_next_one(schedule: Schedule) -> None:
    schedule.begin()
    assert schedule.sent() == []
    schedule.world.sandbox.unlink(GONE)
    # The play ends after the comparison.
    assert schedule.run(senders=["081200014009"]).reported[-1].failed
    claim = json.loads(schedule.state.read_bytes())["run"]
    assert claim["pid"] > 0 and claim["started"] and claim["machine"]
    assert f"- Toko {GONE} ({GONE})" in schedule.sent()
    assert "run" not in json.loads(schedule.state.read_bytes())


@pytest.mark.weekly
def test_relative_state_starts_at_the_working_directory(schedule: Schedule) -> None:
    schedule.begin()
    assert schedule.sent(state="links.json") == []
    assert (schedule.world.player.directory / "links.json").exists() and not schedule.state.exists()


@pytest.mark.weekly
def test_event_is_reported_without_the_state(schedule: Schedule) -> None:
    schedule.begin()
    schedule.world.sandbox.unlink(GONE)
    event = {"ansible_eda": {"event": {"fonnte": {"device": GONE, "reason": "logged out"}}}}
    for count in (1, 2):
        run = schedule.run("-e", json.dumps(event))
        assert "failed=0" in run.output and len(schedule.world.sandbox.outbox()) == count
    assert not schedule.state.exists()


@pytest.mark.weekly
def test_names_of_devices_are_never_templates(schedule: Schedule) -> None:
    name = "{{ 7 * 6 }}{% raw %}"
    schedule.world.begin(
        there(GONE, package="Super", linked=True, name=name), there(SENDER, package="Super", linked=True)
    )
    assert schedule.sent() == []
    schedule.world.sandbox.unlink(GONE)
    # For Fonnte, a name in braces is a variable.
    shown = name.translate(dict.fromkeys(map(ord, "{}*"), " "))
    assert f"- {shown} ({GONE})" in schedule.sent()


@pytest.mark.weekly
def test_two_accounts_can_use_one_file_in_turn(schedule: Schedule) -> None:
    schedule.begin()
    assert schedule.sent() == []
    state = schedule.state.read_bytes()
    schedule.world.begin(there("081200014009", package="Super", linked=True))
    assert schedule.sent(senders=["081200014009"]) == []
    schedule.begin()
    schedule.world.sandbox.unlink(GONE)
    assert f"- Toko {GONE} ({GONE})" in schedule.sent()
    assert len(schedule.state.read_bytes()) > len(state)


# The module


@pytest.mark.weekly
@pytest.mark.parametrize("in_process", [True, False])
def test_module_stores_the_links(sandbox: Sandbox, tmp_path: Path, in_process: bool) -> None:
    """The result of one operation has the changes that the next one stores."""
    world = World(sandbox, Player(tmp_path, sandbox, in_process=in_process))
    path = tmp_path / "state" / "links.json"

    def compare(connected: bool, operation: str = "compare", check: bool = False) -> Run:
        devices = [{"device": GONE, "name": "Toko", "connected": connected}]
        options = {"devices": devices, "path": str(path), "operation": operation}
        return world.player.play(Task("fonnte_link_changes", options), check=check)

    assert compare(True, check=True).only().changed and not path.exists()
    assert compare(True).only()["first"]
    reported = compare(False, "finish").only()
    assert reported.changed and reported["dropped"] == [{"device": GONE, "name": "Toko", "repeated": False}]
    assert not compare(False).only().changed and sorted(os.listdir(path.parent)) == [".links.json.lock", "links.json"]
