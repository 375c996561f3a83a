# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run one program and write its resource usage: ``python -I -S launch.py RESULT PROGRAM ARGUMENT...``.

It is a separate small process. The peak memory that the system reports for a program is never less than that of the
process that started it, and the benchmark itself is not small.

The line of JSON in RESULT contains: ``code``; ``seconds`` from start to end; ``cpu``, user and system seconds of the
program and of all processes that it started and waited for; ``largest``, the peak resident memory in KiB of the largest
of these processes, as the system reports it; ``parent`` and ``worker``, the peaks of the program itself and of the
largest process that it started, sampled from VmHWM in /proc every 20 ms, and 0 without /proc.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time

SAMPLE_SECONDS = 0.02


def peak_of(process: int) -> int:
    """Return the peak memory of a process in KiB; 0 if it is unknown."""
    try:
        with open(f"/proc/{process}/status", encoding="ascii", errors="replace") as stream:
            return next((int(line.split()[1]) for line in stream if line.startswith("VmHWM:")), 0)
    except OSError:
        return 0


def children_of(process: int) -> list[int]:
    """Return the processes that a process has started."""
    try:
        with open(f"/proc/{process}/task/{process}/children", encoding="ascii") as stream:
            return [int(word) for word in stream.read().split()]
    except OSError:
        return []


class Peaks:
    """Samples the memory of a program and of the processes that it starts."""

    def __init__(self, process: int) -> None:
        self.parent = 0
        self.worker = 0
        self._process = process
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while not self._ended.wait(SAMPLE_SECONDS):
            self.parent = max(self.parent, peak_of(self._process))
            self.worker = max([self.worker, *map(peak_of, children_of(self._process))])

    def end(self) -> None:
        """Stop sampling."""
        self._ended.set()
        self._thread.join()


def main(result: str, command: list[str]) -> int:
    """Run the command to its end."""
    began = time.perf_counter()
    process = os.posix_spawn(command[0], command, os.environ)
    peaks = Peaks(process)
    _process, status, usage = os.wait4(process, 0)
    seconds = time.perf_counter() - began
    peaks.end()
    # The system reports KiB, but bytes on macOS.
    largest = usage.ru_maxrss // (1024 if sys.platform == "darwin" else 1)
    reported = {
        "code": os.waitstatus_to_exitcode(status),
        "seconds": seconds,
        "cpu": usage.ru_utime + usage.ru_stime,
        "largest": largest,
        "parent": peaks.parent,
        "worker": peaks.worker,
    }
    with open(result, "w", encoding="ascii") as stream:
        json.dump(reported, stream)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
