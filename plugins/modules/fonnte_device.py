#!/usr/bin/python
# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: fonnte_device
short_description: Declare one WhatsApp device of the Fonnte gateway
version_added: 1.0.0
description:
  - Creates, updates, disconnects or deletes a device of U(https://fonnte.com), so that it is as declared.
  - A setting that is left out is not managed. It keeps its value where that can be known.
  - Fonnte shows only the name and O(autoread) of a device. What is said about the other settings names its evidence.
    See RV(evidence) and O(handle_write_only).
author:
  - The fonnte.whatsapp contributors (!UNKNOWN)
extends_documentation_fragment:
  - fonnte.whatsapp.api
  - fonnte.whatsapp.attributes
  - fonnte.whatsapp.attributes.writes
  - fonnte.whatsapp.device
  - fonnte.whatsapp.evidence
  - fonnte.whatsapp.webhooks
attributes:
  diff_mode:
    description: Will return details on what has changed (or possibly needs changing in C(check_mode)), when in diff mode.
    support: partial
    details:
      - Shows the device before and after. A code that O(request_otp) has sent is nothing of the device, and is in RV(operations) alone.
options:
  state:
    description:
      - With V(present) the device exists with the declared settings. It is created if it does not.
      - V(disconnected) is the same, and no WhatsApp account is linked to it. A missing device is not created.
      - With V(absent) it does not exist. Deleting needs an O(otp).
    type: str
    choices: [present, disconnected, absent]
    default: present
  name:
    description:
      - The device's name in the dashboard, 2 to 30 characters, or to 23 with O(handle_write_only=stamped).
      - It is needed to create a device, and kept when left out.
    type: str
  autoread:
    description:
      - Whether incoming chats are marked as read. Fonnte calls O(webhook) only while this is on.
    type: bool
  personal:
    description:
      - Whether personal chats are marked as read.
    type: bool
  group:
    description:
      - Whether group chats are marked as read.
    type: bool
  quick:
    description:
      - Whether own chats are marked as read.
    type: bool
  resend:
    description:
      - Whether incoming attachments are forwarded to O(target).
    type: bool
  target:
    description:
      - The number that O(resend) forwards to. Quote it.
    type: raw
  country_code:
    description:
      - The country code that stands for a leading 0 of O(target), such as V(62).
    type: str
  otp:
    description:
      - The one-time code that allows the deletion, from the WhatsApp of the account's owner. Quote it, since it may begin with a 0.
      - It is used once. A wrong code is never tried again, since too many of them lock the device.
      - An empty text counts as not given.
      - Only with O(state=absent).
    type: raw
  request_otp:
    description:
      - Have Fonnte send a code to the WhatsApp of the account's owner, if the device is there and no O(otp) is given.
      - Only with O(state=absent).
    type: bool
    default: false
  return_tokens:
    description:
      - Whether the result holds the device's token. Say C(no_log=true) in the task, or it is printed.
      - Ansible masks the token in the result if it was given as O(device_token).
    type: bool
    default: false
seealso:
  - module: fonnte.whatsapp.fonnte_webhook_config
  - module: fonnte.whatsapp.fonnte_device_info
  - plugin: fonnte.whatsapp.fonnte_token
    plugin_type: lookup
  - module: fonnte.whatsapp.fonnte_device_qr
  - module: fonnte.whatsapp.fonnte_doctor
  - module: fonnte.whatsapp.fonnte_fleet
  - module: fonnte.whatsapp.fonnte_message
  - module: fonnte.whatsapp.fonnte_record
  - module: fonnte.whatsapp.fonnte_record_info
  - module: fonnte.whatsapp.fonnte_sheet
  - name: The API of Fonnte
    description: The vendor's documentation.
    link: https://docs.fonnte.com
"""

EXAMPLES = r"""
# The account's token is in the environment variable FONNTE_ACCOUNT_TOKEN.

- name: A device for a client
  fonnte.whatsapp.fonnte_device:
    device: "0812-0000-1001"
    name: Toko Satu
    autoread: true
    webhook: https://hooks.example.com/toko-satu

- name: Rename it, all that is known of it is sent along
  fonnte.whatsapp.fonnte_device:
    device: "+62 812 0000 1001"
    name: Toko Satu Bandung

- name: Several devices, in a loop that prints no secret
  fonnte.whatsapp.fonnte_device:
    device: "{{ clients[item].number }}"
    name: "{{ clients[item].name }}"
    webhook: "{{ clients[item].webhook | default(omit) }}"
  loop: "{{ range(clients | length) | list }}"
  loop_control:
    label: "{{ clients[item].number }}"
  vars:
    clients:
      - number: "081200001002"
        name: Toko Dua
      - number: "081200001003"
        name: Toko Tiga
        webhook: https://hooks.example.com/toko-tiga

- name: Take the phone off a device
  fonnte.whatsapp.fonnte_device:
    device: "081200001002"
    state: disconnected

- name: Ask for the code that a deletion needs
  fonnte.whatsapp.fonnte_device:
    device: "081200001003"
    state: absent
    request_otp: true

- name: Delete the device with the code from the owner's WhatsApp
  fonnte.whatsapp.fonnte_device:
    device: "081200001003"
    state: absent
    otp: "{{ otp_from_whatsapp }}"
"""

RETURN = r"""
device:
  description: The device as it is now, or in check mode as it would be. V(null) if it does not exist. A key that is V(null) is not known.
  returned: always, as far as known
  type: dict
  contains:
    device:
      description: The registered number.
      type: str
      sample: "081200001001"
    connected:
      description: Whether a WhatsApp account is linked.
      type: bool
    package:
      description: The package that was bought for the device.
      type: str
      sample: Free
    quota:
      description: How many messages are left.
      type: int
      sample: 1000
    expires:
      description: When the package ends, in UTC.
      type: str
      sample: "2027-02-08T12:00:00Z"
    name:
      description: The device's name.
      type: str
      sample: Toko Satu
    autoread:
      description: Whether incoming chats are marked as read.
      type: bool
    personal:
      description: Whether personal chats are marked as read, from the record.
      type: bool
    group:
      description: Whether group chats are marked as read, from the record.
      type: bool
    quick:
      description: Whether own chats are marked as read, from the record.
      type: bool
    resend:
      description: Whether incoming attachments are forwarded, from the record.
      type: bool
    target:
      description: The number that attachments are forwarded to, from the record.
      type: str
    country_code:
      description: The country code for the target, from the record.
      type: str
    webhook:
      description: The host of the URL for incoming chats and a digest of the whole, from the record.
      type: str
      sample: https://hooks.example.com/…#1a2b3c
    webhook_connect:
      description: The same for connect events.
      type: str
    webhook_status:
      description: The same for message status.
      type: str
    webhook_chaining:
      description: The same for chained messages.
      type: str
operations:
  description:
    - What was done, in this order, or in check mode would be done.
    - V(forget) and V(attest) change this controller's record. V(create), V(update), V(disconnect), V(request_otp) and V(delete) are calls of Fonnte.
  returned: always, as far as known
  type: list
  elements: str
  sample: [create, update]
changed_fields:
  description: The fields that change.
  returned: always, as far as known
  type: list
  elements: str
  sample: [name, webhook]
reasons:
  description:
    - Why each of them changes.
    - V(differs), the known value is another one, or the device is new. V(no_record), nothing is known of the value.
      V(unproven), the stamp in the device's name does not prove the value (O(handle_write_only=stamped)), or nobody knows whether it was really cleared.
      V(in_doubt), an earlier run was cut off while it was sent. V(expired), the record is older than O(record_max_age).
      V(always), because of O(handle_write_only=always_update).
  returned: always, as far as known
  type: dict
  sample: {name: differs, webhook: no_record}
evidence:
  description:
    - For each declared setting, where its value before the run was known from, and since when.
    - V(service), Fonnte shows it. V(recorded), this controller applied it. V(unconfirmed), this controller cleared it, which Fonnte may have ignored.
      V(in_doubt), it was sent, and no answer came or the creation of the device was not finished. V(none), nothing is known.
      V(stamped), the stamp in the device's name proves it. V(attested), the user in C(by) vouched for it.
  returned: always, as far as known
  type: dict
  sample:
    name: {source: service, at: null}
    webhook: {source: recorded, at: "2026-11-22T09:30:00Z"}
carried:
  description: Settings that this task does not declare and that were sent along from the record, with the time of the record.
  returned: always, as far as known
  type: dict
  sample: {webhook_status: "2026-11-20T08:00:00Z"}
at_risk:
  description: Settings that the update may have reset, since they are neither declared nor recorded nor shown by Fonnte.
  returned: always, as far as known
  type: list
  elements: str
  sample: [quick, resend]
forgotten:
  description: Settings that were taken out of the record, because of O(handle_undeclared=forget).
  returned: always, as far as known
  type: list
  elements: str
  sample: [webhook_chaining]
recreated:
  description: Whether the device was known and gone, and was made anew. It has a new token then, and has to be linked again.
  returned: always, as far as known
  type: bool
otp_requested:
  description: Whether Fonnte was asked to send a code.
  returned: O(state=absent)
  type: bool
otp_pending:
  description: Whether Fonnte refused to make another code, since one is on its way already.
  returned: O(state=absent)
  type: bool
retry_after:
  description: Seconds until Fonnte makes another code.
  returned: when a code is on its way already
  type: int
  sample: 590
token:
  description: The device's token.
  returned: O(return_tokens=true)
  type: str
  sample: example-device-token
"""

from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules.ansible_adapter import run_module
from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules.device import DEVICE, run_device


def main() -> None:
    """Run the module."""
    run_module(DEVICE, run_device)


if __name__ == "__main__":
    main()
