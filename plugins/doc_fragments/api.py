# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options that every module of the collection takes."""

from __future__ import annotations


class ModuleDocFragment:
    """How the service is reached, and where the record lies."""

    DOCUMENTATION = r"""
requirements:
  - Python 3.7 or newer where the module runs
  - requests >= 2.25, with urllib3 >= 1.26
  - cryptography >= 3.3, for the record
  - psycopg >= 3.1, for O(record_url)
options:
  account_token:
    description:
      - The account's token (dashboard, menu I(Setting)), which lists and creates devices. If not set, E(FONNTE_ACCOUNT_TOKEN) is used.
        An empty variable counts as unset.
    type: str
  device_token:
    description:
      - The token of one device. Treat it as a password, because it can send messages.
        If neither this nor O(ignore:device) is set, E(FONNTE_DEVICE_TOKEN) is used.
      - Without O(account_token), the device's profile is read, which does not contain O(ignore:autoread).
    type: str
  api_endpoint:
    description:
      - The URL of the service. Plain V(http://) is only for V(localhost), V(127.0.0.0/8) and V(::1). If not set, E(FONNTE_API_ENDPOINT) is used.
    type: str
    default: https://api.fonnte.com
  api_timeout:
    description:
      - Seconds to wait for a connection and for each part of a response. All attempts together take at most ten times as long.
        If not set, E(FONNTE_API_TIMEOUT) is used.
    type: float
    default: 30.0
  api_retries:
    description:
      - The maximum number of retries after a transient fault. A write is retried only if the service cannot have applied it.
        If not set, E(FONNTE_API_RETRIES) is used.
    type: int
    default: 4
  api_retry_max_delay:
    description:
      - The longest delay before a retry, in seconds. If the service requests more, the task fails at once. If not set, E(FONNTE_API_RETRY_MAX_DELAY) is used.
    type: float
    default: 20.0
  validate_certs:
    description:
      - Whether to verify the service's certificate. V(false) exposes the token to interception, and prints a warning.
    type: bool
    default: true
  ca_path:
    description:
      - CA certificates (a file or directory in PEM format) that replace those of C(requests). If not set, E(FONNTE_CA_PATH) is used.
    type: path
  record_path:
    description:
      - The directory of the record of applied values, encrypted with the tokens and readable only by its owner. If not set, E(FONNTE_RECORD_PATH) is used.
        It has no effect with O(record_url).
    type: path
    default: ~/.ansible/fonnte
  record_url:
    description:
      - The URL of a PostgreSQL database for a record that control nodes share, such as V(postgresql://USER:PASSWORD@HOST/DATABASE?sslmode=verify-full).
        It stores only keyed digests and encrypted strings. Percent-encode user name and password.
        The variables of libpq, such as E(PGPASSWORD) and E(PGSSLROOTCERT), and its password file supply missing parts.
      - The task must run in Ansible's process on the control node. With another Python, C(become) or C(async), it fails before its first request.
        The URL is never sent to another host.
      - If not set, E(FONNTE_RECORD_URL) is used. It cannot be combined with O(record_path).
    type: str
    version_added: 1.0.0
  record_max_age:
    description:
      - Apply a setting again if its recorded value is older than this, in seconds, or with a unit of V(s), V(m), V(h), V(d) or V(w), such as V(30d).
        By default, values do not expire.
    type: str
  service_facts_path:
    description:
      - The file of facts about the service, written by the playbook C(fonnte.whatsapp.doctor) for the same O(api_endpoint). It prevents needless warnings.
        The modules are correct without it. If not set, E(FONNTE_SERVICE_FACTS_PATH) is used.
    type: path
    version_added: 1.0.0
notes:
  - Redirects are never followed. Proxies are read only from the environment variables C(*_proxy). A C(.netrc) file and E(REQUESTS_CA_BUNDLE) are ignored.
"""
