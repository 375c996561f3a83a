# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter fleet_accounts: the devices of a fleet by account, with all that they inherit."""

from __future__ import annotations

import typing as t

from ansible_collections.fonnte.whatsapp.plugins.module_utils._fleet.declaration import accounts_of, read_fleet

DOCUMENTATION = r"""
name: fleet_accounts
short_description: The devices of a fleet by account, with all that they inherit
version_added: 1.0.0
author:
  - The fonnte.whatsapp contributors (!UNKNOWN)
description:
  - Puts together what sources declare for the role P(fonnte.whatsapp.fleet#role).
    The device wins, then its client, then its package, then what the source has for all.
  - What has a problem is left out. Look at the answer of P(fonnte.whatsapp.fleet_problems#filter) first.
options:
  _input:
    description:
      - What each source says, by its name. A source has some of O(fonnte.whatsapp.fleet#role:main:fleet_clients),
        O(fonnte.whatsapp.fleet#role:main:fleet_devices), O(fonnte.whatsapp.fleet#role:main:fleet_packages)
        and O(fonnte.whatsapp.fleet#role:main:fleet_defaults).
    type: dict
    required: true
seealso:
  - plugin: fonnte.whatsapp.fleet_problems
    plugin_type: filter
  - plugin: fonnte.whatsapp.fleet
    plugin_type: role
  - plugin: fonnte.whatsapp.fleet_tokens
    plugin_type: filter
  - plugin: fonnte.whatsapp.fleet_told
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Tell whose the numbers are
  ansible.builtin.debug:
    msg: "{{ accounts | map(attribute='owners') | combine }}"
  vars:
    accounts: "{{ {'shops.yml': shops} | fonnte.whatsapp.fleet_accounts }}"
    shops:
      fleet_packages:
        cashier:
          autoread: true
      fleet_clients:
        - name: Toko Satu
          package: cashier
          devices:
            - device: "081200001001"
"""

RETURN = r"""
_value:
  description: The accounts, in the order in which they are first declared.
  type: list
  elements: dict
  contains:
    name:
      description: What tells the account from the others, fit for the name of a file.
      type: str
      sample: toko-satu
    account_token:
      description: Its token. Empty for the account whose token the task has. A secret.
      type: str
    devices:
      description: What O(fonnte.whatsapp.fonnte_fleet#module:devices) takes.
      type: list
      elements: dict
    owners:
      description: The names of the clients by the numbers of their devices, digits only.
      type: dict
      sample: {"081200001001": Toko Satu}
    sources:
      description: What declares each number, a file without its folder and ending.
      type: dict
      sample: {"081200001001": shops}
    clients:
      description: The clients, each with its C(name), its C(contacts), the C(numbers) of its devices, and C(file), its name as a part of a file name.
      type: list
      elements: dict
"""


def fleet_accounts(sources: t.Mapping[str, t.Any]) -> list[dict[str, t.Any]]:
    """Return the accounts of a fleet as tasks take them."""
    return [account.as_data() for account in accounts_of(read_fleet(sources))]


class FilterModule:
    """Makes the filter known to Ansible."""

    def filters(self) -> dict[str, t.Callable[..., object]]:
        """Return the filters of this file by name."""
        return {"fleet_accounts": fleet_accounts}
