# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""What a module is given and what it gives back, without Ansible."""

from __future__ import annotations

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
    """One task as whoever runs the module hands it over.

    Attributes:
        params: Its options, complete and checked against the argument spec.
        environment: The variables that stand in for some of them.
        prints_secrets: Whether what a result holds is printed and logged as it is.
        secrets: Learns the tokens of the run, and masks what comes back.
        keep: What earlier tasks of this process have kept.
        given: The options as the user wrote them.
        progress: Takes how many devices of a fleet are done, how many of them failed, and how many there are.
        show: Is told what a person has to see before the task ends. An ordinary module has nobody to tell it to.
        clock: The clock that measures how old a list of devices is.
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
    clock: Clock = field(default=read_steady_clock, repr=False)


@dataclass
class ModuleResult:
    """What goes back to the user.

    Attributes:
        secrets: The tokens in the result that the user asked for: to be used, and not to be printed where Ansible
            can tell the two apart.
    """

    result: Result
    warnings: list[str] = field(default_factory=list)
    secrets: set[str] = field(default_factory=set, repr=False)


def run_command(command: t.Callable[[ModuleInput], ModuleResult], task: ModuleInput) -> ModuleResult:
    """Run a module's command, and mask the secrets in all that comes back, in whatever spelling.

    Raises:
        FonnteError: The command failed; it is masked as well.
    """
    with masking(task.secrets):
        # In a loop the process of the run before may be that of this one.
        current_lineage().require()
        warnings = check_record_place(task.params, task.raw_params)
        report = command(task)
    result: Result = task.secrets.mask_data(report.result)
    return ModuleResult(result, task.secrets.mask_data([*warnings, *report.warnings]), report.secrets)


def token_warnings(task: ModuleInput) -> list[str]:
    """Return the warning for tokens in a result that is logged."""
    if not task.params["return_tokens"] or not task.prints_secrets:
        return []
    return ["return_tokens puts tokens into the result, and the task has no no_log: true: they are printed and logged."]
