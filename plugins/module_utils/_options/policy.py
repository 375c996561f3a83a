# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Options about write-only settings and the age of recorded values."""

from __future__ import annotations

import re

from .._common.errors import OptionError
from .._device.settings import NAME_LENGTH
from .._device.stamp import LENGTH as STAMP_LENGTH
from .._reconcile.state import Policy, State
from .common import Params


def policy(params: Params) -> Policy:
    """Return the user's policy for write-only settings."""
    return Policy(
        write_only=params["handle_write_only"],
        unknown=params["handle_unknown"],
        unmanaged_hidden=params["handle_undeclared"],
        max_age=max_age(params["record_max_age"]),
    )


_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def max_age(text: str | None) -> float | None:
    """Return the seconds of a duration such as ``30d``; None for None."""
    if text is None:
        return None
    found = re.fullmatch(r"([0-9]{1,9})([smhdw]?)", text.strip())
    if not found:
        raise OptionError(
            "record_max_age", "it is not a length of time", "write a whole number and one of s, m, h, d, w, as in 30d"
        )
    return float(found.group(1)) * _UNITS[found.group(2)]


def check_evidence(params: Params, state: State = State.PRESENT) -> None:
    """Check that the options about evidence fit the state; raise OptionError otherwise."""
    attests = params["handle_write_only"] == "attest"
    if attests and state is not State.PRESENT:
        raise OptionError(
            "handle_write_only",
            f"attest records settings and changes nothing, and state is {state.value}",
            "attest in one task, and do the rest in another",
        )


def check_name_length(name: object) -> None:
    """Check, before the first request, that the declared name leaves room for a stamp; raise OptionError otherwise."""
    longest = NAME_LENGTH[1] - STAMP_LENGTH
    if isinstance(name, str) and len(name) > longest:
        raise OptionError(
            "name",
            f"it has {len(name)} characters, and the stamp of handle_write_only: stamped leaves room for {longest}",
            "declare a shorter one, or set handle_write_only: recorded for this device",
        )
