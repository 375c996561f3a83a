# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Failures to connect to a database: known causes are described, and other words of the server are not shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.database.failures import (
    _CAUSES,
    ADDRESS,
    CERTIFICATE,
    LOGIN,
    UNKNOWN,
    describe_failure,
)


@pytest.mark.parametrize(
    "text, code, cause, advice",
    [
        (
            'to server at "h", port 1 failed: Connection refused\n\tIs the server running?',
            "",
            "Connection refused",
            ADDRESS,
        ),
        ('FATAL:  password authentication failed for user "u"', "", "password authentication failed", LOGIN),
        ('FATAL:  database "d" does not exist', "3D000", "database does not exist, SQLSTATE 3D000", LOGIN),
        ('FATAL:  database "a "b"" does not exist', "", "does not exist", LOGIN),
        ('FATAL:  role "s3cret words" does not exist', "", "role does not exist", LOGIN),
        (
            'root certificate file "/etc/db ca.pem" does not exist\nEither provide the file, use the system\'s roots',
            "",
            "root certificate file does not exist",
            CERTIFICATE,
        ),
        ("SSL error: certificate verify failed", "", "certificate verify failed, SSL error", CERTIFICATE),
        (
            'FATAL:  pg_hba.conf rejects connection for host "10.0.0.7", user "u", database "d", no encryption',
            "28000",
            "no encryption, pg_hba.conf rejects connection, SQLSTATE 28000",
            CERTIFICATE,
        ),
        ("FATAL:  s3cret words", "28P01", f"SQLSTATE 28P01, {UNKNOWN}", LOGIN),
        ("s3cret words", "s3;", UNKNOWN, ADDRESS),
    ],
)
def test_failure_has_a_cause_and_an_action(text: str, code: str, cause: str, advice: str) -> None:
    assert describe_failure(text, code) == (cause, advice)


@given(text=st.text(), causes=st.lists(st.sampled_from(sorted(_CAUSES))))
def test_unknown_words_of_the_server_are_not_shown(text: str, causes: list[str]) -> None:
    cause, _advice = describe_failure(f"{text} {' '.join(causes)}")
    assert cause == UNKNOWN or set(cause.split(", ")) <= set(_CAUSES)
