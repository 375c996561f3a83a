# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nothing secret shows at -vvvv with the options of the tasks, in success and in failure, on newer and older cores.

The player searches every run of the suite; here are the runs that tempt the modules most.
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
    record_info,
    webhook_config,
)
from ansible_collections.fonnte.whatsapp.tests.conformance.scenarios import ACCOUNT, World
from ansible_collections.fonnte.whatsapp.tests.sandbox.driver import Sandbox

FIRST, SECOND, THIRD, NEW = "081200010001", "081200010002", "081200010003", "081200010009"

# The newest core runs the tests; where the checks prepare an older one, its programs are in this folder.
OLDEST = os.environ.get("FONNTE_TESTS_OLDEST")
CORES = {"newest": Path(sys.executable).parent, **({"oldest": Path(OLDEST)} if OLDEST else {})}


def _url(name: str) -> str:
    """A URL that is secret in every part but its host."""
    return f"https://user-{MARK}:pass-{MARK}@hooks.example.com/path-{MARK}-{name}?key={MARK}&name={name}#end-{MARK}"


WEBHOOKS = {option: _url(option) for option, value in EVERYTHING.items() if isinstance(value, Hook)}


@pytest.fixture(params=CORES)
def tempted(request: pytest.FixtureRequest, sandbox: Sandbox, tmp_path: Path) -> World:
    """A world that is played on one of the cores."""
    return World(sandbox, Player(tmp_path, sandbox, CORES[request.param]))


def test_success(tempted: World) -> None:
    """Everything that succeeds, with every secret in use."""
    tempted.begin(there(FIRST, linked=True), there(SECOND))
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
        device(device=NEW, return_tokens=True).named(no_log=True),
    )
    assert not any(told.failed for told in run.told), [told.message for told in run.told]
    assert [told.get("operations") for told in run.told[:6]] == [
        ["create", "update"],
        ["update", "disconnect"],
        ["update"],
        ["update"],
        ["request_otp"],
        ["delete"],
    ]
    foreseen = tempted.play(device(device=FIRST, **{**EVERYTHING, **WEBHOOKS}), check=True)
    assert foreseen.only().changed


class Onlooker:
    """Another user of the machine, who looks at everything that is open to him while a run is under way."""

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
        # Files come and go meanwhile.
        with contextlib.suppress(OSError):
            if path.is_file() and self._is_open(path):
                text = path.read_bytes()
                self.seen |= {f"{path}: {text[:200]!r}" for secret in self._secrets if secret in text}

    def _is_open(self, path: Path) -> bool:
        """Whether its own mode, and those of the folders above it, let others read it."""
        inside = [folder for folder in path.parents if any(root in folder.parents for root in self._folders)]
        return all(place.stat().st_mode & mode for place, mode in [(path, 0o004), *((one, 0o001) for one in inside)])


@pytest.mark.parametrize("in_process", [True, False])
def test_nobody_else_sees_a_secret_while_a_run_is_under_way(sandbox: Sandbox, tmp_path: Path, in_process: bool) -> None:
    world = World(sandbox, Player(tmp_path, sandbox, in_process=in_process))
    world.begin(there(FIRST))
    sandbox.set_options(latency=0.4)
    # Short, since Ansible has a socket in there.
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
    assert [told.failed for told in run.told] == [False, False, True]
    assert onlooker.looks > 20
    assert not onlooker.seen


def test_with_debug_logs_on_nothing_secret_is_logged(tempted: World) -> None:
    """What requests, urllib3 and http.client could tell of a call goes nowhere, even to who asks Ansible for all."""
    tempted.begin(there(FIRST))
    run = tempted.play(
        device(device=NEW, **{**EVERYTHING, **WEBHOOKS}),
        device_info(profile=True),
        env={"ANSIBLE_DEBUG": "1", "ANSIBLE_LOG_VERBOSITY": "5"},
    )
    assert not any(told.failed for told in run.told)
    log = (tempted.player.home / "ansible.log").read_text(encoding="utf-8")
    assert "PLAY RECAP" in log and "urllib3.connectionpool" not in log


def test_failures_before_a_call(tempted: World) -> None:
    """Errors in options, found by Ansible and by us, while secrets are in other options."""
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
    for task, told in zip(tasks, tempted.play(*tasks).told, strict=False):
        assert told.failed, f"{task} was taken"
    assert tempted.calls() == []


def test_refusals_that_echo_what_was_sent(tempted: World) -> None:
    """The service's own text is shown, without the secrets in it."""
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
    told_first, told_second, wrong = tempted.play(
        device(device=FIRST, **WEBHOOKS),
        webhook_config(device=SECOND, webhook=_url("new")),
        device(device=THIRD, state="absent", otp=WRONG_OTP),
    ).told
    assert told_first.failed and "is not responding" in told_first.message, told_first.result
    assert "hooks.example.com" in told_first.message
    assert told_second.failed and "are not welcome" in told_second.message, told_second.result
    assert wrong.failed and "incorrect OTP" in wrong.message, wrong.result


def test_replies_that_are_no_answer(tempted: World) -> None:
    """HTML, half a reply, a redirect, an echo, a service that is away: a sentence each, and no secret."""
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
    for kind, told in zip([*kinds, "unreachable"], tempted.play(*tasks).told, strict=False):
        assert told.failed and told.message.endswith(".") and "\n" not in told.message, f"{kind}: {told.result}"
