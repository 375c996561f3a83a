# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The inventory fonnte: a host for each device of an account."""

from __future__ import annotations

DOCUMENTATION = r"""
name: fonnte
short_description: Inventory source for the WhatsApp devices of a Fonnte account
version_added: 1.0.0
author:
  - The fonnte.whatsapp contributors (!UNKNOWN)
description:
  - Adds a host for each device of an account of U(https://fonnte.com). It sends one request, however many devices there are.
  - The source is a YAML file whose name ends in C(fonnte.yml) or C(fonnte.yaml).
  - You cannot log in to a device. So C(ansible_connection) is V(local), and C(ansible_python_interpreter) is the Python interpreter of Ansible.
    Modules of this collection then send their requests from the control node.
  - The variables of a host are C(fonnte_device) (the registered number), C(fonnte_name), C(fonnte_connected), C(fonnte_package), C(fonnte_quota),
    C(fonnte_expires) and C(fonnte_autoread), with the values that M(fonnte.whatsapp.fonnte_device_info) returns. An unknown value is V(null).
    There are no variables for write-only settings.
  - A string from the service is never a template. A device with the name C({{ ... }}) has exactly this name. Control characters in it become V(?).
  - Tokens are in no variable unless O(return_tokens=true), and never in the cache.
extends_documentation_fragment:
  - constructed
  - inventory_cache
  - fonnte.whatsapp.account
options:
  plugin:
    description: Identifies the file as a source for this plugin.
    type: str
    required: true
    choices: [fonnte.whatsapp.fonnte]
  account_token:
    description:
      - The token of the account. It may be a template with a lookup or with extra variables, or be encrypted with ansible-vault.
  api_endpoint:
    description:
      - The address of the service. It may be a template, like O(account_token).
  hostname:
    description:
      - The source of the host names.
      - V(number) is the registered number, digits only.
      - V(name) is the device's name. Every character except letters, digits, dots, dashes and underscores becomes V(_).
        If several devices have the same name, the number is appended to each, as in C(Toko_Satu_081200001001).
        It is also appended to a name with a special meaning for Ansible, such as C(all) or C(localhost).
        A device without a usable name is named by its number.
      - The filters do not affect the names.
    type: str
    choices: [number, name]
    default: number
  devices:
    description:
      - Add only these numbers, in any spelling. A number that the account does not list causes a warning. Quote them.
    type: list
    elements: raw
  connection:
    description:
      - Add only devices that are linked to a WhatsApp account, or only devices that are not.
    type: str
    choices: [any, connected, disconnected]
    default: any
  package:
    description:
      - Add only devices with this package, such as V(Free), in upper or lower case.
    type: str
  expires_within:
    description:
      - Add only devices whose package has ended, or ends within this number of days.
    type: int
  quota_below:
    description:
      - Add only devices that have fewer messages left than this.
    type: int
  return_tokens:
    description:
      - Whether to set the variable C(fonnte_token) of each host. Then C(ansible-inventory --list) and every debug task can print it.
        The lookup P(fonnte.whatsapp.fonnte_token#lookup) is safer.
      - With V(true), the devices are always requested from the service, even with O(cache).
    type: bool
    default: false
  cache:
    description:
      - Whether to store the account's device list for later runs, for all devices and without tokens. Filters and groups are always evaluated again.
      - A cache of another account or address is not used. If the cache is damaged, a warning is printed, and the devices are requested again.
  strict:
    description:
      - Whether an entry of O(compose), O(groups) or O(keyed_groups) that cannot be evaluated is an error. Otherwise it is skipped.
notes:
  - An unknown option is an error, because a misspelled filter would select all devices.
  - If the inventory cannot be read, Ansible warns and continues without hosts.
    With the setting C(any_unparsed_is_failed) of the section C(inventory), it fails.
  - C(enable_plugins) must contain C(auto), as it does by default, or the name of this plugin.
seealso:
  - module: fonnte.whatsapp.fonnte_device_info
  - plugin: fonnte.whatsapp.fonnte_token
    plugin_type: lookup
"""

EXAMPLES = r"""
# A file fonnte.yml. The account's token is in the environment variable FONNTE_ACCOUNT_TOKEN.
# The first line alone is a complete inventory of all devices, by number.
plugin: fonnte.whatsapp.fonnte

# The token, if it comes from another source.
account_token: "{{ lookup('ansible.builtin.env', 'FONNTE_ACCOUNT_TOKEN') }}"

# Host names from device names, and only devices whose packages end within 60 days.
hostname: name
expires_within: 60

# Groups, and a variable.
groups:
  dropped: not fonnte_connected
  poor: fonnte_quota is not none and fonnte_quota < 100
keyed_groups:
  - key: fonnte_package | lower
    prefix: package
compose:
  client: fonnte_name.split(' - ') | first
strict: true

# At most one request in ten minutes.
cache: true
cache_plugin: ansible.builtin.jsonfile
cache_connection: ~/.ansible/fonnte-inventory
cache_timeout: 600
"""

import sys
import typing as t

from ansible.errors import AnsibleError, AnsibleParserError
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable

from ansible_collections.fonnte.whatsapp.plugins.module_utils._api.cache import ProcessCache
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.errors import (
    FonnteError,
    OptionError,
    error_context,
)
from ansible_collections.fonnte.whatsapp.plugins.module_utils._device.models import Device, ambiguities
from ansible_collections.fonnte.whatsapp.plugins.module_utils._inventory.account import ACCOUNT, Account, open_account
from ansible_collections.fonnte.whatsapp.plugins.module_utils._inventory.hosts import (
    PREFIX,
    from_cache,
    host_names,
    host_variables,
    to_cache,
)
from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules.ansible_adapter import mask_secrets
from ansible_collections.fonnte.whatsapp.plugins.module_utils._options.common import common_warnings
from ansible_collections.fonnte.whatsapp.plugins.module_utils._options.filters import FILTERS, choose, parse_filter
from ansible_collections.fonnte.whatsapp.plugins.plugin_utils._controller import (
    as_data,
    check_token,
    empty_variables_unset,
    sentence,
    untag,
)

NAMES = ("fonnte.yml", "fonnte.yaml")


class InventoryModule(BaseInventoryPlugin, Constructable, Cacheable):
    """Fills an inventory with the devices of an account."""

    NAME = "fonnte.whatsapp.fonnte"

    def verify_file(self, path: str) -> bool:
        """Return whether this may be a file for the plugin."""
        if not path.endswith(NAMES):
            self.display.vvv(f"{path} is not for {self.NAME}: its name does not end in {' or '.join(NAMES)}")
            return False
        return bool(super().verify_file(path))

    def set_options(
        self,
        task_keys: dict[str, t.Any] | None = None,
        var_options: dict[str, t.Any] | None = None,
        direct: dict[str, t.Any] | None = None,
    ) -> None:
        """Set the options from the file, the environment and ansible.cfg."""
        check_token(direct)
        with empty_variables_unset():
            super().set_options(task_keys=task_keys, var_options=var_options, direct=direct)
        for option in direct or {}:
            if option not in self._options:
                known = ", ".join(sorted(self._options))
                raise OptionError(str(option), "the inventory has no such option", f"the options are {known}")

    def parse(self, inventory: t.Any, loader: t.Any, path: str, cache: bool = True) -> None:
        """Read the account's list, or its cache, and add a host for each device."""
        super().parse(inventory, loader, path, cache)
        fault: FonnteError | None = None
        keep = ProcessCache()
        try:
            self._read_config_data(path)
            self._parse(path, cache, keep)
        except FonnteError as error:
            fault = error
        finally:
            keep.clear()
        # Raised outside of the except block, because newer ansible-cores print the cause of an error.
        if fault:
            raise AnsibleParserError(sentence(fault))

    def _parse(self, path: str, cache: bool, keep: ProcessCache) -> None:
        params = self._params()
        wanted = parse_filter(params)
        for warning in common_warnings(params):
            self.display.warning(warning)
        account = open_account(params, keep)
        mask_secrets([params["account_token"]])
        devices = self._devices(account, path, cache)
        for warning in ambiguities(devices):
            self.display.warning(warning)
        with error_context("Choosing the devices"):
            chosen, missing = choose(devices, wanted)
        for number in missing:
            self.display.warning(f"The account does not list device {number}, so it is not in the inventory.")
        # The names depend on all devices, and not on the devices that are chosen now.
        names = host_names(devices, params["hostname"], self._groups())
        by_device = {id(device): name for device, name in zip(devices, names)}
        hosts = {by_device[id(device)]: device for device in chosen if wanted.matches(device)}
        self._add(hosts, account)
        self._construct(list(hosts))

    def _params(self) -> dict[str, t.Any]:
        options = (*ACCOUNT, *FILTERS, "hostname")
        params = {option: untag(self.get_option(option)) for option in options}
        params.update({option: self._filled_in(option) for option in ("account_token", "api_endpoint")})
        return params

    def _filled_in(self, option: str) -> t.Any:
        """Return an option that may be a template. Templates can use lookups and extra variables."""
        value = self.get_option(option)
        if value is None:
            return None
        problem = ""
        try:
            self.templar.available_variables = self._vars or {}
            value = untag(self.templar.template(value))
        except AnsibleError as fault:
            problem = " ".join(str(fault).split())
        if problem:
            raise OptionError(option, f"its template cannot be evaluated ({problem})", "check the source of its value")
        if not isinstance(value, str):
            raise OptionError(option, "its template does not return a string", "check the source of its value")
        return value

    # The list

    def _devices(self, account: Account, path: str, cache: bool) -> tuple[Device, ...]:
        """Return all devices: from the cache, or from the service, and then store them in the cache."""
        if not self.get_option("cache") or self.get_option("return_tokens"):
            return account.devices()
        key = self.get_cache_key(path)
        devices = from_cache(self._cached(key), account.cache_id) if cache else None
        if devices is None:
            devices = account.devices()
            self._cache[key] = to_cache(devices, account.cache_id)
        return devices

    def _cached(self, key: str) -> object:
        try:
            return self._cache.get(key)
        except (AnsibleError, AttributeError, KeyError, TypeError, ValueError) as fault:
            # If the file of a cache has an unexpected content, Ansible raises an exception of Python.
            self.display.warning(
                f"The cache of the device list cannot be read ({type(fault).__name__}), so the list is requested again."
            )
            return None

    # The hosts

    def _add(self, hosts: dict[str, Device], account: Account) -> None:
        returned = bool(self.get_option("return_tokens"))
        if returned:
            mask_secrets(device.token for device in hosts.values() if device.token)
        for name, device in hosts.items():
            variables = {key: as_data(value) for key, value in host_variables(device, account.redactor).items()}
            if returned:
                variables[f"{PREFIX}token"] = as_data(device.token or None)
            if sys.executable:
                variables["ansible_python_interpreter"] = sys.executable
            variables["ansible_connection"] = "local"
            self.inventory.add_host(name)
            for variable, value in variables.items():
                self.inventory.set_variable(name, variable, value)

    def _groups(self) -> set[str]:
        """Return the names of existing groups and of those in the file: no host may have one of these names."""
        named = [self._sanitize_group_name(str(name)) for name in self.get_option("groups") or ()]
        return {*self.inventory.groups, *named}

    def _construct(self, names: list[str]) -> None:
        """Add variables and groups that the user composes.

        Each step is done for all hosts before the next one. The name of a keyed group depends on the devices: once a
        group has the name of a host, Ansible resolves that name to the group.
        """
        strict = self.get_option("strict")
        compose, groups, keys = (self.get_option(option) for option in ("compose", "groups", "keyed_groups"))
        for name in names if compose else ():
            self._set_composite_vars(compose, self._variables_of(name), name, strict=strict)
        for name in names if groups else ():
            self._add_host_to_composed_groups(
                groups, self._variables_of(name), name, strict=strict, fetch_hostvars=False
            )
        for name in names if keys else ():
            self._add_host_to_keyed_groups(keys, self._variables_of(name), name, strict=strict, fetch_hostvars=False)

    def _variables_of(self, name: str) -> dict[str, t.Any]:
        variables: dict[str, t.Any] = self.inventory.get_host(name).get_vars()
        return variables
