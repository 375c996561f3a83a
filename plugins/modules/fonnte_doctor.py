#!/usr/bin/python
# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: fonnte_doctor
short_description: Find out which tokens these are, and how Fonnte behaves
version_added: 1.0.0
description:
  - Tells which tokens were given, whether the record can be written and will last, and how the service at O(api_endpoint) behaves
    where the documentation of U(https://fonnte.com) is silent.
  - How the service behaves is found out on one device, the scratch device. That takes O(consent=true).
    B(All settings of the scratch device that Fonnte does not show may be lost.) That is its webhooks, and all but its name and autoread.
    Never use a device that serves a client.
  - Without O(consent=true) only calls that read are made, and RV(would_call) says what would be called.
  - What was found out is written to O(dest). The other modules read it with O(service_facts_path).
  - A fact is claimed only after clean answers. What is not found out is in RV(not_found_out), with the reason.
  - The device's name and autoread are put back at the end. A device that the module made is left to you, since a deletion needs a one-time code.
author:
  - The fonnte.whatsapp contributors (!UNKNOWN)
extends_documentation_fragment:
  - fonnte.whatsapp.api
  - fonnte.whatsapp.attributes
  - fonnte.whatsapp.device
attributes:
  diff_mode:
    description: Will return details on what has changed (or possibly needs changing in C(check_mode)), when in diff mode.
    support: partial
    details:
      - Shows the facts in O(dest). In check mode it shows those that can be found out without writing.
  idempotent:
    description: When run twice in a row outside check mode, with the same arguments, the second invocation indicates no change.
    support: partial
    details:
      - With O(consent=true) it writes to the scratch device every time, and is changed. It makes no second device.
      - Without it, it is changed only when O(dest) gets other content.
options:
  device:
    description:
      - The number of the scratch device. Spelling does not matter. Quote it.
      - If the account has no such device, it is made. Write a number that starts with V(0) then. Only so can the module find out how Fonnte stores it.
        The number need not be a WhatsApp number.
      - If the account has such a device, all its settings that Fonnte does not show may be lost, and what the record knows of it is removed.
      - If not set, a device with the name V(fonnte doctor) is used, where there is one. No other device is ever written to without being named here.
  name:
    description:
      - The name of a device that is made. With another name than the default, a later run finds it only by O(device).
    type: str
    default: fonnte doctor
  consent:
    description:
      - Whether the scratch device may be written to. You then agree that all its settings that Fonnte does not show may be lost.
    type: bool
    default: false
  expected_name:
    description:
      - The name with which the account must list the scratch device. If it lists it with another name, the task fails before the first write.
      - An empty string means that the account must not list the device. A listed device without a name cannot be expected.
      - If not set, the name does not matter. Give the name that an earlier task without O(consent) returned in RV(scratch.name),
        so that the device that you agreed to is the one that is written to.
    type: str
    version_added: 1.1.0
  dest:
    description:
      - The file for the facts, in JSON. It holds no secret. Facts of an earlier run stay, where nothing newer is found out.
      - A file that is something else, or about another service, is not overwritten.
      - It cannot be inside an installed collection, and its path must not lead through a symbolic link of another user.
    type: path
  device_token:
    description:
      - The token of one device. It is told whether it is one. It names no scratch device. With O(device) as well, both must be the same device.
      - A device that answers to its token and is missing in the account's list says something of the list. See RV(facts.listing).
      - If neither this nor O(device) is set, the value of the environment variable E(FONNTE_DEVICE_TOKEN) is used.
  record_path:
    description:
      - The directory of the record. It is looked at, and with O(consent=true) what it knows of the scratch device is removed.
      - If not set, the value of the environment variable E(FONNTE_RECORD_PATH) is used.
  record_max_age:
    description:
      - Accepted so that C(module_defaults) can hold it for all modules. It has no effect here.
      - A whole number and one of V(s), V(m), V(h), V(d) or V(w), such as V(30d).
  service_facts_path:
    description:
      - Accepted so that C(module_defaults) can hold it for all modules. It has no effect here. Use O(dest) to write the file.
      - If not set, the value of the environment variable E(FONNTE_SERVICE_FACTS_PATH) is used.
seealso:
  - module: fonnte.whatsapp.fonnte_device
  - module: fonnte.whatsapp.fonnte_device_info
  - name: The API of Fonnte
    description: The vendor's documentation.
    link: https://docs.fonnte.com
"""

EXAMPLES = r"""
# The account's token is in the environment variable FONNTE_ACCOUNT_TOKEN.

- name: Look at tokens and record, without writing
  fonnte.whatsapp.fonnte_doctor:
  register: looked

- name: Find out how the service behaves, on a device that is made for it
  fonnte.whatsapp.fonnte_doctor:
    device: "081200003001"
    consent: true
    dest: ~/fonnte-facts.json
  register: found

- name: Say what is known now, and what is not
  ansible.builtin.debug:
    msg:
      - "{{ found.facts }}"
      - "{{ found.not_found_out }}"

- name: Use what is known, so that nothing is warned of that cannot happen
  fonnte.whatsapp.fonnte_device:
    device: "081200001001"
    name: Toko Satu
    service_facts_path: ~/fonnte-facts.json

- name: Ask for the code to delete the scratch device
  fonnte.whatsapp.fonnte_device:
    device: "081200003001"
    state: absent
    request_otp: true
"""

RETURN = r"""
facts:
  description: How the service behaves. V(null) was not found out.
  returned: always, as far as known
  type: dict
  contains:
    omitted:
      description: What an update does to a setting that it leaves out, V(keeps) or V(resets). Found out with autoread.
      type: str
      sample: keeps
    empty_webhook:
      description: What becomes of an update with an empty webhook, V(refused) or V(accepted). Cleared and ignored look the same.
      type: str
      sample: accepted
    add_number:
      description: How a number that starts with 0 is stored, V(verbatim) or V(international). Found out when the device is made.
      type: str
      sample: verbatim
    refusal_status:
      description: The HTTP status with which a call is refused.
      type: int
      sample: 200
    update_without_device:
      description: Whether an update without the device's number V(works) or is V(refused).
      type: str
      sample: refused
    webhook_probe:
      description: Whether a webhook is V(called) or V(not_called) while it is saved. V(not_called) is concluded from a webhook at which nobody can answer.
      type: str
      sample: not_called
    listing:
      description: V(partial) if a device was missing in the account's list. That the list is complete cannot be found out.
      type: str
      sample: partial
    profile_number:
      description: V(linked) if a profile showed another phone than the registered one.
      type: str
      sample: linked
how:
  description: For each fact that is known, how it was found out.
  returned: always, as far as known
  type: dict
  sample:
    refusal_status: 'a device''s token was refused with HTTP 200: Fonnte said "unknown user"'
not_found_out:
  description: For each fact that is open, why, and how one could find it out. An empty webhook that is accepted is here as well.
  returned: always, as far as known
  type: dict
  sample:
    otp_scope: "it requires a deletion: request a code for one of two scratch devices, and delete the other one with it"
tokens:
  description: What each of the given tokens is. V(null) was not given.
  returned: always, as far as known
  type: dict
  contains:
    account_token:
      description: V(account), V(device) or V(unknown).
      type: str
      sample: account
    device_token:
      description: V(account), V(device) or V(unknown).
      type: str
record:
  description: The directory of the record.
  returned: always, as far as known
  type: dict
  contains:
    folder:
      description: Where it is.
      type: str
      sample: /home/admin/.ansible/fonnte
    exists:
      description: Whether it is there. It is made when it is first needed.
      type: bool
    writable:
      description: Whether it could be written.
      type: bool
    mode:
      description: Its mode. V(null) if it is not there.
      type: str
      sample: "0700"
    lasting:
      description: Whether it looks as if it will be there for later runs. V(null) if nothing tells.
      type: bool
    because:
      description: Why, in a sentence.
      type: str
scratch:
  description: The scratch device. V(null) if there is none, or not yet.
  returned: always, as far as known
  type: dict
  contains:
    device:
      description: Its number, as it is registered.
      type: str
      sample: "081200003001"
    name:
      description: Its name.
      type: str
      sample: fonnte doctor
    made:
      description: Whether this run made it.
      type: bool
    left:
      description: What may be otherwise on it than before the run.
      type: list
      elements: str
would_call:
  description: The calls that this run left out, without consent or in check mode.
  returned: always, as far as known
  type: list
  elements: dict
  contains:
    path:
      description: The call.
      type: str
      sample: /update-device
    device:
      description: The device whose token is used, or that is made. V(null) for the account's token.
      type: str
    purpose:
      description: What is to be found out.
      type: str
      sample: omitted
    at_most:
      description: How often it is made at most.
      type: int
      sample: 4
journal:
  description: The calls that were made, in order.
  returned: always, as far as known
  type: list
  elements: dict
  contains:
    at:
      description: When, in UTC.
      type: str
      sample: "2026-11-22T09:30:00Z"
    path:
      description: The call.
      type: str
      sample: /get-devices
    device:
      description: The device whose token was used, or that was made. V(null) for the account's token.
      type: str
    purpose:
      description: What was to be found out.
      type: str
      sample: refusal_status
    reply:
      description: What came back, without secrets.
      type: str
      sample: Fonnte said "unknown user"
dest:
  description: The file for the facts. V(null) if none was named. It is not made while no fact is known.
  returned: success
  type: str
  sample: /home/admin/fonnte-facts.json
"""

from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules.ansible_adapter import run_module
from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules.doctor import DOCTOR, run_doctor


def main() -> None:
    """Run the module."""
    run_module(DOCTOR, run_doctor)


if __name__ == "__main__":
    main()
