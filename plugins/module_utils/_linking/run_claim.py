# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The claim of a run on the state of links: only one run at a time reports changes.

A run claims the state when it finds changes, and releases it when they are stored as reported. A run that was
killed, or that ended with an unknown result, keeps its claim, which ends with its process.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._common.clock import LAST_TIME, age, now, now_text, within
from .._common.errors import FonnteError
from .run_identity import RunIdentity

# A claim of another machine is valid for this time, since nothing shows whether its run has ended. It is less than the
# usual interval of a schedule.
FOREIGN_SECONDS = 240.0


class OtherRunError(FonnteError):
    """Another run reports the changes of links now."""


@dataclass(frozen=True)
class Claim:
    """The claim of a run.

    Attributes:
        run: The run.
        at: When it claimed the state.
    """

    run: RunIdentity
    at: str

    @classmethod
    def of(cls, run: RunIdentity) -> Claim:
        """Return a claim of a run from now on."""
        return cls(run, now_text())

    def to_json(self) -> dict[str, t.Any]:
        """Return the claim as plain data."""
        return {**self.run.to_json(), "at": self.at}

    @classmethod
    def from_json(cls, data: t.Any) -> Claim:
        """Return the claim from plain data; ValueError, TypeError or KeyError if the data is not one."""
        at = data["at"]
        if not isinstance(at, str) or age(at, LAST_TIME) == float("inf"):
            raise ValueError("not a time")
        return cls(RunIdentity.from_json(data), at)

    def is_valid(self) -> bool:
        """Return whether the run of this claim is active, as far as it is known."""
        ended = self.run.has_ended()
        # A time in the future, after a clock was set back, must not block all runs.
        return within(self.at, FOREIGN_SECONDS, now()) if ended is None else not ended


def refuse_other_run(path: str, claim: Claim | None, run: RunIdentity | None) -> None:
    """Raise OtherRunError if another run has a valid claim."""
    if claim is None or claim.run == run or not claim.is_valid():
        return
    if claim.run.has_ended() is None:
        raise OtherRunError(
            f"another run on another machine has used {path} since {claim.at}",
            f"wait until it has ended; after {FOREIGN_SECONDS / 60:.0f} minutes it is ignored",
        )
    raise OtherRunError(
        f"another run (process {claim.run.pid}) has used {path} since {claim.at}",
        "wait until it has ended, then run this one again",
    )
