# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sessions behind the targets of the Makefile. ``nox --list`` shows them.

A session ``NAME-env`` installs tools/requirements/NAME.txt. The other sessions require such environments, so several
sessions share one. ``make test`` runs the sessions with the tag ``test``. Those with ``allow_parallel`` run two at a
time. The formatters are those of antsibull-nox.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
import sys
import time
from pathlib import Path

import antsibull_nox
import nox

sys.path.insert(0, str(Path(__file__).parent))

from tools import interpreters, site
from tools.address import with_fields, write_address
from tools.counts import Counts
from tools.environment import for_sandbox, with_java
from tools.interpreters import NEWEST_CORE, OLDEST_CORE, available, newest_of
from tools.matrix import CORES, PLAYBOOKS, SANITY, UNITS
from tools.paths import BUILD, INSTALLED_ROOT, NAME, NAMESPACE, REQUIREMENTS, RESULTS, ROOT, VENVS
from tools.stage import WORKERS, Stage, build, ensure_installed, install, venv

nox.needs_version = ">=2026.10.20"
nox.options.envdir = str(VENVS)
nox.options.default_venv_backend = "uv|venv"
nox.options.reuse_venv = "yes"
nox.options.tags = ["test"]

# Two runs in one checkout would write the same files. Processes of a parallel run share the lock.
lock = os.open(BUILD / "lock", os.O_RDWR | os.O_CREAT, 0o644)
if not {"FONNTE_LOCKED", "--list", "-l"} & {*os.environ, *sys.argv}:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print("another make runs in this checkout; waiting for it", flush=True)
        fcntl.flock(lock, fcntl.LOCK_EX)
    os.environ["FONNTE_LOCKED"] = "1"
    if "--report" in sys.argv:
        shutil.rmtree(RESULTS, ignore_errors=True)

antsibull_nox.load_antsibull_nox_toml()
interpreters.link()
NEWEST = newest_of(NEWEST_CORE)
SIMULATION = "tests/unit/plugins/module_utils/test_simulation.py"
# Without one of these, nox reports the missing Python for the sessions that need it.
OLDEST = next((python for python in OLDEST_CORE if python in available()), OLDEST_CORE[0])


def install_requirements(session: nox.Session, *names: str, pins: tuple[str, ...] = ()) -> None:
    """Install requirement files and pins, unless the environment has exactly these."""
    files = [REQUIREMENTS / (name + ".txt") for name in names]
    digest = hashlib.sha256(b"".join([*(path.read_bytes() for path in files), *map(str.encode, pins)])).hexdigest()
    stamp = Path(session.virtualenv.location) / "requirements-digest"
    if not stamp.exists() or stamp.read_text() != digest:
        session.install("-qq", *(word for path in files for word in ("-r", str(path))), *pins)
        stamp.write_text(digest)


def environment(name: str, python: str, requirements: str = "", backend: str | None = None) -> None:
    """Define the session that sets up an environment."""

    def set_up(session: nox.Session) -> None:
        install_requirements(session, requirements or name)

    set_up.__doc__ = f"Set up the environment {name} with Python {python}."
    nox.session(set_up, python=python, name=f"{name}-env", venv_backend=backend, default=False, allow_parallel=True)


for _name in (path.stem for path in REQUIREMENTS.glob("*.txt")):
    if _name not in ("nox", "matrix", "target"):
        environment(_name, OLDEST if _name.startswith("old") else NEWEST)
# uv supports no Python 3.7.
TARGETS = [f"target-{python}" for python in sorted({core.oldest_target for core in CORES} & {*available()})]
for _name in TARGETS:
    environment(_name, _name.partition("-")[2], "target", backend="venv")


def session(*environments: str, parallel: bool = True, **options: object):
    """Define a session that runs in environments of other sessions."""
    requires = [name if name == "build" else f"{name}-env" for name in environments]
    return nox.session(venv_backend="none", requires=requires, allow_parallel=parallel, default=False, **options)


@session("newest", tags=["test"])
def simulation(session: nox.Session) -> None:
    """Simulate several control nodes, in each order of their steps. The longest session on one processor begins first."""
    stage = on_tree(session)
    stage.pytest(SIMULATION, *session.posargs, workers=0)
    stage.finish()


@session("newest", name="ansible-lint", tags=["test", "lint", "release"])
def ansible_lint(session: nox.Session) -> None:
    """Run ansible-lint, which takes longer than the other linters together."""
    stage = on_tree(session)
    # A syntax check has no inventory: here a pattern without hosts is no error.
    del stage.env["ANSIBLE_HOST_PATTERN_MISMATCH"]
    stage.check("ansible-lint", "--nocolor", shows=r"(?s)\A(?!.*Failed to find).*in [1-9]\d* files processed")
    stage.finish()


@session("newest", tags=["test", "check", "lint", "release"])
def linters(session: nox.Session) -> None:
    """Run the linters of documentation, changelog and spelling, mypy, ruff, import-linter, and those of wording."""
    stage = on_tree(session)
    stage.env["MYPYPATH"] = str(stage.root)
    stage.check("antsibull-docs", "lint-collection-docs", "--plugin-docs", "--skip-rstcheck", ".")
    stage.check("antsibull-changelog", "lint")
    for package in ("plugins.module_utils", "tests.fault_injection"):
        stage.check("mypy", "--strict", "--package", f"ansible_collections.{NAMESPACE}.{NAME}.{package}")
    for folder in ("tools", "tests/sandbox", "tests/bench", "tests/demo", "extensions/eda/plugins"):
        stage.check("mypy", "--strict", folder)
    for words in (("ruff", "format", "--check", "--diff"), ("ruff", "check"), ("codespell",)):
        stage.check(*words)
    stage.check("python", "-m", "tests.linters.names", shows="files have the terms of the field")
    stage.check("python", "-m", "tests.linters.wording", shows="the prose follows the rules")
    stage.check("python", "-m", "tests.linters.error_page", shows=r"[1-9]\d* errors have an action or a row")
    # The contracts of pyproject.toml; without this string, a run without contracts would pass.
    stage.check("lint-imports", "--no-cache", shows="5 kept, 0 broken")
    stage.finish()


def sanity(core: str, name: str, tags: list[str], *runs: tuple[str, ...]) -> None:
    """Define a session that runs ansible-test sanity with an ansible-core."""

    def run(session: nox.Session) -> None:
        stage = Stage(session, core)
        for options in runs:
            stage.sanity(*options, *session.posargs)
        stage.finish()

    run.__doc__ = f"Run ansible-test sanity with the {core} ansible-core."
    session(core, name=name, tags=tags)(run)


# With each Python, and with pylint, it takes seven minutes of one core: weekly, and before a release.
sanity("newest", "sanity-newest", ["sanity", "release"], ())
sanity("oldest", "sanity-oldest", ["sanity", "release"], ("--skip-test", "pylint"))
sanity("newest", "sanity-quick", ["test"], ("--python", NEWEST, "--skip-test", "pylint"), ("--test", "compile"))


@session("newest", name="build", tags=["test"])
def build_artifact(session: nox.Session) -> None:
    """Build the artifact, install it offline, and test its contents."""
    stage = Stage(session)
    stage.env.update(FONNTE_ARTIFACT=str(ensure_installed(stage)), FONNTE_CHECKOUT=str(ROOT))
    stage.pytest("tests/artifact/test_contents.py", workers=0)
    stage.finish()


@session("newest", tags=["test"])
def integration(session: nox.Session) -> None:
    """Run ansible-test integration against a sandbox."""
    stage = Stage(session)
    # In-process is what the playbooks of conformance run; here are the same modules as a target runs them.
    stage.integration("--local", "--python", NEWEST, *session.posargs, in_process=False)
    stage.finish()


@session("newest", "build", tags=["test"])
def molecule(session: nox.Session) -> None:
    """Run the Molecule scenario of a fleet on the installed artifact, or each one if FONNTE_TESTS_CASES is "all"."""
    stage = Stage(session)
    for path in sorted((stage.tree / "extensions/molecule").glob(f"{'fleet' if EACH_CHANGE else '*'}/molecule.yml")):
        # There Molecule stores that the scenario is prepared, but the sandbox is a new one each time.
        stage.empty(".ansible")
        with stage.sandbox() as box:
            stage.env.update(for_sandbox(box), FONNTE_TESTS_INSTALLED=str(INSTALLED_ROOT))
            stage.env["FONNTE_RECORD_PATH"] = str(stage.empty("record"))
            stage.check("molecule", "test", "--scenario-name", path.parent.name, *session.posargs)
    stage.finish()


@session("demo", tags=["test"])
def demo(session: nox.Session) -> None:
    """Show the collection at work on a sandbox, in about a minute."""
    show_demo(session, "demo", "tests.demo")


@session("eda", name="demo-events")
def demo_events(session: nox.Session) -> None:
    """Show a rulebook that reports devices that drop off."""
    show_demo(session, "eda", "tests.demo.events")


@session("recording")
def recording(session: nox.Session) -> None:
    """Record the quick start of the README on a sandbox; write docs/quick-start.svg and its last frame."""
    show_demo(session, "recording", "tests.demo.recording")


def show_demo(session: nox.Session, name: str, module: str) -> None:
    """Install the artifact in the environment of a demo, and run the demo in the terminal; each step counts as one."""
    stage = Stage(session, name)
    steps, root = BUILD / stage.name / "steps", BUILD / stage.name / "collections"
    ensure_installed(stage, root)
    stage.env.update(ANSIBLE_COLLECTIONS_PATH=str(root), ANSIBLE_COLLECTIONS_SCAN_SYS_PATH="false")
    steps.unlink(missing_ok=True)
    session.run(*python(name), "-m", module, env=stage.env, include_outer_env=False)
    stage.counts = Counts(passed=int(steps.read_text()))
    stage.finish()


UNIT_TESTS = ("tests/unit", "tests/functional")
EACH_CHANGE = () if os.environ.get("FONNTE_TESTS_CASES") == "all" else ("-m", "not weekly")


@session("newest", tags=["test"])
def units(session: nox.Session) -> None:
    """Run the unit and functional tests to the coverage limit; FONNTE_TESTS_FAULTS=all measures branches, too."""
    stage = on_tree(session)
    is_full = os.environ.get("FONNTE_TESTS_FAULTS") == "all"
    stage.env["COVERAGE_CORE"] = "ctrace" if is_full else "sysmon"
    coverage = ("--cov", "--cov-report=term-missing:skip-covered", *(["--cov-branch"] if is_full else ()))
    stage.pytest(*selection(session, *UNIT_TESTS, f"--ignore={SIMULATION}", *coverage))
    stage.finish()


@session("newest", name="units-quick", tags=["check"])
def units_quick(session: nox.Session) -> None:
    """Run the unit tests without the long ones, and without the functional tests."""
    stage = on_tree(session)
    stage.pytest("tests/unit", "-m", "not long", f"--ignore={SIMULATION}", workers=WORKERS)
    stage.finish()


def on_tree(session: nox.Session) -> Stage:
    """Return a stage that imports the collection from the copy: no installed collection shadows it."""
    stage = Stage(session)
    stage.env.update(PYTHONPATH=str(stage.root), ANSIBLE_COLLECTIONS_PATH=str(stage.root))
    return stage


def selection(session: nox.Session, *own: str) -> list[str]:
    """Return the arguments of pytest: the session's own ones, or ARGS, with the own paths unless ARGS names one."""
    named = any(word.startswith("tests/") for word in session.posargs)
    paths = [word for word in own if word.startswith("tests/") and not named]
    return [*paths, *session.posargs] if session.posargs else list(own)


def playbooks(session: nox.Session, *paths: str, environments: tuple[str, ...] = (), **variables: str) -> None:
    """Run the tests that start real playbooks on the installed artifact against the sandbox."""
    stage = Stage(session)
    ensure_installed(stage)
    stage.env.update(variables, FONNTE_TESTS_INSTALLED=str(INSTALLED_ROOT))
    for name in environments:
        packages = next(iter(venv(name).glob("lib/python*/site-packages")), venv(name))
        stage.env[f"FONNTE_TESTS_{name.upper()}"] = str(packages if name == "community" else venv(name) / "bin")
    stage.pytest(*selection(session, *paths))
    stage.finish()


@session("newest", "oldest", "runner", "build", parallel=False, tags=["test"])
def conformance(session: nox.Session) -> None:
    """Run real playbooks against the sandbox; FONNTE_TESTS_CASES=all runs the weekly ones, too."""
    playbooks(session, "tests/conformance", *EACH_CHANGE, environments=("oldest", "runner"))


@session("newest", "build", name="conformance-smoke", tags=["check"])
def conformance_smoke(session: nox.Session) -> None:
    """Run a few real playbooks against the sandbox."""
    playbooks(session, "tests/conformance/test_behavior_variants.py", "-m", "smoke")


@session("newest", "build", parallel=False)
def guides(session: nox.Session) -> None:
    """Follow each page of the documentation exactly, and compare each module with its attributes."""
    files = ("tests/conformance/test_guides.py", "tests/conformance/test_module_attributes.py")
    playbooks(session, *files, FONNTE_TESTS_PAGES="all")


@session("newest", "oldest", "runner", "community", "build", parallel=False)
def surroundings(session: nox.Session) -> None:
    """Run each main operation in each environment, and write docs/dev/surroundings.md."""
    cells = BUILD / "surroundings"
    shutil.rmtree(cells, ignore_errors=True)
    cells.mkdir(parents=True)
    files = [f"tests/conformance/test_{name}.py" for name in ("environments", "ansible_runner", "systemd")]
    variables = {"FONNTE_TESTS_SURROUNDINGS": "all", "FONNTE_TESTS_CELLS": str(cells)}
    try:
        playbooks(session, *files, environments=("oldest", "runner", "community"), **variables)
    finally:
        session.run(*python("newest"), "-m", "tests.conformance.document", str(cells), "docs/dev/surroundings.md")


@session("eda", "old-rulebook", "build", tags=["test"])
def eda(session: nox.Session) -> None:
    """Run the real ansible-rulebook, from a webhook to a message."""
    stage = Stage(session, "eda")
    ensure_installed(stage)
    stage.env = with_java(stage.env, stage.venv)
    stage.env["FONNTE_TESTS_OLDEST"] = str(venv("old-rulebook") / "bin")
    stage.pytest(*selection(session, "tests/eda", *EACH_CHANGE))
    stage.finish()


def python(name: str) -> tuple[str, ...]:
    """Return the first word of a command: the Python of an environment."""
    return (str(venv(name) / "bin" / "python"),)


@session("newest")
def bench(session: nox.Session) -> None:
    """Measure the installed collection, a loop over uri, and a bare client; write docs/bench.*, docs/dev/bench.md."""
    stage = Stage(session)
    root = BUILD / "bench" / "collections"
    ensure_installed(stage, root)
    stage.env.update(ANSIBLE_COLLECTIONS_PATH=str(root), ANSIBLE_COLLECTIONS_SCAN_SYS_PATH="false")
    session.run(*python("newest"), "-m", "tests.bench", *session.posargs, env=stage.env, include_outer_env=False)


@session("eda", name="bench-events")
def bench_events(session: nox.Session) -> None:
    """Send a thousand webhooks a second to the event source for two minutes; write docs/dev/events-bench.md."""
    env = Stage(session, "eda").env
    session.run(*python("eda"), "-m", "tests.eda.bench", *session.posargs, env=env, include_outer_env=False)


@session("newest")
def faults(session: nox.Session) -> None:
    """Inject each fault at each request, and write docs/dev/faults.md. ARGS=fonnte_device runs one module."""
    run_tests_module(session, "fault_injection", "docs/dev/faults.md", *session.posargs)


@session("newest")
def schema(session: nox.Session) -> None:
    """Write docs/declaration.schema.json from the table of settings."""
    run_tests_module(session, "declaration_schema", "docs/declaration.schema.json")


def run_tests_module(session: nox.Session, name: str, *words: str) -> None:
    """Run a program in tests."""
    command = (*python("newest"), "-m", f"ansible_collections.{NAMESPACE}.{NAME}.tests.{name}", *words)
    session.run(*command, env=on_tree(session).env, include_outer_env=False)


@session("site", tags=["release"])
def docs(session: nox.Session) -> None:
    """Build the documentation as a site; a warning is an error. Each page counts as one."""
    stage = Stage(session, "site")
    stage.counts = Counts(passed=site.build(stage))
    session.log("the site is %s", site.HTML / "index.html")
    stage.finish()


@session("browser", "site")
def browser(session: nox.Session) -> None:
    """Test the page of a report and the site in the Chromium of this machine; create the screenshots in docs."""
    found = map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"))
    chromium = os.environ.get("FONNTE_CHROMIUM") or next(filter(None, found), None)
    if chromium is None:
        session.error("There is no Chromium: install the package chromium, or set FONNTE_CHROMIUM to the program.")
    site.build(Stage(session, "site"))
    stage = Stage(session, "browser")
    stage.env.update(PYTHONPATH=str(stage.root), FONNTE_CHROMIUM=chromium, FONNTE_PICTURES=str(ROOT / "docs"))
    stage.env["FONNTE_SITE"] = str(site.HTML)
    # The tests measure time, so they run one at a time.
    stage.pytest(*selection(session, "tests/browser"), workers=0)
    stage.finish()


@session("demo")
def sandbox(session: nox.Session) -> None:
    """Start a server on this machine that behaves like the service, to try playbooks manually; Ctrl-C ends it."""
    os.close(lock)
    os.environ.update(PYTHONDONTWRITEBYTECODE="1", PYTHONUNBUFFERED="1")
    os.execv(*python("demo"), [*python("demo"), "-m", "tests.sandbox", *session.posargs])


@session("mutation")
def mutation(session: nox.Session) -> None:
    """Change the code in small ways, and list the changes that no unit test detects; ARGS names files."""
    stage = Stage(session, "mutation")
    # mutmut runs at the root of the package ansible_collections, with the configuration of pyproject.toml.
    shutil.copy(ROOT / "pyproject.toml", stage.root)
    stage.env["PYTHONPATH"] = "."
    mutmut = str(stage.venv / "bin" / "mutmut")
    names = [f"*.module_utils.{word.removesuffix('.py').replace('/', '.')}.*" for word in session.posargs]
    with session.chdir(stage.root):
        session.run(mutmut, "run", *names, env=stage.env, include_outer_env=False)
        results = session.run(mutmut, "results", env=stage.env, include_outer_env=False, silent=True)
    print(re.sub(r"(?m)^.*: not checked\n?", "", str(results)))


@session("newest", name="changelog")
def changelog(session: nox.Session) -> None:
    """Write CHANGELOG.md and changelogs/changelog.yaml from the fragments."""
    stage = Stage(session)
    stage.env["ANSIBLE_COLLECTIONS_PATH"] = str(stage.root)
    stage.run("antsibull-changelog", "release", "--update-existing", "--reload-plugins", *session.posargs)
    for path in ("CHANGELOG.md", "changelogs/changelog.yaml"):
        shutil.copyfile(stage.tree / path, ROOT / path)
    for fragment in (ROOT / "changelogs" / "fragments").glob("*.y*ml"):
        if not (stage.tree / "changelogs" / "fragments" / fragment.name).exists():
            fragment.unlink()


@session()
def address(session: nox.Session) -> None:
    """Write the public address of the repository into galaxy.yml and the README."""
    write_address(session.posargs)


@session("newest", name="release")
def release(session: nox.Session) -> None:
    """Write the version and the changelog, check, commit, tag and build. Nothing leaves the machine."""
    version = "".join(session.posargs)

    def git(*words: str) -> str:
        return str(session.run("git", *words, silent=True)).strip()

    if not re.fullmatch(r"(0|[1-9]\d*)(\.(0|[1-9]\d*)){2}", version):
        session.error("name the version, three numbers: make release VERSION=1.1.0")
    if git("branch", "--show-current") != "main" or git("status", "--porcelain") or git("tag", "--list", version):
        session.error("a release needs the branch main, with everything committed, and a version without a tag")
    galaxy = ROOT / "galaxy.yml"
    galaxy.write_text(re.sub(r"(?m)^version: \S+$", f"version: {version}", galaxy.read_text()))
    if any((ROOT / "changelogs" / "fragments").glob("*.y*ml")):
        session.run("make", "changelog")
    session.run("make", "release-check")
    git("add", "--all", "galaxy.yml", "CHANGELOG.md", "changelogs")
    if git("status", "--porcelain"):
        git("commit", "--message", f"Release {version}")
    git("tag", "--annotate", version, "--message", f"Release {version}")
    artifact = build(Stage(session), BUILD / "release")
    session.log("Release %s is committed and tagged here: %s. Run make test on it, then:", version, artifact)
    session.log("  git push origin main %s", version)
    session.log("  ansible-galaxy collection publish with the artifact")


@nox.session(tags=["matrix"], default=False, allow_parallel=True, requires=[f"{name}-env" for name in TARGETS])
@nox.parametrize(
    "python,version",
    [
        nox.param(python, core.version, id=f"{core.version}, {python}", tags=[f"matrix-{core.version[:4]}"])
        for core in CORES
        for python in core.columns()
    ],
)
def matrix(session: nox.Session, version: str) -> None:
    """Run one row of docs/dev/matrix.md: an ansible-core on a Python."""
    python, core = str(session.python), next(core for core in CORES if core.version == version)
    install_requirements(session, "matrix", pins=(f"ansible-core=={core.version}",))
    stage = Stage(session, path=Path(session.virtualenv.location))
    root, copy = str(BUILD / "matrix" / stage.name), str(stage.root)
    ensure_installed(stage, Path(root))
    targets = sorted(path.name for path in (stage.tree / "tests" / "integration" / "targets").glob("fonnte_*"))
    where = ("--controller", f"origin:python={python}@{stage.venv}/bin/python", "--target")
    where += (f"controller:python={core.oldest_target}@{venv('target-' + core.oldest_target)}/bin/python",)
    cells, total = [], Counts()
    for column in core.columns()[python]:
        stage.counts = Counts()
        if column == UNITS:
            stage.pytest(*UNIT_TESTS, "-m", "not long", PYTHONPATH=copy, ANSIBLE_COLLECTIONS_PATH=copy)
        elif column == PLAYBOOKS:
            stage.pytest("tests/conformance", "-m", "smoke", FONNTE_TESTS_INSTALLED=root, ANSIBLE_COLLECTIONS_PATH=root)
        elif column == SANITY:
            stage.sanity()
        elif f"target-{core.oldest_target}" in TARGETS:
            stage.integration(*where, *targets, in_process=False)
        cells.append(f"{column}: {stage.counts.text()}")
        total = total.plus(stage.counts)
    stage.counts = Counts(total.passed, 0 if core.candidate else total.failed, total.skipped, "; ".join(cells))
    stage.finish()


# galaxy-importer exits with 0 after a warning, and unpacks under a placeholder, so ansible-lint lacks our playbooks.
IMPORTED = rf"(?ms)\A(?!.*^(?:ERROR|WARNING: (?!ERROR +Failed to find {NAMESPACE}\.))).*completed successfully"
# Automation Hub demands more than Galaxy; these are all checks that need no containers. Its flake8 rejects the output
# of ruff format (E203, W503); ruff and the pylint of sanity check instead.
IMPORTER = """[galaxy-importer]
RUN_ANSIBLE_DOC = True
RUN_ANSIBLE_LINT = True
RUN_FLAKE8 = False
RUN_ANSIBLE_TEST = False
CHECK_REQUIRED_TAGS = True
REQUIRE_V1_OR_GREATER = True
CHECK_CHANGELOG = True
"""


@session("importer", tags=["release"])
def importer(session: nox.Session) -> None:
    """Run galaxy-importer on the artifact with all of its checks; a warning is a failure."""
    stage = Stage(session, "importer")
    galaxy = stage.tree / "galaxy.yml"
    if 'repository: ""' in galaxy.read_text():
        # Without a repository galaxy-importer stops immediately. The top-level domain is reserved for examples.
        galaxy.write_text(with_fields(galaxy.read_text(), "https://git.example/fonnte/fonnte.whatsapp"))
    artifact = build(stage, BUILD / "importer")
    settings = BUILD / "importer" / "galaxy-importer.cfg"
    settings.write_text(IMPORTER)
    stage.env["GALAXY_IMPORTER_CONFIG"] = str(settings)
    stage.check("python", "-m", "galaxy_importer.main", str(artifact), cwd=artifact.parent, shows=IMPORTED)
    stage.finish()


@session("publish", tags=["release"])
def builder(session: nox.Session) -> None:
    """Check that ansible-builder accepts a definition with the collection, and finds its Python requirements."""
    stage = Stage(session, "publish")
    folder = BUILD / "builder"
    artifact = build(stage, folder)
    install(stage, artifact, folder / "installed")
    definition = {
        "version": 3,
        "images": {"base_image": {"name": "registry.access.redhat.com/ubi9/python-311:latest"}},
        "dependencies": {
            "ansible_core": {"package_pip": "ansible-core"},
            "ansible_runner": {"package_pip": "ansible-runner"},
            "galaxy": {"collections": [{"name": str(artifact), "type": "file"}]},
        },
    }
    (folder / "execution-environment.json").write_text(json.dumps(definition))
    options = ("--file", str(folder / "execution-environment.json"), "--context", str(folder / "context"))
    stage.check("ansible-builder", "create", *options, cwd=folder)
    pins = re.findall(r"(?m)^[^#\s].*$", (ROOT / "requirements.txt").read_text())
    introspected = "".join(f"(?=.*{re.escape(pin)})" for pin in pins) + "."
    stage.check("ansible-builder", "introspect", str(folder / "installed"), cwd=folder, shows=f"(?s){introspected}")
    stage.finish()


# A token of the service has about twenty letters and digits, with less entropy than the default limit. A search for
# words such as "token" finds the invented ones of every test, so only structure and entropy are searched.
SECRETS = ("--disable-plugin", "KeywordDetector", "--base64-limit", "4.1")
NO_SECRETS = (
    # The characters of a pairing code.
    r"123456789ABCDEFGHJKLMNPQRSTVWXYZ",
    # Paths, some of which a test expects to be refused.
    r"Zk3[-/]9xTq7LmPw2Rb(\\n)?",
    r"(ANSIBLE_COLLECTIONS_PATH=)?/(opt|usr)/[a-z0-9/]+(\\0module\\0)?",
    # Passwords in the URLs of documentation and tests.
    r"PASSWORD|change-this-password|secret|secr%zzet|p%40ss|pa.*ss",
)


@session("publish", tags=["release"])
def secrets(session: nox.Session) -> None:
    """Search every file of the project for secrets."""
    stage = Stage(session, "publish")
    excluded = [word for known in NO_SECRETS for word in ("--exclude-secrets", f"^(?:{known})$")]
    stage.check("detect-secrets-hook", *SECRETS, *excluded, *stage.files)
    stage.finish()


SCHEMAS = {
    "vendor.github-workflows": ".github/workflows/*.yml",
    "custom.github-workflows-require-timeout": ".github/workflows/*.yml",
    "vendor.dependabot": ".github/dependabot.yml",
    "vendor.github-issue-config": ".github/ISSUE_TEMPLATE/config.yml",
    "vendor.github-issue-forms": ".github/ISSUE_TEMPLATE/[!c]*.yml",
}


@session("publish", tags=["release"])
def schemas(session: nox.Session) -> None:
    """Validate the files for GitHub and for pre-commit."""
    stage = Stage(session, "publish")
    for schema, pattern in SCHEMAS.items():
        # Without a file, the program fails.
        stage.check("check-jsonschema", "--builtin-schema", schema, *map(str, stage.tree.glob(pattern)))
    stage.check("pre-commit", "validate-config", ".pre-commit-config.yaml")
    stage.finish()


@session("demo", tags=["release"])
def installed(session: nox.Session) -> None:
    """Use the artifact without a checkout: install it, run the first example of the README, start the demo."""
    stage = Stage(session, "demo")
    folder = BUILD / "alone"
    artifact = build(stage, folder)
    started = time.monotonic()
    install(stage, artifact, folder / "collections")
    seconds = time.monotonic() - started
    example = re.search(r"```yaml\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    (folder / "devices.yml").write_text("---\n" + (example.group(1) if example else ""))
    stage.env.update(ANSIBLE_COLLECTIONS_PATH=str(folder / "collections"), ANSIBLE_COLLECTIONS_SCAN_SYS_PATH="false")
    stage.env["FONNTE_RECORD_PATH"] = str(folder / "record")
    bare = dict(stage.env)
    with stage.sandbox() as box:
        stage.env.update(for_sandbox(box))
        started = time.monotonic()
        declared = ("-e", "provision_files=devices.yml", "--check", "--diff")
        stage.check("ansible-playbook", f"{NAMESPACE}.{NAME}.provision", *declared, cwd=folder, shows="changed=1")
        seconds += time.monotonic() - started
    # The message for a user who has no sandbox, and therefore no checkout.
    demo_playbook = (f"{NAMESPACE}.{NAME}.demo",)
    lacks = r"This\s+demo\s+lacks\s+its\s+sandbox"
    stage.check("ansible-playbook", *demo_playbook, cwd=folder, env=bare, shows=lacks, success_codes=(2,))
    session.log("from the artifact to a first result in %.1f s", seconds)
    stage.finish()


if __name__ == "__main__":
    nox.main()
