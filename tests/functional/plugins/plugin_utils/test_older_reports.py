# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports of an earlier run do not stay next to new ones, and no other file is removed."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from ansible_collections.fonnte.whatsapp.plugins.plugin_utils._declared_audit import (
    INDEX,
    AuditAction,
    remove_older_reports,
)

FORMS = ("html", "json", "csv", "txt")


def report(folder: Path) -> list[str]:
    """Write a report into a directory, and return its files."""
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / f"audit.{form}" for form in FORMS]
    for file in files:
        file.write_text("report", encoding="utf-8")
    return [str(file) for file in files]


def names(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.name != INDEX and path.is_file()}


def test_report_of_a_removed_account_is_removed(tmp_path: Path) -> None:
    for account in ("bunga", "warung"):
        report(tmp_path / account)
    remove_older_reports(str(tmp_path), ["bunga", "warung"])
    remove_older_reports(str(tmp_path), ["bunga"])
    assert names(tmp_path) == {f"bunga/audit.{form}" for form in FORMS} and not (tmp_path / "warung").exists()


def test_page_of_one_account_is_removed_when_there_are_several(tmp_path: Path) -> None:
    for place in (".", "bunga", "warung"):
        report(tmp_path / place)
    remove_older_reports(str(tmp_path), ["."])
    remove_older_reports(str(tmp_path), ["bunga", "warung"])
    assert not (tmp_path / "audit.html").exists() and (tmp_path / "bunga" / "audit.html").exists()


def test_other_files_and_reports_of_other_runs_stay(tmp_path: Path) -> None:
    for place in ("bunga", "warung", "by-hand"):
        report(tmp_path / place)
    remove_older_reports(str(tmp_path), ["bunga", "warung"])
    (tmp_path / "warung" / "notes.txt").write_text("mine", encoding="utf-8")
    remove_older_reports(str(tmp_path), ["bunga"])
    assert (tmp_path / "by-hand" / "audit.html").exists() and names(tmp_path / "warung") == {"notes.txt"}


@pytest.mark.parametrize("place", ["victim", "../victim", "/etc", "a/../../victim"])
def test_no_link_and_no_path_outside_the_directory_is_followed(tmp_path: Path, place: str) -> None:
    """Another user of a shared directory can write the list, and replace a directory by a link."""
    dest = tmp_path / "reports"
    victim = report(tmp_path / "victim")
    report(dest / "bunga")
    (dest / "victim").symlink_to(tmp_path / "victim")
    (dest / INDEX).write_text(f"bunga\n{place}\n", encoding="utf-8")
    remove_older_reports(str(dest), ["bunga"])
    assert all(Path(file).exists() for file in victim)


def test_directory_above_is_no_place(tmp_path: Path) -> None:
    above = report(tmp_path)
    kept = report(tmp_path / "reports" / "bunga")
    (tmp_path / "reports" / INDEX).write_text("bunga\n..\n\n", encoding="utf-8")
    remove_older_reports(str(tmp_path / "reports"), ["bunga"])
    assert all(Path(file).exists() for file in (*above, *kept))


class Action(AuditAction):
    """The action with the results of its accounts, instead of a run of the module."""

    _selects = False

    def __init__(self, dest: Path, results: list[dict[str, object]]) -> None:
        self._task = SimpleNamespace(args={"dest": str(dest)}, check_mode=False)
        self._results = results

    def _run_all(self, *_arguments: object) -> list[dict[str, object]]:
        return self._results


def test_report_of_an_account_that_cannot_be_read_stays(tmp_path: Path) -> None:
    """On a bad day, the page of yesterday is what the owner has."""
    accounts = [{"name": "bunga"}, {"name": "warung"}]
    results = [{"files": {"html": report(tmp_path / account["name"])[0]}} for account in accounts]
    Action(tmp_path, results)._run_accounts({}, "", accounts, 1)
    failed = {"failed": True, "msg": "the service failed with HTTP 502"}
    assert Action(tmp_path, [results[0], failed])._run_accounts({}, "", accounts, 1)["failed"]
    assert names(tmp_path / "warung") == {f"audit.{form}" for form in FORMS}
    Action(tmp_path, [results[0]])._run_accounts({}, "", accounts[:1], 1)
    assert names(tmp_path) == set()
