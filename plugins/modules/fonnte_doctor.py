#!/usr/bin/python
# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: fonnte_doctor
short_description: Check the given tokens, and how the API of Fonnte behaves
version_added: 1.0.0
description:
  - Reports which kinds of tokens were given, whether the record can be written and is persistent, and how the service at O(api_endpoint) behaves where the
    documentation of U(https://fonnte.com) does not define it.
  - The behavior is tested on one device, the scratch device. This requires O(consent=true).
    B(All settings of the scratch device that Fonnte does not return may be lost.) These are its webhooks and all settings except name and autoread.
    Never use a device that serves a client.
  - Without O(consent=true), the module sends only requests that read, and RV(would_call) lists the requests that it omitted.
  - The results are written to O(dest). The other modules read them with O(service_facts_path).
  - A fact is reported only after unambiguous responses. Facts that remain unknown are in RV(not_found_out), with the reason.
  - The device's name and autoread are restored at the end. A device that the module created is not deleted, because a deletion requires a one-time code.
author:
  - The fonnte.whatsapp contributors (!UNKNOWN)
extends_documentation_fragment:
  - fonnte.whatsapp.api
  - fonnte.whatsapp.attributes
  - fonnte.whatsapp.device
attributes:
  diff_mode:
    description: Returns the changes, or the predicted ones in C(check_mode), in diff mode.
    support: partial
    details:
      - Shows the facts in O(dest). In check mode, it shows only facts that can be determined without writing.
  idempotent:
    description: A second run with the same arguments, outside check mode, changes nothing.
    support: partial
    details:
      - With O(consent=true), it writes to the scratch device every time, and is changed. It creates no second device.
      - Otherwise it is changed only when the content of O(dest) changes.
options:
  device:
    description:
      - The number of the scratch device, in any spelling. Quote it.
      - If the account has no such device, it is created.
        Then write a number that starts with V(0), because only then can the module determine how Fonnte stores it. The number need not be a WhatsApp number.
      - If the account has such a device, all its settings that Fonnte does not return may be lost, and its entries in the record are removed.
      - If not set, a device with the name V(fonnte doctor) is used, if one exists. The module never writes to any other device unless it is named here.
  name:
    description:
      - The name of a device that is created. If it is not the default, a later run finds the device only by O(device).
    type: str
    default: fonnte doctor
  consent:
    description:
      - Whether the module may write to the scratch device. You then agree that all its settings that Fonnte does not return may be lost.
    type: bool
    default: false
  expected_name:
    description:
      - The name with which the account must list the scratch device. If it lists it with another name, the task fails before the first write.
      - An empty string means that the account must not list the device. A listed device without a name cannot be expected.
      - If not set, any name is accepted.
        Set the name that an earlier task without O(consent) returned in RV(scratch.name), so that the module writes only to the device that you agreed to.
    type: str
    version_added: 1.0.0
  dest:
    description:
      - The file for the facts, in JSON. It contains no secret. Facts of an earlier run remain where there is no newer result.
      - A file with other content, or about another service, is not overwritten.
      - It must not be inside an installed collection, and its path must not contain a symbolic link of another user.
    type: path
  device_token:
    description:
      - The token of one device. The module reports whether it is a device's token. It does not choose the scratch device.
        If O(device) is also set, both must identify the same device.
      - If the device exists but is missing in the account's device list, RV(facts.listing) is V(partial).
      - If neither this nor O(device) is set, E(FONNTE_DEVICE_TOKEN) is used.
  record_path:
    description:
      - The directory of the record. It is checked, and with O(consent=true) the scratch device's entries are removed.
      - If not set, E(FONNTE_RECORD_PATH) is used.
  record_max_age:
    description:
      - Accepted so that C(module_defaults) can set it for all modules. It has no effect here.
      - A number of seconds, or a number with V(s), V(m), V(h), V(d) or V(w), such as V(30d).
  service_facts_path:
    description:
      - Accepted so that C(module_defaults) can set it for all modules. It has no effect here. Use O(dest) to write the file.
      - If not set, E(FONNTE_SERVICE_FACTS_PATH) is used.
seealso:
  - module: fonnte.whatsapp.fonnte_device
  - module: fonnte.whatsapp.fonnte_device_info
  - name: The API of Fonnte
    description: The vendor's documentation.
    link: https://docs.fonnte.com
"""

EXAMPLES = r"""
# The account's token is in the environment variable FONNTE_ACCOUNT_TOKEN.

- name: Check the tokens and the record, without writing
  fonnte.whatsapp.fonnte_doctor:
  register: looked

- name: Check how the service behaves, on a device that is created for it
  fonnte.whatsapp.fonnte_doctor:
    device: "081200003001"
    consent: true
    dest: ~/fonnte-facts.json
  register: found

- name: Print the known facts, and the reasons for the unknown ones
  ansible.builtin.debug:
    msg:
      - "{{ found.facts }}"
      - "{{ found.not_found_out }}"

- name: Use the facts, to prevent needless warnings
  fonnte.whatsapp.fonnte_device:
    device: "081200001001"
    name: Toko Satu
    service_facts_path: ~/fonnte-facts.json

- name: Request the code to delete the scratch device
  fonnte.whatsapp.fonnte_device:
    device: "081200003001"
    state: absent
    request_otp: true
"""

RETURN = r"""
facts:
  description: The behavior of the service. V(null) is unknown.
  returned: always, as far as known
  type: dict
  contains:
    omitted:
      description: Whether an update keeps or resets an omitted setting, V(keeps) or V(resets). Tested with autoread.
      type: str
      sample: keeps
    empty_webhook:
      description: Whether an update with an empty webhook is V(refused) or V(accepted). An accepted one may still be ignored.
      type: str
      sample: accepted
    add_number:
      description: How a number that starts with 0 is stored, V(verbatim) or V(international). Tested when the device is created.
      type: str
      sample: verbatim
    refusal_status:
      description: The HTTP status with which a request is refused.
      type: int
      sample: 200
    update_without_device:
      description: Whether an update without the device's number V(works) or is V(refused).
      type: str
      sample: refused
    webhook_probe:
      description:
        - Whether a webhook is V(called) or V(not_called) while it is saved. V(not_called) is concluded from a webhook URL at which no server can respond.
      type: str
      sample: not_called
    listing:
      description: V(partial) if a device was missing in the account's device list. It is not possible to prove that the list is complete.
      type: str
      sample: partial
    profile_number:
      description: V(linked) if a profile contained the number of another phone, instead of the registered number.
      type: str
      sample: linked
how:
  description: For each known fact, how it was determined.
  returned: always, as far as known
  type: dict
  sample:
    refusal_status: 'a device''s token was refused with HTTP 200: Fonnte said "unknown user"'
not_found_out:
  description: For each unknown fact, the reason, and how you could determine it. An accepted empty webhook is also listed here.
  returned: always, as far as known
  type: dict
  sample:
    otp_scope: "it requires a deletion: request a code for one of two scratch devices, and delete the other one with it"
tokens:
  description: The kinds of the given tokens. V(null) if none was given.
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
  description: The location of the record.
  returned: always, as far as known
  type: dict
  contains:
    folder:
      description: The directory or the database.
      type: str
      sample: /home/admin/.ansible/fonnte
    exists:
      description: Whether it exists. It is created when it is first needed.
      type: bool
    writable:
      description: Whether it can be written.
      type: bool
    mode:
      description: Its permissions. V(null) if it does not exist.
      type: str
      sample: "0700"
    lasting:
      description: Whether it is likely to exist in later runs. V(null) if this is unknown.
      type: bool
    because:
      description: The reason for RV(record.lasting), as a sentence.
      type: str
scratch:
  description: The scratch device. V(null) if there is none, or none yet.
  returned: always, as far as known
  type: dict
  contains:
    device:
      description: Its registered number.
      type: str
      sample: "081200003001"
    name:
      description: Its name.
      type: str
      sample: fonnte doctor
    made:
      description: Whether this run created it.
      type: bool
    left:
      description: Its settings that may differ from before the run.
      type: list
      elements: str
would_call:
  description: The requests that this run omitted, without consent or in check mode.
  returned: always, as far as known
  type: list
  elements: dict
  contains:
    path:
      description: The path of the request.
      type: str
      sample: /update-device
    device:
      description: The device whose token is used, or that is created. V(null) for the account's token.
      type: str
    purpose:
      description: The fact to determine.
      type: str
      sample: omitted
    at_most:
      description: The maximum number of these requests.
      type: int
      sample: 4
journal:
  description: The requests that were sent, in order.
  returned: always, as far as known
  type: list
  elements: dict
  contains:
    at:
      description: The time, in UTC.
      type: str
      sample: "2026-11-22T09:30:00Z"
    path:
      description: The path of the request.
      type: str
      sample: /get-devices
    device:
      description: The device whose token was used, or that was created. V(null) for the account's token.
      type: str
    purpose:
      description: The fact to determine.
      type: str
      sample: refusal_status
    reply:
      description: The response, without secrets.
      type: str
      sample: Fonnte said "unknown user"
dest:
  description: The file for the facts. V(null) if the option is not set. The file is not created while no fact is known.
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
