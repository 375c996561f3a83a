# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options of the plugins that read the account's list on the controller."""

from __future__ import annotations


class ModuleDocFragment:
    """How the service is reached, with the environment variables that stand in for an option."""

    DOCUMENTATION = r"""
requirements:
  - requests >= 2.25, with urllib3 >= 1.26, on the control node
options:
  account_token:
    description:
      - The token of the account, from the dashboard's I(Setting) menu.
      - An empty environment variable counts as unset. This applies to all variables of the collection.
    type: str
    env:
      - name: FONNTE_ACCOUNT_TOKEN
  api_endpoint:
    description:
      - The address of the service. Plain V(http://) is accepted only for this machine (V(localhost), V(127.0.0.0/8), V(::1)).
    type: str
    default: https://api.fonnte.com
    env:
      - name: FONNTE_API_ENDPOINT
  api_timeout:
    description:
      - Seconds to wait for a connection, and for each part of a response. A request with all its attempts takes at most ten times as long.
    type: float
    default: 30.0
    env:
      - name: FONNTE_API_TIMEOUT
  api_retries:
    description:
      - The maximum number of retries of a request after a transient fault.
    type: int
    default: 4
    env:
      - name: FONNTE_API_RETRIES
  api_retry_max_delay:
    description:
      - The longest delay before a retry, in seconds. If the service requests a longer one, it is an error at once, which states the requested delay.
    type: float
    default: 20.0
    env:
      - name: FONNTE_API_RETRY_MAX_DELAY
  validate_certs:
    description:
      - Whether to verify the certificate of the service. With V(false), Ansible prints a warning, because the token can be intercepted.
    type: bool
    default: true
  ca_path:
    description:
      - A file or directory of CA certificates in PEM format, used instead of the certificates of C(requests).
    type: path
    env:
      - name: FONNTE_CA_PATH
notes:
  - Redirects are never followed. Proxies are read only from the environment variables C(*_proxy). A C(.netrc) file and E(REQUESTS_CA_BUNDLE) are ignored.
"""
