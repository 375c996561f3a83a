# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""What was found out about the service, and the file that tells it to other runs.

The modules are right whichever way the service is. A fact only spares a user what cannot happen, so one
that is not known costs nothing, and one that is wrong would: a file in doubt is refused, never guessed at.
"""

from __future__ import annotations

import json
import typing as t
from dataclasses import asdict, dataclass, replace

from .._common.atomic_files import probe_write, write_atomic
from .._common.errors import OptionError
from .._common.input_files import EncodingError, decode_text, read_start

FORMAT = 1
# Nobody writes more into it; a path that names something else is not read to its end.
MAX_FILE_BYTES = 64 * 1024
MAX_SHOWN_LENGTH = 40
# Whoever runs the other tasks has to read it.
FILE_MODE = 0o644
# The doctor's option that names the file.
DEST = "dest"

_WORDS: dict[str, tuple[str, ...]] = {
    "omitted": ("keeps", "resets"),
    "empty_webhook": ("refused", "accepted"),
    "add_number": ("verbatim", "international"),
    "update_without_device": ("works", "refused"),
    "webhook_probe": ("called", "not_called"),
    "listing": ("partial",),
    "profile_number": ("linked",),
}


@dataclass(frozen=True)
class ServiceFacts:
    """How the service is, as far as it was found out; None is not known.

    Attributes:
        omitted: What an update does to a setting that it leaves out: ``keeps`` or ``resets``.
        empty_webhook: ``refused``, or ``accepted``: cleared and ignored look the same from outside.
        add_number: How add-device stores ``08…``: ``verbatim`` or ``international``.
        refusal_status: The HTTP status of a refusal.
        update_without_device: Whether update-device needs the number: ``works`` without it, or ``refused``.
        webhook_probe: Whether a webhook's URL is called while it is saved: ``called`` or ``not_called``.
        listing: ``partial`` where a device was missing in the list. That it is complete cannot be found out.
        profile_number: ``linked`` where a profile showed another phone than the registered one.

    Raises:
        ValueError: A value that the service cannot have.
    """

    omitted: str | None = None
    empty_webhook: str | None = None
    add_number: str | None = None
    refusal_status: int | None = None
    update_without_device: str | None = None
    webhook_probe: str | None = None
    listing: str | None = None
    profile_number: str | None = None

    def __post_init__(self) -> None:
        for name, value in self.known().items():
            if not (_is_status(value) if name == "refusal_status" else value in _WORDS[name]):
                raise ValueError(f"{name} cannot be {json.dumps(value)[:MAX_SHOWN_LENGTH]}")

    def known(self) -> dict[str, t.Any]:
        """Return the facts that are known, by name."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    def merged_with(self, newer: ServiceFacts) -> ServiceFacts:
        """Return these facts with newer ones in their place, where there are such."""
        return replace(self, **newer.known())


def _is_status(value: object) -> bool:
    """Tell whether a refusal can have come with it: what comes with any other status is no answer of the service."""
    return isinstance(value, int) and (200 <= value < 300 or 400 <= value < 500)


def load_facts(path: str, endpoint: str, option: str) -> ServiceFacts:
    """Return what a file tells of a service.

    Args:
        path: The file.
        endpoint: The service that is asked, in the form of check_endpoint.
        option: The option that names the file, for the message.

    Raises:
        OptionError: There is no such file, it is of another service, or it cannot be believed.
    """
    facts = find_facts(path, endpoint, option)
    if facts is None:
        raise OptionError(
            option,
            f"there is no file {path}",
            "run the playbook fonnte.whatsapp.doctor, which writes it, or leave the option out",
        )
    return facts


def find_facts(path: str, endpoint: str, option: str) -> ServiceFacts | None:
    """Return the same, or None where there is no such file yet."""
    if not path:
        raise OptionError(option, "it is empty", "leave the option out, or see why the variable behind it has no value")
    try:
        raw = read_start(path, MAX_FILE_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as fault:
        raise OptionError(
            option, f"the file {path} cannot be read ({fault.strerror})", "see who owns it, or name another file"
        ) from None
    try:
        told_of, facts = _read(raw)
    except ValueError as fault:
        raise OptionError(
            option,
            f"the file {path} is none that this release can use ({fault})",
            "name another file, or remove this one and run the playbook fonnte.whatsapp.doctor again",
        ) from None
    if told_of != endpoint:
        raise OptionError(
            option,
            f"the file {path} is about the service at {told_of}, and api_endpoint is {endpoint}",
            "name the file of this service, or run the playbook fonnte.whatsapp.doctor with another file for it",
        )
    return facts


def _read(raw: bytes) -> tuple[str, ServiceFacts]:
    """Return the endpoint and the facts of a file's content; ValueError if it is not one of this format."""
    if len(raw) > MAX_FILE_BYTES:
        raise ValueError("it is too large")
    try:
        # A byte-order mark is what an editor adds.
        data = json.loads(decode_text(raw).lstrip("\ufeff"))
    except EncodingError as exc:
        raise ValueError(f"it {exc}") from None
    except (ValueError, RecursionError):
        raise ValueError("it is not JSON") from None
    if not isinstance(data, dict) or not isinstance(data.get("facts"), dict) or "format" not in data:
        raise ValueError("it holds no facts of the service")
    if data["format"] != FORMAT or isinstance(data["format"], bool):
        raise ValueError(f"its format is not {FORMAT}")
    if not _is_address(data.get("endpoint")):
        raise ValueError("it does not tell of which service")
    # What only a newer release knows is not ours to use.
    known = {name: value for name, value in data["facts"].items() if name in ServiceFacts.__dataclass_fields__}
    return data["endpoint"], ServiceFacts(**known)


def _is_address(value: object) -> bool:
    return isinstance(value, str) and value.startswith(("http://", "https://")) and value.isprintable()


def save_facts(path: str, endpoint: str, facts: ServiceFacts, found_at: str, option: str) -> None:
    """Write a file of facts, so that no run reads half of it. It holds no secret.

    Raises:
        OptionError: It cannot be written.
    """
    content = {"format": FORMAT, "endpoint": endpoint, "found_at": found_at, "facts": facts.known()}
    try:
        write_atomic(path, json.dumps(content, indent=2, sort_keys=True).encode() + b"\n", FILE_MODE)
    except OSError as exc:
        raise _write_error(path, exc, option) from None


def _write_error(path: str, exc: OSError, option: str) -> OptionError:
    return OptionError(
        option, f"the file {path} cannot be written ({exc.strerror})", "name a file in a folder of your own"
    )


@dataclass(frozen=True)
class FactsFile:
    """The file that the doctor writes.

    Attributes:
        path: The file.
        endpoint: The service that it is about.
        before: What it held; None where there was none.
    """

    path: str
    endpoint: str
    before: ServiceFacts | None

    def after(self, found: ServiceFacts) -> ServiceFacts:
        """Return what it is to hold: what was found out earlier stays true where nothing newer was found out."""
        return (self.before or ServiceFacts()).merged_with(found)

    def changes(self, found: ServiceFacts) -> bool:
        """Tell whether there is something new to write; a file without a fact is not made."""
        return self.after(found) != (self.before or ServiceFacts())

    def probe(self) -> None:
        """Write a temporary file next to it, so that a full disk is found before the work; OptionError if it fails."""
        try:
            probe_write(self.path)
        except OSError as exc:
            raise _write_error(self.path, exc, DEST) from None

    def write(self, found: ServiceFacts, found_at: str) -> None:
        """Write it; OptionError if that cannot be done."""
        save_facts(self.path, self.endpoint, self.after(found), found_at, DEST)

    def difference(self, found: ServiceFacts) -> dict[str, t.Any]:
        """Return the difference as Ansible shows it."""
        before = self.before.known() if self.before else {}
        return {
            "before_header": self.path,
            "after_header": self.path,
            "before": before,
            "after": self.after(found).known(),
        }
