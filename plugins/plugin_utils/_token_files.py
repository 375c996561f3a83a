# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Export device tokens: into an encrypted file for each client, and to a command of the user."""

from __future__ import annotations

import os
import stat
import subprocess
import typing as t
from dataclasses import dataclass

import yaml
from ansible.errors import AnsibleError
from ansible.parsing.vault import VaultLib, VaultSecret

from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.atomic_files import write_all, write_problem
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.destinations import (
    check_destination,
    check_links,
    make_directory,
)
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.errors import OptionError
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.input_files import read_whole

KEY = "fonnte_device_tokens"
MODE_DIRECTORY, MODE_FILE = 0o700, 0o600
# With the extension and the name of a temporary file, the name stays within the limits of file systems.
MAX_NAME_LENGTH = 150

Values = t.Mapping[str, t.Any]


class ExportError(Exception):
    """Tokens cannot be exported; the text is the message for the user."""


@dataclass(frozen=True)
class TokenExport:
    """The destinations of exported tokens.

    Attributes:
        dest: The directory of the encrypted files; empty for none.
        password: Encrypts the files.
        command: The command and its arguments. It reads each token on standard input. Empty for none.
        every: Whether the command receives the tokens of all devices, instead of only those of created devices.
        prefix: The prefix of option names in messages.
    """

    dest: str = ""
    password: str = ""
    command: tuple[str, ...] = ()
    every: bool = False
    prefix: str = ""

    @property
    def is_wanted(self) -> bool:
        """Whether tokens are exported at all."""
        return bool(self.dest or self.command)

    def path(self, file: str) -> str:
        """Return the path of a token file."""
        return os.path.join(self.dest, f"{file}.yml")

    # Before the first device is changed

    def prepare(self, files: t.Iterable[str], check_mode: bool) -> None:
        """Check that the files can be written, and create their directory, except in check mode.

        Raises:
            ExportError: Tokens could not be stored there; nothing was done.
        """
        if not self.dest:
            return
        files = list(files)
        if not self.password:
            raise ExportError(
                f"{self.prefix}tokens_dest is set and {self.prefix}tokens_password is not, so the tokens of devices "
                "could not be encrypted. Set the password with which ansible-vault encrypts them."
            )
        self._check_directory()
        names = [name for name in files if len(name.encode()) > MAX_NAME_LENGTH]
        if names:
            raise ExportError(
                f"The name {names[0][:40]}… is too long for a file of tokens; give the client a shorter name. Nothing was "
                "done."
            )
        paths = [path for path in map(self.path, files) if os.path.lexists(path)]
        self._check_files(paths)
        if not check_mode and not os.path.isdir(self.dest):
            try:
                make_directory(self.dest, MODE_DIRECTORY)
            except OSError as exc:
                raise self._unwritable(exc.strerror or "") from None

    def _check_directory(self) -> None:
        try:
            check_destination(f"{self.prefix}tokens_dest", self.dest)
            check_links(f"{self.prefix}tokens_dest", self.dest)
        except OptionError as exc:
            raise ExportError(str(exc)) from None
        if os.path.lexists(self.dest) and not os.path.isdir(self.dest):
            raise self._unwritable("it is not a directory that you can write to")
        # A directory above it counts, too: with that permission, the directory itself can be replaced.
        exposed = [directory for directory in _with_parents(os.path.realpath(self.dest)) if _is_exposed(directory)]
        if exposed:
            raise ExportError(
                f"The tokens of devices cannot be kept in {self.dest}: everyone can replace files in {exposed[0]}. Remove "
                f"that permission (chmod o-w), or name another directory in {self.prefix}tokens_dest. Nothing was done."
            )
        if not os.path.lexists(self.dest):
            return
        if os.path.islink(self.dest) or not os.access(self.dest, os.W_OK | os.X_OK):
            raise self._unwritable("it is not a directory that you can write to")

    def _unwritable(self, why: str) -> ExportError:
        return ExportError(
            f"The tokens of devices cannot be written to {self.dest}: {why}. Correct {self.prefix}tokens_dest. Nothing "
            "was done."
        )

    def _check_files(self, paths: t.Sequence[str]) -> None:
        regular = [path for path in paths if stat.S_ISREG(os.lstat(path).st_mode)]
        self._refuse(
            [path for path in paths if path not in regular],
            "it is a link, or not a regular file",
            "Find out who created it, and remove it",
        )
        self._refuse(
            [path for path in regular if os.lstat(path).st_uid not in (0, os.geteuid())],
            "it belongs to another user, who could read them",
            "Find out who created it, and remove it or change its owner",
        )
        self._refuse(
            [path for path in regular if not _is_encrypted(path)],
            "it is not encrypted with ansible-vault",
            f"Encrypt it with {self.prefix}tokens_password (ansible-vault encrypt), or remove it",
        )
        self._refuse(
            [path for path in regular if not self._opens(path)],
            f"{self.prefix}tokens_password does not decrypt it, or it has no {KEY}",
            "Set the password that it was encrypted with, or remove it",
        )

    def _refuse(self, paths: t.Sequence[str], why: str, advice: str) -> None:
        if paths:
            raise ExportError(
                f"The tokens of devices cannot be kept in {', '.join(paths)}: {why}. {advice}. Nothing was done."
            )

    def _opens(self, path: str) -> bool:
        try:
            self._read(path)
        except (OSError, ValueError, AnsibleError, yaml.YAMLError):
            return False
        return True

    def _secret(self) -> VaultSecret:
        return VaultSecret(self.password.encode())

    def _read(self, path: str) -> dict[str, str]:
        text = VaultLib([("default", self._secret())]).decrypt(read_whole(path))
        content = yaml.safe_load(text)
        tokens = content.get(KEY) if isinstance(content, dict) else None
        if not isinstance(tokens, dict):
            raise ValueError(f"no {KEY}")
        return {str(number): str(token) for number, token in tokens.items()}

    # After the devices were changed

    def keep(self, client: Values, check_mode: bool) -> bool:
        """Store the tokens of a client in its file, except in check mode, and return whether the file changes.

        A token that could not be read this time is kept. A token is removed if its device does not belong to the client
        any more.

        Raises:
            ExportError: The file cannot be written.
        """
        path = self.path(client["file"])
        try:
            held = self._read(path) if os.path.lexists(path) else {}
            kept = {number: token for number, token in held.items() if number in client["numbers"]}
            # On older ansible-cores, the result of an ordinary module has strings of Ansible's own types.
            kept.update({str.__str__(number): str.__str__(token) for number, token in client["tokens"].items()})
            if kept == held:
                return False
            problem = write_problem(path) if not check_mode else ""
            if problem:
                raise OSError(problem)
            if not check_mode:
                text = yaml.safe_dump({KEY: kept}, default_flow_style=False, allow_unicode=True).encode()
                sealed = VaultLib().encrypt(text, secret=self._secret(), vault_id="default")
                write_all({path: sealed if isinstance(sealed, bytes) else sealed.encode()}, MODE_FILE)
        except (OSError, ValueError, AnsibleError, yaml.YAMLError):
            raise ExportError(
                f"The tokens of {client['client'] or client['file']} could not be kept in {path}. Check that it is a "
                f"regular file that ansible-vault encrypted with {self.prefix}tokens_password, and that the directory "
                "can be written to. Then run again."
            ) from None
        return True

    def give(self, client: Values) -> bool:
        """Pass the tokens of a client to the command, and return whether there were any.

        Raises:
            ExportError: The command has failed.
        """
        numbers = list(client["tokens"]) if self.every else client["new"]
        for number in numbers:
            environment = {**os.environ, "FONNTE_DEVICE": number, "FONNTE_CLIENT": client["client"]}
            try:
                done = subprocess.run(
                    self.command,
                    input=client["tokens"][number].encode(),
                    env=environment,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    check=False,
                )
                failed = done.returncode != 0
            except (OSError, ValueError):
                # A name with a null byte cannot be in the environment.
                failed = True
            if failed:
                raise ExportError(
                    f"The command {self.command[0]} of {self.prefix}tokens_command failed for "
                    f"{client['client'] or client['file']}. Correct it, and run again with {self.prefix}tokens_of: all."
                )
        return bool(numbers)


def _with_parents(path: str) -> list[str]:
    """Return a path and all directories above it, as far as they exist."""
    paths = [path]
    while os.path.dirname(paths[-1]) != paths[-1]:
        paths.append(os.path.dirname(paths[-1]))
    return [one for one in paths if os.path.isdir(one)]


def _is_exposed(directory: str) -> bool:
    """Return whether every user can rename and remove the files of others in a directory."""
    mode = os.stat(directory).st_mode
    return bool(mode & stat.S_IWOTH) and not mode & stat.S_ISVTX


def _is_encrypted(path: str) -> bool:
    try:
        return read_whole(path).startswith(b"$ANSIBLE_VAULT;")
    except OSError:
        return False
