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
  - Sends a text, an attachment, a location or a poll to one or many targets, now or at a given time.
  - A request is sent at most once. If the response is lost, the task fails and reports that it is unknown whether the message is queued.
    The module does not send it again. Check the dashboard before you do.
  - Every error in the options is found before any request. Check mode finds the same errors and sends nothing.
  - A queued message is not yet delivered. Fonnte reports the delivery to the device's O(fonnte.whatsapp.fonnte_device#module:webhook_status).
    With O(wait), the task waits until Fonnte reports it.
author:
  - The fonnte.whatsapp contributors (!UNKNOWN)
extends_documentation_fragment:
  - fonnte.whatsapp.api
  - fonnte.whatsapp.attributes
  - fonnte.whatsapp.attributes.sends
options:
  device:
    description:
      - The number of the sending device, in any spelling. Quote it.
      - If O(device_token) is also set, both must identify the same device. This is verified before the message is sent.
    type: raw
    aliases: [number]
  device_token:
    description:
      - The token of the sending device. If it is the only one set, the module reads nothing, and sends the message in one request.
        In check mode, it reads the device's profile.
      - If neither this nor O(device) is set, E(FONNTE_DEVICE_TOKEN) is used.
  target:
    description:
      - The recipients. Each item is a number in any spelling, the ID of a group such as V(1234567890@g.us), or a rotator such as V(rotator#1).
      - V(group:NAME) is the group with this name in the list that Fonnte stores. Everything after the colon is the name. Nothing is sent if no group or
        more than one has this name. M(fonnte.whatsapp.fonnte_group_info) lists the groups. Write a list if a name has a comma.
      - To replace C({name}), C({var1}), C({var2}) in O(msg), write V(081200002001|Toko Satu|Friday), or a dictionary with C(to), C(name) and the list
        C(variables).
      - All targets are in one request. If Fonnte refuses one of them, it refuses all.
      - A number that occurs twice with the same values gets one message, with a warning. Quote numbers.
      - A number that begins with C(00) or with C(620), which Fonnte would not understand, is sent in its international form.
      - A number such as V(81200002001) is refused if O(country_code) is V(62) or not set, because it may be V(081200002001) without its leading zero, or a
        number of another country. Write the zero, or a C(+) if its country code begins with 8.
    type: list
    elements: raw
    required: true
    aliases: [targets]
  msg:
    description:
      - The text, 60,000 characters at most.
      - The option can also be written as C(message), the name in Fonnte's API.
    type: str
  url:
    description:
      - The URL of an attachment that Fonnte downloads. Attachments require a device with the package Super, Advanced or Ultra.
      - Set O(msg) as well. Without a text, Fonnte may refuse the message, so the module warns.
    type: str
  file:
    description:
      - An attachment to upload, 10 MB at most. The path is on the host where the task runs.
    type: path
  filename:
    description:
      - The displayed name of the attachment. By default, an uploaded file keeps its name.
    type: str
  schedule:
    description:
      - When to send, as a time with its offset such as V('2027-01-31T08:00:00+07:00'), or as a Unix timestamp in seconds. A past time is refused.
      - Quote a time, or YAML converts it.
    type: raw
  delay:
    description:
      - The seconds to wait between targets, such as V(2), or a range to choose from, such as V(1-10).
      - It has no effect with one target, which the module warns of.
    type: str
  country_code:
    description:
      - The country code that replaces the first C(0) of a number. If not set, Fonnte uses V(62). V(0) does not change numbers.
    type: str
  location:
    description:
      - A location, as latitude and longitude, such as V(-6.1754,106.8272).
    type: str
  typing:
    description:
      - Whether the target sees a typing indicator. If not set, Fonnte uses V(false).
    type: bool
  duration:
    description:
      - The number of seconds to show the typing indicator.
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
          - Two to twelve answers, without commas.
          - Quote C(yes), C(no) and times. YAML reads an unquoted C(yes) as a boolean, which is refused, and an unquoted C(10:30) as the number 630.
        type: list
        elements: raw
        required: true
      select:
        description:
          - Whether one answer can be chosen or several.
        type: str
        choices: [single, multiple]
        default: single
  connect_only:
    description:
      - Whether to send only if the device is linked, and refuse otherwise. If not set, Fonnte uses V(true).
    type: bool
  follow_up:
    description:
      - The seconds that Fonnte waits before it sends.
    type: int
  sequence:
    description:
      - Whether the targets get their messages one after another. If not set, Fonnte uses V(false).
      - With V(true), Fonnte ignores O(delay), O(schedule) and O(follow_up), which the module warns of.
    type: bool
  preview:
    description:
      - Whether to show a preview of a link in O(msg). If not set, Fonnte uses V(true).
    type: bool
  inbox_id:
    description:
      - The ID of the message to answer, from the webhook of an incoming chat.
    type: int
  method:
    description:
      - The HTTP method. V(get) is a last resort for networks in which V(post) does not work.
      - With V(get), the token and the message are part of the URL.
        This collection keeps that URL out of all output and logs, but proxies and the service may log it.
        It does not support O(file), and supports no more than 7,500 characters in total.
    type: str
    choices: [post, get]
    default: post
  wait:
    description:
      - When the task ends. V(queued) is when Fonnte has accepted the message, V(sent) when Fonnte reports it as sent, and V(delivered) when Fonnte
        reports it as delivered or read. Each target must reach the state.
      - The states are read with Fonnte's request C(/status), one request for each message, after 2, 6, 14 and 30 seconds, then every 30 seconds.
        Fonnte has deprecated this request. If it does not exist any more, the task fails, and reports that the message is queued.
      - If a message has not reached the state after O(wait_timeout), or is reported as C(expired), C(failed), C(invalid) or C(url unreachable), the task
        fails with RV(queued=true), the IDs and the last states. A second run sends the message again.
      - Not possible with O(schedule).
    type: str
    choices: [queued, sent, delivered]
    default: queued
    version_added: 1.1.0
  wait_timeout:
    description:
      - The maximum number of seconds to wait, from 1 to 86400. A request that is in progress then may take up to 10 times O(api_timeout) longer.
    type: float
    default: 300
    version_added: 1.1.0
  record_path:
    description:
      - The directory of the record. It is read only to verify that O(device) and O(device_token) identify the same device.
      - If not set, E(FONNTE_RECORD_PATH) is used.
  record_max_age:
    description:
      - Accepted so that C(module_defaults) can set it for all modules. It has no effect here.
      - A number of seconds, or a number with V(s), V(m), V(h), V(d) or V(w), such as V(30d).
notes:
  - Fonnte's parameter C(data), for several messages in one request, is not used. Use a C(loop), so that each message has its own result.
    All messages of a loop share one connection. Each item lists the account's devices again, because a device may have a new number.
  - Fonnte's parameter C(redirect) is for browsers, and is not supported.
seealso:
  - module: fonnte.whatsapp.fonnte_device
  - module: fonnte.whatsapp.fonnte_device_info
  - module: fonnte.whatsapp.fonnte_group_info
  - module: fonnte.whatsapp.fonnte_number_info
  - module: fonnte.whatsapp.fonnte_link_changes
  - plugin: fonnte.whatsapp.notify
    plugin_type: callback
  - name: The API of Fonnte
    description: The vendor's documentation.
    link: https://docs.fonnte.com
"""

EXAMPLES = r"""
# The account's token is in the environment variable FONNTE_ACCOUNT_TOKEN.

- name: Notify a colleague about a completed backup
  fonnte.whatsapp.fonnte_message:
    device: "081200001001"
    target: "081200002001"
    msg: The backup of tonight is done.

- name: Send a different text to each target
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

- name: Report to a group by its name
  fonnte.whatsapp.fonnte_message:
    device: "081200001001"
    target: ["group:Tim Gudang"]
    msg: The backup of tonight is done.

- name: Upload and send an invoice
  fonnte.whatsapp.fonnte_message:
    device: "081200001001"
    target: "081200002001"
    msg: Your invoice.
    file: files/invoice.pdf
    filename: invoice-2026-11.pdf

- name: Send a poll at eight in the morning, Jakarta time
  fonnte.whatsapp.fonnte_message:
    device: "081200001001"
    target: "081200002001"
    schedule: "2030-01-31T08:00:00+07:00"
    poll:
      name: When shall we meet?
      choices: [Monday, Tuesday, Friday]
      select: multiple

- name: Wait until a message is delivered
  fonnte.whatsapp.fonnte_message:
    device: "081200001001"
    target: "081200002001"
    msg: The server room is too hot.
    wait: delivered
    wait_timeout: 120

- name: Check that a message can be sent, without sending it
  fonnte.whatsapp.fonnte_message:
    device: "081200001001"
    target: "081200002001"
    msg: Hello
  check_mode: true
"""

RETURN = r"""
queued:
  description:
    - Whether Fonnte accepted the request. V(false) in check mode, and after a failure that certainly sent nothing.
    - V(null) if it is unknown, because the response was lost. V(true) in a failure means that only the wait for the delivery failed.
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
      description: The ID with which Fonnte reports the delivery. V(null) if the message is not queued.
      type: str
      sample: "80367170"
    target:
      description: The recipient, as Fonnte dials it.
      type: str
      sample: "6281200002001"
process:
  description: Fonnte's name for the current step. V(null) if the message is not queued.
  returned: always, unless an option is wrong
  type: str
  sample: pending
request_id:
  description: Fonnte's number of the request. V(null) if the message is not queued.
  returned: always, unless an option is wrong
  type: int
  sample: 2937124
states:
  description:
    - The last state of each message by its ID, as Fonnte writes it. V(null) if no state was read.
    - Empty in check mode, and if the message is not queued.
  returned: if O(wait) is not V(queued), unless an option is wrong
  type: dict
  sample:
    "80367170": delivered
  version_added: 1.1.0
scheduled:
  description: The time to send, in UTC. V(null) for now.
  returned: always, unless an option is wrong
  type: str
  sample: "2030-01-31T01:00:00Z"
device:
  description: The registered number of the sending device. V(null) if only its token is known.
  returned: always, unless an option is wrong
  type: str
  sample: "081200001001"
"""

from ansible_collections.fonnte.whatsapp.plugins.module_utils._messages.options import MESSAGE
from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules.ansible_adapter import run_module
from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules.message import run_message


def main() -> None:
    """Run the module."""
    run_module(MESSAGE, run_message)


if __name__ == "__main__":
    main()
