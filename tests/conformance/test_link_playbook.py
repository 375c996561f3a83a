# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Linking: the module fonnte_device_qr, and the playbook fonnte.whatsapp.link by its name."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.fonnte.whatsapp.plugins.module_utils._api.qr_image import read_image
from ansible_collections.fonnte.whatsapp.tests.conformance.cases import device_token, there
from ansible_collections.fonnte.whatsapp.tests.conformance.phone_simulator import Person
from ansible_collections.fonnte.whatsapp.tests.conformance.playbooks import Player, Run, device_qr
from ansible_collections.fonnte.whatsapp.tests.conformance.scenarios import ACCOUNT, World
from ansible_collections.fonnte.whatsapp.tests.conformance.screen import scan
from ansible_collections.fonnte.whatsapp.tests.conformance.terminal import at_a_terminal, converse
from ansible_collections.fonnte.whatsapp.tests.conformance.test_secrets import CORES, Onlooker
from ansible_collections.fonnte.whatsapp.tests.conformance.workspace import USUAL_CORES, sample
from ansible_collections.fonnte.whatsapp.tests.sandbox.driver import Sandbox
from ansible_collections.fonnte.whatsapp.tests.sandbox.pairing import LIFETIME, qr_text

# An image that is no QR code.
DOT = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==")
FIRST, SECOND, PAID, MISSING = "081200013001", "081200013002", "081200013003", "081200013009"
PHONE = "6281111111111"
CODE = {"method": "code", "whatsapp": PHONE}


@pytest.fixture(params=[True, False], ids=["in-process", "as-modules"])
def either(request: pytest.FixtureRequest, sandbox: Sandbox, tmp_path: Path) -> World:
    """Return a world whose tasks run in-process or as modules."""
    return World(sandbox, Player(tmp_path, sandbox, in_process=request.param))


def shows_no_picture(world: World, run: Run, *dests: Path) -> None:
    """Check that no QR code is in the output, the results or a file, except its own file."""
    sent = [
        call["reply"]["url"] for call in world.sandbox.journal() if call["path"] == "/qr" and "url" in call["reply"]
    ]
    assert sent
    texts = {"the output": run.output, "a result": json.dumps([reported.result for reported in run.reported])}
    texts.update((str(path), path.read_bytes().decode("latin-1")) for path in world.player.files() if path not in dests)
    for where, text in texts.items():
        for url in sent:
            for shown in (url, url[100:160], base64.b64decode(url).decode("latin-1")):
                assert shown not in text, f"{where} shows a QR code"


# The module


@pytest.mark.smoke
def test_qr_code_is_predicted_and_fetched_until_linked(either: World, tmp_path: Path) -> None:
    """Check mode predicts the file, the run writes it, and a linked device needs no other code."""
    dest = tmp_path / "qr.png"
    either.begin(there(FIRST))
    task = device_qr(device=FIRST, dest=str(dest))
    predicted = either.run_task(task, check=True)
    assert predicted.changed and predicted["dest"] == str(dest) and not dest.exists()
    assert either.calls() == ["/get-devices"]
    run = either.play(task)
    reported = run.only()
    assert (
        reported.changed and not reported["connected"] and reported["dest"] == str(dest) and reported["device"] == FIRST
    )
    assert reported["diff"] == predicted["diff"] and reported.warnings == []
    assert read_image(base64.b64encode(dest.read_bytes()).decode())
    assert stat.S_IMODE(dest.stat().st_mode) == 0o600
    shows_no_picture(either, run, dest)
    either.sandbox.link(FIRST)
    either.calls()
    for check in (True, False):
        again = either.run_task(task, check=check)
        assert not again.changed and again["connected"] and again["dest"] is None
    assert either.calls() == ["/get-devices"] * 2


@pytest.mark.weekly
def test_wait_ends_when_phone_is_linked(either: World, tmp_path: Path) -> None:
    """In-process, the output shows the path of the QR code or the pairing code; a module cannot show it."""
    dest = tmp_path / "qr.png"
    either.begin(there(FIRST), there(PAID, package="Super"))
    with Person(either.sandbox) as person:
        run = either.play(
            device_qr(device=FIRST, dest=str(dest), wait=True, wait_timeout=60),
            device_qr(account_token=None, device_token=device_token(PAID), wait=True, wait_timeout=4, **CODE),
        )
    first, second = run.reported
    assert first.changed and first["connected"] and first["dest"] is None and not dest.exists(), first.result
    assert second.changed and second["connected"] and second["code"], second.result
    assert person.linked == [FIRST, PAID]
    shows_no_picture(either, run)
    shown = [f"scan the QR code in {dest} with WhatsApp", f"type {second['code']} into WhatsApp"]
    in_process = "is run as an ordinary module" not in run.output
    assert [f"fonnte.whatsapp.fonnte_device_qr: device {FIRST}: {shown[0]}" in run.output] == [in_process]
    assert [shown[1] in run.output] == [in_process]


def test_failed_link_is_reported_in_one_sentence(either: World, tmp_path: Path) -> None:
    """The sentence names the file and the required action. The result contains the changes so far."""
    dest = tmp_path / "qr.png"
    either.begin(there(FIRST), there(SECOND, linked=True), there(PAID, package="Super"))
    run = either.play(
        device_qr(device=PAID, dest=str(dest), wait=True, wait_timeout=1),
        device_qr(device=FIRST, dest=str(dest)),
        device_qr(device=MISSING, dest=str(dest)),
        device_qr(device=PAID, dest=str(tmp_path / "none" / "qr.png")),
        device_qr(device=PAID, device_token=device_token(FIRST), **CODE),
    )
    words = [
        f"Linking device {PAID}: no phone was linked within 1 s; run the task again, and scan {dest}",
        f'"free device already connected"; the free device {SECOND} is linked',
        f"the account has no device {MISSING}",
        f"Option dest: there is no directory {tmp_path / 'none'}; create it first",
        "are not one device",
    ]
    for reported, part in zip(run.reported, words, strict=False):
        assert reported.failed and part in reported.message and reported.message.endswith("."), reported.result
    assert run.reported[0].changed and run.reported[0]["dest"] == str(dest) and dest.exists()
    assert not any(reported.changed for reported in run.reported[1:])
    shows_no_picture(either, run, dest)


@pytest.mark.weekly
def test_results_are_equal_in_process_and_as_module(sandbox: Sandbox, tmp_path: Path) -> None:
    reported: list[list[str]] = []
    for in_process in (True, False):
        folder = tmp_path / str(in_process)
        folder.mkdir()
        world = World(sandbox, Player(folder, sandbox, in_process=in_process))
        world.begin(there(FIRST))
        tasks = [
            device_qr(device=FIRST, dest="qr.png"),
            device_qr(device=FIRST, fetch=False, wait=True, wait_timeout=1),
            device_qr(device=FIRST, **CODE),
            device_qr(device=FIRST, dest="notes/qr.png"),
            device_qr(device=FIRST, method="pigeon"),
        ]
        runs = [world.play(*tasks, check=True), world.play(*tasks)]
        assert (folder / "plays" / "qr.png").exists(), "a relative path is below the folder of the playbook"
        passing = re.compile(rf"{folder}|\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\dZ|\b[0-9A-Z]{{4}}-[0-9A-Z]{{4}}\b")
        reported.append(
            [passing.sub("…", json.dumps(one.result, sort_keys=True)) for run in runs for one in run.reported]
        )
    assert reported[0] == reported[1]


@pytest.mark.weekly
def test_pairing_code_with_no_log_is_not_printed(world: World) -> None:
    """The task still succeeds."""
    world.begin(there(FIRST))
    with Person(world.sandbox):
        run = world.play(device_qr(device=FIRST, wait=True, **CODE).named(no_log=True))
    (code,) = [call["reply"]["code"] for call in world.sandbox.journal() if call["path"] == "/qr"]
    assert code not in run.output and "PLAY RECAP" in run.output and "failed=0" in run.output


@pytest.mark.weekly
@pytest.mark.parametrize("in_process", [True, False])
def test_other_users_cannot_read_qr_code(sandbox: Sandbox, tmp_path: Path, in_process: bool) -> None:
    """This applies while the file is written and during the wait, with any umask."""
    world = World(sandbox, Player(tmp_path, sandbox, in_process=in_process))
    world.begin(there(FIRST))
    folder = tmp_path / "open"
    folder.mkdir(mode=0o777)
    temporary = Path(tempfile.mkdtemp())
    before = os.umask(0)
    try:
        with Onlooker([world.player.home, folder, temporary], {ACCOUNT, "PNG\r\n\x1a\n", "iVBORw0KGgo"}) as onlooker:
            (folder / "bait.png").write_bytes(b"\x89PNG\r\n\x1a\n")
            run = world.play(
                device_qr(device=FIRST, dest=str(folder), wait=True, wait_timeout=3, refresh=1),
                env={"TMPDIR": str(temporary)},
            )
    finally:
        os.umask(before)
        shutil.rmtree(temporary)
    assert run.only().failed and stat.S_IMODE((folder / f"{FIRST}.png").stat().st_mode) == 0o600
    assert onlooker.looks > 20
    assert len(onlooker.seen) == 1 and "bait.png" in onlooker.seen.pop(), onlooker.seen


@pytest.mark.weekly
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("in_process", [True, False])
def test_killed_run_leaves_complete_file(
    world: World, tmp_path: Path, in_process: bool, number: signal.Signals
) -> None:
    world.begin(there(FIRST))
    folder = tmp_path / "qr"
    folder.mkdir()
    book = tmp_path / "book.yml"
    options = {"device": FIRST, "dest": str(folder), "wait": True, "account_token": "{{ account }}"}
    variables = {"account": ACCOUNT, "fonnte_in_process": in_process}
    play = {"hosts": "localhost", "gather_facts": False, "vars": variables}
    book.write_text(json.dumps([{**play, "tasks": [{"fonnte.whatsapp.fonnte_device_qr": options}]}]), encoding="utf-8")
    process = subprocess.Popen(
        [str(Path(sys.executable).parent / "ansible-playbook"), book],
        env=world.player.environment(tmp_path / "reported", {"ANSIBLE_PYTHON_INTERPRETER": sys.executable}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        # Tests in the background ignore Ctrl-C, and their child processes would inherit that.
        preexec_fn=_as_at_a_terminal,
    )
    try:
        _until((folder / f"{FIRST}.png").exists)
        # To the whole process group, as a terminal does.
        os.killpg(process.pid, number)
        process.wait(timeout=300)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert os.listdir(folder) == [f"{FIRST}.png"]
    assert read_image(base64.b64encode((folder / f"{FIRST}.png").read_bytes()).decode())


def _as_at_a_terminal() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _until(so: Callable[[], bool], seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not so():
        assert time.monotonic() < end, "it did not come to this"
        time.sleep(0.05)


# The playbook


@pytest.fixture(params=USUAL_CORES)
def on_a_core(request: pytest.FixtureRequest, sandbox: Sandbox, tmp_path: Path) -> World:
    """Return a world whose tasks run on one of the cores."""
    return World(sandbox, Player(tmp_path, sandbox, CORES[request.param]))


def play(world: World, *words: str, **variables: object) -> Run:
    """Run the playbook with the account's token in the environment, as a user does."""
    extra = [*words, "-e", json.dumps({f"link_{name}": value for name, value in variables.items()})]
    return world.player.play_by_name("link", *extra, env={"FONNTE_ACCOUNT_TOKEN": ACCOUNT})


def summary(run: Run) -> list[str]:
    """Return the lines of the summary."""
    (lines,) = [reported["msg"] for reported in run.reported if isinstance(reported.get("msg"), list)]
    return [str(line) for line in lines]


@pytest.mark.parametrize(
    "method", [pytest.param("qr", marks=pytest.mark.smoke), pytest.param("code", marks=pytest.mark.weekly)]
)
def test_several_devices_are_linked_in_sequence(on_a_core: World, method: str) -> None:
    """Linked devices are skipped. Without a terminal there is no prompt. A second run changes nothing."""
    world = on_a_core
    world.begin(there(FIRST), there(PAID, package="Super"), there(SECOND, package="Super", linked=True))
    devices = f"{FIRST}, +62 812 0001 3003,{SECOND}"
    with Person(world.sandbox) as person:
        run = play(world, devices=devices, method=method, timeout=60)
    assert person.linked == [FIRST, PAID] and "failed=0" in run.output and "rescued=0" in run.output
    lines = [f"{number} (Toko Lama): linked" for number in (FIRST, SECOND, PAID)]
    assert summary(run) == [*lines, "Linked: 3 of 3"]
    folder = world.player.home / "fonnte-qr"
    if method == "qr":
        assert list(folder.iterdir()) == [] and stat.S_IMODE(folder.stat().st_mode) == 0o700
        shows_no_picture(world, run)
    else:
        assert not folder.exists()
        codes = [call["form"]["whatsapp"] for call in world.sandbox.journal() if call["path"] == "/qr"]
        assert codes == ["6281200013001", "6281200013003"]
    world.calls()
    again = play(world, devices=devices, method=method)
    assert "changed=0" in again.output and summary(again) == [*lines, "Linked: 3 of 3"]
    assert world.calls() == ["/get-devices"]


def test_device_that_cannot_be_linked_does_not_stop_others(world: World) -> None:
    """The word all selects the devices of the account, and the summary contains the reason."""
    world.begin(there(FIRST), there(SECOND), there(PAID, package="Super"))
    with Person(world.sandbox) as person:
        run = play(world, devices="all", timeout=20)
    assert person.linked == [FIRST, PAID]
    assert summary(run)[:1] + summary(run)[1:2] == [
        f"{FIRST} (Toko Lama): linked",
        f"{SECOND} (Toko Lama): NOT LINKED",
    ]
    assert f"the free device {FIRST} is linked" in summary(run)[2] and summary(run)[-2] == "Linked: 2 of 3"
    assert run.reported[-1].failed and summary(run)[-1].startswith(f"Not linked: {SECOND}. ")


@pytest.mark.weekly
def test_missing_number_and_unscanned_code_are_in_summary(world: World) -> None:
    world.begin(there(FIRST))
    assert play(world, "--check", devices=[FIRST, MISSING]).reported[-1].failed
    run = play(world, devices=[FIRST, MISSING], timeout=1, dest="pictures")
    where = world.player.directory / "pictures" / f"{FIRST}.png"
    lines = summary(run)
    assert lines[0] == f"{FIRST} (Toko Lama): NOT LINKED" and str(where) in lines[1] and where.exists()
    assert lines[2:4] == [f"{MISSING}: NOT IN THE LIST of the account", "Linked: 0 of 2"]
    assert run.reported[-1].failed and lines[4].startswith(f"Not linked: {FIRST}, {MISSING}. ")
    shows_no_picture(world, run, where)


@pytest.mark.parametrize("method", [pytest.param("qr", marks=pytest.mark.weekly), "code"])
def test_check_mode_fetches_no_code(world: World, method: str) -> None:
    """It lists the devices that are not linked, does not wait, and creates no directory."""
    world.begin(there(FIRST))
    run = play(world, "--check", devices="all", method=method)
    assert "failed=0" in run.output and summary(run)[0] == f"{FIRST} (Toko Lama): NOT LINKED"
    assert set(world.calls()) == {"/get-devices"} and not (world.player.home / "fonnte-qr").exists()


@pytest.mark.weekly
@pytest.mark.parametrize("variables", [{"timeout": 0}, {"method": "code", "whatsapp": "812345678901"}])
def test_check_mode_fails_where_a_run_would(world: World, variables: dict[str, object]) -> None:
    world.begin(there(FIRST))
    for words in (("--check",), ()):
        run = play(world, *words, devices=FIRST, **variables)
        assert run.reported[-1].failed and "why: Option" in run.output, run.output
    assert "/qr" not in world.calls()


@pytest.mark.weekly
def test_question_names_the_file_in_the_directory_of_the_user(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The module runs in the directory of the playbook, which is in the collection."""
    world.begin(there(FIRST))
    monkeypatch.chdir(tmp_path)
    output, _codes = link_at_a_terminal(world, LARGE, "-e", "link_dest=codes")
    flat = output.replace("\r\n", "")
    assert flat.count(f"{tmp_path.resolve()}/codes/{FIRST}.png") >= 2 and "playbooks/codes" not in flat, output


@pytest.mark.weekly
def test_pairing_code_is_requested_for_number_of_phone(world: World) -> None:
    world.begin(there(FIRST), there(PAID, package="Super"))
    with Person(world.sandbox):
        run = play(world, devices="all", method="code", whatsapp={PAID: "+62 811-1111-1111"}, timeout=60)
    assert "failed=0" in run.output
    codes = {call["number"]: call["form"]["whatsapp"] for call in world.sandbox.journal() if call["path"] == "/qr"}
    assert codes == {FIRST: "6281200013001", PAID: PHONE}


@pytest.mark.parametrize(
    ("variables", "words"),
    sample(
        [
            ({"method": "pigeon"}, "link_method is qr or code"),
            ({"method": "code", "whatsapp": PHONE}, "only where link_devices is one device"),
            ({"method": "code", "whatsapp": {"6281200013001": PHONE}}, "none of the devices is registered"),
            ({"dest": ""}, "link_dest is empty"),
            ({"dest": None}, "link_dest is empty"),
            ({"devices": 6281200013001}, "link_devices is neither a list of quoted numbers nor a string with commas"),
            ({"devices": [6281200013001]}, "link_devices is neither a list of quoted numbers nor a string with commas"),
            (
                {"devices": {"device": FIRST}},
                "link_devices is neither a list of quoted numbers nor a string with commas",
            ),
        ],
        2,
    ),
)
def test_invalid_variables_are_refused(world: World, variables: dict[str, Any], words: str) -> None:
    world.begin(there(FIRST), there(PAID, package="Super"))
    run = play(world, **{"devices": "all", **variables})
    assert run.reported[-1].failed and words in run.reported[-1].message, run.reported[-1].result
    assert "/qr" not in world.calls()


@pytest.mark.parametrize("end", [pytest.param("", marks=pytest.mark.weekly), "/"])
def test_symbolic_link_as_directory_is_refused(world: World, tmp_path: Path, end: str) -> None:
    """Otherwise, the missing target of a link would be created."""
    world.begin(there(FIRST))
    (tmp_path / "codes").symlink_to(tmp_path / "target")
    run = play(world, devices=FIRST, dest=f"{tmp_path}/codes{end}", timeout=1)
    assert run.reported[-1].failed and "link_dest is a symbolic link" in run.reported[-1].message, run.reported[
        -1
    ].result
    assert not (tmp_path / "target").exists() and "/qr" not in world.calls()


@pytest.mark.weekly
def test_no_directory_is_created_through_a_link_of_another_user(world: World, tmp_path: Path) -> None:
    """Only root can create a link of another user. For all others, the link is their own, which is accepted."""
    world.begin(there(FIRST))
    (tmp_path / "victim").mkdir()
    (tmp_path / "shared").symlink_to(tmp_path / "victim")
    foreign = os.getuid() == 0
    if foreign:
        os.chown(tmp_path / "shared", 65534, 65534, follow_symlinks=False)
    run = play(world, devices=FIRST, dest=f"{tmp_path}/shared/codes", timeout=1)
    assert os.listdir(tmp_path / "victim") == ([] if foreign else ["codes"])
    assert ("is a symbolic link of another user" in run.output) is foreign


@pytest.mark.weekly
@pytest.mark.parametrize(
    "variables",
    sample(
        [
            {"devices": ""},
            {"devices": ","},
            {"devices": None},
            {"devices": ["", None]},
            {"devces": FIRST},
            {"device": FIRST},
        ],
        3,
    ),
)
def test_empty_list_of_devices_is_refused(world: World, variables: dict[str, Any]) -> None:
    """An unset variable of a shell, or a misspelled name, must not send a request to every phone."""
    world.begin(there(FIRST), there(PAID, package="Super"))
    run = play(world, method="code", **variables)
    assert run.reported[-1].message == "Name the devices, as in -e link_devices=081200001001, or all."
    assert world.calls() == []
    started = play(world, "--start-at-task", "List the devices", method="code", **variables)
    assert summary(started) == ["Linked: 0 of 0"] and "/qr" not in world.calls()


@pytest.mark.weekly
def test_selector_of_other_playbooks_selects_devices(world: World) -> None:
    """A name of a client, which fleet_only may have, selects no device here."""
    world.begin(there(FIRST), there(PAID, package="Super"))
    with Person(world.sandbox):
        run = play(world, "-e", f"fleet_only={FIRST}", method="code", timeout=60)
    assert summary(run)[-1] == "Linked: 1 of 1" and run.reported[-1].failed is False
    run = play(world, "-e", "fleet_only=toko-bunga", method="code")
    assert "toko-bunga" in run.reported[-1].message and "set the token of the client" in run.reported[-1].message


@pytest.mark.weekly
def test_existing_directory_keeps_its_mode(on_a_core: World) -> None:
    """It may be shared, such as /tmp; only the owner can read the image in it."""
    on_a_core.begin(there(FIRST))
    folder = on_a_core.player.home / "open"
    folder.mkdir()
    folder.chmod(0o1777)
    play(on_a_core, devices=FIRST, dest=str(folder), timeout=1)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o1777
    assert stat.S_IMODE((folder / f"{FIRST}.png").stat().st_mode) == 0o600


@pytest.mark.weekly
def test_extra_variable_link_device_does_not_change_the_loop(world: World) -> None:
    """Extra variables take precedence over loop variables, so the loop must use another name."""
    world.begin(there(FIRST))
    with Person(world.sandbox):
        run = play(world, devices=FIRST, device=MISSING, method="code", timeout=60)
    assert summary(run)[-1] == "Linked: 1 of 1"


@pytest.mark.weekly
def test_terminal_prompts_and_shows_pairing_code(world: World) -> None:
    """The code is fetched after the prompt, and shown while the playbook waits."""
    world.begin(there(FIRST))

    def is_at_hand() -> str:
        assert "/qr" not in world.calls(), "a code was fetched before the phone was at hand"
        return ""

    def types_the_code() -> None:
        world.sandbox.link(FIRST)

    words = ["-e", f"link_devices={FIRST}", "-e", "link_method=code", "-e", "link_timeout=60"]
    output = at_a_terminal(
        world,
        "link",
        [*words, "-e", f"link_whatsapp={PHONE}"],
        [
            ("Press Enter when the phone is at hand", is_at_hand),
            (rf"type \w{{4}}-\w{{4}} into WhatsApp on the phone {PHONE}", types_the_code),
        ],
    )
    assert f"Next is device {FIRST} (Toko Lama)." in output and "Linked: 1 of 1" in output, output
    assert "failed=0" in output and ACCOUNT not in output


# The QR code in the terminal

LARGE, SMALL = (60, 100), (24, 80)
COLORS = {"TERM": "xterm-256color"}
# A line of a drawing.
DRAWN = "\x1b[38;5;16;48;5;231m"


def scanned(output: str) -> list[str]:
    """Return the contents of the QR codes that a phone can scan on the screen."""
    return scan(output.replace("\r\n", "\n"))


def link_at_a_terminal(
    world: World, size: tuple[int, int], *words: str, linked: bool = True, **more: str
) -> tuple[str, set[str]]:
    """Run the playbook at a terminal; return its output and the contents of the codes that the service has sent."""
    answer = [("Press Enter when the phone is at hand", lambda: "")]
    timeout = "60" if linked else "3"
    given = ["-e", f"link_devices={FIRST}", "-e", f"link_timeout={timeout}", *words]
    began = world.sandbox.now()
    with contextlib.nullcontext() if not linked else Person(world.sandbox):
        output = at_a_terminal(world, "link", given, answer, size, {**COLORS, **more})
    times = range(int(began) - LIFETIME, int(world.sandbox.now()) + LIFETIME, LIFETIME)
    return output, {qr_text(device_token(FIRST), moment) for moment in times}


def test_qr_code_in_the_terminal_can_be_scanned(on_a_core: World) -> None:
    """It is the code of the service. It is neither in Ansible's log nor in another file, and the image is removed."""
    on_a_core.begin(there(FIRST))
    log = on_a_core.player.home / "ansible.log"
    output, codes = link_at_a_terminal(on_a_core, LARGE, ANSIBLE_LOG_PATH=str(log))
    shown = scanned(output)
    assert shown and set(shown) <= codes, output
    assert "Linked: 1 of 1" in output and list((on_a_core.player.home / "fonnte-qr").iterdir()) == []
    assert "Linked: 1 of 1" in log.read_text(encoding="utf-8")
    assert not any(DRAWN.encode() in path.read_bytes() for path in on_a_core.player.files())
    sequences = set(re.findall(r"\x1b[^A-Za-z]*[A-Za-z]", output[output.index(DRAWN) : output.rindex("\x1b[0m")]))
    assert DRAWN in sequences and all(sequence.endswith("m") for sequence in sequences)


@pytest.mark.weekly
def test_terminal_that_is_too_small_gets_a_sentence(world: World) -> None:
    world.begin(there(FIRST))
    output, _codes = link_at_a_terminal(world, SMALL)
    flat = output.replace("\r\n", "")
    assert (
        "the QR code is not drawn here, because it needs 65 columns and 34 lines, and this terminal has 80 and 24"
        in flat
    )
    assert flat.count("is not drawn here") == 1 and DRAWN not in output
    assert f"fonnte-qr/{FIRST}.png" in flat and "Linked: 1 of 1" in output


@pytest.mark.weekly
@pytest.mark.parametrize(
    ("words", "more"),
    [
        (("-e", "link_draw=false"), {}),
        ((), {"TERM": "dumb"}),
        ((), {"AWX_ISOLATED_DATA_DIR": "/tmp"}),
    ],
    ids=["disabled", "dumb", "awx"],
)
def test_qr_code_is_not_drawn(world: World, words: tuple[str, ...], more: dict[str, str]) -> None:
    """A job of AWX has a terminal without a user. There, no question is asked, and so no answer is given."""
    world.begin(there(FIRST))
    asked = [] if "AWX_ISOLATED_DATA_DIR" in more else [("Press Enter when the phone is at hand", lambda: "")]
    given = ["-e", f"link_devices={FIRST}", "-e", "link_timeout=60", *words]
    with Person(world.sandbox):
        output = at_a_terminal(world, "link", given, asked, LARGE, {**COLORS, **more})
    assert DRAWN not in output and "is not drawn here" not in output and "Linked: 1 of 1" in output
    assert f"{FIRST}.png" in output


@pytest.mark.weekly
def test_other_image_is_not_drawn(world: World) -> None:
    """The strings of the service cannot reach the terminal: an image is drawn only if it is a QR code."""
    world.begin(there(FIRST))
    dot = base64.b64encode(DOT).decode()
    world.sandbox.fault("mutate", path="/qr", when="after", times=None, args={"set": {"url": dot}})
    output, _codes = link_at_a_terminal(world, LARGE, linked=False)
    flat = output.replace("\r\n", "")
    assert "is not drawn here, because its image has an unusual form" in flat and DRAWN not in output
    assert (world.player.home / "fonnte-qr" / f"{FIRST}.png").read_bytes() == DOT


@pytest.mark.weekly
def test_renewed_qr_code_is_drawn_again(world: World) -> None:
    """The clock of the sandbox moves on while the playbook waits."""
    world.begin(there(FIRST))

    def expires() -> None:
        world.sandbox.advance(LIFETIME)

    def is_scanned() -> None:
        world.sandbox.link(FIRST)

    book = world.player.directory / "own.yml"
    task = {"device": FIRST, "dest": "qr.png", "wait": True, "wait_timeout": 60, "refresh": 1}
    play_of_task = {"hosts": "localhost", "gather_facts": False, "tasks": [{"fonnte.whatsapp.fonnte_device_qr": task}]}
    book.write_text(json.dumps([play_of_task]), encoding="utf-8")
    env = world.player.environment(world.player.home / "reported", {"FONNTE_ACCOUNT_TOKEN": ACCOUNT, **COLORS})
    program = str(Path(sys.executable).parent / "ansible-playbook")
    end_of_drawing = "under Linked devices"
    second = "(?s)38;5;16;48;5;231m.{20,}?0m\r\n(?!.*38;5;16)"
    steps = [(end_of_drawing, expires), (second, is_scanned)]
    reported = converse([program, str(book)], env, steps, world.player.directory, size=LARGE)
    shown = scanned(reported.shown)
    assert reported.code == 0 and len(shown) == len(set(shown)) >= 2, reported.shown
