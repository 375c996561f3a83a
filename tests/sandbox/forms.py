# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The form fields of a request, and the validation of each kind of value.

A missing field is ``None`` and an empty field is ``''``: the service distinguishes the two.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

INPUT_INVALID = "input invalid"
BODY_INVALID = "invalid/empty body value"

_NUMBER = re.compile(r"[0-9]{8,15}")
_COUNTRY = re.compile(r"[0-9]{1,4}")

Form = Mapping[str, str]


class Refused(Exception):
    """A refusal of the service. ``where`` is the key of its text, ``spelling`` the key of the status ``false``."""

    def __init__(self, text: str, where: str = "reason", spelling: str = "status") -> None:
        super().__init__(text)
        self.text = text
        self.where = where
        self.spelling = spelling

    def body(self) -> dict[str, object]:
        """Return the body of the response, in the format of the service."""
        return {self.where: self.text, self.spelling: False}


def name(form: Form) -> str:
    """Return the required name: 2 to 30 characters."""
    value = form.get("name", "")
    if not 2 <= len(value) <= 30:
        raise Refused(INPUT_INVALID)
    return value


def number(value: str | None) -> str:
    """Return a device's number: 8 to 15 digits only, since the documentation shows no plus sign or separators."""
    if value is None or not _NUMBER.fullmatch(value):
        raise Refused(INPUT_INVALID)
    return value


def international(value: str) -> str:
    """Convert ``08…`` to ``628…``; the result must be a number too."""
    return number("62" + value[1:]) if value.startswith("0") else value


def boolean(value: str) -> bool:
    """Parse ``true`` or ``false``. The words of responses, ``on`` and ``off``, are refused in a request."""
    if value not in ("true", "false"):
        raise Refused(BODY_INVALID)
    return value == "true"


def country_code(value: str) -> str:
    """Return 1 to 4 digits; ``0`` turns the replacement off. Other strings are undocumented, and refused as input."""
    if value == "":
        raise Refused(BODY_INVALID)
    if not _COUNTRY.fullmatch(value):
        raise Refused(INPUT_INVALID)
    return value


def forward_target(value: str) -> str:
    """Return the number that ``resend`` forwards to.

    Empty means none: undocumented, but there is no other way to clear it.
    """
    return value if value == "" else number(value)


def is_url(value: str) -> bool:
    """Return whether a string is an absolute http or https URL without white space."""
    try:
        parts = urlsplit(value)
        host = parts.hostname
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(host) and not re.search(r"\s", value)


def webhook(value: str) -> str:
    """Return the URL of a webhook. Only the beginning of its refusal, ``webhook url ``, is documented."""
    if not is_url(value):
        raise Refused("webhook url is not valid")
    return value
