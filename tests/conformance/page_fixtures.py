# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The setup for each page of the documentation, and the commands that the tests do not run, with the reasons."""

from __future__ import annotations

import atexit
import csv
import io
import json
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path

import requests

from ansible_collections.fonnte.whatsapp.tests.postgresql import ADMIN, start_encrypted_or_skip
from ansible_collections.fonnte.whatsapp.tests.sandbox.driver import Json

from .page_runner import SHELLS, Follower, blocks_of

CODE = "047193"
FIRST, SECOND, THIRD, WRONG = "081200001001", "081200001002", "081200001003", "081200001099"
Happens = Callable[[Follower], None]

# The beginning of each command that the tests do not run, and the reason.
NOT_RUN = {
    "make demo": "the session demo runs it",
    ". .build/venvs/demo-env/bin/activate": "the tests have an environment and a sandbox",
    'export ANSIBLE_COLLECTIONS_PATH="$PWD/.build/demo/': "the artifact of this test is in another directory",
    "export FONNTE_API_ENDPOINT=http://127.0.0.1:8900": "the sandbox of this test has another address",
    "ansible-galaxy collection install fonnte.whatsapp": "no Galaxy; the stage build installs the artifact",
    "ansible-galaxy collection install -r requirements.yml": "no Galaxy; the stage build installs the artifact",
    "python3 -m venv ~/venv": "the tests have an environment, with the packages of the next commands",
    ". ~/venv/bin/activate": "the tests have an environment, with the packages of the next commands",
    "python3 -m pip install": "no network; what it installs is in the environment of the tests",
    "ansible-rulebook": "it needs Java; the stage eda runs this rulebook",
    "ansible-builder build": "it needs a container engine",
    "podman push": "it needs a registry",
    "curl --silent http://127.0.0.1:5000/health": "no rulebook runs; the stage eda reads these counts",
    "export FONNTE_RECORD_URL=": "the server of this test has another address",
    "sudo ": "it needs root",
    "cp ~/.ansible/collections/": "the collection of this test is in another directory",
    "ansible-playbook check.yml": "test_example_projects.py runs this example, without its pauses",
}


@dataclass(frozen=True)
class Guide:
    """The setup of a page, and the events while a reader follows it.

    Attributes:
        world: Creates the state that the page assumes.
        at: The event when the reader reaches the first block under a heading.
        answers: The reader's answers, with a pattern of each question, in the order of the page.
        fails: The exit code of a command that must fail, by a pattern of the command.
        editor: The text that the reader writes when an editor opens; by default, the account's token.
        given: Variables that a CI sets, for the workflows on the page.
        secret: The jobs of these workflows that get the token.
    """

    world: Happens = lambda follower: None
    at: Mapping[str, Happens] = field(default_factory=dict)
    answers: tuple[tuple[str, str], ...] = ()
    fails: Mapping[str, int] = field(default_factory=dict)
    # The beginning of each block that does not show the output of the commands above it, and the reason.
    beside: Mapping[str, str] = field(default_factory=dict)
    editor: str = ""
    given: Mapping[str, str] = field(default_factory=dict)
    secret: tuple[str, ...] = ()


def account(*devices: Json, token: str = "", **more: object) -> Happens:
    """Return a function that creates an account with these devices."""

    def make(follower: Follower) -> None:
        own = {"token": token or follower.sandbox.account_token, "devices": list(devices), **more}
        follower.sandbox.reset(accounts=[own])
        follower.sandbox.next_otp(CODE)

    return make


def device(number: str, name: str, **more: object) -> Json:
    """Return a device, which is linked by default."""
    return {"number": number, "name": name, "package": "Super", "linked": True, **more}


def has_a_record(follower: Follower) -> None:
    """Declare and apply a device on this machine, so that a record exists."""
    declared = follower.home / "earlier.yml"
    declared.write_text(f'fleet_devices: [{{device: "{FIRST}", name: Toko Satu, quick: true}}]\n', encoding="utf-8")
    done = follower.type(f"ansible-playbook fonnte.whatsapp.provision -e provision_files={declared}")
    assert done.code == 0, done.shown


def set_old_token(follower: Follower) -> None:
    """Provide the earlier token of the account, which the operation migrate needs."""
    follower.env["FONNTE_OLD_ACCOUNT_TOKEN"] = "old-token-of-the-account"


def a_database(follower: Follower) -> None:
    """Start a PostgreSQL server, provide its administrator's programs, and apply a device with a record in files."""
    server = start_encrypted_or_skip()
    atexit.register(server.__exit__)
    (follower.home / "bin" / "psql").symlink_to(server.installation.programs / "psql")
    follower.env.update(PGHOST=str(server.folder), PGPORT=str(server.port), PGUSER=ADMIN)
    follower.env["TEST_RECORD_URL"] = (
        f"postgresql://fonnte_runs:change-this-password@127.0.0.1:{server.port}/fonnte_record"
        f"?sslmode=verify-full&sslrootcert={server.ca}"
    )
    declared = 'fleet_devices: [{device: "%s", name: Toko Satu, quick: true}]\n' % FIRST
    (follower.folder / "devices.yml").write_text(declared, encoding="utf-8")
    done = follower.type("ansible-playbook fonnte.whatsapp.provision -e provision_files=devices.yml")
    assert done.code == 0, done.shown


def use_the_database(follower: Follower) -> None:
    """Use the address of the test's server instead of the one on the page."""
    follower.env["FONNTE_RECORD_URL"] = follower.env["TEST_RECORD_URL"]


def without_a_token(make: Happens) -> Happens:
    """Return a function that runs another one, and then removes the account's token from the environment."""

    def then(follower: Follower) -> None:
        make(follower)
        del follower.env["FONNTE_ACCOUNT_TOKEN"]

    return then


def clients_like(name: str) -> Happens:
    """Return a function that creates a directory of declarations with a copy of a file of the page."""

    def copy(follower: Follower) -> None:
        (follower.folder / "clients").mkdir()
        (follower.folder / "clients" / "satu.yml").write_bytes((follower.folder / name).read_bytes())

    return copy


def fill_in_the_sheet(follower: Follower) -> None:
    """Fill in the sheet, as a person does who reads the settings in the dashboard."""
    path = follower.home / "fonnte" / "hidden.csv"
    rows = list(csv.DictReader(io.StringIO(path.read_text("utf-8-sig"))))
    for row in rows:
        row.update(personal="yes", group="no", quick="no", resend="no", target="none", country_code="62")
        row.update(webhook="https://hooks.example.com/toko", webhook_connect="none")
        row.update(webhook_status="none", webhook_chaining="none")
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, rows[0])
    writer.writeheader()
    writer.writerows(rows)
    path.write_text(out.getvalue(), "utf-8")


def unlink(number: str) -> Happens:
    """Return a function that unlinks a device, as its owner does on the phone."""
    return lambda follower: follower.sandbox.unlink(number) and None


def after_section(make: Happens, page: str, heading: str) -> Happens:
    """Return a function that runs another one, and then follows a section that the page has after the others."""

    def then(follower: Follower) -> None:
        make(follower)
        text = (follower.collections / "ansible_collections" / "fonnte" / "whatsapp" / page).read_text(encoding="utf-8")
        for block in (block for block in blocks_of(text) if block.heading == heading):
            if block.saved:
                follower.save(block)
            for command in block.commands if block.language in SHELLS else ():
                done = follower.type(command)
                assert done.code == 0, done.shown

    return then


def silent_for_nine_days(follower: Follower) -> None:
    """Write the file of an event source that received the last message of the first device nine days ago."""
    at = (datetime.now(timezone.utc) - timedelta(days=9, hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    devices = {f"62{FIRST[1:]}": {"incoming": at}}
    events = {"format": "fonnte.whatsapp/last-events", "version": 1, "since": at, "devices": devices}
    (follower.folder / "last-events.json").write_text(json.dumps(events), encoding="utf-8")


def declares_events(make: Happens) -> Happens:
    """Return a function that runs another one, and then writes a declaration with the lines of docs/events.md."""

    def then(follower: Follower) -> None:
        make(follower)
        root = follower.collections / "ansible_collections" / "fonnte" / "whatsapp"
        (added,) = (
            block.text
            for block in blocks_of((root / "docs" / "events.md").read_text(encoding="utf-8"))
            if "webhook_connect:" in block.text
        )
        urls = {name: f"https://hooks.example.com/{name}" for name in ("webhook", "webhook_status", "webhook_chaining")}
        others: Json = {"autoread": True, "personal": True, "group": False, "quick": False, "resend": True, **urls}
        others.update(target="6281299990000", country_code="62")
        devices = [{"device": FIRST, "name": "Toko Satu"}, {"device": SECOND, "name": "Toko Dua"}]
        lines = [f"  {name}: {json.dumps(value)}\n" for name, value in others.items()]
        text = f"{added}{''.join(lines)}fleet_devices: {json.dumps(devices)}\n"
        (follower.folder / "devices.yml").write_text(text, encoding="utf-8")

    return then


def in_an_empty_directory(follower: Follower) -> None:
    assert follower.type("mkdir ../empty && cd ../empty").code == 0


def one_drops_off(follower: Follower) -> None:
    """Link the phones of all shops, and log one of them out."""
    for number in follower.sandbox.devices():
        follower.sandbox.link(number)
    follower.sandbox.unlink(SECOND, reason="logged out")


def service_is_down(follower: Follower) -> None:
    follower.sandbox.fault("html", path="*", times=1, code=503)


def a_wrong_number(follower: Follower) -> None:
    """Create a device that no file declares, as a person does in the dashboard."""
    with requests.Session() as session:
        session.trust_env = False
        form = {"name": "Toko Bunga 3", "device": WRONG}
        token = {"Authorization": follower.sandbox.account_token}
        answer = session.post(f"{follower.sandbox.url}/add-device", data=form, headers=token, timeout=60)
    assert answer.json()["status"] is True


def two_accounts(follower: Follower) -> None:
    """Create the old account with the shop's device, and a new account without devices."""
    old = {"token": follower.sandbox.account_token, "devices": [device(FIRST, "Toko Bunga 1", autoread=True)]}
    follower.sandbox.reset(accounts=[old, {"token": "account-of-toko-bunga", "plan": "Super"}])
    follower.sandbox.next_otp(CODE)
    (follower.home / ".fonnte-token-toko-bunga").write_text("account-of-toko-bunga\n", encoding="utf-8")


def first_commit(folder: Path) -> str:
    """Return the commit that a pull request is based on."""
    words = ["git", "rev-list", "--max-parents=0", "HEAD"]
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, check=True).stdout.strip()


def an_agency(follower: Follower) -> None:
    """Create two accounts without devices, and the file with the token of the second one."""
    own = {"token": follower.sandbox.account_token, "plan": "Super"}
    follower.sandbox.reset(accounts=[own, {"token": "account-of-toko-roti", "plan": "Super"}])
    (follower.home / ".fonnte-token-toko-roti").write_text("account-of-toko-roti\n", encoding="utf-8")


def rename(number: str) -> Happens:
    """Return a function that renames a device, as a person does in the dashboard."""
    return lambda follower: follower.sandbox.edit(number, name="Another name") and None


def renumber(number: str, new: str) -> Happens:
    """Return a function that changes the number of a device, as a person does in the dashboard."""
    return lambda follower: follower.sandbox.edit(number, device=new) and None


def require_alert(follower: Follower) -> None:
    """Check that the message on the page was sent, once."""
    page = follower.collections / "ansible_collections" / "fonnte" / "whatsapp" / "docs" / "notify.md"
    shown = next(block.text for block in blocks_of(page.read_text(encoding="utf-8")) if "has failed" in block.text)
    (message,) = follower.sandbox.outbox()
    assert message["message"] == shown.strip(), message


def an_application(follower: Follower) -> None:
    """Create an account without devices, the directory of the application, and a service manager that counts."""
    account()(follower)
    (follower.home / "cashier").mkdir()
    program = follower.home / "bin" / "systemctl"
    states = "LoadState=loaded\\nActiveState=active\\nSubState=running\\n"
    program.write_text(
        f"#!/bin/sh\necho \"$*\" >>'{follower.home}/systemctl.log'\nprintf '{states}'\n", encoding="utf-8"
    )
    program.chmod(0o755)


def fonnte_deletes(number: str) -> Happens:
    """Return a function that checks the first token, and deletes the device, as Fonnte does after 30 days."""

    def purge(follower: Follower) -> None:
        check_application(follower, number, restarts=1)
        follower.sandbox.purge(number)

    return purge


def check_application(follower: Follower, number: str, restarts: int) -> None:
    """Check that the application has the token of its device, and how often it was restarted."""
    token = follower.sandbox.device(number)["token"]
    file = follower.home / "cashier" / ".env"
    assert file.read_text(encoding="utf-8") == f"FONNTE_TOKEN='{token}'\n" and file.stat().st_mode & 0o777 == 0o600
    log = (follower.home / "systemctl.log").read_text(encoding="utf-8").splitlines()
    assert log.count("--user restart cashier") == restarts, log


SHOPS = {1: FIRST, 2: SECOND, 3: THIRD}
GROUPS = [
    {"id": "120363041@g.us", "name": "Tim Gudang"},
    {"id": "120363042@g.us", "name": "Toko, Jakarta | Bandung"},
]
OFFICE = device(FIRST, "Toko Satu")
NEW_PASSWORD = (("New Vault password:", "not-a-secret"), ("Confirm New Vault password:", "not-a-secret"))
VAULT_PASSWORD = ("Vault password:", "not-a-secret")
GUIDES = {
    "docs/alerts.md": Guide(
        world=account(OFFICE, device(SECOND, "Toko Dua"), device(THIRD, "Toko Tiga", linked=False)),
        at={"Send the changes": unlink(SECOND)},
    ),
    "docs/audit.md": Guide(
        world=account(device(FIRST, "Toko Pertama", settings={"autoread": True})),
        at={"Fail in CI": clients_like("devices.yml"), "Last events": silent_for_nine_days},
        fails={"audit_fail_on": 2},
    ),
    "docs/ci.md": Guide(
        world=without_a_token(
            account(*(device(number, f"Toko Bunga {place}", autoread=True) for place, number in SHOPS.items()))
        ),
        given={"GITHUB_STEP_SUMMARY": "summary.md"},
        secret=("audit",),
    ),
    "docs/awx.md": Guide(world=account()),
    "docs/doctor.md": Guide(answers=(("Write yes to go on", "yes"),)),
    "docs/events.md": Guide(
        world=declares_events(account(OFFICE, device(SECOND, "Toko Dua"), device(THIRD, "Toko Tiga", linked=False))),
        beside={"2 of our devices": "no event arrives here; the stage eda runs the rulebook"},
    ),
    "docs/evidence.md": Guide(world=has_a_record, at={"Manage the record": set_old_token}),
    "docs/fleet.md": Guide(
        world=an_agency,
        at={"A client changes the number": renumber(THIRD, "081200001009")},
        editor="not-a-secret",
    ),
    "docs/getting-started.md": Guide(
        world=account(plan="Super"),
        at={"6. Find a manual change": rename(FIRST)},
        answers=(("Press Enter when the phone is at hand", ""),),
    ),
    "docs/groups-and-numbers.md": Guide(world=account(device(FIRST, "Toko Satu", groups=GROUPS))),
    "docs/link.md": Guide(
        world=account(device(FIRST, "Toko Satu", linked=False)),
        at={"With a pairing code": unlink(FIRST)},
        answers=(("Press Enter when the phone is at hand", ""),) * 2,
    ),
    "docs/messages.md": Guide(world=account(OFFICE)),
    "docs/move-a-number.md": Guide(
        world=two_accounts,
        answers=(
            ("Type its name to confirm", "Toko Bunga 1"),
            ("A code for the deletion", CODE),
            ("Press Enter when the phone is at hand", ""),
        ),
    ),
    "docs/notify.md": Guide(
        world=account(OFFICE),
        at={"Options": require_alert},
        fails={"site.yml$": 2},
        beside={"Ansible: site.yml has failed": "the message; require_alert compares it"},
    ),
    "docs/tokens-for-applications.md": Guide(
        world=an_application,
        at={
            "3. After Fonnte deleted the device": fonnte_deletes(FIRST),
            "4. Run both every morning": lambda follower: check_application(follower, FIRST, restarts=2),
        },
        editor="not-a-secret",
    ),
    "docs/secrets.md": Guide(
        world=account(token="paste-the-token-here"),
        answers=(
            *NEW_PASSWORD,
            VAULT_PASSWORD,
            VAULT_PASSWORD,
            ("Variable name", "vault_toko_dua_webhook"),
            ("String to encrypt", "https://hooks.example.com/toko-dua"),
            ("The account's token", "paste-the-token-here"),
        ),
        editor="not-a-secret",
    ),
    "docs/import.md": Guide(
        world=account(
            device(FIRST, "Toko Satu - kasir", autoread=True), device(SECOND, "Toko Dua - gudang", autoread=True)
        ),
        at={"3. Import the sheet": fill_in_the_sheet},
        answers=(*NEW_PASSWORD, VAULT_PASSWORD, VAULT_PASSWORD),
        beside={"Reading the sheet": "the sheet of this test has no wrong cells; test_sheets.py has"},
    ),
    "docs/on-call.md": Guide(
        world=after_section(account(plan="Super"), "docs/on-call.md", "Setup"),
        at={
            "Run the audit": one_drops_off,
            "Fonnte is down": service_is_down,
            "A device must be deleted": a_wrong_number,
            "Setup": in_an_empty_directory,
        },
        answers=(
            ("Press Enter when the phone is at hand", ""),
            ("Type its name to confirm", "Toko Bunga 3"),
            ("A code for the deletion", CODE),
        ),
        fails={"--check$": 2},
    ),
    "docs/shared-record.md": Guide(
        world=a_database,
        at={"2. Use it": use_the_database},
        fails={"provision_files=devices.yml$": 2},
    ),
    "docs/share-state.md": Guide(world=has_a_record),
    "roles/decommission/README.md": Guide(
        world=account(OFFICE),
        answers=(("Type its name to confirm", "Toko Satu"), ("A code for the deletion", CODE)),
    ),
}
