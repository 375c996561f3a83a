# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The compared implementations, as the plays that a user would write."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

EMPTY = "empty"
URI = "uri"
URI_ONE_LIST = "uri-one-list"
ORDINARY = "ordinary"
IN_PROCESS = "in-process"
FLEET = "fleet"
PROVISION = "provision"
PROVISION_ACCOUNTS = "provision-accounts"
AUDIT = "audit"
FLOOR = "floor"
FLOOR_ONE = "floor-one"

MAKE, TENTH, NOTHING = "make", "tenth", "nothing"
DISCONNECT, SEND = "disconnect", "send"
# The number of devices that a loop disconnects, or from which it sends a message.
LOOPED = 100
WORKS = {
    MAKE: "create all",
    TENTH: "one in ten to change",
    NOTHING: "nothing to change",
    DISCONNECT: f"{LOOPED} to disconnect",
    SEND: f"a message from each of {LOOPED}",
}
# The works that need linked devices.
LINKED_WORKS = (DISCONNECT, SEND)

# The record in a database, by the milliseconds of a round trip to it.
DATABASES = {"fleet-database-0ms": 0, "fleet-database-1ms": 1, "fleet-database-5ms": 5}

# The number of devices that the fleet and the corresponding floor work on at a time.
CONCURRENCY = 16

# The number of accounts of PROVISION_ACCOUNTS, and of devices in each.
ACCOUNTS, IN_ACCOUNT = 12, 67
# The playbooks of the collection, which read the declaration from a file.
PLAYBOOKS = (PROVISION, PROVISION_ACCOUNTS, AUDIT)

WAYS = {
    EMPTY: "an empty playbook",
    URI: "loop over ansible.builtin.uri",
    URI_ONE_LIST: "the same, but one list for all",
    ORDINARY: "loop over fonnte_device, as an ordinary module",
    IN_PROCESS: "loop over fonnte_device",
    FLEET: f"fonnte_fleet, {CONCURRENCY} at a time",
    **{
        way: f"the same, the record in a database at {trip} ms" if trip else "the same, the record in a database"
        for way, trip in DATABASES.items()
    },
    PROVISION: f"the playbook provision, {CONCURRENCY} at a time",
    PROVISION_ACCOUNTS: f"the playbook provision, {ACCOUNTS} accounts, {CONCURRENCY} at a time in each",
    AUDIT: "the playbook audit",
    FLOOR: f"floor: a bare client, {CONCURRENCY} at a time",
    FLOOR_ONE: "floor: a bare client, one at a time",
}
FLOORS = (FLOOR, FLOOR_ONE)
LOOP = {"loop": "{{ devices }}", "loop_control": {"label": "{{ item.device }}"}}


def device(index: int, changed: bool = False) -> Json:
    """Return the declaration of a device: two settings that the service shows, and a write-only one."""
    return {
        "device": f"62812{index:08d}",
        "name": f"Toko {index:05d}" + (" baru" if changed else ""),
        "autoread": True,
        "webhook": f"https://hooks.example.com/{index:05d}?key=k{index:05d}",
    }


def declaration(way: str, work: str, size: int) -> Json:
    """Return the content of the file for a playbook."""
    devices = declared(work, size)
    if way != PROVISION_ACCOUNTS:
        return {"fleet_devices": devices}
    clients = [
        {
            "name": f"Client {index:02d}",
            "account_token": account_token(index),
            "devices": devices[index * IN_ACCOUNT : (index + 1) * IN_ACCOUNT],
        }
        for index in range(ACCOUNTS)
    ]
    return {"fleet_clients": clients}


def account_token(index: int) -> str:
    """Return the token of one of the accounts."""
    return f"account-of-client-{index:02d}"


def declared(work: str, size: int) -> list[Json]:
    """Return the declarations in the play of a work."""
    changed = set(to_change(work, size))
    return [device(index, index in changed) for index in range(size)]


def to_change(work: str, size: int) -> range:
    """Return the indexes of the devices that get a new name."""
    return range(0, size, 10) if work == TENTH else range(0)


def writes(work: str, size: int) -> int:
    """Return the number of requests of a work that change something."""
    if work in LINKED_WORKS:
        return min(size, LOOPED)
    return 2 * size if work == MAKE else len(to_change(work, size))


def play(way: str, work: str) -> list[Json]:
    """Return the play of an implementation; ``devices`` contains the declarations."""
    return [{"hosts": "localhost", "gather_facts": False, "tasks": tasks(way, work)}]


def tasks(way: str, work: str) -> list[Json]:
    """Return the tasks of a play."""
    if way == EMPTY:
        return []
    if way in (URI, URI_ONE_LIST):
        return _uri_make() if work == MAKE else _uri_one_list() if way == URI_ONE_LIST else _uri_look()
    if way == FLEET or way in DATABASES:
        return [_fleet()]
    task = {DISCONNECT: _DISCONNECT, SEND: _SEND}.get(work, _LOOP)
    return [task if way == IN_PROCESS else {**task, "vars": {"fonnte_in_process": False}}]


SETTINGS = {"name": "{{ item.name }}", "autoread": "{{ item.autoread }}", "webhook": "{{ item.webhook }}"}


_LOOP: Json = {
    "name": "Reconcile each device",
    "fonnte.whatsapp.fonnte_device": {"device": "{{ item.device }}", **SETTINGS, "handle_unknown": "ignore"},
    **LOOP,
}
_SOME = {**LOOP, "loop": f"{{{{ devices[:{LOOPED}] }}}}"}
_DISCONNECT: Json = {
    "name": "Disconnect each device",
    "fonnte.whatsapp.fonnte_device": {"device": "{{ item.device }}", "state": "disconnected"},
    **_SOME,
}
_SEND: Json = {
    "name": "Send a message from each device",
    "fonnte.whatsapp.fonnte_message": {
        "device": "{{ item.device }}",
        "target": "081200002001",
        "message": "Hello from {{ item.name }}",
    },
    **_SOME,
}


def _fleet() -> Json:
    options: Json = {
        "devices": "{{ devices }}",
        "concurrency": CONCURRENCY,
        "handle_unknown": "ignore",
    }
    return {"name": "Reconcile all devices", "fonnte.whatsapp.fonnte_fleet": options}


FORM = {**SETTINGS, "autoread": "{{ item.autoread | string | lower }}"}
# The URL and the token come from the environment, as they do for the modules.
ENDPOINT = "{{ lookup('ansible.builtin.env', 'FONNTE_API_ENDPOINT') }}"
ACCOUNT = "{{ lookup('ansible.builtin.env', 'FONNTE_ACCOUNT_TOKEN') }}"


def _call(path: str, token: str, form: Json) -> Json:
    options: Json = {"url": ENDPOINT + path, "method": "POST", "headers": {"Authorization": token}}
    return {"ansible.builtin.uri": {**options, "body_format": "form-urlencoded", "body": form} if form else options}


def _uri_make() -> list[Json]:
    update = _call(
        "/update-device", "{{ item.json.token }}", {"device": "{{ item.item.device }}", **_of("item.item", FORM)}
    )
    return [
        {
            "name": "Add the devices",
            **_call("/add-device", ACCOUNT, {"device": "{{ item.device }}", "name": "{{ item.name }}"}),
            **LOOP,
            "register": "added",
            "failed_when": "not added.json.status",
        },
        {
            "name": "Set the other settings",
            **update,
            "loop": "{{ added.results }}",
            "loop_control": {"label": "{{ item.item.device }}"},
            "register": "updated",
            "failed_when": "not updated.json.status",
        },
    ]


def _uri_look() -> list[Json]:
    look = {
        "name": "List each device",
        **_call("/get-devices", ACCOUNT, {}),
        **LOOP,
        "register": "looked",
        "failed_when": "not looked.json.status",
    }
    found = "(item.json.data | selectattr('device', 'equalto', item.item.device) | first)"
    update = _call(
        "/update-device",
        "{{ " + found + ".token }}",
        {"device": "{{ item.item.device }}", **_of("item.item", FORM)},
    )
    return [
        look,
        {
            "name": "Update devices with another name",
            **update,
            "loop": "{{ looked.results }}",
            "loop_control": {"label": "{{ item.item.device }}"},
            "when": f"{found}.name != item.item.name",
            "register": "updated",
            "failed_when": "not updated.json.status",
        },
    ]


def _uri_one_list() -> list[Json]:
    look = {
        "name": "List all devices",
        **_call("/get-devices", ACCOUNT, {}),
        "register": "looked",
        "failed_when": "not looked.json.status",
    }
    found = "(looked.json.data | selectattr('device', 'equalto', item.device) | first)"
    return [
        look,
        {
            "name": "Update devices with another name",
            **_call("/update-device", "{{ " + found + ".token }}", {"device": "{{ item.device }}", **FORM}),
            **LOOP,
            "when": f"{found}.name != item.name",
            "register": "updated",
            "failed_when": "not updated.json.status",
        },
    ]


def _of(place: str, settings: Json) -> Json:
    return {option: value.replace("item.", f"{place}.") for option, value in settings.items()}
