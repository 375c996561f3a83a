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
  - Fetches a QR code, as a PNG file to scan, or a pairing code to type into the phone, to link the phone to a device of U(https://fonnte.com).
  - Can wait until the device is linked. A QR code that expires while the task waits is replaced.
  - A device that is already linked is not changed.
  - The playbook C(fonnte.whatsapp.link) guides you through linking one or several devices.
author:
  - The fonnte.whatsapp contributors (!UNKNOWN)
extends_documentation_fragment:
  - fonnte.whatsapp.api
  - fonnte.whatsapp.attributes
  - fonnte.whatsapp.device
attributes:
  diff_mode:
    description: Returns the changes, or the predicted ones in C(check_mode), in diff mode.
    support: full
    details:
      - Shows whether the device is linked, and the kind of code that was fetched. With O(wait=true), check mode predicts that a person links the device.
  idempotent:
    description: A second run with the same arguments, outside check mode, changes nothing.
    support: partial
    details:
      - A linked device is unchanged. While the device is not linked, each run fetches a new code, which counts as a change.
options:
  method:
    description:
      - V(qr) writes a QR code to O(dest). Scan it with WhatsApp on the phone, under I(Linked devices).
      - V(code) returns a pairing code as RV(code). Type it into WhatsApp on the phone O(whatsapp), under I(Linked devices), I(Link with phone number).
        It needs no graphical display, so it works over SSH.
    type: str
    choices: [qr, code]
    default: qr
  whatsapp:
    description:
      - The WhatsApp number of the phone, with its country code. Required with O(method=code). A leading V(0) means V(62).
        A number that begins with 8 needs its V(0), or a C(+) if its country code begins with 8.
      - The number of the phone can differ from the number of the device. The phone may show a request at once.
      - Quote it, because YAML reads an unquoted V(02155543210) as an octal number.
    type: raw
  dest:
    description:
      - The PNG file for the QR code, or a directory. In a directory, the file name is the device's number, such as V(081200001001.png).
        Required with O(method=qr).
      - Only its owner can read the file. B(Anyone who sees the picture can link their own phone), so do not store it where others can see it.
      - The file is written completely or not at all. An existing file that is not a PNG is not replaced.
      - It must not be inside an installed collection, and its path must not contain a symbolic link of another user.
      - The directory of a file must exist. In check mode, an earlier task may be the one that creates it, so a warning is printed instead of an error.
      - A path that ends with C(/) is a directory. If it does not exist, it is created with mode V(0700) before a QR code is fetched.
      - With O(wait=true), the file is removed when the device is linked. Otherwise it remains until you remove it or the next run replaces it.
    type: path
  fetch:
    description:
      - Whether to fetch a QR code or a pairing code. V(false) only waits, for a code that an earlier task has shown.
        It requires O(wait=true), and O(method), O(whatsapp) and O(dest) then have no effect.
    type: bool
    default: true
  wait:
    description:
      - Whether to wait until the device is linked. If it is not linked within O(wait_timeout), the task fails.
      - The account's devices are listed every 5 seconds.
        With only O(device_token), the device's profile is read every 20 seconds, because Fonnte limits these requests.
      - A request that fails during the wait is repeated later, while time is left.
      - With O(method=code), a person must see the code before the wait ends.
        On the control node (C(hosts=localhost)), the code is printed as soon as it is known. A task on another host prints nothing before it ends.
        Use two tasks there, as in the examples, which works everywhere.
    type: bool
    default: false
  wait_timeout:
    description:
      - The maximum time to wait, in seconds. A request in progress is not interrupted.
    type: float
    default: 300.0
  refresh:
    description:
      - The number of seconds after which a new QR code replaces the old one during a wait. Fonnte does not document the lifetime of a QR code.
        Users report 20 to 60 seconds.
      - A pairing code is never replaced during a wait, because nothing would show the new one.
    type: float
    default: 20.0
  device_token:
    description:
      - The token of the device. If O(device) is also set, both must identify the same device.
      - Without O(account_token), the device's profile is read instead of the account's device list.
      - If neither this nor O(device) is set, E(FONNTE_DEVICE_TOKEN) is used.
  record_max_age:
    description:
      - Accepted so that C(module_defaults) can set it for all modules. It has no effect here.
      - A number of seconds, or a number with V(s), V(m), V(h), V(d) or V(w), such as V(30d).
notes:
  - A Fonnte account can have only one linked I(free) device at a time. If another one is linked, the task fails and names it.
  - Requesting a code changes no setting of the device, and the record is not written.
  - The QR code is never in a result, a diff or a log. A pairing code is in the result, because a person must type it. It expires after a short time.
    Set C(no_log=true) to keep it out of the output, and use RV(code) in a later task.
  - In check mode, no code is fetched, and the task does not wait.
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
    device: "081200001001"
    name: Toko Satu

- name: Fetch a QR code to scan, into a directory that only its owner can list
  fonnte.whatsapp.fonnte_device_qr:
    device: "081200001001"
    dest: ~/fonnte-qr/
  register: shown

- name: Print the path of the QR code
  ansible.builtin.debug:
    msg: "Scan {{ shown.dest }} with WhatsApp"
  when: not shown.connected

- name: Fetch a pairing code for a phone with this number
  fonnte.whatsapp.fonnte_device_qr:
    device: "081200001001"
    method: code
    whatsapp: "6281200001001"
  register: paired

- name: Print the code before the wait
  ansible.builtin.debug:
    msg: "Type {{ paired.code }} into WhatsApp on the phone: Linked devices, Link with phone number"
  when: not paired.connected

- name: Wait until the device is linked
  fonnte.whatsapp.fonnte_device_qr:
    device: "081200001001"
    fetch: false
    wait: true
  when: not paired.connected

- name: Ensure that the device is linked, with a QR code if it is not
  fonnte.whatsapp.fonnte_device_qr:
    device: "081200001001"
    dest: ~/fonnte-qr/
    wait: true
    wait_timeout: 600
  register: linked
"""

RETURN = r"""
connected:
  description: Whether the device is linked to a phone after the run.
  returned: always, as far as known
  type: bool
  sample: false
device:
  description: The registered number of the device.
  returned: always, as far as known
  type: str
  sample: "081200001001"
name:
  description: The device's name. V(null) if it is unknown.
  returned: always, as far as known
  type: str
  sample: Toko Satu
method:
  description: The value of O(method).
  returned: always, as far as known
  type: str
  sample: qr
dest:
  description:
    - The PNG file of the QR code. In check mode, its predicted path.
    - V(null) with O(method=code) or O(fetch=false), if the device was already linked, and after a wait that ended with the device linked.
  returned: always, as far as known
  type: str
  sample: /home/me/fonnte-qr/toko-satu.png
code:
  description:
    - The pairing code. It expires after a short time, which Fonnte does not document.
    - V(null) if there is none, as in check mode.
  returned: always, as far as known
  type: str
  sample: 7XKD-M2QA
fetched_at:
  description: The time when the last QR code or pairing code was fetched, in UTC. V(null) if none was fetched.
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
