# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Known behavior of the service, and the file that shares it between runs.

The modules are correct under every behavior variant. A known fact only avoids warnings and errors about cases that
cannot occur. So an unknown fact does no harm, but a wrong one would: a damaged file is refused, never interpreted.
"""

from __future__ import annotations

import json
import typing as t
from dataclasses import asdict, dataclass, replace

from .._common.atomic_files import probe_write, write_atomic
from .._common.errors import OptionError
from .._common.input_files import EncodingError, decode_text, read_start

FORMAT = 1
# The collection never writes more. A path may name another kind of file, which is not read completely.
MAX_FILE_BYTES = 64 * 1024
MAX_SHOWN_LENGTH = 40
# Other users who run tasks must be able to read the file.
FILE_MODE = 0o644
# The option of fonnte_doctor that names the file.
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
    """Known behavior of the service. An unknown fact is None.

    Attributes:
        omitted: The effect of an update on omitted settings: ``keeps`` or ``resets``.
        empty_webhook: ``refused`` or ``accepted``. No response shows whether an accepted one is cleared or ignored.
        add_number: How /add-device stores ``08…``: ``verbatim`` or ``international``.
        refusal_status: The HTTP status of a refusal.
        update_without_device: Whether /update-device ``works`` without the number, or is ``refused``.
        webhook_probe: Whether the service calls a webhook's URL while it is saved: ``called`` or ``not_called``.
        listing: ``partial`` if the list lacked a device. No test can prove that a list is complete.
        profile_number: ``linked`` if the /device response contained another number than the registered one.

    Raises:
        ValueError: A value is not possible.
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
        """Return the known facts by their names."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    def merged_with(self, newer: ServiceFacts) -> ServiceFacts:
        """Return these facts, updated with newer ones."""
        return replace(self, **newer.known())


def _is_status(value: object) -> bool:
    """Return whether a value can be the HTTP status of a refusal; responses with other statuses are no refusals."""
    return isinstance(value, int) and (200 <= value < 300 or 400 <= value < 500)


def load_facts(path: str, endpoint: str, option: str) -> ServiceFacts:
    """Read the facts about a service from a file.

    Args:
        path: The file.
        endpoint: The endpoint of the run, as returned by check_endpoint.
        option: The option that contains the path, for the message.

    Raises:
        OptionError: The file is missing or invalid, or is about another service.
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
    """Read the facts like load_facts, but return None if the file does not exist."""
    if not path:
        raise OptionError(option, "it is empty", "leave the option out, or check why its variable has no value")
    try:
        raw = read_start(path, MAX_FILE_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as fault:
        raise OptionError(
            option, f"the file {path} cannot be read ({fault.strerror})", "check who owns it, or name another file"
        ) from None
    try:
        described, facts = _read(raw)
    except ValueError as fault:
        raise OptionError(
            option,
            f"this release cannot use the file {path} ({fault})",
            "name another file, or remove this one and run the playbook fonnte.whatsapp.doctor again",
        ) from None
    if described != endpoint:
        raise OptionError(
            option,
            f"the file {path} describes the service at {described}, and api_endpoint is {endpoint}",
            "name the file of this service, or run the playbook fonnte.whatsapp.doctor with another file for it",
        )
    return facts


def _read(raw: bytes) -> tuple[str, ServiceFacts]:
    """Parse the content of a file into its endpoint and its facts; raise ValueError if it is invalid."""
    if len(raw) > MAX_FILE_BYTES:
        raise ValueError("it is too large")
    try:
        # An editor may have added a byte-order mark.
        data = json.loads(decode_text(raw).lstrip("\ufeff"))
    except EncodingError as exc:
        raise ValueError(f"it {exc}") from None
    except (ValueError, RecursionError):
        raise ValueError("it is not JSON") from None
    if not isinstance(data, dict) or not isinstance(data.get("facts"), dict) or "format" not in data:
        raise ValueError("it contains no facts about the service")
    if data["format"] != FORMAT or isinstance(data["format"], bool):
        raise ValueError(f"its format is not {FORMAT}")
    if not _is_address(data.get("endpoint")):
        raise ValueError("it does not name its service")
    # A newer release may have written further facts.
    known = {name: value for name, value in data["facts"].items() if name in ServiceFacts.__dataclass_fields__}
    return data["endpoint"], ServiceFacts(**known)


def _is_address(value: object) -> bool:
    return isinstance(value, str) and value.startswith(("http://", "https://")) and value.isprintable()


def save_facts(path: str, endpoint: str, facts: ServiceFacts, found_at: str, option: str) -> None:
    """Write a file of facts atomically. It contains no secrets.

    Raises:
        OptionError: The file cannot be written.
    """
    content = {"format": FORMAT, "endpoint": endpoint, "found_at": found_at, "facts": facts.known()}
    try:
        write_atomic(path, json.dumps(content, indent=2, sort_keys=True).encode() + b"\n", FILE_MODE)
    except OSError as exc:
        raise _write_error(path, exc, option) from None


def _write_error(path: str, exc: OSError, option: str) -> OptionError:
    return OptionError(
        option, f"the file {path} cannot be written ({exc.strerror})", "name a file in one of your directories"
    )


@dataclass(frozen=True)
class FactsFile:
    """The file of facts that fonnte_doctor writes.

    Attributes:
        path: The file.
        endpoint: The endpoint of the service that it is about.
        before: The facts that it contained before; None if it did not exist.
    """

    path: str
    endpoint: str
    before: ServiceFacts | None

    def after(self, found: ServiceFacts) -> ServiceFacts:
        """Return the new facts of the file: earlier ones are kept unless a newer one was found."""
        return (self.before or ServiceFacts()).merged_with(found)

    def changes(self, found: ServiceFacts) -> bool:
        """Return whether the file must be written. A file without facts is not created."""
        return self.after(found) != (self.before or ServiceFacts())

    def probe(self) -> None:
        """Write a temporary file next to it, so that a full disk is found early; raise OptionError if this fails."""
        try:
            probe_write(self.path)
        except OSError as exc:
            raise _write_error(self.path, exc, DEST) from None

    def write(self, found: ServiceFacts, found_at: str) -> None:
        """Write the file; raise OptionError if this fails."""
        save_facts(self.path, self.endpoint, self.after(found), found_at, DEST)

    def difference(self, found: ServiceFacts) -> dict[str, t.Any]:
        """Return the difference in the format of Ansible's diff mode."""
        before = self.before.known() if self.before else {}
        return {
            "before_header": self.path,
            "after_header": self.path,
            "before": before,
            "after": self.after(found).known(),
        }
