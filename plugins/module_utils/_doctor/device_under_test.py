# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The device on which the API behavior check tries requests."""

from __future__ import annotations

import typing as t

from .._common.clock import Moment
from .._common.errors import (
    FonnteError,
    RequestError,
    UnreachableError,
)
from .._reconcile.list_age import require_fresh, send_with_fresh_list
from .journal import JournalingClient

if t.TYPE_CHECKING:
    from .._device.models import Device
    from .._device.settings import Settings


# No host exists below .invalid, which is reserved (RFC 2606), so no server can respond.
PROBE_URL = "https://fonnte-doctor.invalid/"


class TestDevice:
    """The test device during the experiments.

    Args:
        calls: Sends the requests.
        account_token: The token of the account, for its list.
        start: The device as the list showed it before the first write.
        made: Whether it was created in this run.
        fetched_at: The time before that list was requested.

    Attributes:
        start: The device as the list showed it before the first write.
        made: Whether it was created in this run.
        purpose: The fact that is being found out.
        omitted: The fact with this name, once it is known. It determines the effect of the experiments on the device.
        touched: Whether an update was or may have been applied.
        settled: Whether the list shows autoread of the device as it was at the start.
        probed: Whether the webhook may be PROBE_URL.
        cleared: Whether the service has accepted an empty webhook after that.
        replaced: Whether a webhook of the device may be lost.
    """

    def __init__(
        self, calls: JournalingClient, account_token: str, start: Device, made: bool, fetched_at: Moment
    ) -> None:
        self._calls = calls
        self._account_token = account_token
        self._listed, self._fetched_at = start, fetched_at
        self.start = start
        self.made = made
        self.purpose = ""
        self.omitted: object = None
        self.touched = False
        self.settled = True
        self.probed = False
        self.cleared = False
        self.replaced = False

    @property
    def autoread(self) -> bool | None:
        """The device's autoread before the first write; None if the list did not show it."""
        return _autoread(self.start)

    def update(self, settings: Settings) -> None:
        """Send an update with the number, the name and these settings."""
        self._update(True, settings)

    def update_without_number(self, settings: Settings) -> None:
        """Send an update with the name and these settings, without the number."""
        self._update(False, settings)

    def _update(self, has_number: bool, settings: Settings) -> None:
        sent = {"name": self.start.settings["name"], **settings}

        def send() -> None:
            self._require_number()
            number = self._listed.registered if has_number else None
            self._calls.update(self.start, number, sent, self.purpose, lambda: require_fresh(self._fetched_at))

        try:
            send_with_fresh_list(send, self._list_again)
        except RequestError as fault:
            if fault.may_be_applied:
                self._changed(sent)
            raise
        self._changed(sent)
        self.cleared = self.cleared or sent.get("webhook") == ""

    def _changed(self, sent: Settings) -> None:
        self.touched, self.settled = True, False
        self.replaced = self.replaced or "webhook" in sent
        if sent.get("webhook"):
            self.probed, self.cleared = True, False

    def _list_again(self) -> None:
        try:
            self.observe()
        except RequestError as fault:
            # A lost response to a list leaves no doubt about the update.
            raise UnreachableError(
                f"the list became too old and could not be requested again ({fault.problem})", "run this again"
            ) from None

    def observe(self) -> Device:
        """Return the device as the list shows it now."""
        listing = self._calls.listing(self._account_token, None, self.purpose)
        seen = listing.find_by_token(self.start.token)
        if seen is None:
            raise FonnteError(
                f"the account no longer lists device {self.start.number}", "check the device in the dashboard"
            )
        self._listed, self._fetched_at = seen, listing.fetched_at
        return seen

    def _require_number(self) -> None:
        """Refuse to update a device that was renumbered, because the update would revert its number."""
        if self._listed.registered != self.start.registered:
            raise FonnteError(
                f"the account lists device {self.start.number} as {self._listed.number} now, so no update was sent",
                "check the device in the dashboard, and run this again when its number stays",
            )

    def restore(self) -> None:
        """Restore the device as far as the list shows its state. The update may reset settings that it leaves out."""
        self.purpose = RESTORATION
        self.update({} if self.autoread is None else {"autoread": self.autoread})
        self.settled = _autoread(self.observe()) is self.autoread

    def leftovers(self) -> list[str]:
        """Return a clause for each setting that may differ from the state before the run."""
        if not self.touched:
            return []
        clauses = []
        reset = self.omitted == "resets"
        if self._listed.registered != self.start.registered:
            clauses.append(f"its number was {self.start.number} and is {self._listed.number} now")
        if not self.settled:
            clauses.append(f"its autoread may have changed, and was {_describe_value(self.autoread)}")
        if self.probed and not (reset and self.settled):
            clauses.append(
                f"its webhook was {PROBE_URL} and was cleared with an empty string, which may have been ignored"
                if self.cleared
                else f"its webhook may be {PROBE_URL}, and must be cleared in the dashboard"
            )
        if not self.made and self.omitted != "keeps":
            clauses.append(f"its write-only settings {'are' if reset else 'may be'} reset to their defaults")
        elif not self.made and self.replaced:
            clauses.append("a webhook for incoming chats that it had is gone")
        if self.start.stamp is not None:
            # The stamp proved settings that may be lost now, so it is not restored.
            clauses.append("the stamp in its name is gone")
        return clauses


def _autoread(device: Device) -> bool | None:
    value = device.settings.get("autoread")
    return value if isinstance(value, bool) else None


def _describe_value(flag: bool | None) -> str:
    return {True: "on", False: "off", None: "not shown"}[flag]


RESTORATION = "put back"
