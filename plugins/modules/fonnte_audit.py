#!/usr/bin/python
# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: fonnte_audit
short_description: Compare WhatsApp devices of the Fonnte gateway with a declaration, and write a report
version_added: 1.0.0
description:
  - Compares the devices of an account with their declaration, and writes an HTML page, a JSON file, a CSV table and a short summary.
  - Neither the service nor the record is ever changed. The account's devices are listed once.
  - With O(check_receivers), one request is sent to each declared webhook. Otherwise, no host except the service gets a request.
  - Each finding states the source and the time of the known value. A different value and an unknown value are different findings.
  - A report contains no token and no secret part of a webhook. It contains the names of devices and clients.
author:
  - The fonnte.whatsapp contributors (!UNKNOWN)
extends_documentation_fragment:
  - fonnte.whatsapp.api
  - fonnte.whatsapp.attributes
  - fonnte.whatsapp.attributes.reports
  - fonnte.whatsapp.evidence
  - fonnte.whatsapp.members
options:
  device_token:
    description:
      - Accepted so that C(module_defaults) can set it for all modules. It has no effect here. Each entry of O(devices) has its own option.
    type: str
  devices:
    description:
      - The declared devices, in the format of the module P(fonnte.whatsapp.fonnte_fleet#module).
        A setting that is omitted here and in O(defaults) is not compared.
      - With an empty list, the report covers the account without a declaration. Every device is then undeclared.
  handle_write_only:
    description:
      - Fonnte never returns the webhooks and most other settings. With V(stamped), the stamp of a device counts as evidence.
        With all other values, the record does.
        All values of the module P(fonnte.whatsapp.fonnte_fleet#module) are accepted, so that the same declaration can be audited.
  handle_undeclared:
    description:
      - Accepted so that the same declaration can be audited. It has no effect here.
  handle_unknown:
    description:
      - Accepted so that the same declaration can be audited. It has no effect here.
  owners:
    description:
      - The owner of each number, such as the name of a client. A report can be searched and sorted by owner. Quote the numbers.
    type: dict
  expires_within:
    description:
      - Report a package that ends within this number of days. With V(0), only a package that has ended is reported.
    type: int
    default: 14
  quota_below:
    description:
      - Report a device that has fewer messages left than this. With V(0), none is reported.
    type: int
    default: 100
  free_device_limit:
    description:
      - The number of free devices that an account may have. It is a finding if all of them are used, or would be used after the missing devices are created.
    type: int
    default: 10
  last_events:
    description:
      - The file that the option C(last_events_file) of the event source names. It contains the time of the last event of each kind for each number.
        A received event is the only evidence for a webhook that Fonnte gives.
      - If not set, or empty, nothing is reported about events.
    type: path
  no_events_for:
    description:
      - Report a linked device that is declared with a O(devices[].webhook), and that has received no message for this number of days.
        O(last_events) has the times.
    type: int
    default: 7
  only:
    description:
      - Select devices of the declaration in O(files), O(hosts) or O(clients) by client, by file (without C(.yml)), or by number.
        A list, or a string with commas. Then O(unlisted) is V(ignore).
    type: raw
  unlisted:
    description: Whether to report devices of the account that are not declared.
    type: str
    choices: [report, ignore]
    default: report
  fail_on:
    description:
      - Fail after the report is written if there is a finding of one of these kinds.
      - V(drift), Fonnte returned a different value, or the stamp proves one. V(drift_recorded), a different value was last applied according to the record.
        V(missing), a declared device does not exist. V(disconnected), a device that may be linked has no phone.
        V(package_ended), V(package_ends) and V(quota_low), see O(expires_within) and O(quota_below).
        V(receiver_failed), a webhook does not accept events, see O(check_receivers).
        V(delivery_risk), events may not arrive with the declared settings, about which the other modules warn.
        V(unlisted), the account has a device that is not declared. V(free_slots), see O(free_device_limit).
        V(no_events), see O(no_events_for).
        V(no_longer_declared), a setting is still set, and its line was removed from the declaration.
        V(unknown), it is not known whether a setting matches its declaration. V(not_checked), a device could not be looked up or compared.
    type: list
    elements: str
    choices:
      - drift
      - drift_recorded
      - missing
      - disconnected
      - package_ended
      - receiver_failed
      - delivery_risk
      - unlisted
      - no_longer_declared
      - package_ends
      - quota_low
      - free_slots
      - no_events
      - unknown
      - not_checked
    default: []
  concurrency:
    description:
      - The number of simultaneous requests. It applies without O(account_token), when each device is requested separately, and to O(check_receivers).
    type: int
    default: 4
  check_receivers:
    description:
      - Whether to send a test request to each declared webhook, and to report those that do not respond with HTTP 200.
      - The request is one POST per URL, like the one that Fonnte may send when a webhook is saved. It contains no token and no number.
        It is neither repeated nor redirected, uses no proxy, and ends after 10 seconds.
      - The receiver is reached from this control node. That Fonnte reaches it too is likely, but not proven.
      - Certificates are always verified, with the public authorities. O(validate_certs) and O(ca_path) have no effect on it.
      - In check mode, no request is sent.
    type: bool
    default: false
    version_added: 1.0.0
  allow_private:
    description:
      - Whether O(check_receivers) may send requests to this machine and to private networks.
        Set it only if all people who can change the declaration may do that.
      - Link-local addresses, with the metadata services of clouds, and other reserved addresses never get a request.
    type: bool
    default: false
    version_added: 1.0.0
  title:
    description:
      - The title of the report, such as the name of the account.
    type: str
  contact:
    description:
      - The person to contact about playbooks and declarations, such as a name and a number. The page shows it for readers who do not use playbooks.
    type: str
  style:
    description:
      - CSS for the page, after its own style. The colors, the font and the width are CSS variables.
    type: str
  language:
    description:
      - The language of the report. V(id) is Bahasa Indonesia.
    type: str
    choices: [en, id]
    default: en
  dest:
    description:
      - The directory for the report, which is created if it does not exist. If not set, no file is written, and only the result contains the report.
      - Each file is written completely or not at all. The user and the group can read it.
      - It must not be inside an installed collection, and its path must not contain a symbolic link of another user.
    type: path
  prom:
    description:
      - A file for metrics in the text format of Prometheus, in the directory of the textfile collector of the node exporter. Its name must end with C(.prom).
        If not set, none is written. It does not depend on O(dest).
      - The file is written completely or not at all, and every user can read it. Its directory must exist.
      - With several accounts, each has a file, with a hyphen and the name of the account before C(.prom).
    type: path
    version_added: 1.0.0
  html:
    description:
      - The name of the HTML page, a single file without external resources. An empty string writes none.
    type: str
    default: audit.html
  json:
    description:
      - The name of the JSON file. Its schema is in docs/audit.schema.json. An empty string writes none.
    type: str
    default: audit.json
  csv:
    description:
      - The name of the CSV table. Cells that a spreadsheet would run as a formula begin with an apostrophe. An empty string writes none.
    type: str
    default: audit.csv
  txt:
    description:
      - The name of the file with the summary. An empty string writes none.
    type: str
    default: audit.txt
  separator:
    description:
      - The separator of the CSV table. Many spreadsheets expect a semicolon where the comma is the decimal separator, as in Indonesia.
    type: str
    choices: [comma, semicolon]
    default: comma
seealso:
  - module: fonnte.whatsapp.fonnte_fleet
  - module: fonnte.whatsapp.fonnte_device_info
"""

EXAMPLES = r"""
# The account's token is in the environment variable FONNTE_ACCOUNT_TOKEN.

- name: Compare the account with the declaration
  fonnte.whatsapp.fonnte_audit:
    defaults:
      autoread: true
      personal: true
    devices:
      - device: "081200004001"
        name: Toko Satu
        webhook: https://hooks.example.com/toko-satu
      - device: "081200004002"
        name: Toko Dua
    owners:
      "081200004001": PT Satu
    dest: report
  register: audit

- name: Print the summary
  ansible.builtin.debug:
    msg: "{{ audit.text.splitlines() }}"

- name: Send a test request to the webhooks, and list those that do not accept events
  fonnte.whatsapp.fonnte_audit:
    devices:
      - device: "081200004001"
        name: Toko Satu
        autoread: true
        personal: true
        webhook: https://hooks.example.com/toko-satu
    check_receivers: true

- name: Fail if a device was changed, and write only a page in Bahasa Indonesia
  fonnte.whatsapp.fonnte_audit:
    devices:
      - device: "081200004001"
        name: Toko Satu
        autoread: true
    fail_on: [drift, package_ended]
    language: id
    title: Toko Bersama
    contact: admin@example.com
    style: ":root{--accent:#0b6e4f}"
    dest: report
    html: laporan.html
    json: ""
    csv: ""
    txt: ""
"""

RETURN = r"""
failures:
  description: A sentence for each account whose audit failed, and for each problem of the declaration.
  returned: with O(files), O(hosts) or O(clients)
  type: list
  elements: str
findings:
  description: The findings about the account, then about the declared devices in their order, then about the undeclared devices.
  returned: always, as far as known
  type: list
  elements: dict
  contains:
    device:
      description: The number. V(null) for a finding about the account.
      type: str
      sample: "081200004001"
    kind:
      description: The kind, one of the choices of O(fail_on).
      type: str
      sample: drift
    level:
      description: Whether a person must act, V(action), should take note, V(notice), or whether a value is unknown, V(unknown).
      type: str
      sample: action
    field:
      description: The setting, or V(connected) or V(device). V(null) if the finding is about none.
      type: str
      sample: name
    declared:
      description: The declared value. A URL is masked.
      type: raw
      sample: Toko Satu
    found:
      description: The value that was found. V(null) if it is unknown.
      type: raw
      sample: Toko 1
    source:
      description: The source of the value, as in RV(fonnte.whatsapp.fonnte_device#module:evidence).
      type: str
      sample: service
    at:
      description: The time of the evidence.
      type: str
      sample: "2026-11-22T20:59:12Z"
    by:
      description: The user who attested the value.
      type: str
    reason:
      description:
        - The reason for the finding, as in RV(fonnte.whatsapp.fonnte_device#module:reasons).
          The cause of a V(delivery_risk), one of V(incoming_off), V(local_host), V(shared_url), V(plain_http).
          The outcome of a V(receiver_failed), as in RV(receivers).
      type: str
      sample: differs
    text:
      description: The finding as a sentence.
      type: str
      sample: Name is "Toko 1", but "Toko Satu" is declared.
    evidence:
      description: The source and the time, as a phrase.
      type: str
      sample: Read from Fonnte, 2026-11-22 20:59 UTC
summary:
  description: The counts.
  returned: always, as far as known
  type: dict
  contains:
    devices:
      description: All devices in the report, declared and undeclared.
      type: int
    declared:
      description: Declared devices.
      type: int
    listed:
      description: Devices in the account's device list. V(null) if the list was not read.
      type: int
    linked:
      description: Devices that are linked to a phone.
      type: int
    free_devices:
      description: Free devices of the account. V(null) if the list was not read.
      type: int
    free_device_limit:
      description: The limit for free devices.
      type: int
    action:
      description: Devices that need action.
      type: int
    notice:
      description: Devices with a notice, and without a needed action.
      type: int
    unknown:
      description: Devices with an unknown value, and without other findings.
      type: int
    fine:
      description: Devices without a finding.
      type: int
    kinds:
      description: The number of findings of each kind.
      type: dict
receivers:
  description: The checked receivers. V(null) if O(check_receivers) is not set, and in check mode.
  returned: always, as far as known
  type: list
  elements: dict
  version_added: 1.0.0
  contains:
    url:
      description: The URL, masked.
      type: str
      sample: "https://hooks.example.com/…#1a2b3c"
    outcome:
      description:
        - V(ok), HTTP 200. V(status), another HTTP status. V(redirect), a redirect, which was not followed. V(tls), no valid certificate.
          V(slow), no response in time. V(unreachable), no connection or no HTTP response.
          V(refused), no request was sent, since the address is private or reserved.
      type: str
      sample: ok
    status:
      description: The HTTP status. V(null) without a response.
      type: int
      sample: 200
    devices:
      description: The numbers of the devices that declare the URL.
      type: list
      elements: str
text:
  description: The summary.
  returned: always, as far as known
  type: str
files:
  description: The files that were written, by O(html), O(json), O(csv), O(txt) and O(prom).
  returned: always, as far as known
  type: dict
  sample: {"html": "/srv/report/audit.html"}
"""

from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules.ansible_adapter import run_module
from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules.audit import AUDIT, run_audit


def main() -> None:
    """Run the module."""
    run_module(AUDIT, run_audit)


if __name__ == "__main__":
    main()
