#!/usr/bin/python
# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: fonnte_message
short_description: Send WhatsApp messages from a device of a Fonnte account
version_added: 1.0.0
description:
  - Sends a text, an attachment, a place or a poll to one or many targets, now or at a given time.
  - A request is sent at most once. If the reply is lost, the task fails and says that nobody knows whether the message is queued.
    It is not sent again, and neither should you before you have looked.
  - All that can be wrong with a message is found before any call. Check mode finds the same, and sends nothing.
  - Queued is not delivered. Fonnte reports the delivery at the device's O(fonnte.whatsapp.fonnte_device#module:webhook_status).
author:
  - The fonnte.whatsapp contributors (!UNKNOWN)
extends_documentation_fragment:
  - fonnte.whatsapp.api
  - fonnte.whatsapp.attributes
  - fonnte.whatsapp.attributes.sends
options:
  device:
    description:
      - The number of the device that sends. Spelling does not matter. Quote it.
      - With O(device_token) as well, both must be the same device. That is proved before anything is sent.
    type: raw
    aliases: [number]
  device_token:
    description:
      - The token of the device that sends. With it alone nothing is read, and the message is sent in one call.
        In check mode the device's profile is read.
      - If neither this nor O(device) is set, the value of the environment variable E(FONNTE_DEVICE_TOKEN) is used.
        With O(device) the variable is not looked at.
  target:
    description:
      - Who gets the message. Each item is a number in any spelling, the id of a group such as V(1234567890@g.us), or a rotator such as V(rotator#1).
      - To fill C({name}), C({var1}), C({var2}) in O(msg), write V(081200002001|Toko Satu|Friday),
        or a dictionary with C(to), C(name) and the list C(variables).
      - All targets go out in one request. If Fonnte refuses one of them, it refuses all.
      - A number that is named twice with the same words gets one message, with a warning. Quote numbers.
      - A number that begins with C(00) or with C(620), which Fonnte would not understand, is sent as it is dialled from abroad.
      - A number such as V(81200002001) is refused where O(country_code) is V(62) or left out. It may be V(081200002001) without its leading zero,
        or a number of another country. Write the zero, or a C(+) if the code of its country begins with 8.
    type: list
    elements: raw
    required: true
    aliases: [targets]
  msg:
    description:
      - The text, 60,000 characters at most.
      - It may be called C(message) as well, as Fonnte does.
    type: str
  url:
    description:
      - The address of an attachment that Fonnte downloads. Attachments take a device with the package Super, Advanced or Ultra.
    type: str
  file:
    description:
      - An attachment to upload, 10 MB at most. The path is on the machine where the task runs.
    type: path
  filename:
    description:
      - The name under which the attachment is shown. Without it an uploaded file keeps its own.
    type: str
  schedule:
    description:
      - When to send, as a time with its offset such as V('2027-01-31T08:00:00+07:00'), or as unix seconds. A time in the past is refused.
      - Quote a time, or YAML reads it in its own way.
    type: raw
  delay:
    description:
      - Seconds to wait between targets, such as V(2), or a range to choose from, such as V(1-10).
    type: str
  country_code:
    description:
      - The country code that replaces the first C(0) of a number. Fonnte takes V(62) if this is left out. V(0) leaves numbers as they are.
    type: str
  location:
    description:
      - A place, as latitude and longitude such as V(-6.1754,106.8272).
    type: str
  typing:
    description:
      - Whether the target sees that somebody is typing. Fonnte takes V(false) if this is left out.
    type: bool
  duration:
    description:
      - For how many seconds to show that somebody is typing.
    type: int
  poll:
    description:
      - A poll.
    type: dict
    suboptions:
      name:
        description:
          - The question.
        type: str
        required: true
      choices:
        description:
          - Two to twelve answers. None may have a comma.
          - Quote C(yes), C(no) and times. YAML takes C(yes) for a truth, which is refused, and an unquoted C(10:30) for the number 630.
        type: list
        elements: raw
        required: true
      select:
        description:
          - Whether one answer may be chosen or several.
        type: str
        choices: [single, multiple]
        default: single
  connect_only:
    description:
      - Whether to send only if the device is linked. Fonnte takes V(true) if this is left out, and refuses otherwise.
    type: bool
  follow_up:
    description:
      - Seconds that Fonnte waits before it sends.
    type: int
  sequence:
    description:
      - Whether the targets get their messages one after another. Fonnte takes V(false) if this is left out.
    type: bool
  preview:
    description:
      - Whether a link in O(msg) is shown with a preview. Fonnte takes V(true) if this is left out.
    type: bool
  inbox_id:
    description:
      - The id of a message to answer. It comes with the webhook of an incoming chat.
    type: int
  method:
    description:
      - How the request is made. V(get) is a last resort for networks in which V(post) does not work.
      - With V(get) the token and the message are part of the URL. This collection keeps that URL out of all output and logs,
        but proxies on the way and the service may log it. It takes no O(file), and no more than 7,500 characters in all.
    type: str
    choices: [post, get]
    default: post
  record_path:
    description:
      - The directory of the record. It is looked at only to prove that O(device) and O(device_token) are one device.
      - If not set, the value of the environment variable E(FONNTE_RECORD_PATH) is used.
  record_max_age:
    description:
      - Accepted so that C(module_defaults) can hold it for all modules. It has no effect here.
      - A whole number and one of V(s), V(m), V(h), V(d) or V(w), such as V(30d).
notes:
  - Fonnte's own C(data), several requests in one, is not used. Write a C(loop), so that each message has a result of its own.
    In a loop all messages share one connection. Each lists the account's devices for itself, since a device may have got another number.
  - Fonnte's own C(redirect) is for browsers.
seealso:
  - module: fonnte.whatsapp.fonnte_device
  - module: fonnte.whatsapp.fonnte_device_info
  - name: The API of Fonnte
    description: The vendor's documentation.
    link: https://docs.fonnte.com
"""

EXAMPLES = r"""
# The account's token is in the environment variable FONNTE_ACCOUNT_TOKEN.

- name: Tell somebody that the backup is done
  fonnte.whatsapp.fonnte_message:
    device: "081200001001"
    target: "081200002001"
    msg: The backup of tonight is done.

- name: A text of its own for each
  fonnte.whatsapp.fonnte_message:
    device: "081200001001"
    target:
      - to: "081200002001"
        name: Toko Satu
        variables: [Friday, "10:00"]
      - to: "+62 812-0000-2002"
        name: Toko Dua
        variables: [Monday, "14:30"]
    msg: "Hello {name}, your appointment is on {var1} at {var2}."
    delay: 2-5

- name: An invoice, uploaded
  fonnte.whatsapp.fonnte_message:
    device: "081200001001"
    target: "081200002001"
    msg: Your invoice.
    file: files/invoice.pdf
    filename: invoice-2026-11.pdf

- name: A poll at eight in the morning, Jakarta time
  fonnte.whatsapp.fonnte_message:
    device: "081200001001"
    target: "081200002001"
    schedule: "2030-01-31T08:00:00+07:00"
    poll:
      name: When shall we meet?
      choices: [Monday, Tuesday, Friday]
      select: multiple

- name: See that a message could be sent, and send nothing
  fonnte.whatsapp.fonnte_message:
    device: "081200001001"
    target: "081200002001"
    msg: Hello
  check_mode: true
"""

RETURN = r"""
queued:
  description:
    - Whether Fonnte has taken the request. V(false) in check mode, and after a failure that is known to have sent nothing.
    - V(null) where nobody knows, since the reply was lost.
  returned: always, unless an option is wrong
  type: bool
  sample: true
messages:
  description: A message for each target, in the order of the targets.
  returned: always, unless an option is wrong
  type: list
  elements: dict
  contains:
    id:
      description: The id by which Fonnte reports the delivery. V(null) where it is not queued.
      type: str
      sample: "80367170"
    target:
      description: The receiver, as Fonnte dials it.
      type: str
      sample: "6281200002001"
process:
  description: Fonnte's own word for what it does now. V(null) where it is not queued.
  returned: always, unless an option is wrong
  type: str
  sample: pending
request_id:
  description: Fonnte's number for the request. V(null) where it is not queued.
  returned: always, unless an option is wrong
  type: int
  sample: 2937124
scheduled:
  description: When it is to be sent, in UTC. V(null) for now.
  returned: always, unless an option is wrong
  type: str
  sample: "2030-01-31T01:00:00Z"
device:
  description: The registered number of the device that sends. V(null) where only its token is known.
  returned: always, unless an option is wrong
  type: str
  sample: "081200001001"
"""

from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules.ansible_adapter import run_module
from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules.message import MESSAGE, run_message


def main() -> None:
    """Run the module."""
    run_module(MESSAGE, run_message)


if __name__ == "__main__":
    main()
