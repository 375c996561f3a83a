# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Warnings about options of a message that Fonnte accepts, but ignores or may refuse."""

from __future__ import annotations

import typing as t

# The options that sequence disables, with their names in the form.
_DISABLED = {"delay": "delay", "schedule": "schedule", "follow_up": "followup"}


def find_ineffective_options(form: t.Mapping[str, str], targets: int) -> t.Iterator[str]:
    """Yield a warning for each combination of options that has another effect than the task describes.

    Args:
        form: The form fields of the message.
        targets: The number of targets.
    """
    if "url" in form and "message" not in form:
        yield (
            "url is set without msg. The documentation of Fonnte allows this, but a test of the real service was refused "
            'with "message cannot empty". Set msg as well.'
        )
    disabled = [option for option, wire in _DISABLED.items() if wire in form]
    if form.get("sequence") == "true" and disabled:
        yield (
            f"sequence is true, so Fonnte ignores {_join(disabled)}: the message is sent without this delay. "
            "Remove one of them."
        )
    elif "delay" in form and targets == 1:
        yield "delay is set, and there is one target. Fonnte only waits between several targets, so delay has no effect."


def _join(words: t.Sequence[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last
