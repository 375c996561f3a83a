# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The reasons for changes in the plan of a run, as an audit evaluates them. Pure."""

from __future__ import annotations

from .._reconcile.evidence import Source
from .._reconcile.state import Plan, Reason


def open_reasons(plan: Plan) -> dict[str, Reason]:
    """Return the reasons for changes without those that only write a stamp for an attested value."""
    attested = {option for option, item in plan.evidence.items() if item.source is Source.ATTESTED}
    stamps = {option for option, reason in plan.reasons.items() if reason is Reason.UNPROVEN and option in attested}
    return {option: reason for option, reason in plan.reasons.items() if option not in stamps}
