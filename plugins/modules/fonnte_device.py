#!/usr/bin/python
# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: fonnte_device
short_description: Manage one WhatsApp device of the Fonnte gateway
version_added: 1.0.0
description:
  - Creates, updates, disconnects or deletes a device of U(https://fonnte.com).
  - Most tasks need only O(device), O(name), O(state), O(autoread) and O(webhook).
    Set O(account_token), O(handle_write_only) and O(handle_unknown) once in C(module_defaults). The other options have useful defaults.
  - An omitted setting is not managed. Every update preserves its value if it is known.
  - Fonnte returns only the name and O(autoread) of a device. For every declared setting, RV(evidence) names the source of its known value.
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
    description: Returns the changes, or the predicted ones in C(check_mode), in diff mode.
    support: partial
    details:
      - Shows the device before and after. A code sent with O(request_otp) is not part of the device, and is only in RV(operations).
options:
  state:
    description:
      - V(present) creates or updates the device. V(disconnected) also unlinks its WhatsApp account, but creates no device.
        V(absent) deletes the device, which requires an O(otp).
    type: str
    choices: [present, disconnected, absent]
    default: present
  name:
    description:
      - The name in the dashboard, 2 to 30 characters, or 2 to 23 with O(handle_write_only=stamped). Required to create a device.
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
      - The number that receives forwarded attachments. Quote it.
    type: raw
  country_code:
    description:
      - The country code that replaces a leading 0 of O(target), such as V(62).
    type: str
  otp:
    description:
      - The one-time code for O(state=absent), from the WhatsApp of the account's owner. Quote it, because it may begin with 0. Empty means unset.
        It is used once, because repeated failures lock the device.
    type: raw
  request_otp:
    description:
      - With O(state=absent), request a code for the account's owner if the device exists and O(otp) is not set.
    type: bool
    default: false
  return_tokens:
    description:
      - Whether to return the device's token. Set C(no_log=true) in the task, or it is printed (masked if it was given as O(device_token)).
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

- name: Create a device for a client
  fonnte.whatsapp.fonnte_device:
    device: "0812-0000-1001"
    name: Toko Satu
    # Fonnte sends incoming chats to the webhook only if autoread and personal are true.
    autoread: true
    personal: true
    webhook: https://hooks.example.com/toko-satu

- name: Rename the device, and preserve its other known settings
  fonnte.whatsapp.fonnte_device:
    device: "+62 812 0000 1001"
    name: Toko Satu Bandung

- name: Create several devices, in a loop that prints no secrets
  fonnte.whatsapp.fonnte_device:
    device: "{{ clients[item].number }}"
    name: "{{ clients[item].name }}"
    autoread: true
    personal: true
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

- name: Unlink the phone from a device
  fonnte.whatsapp.fonnte_device:
    device: "081200001002"
    state: disconnected

- name: Request the code for a deletion
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
  description:
    - The device after the run, or as predicted in check mode. V(null) if it does not exist. A value of V(null) is unknown.
      Write-only settings are from the record.
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
      description: The purchased package.
      type: str
      sample: Free
    quota:
      description: The number of messages left.
      type: int
      sample: 1000
    expires:
      description: The end of the package, in UTC.
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
      description: Whether personal chats are marked as read.
      type: bool
    group:
      description: Whether group chats are marked as read.
      type: bool
    quick:
      description: Whether own chats are marked as read.
      type: bool
    resend:
      description: Whether incoming attachments are forwarded.
      type: bool
    target:
      description: The number that receives forwarded attachments.
      type: str
    country_code:
      description: The country code for the target.
      type: str
    webhook:
      description: The host and a digest of the URL.
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
    - The operations in their order, in check mode the predicted ones.
      V(forget) and V(attest) change the record, V(create), V(update), V(disconnect), V(request_otp) and V(delete) are requests.
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
    - The reason for each change. V(differs), the known value is different, or the device is new. V(no_record), the value is unknown.
      V(unproven), the stamp does not prove the value, or it is unknown whether the value was cleared.
      V(in_doubt), an earlier run was interrupted while sending it. V(expired), the record is older than O(record_max_age).
      V(always), because of O(handle_write_only=always_update).
  returned: always, as far as known
  type: dict
  sample: {name: differs, webhook: no_record}
evidence:
  description:
    - For each declared setting, the source and time of the value known before the run. V(service), Fonnte returned it.
      V(recorded), this control node applied it. V(unconfirmed), this control node cleared it, but Fonnte may have ignored that.
      V(in_doubt), it was sent without a response, or in an unfinished creation. V(none), the value is unknown. V(stamped), the stamp proves it.
      V(attested), the user in C(by) attested it.
  returned: always, as far as known
  type: dict
  sample:
    name: {source: service, at: null}
    webhook: {source: recorded, at: "2026-11-22T09:30:00Z"}
carried:
  description: Undeclared settings that were sent again from the record, and the times of the record.
  returned: always, as far as known
  type: dict
  sample: {webhook_status: "2026-11-20T08:00:00Z"}
at_risk:
  description: Settings with unknown values, which the update may have reset.
  returned: always, as far as known
  type: list
  elements: str
  sample: [quick, resend]
forgotten:
  description: Settings that O(handle_undeclared=forget) removed from the record.
  returned: always, as far as known
  type: list
  elements: str
  sample: [webhook_chaining]
recreated:
  description: Whether a known device was missing and created again. It has a new token, and must be linked again.
  returned: always, as far as known
  type: bool
otp_requested:
  description: Whether a code was requested from Fonnte.
  returned: O(state=absent)
  type: bool
otp_pending:
  description: Whether Fonnte refused to send a code again.
  returned: O(state=absent)
  type: bool
retry_after:
  description: Seconds until Fonnte creates another code.
  returned: when Fonnte has already sent a code
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
