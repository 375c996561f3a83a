# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The argument spec for one entry of a fleet."""

from __future__ import annotations

from .._reconcile.state import State
from .common import EVIDENCE, NUMBER, SETTING_OPTIONS, Spec

# These specs have no defaults, so that an entry inherits an omitted option from the defaults of the fleet.
_EVIDENCE_OPTIONS: Spec = {
    option: {key: value for key, value in description.items() if key != "default"}
    for option, description in EVIDENCE.items()
}


ENTRY_DEFAULTS: Spec = {
    **_EVIDENCE_OPTIONS,
    **SETTING_OPTIONS,
    "state": {"type": "str", "choices": [State.PRESENT.value, State.DISCONNECTED.value]},
}


ENTRY: Spec = {**ENTRY_DEFAULTS, **NUMBER, "device_token": {"type": "str", "no_log": True}}
