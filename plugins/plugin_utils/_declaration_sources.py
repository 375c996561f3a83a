# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The sources of a declaration: files, hosts of the inventory, and the variables of a play.

They are read in the process of the control node, and templates and vault values are evaluated as in Ansible's
variables. An error contains the name of the source, and never a line of it: the line may contain the secret part of a
URL.
"""

from __future__ import annotations

import os
import re
import typing as t

import yaml
from ansible.errors import AnsibleError
from ansible.parsing.vault import is_encrypted
from ansible.plugins.loader import lookup_loader
from ansible.template import Templar

from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.input_files import (
    EncodingError,
    decode_text,
    read_whole,
)
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.redaction import printable
from ansible_collections.fonnte.whatsapp.plugins.module_utils._fleet.declaration import CLIENTS, NAMES
from ansible_collections.fonnte.whatsapp.plugins.plugin_utils._controller import trust_as_template, untag

PLAY = "the play"
IGNORED_OF_HOSTS = tuple(name for name in NAMES if name != CLIENTS)
_YAML_FILE = re.compile(r"(?i)(?!\.).*\.ya?ml")
# Older ansible-cores evaluate a file name in a variable as a template.
_TEMPLATE_NAME = re.compile(r"[{}]|#(?i:jinja2)")
# A file without these has neither a template nor a value with a tag, such as an encrypted one. A backslash may spell a
# brace. Most files have none, and to evaluate a value takes as long as to plan it.
_MAY_NEED_EVALUATION = re.compile(r"\{[{%#]|#(?i:jinja2)|[!\\]")
_TEMPLATE_VARIABLE = re.compile(r"{{[-+]?\s*([A-Za-z_]\w*)(?!\w|\s*\()")

Values = t.Mapping[str, t.Any]


class SourceError(Exception):
    """A source cannot be read; the text is the message for the user."""


def split_names(given: object, option: str) -> list[str]:
    """Return a list of names. A string with commas is split, since extra variables are strings.

    Raises:
        SourceError: A name is empty, or is not a string. Joined to a directory, it would be the directory itself.
    """
    names = given.split(",") if isinstance(given, str) else given if isinstance(given, (list, tuple)) else [given]
    if any(not isinstance(name, str) or not name.strip() for name in names):
        raise SourceError(
            f"{option} has an empty name, or a value that is not a name. If there is a space behind a comma, remove "
            "it, since -e drops the rest of the string; otherwise check why the variable is empty. Nothing was read."
        )
    return [str.__str__(name).strip() for name in names]


def find_files(given: object, option: str, base: str) -> list[str]:
    """Return the paths of the named files, and of the YAML files in the named directories.

    Args:
        given: A path, or a list of paths. Relative paths start at the base.
        option: The option that they come from, for messages.
        base: A directory.

    Raises:
        SourceError: A name is empty, a path does not exist, or a file has a name that cannot be used.
    """
    names = split_names(given, option)
    paths = [os.path.realpath(os.path.join(base, os.path.expanduser(name))) for name in names]
    missing = [path for path in paths if not os.path.exists(path)]
    if missing:
        raise SourceError(f"There is no {' and no '.join(missing)}.")
    found = {path for path in paths if not os.path.isdir(path)}
    listed = [path for folder in paths if os.path.isdir(folder) for path in _yaml_files(folder)]
    strange = [path for path in listed if _TEMPLATE_NAME.search(path)]
    if strange:
        raise SourceError(
            f"The name of {len(strange)} of the files in {option} has a brace or begins with #jinja2; rename it. "
            "Nothing was read."
        )
    found.update(listed)
    if names and not found:
        raise SourceError(f"{' and '.join(paths)} has no file whose name ends with .yml.")
    return sorted(found)


def _place_of_error(text: str) -> str:
    """Return where YAML is invalid, as a part of a sentence. Some files are refused by Ansible only."""
    try:
        yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as exc:
        if exc.problem_mark is not None:
            return f"line {exc.problem_mark.line + 1}, column {exc.problem_mark.column + 1}"
    except (yaml.YAMLError, ValueError):
        pass
    return "it"


def _yaml_files(folder: str) -> list[str]:
    try:
        names = os.listdir(folder)
    except OSError as exc:
        raise SourceError(f"The directory {folder} cannot be read ({exc.strerror}). Nothing was read.") from None
    paths = [os.path.join(folder, name) for name in names if _YAML_FILE.fullmatch(name)]
    return [path for path in paths if os.path.isfile(path)]


class SourceReader:
    """Reads sources with the variables of a task.

    Args:
        loader: The loader of the task, which has the passwords of the vault.
        variables: The variables of the task.
        prefix: The prefix of option names in messages: ``fleet_`` for variables of the role.
    """

    def __init__(self, loader: t.Any, variables: Values, prefix: str = "") -> None:
        self._loader = loader
        self._variables = variables
        self._prefix = prefix
        # The text of each file by its path; empty for an encrypted file. Each file is read only once.
        self._texts: dict[str, str] = {}
        # The paths of the files whose values need no evaluation.
        self._plain: set[str] = set()

    def read(self, files: t.Sequence[str], hosts: object, own: bool) -> dict[str, t.Any]:
        """Return the data of each source by its name, in plain types.

        Args:
            files: The paths of files.
            hosts: The names of hosts and groups that have ``fleet_clients`` in their variables: a list, or a string
                with commas.
            own: Whether the variables of the task are a source, too.

        Raises:
            SourceError: A source cannot be read, or has a template or an encrypted value that cannot be evaluated.
        """
        raw = self._load_files(files)
        sources = self._fill_files(raw)
        chosen = self._choose_hosts(hosts)
        self._check_hosts(chosen)
        sources.update(self._fill_variables(chosen, own))
        return sources

    # Files

    def _load_files(self, files: t.Sequence[str]) -> dict[str, t.Any]:
        raw: dict[str, t.Any] = {}
        locked: list[str] = []
        problems: list[str] = []
        for path in files:
            try:
                raw[path] = self._load(path)
            except EncodingError as exc:
                problems.append(f"{path} {exc}; save it as UTF-8.")
            except OSError as exc:
                problems.append(f"{path} cannot be read ({exc.strerror}).")
            except (AnsibleError, ValueError):
                # Only decryption raises them here.
                locked.append(path)
            except SourceError as exc:
                problems.append(f"{path} {exc}.")
        if locked:
            are = "are" if len(locked) > 1 else "is"
            problems.append(
                f"{', '.join(locked)} {are} encrypted; add --ask-vault-pass, or correct the vault password."
            )
        if problems:
            raise SourceError(" ".join(map(printable, problems)))
        return raw

    def _load(self, path: str) -> t.Any:
        # Read the file only once: another user may replace it after a check.
        content = read_whole(path)
        encrypted = is_encrypted(content)
        text = decode_text(self._loader._vault.decrypt(content) if encrypted else content)
        self._texts[path] = "" if encrypted else text
        if not _MAY_NEED_EVALUATION.search(text):
            self._plain.add(path)
        try:
            data = self._loader.load(trust_as_template(text) if trust_as_template is not None else text, file_name=path)
        except (AnsibleError, ValueError):
            raise SourceError(f"is not valid YAML; correct {_place_of_error(text)}") from None
        if data is not None and not isinstance(data, t.Mapping):
            raise SourceError("has no dictionary; write fleet_clients or fleet_devices with a list")
        return data or {}

    def _fill_files(self, raw: Values) -> dict[str, t.Any]:
        filled: dict[str, t.Any] = {}
        unfilled: list[str] = []
        templar = Templar(loader=self._loader, variables=self._variables)
        for path, data in raw.items():
            try:
                filled[path] = untag(data) if path in self._plain else _fill(templar, data)
            except (AnsibleError, ValueError):
                unfilled.append(path)
        if unfilled:
            lacking = self._lacking(unfilled)
            raise SourceError(
                f"{', '.join(unfilled)} has a template or an encrypted value that cannot be "
                f"evaluated{_without(lacking)}. {_CORRECT}"
            )
        return filled

    def _lacking(self, paths: t.Iterable[str]) -> list[str]:
        """Return the undefined variables with which templates of files begin. No other part of a file is shown."""
        used: dict[str, None] = {}
        for path in paths:
            used.update(dict.fromkeys(_TEMPLATE_VARIABLE.findall(self._texts.get(path, ""))))
        return [name for name in used if name not in self._variables]

    # Variables of hosts and of the play

    def _choose_hosts(self, hosts: object) -> list[str]:
        """Return the named hosts that --limit includes. Ansible applies it only to the hosts of a play."""
        groups = self._variables.get("groups", {})
        given = split_names(hosts, f"{self._prefix}hosts") if hosts != [] else []
        unknown = [name for name in given if name not in groups and name not in self._variables["hostvars"]]
        if unknown:
            raise SourceError(
                f"The inventory has no group or host {' and no '.join(unknown)}. Correct {self._prefix}hosts, or name the "
                "inventory with -i."
            )
        names = list(dict.fromkeys(untag(host) for name in given for host in groups.get(name, [name])))
        limit = self._variables.get("ansible_limit")
        if not names or limit is None:
            return names
        lookup = lookup_loader.get("ansible.builtin.inventory_hostnames", loader=self._loader)
        left = {str.__str__(host) for host in lookup.run([limit], variables=self._variables)}
        chosen = [name for name in names if name in left]
        if not chosen or "@" in limit:
            raise SourceError(
                f"--limit {limit} selects none of the hosts whose clients must be read; write localhost and these "
                "hosts after --limit, without a file of names, or leave --limit out. Nothing was read."
            )
        return chosen

    def _raw(self, host: str) -> Values:
        """Return the variables of a host, with unevaluated templates."""
        hostvars = self._variables["hostvars"]
        return t.cast(Values, hostvars.raw_get(host)) if host in hostvars else {}

    def _check_hosts(self, chosen: t.Sequence[str]) -> None:
        silent = [host for host in chosen if CLIENTS not in self._raw(host)]
        if silent:
            raise SourceError(
                f"{', '.join(silent)} has no variable fleet_clients. Write it in the variables of the host, or "
                f"remove the host from {self._prefix}hosts."
            )
        # A variable that the host of the play has too, such as an extra variable, counts as a variable of the play.
        own = set(self._raw(str(self._variables.get("inventory_hostname", ""))))
        unheard = [host for host in chosen if (set(IGNORED_OF_HOSTS) & set(self._raw(host))) - own]
        if unheard:
            raise SourceError(
                f"The variables of {', '.join(unheard)} have fleet_devices, fleet_defaults or fleet_packages, and "
                "only fleet_clients is read from a host; write it into the client, or into a file that "
                f"{self._prefix}files names."
            )

    def _fill_variables(self, chosen: t.Sequence[str], own: bool) -> dict[str, t.Any]:
        filled: dict[str, t.Any] = {}
        unfilled: list[str] = []
        hostvars = self._variables.get("hostvars")
        for host in chosen:
            raw = self._raw(host)
            try:
                filled[host] = _fill(
                    Templar(loader=self._loader, variables={**raw, "hostvars": hostvars}), raw[CLIENTS]
                )
            except (AnsibleError, ValueError):
                unfilled.append(host)
        if own:
            templar = Templar(loader=self._loader, variables=self._variables)
            raw_own = {name: self._variables[name] for name in NAMES if self._variables.get(name)}
            try:
                said = {name: value for name, value in _fill(templar, raw_own).items() if value}
                filled.update({PLAY: said} if said else {})
            except (AnsibleError, ValueError):
                unfilled.append(PLAY)
        if unfilled:
            raise SourceError(
                f"The declaration of {', '.join(unfilled)} has a template or an encrypted value that cannot be "
                f"evaluated. {_CORRECT}"
            )
        return filled


_CORRECT = "Correct it, or set the missing variable or the vault password. Nothing was done."


def _fill(templar: t.Any, data: t.Any) -> t.Any:
    """Return data with its templates evaluated and its encrypted values decrypted.

    Raises:
        AnsibleError: A template or an encrypted value cannot be evaluated.
        ValueError: A template raised another exception.
    """
    try:
        return untag(templar.template(data))
    except AnsibleError:
        raise
    except Exception as exc:
        # A filter or a test of a template may raise any exception.
        raise ValueError(type(exc).__name__) from None


def _without(variables: t.Sequence[str]) -> str:
    return f" (no variable: {', '.join(variables)})" if variables else ""
