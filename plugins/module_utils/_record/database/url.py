# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The URL of a record in a database: its validation, its secrets, and the part that may be shown."""

from __future__ import annotations

import re
import typing as t
from urllib.parse import parse_qsl, unquote

from ..._common.errors import OptionError

OPTION = "record_url"
# The password of libpq's environment is used if the URL has none.
PASSWORD_VARIABLE = "PGPASSWORD"

_SCHEME = re.compile(r"postgres(?:ql)?://", re.IGNORECASE)
# Without a host, the library connects to a socket of this machine.
_LOCAL = ("", "localhost", "127.0.0.1", "::1")
_ENCRYPTED = ("require", "verify-ca", "verify-full")
_SECRET_PARAMETERS = ("password", "sslpassword")
_ENCODE = "percent-encode special characters of user name and password: @ as %40, / as %2F, : as %3A, % as %25"


def check_database_url(url: str) -> None:
    """Check that a URL names a PostgreSQL database, and that the library finds the same end of its password.

    Raises:
        OptionError: The URL is invalid. The error contains no part of it.
    """
    scheme = _SCHEME.match(url)
    if scheme is None:
        raise OptionError(
            OPTION, "it does not begin with postgresql://", "write postgresql://USER:PASSWORD@HOST/DATABASE"
        )
    if re.search(r"[^\x21-\x7e]", url):
        raise OptionError(OPTION, "it contains white space, or a character beyond printable ASCII", _ENCODE)
    authority, rest = _split(url)
    # The library would parse the end of such a password as the host, and show it.
    if authority.count("@") > 1 or "@" in rest or "#" in url:
        raise OptionError(OPTION, "its user name or password has a character with a meaning in URLs", _ENCODE)


def _split(url: str) -> tuple[str, str]:
    """Return the part between the scheme and the database, and the rest."""
    body = _SCHEME.sub("", url, count=1)
    end = min((at for at in (body.find("/"), body.find("?")) if at >= 0), default=len(body))
    return body[:end], body[end:]


def database_secrets(url: str, environment: t.Mapping[str, str]) -> set[str]:
    """Return the secrets of a URL and of libpq's environment, as written and decoded."""
    authority, rest = _split(url)
    user_info, found, _hosts = authority.rpartition("@")
    password = user_info.partition(":")[2] if found else ""
    query = rest.partition("?")[2]
    parameters = [value for name, value in parse_qsl(query) if name in _SECRET_PARAMETERS]
    words = [url, password, *parameters, environment.get(PASSWORD_VARIABLE, "")]
    return {form for word in words for form in (word, unquote(word)) if form}


def show_database(url: str) -> str:
    """Return a URL without user name, password and parameters, for messages."""
    authority, rest = _split(url)
    return f"postgresql://{authority.rpartition('@')[2]}{rest.partition('?')[0]}"


def database_warnings(url: str, environment: t.Mapping[str, str]) -> list[str]:
    """Return a warning for a connection that a machine on the network path could read and change."""
    authority, rest = _split(url)
    hosts = [_host(part) for part in authority.rpartition("@")[2].split(",")]
    parameters = dict(parse_qsl(rest.partition("?")[2]))
    hosts = [parameters.get("host") or host or environment.get("PGHOST", "") for host in hosts]
    mode = parameters.get("sslmode") or environment.get("PGSSLMODE", "")
    if mode in _ENCRYPTED or all(host.startswith("/") or host in _LOCAL for host in hosts):
        return []
    return [
        f"The connection to the record's database at {show_database(url)} may be unencrypted: another machine on the "
        "network path could read and change it. Add sslmode=verify-full to record_url."
    ]


def _host(part: str) -> str:
    """Return the host of a part such as host:port. It may be the directory of a socket, which is encoded."""
    return unquote(part[1:].partition("]")[0] if part.startswith("[") else part.partition(":")[0])
