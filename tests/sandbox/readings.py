# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The behavior variants: unknown behavior of the service, as switches.

Each row of the table *Readings* in README.md is a field here. A client must be correct for every value. To add a
variant, add a field with its default (the first value), a row in ``VALUES``, and the code that obeys it.
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
    "own_messages": ("not_posted", "only_with_quick", "quick", "from_me", "self", "sender", "footer"),
    "message_status": ("delivered", "sent", "gone"),
    "url_without_message": ("works", "refused"),
    "validate_numbers": ("international", "verbatim"),
    "validate_unlinked": ("like_send", "like_fetch"),
}


@dataclass(frozen=True)
class Readings:
    """One combination of behavior variants. The defaults are the first value of each row."""

    omitted: str = "keeps"
    empty_webhook: str = "clears"
    add_number: str = "verbatim"
    refusal_status: int = 200
    update_without_device: str = "works"
    webhook_probe: str = "not_called"
    listing: str = "complete"
    profile_number: str = "registered"
    otp_scope: str = "device"
    own_messages: str = "not_posted"
    message_status: str = "delivered"
    url_without_message: str = "works"
    validate_numbers: str = "international"
    validate_unlinked: str = "like_send"

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            # bool is a subclass of int and True == 1, so the types are compared too.
            if not any(value == known and type(value) is type(known) for known in VALUES[name]):
                known_values = ", ".join(str(known) for known in VALUES[name])
                raise ValueError(f"The reading {name} has no value {value!r}; it has: {known_values}.")

    def but(self, changes: Mapping[str, Any]) -> Readings:
        """Return a copy with some changes; raise ``ValueError`` for a name or a value that does not exist."""
        unknown = sorted(set(changes) - set(VALUES))
        if unknown:
            raise ValueError(f"There is no reading {', '.join(unknown)}; there are: {', '.join(VALUES)}.")
        return replace(self, **changes)


def from_text(pairs: list[str]) -> Readings:
    """Parse ``key=value`` words of the command line."""
    changes: dict[str, object] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals:
            raise ValueError(f"A reading is written key=value, not {pair!r}.")
        changes[name] = int(text) if text.isdigit() else text
    return Readings().but(changes)
