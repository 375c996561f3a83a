# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The module fonnte_device_qr: link a phone to a device."""

from __future__ import annotations

from .._api.qr_image import DEST, check_dest, image_path
from .._common.atomic_files import foreign_warnings
from .._common.clock import Timer
from .._common.destinations import check_destination
from .._common.errors import FonnteError, OptionError
from .._common.phone_numbers import international, no_country, parse_number, refuse_lost_zero
from .._linking.link import CODE, QR, LinkOptions, LinkResult, link_device, link_result, preview_link
from .._options.common import (
    API,
    NUMBER,
    Params,
    Spec,
    build_context,
    check_range,
    common_warnings,
    number,
    require_device,
)
from .._options.policy import max_age
from .task import ModuleInput, ModuleResult

DEVICE_QR: Spec = {
    **API,
    **NUMBER,
    "method": {"type": "str", "choices": [QR, CODE], "default": QR},
    "whatsapp": {"type": "raw"},
    "dest": {"type": "path"},
    "fetch": {"type": "bool", "default": True},
    "wait": {"type": "bool", "default": False},
    "wait_timeout": {"type": "float", "default": 300.0},
    "refresh": {"type": "float", "default": 20.0},
}


def run_device_qr(task: ModuleInput) -> ModuleResult:
    """Fetch a QR code or a pairing code, and wait until the device is linked (module fonnte_device_qr)."""
    # The option has no effect here, but every module validates it, so that errors in module_defaults are found.
    max_age(task.params["record_max_age"])
    order = link_options(task.params)
    require_device(task.params, task.environment, task.raw_params)
    warnings = [*common_warnings(task.params), *(no_country(order.whatsapp) if order.whatsapp else ())]
    if order.dest:
        check_destination(DEST, order.dest)
        warnings += foreign_warnings([image_path(order.dest, "")])
        try:
            check_dest(order.dest)
        except OptionError as problem:
            # In check mode, the directory may be created by an earlier task.
            if not task.check_mode:
                raise
            warnings.append(str(problem))
    context, _redactor = build_context(task.params, task.environment, task.cache, finder=task.secrets)

    def notify(text: str) -> None:
        task.notify(task.secrets.mask_data(text))

    try:
        link = (
            preview_link(context, order)
            if task.check_mode
            else link_device(context, order, notify, task.draw, Timer(task.clock, task.pause))
        )
    except FonnteError as fault:
        so_far = fault.partial_result.pop("link", None)
        if isinstance(so_far, LinkResult):
            fault.partial_result = link_result(order, so_far, False)
            warnings += so_far.warnings
        fault.warnings = warnings
        raise
    return ModuleResult(link_result(order, link, task.check_mode), [*warnings, *link.warnings])


def link_options(params: Params) -> LinkOptions:
    """Return the link options of a task; raise OptionError if one is invalid."""
    method, fetch = params["method"], params["fetch"]
    whatsapp = _whatsapp(params) if params["whatsapp"] is not None else ""
    if not fetch and not params["wait"]:
        raise OptionError("fetch", "it is false, and wait is not true, so nothing is left to do", "set wait: true")
    if fetch:
        _check_method(method, whatsapp, params[DEST])
    timeout = check_range(params, "wait_timeout", 1, 86400)
    return LinkOptions(
        number=number(params),
        method=method,
        whatsapp=whatsapp,
        dest=(params[DEST] or "") if fetch else "",
        fetch=fetch,
        wait=timeout if params["wait"] else None,
        refresh=check_range(params, "refresh", 1, 3600),
    )


def _check_method(method: str, whatsapp: str, dest: str | None) -> None:
    """Check that the options of the method are given, and none of the other method; raise OptionError otherwise."""
    if method == CODE:
        if not whatsapp:
            raise OptionError("whatsapp", "it is missing, and method is code", "set the number of the phone to link")
        if dest is not None:
            raise OptionError(
                DEST, "it is for method: qr, and method is code", "remove it: the result contains the code"
            )
        return
    if whatsapp:
        raise OptionError("whatsapp", "it is for method: code, and method is qr", "remove it, or set method: code")
    if dest is None:
        raise OptionError(DEST, "it is missing, and method is qr", "name the file for the PNG")
    if not dest:
        raise OptionError(DEST, "it is empty", "name the file for the PNG")


def _whatsapp(params: Params) -> str:
    """Return the phone's number in international form, which WhatsApp requires."""
    value = params["whatsapp"]
    digits = parse_number(value, "whatsapp")
    refuse_lost_zero(value, digits, "whatsapp")
    return international(digits)
