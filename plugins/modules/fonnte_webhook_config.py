#!/usr/bin/python
# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: fonnte_webhook_config
short_description: Manage the webhooks of a WhatsApp device of the Fonnte gateway
version_added: 1.0.0
description:
  - Sets the four webhooks of a device of U(https://fonnte.com). Every update also sends the known values of all other settings.
  - An omitted webhook is not managed. Every update preserves its value if it is known.
  - Fonnte never returns a webhook. For every declared webhook, RV(evidence) names the source of its known value. See also O(handle_write_only).
  - When a webhook is saved, Fonnte may call its URL at once. The receiver should be running by then.
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
      - V(present) applies the declared webhooks. The device must exist.
        In check mode, an earlier task may be the one that creates it, so a warning is printed instead of an error.
      - V(absent) clears all four webhooks. The device may be missing.
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

- name: Create a device
  fonnte.whatsapp.fonnte_device:
    device: "081200002001"
    name: Warung Satu
    autoread: true

- name: Set two webhooks of the device
  fonnte.whatsapp.fonnte_webhook_config:
    device: "081200002001"
    webhook: https://hooks.example.com/chat/warung-satu
    webhook_connect: https://hooks.example.com/link/warung-satu

- name: Clear one webhook
  fonnte.whatsapp.fonnte_webhook_config:
    device: "081200002001"
    webhook_connect: ''

- name: Clear all webhooks
  fonnte.whatsapp.fonnte_webhook_config:
    device: "081200002001"
    state: absent
"""

RETURN = r"""
webhooks:
  description: The four webhooks after the run, or as predicted in check mode. V(null) is unknown, and an empty string means that none is set.
  returned: always, as far as known
  type: dict
  contains:
    webhook:
      description: The host and a digest of the URL for incoming chats.
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
  description: The device, with the keys that the module P(fonnte.whatsapp.fonnte_device#module) returns. V(null) if it does not exist.
  returned: always, as far as known
  type: dict
operations:
  description: The operations, in check mode the predicted ones. V(forget) and V(attest) change the record of this control node. V(update) is a request.
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
    - The reason for each change. V(differs), the known value is different. V(no_record), the value is unknown.
      V(unproven), the stamp does not prove the value, or it is unknown whether the value was cleared.
      V(in_doubt), an earlier run was interrupted while sending it. V(expired), the record is older than O(record_max_age).
      V(always), because of O(handle_write_only=always_update).
  returned: always, as far as known
  type: dict
  sample: {webhook: no_record}
evidence:
  description:
    - For each declared webhook, the source and time of the value known before the run. V(recorded), this control node applied it.
      V(unconfirmed), this control node cleared it, but Fonnte may have ignored that. V(in_doubt), it was sent without a response.
      V(none), the value is unknown. V(stamped), the stamp proves it. V(attested), the user in C(by) attested it.
  returned: always, as far as known
  type: dict
  sample:
    webhook: {source: recorded, at: "2026-11-22T09:30:00Z"}
carried:
  description: Settings that are not declared, but were sent again from the record, with their recorded times.
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
  description: Always V(false), because this module creates no device.
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
