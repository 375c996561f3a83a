# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter fleet_tokens: the tokens of a fleet's devices, sorted by client."""

from __future__ import annotations

from ansible_collections.fonnte.whatsapp.plugins.module_utils._fleet.summary import tokens_by_client

DOCUMENTATION = r"""
name: fleet_tokens
short_description: The tokens of the devices of a fleet, sorted by client
version_added: 1.0.0
author:
  - The fonnte.whatsapp contributors (!UNKNOWN)
description:
  - Brings together what P(fonnte.whatsapp.fonnte_fleet#module) did and the tokens that P(fonnte.whatsapp.fonnte_device_info#module) reads.
  - The answer holds secrets. Use it in tasks with C(no_log) only.
options:
  _input:
    description: An account, as P(fonnte.whatsapp.fleet_accounts#filter) gives it.
    type: dict
    required: true
  devices:
    description: What RV(fonnte.whatsapp.fonnte_fleet#module:devices) is for this account.
    type: list
    elements: dict
    required: true
  listed:
    description: What RV(fonnte.whatsapp.fonnte_device_info#module:devices) is, with tokens.
    type: list
    elements: dict
    required: true
  foreseen:
    description: Whether it is check mode. A device that would be created then has a text in place of its token.
    type: bool
    default: false
seealso:
  - plugin: fonnte.whatsapp.fleet_accounts
    plugin_type: filter
  - plugin: fonnte.whatsapp.fleet
    plugin_type: role
"""

EXAMPLES = r"""
- name: Bring a fleet to what is declared
  fonnte.whatsapp.fonnte_fleet:
    devices: "{{ accounts[0].devices }}"
  register: fleet
  vars: &fleet
    accounts: "{{ {'shops.yml': shops} | fonnte.whatsapp.fleet_accounts }}"
    shops:
      fleet_clients:
        - name: Toko Satu
          devices:
            - device: "081200001001"
              name: Toko Satu

- name: Read the tokens
  fonnte.whatsapp.fonnte_device_info:
    return_tokens: true
  register: listed
  no_log: true

- name: Tell whose tokens there are
  ansible.builtin.debug:
    msg: "{{ accounts[0] | fonnte.whatsapp.fleet_tokens(fleet.devices, listed.devices) | map(attribute='client') }}"
  vars: *fleet
"""

RETURN = r"""
_value:
  description: The clients that have devices, and last what belongs to no client.
  type: list
  elements: dict
  contains:
    client:
      description: The name of the client. Empty for devices of no client.
      type: str
    file:
      description: The name as a part of a file name.
      type: str
    numbers:
      description: The numbers of its devices, as they are declared.
      type: list
      elements: str
    tokens:
      description: The token of each device by its number, as far as known. Secrets.
      type: dict
    new:
      description: The numbers among them that were created.
      type: list
      elements: str
"""


class FilterModule:
    """Makes the filter known to Ansible."""

    def filters(self) -> dict[str, object]:
        """Return the filters of this file by name."""
        return {"fleet_tokens": tokens_by_client}
