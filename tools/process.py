# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run programs: output into a log, a time limit for each, and none left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from pathlib import Path
from typing import Dict, List, Optional, Sequence

LIMIT = 2400.0

_live: List["subprocess.Popen[bytes]"] = []
_guard = threading.Lock()


def _end(process: "subprocess.Popen[bytes]", number: int) -> None:
    try:
        os.killpg(process.pid, number)
    except (ProcessLookupError, PermissionError):
        pass


def end_all() -> None:
    """End what is still running, with everything it started."""
    with _guard:
        running = list(_live)
    for process in running:
        _end(process, signal.SIGTERM)
    for process in running:
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            _end(process, signal.SIGKILL)


def run(
    command: Sequence[str],
    *,
    cwd: Path,
    env: Dict[str, str],
    log: Optional[Path],
    limit: float = LIMIT,
) -> int:
    """Run a command and return its exit code, 124 when its time was up. Without a log it writes to the terminal."""
    if log is None:
        return _run(command, cwd, env, None, limit)
    with open(log, "ab") as stream:
        stream.write(("$ " + " ".join(command) + "\n").encode())
        stream.flush()
        code = _run(command, cwd, env, stream.fileno(), limit)
        if code == 124:
            stream.write(("\nended after %d seconds: its time was up\n" % limit).encode())
    return code


def _run(command: Sequence[str], cwd: Path, env: Dict[str, str], output: Optional[int], limit: float) -> int:
    with subprocess.Popen(
        list(command),
        cwd=str(cwd),
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        start_new_session=True,
    ) as process:
        with _guard:
            _live.append(process)
        try:
            return process.wait(timeout=limit)
        except subprocess.TimeoutExpired:
            _end(process, signal.SIGTERM)
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                _end(process, signal.SIGKILL)
            return 124
        finally:
            with _guard:
                _live.remove(process)
