# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What nobody outside knows about the service, as switches.

Each row of the table *Readings of the service* is a field here; a client has to be right under every value.
To add a reading: a field with its default (the first value), a row in ``VALUES``, and the place that obeys it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

VALUES: dict[str, tuple[str | int, ...]] = {
    "omitted": ("keeps", "resets"),
    "empty_webhook": ("clears", "ignored", "refused"),
    "add_number": ("verbatim", "international"),
    "refusal_status": (200, 400),
    "update_without_device": ("works", "refused"),
    "webhook_probe": ("not_called", "called"),
    "listing": ("complete", "partial"),
    "profile_number": ("registered", "linked"),
    "otp_scope": ("device", "account"),
}


@dataclass(frozen=True)
class Readings:
    """One way the real service may be; the defaults are the first reading of each row."""

    omitted: str = "keeps"
    empty_webhook: str = "clears"
    add_number: str = "verbatim"
    refusal_status: int = 200
    update_without_device: str = "works"
    webhook_probe: str = "not_called"
    listing: str = "complete"
    profile_number: str = "registered"
    otp_scope: str = "device"

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            # bool is an int and True == 1: compare the type too.
            if not any(value == known and type(value) is type(known) for known in VALUES[name]):
                known_values = ", ".join(str(known) for known in VALUES[name])
                raise ValueError(f"The reading {name} has no value {value!r}; it has: {known_values}.")

    def but(self, changes: Mapping[str, Any]) -> Readings:
        """These readings with some changed; ``ValueError`` for a name or a value that does not exist."""
        unknown = sorted(set(changes) - set(VALUES))
        if unknown:
            raise ValueError(f"There is no reading {', '.join(unknown)}; there are: {', '.join(VALUES)}.")
        return replace(self, **changes)


def from_text(pairs: list[str]) -> Readings:
    """Readings from ``key=value`` words, as the command line gives them."""
    changes: dict[str, object] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals:
            raise ValueError(f"A reading is written key=value, not {pair!r}.")
        changes[name] = int(text) if text.isdigit() else text
    return Readings().but(changes)
