# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a cell of a table: a run with a fault, the next run, one more run, and checks of all guarantees."""

from __future__ import annotations

import collections
import enum
import shutil
import tempfile
import typing as t
from pathlib import Path

from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.errors import FonnteError
from ansible_collections.fonnte.whatsapp.plugins.module_utils._device.settings import BY_OPTION
from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules.task import ModuleResult

from ..control_node import Controller
from ..sandbox.driver import Sandbox
from .fault_interface import Place, Trouble
from .scenarios import SECRET, Scene

# The names of a request in the ``operations`` of a result.
REPORTED_AS = {
    "/add-device": {"create"},
    "/update-device": {"update"},
    "/disconnect": {"disconnect"},
    "/delete-device": {"delete", "request_otp"},
}
# Requests that must be applied to a number at most once, even after retries.
NEVER_TWICE = ("/add-device", "/disconnect", "/delete-device", "/fetch-group")


class Verdict(enum.Enum):
    """The outcome of the run with the fault.

    Either the run did all its work, or it failed with one clear sentence and the next run completed the work. Only a
    message has two more outcomes: it may be queued, or it is queued and its delivery is unknown. The sentence states
    this, and a person must check.
    """

    DONE = "done"
    LATER = "later"
    UNKNOWN = "unknown"
    QUEUED = "queued"


# The outcome of a failed run by ``queued`` in its result.
QUEUED_AS = {False: Verdict.LATER, None: Verdict.UNKNOWN, True: Verdict.QUEUED}


class Stage:
    """A sandbox for the service, and another server that must not receive requests.

    Args:
        database: Returns the URL of an empty database for the record; None for a record in files.
    """

    def __init__(self, sandbox: Sandbox, elsewhere: Sandbox, database: t.Callable[[], str] | None = None) -> None:
        self._sandbox = sandbox
        self._elsewhere = elsewhere
        self._database = database
        # Whether the run with the fault could not record its success.
        self._unrecorded = False

    def play(self, scene: Scene, trouble: Trouble) -> Verdict:
        """Return the outcome of a run with a fault; raise AssertionError if a guarantee fails."""
        folder = Path(tempfile.mkdtemp())
        try:
            return self._play(scene, trouble, folder)
        finally:
            shutil.rmtree(folder)

    def _play(self, scene: Scene, trouble: Trouble, folder: Path) -> Verdict:
        controller = Controller(self._sandbox, folder, self._database() if self._database is not None else "")
        controller.common.update(api_retry_max_delay=0.02)
        self._sandbox.reset()
        self._unrecorded = False
        params = scene.prepare(controller)
        self._sandbox.clear_journal()
        place = Place(self._sandbox, self._elsewhere, folder, controller, params)
        with trouble.during(scene, place) as options:
            verdict = self._first(scene, controller, {**params, **options})
        if scene.sends:
            self._sent_once(scene, controller, params, verdict)
        else:
            self._next(scene, controller, params, verdict)
        self._nothing_twice()
        self._held(scene)
        assert self._elsewhere.journal() == [], "another host was called"
        return verdict

    def _first(self, scene: Scene, controller: Controller, params: dict[str, t.Any]) -> Verdict:
        try:
            report = controller.run(scene.module, **params)
        except FonnteError as fault:
            self._is_clear(scene, fault)
            if scene.module in ("device", "webhook_config", "fleet"):
                self._hides_nothing(fault)
            return QUEUED_AS[fault.partial_result.get("queued", False)]
        self._keeps_secrets(f"{report.result}{report.warnings}")
        self._unrecorded = any("could not be recorded" in warning for warning in report.warnings)
        return Verdict.DONE

    def _next(self, scene: Scene, controller: Controller, params: dict[str, t.Any], verdict: Verdict) -> None:
        """Check that the next run completes the work as check mode predicted, and that one more run changes nothing."""
        files, writes = controller.record_files(), len(self._sandbox.writes())
        predicted = controller.run(scene.module, True, **params)
        assert controller.record_files() == files and len(self._sandbox.writes()) == writes, "check mode wrote"
        done = controller.run(scene.module, **params)
        for key in ("changed", "operations", "changed_fields", "reasons", "summary"):
            # Check mode cannot know of a success that could not be recorded; the run warned of it.
            if (verdict is Verdict.LATER or self._unrecorded) and not scene.predicted:
                break
            assert _reported(predicted, key) == _reported(done, key), f"check mode did not predict {key}"
        if not scene.settles:
            return
        writes = len(self._sandbox.writes())
        again = controller.run(scene.module, **params)
        assert not again.result["changed"], f"not done after the next run: {again.result}"
        assert len(self._sandbox.writes()) == writes, "a run that had nothing to do wrote"

    def _sent_once(self, scene: Scene, controller: Controller, params: dict[str, t.Any], verdict: Verdict) -> None:
        """Check that at most one request was sent, that its report is correct, and that the next run can send."""
        asked = [entry for entry in self._sandbox.journal() if entry["path"] == "/send"]
        assert len(asked) <= 1, "it was sent again"
        sent = len(self._sandbox.outbox())
        targets = len(params["target"])
        all_sent = (targets,)
        expected = {
            Verdict.DONE: all_sent,
            Verdict.QUEUED: all_sent,
            Verdict.LATER: (0,),
            Verdict.UNKNOWN: (0, targets),
        }
        assert sent in expected[verdict], sent
        controller.run(scene.module, True, **params)
        assert len(self._sandbox.outbox()) == sent, "check mode sent"
        if verdict is Verdict.LATER:
            controller.run(scene.module, **params)
            assert len(self._sandbox.outbox()) == targets

    # Guarantees

    def _is_clear(self, scene: Scene, fault: FonnteError) -> None:
        """Check that an error is one sentence: the operation, its device, the problem, and the required action."""
        sentence = str(fault)
        assert sentence.endswith(".") and "\n" not in sentence and sentence.isprintable(), sentence
        assert fault.problem and fault.advice and fault.operation, sentence
        assert scene.names is None or scene.names in sentence, f"it names no device: {sentence}"
        assert "Traceback" not in sentence and "object at 0x" not in sentence, sentence
        self._keeps_secrets(f"{sentence}{fault.partial_result}{fault.warnings}")

    def _hides_nothing(self, fault: FonnteError) -> None:
        """Check that each applied request is reported, or that the error states that the outcome is unknown."""
        reported = set(fault.partial_result.get("operations", ()))
        for device in fault.partial_result.get("devices", ()):
            reported.update(device["operations"])
        applied = {entry["path"] for entry in self._sandbox.writes() if entry["applied"]}
        unreported = [path for path in applied if not reported & REPORTED_AS[path]]
        in_doubt = fault.partial_result.get("summary", {}).get("in_doubt") or getattr(fault, "may_be_applied", False)
        assert in_doubt or not unreported, f"carried out and not reported: {unreported}: {fault}"
        # A failed lookup is no statement about an earlier request.
        assert not unreported or "Looking up" not in str(fault), f"carried out and not reported: {unreported}: {fault}"

    def _keeps_secrets(self, text: str) -> None:
        tokens = [account["token"] for account in self._sandbox.state()["accounts"]]
        tokens += [device["token"] for device in self._sandbox.devices().values()]
        for secret in (SECRET, *tokens):
            assert secret not in text, f"it tells a secret: {text}"

    def _nothing_twice(self) -> None:
        applied = collections.Counter(
            (entry["path"], entry["number"]) for entry in self._sandbox.writes() if entry["applied"]
        )
        twice = [call for call, times in applied.items() if call[0] in NEVER_TWICE and times > 1]
        assert not twice, f"done twice: {twice}"

    def _held(self, scene: Scene) -> None:
        for number, settings in scene.holds.items():
            device = self._sandbox.devices().get(number)
            if settings is None:
                assert device is None, f"{number} is still there"
                continue
            assert device is not None, f"{number} is not there"
            held = {**device["settings"], "name": device["name"]}
            for option, value in settings.items():
                actual = held[BY_OPTION[option].wire]
                assert actual == value, f"{option} of {number} is {actual!r} and not {value!r}"
            assert not (scene.call == "/disconnect" and device["linked"] and number in scene.holds)


def _reported(report: ModuleResult, key: str) -> t.Any:
    return report.result.get(key)
