# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verdict on one operation in one environment: right, refused, or wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .control_nodes import INSTALLED, ControlNode, tree
from .environments import Machine, Started
from .operations import DECOY, OPERATIONS, Operation
from .pairwise import Row

RIGHT, REFUSED, ANSIBLE, WRONG = "right", "refused", "Ansible", "wrong"
BY_NAME = {operation.name: operation for operation in OPERATIONS}


@dataclass(frozen=True)
class Verdict:
    """The outcome of a run; ``why`` is the pattern of the refusal, or the list of faults."""

    kind: str
    why: str = ""


@dataclass(frozen=True)
class Refusal:
    """A possible refusal in an environment: its origin (the collection or Ansible), and a pattern of its sentence."""

    by: str
    sentence: str


def refusals(row: Row, operation: Operation) -> Iterator[Refusal]:
    """Yield the refusals that are correct in an environment; without one, the operation must succeed."""
    if row["locale"] == "not UTF-8":
        yield Refusal(ANSIBLE, r"Ansible requires the locale encoding to be UTF-8")
    if row["directory"] == "deleted":
        yield Refusal(ANSIBLE, r"No such file or directory")
    if row["home"] == "read-only":
        yield Refusal(ANSIBLE, r"Unable to create local directories")
    if row["home"] == "none":
        yield Refusal(REFUSED, r"needs a home directory[^.]*FONNTE_RECORD_PATH[^.]*\.")
    if row["group_vars"] == "become" and operation.becomes:
        # A user's own play uses the become variables of the inventory.
        yield Refusal(ANSIBLE, r"no-such-program")


def carry_out(node: ControlNode, row: Row) -> Verdict:
    """Run an operation in an environment, and return the verdict."""
    operation = BY_NAME[row["operation"]]
    machine = Machine(node, row, operation)
    installed, before = tree(INSTALLED), tree(machine.folder)
    node.sandbox.clear_journal()
    done = machine.start()
    problems = [*_secrets(node, done), *_places(machine, before, tree(machine.folder))]
    problems += [
        f"{path} is in the installed collection"
        for path in sorted(tree(INSTALLED) - installed)
        if "__pycache__" not in path
    ]
    if DECOY in node.numbers():
        problems.append("the fleet of another directory was read")
    if done.code == operation.code:
        problems += [*operation.effect(node), *_missing(machine), *_invalid(row, done)]
        return Verdict(WRONG, "; ".join(problems)) if problems else Verdict(RIGHT)
    return _refused(machine, done, problems)


def _refused(machine: Machine, done: Started, problems: list[str]) -> Verdict:
    said = done.out + done.err
    for refusal in refusals(machine.row, machine.operation):
        if re.search(refusal.sentence, " ".join(said.split())):
            sent = [call["path"] for call in machine.node.sandbox.journal()]
            problems += [f"refused after the requests {sent}"] if sent else []
            if refusal.by == REFUSED and "Traceback" in said:
                problems.append("a traceback was printed")
            return Verdict(WRONG, "; ".join(problems)) if problems else Verdict(refusal.by, refusal.sentence)
    return Verdict(WRONG, "; ".join([*problems, f"exit code {done.code}: {said[-3000:]}"]))


def _secrets(node: ControlNode, done: Started) -> Iterator[str]:
    accounts = node.sandbox.state()["accounts"]
    tokens = [account["token"] for account in accounts]
    tokens += [device["token"] for account in accounts for device in account["devices"]]
    yield from ("a token was printed" for token in tokens if token in done.out + done.err)


def _places(machine: Machine, before: set[str], after: set[str]) -> Iterator[str]:
    """Yield each new file outside the directories where the operation, Ansible and ansible-runner may write."""
    own = [machine.base / name for name in machine.operation.files]
    ansibles = [home / ".ansible" / "tmp" for home in (machine.node.home, machine.listed_home)]
    ansibles += [machine.state / "ansible", machine.state / "modules", machine.folder / "users"]
    ansibles += [machine.job / name for name in ("artifacts", "daemon.log")]
    # The base directory of a worker contains the files that were transmitted.
    ansibles += [machine.worker / name for name in ("artifacts", "env", "inventory", "daemon.log")]
    copied = {path.replace("job/", "worker/", 1) for path in before if path.startswith("job/")}
    allowed = [path.relative_to(machine.folder) for path in [*own, *ansibles, *filter(None, [machine.record])]]
    for path in sorted(after - before - copied):
        if not any(Path(path).is_relative_to(one) for one in _with_siblings(allowed)):
            yield f"{path} was written"


def _with_siblings(allowed: list[Path]) -> Iterator[Path]:
    """Yield the allowed paths; for reports and sheets the whole directory, since it contains more files."""
    for path in allowed:
        yield path.parent if path.parent.name in ("report", "out") else path


def _missing(machine: Machine) -> Iterator[str]:
    for name in machine.operation.files:
        if not (machine.base / name).exists():
            yield f"{name} was not written to {machine.base.relative_to(machine.folder)}"
    if machine.operation.records and not (machine.record and tree(machine.record)):
        yield "there is no record where it belongs"


def _invalid(row: Row, done: Started) -> Iterator[str]:
    """Yield a sentence for each traceback in the output and for a wrong format."""
    if "Traceback" in done.out + done.err:
        yield "a traceback was printed"
    try:
        shown = _documents(row["output"], done.out)
    except ValueError as error:
        yield f"standard output is not what {row['output']} promises: {error}: {done.out[-500:]}"
    else:
        if not shown:
            yield "nothing was shown"


def _documents(output: str, text: str) -> list[object]:
    """Return the parts of the output; raise ValueError if it does not have its format."""
    if output in ("JSON lines", "ansible.posix.jsonl"):
        return [json.loads(line) for line in text.splitlines()]
    if output == "ansible.posix.json":
        return [json.loads(text)["stats"]]
    if output == "minimal":
        return [json.loads(document) for document in re.findall(r"^\S+ \| \w+!? => (\{.*?^\})", text, re.M | re.S)]
    return re.findall(r"^PLAY RECAP \*+\s+\S+ +: ok=\d+", text, re.MULTILINE)
