# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Detection of a device's own messages, which Fonnte posts to the webhook for incoming messages, too.

A rule that answers every message would answer its own ones. Fonnte documents no sign of an own message. Clients have
observed four, which are all checked.
"""

from __future__ import annotations

from .._common.phone_numbers import COUNTRY, canonical, may_lack_zero
from .reader import Payload, PayloadReader

# The keys that are true for an own message, without case, dashes and underscores.
FLAGS = ("quick", "fromme", "self")
# Fonnte appends it to the messages of free packages, as a separate paragraph.
FOOTER = "> _Sent via fonnte.com_"
_SPACES = " \t\r"
_GROUP = "g.us"


def is_outgoing(keys: PayloadReader, data: Payload) -> bool | None:
    """Return whether a device has sent a message itself.

    A footer that is the last paragraph of the message, and that contains nothing else, is a sign of an own message. A
    footer that is the last line of a longer paragraph may be a quotation, so the result is None. A footer at any other
    place is a quotation.

    Args:
        keys: The posted keys.
        data: The event, with ``device``, ``sender``, ``member``, ``message`` and ``text``.

    Returns:
        None if it is unknown.
    """
    device = _person_number(data["device"])
    if keys.any_true(FLAGS):
        return True
    if device is not None and device in (_person_number(data["sender"]), _person_number(data["member"])):
        return True
    signs = [_has_footer(data[key] or "") for key in ("message", "text")]
    if True in signs:
        return True
    return None if None in signs or data["sender"] is None else False


def _person_number(number: str | None) -> str | None:
    """Return the form that all spellings of a person's number share; None for a group, or without a number."""
    if not number:
        return None
    address, _sign, server = number.partition("@")
    if server == _GROUP:
        return None
    # WhatsApp's own spelling: 628123:4@s.whatsapp.net is the fourth linked program of a number.
    digits = canonical(address.partition(":")[0])
    return COUNTRY + digits if may_lack_zero(digits) else digits


def _has_footer(text: str) -> bool | None:
    """Return whether a message ends with the footer; None if this may be a quotation."""
    text = text.rstrip()
    if not text.endswith(FOOTER):
        return False
    before = text[: -len(FOOTER)].rstrip(_SPACES)
    if before.strip() and not before.endswith("\n"):
        return False
    above = before[:-1].rstrip(_SPACES)
    return True if not above or above.endswith("\n") else None
