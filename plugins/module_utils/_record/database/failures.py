# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Describe the cause of a failed connection to a database, in texts of this collection.

Before a session is open, the library may have sent a password that it found itself, in a password file or a service
file. If a server repeated it in its error, the password would be in a log, so no character of that error is shown.
"""

from __future__ import annotations

import re

ADDRESS = "check host and port in record_url, and that the server runs and accepts connections from here"
LOGIN = "check user name, password, database and certificates in record_url, in the PG* variables or the password file"
CERTIFICATE = "check sslmode, sslrootcert, sslcert and sslkey in record_url or in the PG* variables"

# Each phrase is searched for in the text of the library or the server, without the names in quotes, and printed instead
# of that text. The first one that is found has the advice.
_CAUSES = {
    "root certificate file does not exist": CERTIFICATE,
    "database does not exist": LOGIN,
    "role does not exist": LOGIN,
    "no encryption": CERTIFICATE,
    "pg_hba.conf rejects connection": LOGIN,
    "password authentication failed": LOGIN,
    "no password supplied": LOGIN,
    "authentication failed": LOGIN,
    "no pg_hba.conf entry": LOGIN,
    "does not exist": LOGIN,
    "permission denied for database": LOGIN,
    "is not permitted to log in": LOGIN,
    "too many clients": ADDRESS,
    "too many connections": ADDRESS,
    "remaining connection slots are reserved": ADDRESS,
    "the database system is starting up": ADDRESS,
    "the database system is shutting down": ADDRESS,
    "the database system is in recovery mode": ADDRESS,
    "session is read-only": ADDRESS,
    "session is not read-only": ADDRESS,
    "server is in hot standby mode": ADDRESS,
    "Connection refused": ADDRESS,
    "Connection timed out": ADDRESS,
    "timeout expired": ADDRESS,
    "Connection reset by peer": ADDRESS,
    "server closed the connection unexpectedly": ADDRESS,
    "could not translate host name": ADDRESS,
    "failed to resolve host": ADDRESS,
    "No route to host": ADDRESS,
    "Network is unreachable": ADDRESS,
    "No such file or directory": ADDRESS,
    "Permission denied": ADDRESS,
    "certificate verify failed": CERTIFICATE,
    "server certificate for": CERTIFICATE,
    "root certificate file": CERTIFICATE,
    "server does not support SSL": CERTIFICATE,
    "SSL error": CERTIFICATE,
}
UNKNOWN = "its text is not shown, since it may repeat a password: see the server's log"


def describe_failure(text: str, code: str = "") -> tuple[str, str]:
    """Return the known causes in the text of a failed connection, and the advice for the first one.

    Args:
        text: The text of the library, which contains that of the server.
        code: The SQLSTATE, if the library knows one.
    """
    folded = re.sub(r' "[^"\n]*"(?= )', "", text.lower())
    found = [phrase for phrase in _CAUSES if phrase.lower() in folded]
    shown = [one for one in found if not any(one != other and one in other for other in found)]
    if code.isalnum() and code.isascii():
        shown.append(f"SQLSTATE {code[:5]}")
    advice = _CAUSES[found[0]] if found else LOGIN if "fatal" in folded else ADDRESS
    return ", ".join(shown if found else [*shown, UNKNOWN]), advice
