# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the artifact may hold, and the steps of a release that need no other program."""

from __future__ import annotations

import io
import json
import re
import tarfile
from pathlib import Path

import pytest

from tools import address, contents, publish, release
from tools.paths import ROOT

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


def test_an_address_is_written_once() -> None:
    changed = address.with_fields(GALAXY, URL)
    assert address.with_fields(changed, URL) == changed
    assert changed.count("\nrepository: %s\n" % URL) == 1 and changed.count("\nissues: %s/issues\n" % URL) == 1
    assert changed.replace("\n", "").endswith(GALAXY.replace("\n", "").rpartition("- ")[2])


def test_links_become_full_addresses() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    changed = address.with_full_links(text, URL)
    assert address.LINK.search(changed) is None
    assert changed.replace("](%s/blob/main/" % URL, "](") == text
    assert "](%s/blob/main/docs/evidence.md#secrets)" % URL in changed


@pytest.mark.parametrize("arguments", [[], ["x"], ["http://git.example/a/b"], ["https://git.example"], [URL, URL]])
def test_what_is_no_address_is_refused(arguments: list[str]) -> None:
    assert address.main(arguments) == 2


def test_the_first_release_is_the_version_that_is_written() -> None:
    release.check_version("1.0.0", [], "main", "")
    release.check_version("1.10.0", ["1.9.0", "something"], "main", "")


@pytest.mark.parametrize(
    ("version", "tags", "branch", "changes"),
    [
        *((version, [], "main", "") for version in ("", "1", "1.2", "v1.2.3", "1.2.3-rc1", "01.2.3")),
        ("1.1.0", [], "main", " M README.md"),
        ("1.1.0", [], "topic", ""),
        ("1.0.0", ["1.0.0"], "main", ""),
    ],
)
def test_a_version_that_must_not_be_released_is_refused(
    version: str, tags: list[str], branch: str, changes: str
) -> None:
    with pytest.raises(release.Refused):
        release.check_version(version, tags, branch, changes)


def test_nothing_shipped_is_left_out_of_build_ignore() -> None:
    listed = re.findall(r"^  - \"?([^\"\n]+)\"?$", GALAXY.partition("build_ignore:")[2], re.MULTILINE)
    assert {"tests", "tools", ".git*", ".build", "noxfile.py", "Makefile"} <= set(listed)
    assert json.dumps(listed)
