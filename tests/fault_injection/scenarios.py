# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The scenes: each module at each of its requests."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ..control_node import Controller

# A secret in a webhook; no error may contain it.
SECRET = "s3cret"
NUMBER, SECOND, THIRD = "081200000001", "081200000002", "081200000003"
OLD = f"https://h.example.com/old?key={SECRET}"
NEW = f"https://h.example.com/new?key={SECRET}"
GROUPS = [{"id": "120363041@g.us", "name": "Gudang"}]
FIRST_TIME: dict[str, t.Any] = {"name": "Toko Satu", "autoread": True, "personal": True, "quick": False, "webhook": OLD}
CHANGED: dict[str, t.Any] = {**FIRST_TIME, "name": "Toko Baru", "quick": True, "webhook": NEW}
HOOKS: dict[str, t.Any] = {"webhook": NEW, "webhook_status": NEW}

Params = dict[str, t.Any]


@dataclass(frozen=True)
class Scene:
    """A column of the table.

    Attributes:
        module: Its name without ``fonnte_``.
        call: The path of the request with the fault.
        what: The purpose of the request; empty if module and path suffice.
        prepare: Creates the state before the run, and returns the options of the run.
        holds: The final state of the service: settings by number; None for a deleted device.
        names: A string that the error must contain; None for no requirement.
    """

    module: str
    call: str
    prepare: t.Callable[[Controller], Params]
    holds: t.Mapping[str, t.Mapping[str, t.Any] | None] = field(default_factory=dict)
    what: str = ""
    names: str | None = NUMBER
    # False if a repeated run acts again: each run requests another code, and the API behavior check repeats its
    # experiments.
    settles: bool = True
    # False if check mode cannot predict: only a new request shows whether the service applied the unanswered one.
    predicted: bool = True
    # A message has no desired state: it is sent once, or its outcome is reported.
    sends: bool = False

    @property
    def name(self) -> str:
        """The name in test ids."""
        return "-".join(filter(None, (self.module, self.call.strip("/"), self.what.replace(" ", "-"))))


def _nothing(controller: Controller) -> Params:
    return {"device": NUMBER, **FIRST_TIME}


def _made(controller: Controller) -> Params:
    controller.device(NUMBER, **FIRST_TIME)
    return {"device": NUMBER, **CHANGED}


def _linked(controller: Controller) -> Params:
    controller.device(NUMBER, **FIRST_TIME)
    controller.sandbox.link(NUMBER)
    return {"device": NUMBER, "state": "disconnected"}


def _to_delete(controller: Controller) -> Params:
    controller.device(NUMBER, **FIRST_TIME)
    return {"device": NUMBER, "state": "absent", "request_otp": True}


def _with_code(controller: Controller) -> Params:
    controller.device(NUMBER, **FIRST_TIME)
    controller.device(NUMBER, state="absent", request_otp=True)
    return {"device": NUMBER, "state": "absent", "otp": controller.sandbox.otp(NUMBER)}


def _by_token(controller: Controller) -> Params:
    controller.device(NUMBER, **FIRST_TIME)
    token = controller.sandbox.device(NUMBER)["token"]
    return {"account_token": None, "device_token": token, **CHANGED}


def _webhooks(controller: Controller) -> Params:
    controller.device(NUMBER, **FIRST_TIME)
    return {"device": NUMBER, **HOOKS}


def _webhooks_by_token(controller: Controller) -> Params:
    by_token = _by_token(controller)
    return {**{option: by_token[option] for option in ("account_token", "device_token")}, **HOOKS}


def _to_tell(controller: Controller) -> Params:
    controller.device(NUMBER, **FIRST_TIME)
    return {"recorded": True}


def _to_tell_more(controller: Controller) -> Params:
    controller.device(NUMBER, **FIRST_TIME)
    return {"devices": [NUMBER], "profile": True}


def _fleet(controller: Controller) -> Params:
    """Declare one device to change, one to create, and one to disconnect."""
    controller.device(NUMBER, **FIRST_TIME)
    controller.device(THIRD, **FIRST_TIME)
    controller.sandbox.link(THIRD)
    return {
        "devices": [
            {"device": NUMBER, **CHANGED},
            {"device": SECOND, **FIRST_TIME},
            {"device": THIRD, **FIRST_TIME, "state": "disconnected"},
        ],
        "handle_unknown": "ignore",
    }


def _orphans(controller: Controller) -> Params:
    controller.device(NUMBER, **FIRST_TIME)
    controller.device(SECOND, **FIRST_TIME)
    controller.sandbox.remove(SECOND)
    return {"operation": "forget", "orphans": True}


def _to_look(controller: Controller) -> Params:
    controller.device(NUMBER, **FIRST_TIME)
    return {"devices": [NUMBER]}


def _to_look_by_token(controller: Controller) -> Params:
    controller.device(NUMBER, **FIRST_TIME)
    return {"account_token": None, "device_token": controller.sandbox.device(NUMBER)["token"]}


def _scratch(controller: Controller) -> Params:
    controller.device(SECOND, **FIRST_TIME)
    return {"device": NUMBER, "consent": True}


def _to_send(controller: Controller) -> Params:
    controller.device(NUMBER, **FIRST_TIME)
    controller.sandbox.link(NUMBER)
    return {"device": NUMBER, "target": ["081200002001", "081200002002"], "message": "hello"}


def _to_send_by_get(controller: Controller) -> Params:
    return {**_to_send(controller), "method": "get"}


def _to_send_by_token(controller: Controller) -> Params:
    params = _to_send(controller)
    return {**params, "account_token": None, "device_token": controller.sandbox.device(NUMBER)["token"]}


def _to_watch(controller: Controller) -> Params:
    return {**_to_send(controller), "wait": "sent", "wait_timeout": 20}


def _to_refresh_groups(controller: Controller) -> Params:
    """Return a refresh of groups that the service has fetched once, so that a later run can read them."""
    controller.device(NUMBER, **FIRST_TIME)
    controller.sandbox.link(NUMBER)
    accounts = controller.sandbox.state()["accounts"]
    accounts[0]["devices"][0].update(groups=GROUPS, fetched_groups=GROUPS, groups_fetched=True)
    controller.sandbox.reset(accounts=accounts)
    return {"device": NUMBER, "refresh": True}


def _to_send_to_group(controller: Controller) -> Params:
    _to_refresh_groups(controller)
    return {"device": NUMBER, "target": ["group:Gudang"], "message": "hello"}


def _to_validate(controller: Controller) -> Params:
    """Return a validation whose lock exists, as after an earlier one."""
    controller.device(NUMBER, **FIRST_TIME)
    controller.sandbox.link(NUMBER)
    params: Params = {"device": NUMBER, "numbers": ["081200002001", "+62 812-0000-2002"]}
    controller.run("number_info", **params)
    return params


def _to_link(controller: Controller) -> Params:
    controller.device(NUMBER, **FIRST_TIME)
    return {"device": NUMBER, "dest": str(controller.records.parent)}


def _to_pair(controller: Controller) -> Params:
    controller.device(NUMBER, **FIRST_TIME)
    return {"device": NUMBER, "method": "code", "whatsapp": NUMBER}


def _to_link_by_token(controller: Controller) -> Params:
    by_token = _by_token(controller)
    return {
        **{option: by_token[option] for option in ("account_token", "device_token")},
        "dest": str(controller.records.parent),
    }


_FLEET_HOLDS = {NUMBER: CHANGED, SECOND: FIRST_TIME, THIRD: FIRST_TIME}
_SCRATCH_HOLDS = {SECOND: FIRST_TIME}

SCENES: tuple[Scene, ...] = (
    Scene("device", "/get-devices", _nothing, {NUMBER: FIRST_TIME}),
    Scene("device", "/add-device", _nothing, {NUMBER: FIRST_TIME}),
    Scene("device", "/update-device", _made, {NUMBER: CHANGED}),
    Scene("device", "/disconnect", _linked, {NUMBER: FIRST_TIME}),
    Scene("device", "/device", _by_token, {NUMBER: CHANGED}, names=None),
    Scene(
        "device",
        "/delete-device",
        _to_delete,
        {NUMBER: FIRST_TIME},
        "to request a code",
        settles=False,
        predicted=False,
    ),
    Scene("device", "/delete-device", _with_code, {NUMBER: None}, "with the code"),
    Scene("webhook_config", "/get-devices", _webhooks, {NUMBER: {**FIRST_TIME, **HOOKS}}),
    Scene("webhook_config", "/update-device", _webhooks, {NUMBER: {**FIRST_TIME, **HOOKS}}),
    Scene("webhook_config", "/device", _webhooks_by_token, {NUMBER: {**FIRST_TIME, **HOOKS}}, names=None),
    Scene("device_info", "/get-devices", _to_tell, {NUMBER: FIRST_TIME}, names=None),
    Scene("device_info", "/device", _to_tell_more, {NUMBER: FIRST_TIME}),
    Scene("fleet", "/get-devices", _fleet, _FLEET_HOLDS, names=None),
    Scene("fleet", "/add-device", _fleet, _FLEET_HOLDS, names=SECOND),
    Scene("fleet", "/update-device", _fleet, _FLEET_HOLDS, names=None),
    Scene("fleet", "/disconnect", _fleet, _FLEET_HOLDS, names=THIRD),
    Scene("message", "/get-devices", _to_send, sends=True),
    Scene("message", "/device", _to_send_by_token, sends=True),
    Scene("message", "/send", _to_send, sends=True),
    Scene("message", "/send", _to_send_by_get, what="by GET", sends=True),
    Scene("message", "/status", _to_watch, sends=True),
    Scene("message", "/get-whatsapp-group", _to_send_to_group, sends=True),
    Scene("group_info", "/get-devices", _to_refresh_groups, {NUMBER: FIRST_TIME}),
    Scene("group_info", "/fetch-group", _to_refresh_groups, {NUMBER: FIRST_TIME}),
    Scene("group_info", "/get-whatsapp-group", _to_refresh_groups, {NUMBER: FIRST_TIME}),
    Scene("number_info", "/get-devices", _to_validate, {NUMBER: FIRST_TIME}),
    Scene("number_info", "/validate", _to_validate, {NUMBER: FIRST_TIME}),
    Scene("record_info", "/get-devices", _to_look, {NUMBER: FIRST_TIME}, names=None),
    Scene("record_info", "/device", _to_look_by_token, {NUMBER: FIRST_TIME}, names=None),
    Scene("record", "/get-devices", _orphans, {NUMBER: FIRST_TIME}, names=None),
    Scene("doctor", "/get-devices", _scratch, _SCRATCH_HOLDS, names=None, settles=False),
    Scene("doctor", "/add-device", _scratch, _SCRATCH_HOLDS, settles=False),
    Scene("doctor", "/update-device", _scratch, _SCRATCH_HOLDS, names=None, settles=False),
    Scene("device_qr", "/get-devices", _to_link, {NUMBER: FIRST_TIME}, settles=False),
    Scene("device_qr", "/device", _to_link_by_token, {NUMBER: FIRST_TIME}, names=None, settles=False),
    Scene("device_qr", "/qr", _to_link, {NUMBER: FIRST_TIME}, "for a QR code", settles=False),
    Scene("device_qr", "/qr", _to_pair, {NUMBER: FIRST_TIME}, "for a pairing code", settles=False),
)
