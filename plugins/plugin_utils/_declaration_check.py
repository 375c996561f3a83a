# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The offline check of a declaration: files are read without filling in templates, and no request is sent."""

from __future__ import annotations

import os
import stat
import typing as t
from dataclasses import dataclass

from ansible.errors import AnsibleError
from ansible.parsing.vault import is_encrypted

from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.atomic_files import write_atomic
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.destinations import check_links
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.errors import OptionError
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.input_files import (
    EncodingError,
    decode_text,
    read_whole,
)
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.redaction import printable
from ansible_collections.fonnte.whatsapp.plugins.module_utils._fleet.declaration_diff import check_declaration
from ansible_collections.fonnte.whatsapp.plugins.plugin_utils._declaration_sources import SourceError, find_files

# A comment on a pull request: everyone may read it.
REPORT_MODE = 0o644

Result = t.Dict[str, t.Any]


@dataclass(frozen=True)
class OfflineCheck:
    """The offline check of a task.

    Attributes:
        loader: The loader of the task: it knows the passwords of the vault.
        prefix: The start of the names of variables in messages.
        base: The directory where relative paths start.
    """

    loader: t.Any
    prefix: str
    base: str

    def run(self, files: object, earlier: object, report: str, stamped: bool, limits: t.Mapping[str, t.Any]) -> Result:
        """Return the result of the check.

        Args:
            files: The paths of files, as a user gives them.
            earlier: The same files before a change; an empty list if nothing is compared.
            report: The path of the report in Markdown; empty for none.
            stamped: Whether names must leave room for a stamp.
            limits: The safety limits of the run to come.

        Raises:
            SourceError: A file cannot be read, or the report cannot be written.
            OptionError: A safety limit is not a number.
        """
        path = os.path.abspath(os.path.join(self.base, os.path.expanduser(report))) if report else ""
        if path:
            self._check_report(path)
        if files == []:
            raise SourceError(f"There is no file to check. Name files or directories in {self.prefix}files.")
        texts = self._texts(files, f"{self.prefix}files")
        before = self._texts(earlier, f"{self.prefix}earlier") if earlier != [] else None
        checked = check_declaration(texts, before, stamped, **limits)
        if path:
            self._write_report(path, checked["markdown"])
        problems: list[str] = checked["problems"]
        result: Result = {"changed": False, "text": checked["text"], "failures": problems}
        return {**result, "failed": True, "msg": " ".join(problems)} if problems else result

    def _texts(self, given: object, option: str) -> dict[str, str]:
        texts: dict[str, str] = {}
        problems: list[str] = []
        for path in find_files(given, option, self.base):
            try:
                texts[path] = self._text(path)
            except EncodingError as exc:
                problems.append(f"{path} {exc}; save it as UTF-8.")
            except AnsibleError:
                problems.append(
                    f"{path} is encrypted, and cannot be decrypted: set the vault password, such as with "
                    f"--vault-password-file, or remove the file from {option}. It was not checked."
                )
            except OSError as exc:
                problems.append(f"{path} cannot be read ({exc.strerror}).")
        if problems:
            raise SourceError(" ".join(map(printable, problems)))
        return texts

    def _text(self, path: str) -> str:
        content = read_whole(path)
        return decode_text(self.loader._vault.decrypt(content) if is_encrypted(content) else content)

    def _check_report(self, path: str) -> None:
        place = f"The report cannot be written to {path}"
        option = f"{self.prefix}report"
        try:
            check_links(option, os.path.dirname(path))
        except OptionError as exc:
            raise SourceError(f"{place}: {exc}. Nothing was written.") from None
        if os.path.lexists(path) and not stat.S_ISREG(os.lstat(path).st_mode):
            raise SourceError(
                f"{place}: it is a link, or not a regular file. Name another file in {option}, or remove this one. "
                "Nothing was written."
            )
        try:
            mode = os.stat(os.path.dirname(path)).st_mode
        except OSError as exc:
            raise SourceError(f"{place} ({exc.strerror}). Nothing was written.") from None
        if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
            raise SourceError(
                f"{place}: everyone can replace files in its directory. Remove that permission (chmod o-w), or name a "
                f"file in another directory in {option}. Nothing was written."
            )

    def _write_report(self, path: str, text: str) -> None:
        try:
            write_atomic(path, text.encode(), REPORT_MODE)
        except OSError as exc:
            raise SourceError(f"The report cannot be written to {path} ({exc.strerror}).") from None
