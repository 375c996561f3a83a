# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs of one process share one response of /get-devices."""

from __future__ import annotations

import typing as t

from ansible_collections.fonnte.whatsapp.plugins.module_utils._api.cache import ProcessCache
from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules.task import ModuleInput
from ansible_collections.fonnte.whatsapp.tests.control_node import MODULES, Controller

A, B = "081200000001", "6281200000002"


def test_runs_of_one_process_share_one_list(controller: Controller) -> None:
    keep = ProcessCache()

    def run(**params: t.Any) -> dict[str, t.Any]:
        _spec, command = MODULES["device"]
        given = {**controller.common, **params}
        return command(ModuleInput(controller.complete("device", **params), {}, cache=keep, raw_params=given)).result

    for number in (A, B):
        assert run(device=number, name="Toko", autoread=True)["changed"]
    controller.sandbox.clear_journal()
    for _turn in range(2):
        for number in (A, B):
            assert not run(device=number, name="Toko", autoread=True)["changed"]
    assert [entry["path"] for entry in controller.sandbox.journal()] == ["/get-devices"]
