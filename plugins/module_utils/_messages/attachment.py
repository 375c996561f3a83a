# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The attachment of a message: the file of the option ``file`` is read and checked."""

from __future__ import annotations

import os
import typing as t

from .._api.wire import Upload
from .._common.errors import OptionError
from .._common.input_files import read_start

MAX_FILE_BYTES = 10 * 1024 * 1024


def read_attachment(params: t.Mapping[str, t.Any]) -> Upload | None:
    """Return the file to upload; None without one. Raise OptionError if it cannot be sent."""
    path = params["file"]
    if path is None:
        return None
    if params["url"] is not None:
        raise OptionError("file", "url is set as well", "a message has one attachment: remove one")
    content = _content(path)
    return Upload("file", params["filename"] or os.path.basename(path), content)


def _content(path: str) -> bytes:
    """Return the content of a file. Its type is checked first, because reading a pipe may never end."""
    if not os.path.isfile(path):
        problem = "it is not a file" if os.path.exists(path) else "there is no such file where the task runs"
        raise OptionError("file", problem, "set the path of the attachment")
    try:
        content = read_start(path, MAX_FILE_BYTES + 1)
    except OSError as fault:
        raise OptionError("file", f"it cannot be read ({fault.strerror})", "check who may read it") from None
    if not content:
        raise OptionError("file", "it is empty", "name a file with content")
    if len(content) > MAX_FILE_BYTES:
        raise OptionError(
            "file",
            f"it is larger than {MAX_FILE_BYTES // 2**20} MB",
            "reduce its size, or put it on a web server and send a link in msg",
        )
    return content
