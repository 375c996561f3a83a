# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The input and the result of a module's command, independent of Ansible."""

from __future__ import annotations

import contextlib
import time
import typing as t
from dataclasses import dataclass, field

from .._api.cache import ProcessCache
from .._common.clock import Clock, read_steady_clock
from .._common.lineage import current_lineage
from .._common.redaction import masking
from .._common.spellings import SecretFinder
from .._options.common import Environment, Params, check_record_place
from .._reconcile.result import Result


@dataclass(frozen=True)
class ModuleInput:
    """The input of one task.

    Attributes:
        params: The options, validated and with defaults.
        environment: The environment variables.
        check_mode: Whether to predict the result instead of applying it.
        prints_secrets: Whether Ansible prints and logs secrets in a result.
        secrets: Collects the tokens of the run, and masks the result.
        cache: The cache of this process; None if runs share nothing.
        raw_params: The options as the user gave them.
        progress: Takes the numbers of finished, failed and all devices of a fleet.
        notify: Displays a message before the task ends. An ordinary module cannot display it.
        draw: Draws the image of a QR code in the terminal of the user, if there is one.
        clock: The clock that measures the age of a device list, and the time of a wait.
        pause: Pauses a wait for so many seconds.
        planning: Held while a fleet is planned. Accounts that are planned by threads at the same time compete for the
            interpreter, which takes a quarter more time than one after another.
        interrupted: Whether the task was interrupted in another thread, so that a fleet begins no further device.
        found_work: Takes whether the preview of a fleet found something to do, even if it is no change.
    """

    params: Params
    environment: Environment = field(repr=False)
    check_mode: bool = False
    prints_secrets: bool = True
    secrets: SecretFinder = field(default_factory=SecretFinder, repr=False)
    cache: ProcessCache | None = field(default=None, repr=False)
    raw_params: Params = field(default_factory=dict, repr=False)
    progress: t.Callable[[int, int, int], None] = field(default=lambda done, failed, total: None, repr=False)
    notify: t.Callable[[str], None] = field(default=lambda text: None, repr=False)
    draw: t.Callable[[bytes], None] = field(default=lambda image: None, repr=False)
    clock: Clock = field(default=read_steady_clock, repr=False)
    pause: t.Callable[[float], None] = field(default=time.sleep, repr=False)
    planning: t.ContextManager[t.Any] = field(default_factory=contextlib.nullcontext, repr=False)
    interrupted: t.Callable[[], bool] = field(default=lambda: False, repr=False)
    found_work: t.Callable[[bool], None] = field(default=lambda found: None, repr=False)


@dataclass
class ModuleResult:
    """The result of one task.

    Attributes:
        result: The keys of the module's result.
        warnings: Warnings for the user.
        secrets: The requested tokens in the result. Later tasks use them, but Ansible must not print them if it can
            mask them in its output only.
    """

    result: Result
    warnings: list[str] = field(default_factory=list)
    secrets: set[str] = field(default_factory=set, repr=False)


def run_command(command: t.Callable[[ModuleInput], ModuleResult], task: ModuleInput) -> ModuleResult:
    """Run a module's command, and mask secrets in its result in all encodings.

    Raises:
        FonnteError: The command failed. The error is masked, too.
    """
    with masking(task.secrets):
        # A worker runs all items of a loop, so it may be orphaned since the last one.
        current_lineage().require()
        warnings = check_record_place(task.params, task.raw_params)
        report = command(task)
    result: Result = task.secrets.mask_data(report.result)
    return ModuleResult(result, task.secrets.mask_data([*warnings, *report.warnings]), report.secrets)


def token_warnings(task: ModuleInput) -> list[str]:
    """Return the warning for tokens in a result that Ansible prints."""
    if not task.params["return_tokens"] or not task.prints_secrets:
        return []
    return ["return_tokens puts tokens into the result, and the task has no no_log: true: they are printed and logged."]
