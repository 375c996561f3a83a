# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The text of an alert is short and inert, for all names and errors."""

from __future__ import annotations

import re
import typing as t
from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fonnte.whatsapp.plugins.module_utils._alerts.alert_text import (
    MAX_MESSAGE_LENGTH,
    MAX_SEARCHED_LENGTH,
    compose,
    make_inert,
    mask_text,
)
from ansible_collections.fonnte.whatsapp.plugins.module_utils._alerts.outcome import Failure, Outcome
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.spellings import SecretFinder


def failed(*hosts: str, task: str = "Deploy", error: str = "it broke", **more: t.Any) -> Outcome:
    failures = tuple(Failure(host, task, error) for host in hosts)
    return Outcome("site.yml", hosts=len(hosts), failed=hosts, failures=failures, **more)


def test_alert_names_playbook_hosts_task_and_first_error() -> None:
    assert compose(failed("web1.example.com", "web2"), True) == (
        "Ansible: site.yml has failed\nHosts: web1.example.com, web2\nTask: Deploy\nError: web1.example.com: it broke"
    )


def test_alert_without_detail_has_no_error() -> None:
    assert compose(failed("web1"), False) == "Ansible: site.yml has failed\nHosts: web1\nTask: Deploy"


def test_error_of_no_log_task_is_reported_as_hidden() -> None:
    assert compose(failed("web1", error=""), True).endswith("\nError: hidden, because the task has no_log")


def test_hosts_beyond_ten_are_counted_and_unreachable_ones_are_marked() -> None:
    hosts = [f"web{number}" for number in range(25)]
    text = compose(failed(*hosts, unreachable=frozenset(["web1"])), False)
    assert text.splitlines()[1] == (
        "Hosts: web0, web1 (unreachable), web2, web3, web4, web5, web6, web7, web8, web9 and 15 more"
    )


@pytest.mark.parametrize(("count", "words"), [(1, ""), (2, " (and 1 more task)"), (4, " (and 3 more tasks)")])
def test_further_tasks_are_counted(count: int, words: str) -> None:
    failures = tuple(Failure("web1", f"task {number}", "x") for number in range(count))
    outcome = Outcome("site.yml", failed=("web1",), failures=failures)
    assert compose(outcome, False).splitlines()[2] == f"Task: task 0{words}"


def test_failure_without_task_has_neither_task_nor_error() -> None:
    assert compose(Outcome("site.yml", failed=("a",)), True) == "Ansible: site.yml has failed\nHosts: a"


def test_success_and_check_mode() -> None:
    assert compose(Outcome("site.yml", hosts=3, changed=1), True) == (
        "Ansible: site.yml has completed\nHosts: 3, 1 changed"
    )
    assert compose(Outcome("site.yml", check_mode=True), True).startswith("Ansible: site.yml (check mode) has ")


def test_known_secret_is_masked_in_any_encoding() -> None:
    finder = SecretFinder(["hunter2hunter2"])
    for spelled in ("hunter2hunter2", "HUNTER2HUNTER2", b64encode(b"hunter2hunter2").decode(), "hunter2%68unter2"):
        assert spelled not in mask_text(f"it is {spelled} here", finder)


HOSTILE = st.text(max_size=300) | st.text(alphabet="*_~`>{}#[]@\\'\"./: \n\x1b[2J\u202eabchttp", max_size=300)
# The beginnings of markup, of variables, of links and of mentions.
LIVE = re.compile(r"[*~`{\\#]|://(?!\u200b)|:(?=//)|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|@(?=[^\s\u200b])")


@given(HOSTILE, HOSTILE, HOSTILE, st.lists(HOSTILE, min_size=1, max_size=12))
def test_any_alert_is_inert_and_short(playbook: str, task: str, error: str, hosts: list[str]) -> None:
    outcome = failed(*hosts, task=task, error=error)
    text = compose(Outcome(playbook, failed=outcome.failed, failures=outcome.failures), True)
    assert len(text) <= MAX_MESSAGE_LENGTH and text.count("\n") == 3
    assert all(letter.isprintable() or letter in "\n\u200b" for letter in text)
    assert not LIVE.search(text), LIVE.search(text)
    text.encode("utf-8")


def test_longest_alert_keeps_part_of_error() -> None:
    hosts = ["h" * 100 + str(number) for number in range(20)]
    down = frozenset(hosts)
    outcome = Outcome(
        "p" * 500, True, failed=tuple(hosts), unreachable=down, failures=(Failure("h" * 99, "t" * 999, "e" * 999),)
    )
    text = compose(outcome, True)
    assert len(text) <= MAX_MESSAGE_LENGTH and "e" * 20 in text


def test_links_are_interrupted_in_errors() -> None:
    assert make_inert("see http://evil.example.com", 100) == "see http:\u200b//evil.\u200bexample.\u200bcom"
    assert make_inert("fonnte_device 1.5", 100) == "fonnte_device 1.5"


def test_only_the_start_of_a_large_error_is_searched() -> None:
    searched: list[str] = []

    class Finder(SecretFinder):
        def mask(self, text: str, *arguments: object, **options: object) -> str:
            searched.append(text)
            return text

    mask_text("x " * 1_000_000, Finder())
    assert len(searched[0]) == MAX_SEARCHED_LENGTH
