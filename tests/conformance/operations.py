# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The main operations, as a user starts each of them, and the effect that each must have.

Paths are relative to a base directory, which the environment chooses: the directory of the process, or an absolute
path if that directory cannot be used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ansible_collections.fonnte.whatsapp.plugins.module_utils._linking.link_changes import Known, state_bytes
from ansible_collections.fonnte.whatsapp.tests.sandbox.driver import Json

from .control_nodes import EVERYTHING, FIRST, NEW, SECOND, ControlNode

# The device of a second fleet, which is declared in directories that no operation may read.
DECOY = "081200016009"
PERSON = "081200026001"
GROUP: Json = {"id": "120363041@g.us", "name": "Tim Gudang"}
STATE_FILE = "dropped-off.json"
LOCAL: Json = {"hosts": "localhost", "connection": "local", "gather_facts": False}
Problems = Iterator[str]


def created(node: ControlNode) -> Problems:
    """Yield a problem unless the declared device exists with its settings, and no other device was created."""
    if node.numbers() != {FIRST, SECOND, NEW}:
        yield f"the account has {sorted(node.numbers())}"
    elif not node.sandbox.device(NEW)["settings"]["personal"]:
        yield f"{NEW} has other settings than those declared"


def untouched(node: ControlNode) -> Problems:
    """Yield a problem if a write request was sent, or none at all."""
    if node.sandbox.writes():
        yield f"it was written to: {[call['path'] for call in node.sandbox.writes()]}"
    if not node.sandbox.journal():
        yield "no request was sent"


def linked(node: ControlNode) -> Problems:
    """Yield a problem unless a phone is linked to the second device."""
    if not node.sandbox.device(SECOND)["linked"]:
        yield f"{SECOND} is not linked"


def waits_for_its_code(node: ControlNode) -> Problems:
    """Yield a problem unless the deletion code was requested and nothing was deleted, as in a first unattended run."""
    if not node.sandbox.otp(SECOND) or node.numbers() != {FIRST, SECOND}:
        yield f"no code was requested for {SECOND}"


def scratch_device(node: ControlNode) -> Problems:
    """Yield a problem unless the API behavior check has written to its scratch device, and to no other one."""
    touched = {call["number"] for call in node.sandbox.writes()}
    if touched != {NEW}:
        yield f"it has written to {sorted(map(str, touched))}"


def refreshed(node: ControlNode) -> Problems:
    """Yield a problem unless the groups of the first device were fetched once, and nothing else was changed."""
    found = [(call["path"], call["number"]) for call in node.sandbox.writes()]
    if found != [("/fetch-group", FIRST)]:
        yield f"the requests that change something are {found}"


def validated(node: ControlNode) -> Problems:
    """Yield a problem unless the numbers were validated in one request, and nothing was changed."""
    yield from untouched(node)
    count = [call["path"] for call in node.sandbox.journal()].count("/validate")
    if count != 1:
        yield f"{count} validations were requested"


def _sent(node: ControlNode, target: str, *lines: str) -> Problems:
    """Yield a problem unless one message with these lines was sent from the first device."""
    found = [(one["device"], one["target"], one["message"].splitlines()) for one in node.sandbox.outbox()]
    if found != [(FIRST, target, list(lines))]:
        yield f"the messages are {found}"


def sent_to_group(node: ControlNode) -> Problems:
    """Yield a problem unless the message was sent to the group that its target names."""
    yield from _sent(node, GROUP["id"], "hello")


def alerted(node: ControlNode) -> Problems:
    """Yield a problem unless one alert about the failed playbook was sent."""
    lines = ("Ansible: play.yml has failed", "Hosts: localhost", "Task: Deploy", "Error: localhost: it broke")
    yield from _sent(node, GROUP["id"], *lines)


def reported(node: ControlNode) -> Problems:
    """Yield a problem unless the change since the last run was sent, and stored in the file that was named."""
    lines = ("1 of our devices dropped off WhatsApp:", f"- Toko Dua ({SECOND})")
    yield from _sent(node, f"62{PERSON[1:]}", *lines, "Link them again in the dashboard of Fonnte.")
    # A worker of ansible-runner has a copy of the project.
    folder = node.project.parent.parent
    found = [path.read_bytes() for path in folder.glob(f"*/project/{STATE_FILE}")]
    if state_bytes({FIRST: Known(True), SECOND: Known(False)}) not in found:
        yield f"the state was not stored: {found}"


@dataclass(frozen=True)
class Operation:
    """One operation: its command, and its required effect.

    Attributes:
        effect: Yields each problem in the account after the operation.
        variables: The variables of the playbook of this name, for a base directory that ends with a slash or is empty.
        plays: The user's own plays, if the operation is not a playbook of the collection.
        files: The files or directories that the operation writes below the base directory.
        records: Whether it must write a record.
        reads_record: Whether a record of an earlier run must exist before it.
        prepare: Runs before the operation.
        environment: Environment variables that the operation needs.
        code: The exit code of the operation.
        becomes: Whether tasks of the user run modules, to which the become variables of the inventory apply.
    """

    name: str
    effect: Callable[[ControlNode], Problems]
    variables: Callable[[str], Json] = lambda base: {}
    plays: tuple[Json, ...] = ()
    files: tuple[str, ...] = ()
    records: bool = False
    reads_record: bool = False
    prepare: Callable[[ControlNode], object] = field(default=lambda node: None)
    environment: Mapping[str, str] = field(default_factory=dict)
    code: int = 0
    becomes: bool = False


def _device(number: str, name: str) -> Json:
    return {"device": number, "name": name, **EVERYTHING}


def _declare_the_first(node: ControlNode) -> None:
    node.declare(node.project, "Toko Lama", number=FIRST)


def _add_group(node: ControlNode) -> None:
    """Add a group to the phone of the first device."""
    accounts = node.sandbox.state()["accounts"]
    accounts[0]["devices"][0].update(groups=[GROUP])
    node.sandbox.reset(accounts=accounts)


def _add_stored_group(node: ControlNode) -> None:
    """Add a group that the service has fetched from the phone of the first device."""
    accounts = node.sandbox.state()["accounts"]
    accounts[0]["devices"][0].update(groups=[GROUP], fetched_groups=[GROUP], groups_fetched=True)
    node.sandbox.reset(accounts=accounts)


def _store_links(node: ControlNode) -> None:
    """Write the state of an earlier run, in which both devices were linked."""
    (node.project / STATE_FILE).write_bytes(state_bytes({FIRST: Known(True), SECOND: Known(True)}))


def _task(module: str, **options: object) -> tuple[Json, ...]:
    """Return the user's own play with one task."""
    return ({**LOCAL, "tasks": [{"name": "Deploy", module: options}]},)


OPERATIONS = (
    Operation(
        "provision",
        created,
        lambda base: {"provision_files": f"{base}clients"},
        records=True,
        prepare=lambda node: node.declare(node.project, "Toko Proyek"),
    ),
    Operation(
        "audit",
        untouched,
        lambda base: {"audit_files": f"{base}clients", "audit_dest": f"{base}report"},
        files=("report/audit.html", "report/audit.json"),
        prepare=_declare_the_first,
    ),
    Operation("adopt", untouched, lambda base: {"adopt_dest": f"{base}out"}, files=("out/hidden.csv",)),
    Operation(
        "link",
        linked,
        lambda base: {"link_devices": SECOND, "link_dest": f"{base}codes", "link_timeout": 60},
        files=("codes",),
    ),
    Operation(
        "record",
        untouched,
        lambda base: {"record_operation": "backup", "record_file": f"{base}backup.json"},
        files=("backup.json",),
        reads_record=True,
    ),
    Operation(
        "decommission",
        waits_for_its_code,
        lambda base: {"decommission_devices": [SECOND], "decommission_names": {SECOND: "Toko Dua"}},
    ),
    Operation(
        "doctor",
        scratch_device,
        lambda base: {"doctor_dest": f"{base}facts.json", "doctor_device": NEW, "doctor_consent": True},
        files=("facts.json",),
    ),
    Operation(
        "loop",
        created,
        plays=(
            {
                **LOCAL,
                "tasks": [
                    {
                        "fonnte.whatsapp.fonnte_device": {key: f"{{{{ item.{key} }}}}" for key in _device("", "")},
                        "loop": [_device(FIRST, "Toko Lama"), _device(NEW, "Toko Proyek")],
                        "loop_control": {"label": "{{ item.device }}"},
                    }
                ],
            },
        ),
        records=True,
        becomes=True,
    ),
    Operation(
        "fleet",
        created,
        plays=(
            {
                **LOCAL,
                "tasks": [
                    {
                        "fonnte.whatsapp.fonnte_fleet": {
                            "devices": [_device(FIRST, "Toko Lama"), _device(NEW, "Toko Proyek")],
                            # Four webhooks of the first device are unknown, and declared empty.
                            "max_clear": 4,
                        }
                    }
                ],
            },
        ),
        records=True,
        becomes=True,
    ),
    Operation(
        "inventory",
        untouched,
        plays=({"hosts": "all", "gather_facts": False, "tasks": [{"debug": {"msg": "{{ inventory_hostname }}"}}]},),
    ),
    Operation(
        "group_info",
        refreshed,
        plays=_task("fonnte.whatsapp.fonnte_group_info", device=FIRST, refresh=True),
        records=True,
        prepare=_add_group,
        becomes=True,
    ),
    Operation(
        "number_info",
        validated,
        plays=_task("fonnte.whatsapp.fonnte_number_info", device=FIRST, numbers=[PERSON]),
        records=True,
        becomes=True,
    ),
    Operation(
        "message",
        sent_to_group,
        plays=_task("fonnte.whatsapp.fonnte_message", device=FIRST, target=[f"group:{GROUP['name']}"], message="hello"),
        prepare=_add_stored_group,
        becomes=True,
    ),
    Operation(
        "notify",
        alerted,
        plays=_task("ansible.builtin.fail", msg="it broke"),
        prepare=_add_stored_group,
        environment={
            "ANSIBLE_CALLBACKS_ENABLED": "fonnte.whatsapp.notify",
            "FONNTE_NOTIFY_DEVICE": FIRST,
            "FONNTE_NOTIFY_TARGET": f"group:{GROUP['name']}",
        },
        code=2,
    ),
    Operation(
        "dropped_off",
        reported,
        lambda base: {
            "dropped_off_targets": [PERSON],
            "dropped_off_senders": [FIRST],
            "dropped_off_state": f"{base}{STATE_FILE}",
        },
        files=(STATE_FILE, f".{STATE_FILE}.lock"),
        prepare=_store_links,
    ),
)


def decoys(node: ControlNode, *directories: Path) -> None:
    """Declare another fleet in directories that no operation may read."""
    for directory in directories:
        directory.mkdir(parents=True, exist_ok=True)
        node.declare(directory, "Toko Lain", number=DECOY)
