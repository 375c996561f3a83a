# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter phone_number: converts any spelling of a number to the international format."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.errors import OptionError
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.phone_numbers import (
    COUNTRY,
    check_country,
    to_international,
)
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.redaction import printable, truncate

DOCUMENTATION = r"""
name: phone_number
short_description: Convert a phone number to its international form
version_added: 1.0.0
author:
  - The fonnte.whatsapp contributors (!UNKNOWN)
description:
  - Takes a number in any spelling and returns its digits, with the country code and without a plus sign.
  - A first V(0) is replaced by the country code, as Fonnte does. V(00) and V(+) mean that the country code is present.
    A zero between the country code and the rest is removed, as in V(+62 (0)812).
  - In Italy (39), Ivory Coast (225), Benin (229), Congo (242) and San Marino (378), the zero is a part of the number. With such a O(country), it is kept.
  - A number that does not begin with V(0), V(00) or V(+) is considered complete.
options:
  _input:
    description:
      - The number. Spaces, dashes, dots and brackets are ignored. Quote it in YAML, or a leading zero may be lost.
      - It must be a single number. For a list, use C(map).
    type: raw
    required: true
  country:
    description: The country code of a number that starts with 0.
    type: str
    default: "62"
notes:
  - The filter does not check whether the number exists. The result has 8 to 15 digits.
seealso:
  - plugin: fonnte.whatsapp.fonnte_token
    plugin_type: lookup
"""

EXAMPLES = r"""
- name: Check the conversion of one number
  ansible.builtin.assert:
    that:
      - "'0812-0000-1001' | fonnte.whatsapp.phone_number == '6281200001001'"
      - "'+62 (0)812 0000 1001' | fonnte.whatsapp.phone_number == '6281200001001'"

- name: Check the conversion of a number of another country
  ansible.builtin.assert:
    that: "'020 7946 0123' | fonnte.whatsapp.phone_number(country='44') == '442079460123'"

- name: Print a link that opens a chat
  ansible.builtin.debug:
    msg: "https://wa.me/{{ '0812-0000-1001' | fonnte.whatsapp.phone_number }}"

- name: Print each number of a list once
  ansible.builtin.debug:
    msg: "{{ numbers | map('fonnte.whatsapp.phone_number') | unique | list }}"
  vars:
    numbers:
      - "0812-0000-1001"
      - "+62 812 0000 1001"
      - "0812-0000-1002"
"""

RETURN = r"""
_value:
  description: The digits.
  type: str
  sample: "6281200001001"
"""

MAX_SHOWN_LENGTH = 40


def phone_number(value: object, country: object = COUNTRY) -> str:
    """Return the digits of a number in international format, without a plus."""
    if isinstance(value, (list, tuple, set)):
        raise AnsibleFilterError(
            "Filter phone_number: the input is a list; use map('fonnte.whatsapp.phone_number') to convert each number."
        )
    problem = ""
    try:
        return to_international(value, check_country(country))
    except OptionError as fault:
        problem = f"{fault.problem}; {fault.advice}."
        wrong = country if fault.operation == "Option country" else value
    raise AnsibleFilterError(f"Filter phone_number, {_shown(wrong)}: {problem}")


def _shown(value: object) -> str:
    """Return a value in a form that may be printed. The user needs it to find the value in a list of numbers."""
    return f'"{truncate(printable(str(value)), MAX_SHOWN_LENGTH)}"'


class FilterModule:
    """Registers the filter with Ansible."""

    def filters(self) -> dict[str, t.Callable[..., object]]:
        """Return the filters of this file by name."""
        return {"phone_number": phone_number}
