# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The outcome of one playbook file, collected from the events that Ansible reports to a callback.

An event of a failed task does not contain whether a ``rescue`` handles it. So failures are collected, and the recap
decides: it counts the failures of each host that were not rescued.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

# A host fails once in a play. More failures are handled by a rescue, or occur in sections ``always``.
MAX_KEPT_FAILURES = 10


@dataclass(frozen=True)
class Failure:
    """A task that failed on a host, or that did not reach it.

    Attributes:
        host: The name of the host.
        task: The name of the task.
        error: The masked error; empty if it must not be reported.
        unreachable: Whether the host was unreachable.
    """

    host: str
    task: str
    error: str = ""
    unreachable: bool = False


@dataclass(frozen=True)
class HostCounts:
    """The counts of a host in the recap, for all playbook files of the run so far."""

    failures: int = 0
    unreachable: int = 0
    changed: int = 0


Recap = t.Mapping[str, HostCounts]


@dataclass(frozen=True)
class Outcome:
    """The outcome of one playbook file.

    Attributes:
        playbook: The name of the file.
        check_mode: Whether it ran with ``--check``.
        hosts: The number of hosts in the recap.
        changed: The number of hosts with changes.
        failed: The failed and unreachable hosts, in the order of their failures.
        unreachable: The unreachable ones of them.
        failures: The failures that no rescue handled, in the order of time.
    """

    playbook: str
    check_mode: bool = False
    hosts: int = 0
    changed: int = 0
    failed: tuple[str, ...] = ()
    unreachable: frozenset[str] = frozenset()
    failures: tuple[Failure, ...] = ()


class FailureCollector:
    """Collects the failures of a playbook file. Ansible's recap counts all files of a run, so it is compared."""

    def __init__(self) -> None:
        self._before: Recap = {}
        self._playbook = ""
        self._found: dict[tuple[str, bool], list[tuple[int, Failure]]] = {}
        self._count = 0

    def begin(self, playbook: str) -> None:
        """Begin a playbook file."""
        self._playbook, self._found, self._count = playbook, {}, 0

    def add(self, failure: Failure) -> None:
        """Add a failure that is not ignored. Whether it is rescued is not known yet."""
        kept = self._found.setdefault((failure.host, failure.unreachable), [])
        kept.append((self._count, failure))
        self._count += 1
        del kept[:-MAX_KEPT_FAILURES]

    def end(self, recap: Recap, check_mode: bool) -> Outcome:
        """Return the outcome of the file.

        Args:
            recap: The counts of each host, for all files so far.
            check_mode: Whether the run is in check mode.
        """
        counts = {host: self._since_begin(host, total) for host, total in recap.items()}
        self._before = dict(recap)
        # A rescued failure comes before the one that ends the host's play.
        last = [
            failure
            for (host, unreachable), kept in self._found.items()
            for number in [getattr(counts.get(host), "unreachable" if unreachable else "failures", 0)]
            for failure in kept[max(0, len(kept) - number) :]
        ]
        failures = [failure for _order, failure in sorted(last, key=lambda pair: pair[0])]
        down = {host for host, count in counts.items() if count.unreachable > 0}
        failed = [host for host, count in sorted(counts.items()) if count.failures > 0 or host in down]
        ordered = dict.fromkeys([*(failure.host for failure in failures if failure.host in failed), *failed])
        changed = sum(count.changed > 0 for count in counts.values())
        return Outcome(
            self._playbook, check_mode, len(counts), changed, tuple(ordered), frozenset(down), tuple(failures)
        )

    def _since_begin(self, host: str, total: HostCounts) -> HostCounts:
        before = self._before.get(host, HostCounts())
        return HostCounts(
            total.failures - before.failures,
            total.unreachable - before.unreachable,
            total.changed - before.changed,
        )
