# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The properties of every case in every behavior variant. Each function yields a sentence for each violation."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ansible_collections.fonnte.whatsapp.tests.sandbox.driver import Json, Sandbox
from ansible_collections.fonnte.whatsapp.tests.sandbox.model import DEFAULTS

from .case_runner import WIRE, Devices, Pass, Story, wire
from .cases import FOUR, READINGS, Case, Hook, effective

Sentences = Iterator[str]
# Check mode must predict the first five keys, and the last two because a user needs them before the write.
PREDICTED = ("changed", "operations", "changed_fields", "reasons", "diff", "carried", "at_risk")

# In these variants, the service may keep a webhook that was cleared, so both values are accepted.
MAY_KEEP_A_CLEARED_WEBHOOK = ("ignored", "refused")


def check_mode_writes_nothing(story: Story, sandbox: Sandbox) -> Sentences:
    """Check mode sends no write request, and changes neither the devices nor a file of the record."""
    check = _there(story.check)
    for call in check.writes:
        yield f"check mode called {call['path']} with {_form(call)}"
    if check.devices != story.before:
        yield f"check mode changed the service: {_difference(story.before, check.devices)}"
    if check.record != story.record_before:
        yield f"check mode touched the record: {sorted(set(check.record.items()) ^ set(story.record_before.items()))}"


def check_mode_tells_the_truth(story: Story, sandbox: Sandbox) -> Sentences:
    """Check mode predicts the result of the run, except refusals that only the service can decide."""
    check, run = _there(story.check), _there(story.run)
    if story.case.refused_by_service:
        if check.reported.failed:
            yield f"check mode failed with something that only the service can know: {check.reported.message}"
        return
    if check.reported.failed != run.reported.failed:
        yield f'check mode said "{check.reported.message or check.reported["changed"]}"'
        yield f'and the run said "{run.reported.message or run.reported["changed"]}"'
        return
    if run.reported.failed and check.reported.message != run.reported.message:
        yield f'check mode failed with "{check.reported.message}" and the run with "{run.reported.message}"'
    if story.case.warns and not any(story.case.warns in warning for warning in check.reported.warnings):
        yield f'check mode does not warn of "{story.case.warns}": {check.reported.warnings}'
    for key in PREDICTED:
        if check.reported.get(key) != run.reported.get(key):
            yield f"{key} was predicted as {check.reported.get(key)!r} and came as {run.reported.get(key)!r}"


def the_run_does_what_it_should(story: Story, sandbox: Sandbox) -> Sentences:
    """The result of the run is the one that the case expects."""
    case, reported = story.case, _there(story.run).reported
    for number, prepared in enumerate(story.prepared):
        if prepared.failed:
            yield f"task {number} of the preparation failed: {prepared.message}"
    if case.fails:
        yield from _fails(case, _there(story.run))
        return
    if reported.failed:
        yield f"the run failed: {reported.message}"
        return
    for key, value in {"changed": bool(case.operations), **case.result}.items():
        if reported.get(key) != value:
            yield f"{key} should be {value!r} and is {reported.get(key)!r}"
    if "operations" in reported.result:
        yield from _says(case, reported.result)
    for call in _there(story.run).writes:
        if set(wire(case.leaves_out)) & set(call["form"]):
            yield f"{call['path']} should leave out {sorted(case.leaves_out)} and sent {_form(call)}"
    if case.warns and not any(case.warns in warning for warning in reported.warnings):
        yield f'no warning says "{case.warns}": {reported.warnings}'


def _fails(case: Case, run: Pass) -> Sentences:
    if not run.reported.failed:
        yield f'the run should have failed with "{case.fails}"'
    elif case.fails not in run.reported.message:
        yield f'the failure should say "{case.fails}" and says "{run.reported.message}"'
    if run.applied:
        yield f"a run that failed has written: {[call['path'] for call in run.applied]}"
    if run.reported.changed:
        yield "a run that failed without a write says that it changed something"


def _says(case: Case, result: Json) -> Sentences:
    if tuple(result["operations"]) != case.operations:
        yield f"operations should be {list(case.operations)} and are {result['operations']}"
    if result["reasons"] != dict(case.reasons):
        yield f"reasons should be {dict(case.reasons)} and are {result['reasons']}"
    if sorted(result["changed_fields"]) != sorted(case.reasons):
        yield f"changed_fields should be {sorted(case.reasons)} and are {result['changed_fields']}"
    if set(result["carried"]) != case.carried and "update" in case.operations:
        yield f"carried should be {sorted(case.carried)} and is {result['carried']}"
    if case.at_risk is not None and set(result["at_risk"]) != case.at_risk:
        yield f"at_risk should be {sorted(case.at_risk)} and is {result['at_risk']}"


def the_second_run_changes_nothing(story: Story, sandbox: Sandbox) -> Sentences:
    """The second run is unchanged and writes nothing, except with always_update or a pending code."""
    if story.again is None:
        return
    case, again, reported = story.case, story.again, story.again.reported
    if reported.failed:
        yield f"the second run failed: {reported.message}"
        return
    if again.devices != _there(story.run).devices:
        yield f"the second run changed the service: {_difference(_there(story.run).devices, again.devices)}"
    if case.always:
        if reported["reasons"] != dict(case.reasons) or not reported.changed:
            yield f"the second run of always_update should have changed again: {reported['reasons']}"
        return
    if reported.changed or reported.get("operations") or reported.get("reasons"):
        yield f"the second run says changed {reported.changed}: {reported.get('operations')}, {reported.get('reasons')}"
    for call in again.applied if case.asks_again else again.writes:
        yield f"the second run called {call['path']} with {_form(call)}"
    if case.asks_again and not (reported.get("otp_pending") and 0 < reported.get("retry_after", 0) <= 600):
        yield f"the second run should say that a code is on its way: {reported.result}"
    for option, source in case.evidence_again.items():
        if reported["evidence"][option]["source"] != source:
            yield f'the second run should know {option} from "{source}" and says {reported["evidence"][option]}'


def the_service_holds_what_was_declared(story: Story, sandbox: Sandbox) -> Sentences:
    """The service has the declared settings, and neither other settings nor other devices have changed."""
    case, run = story.case, _there(story.run)
    if case.fails or not case.operations:
        if run.devices != story.before:
            yield f"the service changed: {_difference(story.before, run.devices)}"
        return
    number = _target(case, story.before)
    for other in set(story.before) - {number}:
        if run.devices.get(other) != story.before[other]:
            yield f"device {other} was not meant and changed: {_difference(story.before, run.devices)}"
    if "delete" in case.operations:
        if set(run.devices) != set(story.before) - {number}:
            yield f"device {number} should be gone, there are: {sorted(run.devices)}"
        return
    stored = _stored(story, number)
    if set(run.devices) != set(story.before) | {stored}:
        yield f"there should be devices {sorted(set(story.before) | {stored})} and are {sorted(run.devices)}"
        return
    found = run.devices[stored]
    if "disconnect" in case.operations and found["linked"]:
        yield f"device {stored} is still linked"
    if (
        "disconnect" not in case.operations
        and number in story.before
        and found["linked"] != story.before[number]["linked"]
    ):
        yield f"the link of device {stored} changed to {found['linked']}"
    yield from _settings(story, stored, found, sandbox)


def _settings(story: Story, number: str, found: Json, sandbox: Sandbox) -> Sentences:
    old = story.before.get(number, {"name": None, "settings": DEFAULTS})
    reading = effective(READINGS[story.label])
    declared = {WIRE.get(option, option): value for option, value in _declared(story, sandbox).items()}
    at_risk = wire(_there(story.run).reported.get("at_risk", []))
    for key, was in {"name": old["name"], **old["settings"]}.items():
        now = found["name"] if key == "name" else found["settings"][key]
        allowed = [declared.get(key, was)]
        if declared.get(key) == "" and reading.empty_webhook in MAY_KEEP_A_CLEARED_WEBHOOK:
            allowed.append(was)
        if key not in declared and key in at_risk and reading.omitted == "resets":
            allowed.append(DEFAULTS[key])
        if now not in allowed:
            kind = "declared" if key in declared else "not declared"
            yield f"{key} of device {number} ({kind}) should be {' or '.join(map(repr, allowed))} and is {now!r}"


def _declared(story: Story, sandbox: Sandbox) -> Json:
    """Return the declared settings by option, with the URLs of the variant."""
    args = story.case.task.args
    if story.case.task.module == "fonnte_webhook_config" and args.get("state") == "absent":
        return dict.fromkeys(FOUR, "")
    named = {"name", *(option for option in args if WIRE.get(option, option) in DEFAULTS)}
    return {
        option: value.url(sandbox, READINGS[story.label]) if isinstance(value, Hook) else value
        for option, value in args.items()
        if option in named
    }


CLAIMS: tuple[Callable[[Story, Sandbox], Sentences], ...] = (
    check_mode_writes_nothing,
    check_mode_tells_the_truth,
    the_run_does_what_it_should,
    the_second_run_changes_nothing,
    the_service_holds_what_was_declared,
)


def _there(passed: Pass | None) -> Pass:
    assert passed is not None, "this was not run"
    return passed


def _digits(number: object) -> str:
    return "".join(letter for letter in str(number) if letter.isdigit())


def _international(digits: str) -> str:
    return "62" + digits[1:] if digits.startswith("0") else digits


def _target(case: Case, before: Devices) -> str:
    """Return the number of the case's device: as registered, or as the user wrote it if the device does not exist."""
    if "device" not in case.task.args:
        assert len(before) == 1, f"{case.name} names no device and its account has {sorted(before)}"
        return next(iter(before))
    wanted = _digits(case.task.args["device"])
    return next((known for known in before if _international(known) == _international(wanted)), wanted)


def _stored(story: Story, number: str) -> str:
    """Return the service's spelling of the number; it never rewrites a registered one."""
    if number in story.before or effective(READINGS[story.label]).add_number == "verbatim":
        return number
    return _international(number)


def _difference(before: Devices, after: Devices) -> str:
    changed = [number for number in sorted(set(before) | set(after)) if before.get(number) != after.get(number)]
    return "; ".join(f"{number} was {before.get(number)} and is {after.get(number)}" for number in changed)


def _form(call: Json) -> str:
    return ", ".join(f"{key}={value}" for key, value in call["form"].items()) or "nothing"
