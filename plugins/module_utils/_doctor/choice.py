# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Choose the device on which the API behavior check may try requests."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._common.errors import (
    FonnteError,
)
from .._common.phone_numbers import same_number
from .._common.redaction import printable
from .tokens import Tokens

if t.TYPE_CHECKING:
    from .._device.models import Device, DeviceList
    from .._reconcile.observe import RunContext


# A device with this name belongs to the check. Any other device must be named before it is changed.
OWN_NAME = "fonnte doctor"


_NO_SCRATCH = (
    "there is no scratch device: set device to a number that no device has, or to the number of a device whose "
    "settings may be lost"
)


_CONFIRM_AGAIN = "nothing was written: check again which device it is, and set expected_name to its current name"


@dataclass(frozen=True)
class DoctorOptions:
    """The options of the API behavior check.

    Attributes:
        number: The number of the test device; empty if none is given.
        name: The name of a device that is created.
        consent: Whether the test device may be changed.
        check_mode: Whether nothing is written, even with consent.
        expected_name: The name with which the test device must be listed; empty if it must not be listed, and None if
            its name does not matter.
    """

    number: str
    name: str
    consent: bool
    check_mode: bool
    expected_name: str | None = None

    @property
    def writes(self) -> bool:
        """Whether requests that write may be sent."""
        return self.consent and not self.check_mode


@dataclass(frozen=True)
class TestDeviceChoice:
    """The device on which to experiment.

    Attributes:
        device: A listed device.
        create: The number of a device to create.
        reason_not_to_write: The reason why there is neither.
    """

    device: Device | None = None
    create: str = ""
    reason_not_to_write: str = ""


def _choose(context: RunContext, options: DoctorOptions, tokens: Tokens) -> TestDeviceChoice:
    """Return the device on which to experiment: the named one, or otherwise the device of the check."""
    if tokens.listing is None or not tokens.right:
        return TestDeviceChoice(reason_not_to_write="observing a device requires an account_token, and valid tokens")
    if options.number:
        return _named(context, options.number, tokens, tokens.listing)
    own = [device for device in tokens.listing.devices if _name(device) == OWN_NAME]
    if len(own) > 1:
        numbers = " and ".join(device.number for device in own)
        return TestDeviceChoice(
            reason_not_to_write=(
                f'devices {numbers} are both named "{OWN_NAME}": set device to the number of one of them'
            )
        )
    if not own:
        return TestDeviceChoice(reason_not_to_write=_NO_SCRATCH)
    # Refused if another device has its number, in any spelling with the same digits, or its token.
    return _usable(tokens.listing.find(own[0].number, has_country=True) or own[0])


def _named(context: RunContext, number: str, tokens: Tokens, listing: DeviceList) -> TestDeviceChoice:
    listed = listing.find(number, context.has_country)
    if context.device_token and listing.find_by_token(context.device_token) != listed:
        raise _token_mismatch_error(number)
    if tokens.unlisted is not None:
        if not same_number(tokens.unlisted.number, number):
            raise _token_mismatch_error(number)
        return TestDeviceChoice(
            reason_not_to_write=(
                f"the list does not show device {number}, so the effects of requests on it could not be observed"
            )
        )
    return TestDeviceChoice(create=number) if listed is None else _usable(listed)


def _check_name(expected: str | None, choice: TestDeviceChoice) -> None:
    """Refuse a device that is not listed as it was when a person agreed to the loss of its settings."""
    if expected is None or choice.reason_not_to_write:
        return
    name = _name(choice.device) if choice.device else ""
    if choice.device and (not expected or name != expected):
        raise FonnteError(
            f'the account lists device {choice.device.number} as "{printable(str(name))}", and expected_name is '
            f'"{printable(expected)}"',
            _CONFIRM_AGAIN,
        )
    if choice.create and expected:
        raise FonnteError(
            f'the account does not list device {choice.create}, and expected_name is "{printable(expected)}"',
            _CONFIRM_AGAIN,
        )


def _token_mismatch_error(number: str) -> FonnteError:
    return FonnteError(
        f"device {number} and device_token are not one device",
        "set only one of the two, or two that belong to one device",
    )


def _name(device: Device) -> object:
    """Return the name of a device without a stamp; None if the list shows no name that could be sent."""
    return device.settings.get("name")


def _usable(device: Device) -> TestDeviceChoice:
    if not device.token or not device.can_be_sent_back or "name" not in device.settings:
        return TestDeviceChoice(
            reason_not_to_write=f"the list shows device {device.number} without a token, a number or a name that could be sent"
        )
    return TestDeviceChoice(device)
