# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the artifact may hold, what is asked of it, and the steps of a release that need no other program."""

from __future__ import annotations

import io
import json
import re
import tarfile
from pathlib import Path

import pytest

from tools import address, asked, contents, facts, publish, release, release_check
from tools.counts import Counts
from tools.paths import ROOT
from tools.runner import Outcome

WHOLE = (
    "MANIFEST.json FILES.json meta/runtime.yml meta/execution-environment.yml requirements.txt plugins/modules/a.py "
    "plugins/module_utils/_a/b.py plugins/action/a.py plugins/plugin_utils/_a.py plugins/doc_fragments/a.py "
    "plugins/inventory/a.py plugins/lookup/a.py plugins/filter/a.py extensions/eda/plugins/event_source/a.py "
    "extensions/eda/rulebooks/a.yml roles/a/tasks/main.yml roles/a/README.md playbooks/a.yml playbooks/tasks/a.yml playbooks/vars/a.yml "
    "README.md README.id.md docs/a.md docs/docsite/a.yml docs/docsite/rst/a.rst docs/a.png docs/a.svg "
    "docs/audit.schema.json examples/systemd/a.service examples/systemd/a.timer CHANGELOG.md changelogs/changelog.yaml COPYING "
    "LICENSES/GPL-3.0-or-later.txt CHANGELOG.md.license changelogs/changelog.yaml.license docs/a.png.license ARCHITECTURE.md CONTRIBUTING.md SECURITY.md"
).split()


def artifact(folder: Path, *more: str, without: str = "", readme: str = "") -> Path:
    """An artifact with every part, changed in one way."""
    path = folder / "fonnte-whatsapp-1.0.0.tar.gz"
    with tarfile.open(str(path), "w:gz") as archive:
        for name in [*WHOLE, *more]:
            if name != without:
                content = readme.encode() if name == "README.md" else b""
                one = tarfile.TarInfo(name)
                one.size = len(content)
                archive.addfile(one, io.BytesIO(content))
    return path


def test_a_whole_artifact_is_right(tmp_path: Path) -> None:
    text = "# D is `E`\n[a](docs/a.md) [b](https://c.example/d#e) [c](#d-is-e)\n```text\n[e](f)\n# G\n```\n"
    assert contents.problems(artifact(tmp_path, readme=text)) == []


@pytest.mark.parametrize(
    "name", ["Makefile", "tests/a.py", "docs/a.json", "plugins/modules/a.pyc", "plugins/test/a.py", "roles/a/x/y/z.yml"]
)
def test_what_nobody_asked_for_is_found(name: str, tmp_path: Path) -> None:
    assert contents.problems(artifact(tmp_path, name)) == [
        "%s is in the artifact, and tools/contents.py has no reason for it" % name
    ]


@pytest.mark.parametrize("name", ["COPYING", "plugins/modules/a.py", "extensions/eda/rulebooks/a.yml"])
def test_what_is_missing_is_found(name: str, tmp_path: Path) -> None:
    (problem,) = contents.problems(artifact(tmp_path, without=name))
    assert problem.endswith("is not in the artifact")


def test_a_link_to_what_is_not_shipped_is_found(tmp_path: Path) -> None:
    (problem,) = contents.problems(artifact(tmp_path, readme="See [the sandbox](tests/sandbox/README.md)."))
    assert problem == "README.md links to tests/sandbox/README.md, which is not in the artifact"


@pytest.mark.parametrize("link", ["#g", "docs/a.md#h"])
def test_a_link_to_a_heading_that_is_not_there_is_found(link: str, tmp_path: Path) -> None:
    (problem,) = contents.problems(artifact(tmp_path, readme="# D\n```text\n# G\n```\n[a](%s)\n" % link))
    assert problem == "README.md links to %s, and there is no such heading" % link


def test_the_page_of_requirements_is_up_to_date() -> None:
    assert release_check.PAGE.read_text(encoding="utf-8") == asked.page(tuple(release_check.names()))


def test_every_row_is_shown_by_something_that_there_is() -> None:
    stages = {stage.name for stage in release_check.all_stages()}
    known = stages | set(facts.FACTS)
    for row in asked.ROWS:
        assert set(row.shown_by) <= known and (row.shown_by or row.met.startswith("Waits")) and row.asks and row.met
    assert not stages & set(facts.FACTS)
    shown = {name for row in asked.ROWS for name in row.shown_by}
    assert known - {"facts"} <= shown, "asked by no row: %s" % sorted(known - shown)


def ended(*failed: str) -> list[Outcome]:
    """How all stages ended: those whose name is given failed."""
    return [Outcome(stage, Counts(1, int(stage.name in failed)), 1.0) for stage in release_check.all_stages()]


def test_a_row_fails_with_any_of_what_shows_it() -> None:
    well = dict.fromkeys(facts.FACTS, "")
    assert "FAIL" not in release_check.verdicts(ended(), well).values()
    for row in asked.ROWS:
        for name in set(row.shown_by) - set(asked.WAITING):
            bad = {**well, name: "wrong"} if name in well else well
            assert release_check.verdicts(ended(name), bad)[row] == "FAIL"


def test_what_needs_an_address_waits() -> None:
    told = {**dict.fromkeys(facts.FACTS, ""), "address": "not set", "full_links": "31 links"}
    verdicts = release_check.verdicts(ended(), told)
    assert {verdicts[row] for row in asked.ROWS if set(row.shown_by) & set(asked.WAITING)} == {"waits"}
    assert "FAIL" not in verdicts.values()


def test_what_was_not_played_has_not_passed() -> None:
    verdicts = release_check.verdicts([], dict.fromkeys(facts.FACTS, ""))
    row = next(row for row in asked.ROWS if row.shown_by == ("importer",))
    assert verdicts[row] == "FAIL"


def test_the_facts_hold_here() -> None:
    told = {name: fact(ROOT) for name, fact in facts.FACTS.items() if name not in asked.WAITING}
    assert told == dict.fromkeys(told, "")


OPTION = """class ModuleDocFragment:
    MORE = r\"\"\"
options:
  %s:
    choices: [%s, forget]
\"\"\"
"""
BELOW = """DOCUMENTATION = r\"\"\"
options:
  devices:
    suboptions:
      %s:
        choices: [present, %s]
\"\"\"
RETURN = r\"\"\"
told:
  choices: [status]
\"\"\"
"""


@pytest.mark.parametrize(("folder", "text"), [("doc_fragments", OPTION), ("modules", OPTION), ("modules", BELOW)])
@pytest.mark.parametrize(("option", "value"), [("operation", "status"), ("state", "get"), ("what", "info")])
def test_a_value_that_only_asks_is_found_whatever_its_option_is_called(
    tmp_path: Path, folder: str, text: str, option: str, value: str
) -> None:
    file = tmp_path / "plugins" / folder / "fonnte_it.py"
    file.parent.mkdir(parents=True)
    file.write_text(text % (option, value), encoding="utf-8")
    assert facts.states(tmp_path) == "a value that only asks: fonnte_it: %s=%s" % (option, value)
    file.write_text(text % (option, "backup"), encoding="utf-8")
    assert facts.states(tmp_path) == ""


def test_each_exception_to_that_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    needed = facts.NO_QUESTION
    monkeypatch.setattr(facts, "NO_QUESTION", {})
    assert facts.states(ROOT) == "a value that only asks: %s" % ", ".join(sorted(needed))


DONE = "INFO: Importer processing completed successfully, result saved to: importer_result.json\n"


@pytest.mark.parametrize(
    ("code", "output", "good"),
    [
        (0, DONE, True),
        (0, "", False),
        (1, DONE, False),
        (0, "WARNING: Ignore files skip ansible-test sanity tests, found ignore-2.16.txt\n" + DONE, False),
        (0, "ERROR: No content found in artifact\n" + DONE, False),
    ],
)
def test_a_warning_of_the_importer_is_a_failure(code: int, output: str, good: bool) -> None:
    assert (publish.importer_problems(code, output) == []) is good


GALAXY = (ROOT / "galaxy.yml").read_text(encoding="utf-8")
URL = "https://git.example/shop/fonnte.whatsapp"


def test_an_address_is_written_once(tmp_path: Path) -> None:
    changed = address.with_fields(GALAXY, URL)
    assert address.with_fields(changed, URL) == changed
    assert changed.count("\nrepository: %s\n" % URL) == 1 and changed.count("\nissues: %s/issues\n" % URL) == 1
    assert facts.version.__doc__ and changed.replace("\n", "").endswith(GALAXY.replace("\n", "").rpartition("- ")[2])
    (tmp_path / "galaxy.yml").write_text(changed, encoding="utf-8")
    assert facts.address(tmp_path) == ""


def test_links_become_full_addresses(tmp_path: Path) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    changed = address.with_full_links(text, URL)
    (tmp_path / "README.md").write_text(changed, encoding="utf-8")
    assert facts.full_links(tmp_path) == ""
    assert changed.replace("](%s/blob/main/" % URL, "](") == text
    assert "](%s/blob/main/docs/evidence.md#secrets)" % URL in changed


@pytest.mark.parametrize("arguments", [[], ["x"], ["http://git.example/a/b"], ["https://git.example"], [URL, URL]])
def test_what_is_no_address_is_refused(arguments: list[str]) -> None:
    assert address.main(arguments) == 2


def test_a_version_is_written() -> None:
    changed = release.with_version(GALAXY, "7.8.9")
    assert release.version_in(changed) == "7.8.9"
    assert release.with_version(changed, release.version_in(GALAXY)) == GALAXY


@pytest.mark.parametrize("version", ["", "1", "1.2", "v1.2.3", "1.2.3-rc1", "01.2.3"])
def test_what_is_no_version_is_refused(version: str) -> None:
    with pytest.raises(release.Refused):
        release.numbers(version)


def test_the_first_release_is_the_version_that_is_written() -> None:
    release.refuse("1.0.0", "1.0.0", [], "main", "")
    release.refuse("1.10.0", "1.9.0", ["1.9.0", "something"], "main", "")


@pytest.mark.parametrize(
    ("version", "tags", "branch", "changes"),
    [
        ("1.1.0", [], "main", " M README.md"),
        ("1.1.0", [], "topic", ""),
        ("1.0.0", ["1.0.0"], "main", ""),
        ("0.9.0", [], "main", ""),
        ("1.1.0", ["1.2.0"], "main", ""),
    ],
)
def test_what_must_not_be_released_is_refused(version: str, tags: list[str], branch: str, changes: str) -> None:
    with pytest.raises(release.Refused):
        release.refuse(version, "1.0.0", tags, branch, changes)


def test_nothing_shipped_is_left_out_of_build_ignore() -> None:
    listed = re.findall(r"^  - \"?([^\"\n]+)\"?$", GALAXY.partition("build_ignore:")[2], re.MULTILINE)
    assert {"tests", "tools", ".git*", ".build", "noxfile.py", "Makefile"} <= set(listed)
    assert json.dumps(listed)
