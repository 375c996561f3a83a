# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A scheduler that decides at each step which node continues.

Nodes are threads, of which one runs at a time. They yield only at defined points: requests, and operations on the
record. A schedule is defined by its preemptions, so each schedule that was found can be run again.
"""

from __future__ import annotations

import random
import threading
import typing as t
from dataclasses import dataclass, field

# A run of one node has a few dozen steps. With more than this, the run does not end.
MAX_STEPS = 5000


class Crash(BaseException):
    """The process of a node ends here; it runs no more of its code."""


class DeadlockError(Exception):
    """All nodes wait for each other."""


@dataclass(frozen=True)
class Fault:
    """A fault at one step of one node, counted from 0 in its own steps.

    Attributes:
        node: The index of the node.
        step: Its step.
        kind: ``crash``: the process ends. ``lost``: the request or its response is lost. ``late``: the process ends,
            and its request is carried out at some later step. ``refused``: the service refuses.
    """

    node: int
    step: int
    kind: str


class Node:
    """A control node, or a person: a function that runs in a separate thread."""

    def __init__(self, index: int, name: str, work: t.Callable[[Node], t.Any], skew: float = 0.0) -> None:
        self.index = index
        self.name = name
        self.work = work
        self.skew = skew
        self.go = threading.Semaphore(0)
        self.result: t.Any = None
        self.is_done = False
        self.is_dead = False
        self.waits = False
        self.labels: list[str] = []
        self.first = self.last = -1


@dataclass
class Schedule:
    """One order of the steps of some nodes.

    Attributes:
        nodes: The nodes; the first one begins.
        preemptions: By the number of a step, the index of the node that continues there.
        faults: The faults that happen.
        chance: A random generator that decides instead of the preemptions, if given.
    """

    nodes: list[Node]
    preemptions: t.Mapping[int, int] = field(default_factory=dict)
    faults: t.Sequence[Fault] = ()
    chance: random.Random | None = None
    trace: list[tuple[int, str]] = field(default_factory=list)
    # By the number of a step, the other nodes that could have continued there.
    others: list[list[int]] = field(default_factory=list)
    # By the same number, the label of the next step, and whether it was the first one of its node.
    asked: list[tuple[str, bool]] = field(default_factory=list)
    deadlock: bool = False

    def run(self) -> None:
        """Run the nodes until all are done."""
        self._end = threading.Semaphore(0)
        for node in self.nodes:
            self._start(node)
        self.nodes[0].go.release()
        self._end.acquire()

    def _start(self, node: Node) -> None:
        def work() -> None:
            node.go.acquire()
            node.first = len(self.trace)
            try:
                node.result = node.work(node)
            except BaseException as exc:
                node.result = exc
            node.is_done, node.last = True, len(self.trace)
            self.wake()
            self._give_way(node)

        threading.Thread(target=work, daemon=True).start()

    def add(self, node: Node) -> None:
        """Add a node for a request that is in progress after its process has ended."""
        self.nodes.append(node)
        self._start(node)

    def wake(self) -> None:
        """Have the nodes that wait for a lock try again."""
        for node in self.nodes:
            node.waits = False

    def step(self, node: Node, label: str, waits: bool = False) -> str:
        """Let another node continue if the schedule requires it; then return the kind of fault of this node.

        Raises:
            Crash: The process of this node has ended.
        """
        if node.is_dead:
            raise Crash
        node.waits = waits
        number, own = len(self.others), len(node.labels)
        node.labels.append(label)
        self.asked.append((label, own == 0))
        if number > MAX_STEPS:
            raise RuntimeError("a run does not end")
        self._switch(node, number)
        self.trace.append((node.index, label))
        kind = next((fault.kind for fault in self.faults if (fault.node, fault.step) == (node.index, own)), "")
        if kind == "crash":
            node.is_dead = True
            raise Crash
        return kind

    def _switch(self, node: Node, number: int) -> None:
        ready = [other.index for other in self.nodes if not other.is_done and not other.waits]
        if not ready:
            self.deadlock = True
            for other in self.nodes:
                other.is_dead = True
            raise DeadlockError
        chosen = self.preemptions.get(number, node.index)
        if self.chance is not None and self.chance.random() < 0.3:
            chosen = self.chance.choice(ready)
        if chosen not in ready:
            chosen = ready[0]
        self.others.append([index for index in ready if index != chosen])
        if chosen != node.index:
            self.nodes[chosen].go.release()
            node.go.acquire()
            if node.is_dead:
                raise Crash

    def _give_way(self, node: Node) -> None:
        left = [other for other in self.nodes if not other.is_done]
        if left:
            left[0].go.release()
        else:
            self._end.release()
