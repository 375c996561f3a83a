# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The options of the event source and their validation; matching of request paths."""

from __future__ import annotations

import functools
import hashlib
import hmac
import os
import re
import ssl
import typing as t
from dataclasses import dataclass

from .._common.atomic_files import write_problem
from .._common.endpoint import is_loopback
from .._common.errors import OptionError
from .._common.phone_numbers import canonical, parse_number, refuse_lost_zero
from .certificates import CertificateFiles
from .payload import KINDS
from .receiver import Limits

SECRET_VARIABLE = "FONNTE_EVENTS_SECRET"
HEALTH = "/health"
SECRET_LENGTH = (16, 128)
# A random string of 16 characters has nearly 16 distinct ones.
MIN_DISTINCT_CHARACTERS = 8
MAX_SECRETS = 8
CREATE_SECRET = "create one with: python3 -c 'import secrets; print(secrets.token_hex(24))'"

_TRUE = ("true", "yes", "on", "1")
_FALSE = ("false", "no", "off", "0")


@dataclass(frozen=True)
class Options:
    """The validated options of the event source.

    Attributes:
        host: The address to listen on.
        port: The port to listen on; 0 for any free one.
        secrets: The digests of the secrets that the path may have.
        tls: The certificate; None for plain HTTP.
        body_limit: The maximum size of a body in bytes.
        limits: The limits of the receiver.
        last_events_file: The file for the time of the last event of each device; empty for none.
        settle: The seconds to wait at a stop after the last event, for rules that collect events.
    """

    host: str
    port: int
    secrets: tuple[bytes, ...]
    tls: CertificateFiles | None
    body_limit: int
    limits: Limits
    last_events_file: str = ""
    settle: int = 0

    @property
    def exposed(self) -> bool:
        """Whether tokens are transmitted unencrypted over a network."""
        return self.tls is None and not is_loopback(self.host)


Args = t.Mapping[str, t.Any]

NAMES = (
    "host",
    "port",
    "secret",
    "devices",
    "certfile",
    "keyfile",
    "password",
    "cafile",
    "body_limit",
    "queue_size",
    "duplicates_within",
    "duplicates_kept",
    "return_tokens",
    "own_messages",
    "last_events_file",
    "settle",
)


def parse_options(args: Args, environment: t.Mapping[str, str]) -> Options:
    """Validate the options of the event source.

    Args:
        args: The options in the rulebook. Templates convert all values to strings, so strings are accepted for each.
        environment: The environment variables, one of which may contain the secret.

    Raises:
        OptionError: An option is unknown or invalid.
    """
    for name in args:
        if name not in NAMES:
            raise OptionError(str(name), "there is no such option", "the options are " + ", ".join(NAMES))
    secrets = tuple(_secrets(args, environment))
    return Options(
        host=_host(args.get("host")),
        port=_parse_int(args, "port", 5000, (0, 65535)),
        secrets=tuple(map(digest, secrets)),
        tls=_tls(args),
        body_limit=_parse_int(args, "body_limit", 1024 * 1024, (1024, 16 * 1024 * 1024)),
        limits=Limits(
            numbers=frozenset(_numbers(args.get("devices"))),
            waiting=_parse_int(args, "queue_size", 1000, (1, 100_000)),
            duplicates_within=float(_parse_int(args, "duplicates_within", 1200, (0, 86_400))),
            duplicates_kept=_parse_int(args, "duplicates_kept", 20_000, (0, 1_000_000)),
            return_tokens=_parse_bool(args, "return_tokens"),
            secrets=secrets,
            keep_own_messages=_parse_choice(args, "own_messages", ("drop", "keep")) == "keep",
        ),
        last_events_file=_last_events_file(args),
        settle=_parse_int(args, "settle", 0, (0, 600)),
    )


def digest(text: str) -> bytes:
    """Return the digest of a secret. Digests have the same length, so that they can be compared in constant time."""
    return hashlib.sha256(text.encode("utf-8", "replace")).digest()


def match_path(path: str, secrets: t.Sequence[bytes]) -> tuple[int | None, str | None]:
    """Return the index of the secret that a path has, and the kind of event that it names, if any.

    Args:
        path: The path of a request, without its query.
        secrets: The digests of the secrets.

    Returns:
        None as the index if the path has no secret, or an invalid end.
    """
    # If the URL in a proxy's configuration ends with a slash, the proxy sends a double slash.
    parts = [part for part in path.split("/") if part]
    first, kind = (parts + ["", ""])[:2]
    # The comparisons come first, all of them, and take the same time for every path.
    given = digest(first)
    right = [hmac.compare_digest(given, secret) for secret in secrets]
    if True not in right or len(parts) > 2 or (kind != "" and kind not in KINDS):
        return None, kind or None
    return right.index(True), kind or None


def is_health(path: str) -> bool:
    """Return whether a path is that of the health page."""
    return [part for part in path.split("/") if part] == [HEALTH.strip("/")]


def _host(value: object) -> str:
    if value is None:
        return "127.0.0.1"
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z0-9.:_-]+", value):
        raise OptionError(
            "host", "it is neither a host name nor an address", "leave it out, or write one such as 127.0.0.1"
        )
    return value


def _parse_int(args: Args, option: str, default: int, bounds: tuple[int, int]) -> int:
    value = args.get(option)
    if value is None:
        return default
    text = str(value).strip()
    if isinstance(value, bool) or not re.fullmatch(r"[0-9]{1,9}", text) or not bounds[0] <= int(text) <= bounds[1]:
        raise OptionError(
            option, "it is not a valid whole number", f"write one from {bounds[0]} to {bounds[1]}, or leave it out"
        )
    return int(text)


def _parse_bool(args: Args, option: str) -> bool:
    value = args.get(option)
    if value is None:
        return False
    text = str(value).strip().lower()
    if text not in _TRUE + _FALSE:
        raise OptionError(option, "it is neither true nor false", "write true or false, or leave it out")
    return text in _TRUE


def _secrets(args: Args, environment: t.Mapping[str, str]) -> t.Iterator[str]:
    """Yield the secrets: one, or several during a rotation. The message of an error contains none of them."""
    value = args.get("secret")
    if value is None:
        value = environment.get(SECRET_VARIABLE)
    if value in (None, "", []):
        raise OptionError("secret", "it is empty", f"set one here or in {SECRET_VARIABLE}; {CREATE_SECRET}")
    # A secret has no comma. Only in a list, white space around it is harmless.
    listed = [part.strip() for part in value.split(",")] if isinstance(value, str) and "," in value else value
    if not isinstance(listed, (list, tuple)):
        yield _checked_secret(listed, "secret")
        return
    if len(listed) > MAX_SECRETS:
        raise OptionError("secret", f"it has {len(listed)} secrets", f"keep at most {MAX_SECRETS}")
    for index, secret in enumerate(listed):
        if secret in listed[:index]:
            raise OptionError(f"secret[{index}]", "the list has it twice", "remove it, or create another one")
        yield _checked_secret(secret, f"secret[{index}]")


def _checked_secret(value: object, option: str) -> str:
    if not isinstance(value, str):
        raise OptionError(option, "it is not a string", "write it in quotes")
    if not re.fullmatch(r"[A-Za-z0-9._~-]*", value):
        raise OptionError(
            option, "it has a character that a URL would change", f"use letters, digits, - and _; {CREATE_SECRET}"
        )
    shortest, longest = SECRET_LENGTH
    if not shortest <= len(value) <= longest:
        raise OptionError(
            option, f"it has {len(value)} characters", f"a secret has {shortest} to {longest}; {CREATE_SECRET}"
        )
    if len(set(value)) < MIN_DISTINCT_CHARACTERS or value in (value * 2)[1:-1] or _counts(value):
        raise OptionError(option, "it is easy to guess", CREATE_SECRET)
    return value


def _parse_choice(args: Args, option: str, choices: t.Sequence[str]) -> str:
    """Return the value of an option; the first choice is the default."""
    value = args.get(option)
    if value is None or value == "":
        return choices[0]
    if value not in choices:
        raise OptionError(option, "it is not one of its values", "write one of " + ", ".join(choices))
    return str(value)


def _last_events_file(args: Args) -> str:
    path = _path(args, "last_events_file") or ""
    if path and not os.path.isabs(path):
        raise OptionError(
            "last_events_file", "it is not an absolute path", "write one such as /var/lib/whatsapp/last-events.json"
        )
    problem = write_problem(path) if path else ""
    if problem:
        raise OptionError("last_events_file", problem, "create the directory, or name another file")
    return path


def _counts(text: str) -> bool:
    """Return whether most characters follow their predecessor, as in 1234 or abcd."""
    steps = [ord(second) - ord(first) for first, second in zip(text, text[1:])]
    return sum(step in (-1, 0, 1) for step in steps) > len(steps) // 2


def _numbers(value: object) -> t.Iterator[str]:
    if value is None:
        return
    listed = [part for part in value.split(",") if part.strip()] if isinstance(value, str) else value
    if not isinstance(listed, (list, tuple)) or not listed:
        raise OptionError("devices", "it is not a list of numbers", "write a list of them, or leave it out for all")
    for index, number in enumerate(listed):
        digits = parse_number(number, f"devices[{index}]")
        refuse_lost_zero(number, digits, f"devices[{index}]")
        yield canonical(digits)


def _tls(args: Args) -> CertificateFiles | None:
    certfile = _path(args, "certfile")
    for option in ("keyfile", "password", "cafile"):
        if certfile is None and args.get(option) not in (None, ""):
            raise OptionError(option, "certfile is not set", "set certfile, or leave both out")
    if certfile is None:
        return None
    keyfile, cafile = _path(args, "keyfile"), _path(args, "cafile")
    password = str(args.get("password") or "")
    files = [path for path in (certfile, keyfile, cafile) if path is not None]
    return CertificateFiles(files, functools.partial(_load_tls, certfile, keyfile, cafile, password))


def _load_tls(certfile: str, keyfile: str | None, cafile: str | None, password: str) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        # Without a password, not even an empty one, OpenSSL would prompt for it on the terminal.
        context.load_cert_chain(certfile, keyfile, lambda: password)
    except (OSError, ValueError) as error:
        raise OptionError(
            "certfile",
            f"certificate and key cannot be loaded ({_because(error)})",
            "check certfile, keyfile and password",
        ) from None
    if cafile is not None:
        try:
            context.load_verify_locations(cafile)
        except (OSError, ValueError) as error:
            raise OptionError(
                "cafile", f"it cannot be loaded ({_because(error)})", "name a file in PEM format"
            ) from None
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def _path(args: Args, option: str) -> str | None:
    value = args.get(option)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise OptionError(option, "it is not a path", "write the path of a file")
    return value


def _because(error: Exception) -> str:
    # The reasons of OpenSSL contain neither the file nor the password.
    return getattr(error, "reason", None) or getattr(error, "strerror", None) or type(error).__name__
