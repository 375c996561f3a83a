#!/usr/bin/python
# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: fonnte_device_qr
short_description: Link a phone to a WhatsApp device of the Fonnte gateway
version_added: 1.0.0
description:
  - Fetches what links a phone to a device of U(https://fonnte.com). That is a QR code to scan, as a PNG file, or a pairing code to type into the phone.
  - Can wait until the device is linked. A QR code that runs out meanwhile is replaced.
  - A device that is linked already is left alone, and nothing is changed.
  - The playbook C(fonnte.whatsapp.link) walks a person through it, for one device or for several.
author:
  - The fonnte.whatsapp contributors (!UNKNOWN)
extends_documentation_fragment:
  - fonnte.whatsapp.api
  - fonnte.whatsapp.attributes
  - fonnte.whatsapp.device
attributes:
  diff_mode:
    description: Will return details on what has changed (or possibly needs changing in C(check_mode)), when in diff mode.
    support: full
    details:
      - Shows whether the device is linked, and what was fetched. With O(wait=true) check mode foresees that a person links it.
  idempotent:
    description: When run twice in a row outside check mode, with the same arguments, the second invocation indicates no change.
    support: partial
    details:
      - A device that is linked is unchanged. As long as it is not, each run fetches a new code, and that is a change.
options:
  method:
    description:
      - With V(qr) a QR code is written to O(dest). It is scanned with WhatsApp on the phone, under I(Linked devices).
      - With V(code) a pairing code is returned as RV(code). It is typed into WhatsApp on the phone O(whatsapp),
        under I(Linked devices), I(Link with phone number). It needs no screen that can show a picture, so it works over SSH.
    type: str
    choices: [qr, code]
    default: qr
  whatsapp:
    description:
      - The WhatsApp number of the phone, with its country. Needed with O(method=code). A V(0) at its start stands for V(62).
        A number that begins with 8 needs its V(0), or a C(+) if the code of its country begins with 8.
      - It is the number of the phone, which need not be the number of the device. The phone may show a request at once.
      - Quote it. YAML takes V(02155543210) without quotes for an octal number.
    type: raw
  dest:
    description:
      - The PNG file for the QR code, or a folder. In a folder the file is named by the device's number, such as V(081200001001.png). Needed with O(method=qr).
      - Only its owner can read the file. B(Who sees the picture can link their own phone), so do not put it where others can see it.
      - It is written whole or not at all. A file that is there and is no PNG is not replaced.
      - It cannot be inside an installed collection, and its path must not lead through a symbolic link of another user.
      - The directory of a file must exist. In check mode an earlier task may have to create it, so a warning is given instead of an error.
      - A path that ends with C(/) is a directory. If it does not exist, it is created with mode V(0700) before a QR code is fetched.
      - With O(wait=true) the file is removed as soon as the device is linked, since it is of no use any more.
        Without, it stays until you remove it or the next run replaces it.
    type: path
  fetch:
    description:
      - Whether a QR code or a pairing code is fetched. V(false) only waits, for what an earlier task has shown.
        It needs O(wait=true). O(method), O(whatsapp) and O(dest) have no effect then.
    type: bool
    default: true
  wait:
    description:
      - Whether to wait until the device is linked. If nobody links it within O(wait_timeout), the task fails.
      - The account's list is looked at every 5 seconds. With O(device_token) alone there is only the device's profile.
        Fonnte limits it, so it is looked at every 20 seconds.
      - A call that fails meanwhile is made again later, as long as there is time.
      - With O(method=code) a person must see the code before the wait is over. On the controller (C(hosts=localhost)) the code is printed
        as soon as it is there. A task on another machine prints nothing before its end. Use two tasks then,
        as in the examples. That also works everywhere else.
    type: bool
    default: false
  wait_timeout:
    description:
      - How long to wait, in seconds. A call that is under way is not cut off.
    type: float
    default: 300.0
  refresh:
    description:
      - After how many seconds of waiting a new QR code takes the place of the old one. Fonnte does not say how long one lives.
        People report 20 to 60 seconds.
      - A pairing code is never replaced while a task waits. Nobody would see the new one.
    type: float
    default: 20.0
  device_token:
    description:
      - The token of the device. With O(device) as well, both must be the same device.
      - Without O(account_token) the device's profile is read instead of the account's list.
      - If neither this nor O(device) is set, the value of the environment variable E(FONNTE_DEVICE_TOKEN) is used.
  record_max_age:
    description:
      - Accepted so that C(module_defaults) can hold it for all modules. It has no effect here.
      - A whole number and one of V(s), V(m), V(h), V(d) or V(w), such as V(30d).
notes:
  - A Fonnte account can have only one I(free) device linked at a time. If another one is, the task fails and names it.
  - Asking for a code changes no setting of the device, and the record is not written.
  - The QR code is never in a result, a diff or a log. A pairing code is in the result, since a person has to type it.
    It is good for a short time only. Say C(no_log=true) to keep it out of the output and use RV(code) in a later task.
  - In check mode nothing is fetched, and nobody is waited for.
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
    device: "081200001001"
    name: Toko Satu

- name: A QR code to scan, in a directory that only its owner can list
  fonnte.whatsapp.fonnte_device_qr:
    device: "081200001001"
    dest: ~/fonnte-qr/
  register: shown

- name: Say where it is
  ansible.builtin.debug:
    msg: "Scan {{ shown.dest }} with WhatsApp"
  when: not shown.connected

- name: A pairing code, for a phone with this number
  fonnte.whatsapp.fonnte_device_qr:
    device: "081200001001"
    method: code
    whatsapp: "6281200001001"
  register: paired

- name: Show it before anybody waits for it
  ansible.builtin.debug:
    msg: "Type {{ paired.code }} into WhatsApp on the phone: Linked devices, Link with phone number"
  when: not paired.connected

- name: Wait until the code is typed
  fonnte.whatsapp.fonnte_device_qr:
    device: "081200001001"
    fetch: false
    wait: true
  when: not paired.connected

- name: See that the device is linked, with a QR code if it is not
  fonnte.whatsapp.fonnte_device_qr:
    device: "081200001001"
    dest: ~/fonnte-qr/
    wait: true
    wait_timeout: 600
  register: linked
"""

RETURN = r"""
connected:
  description: Whether the device is linked to a phone now.
  returned: always, as far as known
  type: bool
  sample: false
device:
  description: The device's number, as it is registered.
  returned: always, as far as known
  type: str
  sample: "081200001001"
name:
  description: The device's name. V(null) is not known.
  returned: always, as far as known
  type: str
  sample: Toko Satu
method:
  description: The method, as declared.
  returned: always, as far as known
  type: str
  sample: qr
dest:
  description:
    - The PNG file of the QR code. In check mode, where it would be.
    - V(null) if there is none. That is with O(method=code) or O(fetch=false), for a device that was linked already,
      and after a wait that ended with the device linked.
  returned: always, as far as known
  type: str
  sample: /home/me/fonnte-qr/toko-satu.png
code:
  description:
    - The pairing code. It is good for a short time only. Fonnte does not say for how long.
    - V(null) if there is none, as in check mode.
  returned: always, as far as known
  type: str
  sample: 7XKD-M2QA
fetched_at:
  description: When the newest QR code or pairing code was fetched, in UTC. V(null) if none was.
  returned: always, as far as known
  type: str
  sample: "2026-11-22T09:30:00Z"
"""

from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules.ansible_adapter import run_module
from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules.device_qr import DEVICE_QR, run_device_qr


def main() -> None:
    """Run the module."""
    run_module(DEVICE_QR, run_device_qr)


if __name__ == "__main__":
    main()
