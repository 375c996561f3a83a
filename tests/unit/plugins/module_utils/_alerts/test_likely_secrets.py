# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Strings that resemble a secret are masked, and the usual errors of Ansible stay readable."""

from __future__ import annotations

import random
import string

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from ansible_collections.fonnte.whatsapp.plugins.module_utils._alerts.likely_secrets import (
    MAX_EXAMINED_LENGTH,
    known_secrets,
    mask_likely_secrets,
)
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.spellings import MASK

# Errors of Ansible and of common modules, which contain no secret.
READABLE = [
    "non-zero return code",
    "Unable to start service nginx: Job for nginx.service failed because the control process exited with error code.",
    "Task failed: Finalization of task args failed: 'undefined_variable_name_x' is undefined",
    "The task includes an option with an undefined variable. The error was: 'dict object' has no attribute 'x'",
    "Failed to connect to the host via ssh: ssh: connect to host 192.0.2.1 port 22: Connection timed out",
    "web1@web.example.com: Permission denied (publickey,password).",
    "No package matching 'python3-requests-2.31.0' found available, installed or updated",
    "Could not find /usr/lib/python3.12/site-packages/ansible_collections/community/general/plugins/modules on x86_64",
    "HTTPSConnectionPool(host='api.example.com', port=443): Max retries exceeded",
    "AnsibleUndefinedVariableError: unsupported operand type",
    'Updating device 081200001001: Fonnte returned "device not found"; check the number.',
    "device 6281200001001 has 78 messages left on 2026-11-22T20:59:00Z",
    "see https://docs.example.com and http://localhost:3000",
    "================================================ failed --------------------------------",
]
# In parts, because a search for secrets in this project must not find them.
KEY = "PRIVATE " + "KEY"
AWS_KEY = "AKIA" + "IOSFODNN7EXAMPLE"
# A text, and the secret in it.
SECRET = [
    ("denied for " + "Ab1/" * 10, "Ab1/"),
    ("password=one,two;three)four", "four"),
    ("\x1b[31mpassword\x1b[0m: hunter2", "hunter2"),
    ("['--password', 'hunter2']", "hunter2"),
    ("connecting to bob:hunter2@tcp(127.0.0.1:3306)/db", "hunter2"),
    (f"-----BEGIN RSA {KEY}-----\nhunter2\nother\n-----END RSA {KEY}-----", "hunter2"),
    (f"-----BEGIN OPENSSH {KEY}-----\nhunter2\nno end", "hunter2"),
    ("cannot reach https://bob:hunter2@db.example.com/", "hunter2"),
    ("cannot reach https://bob:hun/ter2@db.example.com/x", "ter2"),
    ("cannot reach https://hooks.example.com/services/hunter2", "hunter2"),
    ("cannot reach https://hooks.example.com?hunter2", "hunter2"),
    ("cannot reach https://hooks.example.com/#hunter2", "hunter2"),
    ("postgresql://app:hunter2@db.example.com:5432/app", "hunter2"),
    ("amqps://hunter2@mq.example.com", "hunter2"),
    ("https:\\/\\/bob:hunter2@db.example.com\\/x", "hunter2"),
    ("Max retries exceeded with url: /services/hunter2 (Caused by x)", "hunter2"),
    ("Authorization: Basic hunter2", "hunter2"),
    ("'Authorization': 'Bearer hunter2'", "hunter2"),
    ("Cookie: a=b; c=hunter2", "hunter2"),
    ("X-Api-Key: hunter2", "hunter2"),
    ("sent bearer hunter2hunter2", "hunter2"),
    ("password=hunter2", "hunter2"),
    ("dbPassword: hunter2", "hunter2"),
    ("password: two words hunter2", "hunter2"),
    ("password:\n  hunter2", "hunter2"),
    ("password: |\n  hunter2", "hunter2"),
    ('{"password": "hun\\"ter2", "user": "bob"}', "ter2"),
    ('{\\"password\\": \\"a,hunter2\\", \\"user\\": 1}', "hunter2"),
    ("{'token': 'hunter2'}", "hunter2"),
    ("api_key => hunter2", "hunter2"),
    ("pin: 123987", "123987"),
    ("mysql --password hunter2 app", "hunter2"),
    ("tool --db-password='hunter2 x' app", "hunter2"),
    ("curl -u bob:hunter2 x", "hunter2"),
    (f"the key {AWS_KEY} is old", AWS_KEY),
    ("id 550e8400-e29b-41d4-a716-446655440000", "446655440000"),
    ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.x", "eyJhbGci"),
    ("the token aB3@k!f-9_Qz#x+T2", "Qz#x"),
]


@pytest.mark.parametrize("text", READABLE)
def test_ordinary_error_is_unchanged(text: str) -> None:
    assert mask_likely_secrets(text) == text


@pytest.mark.parametrize(("text", "secret"), SECRET)
def test_secret_is_masked(text: str, secret: str) -> None:
    shown = mask_likely_secrets(text)
    assert secret not in shown and MASK in shown


def test_host_and_port_of_url_stay() -> None:
    shown = mask_likely_secrets("GET https://bob:hunter2@db.example.com:8443/a?b failed.")
    assert shown == f"GET https://db.example.com:8443/{MASK} failed."


@pytest.mark.parametrize("length", [20, 32, 40, 64])
@pytest.mark.parametrize(
    "alphabet", [string.ascii_letters + string.digits, string.hexdigits, "@!#+-_" + string.printable[:62]]
)
def test_random_words_are_masked(alphabet: str, length: int) -> None:
    """A fixed seed: of 2,000 words, at most half a percent resembles ordinary words."""
    chance = random.Random(length)
    words = ["".join(chance.choices(alphabet, k=length)) for _number in range(2000)]
    kept = [word for word in words if mask_likely_secrets(f"x {word} y") == f"x {word} y"]
    assert len(kept) <= 10, kept


NAMES = st.sampled_from(["password", "DB_PASSWORD", "token", "api-key", "client_secret", "auth", "mysql.pwd", "otp"])
SIGNS = st.sampled_from(["=", ": ", " = ", ":", " => "])
VALUES = st.text(alphabet=string.ascii_letters + string.digits + "@!#%^*+-_/.", min_size=6, max_size=40)
AROUND = st.text(alphabet=string.ascii_lowercase + " .", max_size=60)


@given(AROUND, NAMES, SIGNS, VALUES, AROUND)
def test_value_of_secret_name_is_masked_in_any_text(before: str, name: str, sign: str, value: str, after: str) -> None:
    assume(value not in f"{before} {name} {after}")
    assert value not in mask_likely_secrets(f"{before} {name}{sign}{value} {after}")


@given(AROUND, VALUES, VALUES, AROUND)
def test_user_path_and_query_of_url_are_masked_in_any_text(before: str, user: str, path: str, after: str) -> None:
    assume(not set("/@#") & set(user) and path.strip(".") == path)
    assume(not any(part in f"{before} https://h.example.com/ {after}{MASK}" for part in (user, path)))
    shown = mask_likely_secrets(f"{before} https://{user}@h.example.com/{path} {after}")
    assert user not in shown and path not in shown


@given(st.text(max_size=4000))
@example("password=" * 400)
@example("-----BEGIN A-----" * 200)
@example('\\"' * 1500)
@example("a-" * 2000)
@example("https://" * 400)
@example("-u a" * 900)
def test_any_text_is_accepted(text: str) -> None:
    assert len(mask_likely_secrets(text)) <= MAX_EXAMINED_LENGTH * len(MASK)


@pytest.mark.parametrize("start", range(0, 40, 3))
def test_cut_reveals_no_part_of_secret(start: int) -> None:
    """Masking shortens a text, so its cut end may be shown. The word that the cut splits is dropped."""
    text = "x " * ((MAX_EXAMINED_LENGTH - start) // 2) + AWS_KEY * 4
    shown = mask_likely_secrets(text)
    assert "AKIA" not in shown and shown.endswith(MASK if "…" not in shown else "…")


def test_values_of_secret_names_are_known_secrets() -> None:
    arguments = {
        "name": "not-secret",
        "login_password": "hunter22",
        "apiToken": "token-1",
        "headers": {"Authorization": "Basic abc"},
        "env": [{"DB_PASSWORD": "nested-1"}],
        "auth": {"user": ["listed-1", True]},
        "pin": 123987,
        "PWD": "/home/you/project",
        "short_token": "abc",
        "no_secret": None,
    }
    expected = {"hunter22", "token-1", "Basic abc", "nested-1", "listed-1", "123987"}
    assert known_secrets(arguments) == expected


def test_known_secrets_end_at_depth() -> None:
    deep: dict[str, object] = {"password": "hidden-1"}
    for _level in range(100):
        deep = {"a": deep}
    assert known_secrets(deep) == set()
