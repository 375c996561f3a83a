# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run tasks as the action plugins do, but without a process of Ansible: a task takes milliseconds."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.fonnte.whatsapp.plugins.module_utils._api.cache import ProcessCache
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.errors import FonnteError
from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules.ansible_adapter import bind, failure
from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules.task import ModuleInput, run_command
from ansible_collections.fonnte.whatsapp.plugins.module_utils._options.common import resolve_aliases
from ansible_collections.fonnte.whatsapp.tests.control_node import MODULES

from .playbooks import Json, Player, Run, Task, TaskResult, _tokens


class ModuleRunner(Player):
    """Runs tasks in this process, with Ansible's validation; the endpoint and the record's path are options."""

    def play_unchecked(
        self,
        tasks: Sequence[Task],
        check: bool,
        env: Mapping[str, str | None] | None = None,
        defaults: Mapping[str, object] | None = None,
        may_show: Collection[str] = (),
    ) -> Run:
        """Run the tasks; ``unfit`` of the run lists secrets in results or files."""
        assert not env and not defaults, "these need a process of Ansible"
        before = _tokens(self.sandbox)
        # The worker of a play caches connections, and device lists for a while. The next play has an empty cache.
        keep = ProcessCache()
        reported = [self._run_task(task, check, keep) for task in tasks]
        secrets = before | _tokens(self.sandbox)
        return Run(reported, "", tuple(self._unfit("", reported, secrets - set(may_show))))

    def _run_task(self, task: Task, check: bool, keep: ProcessCache) -> TaskResult:
        spec, command = MODULES[task.module.removeprefix("fonnte_")]
        # Converted to JSON and back, since a playbook has no tuples either.
        given: Json = resolve_aliases(spec, json.loads(json.dumps(dict(task.args))))
        given = {"api_endpoint": self.sandbox.url, "record_path": str(self.record), **given}
        checked = ArgumentSpecValidator(bind(spec)).validate(given)
        if checked.error_messages:
            return TaskResult(True, {"msg": checked.error_messages[0]})
        module_task = ModuleInput(checked.validated_parameters, {}, check_mode=check, cache=keep, raw_params=given)
        try:
            report = run_command(command, module_task)
        except FonnteError as exc:
            return TaskResult(True, {**failure(exc), "warnings": exc.warnings})
        return TaskResult(False, json.loads(json.dumps({**report.result, "warnings": report.warnings})))
