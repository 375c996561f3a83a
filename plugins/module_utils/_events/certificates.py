# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The TLS certificate of the event source, which is reloaded when its files change.

A certificate is renewed every few weeks, but a rulebook runs for months.
"""

from __future__ import annotations

import os
import ssl
import typing as t

from .._common.errors import OptionError

# For each file: the time of its last change, its size and its inode; None for a file that cannot be read.
Version = t.List[t.Optional[t.Tuple[int, int, int]]]


class CertificateFiles:
    """The files of the certificate, its key and the authorities, and the TLS context from them."""

    def __init__(
        self,
        paths: t.Sequence[str],
        load: t.Callable[[], ssl.SSLContext],
        report: t.Callable[[str | None], None] = lambda problem: None,
    ) -> None:
        """Load the files.

        Args:
            paths: The files.
            load: Loads all files, or raises OptionError.
            report: Takes the outcome of each later reload: None for success, or the problem as a sentence.

        Raises:
            OptionError: The files cannot be loaded now.
        """
        self._paths = paths
        self._load = load
        self._version = self._read_version()
        self._context = load()
        self.report = report

    def context(self) -> ssl.SSLContext:
        """Return the context for a new connection, reloaded if a file has changed.

        If changed files cannot be loaded, the previous certificate stays in use: a renewal replaces the certificate
        and its key one after the other. They are loaded again at the next change.
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
