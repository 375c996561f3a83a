# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lookup fonnte_token: returns the tokens of devices by their numbers."""

from __future__ import annotations

DOCUMENTATION = r"""
name: fonnte_token
short_description: Look up the tokens of WhatsApp devices by their numbers
version_added: 1.0.0
author:
  - The fonnte.whatsapp contributors (!UNKNOWN)
description:
  - Looks up the token of a device in the account's device list. A playbook can then refer to devices by number, and needs only the account's token.
  - The devices are requested once for each lookup, for any number of terms.
    The items of a loop do not share a response, because a device may get another number while the loop runs.
  - Nothing is changed, and nothing is written to a file.
extends_documentation_fragment:
  - fonnte.whatsapp.account
options:
  _terms:
    description:
      - The numbers, in any spelling, or lists of them. Quote them. An unquoted number that may have lost its leading zero is refused.
    required: true
  on_missing:
    description:
      - How to treat a number that the account does not list, or lists without a token.
      - V(error) fails. V(warn) warns and skips the number. V(skip) skips it.
    type: str
    choices: [error, warn, skip]
    default: error
notes:
  - Treat a token as a password, because it can send messages. Starting with ansible-core 2.22, Ansible masks the returned tokens in all its output.
    Older versions print them, see the following notes.
  - A loop prints its items. Loop over numbers and look up the token inside the task, as in the examples.
    C(loop_control.label) does not hide an item that fails.
  - With C(-vvv), Ansible prints the options of each task. The modules of this collection mask O(fonnte.whatsapp.fonnte_device#module:device_token).
    For M(ansible.builtin.uri) and other modules, set C(no_log=true).
  - A debug task, and C(register) with C(-v), print their values. A variable in C(vars) is not printed, and is looked up again each time it is used.
  - The C(environment) of a task applies only to modules. A lookup reads the environment of Ansible itself.
seealso:
  - module: fonnte.whatsapp.fonnte_device
  - plugin: fonnte.whatsapp.fonnte
    plugin_type: inventory
  - plugin: fonnte.whatsapp.phone_number
    plugin_type: filter
"""

EXAMPLES = r"""
# The account's token is in the environment variable FONNTE_ACCOUNT_TOKEN.

- name: List one device with its own token
  fonnte.whatsapp.fonnte_device_info:
    device_token: "{{ lookup('fonnte.whatsapp.fonnte_token', '081200001001') }}"

- name: Send a request with the tokens of two devices, and print no token
  ansible.builtin.uri:
    url: "{{ lookup('ansible.builtin.env', 'FONNTE_API_ENDPOINT') | default('https://api.fonnte.com', true) }}/device"
    method: POST
    headers:
      Authorization: "{{ lookup('fonnte.whatsapp.fonnte_token', item) }}"
  loop:
    - "081200001001"
    - "+62 812-0000-1002"
  no_log: true

- name: Count the numbers that the account lists
  ansible.builtin.debug:
    msg: "{{ query('fonnte.whatsapp.fonnte_token', *numbers, on_missing='skip') | length }}"
  vars:
    numbers:
      - "081200001001"
      - "081200001009"
"""

RETURN = r"""
_list:
  description: The tokens, in the order of the numbers. Missing numbers are skipped.
  type: list
  elements: str
  sample: [example-device-token]
"""

import typing as t

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase
from ansible.utils.display import Display

from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.errors import (
    FonnteError,
    NotFoundError,
    error_context,
)
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.phone_numbers import has_country, parse_number
from ansible_collections.fonnte.whatsapp.plugins.module_utils._device.models import Device
from ansible_collections.fonnte.whatsapp.plugins.module_utils._inventory.account import ACCOUNT, open_account
from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules.ansible_adapter import mask_secrets
from ansible_collections.fonnte.whatsapp.plugins.module_utils._options.common import common_warnings
from ansible_collections.fonnte.whatsapp.plugins.plugin_utils._controller import (
    CACHE,
    check_token,
    empty_variables_unset,
    sentence,
    untag,
)

display = Display()


class LookupModule(LookupBase):
    """Returns the tokens of devices."""

    def run(self, terms: list[t.Any], variables: dict[str, t.Any] | None = None, **kwargs: t.Any) -> list[str]:
        """Return a token for each number."""
        fault: FonnteError | None = None
        try:
            return self._run(terms, variables, kwargs)
        except FonnteError as error:
            fault = error
        # Raised outside of the except block, because newer ansible-cores print the cause of an error.
        raise AnsibleLookupError(sentence(fault))

    def _run(self, terms: list[t.Any], variables: dict[str, t.Any] | None, given: dict[str, t.Any]) -> list[str]:
        check_token(given)
        with empty_variables_unset():
            self.set_options(var_options=variables, direct=given)
        written = [untag(term) for term in self._flatten(terms)]
        numbers = [parse_number(term, f"_terms[{index}]") for index, term in enumerate(written)]
        params = {option: untag(self.get_option(option)) for option in ACCOUNT}
        for warning in common_warnings(params):
            display.warning(warning)
        account = open_account(params, CACHE)
        mask_secrets([params["account_token"]])
        found = [self._token(number, account.find(number, has_country(term))) for number, term in zip(numbers, written)]
        tokens = [token for token in found if token]
        mask_secrets(tokens)
        return tokens

    def _token(self, number: str, found: Device | None) -> str:
        if found and found.token:
            return found.token
        problem = "the account lists it without a token" if found else "the account does not list it"
        on_missing = self.get_option("on_missing")
        if on_missing == "error":
            with error_context(f"Looking up the token of device {number}"):
                raise NotFoundError(
                    problem, "check the number and the account, or set on_missing='skip' if this is not an error"
                )
        if on_missing == "warn":
            display.warning(f"No token of device {number} is returned: {problem}.")
        return ""
