# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation has correct markup, links in both directions, and a row in each list."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[3]
COLLECTION = "fonnte.whatsapp."
PACKAGE = "ansible_collections.fonnte.whatsapp.plugins"
KINDS = {"modules": "module", "lookup": "lookup", "callback": "callback", "filter": "filter", "inventory": "inventory"}


def texts_of(path: Path) -> dict[str, str]:
    """Return the texts of a plugin by their names; those of a documentation fragment are in its class."""
    plugin = importlib.import_module(f"{PACKAGE}.{path.parent.name}.{path.stem}")
    names = vars(getattr(plugin, "ModuleDocFragment", plugin))
    return {name: value for name, value in names.items() if name.isupper() and isinstance(value, str)}


def fragment(name: str) -> dict[str, Any]:
    """Return a documentation fragment, by the name that plugins use."""
    file, _dot, part = name[len(COLLECTION) :].partition(".")
    texts = texts_of(ROOT / "plugins" / "doc_fragments" / f"{file}.py")
    found: dict[str, Any] = yaml.safe_load(texts[part.upper() or "DOCUMENTATION"])
    return found


@dataclass(frozen=True)
class Documented:
    """The documentation of a plugin as written, with the fragments of the collection."""

    name: str
    kind: str
    doc: dict[str, Any]
    returns: dict[str, Any]

    @property
    def fragments(self) -> list[dict[str, Any]]:
        """Return its documentation fragments."""
        names = self.doc.get("extends_documentation_fragment") or []
        return [fragment(name) for name in names if name.startswith(COLLECTION)]

    @property
    def words(self) -> dict[str, str]:
        """Return the words that need a specific markup, with that markup."""
        found: dict[str, str] = dict.fromkeys(names_in(self.returns, "contains"), "RV")
        for part in [self.doc, *self.fragments]:
            found.update(dict.fromkeys(choices_in(part.get("options") or {}), "V"))
        for part in [self.doc, *self.fragments]:
            found.update(dict.fromkeys(names_in(part.get("options") or {}, "suboptions", "options"), "O"))
        return found


def names_in(options: dict[str, Any], *below: str) -> Iterator[str]:
    """Yield the names of options or return values, of nested ones, and their aliases."""
    for name, option in options.items():
        yield name
        yield from option.get("aliases", [])
        for key in below:
            yield from names_in(option.get(key) or {}, *below)


def choices_in(options: dict[str, Any]) -> Iterator[str]:
    for option in options.values():
        yield from (str(choice) for choice in option.get("choices", []))
        for key in ("suboptions", "options"):
            yield from choices_in(option.get(key) or {})


def plugins() -> Iterator[Documented]:
    for folder, kind in KINDS.items():
        for path in sorted((ROOT / "plugins" / folder).glob("[!_]*.py")):
            texts = texts_of(path)
            returns = yaml.safe_load(texts.get("RETURN", "")) or {}
            yield Documented(path.stem, kind, yaml.safe_load(texts["DOCUMENTATION"]), returns)


def roles() -> Iterator[Documented]:
    for path in sorted(ROOT.glob("roles/*/meta/argument_specs.yml")):
        for spec in yaml.safe_load(path.read_text(encoding="utf-8"))["argument_specs"].values():
            yield Documented(path.parents[1].name, "role", spec, {})


PLUGINS, ROLES = list(plugins()), list(roles())
MODULES = [plugin for plugin in PLUGINS if plugin.kind == "module"]
ALL = PLUGINS + ROLES
# Names that are long enough to be unambiguous in any text.
ANYWHERE = {word: "O" for one in ALL for word, mark in one.words.items() if mark == "O" and "_" in word}


def strings_in(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from strings_in(one)
    elif isinstance(value, list):
        for one in value:
            yield from strings_in(one)


# Words with the spelling of an option or a value that are neither, with the reason.
NEITHER = {
    # Keys of dictionaries whose contents only the text describes.
    ("fonnte_message", "name"),
}


def wrongly_marked(one: Documented) -> Iterator[str]:
    """Yield each C() of the documentation that needs another markup, and the correct one."""
    words = {**ANYWHERE, **one.words}
    for text in strings_in([one.doc, one.returns, *one.fragments]):
        for marked in re.findall(r"\bC\(([^)]*)\)", text):
            word = marked.partition("=")[0]
            mark = "E" if re.fullmatch(r"(FONNTE|ANSIBLE)_[A-Z_]+", marked) else words.get(word, "")
            if re.fullmatch(r"ansible\.builtin\.\w+", marked):
                mark = "M"
            if mark and (one.name, word) not in NEITHER:
                yield f"{one.name}: C({marked}) should be {mark}({marked})"


@pytest.mark.parametrize("one", ALL, ids=lambda one: f"{one.kind}-{one.name}")
def test_options_and_values_have_their_markup(one: Documented) -> None:
    assert sorted(set(wrongly_marked(one))) == []


def test_missing_markup_is_reported() -> None:
    options = {"state": {"description": "See C(state=absent), C(absent), C(no_log).", "choices": ["absent"]}}
    returns = {"found": {"description": "As in C(found) and C(FONNTE_X)."}}
    assert sorted(wrongly_marked(Documented("a", "module", {"options": options}, returns))) == [
        "a: C(FONNTE_X) should be E(FONNTE_X)",
        "a: C(absent) should be V(absent)",
        "a: C(found) should be RV(found)",
        "a: C(state=absent) should be O(state=absent)",
    ]


def named_by(one: Documented) -> set[tuple[str, str]]:
    """Return the entries of this collection in its seealso, as kind and name."""
    return {
        (entry.get("plugin_type", "module"), entry.get("module", entry.get("plugin"))[len(COLLECTION) :])
        for entry in one.doc.get("seealso") or []
        if str(entry.get("module", entry.get("plugin"))).startswith(COLLECTION)
    }


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_module_has_seealso_entries(module: Documented) -> None:
    assert named_by(module)


def test_seealso_links_are_mutual() -> None:
    # A role has no such list that every supported ansible-core accepts.
    named = {(one.kind, one.name): named_by(one) for one in PLUGINS}
    there = set(named) | {(role.kind, role.name) for role in ROLES}
    one_way = [
        (of, other)
        for of, others in named.items()
        for other in others
        if other not in there or (other in named and of not in named[other])
    ]
    assert one_way == []


GROUP = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text(encoding="utf-8"))["action_groups"]["fonnte"]
# They send no request to the service, so they have none of the options of the group.
NOT_OF_THE_GROUP = {"fonnte_link_changes", "fonnte_sheet"}


def test_action_group_has_all_modules_that_use_the_service() -> None:
    names = {module.name for module in MODULES}
    assert sorted(GROUP) == sorted(names - NOT_OF_THE_GROUP)
    for module in MODULES:
        claimed = any("action_group" in part.get("attributes", {}) for part in [module.doc, *module.fragments])
        assert claimed is (module.name in GROUP), module.name


def test_every_action_plugin_has_a_module() -> None:
    assert {path.stem for path in ROOT.glob("plugins/action/[!_]*.py")} <= {module.name for module in MODULES}


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_module_has_an_integration_target_and_a_playbook(module: Documented) -> None:
    target = ROOT / "tests" / "integration" / "targets" / module.name / "tasks" / "main.yml"
    assert f"{COLLECTION}{module.name}:" in target.read_text(encoding="utf-8")
    tests = [path.read_text(encoding="utf-8") for path in ROOT.glob("tests/conformance/*.py")]
    # A playbook that a test runs also runs its modules.
    run = re.findall(r'\bplay\("(\w+)"', "".join(tests))
    tests += [path.read_text(encoding="utf-8") for path in ROOT.glob("playbooks/*.yml") if path.stem in run]
    assert any(re.search(rf'\b[Tt]ask\("{module.name}"|{re.escape(COLLECTION)}{module.name}:', text) for text in tests)


README = (ROOT / "README.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (.+) \|$", README.partition("## Included content")[2].partition("\n## ")[0], re.MULTILINE)
# Only `make demo` runs the playbook demo.
PLAYBOOKS = sorted({path.stem for path in ROOT.glob("playbooks/*.yml")} - {"demo"})


@pytest.mark.parametrize(
    ("kind", "name"), [*((one.kind, one.name) for one in ALL), *(("playbook", name) for name in PLAYBOOKS)]
)
def test_everything_has_a_row_in_the_readme(kind: str, name: str) -> None:
    rows = [row for row in ROWS if f"`{name}`" in row and (kind == "module" or kind in row)]
    assert rows, f"{kind} {name} has no row"


def test_readme_lists_only_existing_plugins() -> None:
    there = {one.name for one in ALL} | set(PLAYBOOKS)
    there |= {path.stem for path in ROOT.glob("extensions/eda/*/**/*.*")}
    assert [name for row in ROWS for name in re.findall(r"`(\w+)`", row) if name not in there] == []


def test_lines_for_the_sandbox_are_those_of_its_page() -> None:
    block = re.search(r"^(\. \.build.*?)^```", README, re.DOTALL | re.MULTILINE)
    assert block and block[1] in (ROOT / "tests" / "sandbox" / "README.md").read_text(encoding="utf-8")


def test_first_declaration_is_the_same_everywhere() -> None:
    """The README, the tutorial and the example project begin with the same file."""
    tutorial = (ROOT / "docs" / "getting-started.md").read_text(encoding="utf-8")
    example = (ROOT / "examples" / "one-device" / "devices.yml").read_text(encoding="utf-8")
    for page in (README, tutorial):
        first = re.search(r"^```yaml\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
        assert first and example.endswith(f"\n\n{first[1]}")
