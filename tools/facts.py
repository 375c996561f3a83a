# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the files of the collection say about themselves, for tools/asked.py.

A fact is a function of the collection's folder. It returns nothing where all is well, else a sentence. They need
PyYAML, so they are run with an environment that has it: ``python -m tools.facts FOLDER OUTPUT``.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Tuple

import yaml


def _load(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def _galaxy(root: Path) -> Dict[str, Any]:
    found: Dict[str, Any] = _load(root / "galaxy.yml")
    return found


def _listed(problem: str, found: List[str]) -> str:
    return "%s: %s" % (problem, ", ".join(sorted(found))) if found else ""


SEMANTIC = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")


def version(root: Path) -> str:
    """A version of three numbers, 1.0.0 or later."""
    text = str(_galaxy(root)["version"])
    return "" if SEMANTIC.fullmatch(text) and not text.startswith("0.") else "the version is %s" % text


def changelog(root: Path) -> str:
    """The changelog has an entry for the version that would be published."""
    releases = _load(root / "changelogs" / "changelog.yaml")["releases"]
    wanted = str(_galaxy(root)["version"])
    text = (root / "CHANGELOG.md").read_text(encoding="utf-8").replace("\\.", ".")
    return "" if wanted in releases and "## v%s" % wanted in text else "nothing about %s in the changelog" % wanted


# Automation Hub wants one of these.
HUB_TAGS = {
    "application",
    "cloud",
    "database",
    "eda",
    "infrastructure",
    "linux",
    "monitoring",
    "networking",
    "security",
    "storage",
    "tools",
    "windows",
}


def tags(root: Path) -> str:
    """Tags are set, one of them from the list of Automation Hub."""
    return "" if HUB_TAGS & set(_galaxy(root)["tags"]) else "no tag of galaxy.yml is one that Automation Hub wants"


def dependencies(root: Path) -> str:
    """Other collections, if any, from a stable version on."""
    loose = [
        name
        for name, wanted in (_galaxy(root).get("dependencies") or {}).items()
        if not re.match(r">=[1-9]", str(wanted))
    ]
    return _listed("no lower bound of 1.0.0 or later", loose)


def python_dependencies(root: Path) -> str:
    """requirements.txt has lower bounds, no upper ones, no pins and nothing of Ansible's own."""
    lines = (root / "requirements.txt").read_text(encoding="utf-8").splitlines()
    wanted = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    wrong = [line for line in wanted if not re.fullmatch(r"(?!ansible)[a-z-]+(>=[0-9.]+)?", line)]
    named = _load(root / "meta" / "execution-environment.yml")["dependencies"]["python"]
    return _listed("not as it should be", wrong) or ("" if named == "requirements.txt" and wanted else "none are named")


def lowest_core(root: Path) -> str:
    """The oldest ansible-core is named in full, and no newest one."""
    wanted = str(_load(root / "meta" / "runtime.yml")["requires_ansible"])
    return "" if re.fullmatch(r">=2\.\d+\.\d+", wanted) else "requires_ansible is %s" % wanted


PLUGIN_FOLDERS = {
    "action",
    "become",
    "cache",
    "callback",
    "cliconf",
    "connection",
    "doc_fragments",
    "filter",
    "httpapi",
    "inventory",
    "lookup",
    "module_utils",
    "modules",
    "netconf",
    "plugin_utils",
    "shell",
    "strategy",
    "sub_plugins",
    "terminal",
    "test",
    "vars",
}


def plugin_folders(root: Path) -> str:
    """Only folders that ansible-core knows."""
    return _listed("no kind of plugin", list({path.name for path in (root / "plugins").iterdir()} - PLUGIN_FOLDERS))


def private_utils(root: Path) -> str:
    """What is for this collection alone has a name that begins with an underscore."""
    folders = (root / "plugins" / folder for folder in ("module_utils", "plugin_utils"))
    return _listed("not private", [path.name for folder in folders for path in folder.glob("[!_]*.py")])


def no_ignores(root: Path) -> str:
    """Nothing tells a checker to look away."""
    files = [path for pattern in IGNORE_FILES for path in root.glob(pattern)]
    marked = [
        path
        for path in _sources(root)
        if re.search(r"#\s*(noqa|nosec|pylint:\s*disable|type:\s*ignore(?!\[))", _text(path))
    ]
    settings = _load(root / ".ansible-lint")
    skipped = [key for key in ("skip_list", "warn_list") if settings.get(key)]
    return _listed("checkers are told to look away", [str(path.relative_to(root)) for path in files + marked] + skipped)


IGNORE_FILES = ("tests/sanity/ignore*", ".ansible-lint-ignore", ".secrets.baseline", ".flake8", ".pylintrc")


def _sources(root: Path) -> List[Path]:
    return [path for folder in ("plugins", "extensions/eda") for path in (root / folder).rglob("*.py")]


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _documentation(path: Path) -> Dict[str, Any]:
    found = re.search(r'^DOCUMENTATION = r"""\n(.*?)^"""', _text(path), re.DOTALL | re.MULTILINE)
    loaded: Dict[str, Any] = yaml.safe_load(found.group(1)) if found else {}
    return loaded


# Values with which a module would only look something up. That is for a module of its own, whose name ends in _info.
ASKING = {"facts", "gathered", "get", "info", "list", "query", "read", "show", "status"}
# What looks like one and is none, with the reason.
NO_QUESTION = {
    "fonnte_message: method=get": "it says by which method of HTTP a message is sent",
}


def states(root: Path) -> str:
    """No module is asked to look something up with a value of an option, whatever the option is called."""
    found = [
        "%s: %s=%s" % (path.stem, name, choice)
        for folder in ("modules", "doc_fragments")
        for path in (root / "plugins" / folder).glob("*.py")
        for documented in _documentations(path)
        for name, option in _options(documented)
        for choice in option.get("choices", [])
        if choice in ASKING
    ]
    return _listed("a value that only asks", [one for one in found if one not in NO_QUESTION])


def _documentations(path: Path) -> List[Dict[str, Any]]:
    """The documentation of a module, or the parts of a fragment's."""
    texts = re.findall(r'^ *(?!EXAMPLES|RETURN)[A-Z_]+ = r"""\n(.*?)^"""', _text(path), re.DOTALL | re.MULTILINE)
    return [yaml.safe_load(text) for text in texts]


def _options(documented: Dict[str, Any]) -> Iterator[Tuple[str, Dict[str, Any]]]:
    """The options of a module, and those below them, each with its name."""
    for key in ("options", "suboptions"):
        for name, option in (documented.get(key) or {}).items():
            yield name, option
            yield from _options(option)


# What only reads, and is no module of information in Ansible's sense, with the reason.
READS_AND_WRITES_FILES = {
    "fonnte_audit": "it writes reports",
    "fonnte_doctor": "it writes its facts into a file, and with probes to the service",
    "fonnte_sheet": "it writes declarations",
}


def info_modules(root: Path) -> str:
    """A module that only reads is called an _info module."""
    found = []
    for path in (root / "plugins" / "modules").glob("fonnte_*.py"):
        reads = "fonnte.whatsapp.attributes.reads" in (_documentation(path).get("extends_documentation_fragment") or [])
        if reads != path.stem.endswith("_info") and path.stem not in READS_AND_WRITES_FILES:
            found.append(path.stem)
    return _listed("the name does not say whether it only reads", found)


def python_versions(root: Path) -> str:
    """README and tests/config.yml name the same oldest Python."""
    wanted = str(_load(root / "tests" / "config.yml")["modules"]["python_requires"]).lstrip(">=")
    return (
        ""
        if "Python, where the modules run | %s or newer" % wanted in _text(root / "README.md")
        else "README.md differs"
    )


# What the template of the community and that of certification have in common, in the words of the first.
HEADINGS = (
    "Requirements",
    "Installation",
    "Using this collection",
    "Included content",
    "Tested with",
    "Code of Conduct",
    "Communication and support",
    "Contributing to this collection",
    "Release notes",
    "More information",
    "Licensing",
)


def headings(root: Path) -> str:
    """The README has the headings that people look for."""
    there = re.findall(r"^## (.+)$", _text(root / "README.md"), re.MULTILINE)
    return _listed("README.md has no heading", [heading for heading in HEADINGS if heading not in there])


def conduct(root: Path) -> str:
    """README and CODE_OF_CONDUCT.md link to the code of conduct of the Ansible community."""
    link = re.compile(r"\(https://docs\.ansible\.com/\S+/code_of_conduct\.html\)")
    found = [name for name in ("README.md", "CODE_OF_CONDUCT.md") if not link.search(_text(root / name))]
    return _listed("no link", found)


def contributions(root: Path) -> str:
    """CONTRIBUTING.md says what is accepted; no agreement has to be signed."""
    text = _text(root / "CONTRIBUTING.md")
    return "" if "## What is welcome" in text and "No agreement" in text else "CONTRIBUTING.md does not say it"


def versioning(root: Path) -> str:
    """How versions are numbered, and how something goes away, is told to users and contributors."""
    text = _text(root / "README.md")
    return "" if "semantic versioning" in text.lower() and "deprecat" in text else "README.md does not say it"


def no_pip_ansible(root: Path) -> str:
    """README does not tell anybody to install Ansible with pip."""
    found = re.findall(r"pip3? install[^\n]*\bansible(?:-core)?\b", _text(root / "README.md"))
    return _listed("README.md says", found)


def workflows(root: Path) -> str:
    """CI calls the targets of the Makefile, for each push and pull request and once a week."""
    checks = _load(root / ".github" / "workflows" / "checks.yml")
    when = checks["on"]
    runs = [step.get("run", "") for job in checks["jobs"].values() for step in job["steps"]]
    missing = [target for target in ("make test", "make matrix", "make release-check") if target not in runs]
    missing += [event for event in ("push", "pull_request", "schedule") if event not in when]
    return _listed("not in .github/workflows/checks.yml", missing)


def cores(root: Path) -> str:
    """The matrix begins with the oldest ansible-core of requires_ansible."""
    from tools.matrix import CORES

    oldest = str(_load(root / "meta" / "runtime.yml")["requires_ansible"]).lstrip(">=").rsplit(".", 1)[0]
    return "" if CORES[0].minor == oldest else "make matrix begins with %s" % CORES[0].minor


def address(root: Path) -> str:
    """galaxy.yml names where the source, the issues and the documentation are."""
    galaxy = _galaxy(root)
    return _listed(
        "not set in galaxy.yml", [key for key in ("repository", "issues", "documentation") if not galaxy.get(key)]
    )


def full_links(root: Path) -> str:
    """The README links with full addresses: places that show it show it alone."""
    links = re.findall(r"\]\(([^)\s]+)\)", _text(root / "README.md"))
    short = [link for link in links if "://" not in link and not link.startswith("#")]
    return "%d links of README.md are not full addresses" % len(short) if short else ""


FACTS: Dict[str, Callable[[Path], str]] = {
    function.__name__: function
    for function in (
        address,
        changelog,
        conduct,
        contributions,
        cores,
        dependencies,
        full_links,
        headings,
        info_modules,
        lowest_core,
        no_ignores,
        no_pip_ansible,
        plugin_folders,
        private_utils,
        python_dependencies,
        python_versions,
        states,
        tags,
        version,
        versioning,
        workflows,
    )
}


def main(folder: str, output: str) -> None:
    """Write what is wrong with each fact, as JSON; an empty text where nothing is."""
    told = {name: fact(Path(folder)) for name, fact in FACTS.items()}
    Path(output).write_text(json.dumps(told), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
