# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One-time passwords for deletion: requests, sent codes and wrong codes."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

from .clock import Clock
from .forms import Refused

# The API documentation gives "about 10 minutes" for the wait. The equal lifetime of the code is a choice of this
# sandbox.
LIFETIME = 600
# "Too many wrong codes" has no figure in the documentation: the fifth wrong code locks, for as long as the wait.
WRONG_CODES = 5
LOCKED_FOR = 600


@dataclass
class Ticket:
    """The open code of a device (or of an account, see the behavior variant ``otp_scope``)."""

    code: str | None
    asked_at: float
    wrong: int = 0
    locked_until: float = 0.0


@dataclass(frozen=True)
class Mail:
    """A code as the owner received it in WhatsApp."""

    key: str
    number: str
    code: str
    at: float


class OtpDesk:
    """Tickets by key; the key is the token of a device or of an account."""

    def __init__(self, clock: Clock, rng: random.Random) -> None:
        self._clock = clock
        self._rng = rng
        self.tickets: dict[str, Ticket] = {}
        self.mailbox: list[Mail] = []
        self.next_codes: list[str] = []

    def ask(self, key: str, number: str) -> None:
        """Send the owner a code; refuse if the previous one is recent."""
        now = self._clock.now()
        ticket = self.tickets.get(key)
        if ticket:
            self._refuse_locked(ticket)
            if now < ticket.asked_at + LIFETIME:
                left = math.ceil(ticket.asked_at + LIFETIME - now)
                raise Refused(f"please wait {left} seconds before requesting new otp")
        code = self.next_codes.pop(0) if self.next_codes else f"{self._rng.randrange(1_000_000):06d}"
        self.tickets[key] = Ticket(code=code, asked_at=now)
        self.mailbox.append(Mail(key=key, number=number, code=code, at=now))

    def check(self, key: str, code: str) -> None:
        """Accept a code once. Its use does not shorten the wait before the next request for a code."""
        ticket = self.tickets.get(key)
        if ticket:
            self._refuse_locked(ticket)
        if ticket is None or ticket.code is None or self._clock.now() >= ticket.asked_at + LIFETIME:
            raise Refused("otp haven't requested")
        if ticket.code != code:
            self._count_wrong(ticket)
        ticket.code = None

    def sent(self, key: str) -> Mail | None:
        """Return the newest code that was sent for this key, even if it is no longer valid."""
        return next((mail for mail in reversed(self.mailbox) if mail.key == key), None)

    def forget(self, key: str) -> None:
        """Remove the ticket of a deleted device."""
        self.tickets.pop(key, None)

    def _count_wrong(self, ticket: Ticket) -> None:
        ticket.wrong += 1
        if ticket.wrong >= WRONG_CODES:
            ticket.locked_until = self._clock.now() + LOCKED_FOR
            ticket.code = None
            self._refuse_locked(ticket)
        raise Refused("incorrect OTP")

    def _refuse_locked(self, ticket: Ticket) -> None:
        left = math.ceil(ticket.locked_until - self._clock.now())
        if left > 0:
            raise Refused(f"delete failed. try again in {left} seconds")
