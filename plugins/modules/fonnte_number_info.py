#!/usr/bin/python
# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: fonnte_number_info
short_description: Find the numbers that have a WhatsApp account
version_added: 1.1.0
description:
  - Checks which numbers have a WhatsApp account, with the linked phone of a device.
  - Any count of numbers is sent, 500 in each request. Several spellings of a number are sent once.
  - Only one request for a device runs at a time, because Fonnte mixes the answers of parallel ones. A lock in the record ensures this for all
    tasks with the same record. Other programs do not use this lock.
  - An invalid number is refused before the first request. The error lists the invalid numbers with their indices.
author:
  - The fonnte.whatsapp contributors (!UNKNOWN)
extends_documentation_fragment:
  - fonnte.whatsapp.api
  - fonnte.whatsapp.attributes
  - fonnte.whatsapp.attributes.reads
options:
  device:
    description:
      - The number of the device whose phone checks the numbers, in any spelling. Quote it. A phone must be linked to it.
      - If O(device_token) is also set, both must identify the same device.
    type: raw
    aliases: [number]
  device_token:
    description:
      - The token of the device. If it is the only one set, the devices are not listed.
      - If neither this nor O(device) is set, E(FONNTE_DEVICE_TOKEN) is used.
  numbers:
    description:
      - The numbers to check, in any spelling. Quote them.
      - A number such as V(81200002001) is refused if O(country_code) is V(62) or not set, because it may be V(081200002001) without its leading zero, or a
        number of another country. Write the zero, or a C(+) if its country code begins with 8.
    type: list
    elements: raw
    required: true
  country_code:
    description:
      - The country code that replaces the first C(0) of a number. If not set, it is V(62). V(0) does not change numbers.
    type: str
  record_path:
    description:
      - The directory of the record, with the lock for the requests of a device. It is an empty file.
      - If not set, E(FONNTE_RECORD_PATH) is used.
  record_max_age:
    description:
      - Accepted so that C(module_defaults) can set it for all modules. It has no effect here.
      - A number of seconds, or a number with V(s), V(m), V(h), V(d) or V(w), such as V(30d).
notes:
  - Check mode sends the same requests as a run, because they change nothing, and uses the same lock. It warns of a device that does not exist or is not
    linked, because an earlier task may change that.
  - A request whose response was lost is not repeated, because Fonnte may still work on it. Wait a minute before you run the task again.
seealso:
  - module: fonnte.whatsapp.fonnte_device_info
  - module: fonnte.whatsapp.fonnte_message
  - module: fonnte.whatsapp.fonnte_group_info
  - name: The API of Fonnte
    description: The vendor's documentation.
    link: https://docs.fonnte.com
"""

EXAMPLES = r"""
# The account's token is in the environment variable FONNTE_ACCOUNT_TOKEN.

- name: Check the numbers of the customers
  fonnte.whatsapp.fonnte_number_info:
    device: "081200001001"
    numbers:
      - "081200002001"
      - "+62 812-0000-2002"
  register: customers

- name: Print the numbers without a WhatsApp account
  ansible.builtin.debug:
    var: customers.not_registered

- name: Send a message to the other ones
  fonnte.whatsapp.fonnte_message:
    device: "081200001001"
    target: "{{ customers.registered }}"
    msg: We are open on Sunday.
  when: customers.registered | length > 0
"""

RETURN = r"""
registered:
  description: The numbers with a WhatsApp account, as written in O(numbers).
  returned: always, unless an option is wrong
  type: list
  elements: str
  sample: ["081200002001"]
not_registered:
  description: The numbers without a WhatsApp account, as written in O(numbers).
  returned: always, unless an option is wrong
  type: list
  elements: str
  sample: ["+62 812-0000-2002"]
unanswered:
  description:
    - The numbers for which Fonnte returned no answer, as written in O(numbers), with a warning.
    - After a failure, these are the numbers that were not checked.
  returned: always, unless an option is wrong
  type: list
  elements: str
  sample: []
results:
  description: An entry for each number, in the order of O(numbers).
  returned: always, unless an option is wrong
  type: list
  elements: dict
  contains:
    number:
      description: The number as written in O(numbers).
      type: str
      sample: +62 812-0000-2002
    international:
      description: The number in international form, as it was sent. With O(country_code=0), its digits.
      type: str
      sample: "6281200002002"
    registered:
      description: Whether it has a WhatsApp account. V(null) if Fonnte returned no answer.
      type: bool
      sample: false
device:
  description: The registered number of the device. V(null) if only its token is known.
  returned: always, unless an option is wrong
  type: str
  sample: "081200001001"
"""

from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules.ansible_adapter import run_module
from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules.number_info import NUMBER_INFO, run_number_info


def main() -> None:
    """Run the module."""
    run_module(NUMBER_INFO, run_number_info)


if __name__ == "__main__":
    main()
