#!/usr/bin/python
# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: fonnte_sheet
short_description: Declarations and a sheet to fill in, for WhatsApp devices that were made by hand
version_added: 1.0.0
description:
  - For taking over an account whose devices were made by hand in the dashboard of U(https://fonnte.com).
    The playbook C(fonnte.whatsapp.adopt) uses it, and so most people never call it themselves.
  - Without O(sheet) it writes what Fonnte shows of the devices as variables of the role P(fonnte.whatsapp.fleet#role),
    and two sheets for a person to fill in what Fonnte does not show, C(hidden.csv) and C(hidden.yml).
    One of the two is enough.
  - With O(sheet) it reads a filled sheet, checks every cell, and writes what it says into the declarations.
    If any cell is wrong, all wrong cells are told and nothing is written.
  - What a person has written into these files stays, with comments and order. Only what is missing is added.
    A value in a declaration is exchanged only if the sheet has another one, and a warning tells so.
    A value that is encrypted or a template is left alone.
  - The module works with files only. It does not call Fonnte.
author:
  - The fonnte.whatsapp contributors (!UNKNOWN)
requirements:
  - Python 3.7 or newer where the module runs
  - PyYAML, which ansible-core brings to the controller
options:
  devices:
    description:
      - The devices of the account, as RV(fonnte.whatsapp.fonnte_device_info#module:devices) has them.
    type: list
    elements: dict
    required: true
  dest:
    description:
      - The folder of the declarations and the sheets. It is made if it is not there. Only its owner may look into it,
        and all files in it are for their owner only.
      - It cannot be inside an installed collection, and its path must not lead through a symbolic link of another user.
    type: path
    required: true
  clients:
    description:
      - A regular expression on the names of the devices. Its first group is the client.
      - The devices of a client are written to C(clients/CLIENT.yml), those whose name does not match to
        C(clients/others.yml). Without this option all go to C(devices.yml).
      - A device that is declared already stays where it is.
    type: str
  separator:
    description:
      - What separates the cells of a new C(hidden.csv). Spreadsheets that write V(0,5) for a half expect V(semicolon).
      - A sheet that is read may have commas, semicolons or tabs.
    type: str
    choices: [comma, semicolon]
    default: comma
  sheet:
    description:
      - A filled sheet. A file whose name ends with C(.yml) or C(.yaml) is YAML, any other is CSV.
    type: path
  return_settings:
    description:
      - Whether the result holds what the sheet says. Say C(no_log=true) in the task, or the URLs of webhooks are printed.
    type: bool
    default: false
attributes:
  check_mode:
    description: Can run in C(check_mode) and return changed status prediction without modifying target.
    support: full
  diff_mode:
    description: Will return details on what has changed (or possibly needs changing in C(check_mode)), when in diff mode.
    support: partial
    details:
      - Of a webhook only the host is shown. Sheets are not shown.
  idempotent:
    description: When run twice in a row outside check mode, with the same arguments, the second invocation indicates no change.
    support: full
  platform:
    description: The systems where the module can run. It reads and writes files there.
    platforms: posix
    support: full
seealso:
  - module: fonnte.whatsapp.fonnte_device
  - module: fonnte.whatsapp.fonnte_device_info
"""

EXAMPLES = r"""
# The account's token is in the environment variable FONNTE_ACCOUNT_TOKEN.

- name: What is there
  fonnte.whatsapp.fonnte_device_info:
  register: account

- name: Declarations, and sheets to fill in
  fonnte.whatsapp.fonnte_sheet:
    devices: "{{ account.devices }}"
    dest: ~/fonnte

- name: A file for each client, where a device has a name such as "Toko Satu - kasir"
  fonnte.whatsapp.fonnte_sheet:
    devices: "{{ account.devices }}"
    dest: ~/fonnte-by-client
    clients: '^(.+?) - '

- name: What was filled in goes into the declarations
  fonnte.whatsapp.fonnte_sheet:
    devices: "{{ account.devices }}"
    dest: ~/fonnte
    sheet: ~/fonnte/hidden.csv
"""

RETURN = r"""
devices:
  description: The numbers of the devices that are newly declared, or with O(sheet) of those that a cell is filled for.
  returned: success
  type: list
  elements: str
  sample: ["081200001001"]
files:
  description: The files that changed, or in check mode would change.
  returned: success
  type: list
  elements: str
  sample: [/srv/fonnte/devices.yml, /srv/fonnte/hidden.csv, /srv/fonnte/hidden.yml]
settings:
  description: What the sheet says, for each of RV(devices). An empty webhook is none.
  returned: O(return_settings=true)
  type: list
  elements: dict
  sample:
    - device: "081200001001"
      quick: true
      webhook: ""
wrong:
  description: The cells that cannot be right.
  returned: when cells of the sheet are wrong
  type: list
  elements: dict
  contains:
    row:
      description: Where it is, a row of a CSV file or a line of a YAML file.
      type: str
      sample: row 3
    device:
      description: The number in that row, as it is written. Empty if it is none.
      type: str
      sample: 0812-0000-1001
    column:
      description: The column.
      type: str
      sample: quick
    problem:
      description: What is wrong.
      type: str
      sample: it is neither yes nor no
    advice:
      description: What to do.
      type: str
      sample: write yes or no, or leave it empty
"""

from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules.ansible_adapter import run_module
from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules.sheet import SHEET, run_sheet


def main() -> None:
    """Run the module."""
    run_module(SHEET, run_sheet)


if __name__ == "__main__":
    main()
