#!/usr/bin/python
# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: fonnte_audit
short_description: Report where WhatsApp devices of the Fonnte gateway are not as declared
version_added: 1.0.0
description:
  - Compares an account with what is declared, and writes reports, a page for people, data for programs, a table for a spreadsheet, and a short text.
  - Neither the service nor the record is ever changed. The account is listed once.
  - Each finding says from where it is known, and since when. What differs and what nobody knows are different findings.
  - No token and no secret part of a webhook is in a report. Names of devices and clients are in it.
author:
  - The fonnte.whatsapp contributors (!UNKNOWN)
extends_documentation_fragment:
  - fonnte.whatsapp.api
  - fonnte.whatsapp.attributes
  - fonnte.whatsapp.attributes.reports
  - fonnte.whatsapp.evidence
  - fonnte.whatsapp.members
options:
  device_token:
    description:
      - Accepted so that C(module_defaults) can hold it for all modules. It has no effect here. An entry of O(devices) has its own.
    type: str
  devices:
    description:
      - The devices as they are declared, as the module P(fonnte.whatsapp.fonnte_fleet#module) takes them.
        A setting that is left out here and in O(defaults) is not looked at.
      - An empty list reports the account as it is. Then every device is one that nobody declared.
  handle_write_only:
    description:
      - Fonnte never shows the webhooks and most other settings. With V(stamped) what the device's own stamp proves counts as evidence.
        With everything else the record does. The other values are accepted so that a declaration can be audited as it stands.
  handle_undeclared:
    description:
      - Accepted so that a declaration can be audited as it stands. It has no effect here.
  handle_unknown:
    description:
      - Accepted so that a declaration can be audited as it stands. It has no effect here.
  owners:
    description:
      - Whose a number is, such as the name of a client, by number. A report can be searched and sorted by it. Quote the numbers.
    type: dict
  expires_within:
    description:
      - A package that ends within so many days is a finding. With V(0) only one that has ended is.
    type: int
    default: 14
  quota_below:
    description:
      - A device with fewer messages left than this is a finding. With V(0) none is.
    type: int
    default: 100
  free_device_limit:
    description:
      - How many free devices an account may have. It is a finding if all are used, or would be once the missing devices are made.
    type: int
    default: 10
  only:
    description:
      - Select devices of the declaration in O(files), O(hosts) or O(clients) by client, by file (without C(.yml)), or by number.
        A list, or a string with commas. Then O(unlisted) is V(ignore).
    type: raw
  unlisted:
    description: Whether to report devices of the account that are not declared.
    type: str
    choices: [report, ignore]
    default: report
  fail_on:
    description:
      - Fail after the report is written if there is a finding of one of these kinds.
      - V(drift), Fonnte shows another value, or the stamp proves another one.
        V(drift_recorded), by the record another value was applied last.
        V(missing), a declared device is not there.
        V(disconnected), a device that may be linked has no phone.
        V(package_ended), V(package_ends) and V(quota_low), see O(expires_within) and O(quota_below).
        V(unlisted), nobody declared the device.
        V(no_longer_declared), a setting is still set, and its line was removed from the declaration.
        V(free_slots), see O(free_device_limit).
        V(unknown), nobody knows whether a setting is as declared.
        V(not_checked), a device could not be looked up or compared.
    type: list
    elements: str
    choices:
      - drift
      - drift_recorded
      - missing
      - disconnected
      - package_ended
      - unlisted
      - no_longer_declared
      - package_ends
      - quota_low
      - free_slots
      - unknown
      - not_checked
    default: []
  concurrency:
    description:
      - How many calls are made at a time. It matters without O(account_token) only, when each device is asked by itself.
    type: int
    default: 4
  title:
    description:
      - The title of the report, such as the name of the account.
    type: str
  language:
    description:
      - The language of the report. V(id) is Bahasa Indonesia.
    type: str
    choices: [en, id]
    default: en
  dest:
    description:
      - The folder for the report, which is made if it is not there. Left out, nothing is written, and the result tells all the same.
      - Each file is written as a whole or not at all, for the user and the group to read.
      - It cannot be inside an installed collection, and its path must not lead through a symbolic link of another user.
    type: path
  html:
    description:
      - The name of the page, a single file that needs nothing else. Empty for none.
    type: str
    default: audit.html
  json:
    description:
      - The name of the file with data for programs. Its form is in docs/audit.schema.json. Empty for none.
    type: str
    default: audit.json
  csv:
    description:
      - The name of the table for a spreadsheet. Cells that a spreadsheet would run begin with an apostrophe. Empty for none.
    type: str
    default: audit.csv
  txt:
    description:
      - The name of the file with the short text. Empty for none.
    type: str
    default: audit.txt
  separator:
    description:
      - What separates the cells of the table. Many spreadsheets expect a semicolon where a comma stands in figures, as in Indonesia.
    type: str
    choices: [comma, semicolon]
    default: comma
seealso:
  - module: fonnte.whatsapp.fonnte_fleet
  - module: fonnte.whatsapp.fonnte_device_info
"""

EXAMPLES = r"""
# The account's token is in the environment variable FONNTE_ACCOUNT_TOKEN.

- name: See where the account is not as declared
  fonnte.whatsapp.fonnte_audit:
    defaults:
      autoread: true
    devices:
      - device: "081200004001"
        name: Toko Satu
        webhook: https://hooks.example.com/toko-satu
      - device: "081200004002"
        name: Toko Dua
    owners:
      "081200004001": PT Satu
    dest: report
  register: audit

- name: Say it in a few lines
  ansible.builtin.debug:
    msg: "{{ audit.text.splitlines() }}"

- name: A job that fails if somebody changed a device, and has a page in Bahasa Indonesia alone
  fonnte.whatsapp.fonnte_audit:
    devices:
      - device: "081200004001"
        name: Toko Satu
        autoread: true
    fail_on: [drift, package_ended]
    language: id
    title: Toko Bersama
    dest: report
    html: laporan.html
    json: ""
    csv: ""
    txt: ""
"""

RETURN = r"""
failures:
  description: A sentence for each account whose audit failed, and for each problem of the declaration.
  returned: with O(files), O(hosts) or O(clients)
  type: list
  elements: str
findings:
  description: What was found, of the account, then device by device as declared, then of the devices that nobody declared.
  returned: always, as far as known
  type: list
  elements: dict
  contains:
    device:
      description: The number. V(null) for the account as a whole.
      type: str
      sample: "081200004001"
    kind:
      description: What was found, one of the choices of O(fail_on).
      type: str
      sample: drift
    level:
      description: How much it asks of a person, V(action), V(notice) or V(unknown).
      type: str
      sample: action
    field:
      description: The setting, or V(connected) or V(device). V(null) where it is about none.
      type: str
      sample: name
    declared:
      description: What was to be. A URL is masked.
      type: raw
      sample: Toko Satu
    found:
      description: What is instead. V(null) if nobody knows.
      type: raw
      sample: Toko 1
    source:
      description: From where that is known, as in RV(fonnte.whatsapp.fonnte_device#module:evidence).
      type: str
      sample: service
    at:
      description: Since when.
      type: str
      sample: "2026-11-22T20:59:12Z"
    by:
      description: Who vouched for it.
      type: str
    reason:
      description: Why it counts, as in RV(fonnte.whatsapp.fonnte_device#module:reasons).
      type: str
      sample: differs
    text:
      description: The same as a sentence.
      type: str
      sample: Name is "Toko 1", but "Toko Satu" is declared.
    evidence:
      description: From where it is known, in words.
      type: str
      sample: Read from Fonnte, 2026-11-22 20:59 UTC
summary:
  description: The figures.
  returned: always, as far as known
  type: dict
  contains:
    devices:
      description: Devices in the report, declared ones and others.
      type: int
    declared:
      description: Declared devices.
      type: int
    listed:
      description: Devices in the account's list. V(null) if it was not read.
      type: int
    linked:
      description: Devices that are linked to a phone.
      type: int
    free_devices:
      description: Free devices of the account. V(null) if the list was not read.
      type: int
    free_device_limit:
      description: How many it may have.
      type: int
    action:
      description: Devices that need action.
      type: int
    notice:
      description: Devices of which to take note.
      type: int
    unknown:
      description: Devices of which something is not known, and nothing worse.
      type: int
    fine:
      description: Devices without a finding.
      type: int
    kinds:
      description: How many findings there are of each kind.
      type: dict
text:
  description: The report as a short text.
  returned: always, as far as known
  type: str
files:
  description: The files that were written, by O(html), O(json), O(csv) and O(txt).
  returned: always, as far as known
  type: dict
  sample: {"html": "/srv/report/audit.html"}
"""

from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules.ansible_adapter import run_module
from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules.audit import AUDIT, run_audit


def main() -> None:
    """Run the module."""
    run_module(AUDIT, run_audit)


if __name__ == "__main__":
    main()
