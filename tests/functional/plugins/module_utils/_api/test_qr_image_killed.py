# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A process that is killed while it writes a QR code leaves no partial file."""

from __future__ import annotations

import base64
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ansible_collections.fonnte.whatsapp.plugins.module_utils._api.qr_image import (
    write_image,
)
from ansible_collections.fonnte.whatsapp.tests.sandbox.pairing import qr_png

TEXT = qr_png("a token", 0.0)
PNG = base64.b64decode(TEXT)
OTHER = base64.b64decode(qr_png("another token", 0.0))
# A process that is started in the background ignores Ctrl-C by default.
WRITER = """
import base64, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from ansible_collections.fonnte.whatsapp.plugins.module_utils._api.qr_image import write_image
png = base64.b64decode(sys.stdin.readline())
write_image(sys.argv[1], png)
print("begun", flush=True)
while True:
    write_image(sys.argv[1], png)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_killed_run_leaves_no_partial_file_and_the_next_one_cleans_up(tmp_path: Path, number: signal.Signals) -> None:
    path = tmp_path / "qr.png"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    for turn in range(5):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path)],
            env=environment,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert process.stdin and process.stdout
        process.stdin.write(TEXT + "\n")
        process.stdin.flush()
        assert process.stdout.readline() == "begun\n"
        time.sleep(0.02 + turn * 0.003)
        process.send_signal(number)
        process.wait()
        process.stdin.close()
        process.stdout.close()
        assert path.read_bytes() == PNG
    # test_qr_image.py proves that Ctrl-C removes the temporary file. Here it may hit the removal itself.
    left = [place for place in tmp_path.iterdir() if place != path]
    assert all(place.name.startswith(".qr.png.") and place.stat().st_mode & 0o077 == 0 for place in left)
    for place in left:
        os.utime(place, (time.time() - 3600, time.time() - 3600))
    write_image(str(path), OTHER)
    assert os.listdir(tmp_path) == ["qr.png"]
