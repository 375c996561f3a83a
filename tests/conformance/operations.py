# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The main operations, as a user starts each of them, and the effect that each must have.

Paths are relative to a base directory, which the environment chooses: the directory of the process, or an absolute
path if that directory cannot be used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ansible_collections.fonnte.whatsapp.tests.sandbox.driver import Json

from .control_nodes import EVERYTHING, FIRST, NEW, SECOND, ControlNode

# The device of a second fleet, which is declared in directories that no operation may read.
DECOY = "081200016009"
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
    """

    name: str
    effect: Callable[[ControlNode], Problems]
    variables: Callable[[str], Json] = lambda base: {}
    plays: tuple[Json, ...] = ()
    files: tuple[str, ...] = ()
    records: bool = False
    reads_record: bool = False
    prepare: Callable[[ControlNode], object] = field(default=lambda node: None)


def _device(number: str, name: str) -> Json:
    return {"device": number, "name": name, **EVERYTHING}


def _declare_the_first(node: ControlNode) -> None:
    node.declare(node.project, "Toko Lama", number=FIRST)


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
        lambda base: {"link_devices": SECOND, "link_folder": f"{base}codes", "link_timeout": 60},
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
    ),
    Operation(
        "inventory",
        untouched,
        plays=({"hosts": "all", "gather_facts": False, "tasks": [{"debug": {"msg": "{{ inventory_hostname }}"}}]},),
    ),
)


def decoys(node: ControlNode, *directories: Path) -> None:
    """Declare another fleet in directories that no operation may read."""
    for directory in directories:
        directory.mkdir(parents=True, exist_ok=True)
        node.declare(directory, "Toko Lain", number=DECOY)
