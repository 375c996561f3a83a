#!/usr/bin/python
# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: fonnte_sheet
short_description: Write declarations and a sheet to fill in, for existing WhatsApp devices
version_added: 1.0.0
description:
  - For importing an account whose devices were created manually in the dashboard of U(https://fonnte.com).
    The playbook C(fonnte.whatsapp.adopt) uses this module, so most users never use it directly.
  - Without O(sheet), it writes the settings that Fonnte returns as variables of the role P(fonnte.whatsapp.fleet#role), and two sheets in which you can fill
    in the write-only settings, C(hidden.csv) and C(hidden.yml). One of the two is enough.
  - With O(sheet), it reads a filled-in sheet, checks every cell, and writes the values into the declarations.
    If any cell is wrong, all wrong cells are reported and nothing is written.
  - Your edits to these files are preserved, with comments and order. Only missing entries are added.
    A value in a declaration is replaced only if the sheet has a different one, with a warning. A value that is encrypted or a template is never replaced.
  - The module works only with files. It sends no request to Fonnte.
author:
  - The fonnte.whatsapp contributors (!UNKNOWN)
requirements:
  - Python 3.7 or newer where the module runs
  - PyYAML, which ansible-core installs on the control node
options:
  devices:
    description:
      - The devices of the account, in the format of RV(fonnte.whatsapp.fonnte_device_info#module:devices).
    type: list
    elements: dict
    required: true
  dest:
    description:
      - The directory of the declarations and the sheets. It is created if it does not exist.
        Only its owner can list it, and only their owner can read the files in it.
      - It must not be inside an installed collection, and its path must not contain a symbolic link of another user.
    type: path
    required: true
  clients:
    description:
      - A regular expression that is applied to the names of the devices. Its first group is the client.
      - The devices of a client are written to C(clients/CLIENT.yml), and devices whose names do not match to C(clients/others.yml).
        If not set, all devices are written to C(devices.yml).
      - A device that is already declared remains in its file.
    type: str
  separator:
    description:
      - The separator of a new C(hidden.csv). Spreadsheets with a decimal comma, as in V(0,5), expect V(semicolon).
      - A sheet that is read may contain commas, semicolons or tabs.
    type: str
    choices: [comma, semicolon]
    default: comma
  sheet:
    description:
      - A filled-in sheet. A file whose name ends with C(.yml) or C(.yaml) is YAML, any other is CSV.
    type: path
  return_settings:
    description:
      - Whether to return the values of the sheet. Set C(no_log=true) in the task, or the URLs of webhooks are printed.
    type: bool
    default: false
attributes:
  check_mode:
    description: Can run in C(check_mode) and predict the changes without applying them.
    support: full
  diff_mode:
    description: Returns the changes, or the predicted ones in C(check_mode), in diff mode.
    support: partial
    details:
      - A webhook is shown only by its host. Sheets are not shown.
  idempotent:
    description: A second run with the same arguments, outside check mode, changes nothing.
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

- name: List the devices of the account
  fonnte.whatsapp.fonnte_device_info:
  register: account

- name: Write declarations, and sheets to fill in
  fonnte.whatsapp.fonnte_sheet:
    devices: "{{ account.devices }}"
    dest: ~/fonnte

- name: Write a file for each client, if a device has a name such as "Toko Satu - kasir"
  fonnte.whatsapp.fonnte_sheet:
    devices: "{{ account.devices }}"
    dest: ~/fonnte-by-client
    clients: '^(.+?) - '

- name: Write the values of the sheet into the declarations
  fonnte.whatsapp.fonnte_sheet:
    devices: "{{ account.devices }}"
    dest: ~/fonnte
    sheet: ~/fonnte/hidden.csv
"""

RETURN = r"""
devices:
  description: The numbers of the newly declared devices, or with O(sheet), of the devices with a filled-in cell.
  returned: success
  type: list
  elements: str
  sample: ["081200001001"]
files:
  description: The files that changed, in check mode the predicted ones.
  returned: success
  type: list
  elements: str
  sample: [/srv/fonnte/devices.yml, /srv/fonnte/hidden.csv, /srv/fonnte/hidden.yml]
settings:
  description: The values of the sheet for each of RV(devices). An empty webhook means that none is set.
  returned: O(return_settings=true)
  type: list
  elements: dict
  sample:
    - device: "081200001001"
      quick: true
      webhook: ""
wrong:
  description: The cells that are not valid.
  returned: when cells of the sheet are wrong
  type: list
  elements: dict
  contains:
    row:
      description: The position, a row of a CSV file or a line of a YAML file.
      type: str
      sample: row 3
    device:
      description: The number in that row, as written. Empty if it is not a number.
      type: str
      sample: 0812-0000-1001
    column:
      description: The column.
      type: str
      sample: quick
    problem:
      description: The problem.
      type: str
      sample: it is neither yes nor no
    advice:
      description: The required action.
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
