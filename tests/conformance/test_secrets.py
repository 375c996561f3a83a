# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No secret is shown at -vvvv with the options of the tasks, on success and failure, on newer and older cores.

The player searches every run of the suite. The runs here are the most likely ones to show a secret.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from ansible_collections.fonnte.whatsapp.tests.conformance.cases import EVERYTHING, Hook, code_sent, device_token, there
from ansible_collections.fonnte.whatsapp.tests.conformance.playbooks import (
    MARK,
    OTP,
    WRONG_OTP,
    Player,
    Task,
    device,
    device_info,
    group_info,
    number_info,
    record_info,
    webhook_config,
)
from ansible_collections.fonnte.whatsapp.tests.conformance.scenarios import ACCOUNT, World
from ansible_collections.fonnte.whatsapp.tests.sandbox.driver import Sandbox

FIRST, SECOND, THIRD, NEW = "081200010001", "081200010002", "081200010003", "081200010009"
PHONE = "081200010004"

# The newest core runs the tests. OLDEST is the directory of the oldest core's programs, if there is one.
OLDEST = os.environ.get("FONNTE_TESTS_OLDEST")
CORES = {"newest": Path(sys.executable).parent, **({"oldest": Path(OLDEST)} if OLDEST else {})}


def _url(name: str) -> str:
    """Return a URL that is secret in every part except its host."""
    return f"https://user-{MARK}:pass-{MARK}@hooks.example.com/path-{MARK}-{name}?key={MARK}&name={name}#end-{MARK}"


WEBHOOKS = {option: _url(option) for option, value in EVERYTHING.items() if isinstance(value, Hook)}


@pytest.fixture(params=CORES)
def tempted(request: pytest.FixtureRequest, sandbox: Sandbox, tmp_path: Path) -> World:
    """Return a world whose tasks run on one of the cores."""
    return World(sandbox, Player(tmp_path, sandbox, CORES[request.param]))


def test_successful_tasks_show_no_secret(tempted: World) -> None:
    """The tasks use every kind of secret."""
    phone = there(PHONE, linked=True, package="Super", groups=[{"id": "120363041@g.us", "name": "Gudang"}])
    tempted.begin(there(FIRST, linked=True), there(SECOND), phone)
    tempted.sandbox.next_otp(OTP)
    run = tempted.play(
        device(device=NEW, **{**EVERYTHING, **WEBHOOKS}),
        device(device=FIRST, device_token=device_token(FIRST), state="disconnected", webhook=_url("other")),
        webhook_config(device=FIRST, device_token=device_token(FIRST), **WEBHOOKS),
        webhook_config(device=NEW, state="absent"),
        device(device=SECOND, state="absent", request_otp=True),
        device(device=SECOND, state="absent", otp=OTP),
        device_info(recorded=True, profile=True),
        device_info(account_token=None, device_token=device_token(FIRST)),
        record_info(),
        group_info(device=PHONE, device_token=device_token(PHONE), refresh=True),
        number_info(account_token=None, device_token=device_token(PHONE), numbers=["081200002001"]),
        device(device=NEW, return_tokens=True).named(no_log=True),
    )
    assert not any(reported.failed for reported in run.reported), [reported.message for reported in run.reported]
    assert [reported.get("operations") for reported in run.reported[:6]] == [
        ["create", "update"],
        ["update", "disconnect"],
        ["update"],
        ["update"],
        ["request_otp"],
        ["delete"],
    ]
    predicted = tempted.play(device(device=FIRST, **{**EVERYTHING, **WEBHOOKS}), check=True)
    assert predicted.only().changed


class Onlooker:
    """Another user of the machine, who reads all command lines and readable files during a run."""

    def __init__(self, folders: Sequence[Path], secrets: set[str]) -> None:
        self._folders = folders
        self._secrets = [secret.encode() for secret in secrets]
        self._over = threading.Event()
        self.looks = 0
        self.seen: set[str] = set()

    def __enter__(self) -> Onlooker:
        self._thread = threading.Thread(target=self._look_on)
        self._thread.start()
        return self

    def __exit__(self, *_unused: object) -> None:
        self._over.set()
        self._thread.join()

    def _look_on(self) -> None:
        while not self._over.wait(0.02):
            self.looks += 1
            for process in Path("/proc").glob("[0-9]*"):
                self._look_at(process / "cmdline")
            for path in (path for folder in self._folders for path in folder.rglob("*")):
                self._look_at(path)

    def _look_at(self, path: Path) -> None:
        # Files can disappear during the check.
        with contextlib.suppress(OSError):
            if path.is_file() and self._is_open(path):
                text = path.read_bytes()
                self.seen |= {f"{path}: {text[:200]!r}" for secret in self._secrets if secret in text}

    def _is_open(self, path: Path) -> bool:
        """Return whether the modes of a file and of the directories above it let other users read it."""
        inside = [folder for folder in path.parents if any(root in folder.parents for root in self._folders)]
        return all(place.stat().st_mode & mode for place, mode in [(path, 0o004), *((one, 0o001) for one in inside)])


@pytest.mark.parametrize("in_process", [True, False])
def test_other_users_see_no_secret_during_run(sandbox: Sandbox, tmp_path: Path, in_process: bool) -> None:
    world = World(sandbox, Player(tmp_path, sandbox, in_process=in_process))
    world.begin(there(FIRST))
    sandbox.set_options(latency=0.4)
    # A short path, since Ansible creates a socket below it.
    temporary = Path(tempfile.mkdtemp())
    with Onlooker([world.player.home, temporary], {ACCOUNT, device_token(FIRST), MARK, OTP}) as onlooker:
        run = world.play(
            device(device=NEW, **{**EVERYTHING, **WEBHOOKS}),
            webhook_config(device=FIRST, device_token=device_token(FIRST), **WEBHOOKS),
            device(device=FIRST, state="absent", otp=OTP),
            env={"TMPDIR": str(temporary)},
        )
    left = [path for path in temporary.rglob("*") if path.is_file()]
    shutil.rmtree(temporary)
    assert not left, f"temporary files are left: {left}"
    assert [reported.failed for reported in run.reported] == [False, False, True]
    assert onlooker.looks > 20
    assert not onlooker.seen


def test_debug_logs_contain_no_secret(tempted: World) -> None:
    """Debug output of requests, urllib3 and http.client is not logged, even at the highest log level of Ansible."""
    tempted.begin(there(FIRST))
    run = tempted.play(
        device(device=NEW, **{**EVERYTHING, **WEBHOOKS}),
        device_info(profile=True),
        env={"ANSIBLE_DEBUG": "1", "ANSIBLE_LOG_VERBOSITY": "5"},
    )
    assert not any(reported.failed for reported in run.reported)
    log = (tempted.player.home / "ansible.log").read_text(encoding="utf-8")
    assert "PLAY RECAP" in log and "urllib3.connectionpool" not in log


def test_invalid_options_show_no_secret(tempted: World) -> None:
    """Ansible or the collection refuses an option, while other options contain secrets."""
    tempted.begin(there(FIRST))
    secret = {"device": FIRST, "device_token": device_token(FIRST), **WEBHOOKS}
    tasks = [
        device(**secret, autoread="perhaps"),
        device(**secret, unknown_option=True),
        device(**secret, state="gone"),
        device(**secret, state="absent", otp=OTP, name="T"),
        device(**secret, otp=OTP),
        device(**{**secret, "webhook": f"ftp://user-{MARK}@files.example.com/{MARK}"}),
        webhook_config(device=FIRST, webhook=f"https://[{MARK}/"),
        webhook_config(device=FIRST, webhook=f"{MARK}"),
        webhook_config(device=FIRST, webhook=f"https://hooks.example.com/{MARK} {MARK}"),
        device(device=FIRST, device_token=f"{MARK}\nsecond-{MARK}"),
        device_info(account_token=f"tok\u00e9n {MARK}"),
        device(device=FIRST, api_endpoint="http://api.example.com", **WEBHOOKS),
        device_info(api_endpoint="ftp://api.example.com"),
    ]
    for task, reported in zip(tasks, tempted.play(*tasks).reported, strict=False):
        assert reported.failed, f"{task} was taken"
    assert tempted.calls() == []


def test_refusals_that_echo_the_request_show_no_secret(tempted: World) -> None:
    """The error quotes the service, without the secrets."""
    tempted.begin(there(FIRST), there(SECOND), there(THIRD))
    code_sent(THIRD)(tempted.sandbox)
    texts = {
        FIRST: f"webhook url {WEBHOOKS['webhook']} is not responding",
        SECOND: f"tokens {device_token(SECOND)}, {device_token(THIRD)}, {ACCOUNT} with {_url('new')} are not welcome",
    }
    for number, text in texts.items():
        tempted.sandbox.fault(
            "status", path="/update-device", number=number, code=200, times=None, body={"status": False, "reason": text}
        )
    reported_first, reported_second, wrong = tempted.play(
        device(device=FIRST, **WEBHOOKS),
        webhook_config(device=SECOND, webhook=_url("new")),
        device(device=THIRD, state="absent", otp=WRONG_OTP),
    ).reported
    assert reported_first.failed and "is not responding" in reported_first.message, reported_first.result
    assert "hooks.example.com" in reported_first.message
    assert reported_second.failed and "are not welcome" in reported_second.message, reported_second.result
    assert wrong.failed and "incorrect OTP" in wrong.message, wrong.result


def test_invalid_responses_show_no_secret(tempted: World) -> None:
    """HTML, an incomplete response, a redirect, an echo and an unreachable service each give one sentence."""
    numbers = [f"0812000110{n:02d}" for n in range(7)]
    tempted.begin(*(there(number) for number in numbers))
    kinds: dict[str, dict[str, object]] = {
        "html": {"code": 502},
        "empty": {},
        "list": {"items": [_url("list"), ACCOUNT]},
        "redirect": {"location": _url("to")},
        "reset": {"at": "middle", "when": "after"},
        "status": {"code": 200, "body": {"status": "perhaps", "reason": _url("?")}},
    }
    for number, (kind, args) in zip(numbers, kinds.items(), strict=False):
        tempted.sandbox.fault(kind, path="/update-device", number=number, times=None, **args)
    tasks: list[Task] = [device(device=number, **WEBHOOKS) for number in numbers[: len(kinds)]]
    tasks.append(device(device=numbers[-1], api_endpoint="http://127.0.0.1:9", **WEBHOOKS))
    for kind, reported in zip([*kinds, "unreachable"], tempted.play(*tasks).reported, strict=False):
        assert reported.failed and reported.message.endswith(".") and "\n" not in reported.message, (
            f"{kind}: {reported.result}"
        )
