# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The event filter fonnte.whatsapp.normalize: converts webhooks of Fonnte from other sources to the common format."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import sys
import typing as t
from importlib.machinery import ModuleSpec
from pathlib import Path

DOCUMENTATION = r"""
---
short_description: Convert webhooks of Fonnte to a common format
version_added: 1.0.0
author:
  - The fonnte.whatsapp contributors (!UNKNOWN)
description:
  - For a rulebook that receives the webhooks of U(https://fonnte.com) with C(ansible.eda.webhook) or
    C(eda.builtin.webhook).
  - The C(payload) of the event is replaced by C(fonnte), with the same keys as in the source
    P(fonnte.whatsapp.webhook#event_source). The device's token is removed.
  - C(meta.endpoint) and C(meta.headers) are also removed, because users of Fonnte put their secret in the path.
    If the path ends with C(connect), C(incoming), C(status) or C(chaining), this is the kind of the event.
  - An event that is not a webhook of Fonnte has the kind C(unknown).
    A request that only tests the URL has the kind C(probe).
  - No string of the event is a template of Ansible, even if a rulebook joins, slices or trims it.
    C(fonnte.altered) lists the strings and keys that were changed for this purpose, including C(meta) and the other
    keys of the event.
  - A payload of more than 10,000 keys and values, or of more than 1,048,576 characters, becomes an event of the kind
    C(unknown) without its content.
    If the other keys of an event exceed these limits, only C(meta.source), C(meta.received_at) and C(meta.uuid) are
    kept.
  - Values of secret keys (the first 8, of 8 to 256 characters) and the parts of the path are masked in all strings of
    the event.
  - A repeated event and a message that the device itself has sent are not dropped. Only the event source can do that.
    C(fonnte.outgoing) is V(true) for such a message.
options:
  return_tokens:
    description:
      - Whether to keep the device's token and other secrets that Fonnte sends in the event.
    type: bool
    default: false
  keep_request:
    description:
      - Whether to keep C(meta.endpoint) and C(meta.headers).
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Report disconnected devices
  hosts: localhost
  sources:
    - ansible.eda.webhook:
        host: 127.0.0.1
        port: 5001
      filters:
        - fonnte.whatsapp.normalize:
  rules:
    - name: A device is no longer linked
      condition: event.fonnte.kind == "connect" and event.fonnte.connected == false
      action:
        debug:
          msg: "{{ event.fonnte.device }}: {{ event.fonnte.reason }}"
"""


def _utils() -> str:
    """Return the name under which the module_utils of this copy of the collection can be imported.

    ansible-rulebook loads this file by its path, without the package ansible_collections. If another program has
    imported that package, it may belong to another copy.
    """
    folder = Path(__file__).resolve().parents[4] / "plugins" / "module_utils"
    name = "_fonnte_whatsapp_" + hashlib.sha256(str(folder).encode()).hexdigest()[:12]
    if name not in sys.modules:
        spec = ModuleSpec(name, None, is_package=True)
        spec.submodule_search_locations = [str(folder)]
        sys.modules[name] = importlib.util.module_from_spec(spec)
    return name


if t.TYPE_CHECKING:
    from ansible_collections.fonnte.whatsapp.plugins.module_utils._common import inert_text as _inert_text
    from ansible_collections.fonnte.whatsapp.plugins.module_utils._events import payload as _events
    from ansible_collections.fonnte.whatsapp.plugins.module_utils._events import secrecy as _secrecy
else:
    _inert_text = importlib.import_module(_utils() + "._common.inert_text")
    _events = importlib.import_module(_utils() + "._events.payload")
    _secrecy = importlib.import_module(_utils() + "._events.secrecy")


# The keys of meta that are kept if an event has too much other data.
MADE_BY_RULEBOOK = ("source", "received_at", "uuid")
# The maximum number of parts of a path that are masked as secrets.
MAX_PATH_PARTS = 4
# A longer part is a secret, even if it has only lowercase letters.
MAX_WORD_LENGTH = 11


def main(event: dict[str, t.Any], return_tokens: bool = False, keep_request: bool = False) -> dict[str, t.Any]:
    """Return the event with ``fonnte`` instead of ``payload``. An event without a payload is returned unchanged."""
    if not isinstance(event, dict) or "payload" not in event:
        return event
    meta = event.get("meta")
    meta = dict(meta) if isinstance(meta, dict) else {}
    endpoint = meta.get("endpoint")
    if not keep_request:
        meta.pop("endpoint", None)
        meta.pop("headers", None)
    rest = {key: value for key, value in event.items() if key not in ("payload", "fonnte")}
    if _events.is_too_large({**rest, "meta": meta}):
        rest, meta = (
            {},
            {key: meta[key] for key in MADE_BY_RULEBOOK if key in meta and not _events.is_too_large(meta[key])},
        )
    tokens = [] if return_tokens else _secrecy.secret_values(event["payload"])
    words, codes = _parts_of_path(endpoint) if not keep_request else ([], [])
    # Headers and other data from the source are as untrusted as the payload.
    normal, altered = _inert_text.make_inert(_events.plain_data({**rest, "meta": meta}, [*tokens, *words, *codes]))
    fonnte = _events.normalize(event["payload"], _kind(endpoint), return_tokens, codes)
    fonnte["altered"] += altered
    return {**normal, "fonnte": fonnte}


def _parts_of_path(endpoint: object) -> tuple[list[str], list[str]]:
    """Return the possible secrets in a path: words, which are not masked in the payload, and all others."""
    parts = endpoint.strip("/").split("/") if isinstance(endpoint, str) else []
    # The secret is at the end, before the kind.
    parts = [part for part in parts if part not in _events.KINDS][-MAX_PATH_PARTS:]
    words = [part for part in parts if len(part) <= MAX_WORD_LENGTH and part.isalpha() and part.islower()]
    return words, [part for part in parts if part not in words]


def _kind(endpoint: object) -> str | None:
    last = endpoint.rstrip("/").rpartition("/")[2] if isinstance(endpoint, str) else ""
    return last if last in _events.KINDS else None
