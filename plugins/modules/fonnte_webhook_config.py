#!/usr/bin/python
# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: fonnte_webhook_config
short_description: Declare the webhooks of a WhatsApp device of the Fonnte gateway
version_added: 1.0.0
description:
  - Sets the four webhooks of a device of U(https://fonnte.com) as declared. All its other settings are sent along as they are known.
  - A webhook that is left out is not managed. It keeps its value where that can be known.
  - Fonnte never shows a webhook. What is said about one names its evidence. See RV(evidence) and O(handle_write_only).
  - When a webhook is saved, Fonnte may call its URL at once. The receiver should then be running.
author:
  - The fonnte.whatsapp contributors (!UNKNOWN)
extends_documentation_fragment:
  - fonnte.whatsapp.api
  - fonnte.whatsapp.attributes
  - fonnte.whatsapp.attributes.writes
  - fonnte.whatsapp.device
  - fonnte.whatsapp.evidence
  - fonnte.whatsapp.webhooks
options:
  state:
    description:
      - With V(present) the webhooks that are declared are as declared. The device must exist.
        In check mode an earlier task may have to create it, so a warning is given instead of an error.
      - With V(absent) all four are empty. A missing device is fine.
    type: str
    choices: [present, absent]
    default: present
seealso:
  - module: fonnte.whatsapp.fonnte_device
  - module: fonnte.whatsapp.fonnte_device_info
  - name: The API of Fonnte
    description: The vendor's documentation.
    link: https://docs.fonnte.com
"""

EXAMPLES = r"""
# The account's token is in the environment variable FONNTE_ACCOUNT_TOKEN.

- name: A device
  fonnte.whatsapp.fonnte_device:
    device: "081200002001"
    name: Warung Satu
    autoread: true

- name: Its webhooks
  fonnte.whatsapp.fonnte_webhook_config:
    device: "081200002001"
    webhook: https://hooks.example.com/chat/warung-satu
    webhook_connect: https://hooks.example.com/link/warung-satu

- name: Clear one of them
  fonnte.whatsapp.fonnte_webhook_config:
    device: "081200002001"
    webhook_connect: ''

- name: Clear all of them
  fonnte.whatsapp.fonnte_webhook_config:
    device: "081200002001"
    state: absent
"""

RETURN = r"""
webhooks:
  description: The four webhooks as they are now, or in check mode as they would be. V(null) is not known, an empty text is none.
  returned: always, as far as known
  type: dict
  contains:
    webhook:
      description: The host of the URL for incoming chats and a digest of the whole.
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
device:
  description: The whole device, with the same keys as the module P(fonnte.whatsapp.fonnte_device#module) returns. V(null) if it does not exist.
  returned: always, as far as known
  type: dict
operations:
  description: What was done, or in check mode would be done. V(forget) and V(attest) change this controller's record, V(update) is a call of Fonnte.
  returned: always, as far as known
  type: list
  elements: str
  sample: [update]
changed_fields:
  description: The webhooks that change.
  returned: always, as far as known
  type: list
  elements: str
  sample: [webhook]
reasons:
  description:
    - Why each of them changes.
    - V(differs), the known value is another one. V(no_record), nothing is known of the value.
      V(unproven), the stamp in the device's name does not prove the value (O(handle_write_only=stamped)), or nobody knows whether it was really cleared.
      V(in_doubt), an earlier run was cut off while it was sent. V(expired), the record is older than O(record_max_age).
      V(always), because of O(handle_write_only=always_update).
  returned: always, as far as known
  type: dict
  sample: {webhook: no_record}
evidence:
  description:
    - For each declared webhook, where its value before the run was known from, and since when.
    - V(recorded), this controller applied it. V(unconfirmed), this controller cleared it, which Fonnte may have ignored.
      V(in_doubt), it was sent and no answer came. V(none), nothing is known.
      V(stamped), the stamp in the device's name proves it. V(attested), the user in C(by) vouched for it.
  returned: always, as far as known
  type: dict
  sample:
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
  description: Always V(false). This module creates no device.
  returned: always, as far as known
  type: bool
"""

from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules.ansible_adapter import run_module
from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules.device import WEBHOOK_CONFIG, run_webhook_config


def main() -> None:
    """Run the module."""
    run_module(WEBHOOK_CONFIG, run_webhook_config)


if __name__ == "__main__":
    main()
