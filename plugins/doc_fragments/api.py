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
      - The token of the account (dashboard, menu I(Setting)), which lists and creates devices. If not set, E(FONNTE_ACCOUNT_TOKEN) is used.
        An empty environment variable counts as unset.
    type: str
  device_token:
    description:
      - The token of one device. Treat it as a password, because it can send messages.
      - Without O(account_token), only the device's profile is read, which does not contain O(ignore:autoread).
      - If neither this nor O(ignore:device) is set, E(FONNTE_DEVICE_TOKEN) is used.
    type: str
  api_endpoint:
    description:
      - The address of the service. Plain V(http://) is accepted only for V(localhost), V(127.0.0.0/8) and V(::1). If not set, E(FONNTE_API_ENDPOINT) is used.
    type: str
    default: https://api.fonnte.com
  api_timeout:
    description:
      - Seconds to wait for a connection and for each part of a response. A request with its retries takes at most ten times as long.
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
      - Whether to verify the service's certificate. With V(false), the token can be intercepted, and a warning is printed.
    type: bool
    default: true
  ca_path:
    description:
      - A file or directory of CA certificates (PEM), used instead of the ones of C(requests). If not set, E(FONNTE_CA_PATH) is used.
    type: path
  record_path:
    description:
      - The directory of the record of applied values, which Fonnte does not return. It is encrypted with the tokens, and only its owner can read its files.
        If not set, E(FONNTE_RECORD_PATH) is used. It has no effect with O(record_url).
    type: path
    default: ~/.ansible/fonnte
  record_url:
    description:
      - The URL of a PostgreSQL database for a record that control nodes share, such as V(postgresql://USER:PASSWORD@HOST/DATABASE?sslmode=verify-full).
        It stores keyed digests and encrypted strings. Percent-encode special characters.
        The variables of libpq, such as E(PGPASSWORD) and E(PGSSLROOTCERT), and its password file supply missing parts.
      - The task must run in Ansible's process on the control node. With another Python, C(become) or C(async), it fails before its first request.
        The URL is never sent to another host.
      - If not set, E(FONNTE_RECORD_URL) is used. The option cannot be combined with O(record_path).
    type: str
    version_added: 1.0.0
  record_max_age:
    description:
      - Apply a setting again if its recorded value is older. A number of seconds, or a number with V(s), V(m), V(h), V(d) or V(w), such as V(30d).
        By default, recorded values do not expire.
    type: str
  service_facts_path:
    description:
      - The file of facts about the service at O(api_endpoint), written by the playbook C(fonnte.whatsapp.doctor). It prevents needless warnings.
        Without it, nothing is assumed, and the modules are still correct. If not set, E(FONNTE_SERVICE_FACTS_PATH) is used.
    type: path
    version_added: 1.0.0
notes:
  - Redirects are never followed. Proxies are read only from the environment variables C(*_proxy). A C(.netrc) file and E(REQUESTS_CA_BUNDLE) are ignored.
"""
