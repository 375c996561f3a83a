# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""fonnte_record_info, fonnte_record and their playbook: list, back up, restore and forget entries, without secrets."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.fonnte.whatsapp.tests.conformance.cases import there
from ansible_collections.fonnte.whatsapp.tests.conformance.playbooks import (
    MARK,
    Player,
    Task,
    TaskResult,
    device,
    record,
    record_info,
    snapshot,
)
from ansible_collections.fonnte.whatsapp.tests.conformance.scenarios import ACCOUNT, World
from ansible_collections.fonnte.whatsapp.tests.conformance.workspace import CORES, USUAL_CORES
from ansible_collections.fonnte.whatsapp.tests.sandbox.driver import Sandbox

FIRST, SECOND, GONE = "081200011001", "081200011002", "081200011003"
HOOK = f"https://user-{MARK}:pass-{MARK}@hooks.example.com/{MARK}?key={MARK}"


@pytest.fixture()
def core(request: pytest.FixtureRequest) -> Path:
    """Return the programs of a core: the newest one, unless a test names others."""
    return CORES[getattr(request, "param", "newest")]


ON_EVERY_CORE = pytest.mark.parametrize("core", USUAL_CORES, indirect=True)


@pytest.fixture()
def kept(sandbox: Sandbox, tmp_path: Path, core: Path) -> World:
    """Return a world with two recorded devices, and with a recorded number whose device was purged."""
    world = World(sandbox, Player(tmp_path, sandbox, core))
    world.begin(there(FIRST), there(SECOND), there(GONE))
    run = world.play(
        device(device=FIRST, webhook=HOOK, quick=True),
        device(device=SECOND, webhook=""),
        device(device=GONE, quick=True),
    )
    assert all(reported.changed for reported in run.reported), [reported.result for reported in run.reported]
    sandbox.purge(GONE)
    world.calls()
    return world


def predicted_done_and_again(world: World, task: Task) -> TaskResult:
    """Run a task in check mode, normally, and again; check the prediction, and that the last run is unchanged."""
    before = snapshot(world.player.home.parent)
    plays = str(Path("plays"))
    predicted = world.run_task(task, check=True)
    after = snapshot(world.player.home.parent)
    touched = {path for path in {*before, *after} if before.get(path) != after.get(path)}
    own = {path for path in touched if not path.startswith((plays, "home/.ansible", "home")) and path != "."}
    assert own == set(), f"check mode touched {own}"
    done, again = world.play(task, task).reported
    assert not predicted.failed and not done.failed and not again.failed, (
        predicted.message,
        done.message,
        again.message,
    )
    for key in ("changed", "changed_files", "changed_devices", "diff", "missing", "files", "kept", "warnings"):
        assert predicted.get(key) == done.get(key), (
            f"{key} was predicted as {predicted.get(key)} and is {done.get(key)}"
        )
    assert not again.changed and again["changed_files"] == [], again.result
    assert world.writes() == []
    return done


@pytest.mark.weekly
@ON_EVERY_CORE
def test_backup_moves_record_to_another_control_node(kept: World, tmp_path: Path) -> None:
    """After the restore, a run there is unchanged. The backup shows neither secrets nor numbers nor settings."""
    path, elsewhere = tmp_path / "record.json", tmp_path / "elsewhere"
    declared = device(device=FIRST, webhook=HOOK, quick=True, record_path=str(elsewhere))
    assert kept.run_task(declared, check=True)["reasons"] == {"webhook": "no_record", "quick": "no_record"}
    kept.calls()
    saved = predicted_done_and_again(kept, record(operation="backup", path=str(path)))
    assert saved["changed_devices"] == [FIRST, SECOND, GONE] and saved["files"] == 6
    text = path.read_text(encoding="utf-8")
    tokens = {known["token"] for known in kept.devices().values()}
    for secret in (MARK, ACCOUNT, "http", "hooks.example.com", FIRST[1:], "webhook", *tokens):
        assert secret not in text
    restored = predicted_done_and_again(kept, record(operation="restore", path=str(path), record_path=str(elsewhere)))
    assert restored["changed_devices"] == [FIRST, SECOND, GONE] and restored["kept"] == []
    assert any("always_update" in warning and "record_max_age" in warning for warning in restored.warnings)
    reported = kept.run_task(declared)
    assert not reported.changed and reported["evidence"]["webhook"]["source"] == "recorded", reported.result


@pytest.mark.weekly
def test_restore_replaces_newer_record_only_with_overwrite(kept: World, tmp_path: Path) -> None:
    """Without overwrite, an existing file is kept."""
    path = str(tmp_path / "record.json")
    kept.play(record(operation="backup", path=path), device(device=FIRST, quick=False))
    kept.calls()
    left = predicted_done_and_again(kept, record(operation="restore", path=path))
    assert not left.changed and len(left["kept"]) == 1 and "overwrite: true" in left.warnings[-1]
    back = predicted_done_and_again(kept, record(operation="restore", path=path, overwrite=True))
    assert back["changed_devices"] == [FIRST]


@pytest.mark.weekly
def test_forget_removes_entries_of_devices_and_orphans(kept: World) -> None:
    """The device is named in another spelling, and the next run has no record of it."""
    forgotten = predicted_done_and_again(kept, record(operation="forget", devices=["+62 812-0001-1001"]))
    assert forgotten["changed_devices"] == [FIRST] and len(forgotten["changed_files"]) == 2
    orphans = predicted_done_and_again(kept, record(operation="forget", orphans=True))
    assert orphans["changed_devices"] == [GONE] and len(orphans["changed_files"]) == 2
    assert len([path for path in kept.player.record.iterdir() if "." not in path.name]) == 2
    reported = kept.run_task(device(device=FIRST, quick=True), check=True)
    assert reported["reasons"] == {"quick": "no_record"}


@pytest.mark.weekly
def test_modified_backup_is_refused(kept: World, tmp_path: Path) -> None:
    """The error names the entry: a path as name, no encryption, or a value of another device. No file is written."""
    good = tmp_path / "record.json"
    kept.run_task(record(operation="backup", path=str(good)))
    data = json.loads(good.read_text(encoding="utf-8"))
    names = sorted(name for name in data["files"] if name.startswith("device-"))
    sealed = data["files"]
    changed = {
        "../precious": {**sealed, "../precious": sealed[names[0]]},
        str(tmp_path / "precious"): {**sealed, str(tmp_path / "precious"): sealed[names[0]]},
        f"{names[0]}.lock": {**sealed, f"{names[0]}.lock": sealed[names[0]]},
        names[0]: {**sealed, names[0]: HOOK},
        names[1]: {**sealed, **dict.fromkeys(names, sealed[names[2]])},
    }
    elsewhere, tasks = tmp_path / "elsewhere", []
    for number, files in enumerate(changed.values()):
        path = tmp_path / f"changed-{number}.json"
        path.write_text(json.dumps({**data, "files": files}), encoding="utf-8")
        tasks.append(record(operation="restore", path=str(path), record_path=str(elsewhere), overwrite=True))
    predicted = kept.play(*tasks, check=True)
    for named, reported, before in zip(changed, kept.play(*tasks).reported, predicted.reported, strict=False):
        assert reported.failed and "was not used" in reported.message and reported.message.endswith("."), (
            reported.result
        )
        assert reported.message == before.message and not reported.changed
        assert named[:40] in reported.message or named == names[1] and any(name in reported.message for name in names)
    assert not elsewhere.exists() and not (tmp_path / "precious").exists()


def test_record_info_lists_doubts_and_unclaimed_files(kept: World) -> None:
    """It also lists a renumbered device and orphans, by name and never with values."""
    kept.sandbox.fault("reset", path="/update-device", times=None)
    assert kept.run_task(device(device=FIRST, webhook=HOOK + "-new")).failed
    kept.sandbox.clear_faults()
    kept.sandbox.edit(SECOND, device="081200011009")
    shutil.copy(next(kept.player.record.glob("number-*")), kept.player.record / ("device-" + "0" * 32))
    kept.calls()
    before = snapshot(kept.player.record)
    reported = kept.run_task(record_info())
    assert kept.calls() == ["/get-devices"] and snapshot(kept.player.record) == before and not reported.changed
    first, second = reported["devices"]
    assert (first["number"], second["number"]) == (FIRST, "081200011009")
    assert "webhook" in first["doubts"] and first["settings"]["webhook"]["standing"] == "in_doubt"
    assert second["settings"]["webhook"]["standing"] == "unconfirmed" and second["newest_days"] == 0
    numbers = {number["number"]: number for number in reported["numbers"]}
    assert numbers[SECOND]["moved_to"] == "081200011009" and numbers[GONE]["state"] == "present"
    assert reported["unclaimed"] == {"count": 1, "files": ["device-" + "0" * 32]}
    assert reported["orphans"]["count"] == 3


# The playbook, by its name


def playbook(core: Path, world: World, folder: Path, *words: str, **variables: Any) -> str:
    """Run fonnte.whatsapp.record in a directory, and return its output."""
    (folder / "variables.json").write_text(
        json.dumps({"ansible_python_interpreter": "{{ ansible_playbook_python }}", **variables}), encoding="utf-8"
    )
    env = {
        **{name: value for name, value in os.environ.items() if not name.startswith("FONNTE_")},
        "HOME": str(folder),
        "ANSIBLE_HOME": str(folder / ".ansible"),
        "ANSIBLE_INJECT_INVOCATION": "1",
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
        "FONNTE_API_ENDPOINT": world.sandbox.url,
        "FONNTE_ACCOUNT_TOKEN": ACCOUNT,
        "FONNTE_RECORD_PATH": str(world.player.record),
    }
    command = [core / "ansible-playbook", *words, "-e", f"@{folder / 'variables.json'}", "fonnte.whatsapp.record"]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=120, check=False)
    output = done.stdout + done.stderr
    assert done.returncode == 0, output
    tokens = {known["token"] for known in world.devices().values()}
    for secret in (MARK, ACCOUNT, *tokens):
        assert secret not in output, "a secret was printed"
    assert world.writes() == []
    return output


@pytest.mark.weekly
@ON_EVERY_CORE
def test_playbook_prints_line_for_each_device(kept: World, core: Path, tmp_path: Path) -> None:
    """The output is the same in check mode."""
    kept.sandbox.fault("reset", path="/update-device", times=None)
    assert kept.run_task(device(device=FIRST, webhook=HOOK + "-new")).failed
    kept.sandbox.clear_faults()
    kept.calls()
    for words in (("--check",), ("-vvvv", "--diff")):
        output = playbook(core, kept, tmp_path, *words)
        assert f"{FIRST}: autoread, quick, webhook; 0 days old; in doubt: webhook" in output, output
        assert f"{SECOND}: autoread, webhook; 0 days old" in output
        assert f"{GONE}: was there at 20" in output
        assert f"{kept.player.record} can be written." in output and "It is below /tmp" in output
        assert "Files of devices that are gone: 2 " in output and "changed=0" in output
    output = playbook(core, kept, tmp_path, record_devices=[SECOND, "081200011099"], record_orphans="false")
    assert f"{FIRST}: " not in output and "Not in the record: 081200011099" in output


@pytest.mark.weekly
@ON_EVERY_CORE
def test_playbook_backs_up_restores_and_forgets(kept: World, core: Path, tmp_path: Path) -> None:
    """A relative path starts at the working directory. Check mode writes nothing, and a second run changes nothing."""
    backup = {"record_operation": "backup", "record_file": "mine.json"}
    assert "backup, in check mode only: 6 files" in playbook(core, kept, tmp_path, "--check", **backup)
    assert not (tmp_path / "mine.json").exists()
    assert "backup: 6 files" in playbook(core, kept, tmp_path, "-vvvv", "--diff", **backup)
    assert (tmp_path / "mine.json").exists()
    elsewhere = str(tmp_path / "elsewhere")
    restore = {"record_operation": "restore", "record_file": "mine.json", "record_path": elsewhere}
    assert f"Devices: {FIRST}, {SECOND}, {GONE}" in playbook(core, kept, tmp_path, "-vvvv", "--diff", **restore)
    assert "changed=0" in playbook(core, kept, tmp_path, **restore)

    forget = {"record_operation": "forget", "record_devices": [FIRST], "record_orphans": True}
    assert f"Devices: {FIRST}, {GONE}" in playbook(core, kept, tmp_path, "-vvvv", "--diff", **forget)
    assert "changed=0" in playbook(core, kept, tmp_path, **forget)


WITHOUT = "Without a record_operation the record is only listed"


@pytest.mark.weekly
@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("record_file=mine.json", WITHOUT),
        ("record_orphans=true", WITHOUT),
        ("record_overwrite=true", WITHOUT),
        ("record_operaton=backup", "There is no variable record_operaton; record_operation may be meant"),
    ],
)
def test_playbook_refuses_options_without_operation(kept: World, given: str, says: str) -> None:
    """A user who names a file but no operation would otherwise get no backup and no error."""
    run = kept.player.play_by_name("record", "-e", given, env={"FONNTE_ACCOUNT_TOKEN": ACCOUNT})
    (reported,) = [reported for reported in run.reported if reported.failed]
    assert says in reported.message
    assert kept.calls() == [] and "failed=1" in run.output
