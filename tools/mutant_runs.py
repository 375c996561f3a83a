# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Play the unit tests against the mutants of one file, each in a process of its own.

``python -m tools.mutant_runs ORDER``, in a copy of the collection that may be changed, with the environment of
tools/requirements/mutation.txt. ORDER is a file of JSON::

    {"file": "plugins/module_utils/_common/phone_numbers.py", "tests": ["tests/unit/..."], "scratch": "folder", "answer": "file",
     "only": [["where", "before", "after"]]}

``only`` names the mutants to play; null is all of them. The answer is a file of JSON: the seconds it took, and for
each mutant its ``where``, ``line``, ``before``, ``after`` and ``verdict``: killed, time (no end in sight, so a test
would have told) or survived.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence

import pytest

from tools.mutants import Mutant, mutants_of

# A mutant is not killed by a busy machine.
PROFILE = ("-p", "ansible_collections.fonnte.whatsapp.tests.hypothesis_profile")
# pytest says that it cannot rewrite their asserts any more; there is no need to.
FORGIVEN = ("-W", "ignore::pytest.PytestAssertRewriteWarning")
# Imported once, before the first process starts: what takes time, and has nothing of the collection.
HEAVY = ("hypothesis", "cryptography.fernet", "cryptography.hazmat.primitives.kdf.hkdf", "requests", "uuid")
# A mutant that takes this many times as long as the code itself will not end.
PATIENCE = 10
LEAST_SECONDS = 20.0


class Red(Exception):
    """The tests fail without a mutant: nothing can be said of any."""


def verdict(tests: Sequence[str], scratch: str, limit: float) -> str:
    """Return what the tests say of the code as it is on the disk now."""
    child = os.fork()
    if child == 0:
        _become_pytest(tests, scratch)
    ends = time.monotonic() + limit
    while time.monotonic() < ends:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return "survived" if status == 0 else "killed"
        time.sleep(0.005)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return "time"


def _become_pytest(tests: Sequence[str], scratch: str) -> None:
    """Run the tests to the first that fails, and end with pytest's exit code. Every run has the same random seed."""
    os.setsid()
    silence = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(silence, descriptor)
    code = 99
    try:
        words = [
            "-x",
            "-q",
            "--noconftest",
            "--tb=no",
            "-p",
            "no:cacheprovider",
            "--hypothesis-seed=0",
            *PROFILE,
            *FORGIVEN,
        ]
        code = int(pytest.main(words + ["--basetemp", scratch] + list(tests)))
    finally:
        os._exit(code)


def play(order: Dict[str, Any]) -> Dict[str, Any]:
    """Play the mutants of an order; the file is as before afterwards. Red if the tests fail without a mutant."""
    file, tests, scratch = Path(order["file"]), order["tests"], order["scratch"]
    code = file.read_text(encoding="utf-8")
    wanted = None if order["only"] is None else {tuple(change) for change in order["only"]}
    began = time.monotonic()
    if verdict(tests, scratch, 600.0) != "survived":
        raise Red("the tests of %s fail without any change: run them with make units" % file.name)
    limit = max(LEAST_SECONDS, PATIENCE * (time.monotonic() - began))
    try:
        found = [_played(mutant, file, tests, scratch, limit) for mutant in _chosen(code, wanted)]
    finally:
        file.write_text(code, encoding="utf-8")
    return {"seconds": time.monotonic() - began, "mutants": found}


def _chosen(code: str, wanted: Optional[Any]) -> List[Mutant]:
    mutants = list(mutants_of(code))
    if wanted is None:
        return mutants
    return [mutant for mutant in mutants if (mutant.where, mutant.before, mutant.after) in wanted]


def _played(mutant: Mutant, file: Path, tests: Sequence[str], scratch: str, limit: float) -> Dict[str, Any]:
    file.write_text(mutant.code, encoding="utf-8")
    said = verdict(tests, scratch, limit)
    print({"killed": ".", "time": "t", "survived": "S"}[said], end="", flush=True)
    return {
        "where": mutant.where,
        "line": mutant.line,
        "before": mutant.before,
        "after": mutant.after,
        "verdict": said,
    }


def main() -> int:
    """Carry out the order; return the exit code."""
    order = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    # A compiled file is found by time and size, and two mutants may share both.
    sys.dont_write_bytecode = True
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    for name in HEAVY:
        importlib.import_module(name)
    try:
        answer = play(order)
    except Red as error:
        print(error, file=sys.stderr)
        return 1
    print("", flush=True)
    Path(order["answer"]).write_text(json.dumps(answer), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
