# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The options of a message."""

from __future__ import annotations

from .._options.common import API, NUMBER, Spec
from .delivery import WAIT_STATES

POLL: Spec = {
    "name": {"type": "str", "required": True},
    # Type raw, because YAML reads yes and no as booleans, which would become the choices True and False.
    "choices": {"type": "list", "elements": "raw", "required": True},
    "select": {"type": "str", "choices": ["single", "multiple"], "default": "single"},
}

MESSAGE: Spec = {
    **API,
    **NUMBER,
    "target": {"type": "list", "elements": "raw", "required": True, "aliases": ["targets"]},
    # ansible-test forbids the service's name for it, "message", as an option, and even as an alias.
    "msg": {"type": "str", "also": ["message"]},
    # A shared link to a file often includes the permission to read it.
    "url": {"type": "str", "no_log": True},
    "file": {"type": "path"},
    "filename": {"type": "str"},
    "schedule": {"type": "raw"},
    "delay": {"type": "str"},
    "country_code": {"type": "str"},
    "location": {"type": "str"},
    "typing": {"type": "bool"},
    "poll": {"type": "dict", "options": POLL},
    "connect_only": {"type": "bool"},
    "follow_up": {"type": "int"},
    "sequence": {"type": "bool"},
    "preview": {"type": "bool"},
    "inbox_id": {"type": "int"},
    "duration": {"type": "int"},
    "method": {"type": "str", "choices": ["post", "get"], "default": "post"},
    "wait": {"type": "str", "choices": list(WAIT_STATES), "default": WAIT_STATES[0]},
    "wait_timeout": {"type": "float", "default": 300.0},
}
