# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation as a site: pages of modules, plugins, roles and playbooks, and the guides as they are.

The Markdown files keep their places in the site's source, so that their links lead where they lead on GitHub.
"""

from __future__ import annotations

import os
import posixpath
import re
import shutil
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from tools.paths import BUILD, NAME, NAMESPACE

if TYPE_CHECKING:
    # The tests of this file run without nox.
    from tools.stage import Stage

SITE = BUILD / "site"
HTML = SITE / "html"
INDEX = "docs/README.md"
COLLECTION = "collection"
LINK = re.compile(r"\]\(([^)\s#]+)[^)\s]*\)")
# Templates for GitHub are not pages of the site.
NOT_SHOWN = (".github/",)

# The title of a page of a module is long: in the font size of the theme its name is broken.
STYLE = "h1 { font-size: 1.75em; }\nh2 { font-size: 1.4em; }\nh3 { font-size: 1.15em; }\n"

# The references of pages of antsibull-docs to the documentation of Ansible: label, page, title.
LABELS = (
    ("action_plugins", "plugins/action.html", "Action plugins"),
    ("callback_plugins", "plugins/callback.html", "Callback plugins"),
    ("ansible_configuration_settings", "reference_appendices/config.html", "Ansible Configuration Settings"),
    ("common_return_values", "reference_appendices/common_return_values.html", "Return Values"),
    ("ansible_collections.ansible.builtin.uri_module", "collections/ansible/builtin/uri_module.html", "uri module"),
)
VARIABLES = tuple("ANSIBLE_CACHE_PLUGIN" + end for end in ("", "_CONNECTION", "_PREFIX", "_TIMEOUT"))


def build(stage: Stage) -> int:
    """Build the site into .build/site/html; return the number of its pages."""
    shutil.rmtree(str(SITE), ignore_errors=True)
    source = SITE / "source"
    _copy_pages(stage, source)
    _write_reference(stage, source / COLLECTION)
    _write_pages(stage.tree, source)
    options = ("--quiet", "--fail-on-warning", "--keep-going", "--builder", "html")
    stage.run("sphinx-build", *options, "--doctree-dir", str(SITE / "doctrees"), str(source), str(HTML))
    return len(list(HTML.rglob("*.html")))


def _write_reference(stage: Stage, target: Path) -> None:
    """Have antsibull-docs write the pages of modules, plugins and roles."""
    target.mkdir()
    options = ("--use-current", "--fail-on-error", "--squash-hierarchy", "--dest-dir", str(target))
    # A checkout is often in a directory ansible_collections. In a path with two of them Ansible finds no roles.
    with tempfile.TemporaryDirectory() as root:
        os.symlink(stage.root / "ansible_collections", os.path.join(root, "ansible_collections"))
        env = dict(stage.env, ANSIBLE_COLLECTIONS_PATH=root)
        stage.run("antsibull-docs", "collection", *options, "%s.%s" % (NAMESPACE, NAME), env=env)


def _write_pages(tree: Path, source: Path) -> None:
    """Write the pages without a file in the checkout: the first one, the playbooks, and the inventory of Ansible."""
    for page in (source / COLLECTION).rglob("*.rst"):
        text = without_contents(without_empty_links(page.read_text(encoding="utf-8")))
        page.write_text(text, encoding="utf-8")
    texts = {path.stem: path.read_text(encoding="utf-8") for path in sorted((tree / "playbooks").glob("*.yml"))}
    (source / "playbooks.md").write_text(playbooks(texts), encoding="utf-8")
    guides = sections((tree / INDEX).read_text(encoding="utf-8"))
    there = sorted(str(path.relative_to(source).with_suffix("")) for path in source.rglob("*.md"))
    (source / "index.rst").write_text(contents(guides, there), encoding="utf-8")
    (source / "ansible.inv").write_bytes(inventory())
    (source / "static").mkdir()
    (source / "static" / "site.css").write_text(STYLE, encoding="utf-8")
    shutil.copyfile(tree / "docs" / "conf.py", source / "conf.py")


def _copy_pages(stage: Stage, source: Path) -> None:
    """Copy every page, and every file that a page shows or links to."""
    tree, files = stage.tree, set(stage.files)
    pages = [path for path in sorted(files) if path.endswith(".md") and not path.startswith(NOT_SHOWN)]
    linked = {
        posixpath.normpath(posixpath.join(posixpath.dirname(page), link))
        for page in pages
        for link in LINK.findall((tree / page).read_text(encoding="utf-8"))
    }
    for path in sorted(files & (set(pages) | linked)):
        (source / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(str(tree / path), str(source / path))


def without_empty_links(text: str) -> str:
    """Remove links without an address: galaxy.yml names no repository until it has one."""
    text = re.sub(r'^  - title: [^\n]*\n    url: ""\n(?:    [^\n]*\n)*\n?', "", text, flags=re.MULTILINE)
    return re.sub(r"^\.\. ansible-links::\n(?=\n*(?:\S|\Z))", "", text, flags=re.MULTILINE)


def without_contents(text: str) -> str:
    """Remove a page's own table of contents: the theme shows one, and an error if the page has one too."""
    return re.sub(r"^\.\. contents::\n(?:   [^\n]*\n)*", "", text, flags=re.MULTILINE)


def sections(index: str) -> dict[str, list[str]]:
    """Return the pages under each heading of the index of the guides, without their suffix."""
    found: dict[str, list[str]] = {}
    for part in re.split(r"^## ", index, flags=re.MULTILINE)[1:]:
        heading, _line, rest = part.partition("\n")
        links = (posixpath.normpath(posixpath.join("docs", link)) for link in LINK.findall(rest))
        found[heading] = [link[: -len(".md")] for link in links if link.endswith(".md")]
    return found


def contents(guides: dict[str, list[str]], there: list[str]) -> str:
    """Return the first page: every page of the site once, the guides in the order of their index."""
    parts = {"Start": ["README", "docs/README"], **guides}
    parts["Reference"] = [*guides.get("Reference", []), "%s/index" % COLLECTION, "playbooks"]
    named = {page for pages in parts.values() for page in pages}
    parts["More"] = [page for page in there if page not in named]
    text = "fonnte.whatsapp\n===============\n\nWhatsApp devices of a Fonnte account as code, with Ansible.\n"
    shown: list[str] = []
    for caption, pages in parts.items():
        new = [page for page in dict.fromkeys(pages) if page not in shown]
        text += "\n.. toctree::\n   :caption: %s\n   :maxdepth: 1\n\n" % caption
        text += "".join("   %s\n" % page for page in new)
        shown += new
    return text


def playbooks(texts: dict[str, str]) -> str:
    """Return a page of the head comments of the playbooks, which ansible-doc does not support."""
    text = "# Playbooks\n\nA playbook of the collection is run by its name.\n"
    for name, playbook in sorted(texts.items()):
        head = re.sub(r"^---\n(?:# .*\n)+\n", "", playbook).partition("\n\n")[0]
        title = re.search(r"^- name: (.+)$", playbook, re.MULTILINE)
        text += "\n## %s.%s.%s\n\n" % (NAMESPACE, NAME, name)
        text += "%s.\n\n%s" % (title.group(1) if title else name, "".join(_said(head)))
    return re.sub(r"\n{3,}", "\n\n", text)


def _said(head: str) -> Iterator[str]:
    """Yield prose as paragraphs, and commands as blocks. Commands are indented, or begin with the program."""
    lines = [line[1:] for line in head.splitlines() if line.startswith("#")]
    typed = False
    for line in [*lines, ""]:
        begins = line.startswith(("   ", " ansible-playbook"))
        if begins != typed:
            yield "\n```shell\n" if begins else "```\n\n"
        typed = begins
        yield (line[3:] if line.startswith("   ") else line.strip()) + "\n"


def inventory() -> bytes:
    """Return LABELS and VARIABLES as an inventory of Sphinx, so that intersphinx needs no server."""
    head = "# Sphinx inventory version 2\n# Project: ansible\n# Version: \n"
    head += "# The remainder of this file is compressed using zlib.\n"
    labels = (
        "%s std:label -1 %s#%s %s\n" % (name, page, re.sub("[._]", "-", name), title) for name, page, title in LABELS
    )
    variables = ("%s std:envvar -1 reference_appendices/config.html#envvar-%s -\n" % (name, name) for name in VARIABLES)
    return head.encode() + zlib.compress("".join((*labels, *variables)).encode())
