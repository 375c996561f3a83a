# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Validate the values of a declaration's options, as the module would."""

from __future__ import annotations

import typing as t

from .._common.errors import OptionError
from .._device.settings import validate
from .._options.common import EVIDENCE, SETTING_OPTIONS, checked_token
from .._options.fleet_members import ENTRY


def check_own_token(token: object) -> str:
    """Return the token of a client's account; OptionError if it is invalid.

    A declared token whose variable has no value must be an error: otherwise, the run would change another account.
    """
    if token is None:
        raise OptionError("account_token", "it is null", "leave it out for the account of the run, or set it")
    # On older ansible-cores, a value that ansible-vault has encrypted is not a str.
    if isinstance(token, (bool, int, float, t.Mapping, list, tuple)):
        raise OptionError("account_token", "it is not a string", "write one token, in quotes")
    return checked_token("account_token", str(token))


_FLAG_WORDS = ("true", "false", "yes", "no", "on", "off", "y", "n", "t", "f", "1", "0")


def check_value(option: str, value: object) -> None:
    """Check a value as the module would; OptionError if it is invalid."""
    spec = ENTRY[option]
    if spec["type"] == "bool":
        # Ansible converts these words to booleans, in lower and upper case.
        if not isinstance(value, bool) and str(value).lower() not in _FLAG_WORDS:
            raise OptionError(option, "it is neither true nor false", "write true or false")
        return
    if isinstance(value, (t.Mapping, list, tuple)):
        raise OptionError(option, "it is not a string", "write one value, in quotes")
    if isinstance(value, bool):
        raise OptionError(option, "YAML reads it as true or false", "write it in quotes")
    if option in SETTING_OPTIONS:
        validate(option, value)
    elif option in EVIDENCE or option == "state":
        if value not in spec["choices"]:
            raise OptionError(option, "it is not an allowed value", f"write one of {', '.join(spec['choices'])}")
    elif option == "device_token":
        checked_token(option, str(value))


def slug(name: str) -> str:
    """Return a client's name as part of a file name: lowercase letters, digits and dashes; never empty."""
    words = "".join(letter if letter.isalnum() else " " for letter in name.casefold()).split()
    return "-".join(words) or "client"
