# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stages of the checks: one table, and a function for each kind of stage."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Callable, ContextManager, Dict, List, Optional, Sequence, Tuple

from tools import ansible_test, collection, java, site
from tools.counts import Counts, coverage, linted_files, of_junit, simulation
from tools.environment import for_stage, home_of
from tools.paths import BUILD, INSTALLED_ROOT, NAME, NAMESPACE, RESULTS, ROOT, TREE_ROOT, relative
from tools.process import run
from tools.sandbox import Sandbox, running
from tools.venvs import Venv

MODULE_UTILS = "ansible_collections.%s.%s.plugins.module_utils" % (NAMESPACE, NAME)
FAULTS = "ansible_collections.%s.%s.tests.fault_injection" % (NAMESPACE, NAME)
ALL_UNITS = ("tests/unit", "tests/functional")
# Two is what the checks are balanced for; a machine with one core gets one.
WORKERS = min(2, os.cpu_count() or 1)


@dataclass(frozen=True)
class Context:
    """What a stage runs with."""

    name: str
    venvs: Dict[str, Venv]
    tree: Path
    tree_hash: str
    log: Path
    arguments: Tuple[str, ...] = ()


@dataclass(frozen=True)
class Stage:
    """A row of the table."""

    name: str
    title: str
    run: Callable[[Context], Counts]
    # A file or folder of the checkout without which the stage would test nothing: an error.
    needs: str
    venvs: Tuple[str, ...] = ("newest",)
    # How many cores it keeps busy: two stages of one core run side by side.
    cores: int = 1
    # ansible-test writes into its tree; a copy of its own lets others run at the same time.
    tree: Path = TREE_ROOT
    arguments: Tuple[str, ...] = field(default=())


@dataclass(frozen=True)
class Checker:
    """One linter: a command, and what its output must show for a success not to be an empty one."""

    command: Tuple[str, ...]
    saw_something: Callable[[str], bool] = lambda output: True


def _checkers(venv: Venv) -> List[Checker]:
    def with_venv(*words: str) -> Tuple[str, ...]:
        return (venv.program(words[0]),) + words[1:]

    return [
        Checker(with_venv("ansible-lint", "--nocolor"), lambda output: linted_files(output) > 0),
        Checker(with_venv("antsibull-docs", "lint-collection-docs", "--plugin-docs", "--skip-rstcheck", ".")),
        Checker(with_venv("antsibull-changelog", "lint")),
        Checker(with_venv("python", "-m", "tools.error_page")),
        Checker(with_venv("mypy", "--strict", "--package", MODULE_UTILS)),
        Checker(with_venv("mypy", "--strict", "tools")),
        Checker(with_venv("mypy", "--strict", "tests/sandbox")),
        Checker(with_venv("mypy", "--strict", "tests/bench")),
        Checker(with_venv("mypy", "--strict", "--package", FAULTS)),
        Checker(with_venv("mypy", "--strict", "extensions/eda/plugins")),
        Checker(with_venv("ruff", "format", "--check", "--diff")),
        # The rules are in pyproject.toml; a contract that is kept says so, and none would be no check.
        Checker(with_venv("lint-imports", "--no-cache"), lambda output: "5 kept, 0 broken" in output),
    ]


def lint(context: Context) -> Counts:
    """Run every linter; each counts as one."""
    venv = context.venvs["newest"]
    env = for_stage(context.name, [venv.bin])
    # The tree itself, so that nothing that was installed earlier answers for it.
    env.update(ANSIBLE_COLLECTIONS_PATH=str(TREE_ROOT), MYPYPATH=str(TREE_ROOT), PYTHONPATH=str(TREE_ROOT))
    # A syntax check has no inventory: here a pattern without hosts is no error.
    del env["ANSIBLE_HOST_PATTERN_MISMATCH"]
    total = Counts()
    for checker in _checkers(venv):
        before = context.log.stat().st_size
        code = run(checker.command, cwd=context.tree, env=env, log=context.log)
        output = context.log.read_bytes()[before:].decode(errors="replace")
        good = code == 0 and checker.saw_something(output)
        if not good:
            note(context.log, "FAILED: %s (exit code %d)" % (" ".join(checker.command), code))
        total = total.plus(Counts(passed=int(good), failed=int(not good)))
    return total


def build(context: Context) -> Counts:
    """Build the artifact, look at its contents, install it offline."""
    try:
        collection.build_and_install(context.venvs["newest"], context.tree_hash, INSTALLED_ROOT, context.log)
    except collection.NotBuilt as error:
        note(context.log, str(error))
        return Counts(failed=1)
    return Counts(passed=1)


def sanity(context: Context) -> Counts:
    """Run ansible-test sanity with the stage's ansible-core."""
    (venv,) = context.venvs.values()
    return ansible_test.sanity("sanity-" + venv.name, venv, context.tree, context.log, context.arguments)


def sanity_quick(context: Context) -> Counts:
    """Run the sanity tests of the newest core on its own Python, without the slow ones."""
    venv = context.venvs["newest"]
    arguments = ("--python", venv.interpreter.minor) + context.arguments
    return ansible_test.sanity("sanity-" + venv.name, venv, context.tree, context.log, arguments)


def units(context: Context) -> Counts:
    """Run the unit tests on the tree. Of all of them together, tell how much of the engine they run."""
    # The collection as a namespace package, with no Ansible loader needed.
    env = {"PYTHONPATH": str(TREE_ROOT), "ANSIBLE_COLLECTIONS_PATH": str(TREE_ROOT)}
    if context.arguments != ALL_UNITS:
        return _pytest(context, env)
    counts = _pytest(context, env, "--cov", "--cov-report", "term-missing:skip-covered")
    covered = coverage(context.log.read_text(encoding="utf-8", errors="replace"))
    report = RESULTS / (context.name + ".xml")
    simulated = simulation([report] if report.exists() else [])
    return replace(counts, note="; ".join(filter(None, (covered, simulated, counts.note))))


def conformance(context: Context) -> Counts:
    """Run real playbooks on the installed artifact against the sandbox."""
    if build(context).failed:
        return Counts(failed=1)
    env = {"FONNTE_TESTS_INSTALLED": str(INSTALLED_ROOT)}
    if "oldest" in context.venvs:
        env["FONNTE_TESTS_OLDEST"] = str(context.venvs["oldest"].bin)
    if "runner" in context.venvs:
        env["FONNTE_TESTS_RUNNER"] = str(context.venvs["runner"].bin)
    if "community" in context.venvs:
        env["FONNTE_TESTS_COMMUNITY"] = str(context.venvs["community"].site_packages)
    return _pytest(context, env)


def guides(context: Context) -> Counts:
    """Follow every page of the documentation to the letter, and hold every module against its attributes."""
    os.environ["FONNTE_TESTS_PAGES"] = "all"
    return conformance(context)


# As distributions and people call it.
CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def browser(context: Context) -> Counts:
    """Look at the page of a report in the Chromium of this machine; make the pictures of the documentation."""
    chromium = os.environ.get("FONNTE_CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUMS)), None)
    if chromium is None:
        note(context.log, "There is no Chromium: install the package chromium, or name the program in FONNTE_CHROMIUM.")
        return Counts(failed=1)
    if docs(context).failed:
        return Counts(failed=1)
    env = {"PYTHONPATH": str(TREE_ROOT), "FONNTE_CHROMIUM": chromium, "FONNTE_PICTURES": str(ROOT / "docs")}
    env["FONNTE_SITE"] = str(site.HTML)
    return _pytest(replace(context, venvs={"newest": context.venvs["browser"]}), env)


def docs(context: Context) -> Counts:
    """Build the documentation as a site; a warning is a failure. Each page counts as one."""
    problems = site.build(context.venvs["site"], context.tree, context.log)
    for problem in problems:
        note(context.log, "FAILED: " + problem)
    pages = len(list(site.HTML.rglob("*.html"))) if not problems else 0
    return Counts(passed=pages, failed=len(problems), note="" if problems else relative(site.HTML / "index.html"))


def _pytest(context: Context, extra: Dict[str, str], *more: str) -> Counts:
    venv = context.venvs["newest"]
    env = for_stage(context.name, [venv.bin])
    env.update(extra)
    RESULTS.mkdir(parents=True, exist_ok=True)
    report = RESULTS / (context.name + ".xml")
    if report.exists():
        report.unlink()
    command = [venv.program("python"), "-m", "pytest", "--junit-xml", str(report), "--tb", "short"]
    # The browser's stage measures: one at a time.
    command += ["--numprocesses", str(2 * WORKERS)] if venv.name != "browser" else []
    code = run(command + list(more) + list(context.arguments), cwd=context.tree, env=env, log=context.log)
    return of_junit([report] if report.exists() else []).with_exit(code)


def eda(context: Context) -> Counts:
    """Run the real ansible-rulebook on the installed artifact, with a sandbox that calls it."""
    venv = context.venvs["eda"]
    try:
        collection.build_and_install(venv, context.tree_hash, INSTALLED_ROOT, context.log)
    except collection.NotBuilt as error:
        note(context.log, str(error))
        return Counts(failed=1)
    env = java.with_java(for_stage(context.name, [venv.bin]), venv)
    env["FONNTE_TESTS_OLDEST"] = str(context.venvs["old-rulebook"].bin)
    return _pytest(replace(context, venvs={"newest": venv}), env)


def integration(context: Context) -> Counts:
    """Run ansible-test integration with the newest core against a sandbox."""
    venv = context.venvs["newest"]
    with _sandbox(context) as box:
        _hand_over(context, box)
        return ansible_test.integration(context.name, venv, context.tree, context.log, context.arguments)


def integration_on_target(context: Context) -> Counts:
    """The same with the modules on another Python than that of ansible-core: as ordinary modules, not in-process."""
    with _sandbox(context) as box:
        _hand_over(context, box, fonnte_in_process=False)
        pythons = context.venvs["newest"], context.venvs["target"]
        return ansible_test.integration_on_target(context.name, *pythons, context.tree, context.log, context.arguments)


def _hand_over(context: Context, box: Sandbox, **more: bool) -> None:
    """ansible-test drops the environment; what it hands to every target is the file of variables."""
    variables: Dict[str, object] = {name.lower(): value for name, value in box.environment().items()}
    variables.update(more, fonnte_record_path=str(_empty(context, "record")))
    target = context.tree / "tests" / "integration" / "integration_config.yml"
    target.write_text(json.dumps(variables) + "\n", encoding="utf-8")


def molecule(context: Context) -> Counts:
    """Run every molecule scenario on the installed artifact, each against a sandbox of its own; each counts as one."""
    if build(context).failed:
        return Counts(failed=1)
    total = Counts()
    for scenario in scenarios(context.tree):
        code = _molecule_scenario(context, scenario)
        if code != 0:
            note(context.log, "FAILED: scenario %s (exit code %d)" % (scenario, code))
        total = total.plus(Counts(passed=int(code == 0), failed=int(code != 0)))
    return total.with_exit(0)


def _molecule_scenario(context: Context, scenario: str) -> int:
    venv = context.venvs["newest"]
    # There Molecule remembers that the scenario was prepared, but the sandbox is a new one each time.
    _empty(context, ".ansible")
    env = for_stage(context.name, [venv.bin])
    with _sandbox(context) as box:
        env.update(box.environment())
        env.update(FONNTE_RECORD_PATH=str(_empty(context, "record")), FONNTE_TESTS_INSTALLED=str(INSTALLED_ROOT))
        command = [venv.program("molecule"), "test", "--scenario-name", scenario] + list(context.arguments)
        return run(command, cwd=context.tree, env=env, log=context.log)


def demo(context: Context) -> Counts:
    """Play the demo on the installed artifact; each of its steps counts as one."""
    if build(context).failed:
        return Counts(failed=1)
    env = dict(os.environ, FONNTE_TESTS_INSTALLED=str(INSTALLED_ROOT))
    code = run([sys.executable, "-m", "tools", "demo"], cwd=ROOT, env=env, log=context.log)
    shown = re.findall(r"^\[\d+/\d+\] ", context.log.read_text(encoding="utf-8", errors="replace"), re.MULTILINE)
    return Counts(passed=max(0, len(shown) - int(code != 0)), failed=int(code != 0 or not shown))


def _sandbox(context: Context) -> ContextManager[Sandbox]:
    venv = context.venvs["newest"]
    log = context.log.with_name(context.name + "-sandbox.log")
    return running(venv, for_stage(context.name, [venv.bin]), log, cwd=context.tree)


def _empty(context: Context, name: str) -> Path:
    """Return a folder of the stage that is not there: what an earlier run left is not found again."""
    folder = home_of(context.name) / name
    shutil.rmtree(str(folder), ignore_errors=True)
    return folder


def scenarios(tree: Path) -> List[str]:
    """Return the names of the molecule scenarios."""
    return sorted(path.parent.name for path in (tree / "extensions" / "molecule").glob("*/molecule.yml"))


def note(log: Path, text: str) -> None:
    with open(log, "a", encoding="utf-8") as stream:
        stream.write(text + "\n")


# Half a minute for this one, a few seconds for all the others.
SLOW_SANITY = ("pylint",)


def _without(tests: Sequence[str]) -> Tuple[str, ...]:
    return tuple(word for test in tests for word in ("--skip-test", test))


STAGES: Tuple[Stage, ...] = (
    Stage("lint", "ansible-lint, documentation, changelog, types", lint, "galaxy.yml"),
    Stage("sanity-newest", "ansible-test sanity, newest ansible-core", sanity, "plugins"),
    Stage(
        "sanity-oldest",
        "ansible-test sanity, oldest ansible-core",
        sanity,
        "plugins",
        venvs=("oldest",),
        tree=BUILD / "tree-oldest",
        # What pylint says does not depend on the core; the newest one knows more.
        arguments=_without(SLOW_SANITY),
    ),
    Stage("build", "the artifact builds, installs offline, holds what it should", build, "galaxy.yml", cores=2),
    Stage(
        "integration",
        "ansible-test integration",
        integration,
        "tests/integration/targets",
        tree=BUILD / "tree-integration",
    ),
    Stage("molecule", "molecule scenarios", molecule, "extensions/molecule"),
    Stage("demo", "what make demo shows is so", demo, "playbooks/demo.yml"),
    Stage(
        "units",
        "unit and functional tests, and how much of the engine they run",
        units,
        "tests/unit",
        cores=2,
        arguments=ALL_UNITS,
    ),
    Stage(
        "conformance",
        "real playbooks against the sandbox",
        conformance,
        "tests/conformance",
        venvs=("newest", "oldest", "runner"),
        cores=2,
        arguments=("tests/conformance",),
    ),
    Stage(
        "eda",
        "the real ansible-rulebook, from a webhook to a message",
        eda,
        "tests/eda",
        venvs=("eda", "old-rulebook"),
        cores=2,
        arguments=("tests/eda",),
    ),
)

# Not a part of make test: not every machine has a browser, and a site is built for readers.
ASKED_FOR: Tuple[Stage, ...] = (
    Stage(
        "guides",
        "every page of the documentation followed to the letter, every module as its attributes say",
        guides,
        "tests/conformance",
        arguments=("tests/conformance/test_guides.py", "tests/conformance/test_module_attributes.py"),
    ),
    Stage("docs", "the documentation as a site, without a warning", docs, "docs/docsite", venvs=("site",)),
    Stage(
        "browser",
        "the page of a report, and the documentation's site, in a real browser",
        browser,
        "tests/browser",
        venvs=("browser", "site"),
        arguments=("tests/browser",),
    ),
)

QUICK: Tuple[Stage, ...] = (
    Stage("lint", "ansible-lint, documentation, changelog, types", lint, "galaxy.yml"),
    Stage(
        "sanity-quick",
        "ansible-test sanity, newest ansible-core, the quick tests",
        sanity_quick,
        "plugins",
        arguments=_without(SLOW_SANITY),
    ),
    Stage(
        "units-quick",
        "unit and functional tests, without the long ones",
        units,
        "tests/unit",
        cores=2,
        arguments=(*ALL_UNITS, "-m", "not long"),
    ),
    Stage(
        "conformance-smoke",
        "a few real playbooks against the sandbox",
        conformance,
        "tests/conformance",
        cores=2,
        arguments=("tests/conformance", "-m", "smoke"),
    ),
)


def named(name: str) -> Optional[Sequence[Stage]]:
    """Return the stages of a command's name: test, check, a stage, or the first part of several stages' names."""
    if name == "test":
        return STAGES
    if name == "check":
        return QUICK
    exact = [stage for stage in STAGES + ASKED_FOR + QUICK[1:] if stage.name == name]
    return exact or [stage for stage in STAGES if stage.name.split("-")[0] == name] or None
