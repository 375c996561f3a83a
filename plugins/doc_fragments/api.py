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
  - psycopg >= 3.1, for a record in a database (O(record_url))
options:
  account_token:
    description:
      - The token of the account, from the dashboard's I(Setting) menu. It lists and creates devices.
      - If not set, the value of the environment variable E(FONNTE_ACCOUNT_TOKEN) is used. An empty variable counts as unset.
    type: str
  device_token:
    description:
      - The token of one device. It is as good as the phone itself for sending messages. Treat it as a password.
      - Without O(account_token) the device's profile is read instead of the account's list. The profile does not show O(ignore:autoread).
      - If neither this nor O(ignore:device) is set, the value of the environment variable E(FONNTE_DEVICE_TOKEN) is used.
        With O(ignore:device) the variable is not looked at. A loop over numbers would otherwise write to one device each time.
    type: str
  api_endpoint:
    description:
      - The address of the service. Plain V(http://) is accepted for this machine only (V(localhost), V(127.0.0.0/8), V(::1)).
      - If not set, the value of the environment variable E(FONNTE_API_ENDPOINT) is used.
    type: str
    default: https://api.fonnte.com
  api_timeout:
    description:
      - Seconds to wait for a connection, and for each part of a reply. A whole call, with all its tries, ends after ten times that.
      - If not set, the value of the environment variable E(FONNTE_API_TIMEOUT) is used.
    type: float
    default: 30.0
  api_retries:
    description:
      - How often a call is tried again. Calls that read are repeated after any passing fault.
        Calls that write are repeated only where the service cannot have carried them out.
      - If not set, the value of the environment variable E(FONNTE_API_RETRIES) is used.
    type: int
    default: 4
  api_retry_max_delay:
    description:
      - The longest pause between two tries, in seconds. If the service asks for more, the task fails at once and says how much.
      - If not set, the value of the environment variable E(FONNTE_API_RETRY_MAX_DELAY) is used.
    type: float
    default: 20.0
  validate_certs:
    description:
      - Whether the service's certificate is checked. V(false) gives a warning, since anybody on the way can then read the token.
    type: bool
    default: true
  ca_path:
    description:
      - A file or directory of CA certificates in PEM format to use instead of those that come with C(requests).
      - If not set, the value of the environment variable E(FONNTE_CA_PATH) is used.
    type: path
  record_path:
    description:
      - The directory of the record. The record remembers what was last applied, since the service does not show it.
        It is encrypted with the tokens, and its files can be read by their owner only.
      - If not set, the value of the environment variable E(FONNTE_RECORD_PATH) is used.
      - It has no effect where O(record_url) is set.
    type: path
    default: ~/.ansible/fonnte
  record_url:
    description:
      - The URL of a PostgreSQL database that contains the record, for all control nodes that share it,
        such as V(postgresql://USER:PASSWORD@HOST/DATABASE?sslmode=verify-full). The database sees keyed digests and encrypted strings.
      - Special characters of user name and password must be percent-encoded. The variables E(PGPASSWORD), E(PGSSLROOTCERT) and the others of
        libpq, and a password file, apply to the parts that the URL does not contain.
      - It takes precedence over the default and the environment variable of O(record_path). Both options in one task are an error.
      - The task must run on the control node, in Ansible's own process. With another Python, C(become) or C(async), it fails before its first request.
        The URL is never sent to another host.
      - If not set, the value of the environment variable E(FONNTE_RECORD_URL) is used.
    type: str
    version_added: 1.0.0
  record_max_age:
    description:
      - A record that is older no longer counts, and the setting is applied again.
        A whole number and one of V(s), V(m), V(h), V(d) or V(w), such as V(30d). A number alone is seconds.
      - By default a record counts for ever.
    type: str
  service_facts_path:
    description:
      - The file in which the playbook C(fonnte.whatsapp.doctor) wrote down what it found out about the service.
        With it a module does not warn of what cannot happen.
      - Without it nothing is taken for granted. The modules are right whichever way the service is.
      - The file must be about the service at O(api_endpoint).
      - If not set, the value of the environment variable E(FONNTE_SERVICE_FACTS_PATH) is used.
    type: path
    version_added: 1.0.0
notes:
  - Redirects are never followed. Proxies are taken from the environment's C(*_proxy) variables only.
    A C(.netrc) file and E(REQUESTS_CA_BUNDLE) are ignored.
"""
