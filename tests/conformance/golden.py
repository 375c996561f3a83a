# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Golden results: playbooks whose results and requests are recorded in a file and compared at each run.

A refactoring must not change them. ``RENAMED`` maps the names that a change replaces intentionally, so that a file can
be compared with the results of the new code before it is recorded again.

``FONNTE_TESTS_GOLDEN`` names a directory to which the files are written, instead of a comparison.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.fonnte.whatsapp.tests.sandbox.driver import Sandbox

from .cases import there
from .playbooks import (
    MARK,
    OTP,
    WRONG_OTP,
    Json,
    Player,
    Run,
    Task,
    device,
    device_info,
    device_qr,
    doctor,
    message,
    record,
    record_info,
    webhook_config,
)

FILES = Path(__file__).parent / "golden"
# Old string -> new string, in results and messages; empty while the recorded files are current.
RENAMED: dict[str, str] = {}

PASSED = "All assertions passed"
ACCOUNT = f"account-{MARK}-golden"
# The expiry of a free device depends on the clock; these devices have a fixed date.
EXPIRES = 1_900_000_000
FIRST, SECOND, THIRD, FOURTH, NEW = (f"08120001500{place}" for place in range(1, 6))
PHONE, PERSON = "6281111111111", "6281200002001"


def hook(name: str) -> str:
    """Return the URL of a webhook, with secret parts."""
    return f"https://hooks.example.com/{MARK}-{name}?key={MARK}"


@dataclass
class Recording:
    """A control node with a sandbox, and the results so far."""

    sandbox: Sandbox
    player: Player
    folder: Path
    steps: list[Json]

    def run(self, *tasks: Task, check: bool = False) -> None:
        """Run tasks, and keep their results and requests."""
        given = [task.but(**{"account_token": ACCOUNT, "api_retries": 0, **task.args}) for task in tasks]
        self._keep("check" if check else "run", self.player.play(*given, check=check))

    def both(self, *tasks: Task) -> None:
        """Run tasks in check mode, then in a normal run, then again."""
        self.run(*tasks, check=True)
        self.run(*tasks)
        self.run(*tasks)

    def book(self, name: str, *words: str) -> None:
        """Run a playbook of the collection by its name."""
        run = self.player.play_by_name(name, *words, env={"FONNTE_ACCOUNT_TOKEN": ACCOUNT})
        # Internal steps of a role may change; the requests, and the messages for the user, must not.
        self._keep(" ".join([name, *words]), run, only=("changed", "msg", "summary", "operations"))

    def run_sheet(self, **args: object) -> None:
        """Run fonnte_sheet, which sends no requests and has no common options."""
        self._keep("sheet", self.player.play(Task("fonnte_sheet", args)))

    def file(self, name: str, content: object) -> Path:
        """Write a file for a playbook."""
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(content), encoding="utf-8")
        return path

    def _keep(self, title: str, run: Run, only: Sequence[str] = ()) -> None:
        requests = [_request(entry) for entry in self.sandbox.journal()]
        self.sandbox.clear_journal()
        results = [
            {
                "task": reported.task,
                "failed": reported.failed,
                "result": {key: reported[key] for key in only or reported.result if key in reported.result},
            }
            for reported in run.reported
            if not only or reported.failed or reported.changed or reported.get("msg", PASSED) != PASSED
        ]
        # Several workers of a fleet send requests at the same time, so their order varies.
        self.steps.append({"step": title, "results": results, "requests": sorted(requests)})


def _request(entry: Json) -> str:
    form = json.dumps(entry["form"], sort_keys=True)
    return f"{entry['method']} {entry['path']} {entry['number']} {form} -> {entry['status']}"


# Ignored keys of a result: they repeat the options, or their values depend on the machine.
_IGNORED_KEYS = {
    "lasting",
    "lasting_because",
    "because",
    "invocation",
    "ansible_facts",
    "exception",
    "delta",
    "start",
    "end",
    "mtime",
    "atime",
    "ctime",
}
# Whether there is a warning about a record in a temporary directory depends on the machine.
_STORAGE = re.compile(r"may not last|for temporary files|is empty, and the account has")
_TIME = re.compile(r"20[23]\d-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|\+00:00| UTC)?)?")
_IDS = (
    # Names and contents of record files depend on the sandbox's port.
    (re.compile(r"\b(device|number)-[0-9a-f]{32}( \d+ [0-9a-f]{6})?"), r"\1-<id>"),
    (re.compile(r"\b[A-Z0-9]{4}-[A-Z0-9]{4}\b"), "<pairing code>"),
    (re.compile(r"\b(?:0|[1-9]\d*)(?:\.\d+)? (seconds|s|minutes|min)\b"), r"<n> \1"),
    (re.compile(r"\b\d{5,} bytes"), "<n> bytes"),
    (re.compile(r"([-:a-z_ ]*nonce-|sha256-)[A-Za-z0-9+/=]+"), r"\1<digest>"),
)


def normalize(value: Any, replaced: dict[str, str]) -> Any:
    """Return a value without the machine's paths, ports and times."""
    if isinstance(value, dict):
        kept = {key: item for key, item in value.items() if key not in _IGNORED_KEYS and not key.startswith("_ansible")}
        found = {normalize(key, replaced): normalize(item, replaced) for key, item in kept.items()}
        # Drop the key if it had only ignored warnings.
        return {key: item for key, item in found.items() if key != "warnings" or item != [] or kept[key] == []}
    if isinstance(value, list):
        kept_items = [item for item in value if not (isinstance(item, str) and _STORAGE.search(item))]
        return [normalize(item, replaced) for item in kept_items]
    if not isinstance(value, str):
        return value
    for found, name in replaced.items():
        value = value.replace(found, name)
    value = _TIME.sub(lambda found: found[0] if found[0].startswith("2030") else "<time>", value)
    for pattern, name in _IDS:
        value = pattern.sub(name, value)
    return value


def renamed(text: str) -> str:
    """Return a recorded string with the current names."""
    for old, new in RENAMED.items():
        text = text.replace(old, new)
    return text


# The scenarios


def _world(sandbox: Sandbox) -> None:
    known = {"expires": EXPIRES, "package": "Super"}
    rows = [
        there(FIRST, linked=True, **known),
        there(SECOND, name="Toko Dua", webhook=hook("by-hand"), **known),
        there(THIRD, name="Toko Tiga", autoread=True, linked=True, quota=3, **known),
    ]
    sandbox.reset(accounts=[{"token": ACCOUNT, "plan": "Super", "devices": rows}])


def _device(recording: Recording) -> None:
    recording.both(
        device(device=FIRST, name="Toko Satu", autoread=True, webhook=hook("a"), quick=True),
        device(device=NEW, name="Toko Baru", autoread=True, personal=True, webhook=hook("b")),
        device(device=SECOND, webhook="", resend=True, target="081200009001"),
        device(device=THIRD, state="disconnected"),
    )
    recording.sandbox.edit(FIRST, name="Lain", quick=False)
    recording.run(device(device=FIRST, name="Toko Satu", quick=True, handle_write_only="always_update"))
    recording.run(
        device(device=FOURTH),
        device(device=FIRST, name="T"),
        device(device="12"),
        device(device=SECOND, handle_write_only="error", group=True),
        device(device=SECOND, account_token="nobody", name="Toko Dua"),
        device(device=SECOND, group=True, handle_unknown="error"),
        device(device=FIRST, device_token=f"device-{MARK}-{SECOND}", name="Toko"),
    )


def _deletion(recording: Recording) -> None:
    recording.sandbox.next_otp(OTP)
    absent = device(device=SECOND, state="absent")
    recording.run(absent, absent.but(request_otp=True), device(device=FOURTH, state="absent"), check=True)
    recording.run(absent, absent.but(request_otp=True), absent.but(request_otp=True), absent.but(otp=WRONG_OTP))
    recording.run(absent.but(otp=OTP), check=True)
    recording.run(absent.but(otp=OTP), absent.but(otp=OTP))


def _stamped(recording: Recording) -> None:
    stamped = device(device=FIRST, name="Toko Satu", quick=True, webhook=hook("a"), handle_write_only="stamped")
    recording.both(stamped)
    recording.sandbox.edit(FIRST, autoread=True)
    recording.run(stamped.but(autoread=False), device_info(devices=[FIRST], recorded=True))
    recording.both(device(device=THIRD, quick=True, handle_write_only="attest"))


def _webhooks(recording: Recording) -> None:
    four = {option: hook(option) for option in WEBHOOKS}
    recording.both(webhook_config(device=FIRST, **four))
    recording.both(webhook_config(device=FIRST, state="absent"))
    recording.run(webhook_config(device=NEW, **four), webhook_config(device=NEW, state="absent"), check=True)
    recording.run(webhook_config(device=NEW, **four), webhook_config(device=FIRST, webhook="ftp://hooks.example.com"))


def _read(recording: Recording) -> None:
    recording.run(device(device=FIRST, quick=True, webhook=hook("a")))
    recording.run(
        device_info(),
        device_info(devices=[FIRST, NEW], profile=True, recorded=True),
        device_info(connection="connected", quota_below=10),
        device_info(account_token=None, device_token=f"device-{MARK}-{SECOND}"),
        device_info(devices=["12"]),
        record_info(),
    )
    listed = [{"device": FIRST, "name": "Toko Lama"}, {"device": SECOND, "name": "=1+1"}]
    recording.run_sheet(devices=listed, dest=str(recording.folder / "sheet"))
    recording.sandbox.remove(FIRST)
    backup = str(recording.folder / "backup.json")
    recording.run(
        record(operation="backup", path=backup),
        record(operation="forget", orphans=True),
        record(operation="restore", path=backup),
        record_info(),
    )


FLAGS = ("autoread", "personal", "group", "quick")
WEBHOOKS = tuple(f"webhook{end}" for end in ("", "_connect", "_status", "_chaining"))
FLEET = [
    {"device": FIRST, "name": "Toko Satu", "webhook": hook("a")},
    {"device": SECOND, "name": "Toko Dua", "webhook": hook("b"), "quick": True},
    {"device": NEW, "name": "Toko Baru"},
]


def _fleet(recording: Recording) -> None:
    fleet = Task("fonnte_fleet", {"devices": FLEET, "defaults": {"autoread": True}, "unlisted": "report"})
    recording.both(fleet)
    recording.sandbox.edit(SECOND, name="Lain")
    recording.run(fleet, check=True)
    recording.run(
        fleet.but(unlisted="error"),
        fleet.but(devices=[{**row, "webhook": ""} for row in FLEET], max_clear=1),
        fleet.but(devices=[*FLEET, {"device": "+62 812 0001 5001", "name": "Toko"}]),
        fleet.but(devices=[{"device": NEW, "name": "T"}]),
    )
    recording.sandbox.fault("status", path="/update-device", number=FIRST, code=503, times=None)
    recording.run(fleet.but(devices=[{**row, "group": True} for row in FLEET]))


def _audit(recording: Recording) -> None:
    audit = Task("fonnte_audit", {"devices": [{**row, "autoread": True} for row in FLEET]})
    recording.run(audit, check=True)
    recording.run(Task("fonnte_fleet", {"devices": FLEET}), audit)


def _linking(recording: Recording) -> None:
    qr = device_qr(device=SECOND, dest=str(recording.folder / "code.png"))
    recording.both(qr)
    recording.run(
        device_qr(device=SECOND, method="code", whatsapp=PHONE),
        device_qr(device=FIRST, dest=str(recording.folder / "none.png")),
        device_qr(device=NEW, dest=str(recording.folder / "none.png")),
        device_qr(device=SECOND, method="code"),
    )


def _messages(recording: Recording) -> None:
    hello = message(device=FIRST, target=[PERSON], message="hello")
    tasks = (
        hello,
        hello.but(target=[f"{PERSON}|Toko", {"to": "+62 812 0000 2002", "name": "Dua"}], message="hello {name}"),
        hello.but(url=f"https://files.example.com/a.pdf?key={MARK}", method="get"),
        hello.but(poll={"name": "?", "choices": ["one", "two"], "select": "single"}),
        hello.but(device=SECOND),
        hello.but(schedule="2020-01-01T00:00:00Z"),
        hello.but(target=["nobody"]),
    )
    recording.run(*tasks, check=True)
    recording.run(*tasks)
    recording.sandbox.fault("reset", path="/send", when="after")
    recording.run(hello)


def _troubles(recording: Recording) -> None:
    order = recording.sandbox.fault
    task = device(device=FIRST, name="Toko Satu")
    for kind, rule in (
        ("status", {"path": "/get-devices", "code": 503}),
        ("status", {"path": "/get-devices", "code": 429, "headers": {"Retry-After": "120"}}),
        ("redirect", {"path": "/get-devices", "code": 307}),
        ("status", {"path": "/update-device", "code": 500}),
    ):
        order(kind, **rule)
        recording.run(task)
        recording.sandbox.clear_faults()
    recording.run(task.but(api_endpoint="http://192.0.2.1"), task.but(account_token=None), task.but(device=None))


def _playbooks(recording: Recording) -> None:
    clients = [
        {"name": "Toko Bunga", "package": "cashier", "devices": FLEET[:2]},
        {"name": "Warung", "devices": FLEET[2:]},
    ]
    everything = {**dict.fromkeys(FLAGS, True), **dict.fromkeys(WEBHOOKS, ""), "resend": False}
    common = {"fleet_defaults": everything, "fleet_packages": {"cashier": {"quick": False}}}
    recording.file("clients/common.yml", common)
    recording.file("clients/clients.yml", {"fleet_clients": clients})
    folder = ("-e", f"provision_files={recording.folder}/clients")
    recording.book("provision", *folder, "--check")
    recording.book("provision", *folder)
    recording.book("provision", *folder)
    recording.book(
        "audit", "-e", f"audit_files={recording.folder}/clients", "-e", f"audit_dest={recording.folder}/audit"
    )
    recording.book("record")
    recording.book("adopt", "-e", f"adopt_dest={recording.folder}/adopted")
    recording.file("clients/clients.yml", {"fleet_clients": [{**clients[0], "packgae": "cashier"}]})
    recording.book("provision", *folder)


def _decommission(recording: Recording) -> None:
    recording.sandbox.next_otp(OTP)
    names = {"decommission_devices": [SECOND], "decommission_names": {SECOND: "Toko Dua"}}
    words = ("-e", f"@{recording.file('leave.json', names)}")
    recording.book("decommission", *words, "--check")
    recording.book("decommission", *words)
    codes = ("-e", f"@{recording.file('codes.json', {**names, 'decommission_otps': {SECOND: OTP}})}")
    recording.book("decommission", *codes)


def _doctor(recording: Recording) -> None:
    facts = str(recording.folder / "facts.json")
    trial = doctor(device=NEW, dest=facts, account_token=ACCOUNT)
    recording.run(trial, check=True)
    recording.run(trial.but(consent=True))


SCENARIOS: dict[str, Callable[[Recording], None]] = {
    function.__name__.strip("_"): function
    for function in (
        _device,
        _deletion,
        _stamped,
        _webhooks,
        _read,
        _fleet,
        _audit,
        _linking,
        _messages,
        _troubles,
        _playbooks,
        _decommission,
        _doctor,
    )
}


def results_of(name: str, sandbox: Sandbox, folder: Path) -> str:
    """Run a scenario, and return its steps as JSON."""
    _world(sandbox)
    recording = Recording(sandbox, Player(folder, sandbox), folder, [])
    SCENARIOS[name](recording)
    replaced = {sandbox.url: "<api>", sandbox.control_url: "<control>", str(folder): "<folder>"}
    return json.dumps(normalize(recording.steps, replaced), indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def recorded(name: str) -> str:
    """Return the recorded results of a scenario, with the current names."""
    lines = (FILES / f"{name}.jsonc").read_text(encoding="utf-8").splitlines()
    return renamed("\n".join(line for line in lines if not line.startswith("//")))


def record_in(directory: Path, name: str, results: str) -> None:
    """Write the results of a scenario to its file, after the license header."""
    own = Path(__file__).read_text(encoding="utf-8").splitlines()
    license_lines = [line.replace("#", "//", 1) for line in own if line.startswith("# ")][:3]
    (directory / f"{name}.jsonc").write_text("\n".join([*license_lines, results]), encoding="utf-8")


def compare(expected: str, found: str) -> Sequence[str]:
    """Return the steps that differ, with the first different line of each."""
    old, new = json.loads(expected), json.loads(found)
    differences = [f"{len(old)} steps were recorded, {len(new)} ran"] if len(old) != len(new) else []
    for before, after in zip(old, new, strict=False):
        if before != after:
            lines = [json.dumps(step, indent=1, ensure_ascii=False).splitlines() for step in (before, after)]
            first = next(
                (pair for pair in zip(*lines, strict=False) if pair[0] != pair[1]), ("", "more or fewer lines")
            )
            differences.append(f"{before['step']}: {first[0].strip()} was recorded, and is {first[1].strip()}")
    return differences
