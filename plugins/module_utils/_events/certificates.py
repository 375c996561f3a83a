# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The certificate of the event source, read again when its files change.

A certificate is renewed every few weeks, and a rulebook runs for months.
"""

from __future__ import annotations

import os
import ssl
import typing as t

from .._common.errors import OptionError

# Of each file: when it was changed, its size, its inode. None is a file that cannot be read.
Version = t.List[t.Optional[t.Tuple[int, int, int]]]


class CertificateFiles:
    """Certificate, key and authorities as files, and the TLS context that is made of them."""

    def __init__(
        self,
        paths: t.Sequence[str],
        load: t.Callable[[], ssl.SSLContext],
        report: t.Callable[[str | None], None] = lambda problem: None,
    ) -> None:
        """Load them.

        Args:
            paths: The files.
            load: Loads all of them, or raises OptionError.
            report: Takes the outcome of each later attempt: None, or the problem in a sentence.

        Raises:
            OptionError: They cannot be loaded now.
        """
        self._paths = paths
        self._load = load
        self._version = self._read_version()
        self._context = load()
        self.report = report

    def context(self) -> ssl.SSLContext:
        """Return the context for a new connection.

        Files that were replaced and cannot be loaded leave the previous certificate in use: a renewal replaces the
        certificate and its key one after the other. They are read again when one of them changes again.
        """
        version = self._read_version()
        if version != self._version:
            self._version = version
            try:
                self._context = self._load()
            except OptionError as error:
                self.report(str(error))
            else:
                self.report(None)
        return self._context

    def _read_version(self) -> Version:
        version: Version = []
        for path in self._paths:
            try:
                found = os.stat(path)
            except OSError:
                version.append(None)
            else:
                version.append((found.st_mtime_ns, found.st_size, found.st_ino))
        return version
