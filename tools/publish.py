# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stages of make release-check that make test does not have: the checkers of those who publish collections."""

from __future__ import annotations

import json
import re
import shutil
import time
from pathlib import Path
from typing import Dict, List, Sequence, Tuple

from tools import address, collection
from tools.counts import Counts
from tools.environment import for_pip, for_stage, home_of
from tools.paths import BUILD, NAME, NAMESPACE, ROOT
from tools.process import run
from tools.runner import run_stages, say
from tools.sandbox import running
from tools.stages import ASKED_FOR, Context, Stage, note
from tools.stages import STAGES as SHARED_STAGES
from tools.tree import source_files
from tools.venvs import Venv

OWN = BUILD / "publish"


def _said(context: Context, command: Sequence[str], cwd: Path, env: Dict[str, str]) -> Tuple[int, str]:
    """Run a command into the stage's log; return its exit code, and what it wrote there."""
    before = context.log.stat().st_size
    code = run(command, cwd=cwd, env=env, log=context.log)
    return code, context.log.read_bytes()[before:].decode(errors="replace")


def _verdict(context: Context, problems: Sequence[str], passed: int, said: str = "") -> Counts:
    """Return the counts of so many checks, each problem being one that failed."""
    for problem in problems:
        note(context.log, "FAILED: " + problem)
    return Counts(max(0, passed - len(problems)), len(problems), note=said)


def _artifact(context: Context, venv: Venv) -> Path:
    """Build the artifact for this stage alone: what another make has built may be of another tree."""
    return collection.build_artifact(venv, OWN / context.name, context.log)


def importer(context: Context) -> Counts:
    """Run galaxy-importer on the artifact, as strictly as it can be; a warning is a failure."""
    venv = context.venvs["importer"]
    artifact = _with_an_address(context, venv)
    env = for_stage(context.name, [venv.bin])
    settings = home_of(context.name) / "galaxy-importer.cfg"
    settings.write_text("[galaxy-importer]\n" + "".join(line + "\n" for line in IMPORTER), encoding="utf-8")
    env["GALAXY_IMPORTER_CONFIG"] = str(settings)
    command = [venv.program("python"), "-m", "galaxy_importer.main", str(artifact)]
    code, output = _said(context, command, artifact.parent, env)
    return _verdict(context, importer_problems(code, output), passed=1)


# Reserved for examples: nobody can be there.
NO_ADDRESS = "https://git.example/fonnte/fonnte.whatsapp"


def _with_an_address(context: Context, venv: Venv) -> Path:
    """Build the artifact. Without a repository galaxy-importer stops at once, so one that is nowhere stands for it."""
    copy = OWN / context.name / "tree"
    shutil.rmtree(str(copy.parent), ignore_errors=True)
    shutil.copytree(str(context.tree), str(copy), ignore=shutil.ignore_patterns(".*cache", ".git", ".hypothesis"))
    galaxy = copy / "galaxy.yml"
    text = galaxy.read_text(encoding="utf-8")
    if 'repository: ""' in text:
        galaxy.write_text(address.with_fields(text, NO_ADDRESS), encoding="utf-8")
        note(context.log, "galaxy.yml names no repository: %s stands for it here" % NO_ADDRESS)
    return collection.build_artifact(venv, copy.parent / "artifact", context.log, source=copy)


# Automation Hub asks for more than Galaxy; this is all that can be asked without containers.
IMPORTER = (
    "RUN_ANSIBLE_DOC = True",
    "RUN_ANSIBLE_LINT = True",
    # flake8 wants what ruff format takes away (E203, W503); ruff and the pylint of sanity look instead.
    "RUN_FLAKE8 = False",
    "RUN_ANSIBLE_TEST = False",
    "CHECK_REQUIRED_TAGS = True",
    "REQUIRE_V1_OR_GREATER = True",
    "CHECK_CHANGELOG = True",
)


def importer_problems(code: int, output: str) -> List[str]:
    """Return what galaxy-importer found wrong, from what it printed."""
    problems = re.findall(r"^(?:ERROR|WARNING):? .*$", output, re.MULTILINE)
    if code != 0:
        problems.append("galaxy-importer ended with exit code %d" % code)
    elif "Importer processing completed successfully" not in output:
        problems.append("galaxy-importer did not say that it is done")
    return problems


NOX = ("lint", "docs-check", "license-check", "extra-checks")


def nox(context: Context) -> Counts:
    """Run the sessions of antsibull-nox that need neither containers nor Galaxy."""
    venv = context.venvs["publish"]
    env = for_stage(context.name, [venv.bin])
    # In CI nothing is reformatted, only looked at. Its environments come from the package index.
    env.update({name: value for name, value in for_pip().items() if name.startswith("PIP_")}, CI="true")
    problems = []
    for session in NOX:
        command = [venv.program("nox"), "--envdir", str(BUILD / "nox"), "--reuse-venv", "yes", "-e", session]
        code, _output = _said(context, command, context.tree, env)
        if code != 0:
            problems.append("session %s ended with exit code %d" % (session, code))
    return _verdict(context, problems, passed=len(NOX))


# An execution environment with nothing but the collection.
DEFINITION: Dict[str, object] = {
    "version": 3,
    "images": {"base_image": {"name": "registry.access.redhat.com/ubi9/python-311:latest"}},
}
PROGRAMS = {"ansible_core": {"package_pip": "ansible-core"}, "ansible_runner": {"package_pip": "ansible-runner"}}


def builder(context: Context) -> Counts:
    """See that ansible-builder takes a definition with the collection, and finds what Python needs for it."""
    venv = context.venvs["publish"]
    env = for_stage(context.name, [venv.bin])
    folder = OWN / context.name
    artifact = _artifact(context, venv)
    collection.install_artifact(venv, artifact, folder / "installed", context.log)
    definition = folder / "execution-environment.json"
    definition.write_text(json.dumps(_with_artifact(artifact)), encoding="utf-8")
    create = ["create", "--file", str(definition), "--context", str(folder / "context")]
    code, _output = _said(context, [venv.program("ansible-builder")] + create, folder, env)
    problems = ["ansible-builder create ended with exit code %d" % code] if code else []
    code, output = _said(
        context, [venv.program("ansible-builder"), "introspect", str(folder / "installed")], folder, env
    )
    wanted = [line for line in (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines() if _is_pin(line)]
    missing = [line for line in wanted if line not in output]
    if code or missing or not wanted:
        problems.append("ansible-builder introspect ended with exit code %d, without %s" % (code, missing))
    return _verdict(context, problems, passed=2)


def _with_artifact(artifact: Path) -> Dict[str, object]:
    wanted: Dict[str, object] = {"collections": [{"name": str(artifact), "type": "file"}]}
    return dict(DEFINITION, dependencies=dict(PROGRAMS, galaxy=wanted))


def _is_pin(line: str) -> bool:
    return bool(line.strip()) and not line.startswith("#")


# A token of the service is of twenty letters and digits or so, which is less mixed than what is looked for usually.
# Looking for words such as "token" finds the made-up ones of every test, so structure and mixture are looked at alone.
SECRETS = ("scan", "--disable-plugin", "KeywordDetector", "--base64-limit", "4.1")
# What is found and is no secret, and what it is.
NO_SECRETS: Tuple[Tuple[str, str], ...] = (
    (r"123456789ABCDEFGHJKLMNPQRSTVWXYZ", "the characters of a pairing code"),
    (r"Zk3[-/]9xTq7LmPw2Rb(\\n)?", "paths that a test wants refused"),
    (r"secret", "the password in a URL that a test wants refused"),
)


def secrets(context: Context) -> Counts:
    """Look for what may be a secret in every file of the project."""
    venv = context.venvs["publish"]
    command = [venv.program("detect-secrets")] + list(SECRETS)
    for known, _what in NO_SECRETS:
        command += ["--exclude-secrets", "^%s$" % known]
    command += source_files()
    code, output = _said(context, command, context.tree, for_stage(context.name, [venv.bin]))
    if code != 0:
        return _verdict(context, ["detect-secrets ended with exit code %d" % code], passed=1)
    found = json.loads(output[output.index("{") :])["results"]
    problems = ["%s:%d: %s" % (path, one["line_number"], one["type"]) for path in found for one in found[path]]
    return _verdict(context, problems, passed=1)


SCHEMAS: Tuple[Tuple[str, str], ...] = (
    ("vendor.github-workflows", ".github/workflows/*.yml"),
    ("custom.github-workflows-require-timeout", ".github/workflows/*.yml"),
    ("vendor.dependabot", ".github/dependabot.yml"),
    ("vendor.github-issue-config", ".github/ISSUE_TEMPLATE/config.yml"),
    ("vendor.github-issue-forms", ".github/ISSUE_TEMPLATE/[!c]*.yml"),
)


def schemas(context: Context) -> Counts:
    """Hold the files for GitHub and for pre-commit against the schemas of these."""
    venv = context.venvs["publish"]
    env = for_stage(context.name, [venv.bin])
    problems = []
    for schema, pattern in SCHEMAS:
        files = sorted(str(path) for path in context.tree.glob(pattern))
        command = [venv.program("check-jsonschema"), "--builtin-schema", schema] + files
        code = _said(context, command, context.tree, env)[0] if files else 1
        if code != 0:
            problems.append("%s, against the schema %s" % (pattern, schema))
    command = [venv.program("pre-commit"), "validate-config", ".pre-commit-config.yaml"]
    if _said(context, command, context.tree, env)[0] != 0:
        problems.append(".pre-commit-config.yaml")
    return _verdict(context, problems, passed=len(SCHEMAS) + 1)


def installed(context: Context) -> Counts:
    """Use the artifact as somebody who has nothing else: install it, look at the documentation, get a first result."""
    venv = context.venvs["demo"]
    folder = OWN / context.name
    artifact = _artifact(context, venv)
    began = time.monotonic()
    collection.install_artifact(venv, artifact, folder / "collections", context.log)
    after_install = time.monotonic()
    log = context.log.with_name(context.name + "-sandbox.log")
    bare = _bare(context, venv, folder)
    with running(venv, for_stage(context.name, [venv.bin]), log, cwd=context.tree) as sandbox:
        ready = time.monotonic()
        told = _first_result(context, venv, folder, dict(bare, **sandbox.environment()))
        seconds = (after_install - began) + (time.monotonic() - ready)
    problems = told + _demo_says(context, venv, folder, bare) + _all_there(context, venv, folder, bare)
    return _verdict(context, problems, passed=4, said="from the artifact to a first result in %.1f s" % seconds)


def _bare(context: Context, venv: Venv, folder: Path) -> Dict[str, str]:
    env = for_stage(context.name, [venv.bin])
    # A syntax check has no inventory: here a pattern without hosts is no error.
    del env["ANSIBLE_HOST_PATTERN_MISMATCH"]
    env.update(
        ANSIBLE_COLLECTIONS_PATH=str(folder / "collections"),
        ANSIBLE_COLLECTIONS_SCAN_SYS_PATH="false",
        FONNTE_RECORD_PATH=str(folder / "record"),
    )
    return env


def _first_result(context: Context, venv: Venv, folder: Path, env: Dict[str, str]) -> List[str]:
    """Play the first example of the README in check mode."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    example = re.search(r"```yaml\n(.*?)```", text, re.DOTALL)
    if example is None:
        return ["README.md has no example"]
    (folder / "devices.yml").write_text("---\n" + example.group(1), encoding="utf-8")
    command = [venv.program("ansible-playbook"), "devices.yml", "--check", "--diff"]
    code, output = _said(context, command, folder, env)
    good = code == 0 and "changed=1" in output
    return [] if good else ["the first example of the README ended with exit code %d" % code]


# What the playbook says to whoever has no sandbox, and therefore no checkout.
LACKS = "This demo lacks its sandbox"


def _demo_says(context: Context, venv: Venv, folder: Path, env: Dict[str, str]) -> List[str]:
    command = [venv.program("ansible-playbook"), "%s.%s.demo" % (NAMESPACE, NAME)]
    code, output = _said(context, command, folder, env)
    good = code != 0 and LACKS in " ".join(output.split())
    return [] if good else ["the playbook demo does not say what it lacks"]


def _all_there(context: Context, venv: Venv, folder: Path, env: Dict[str, str]) -> List[str]:
    """Every playbook can be read, and every module, plugin and role has documentation to show."""
    root = folder / "collections" / "ansible_collections" / NAMESPACE / NAME
    problems = []
    playbooks = sorted(path.stem for path in (root / "playbooks").glob("*.yml"))
    names = ["%s.%s.%s" % (NAMESPACE, NAME, playbook) for playbook in playbooks]
    if _said(context, [venv.program("ansible-playbook"), "--syntax-check"] + names, folder, env)[0] != 0:
        problems.append("a playbook cannot be read")
    for kind, names in sorted(documented(root).items()):
        if _said(context, [venv.program("ansible-doc"), "--type", kind] + names, folder, env)[0] != 0:
            problems.append("ansible-doc shows not all of: %s" % kind)
    return problems


def documented(root: Path) -> Dict[str, List[str]]:
    """Return the full names of what ansible-doc is to know, by kind."""
    kinds = {"module": "modules", "inventory": "inventory", "lookup": "lookup", "filter": "filter"}
    found = {
        kind: sorted(path.stem for path in (root / "plugins" / folder).glob("[!_]*.py"))
        for kind, folder in kinds.items()
    }
    found["role"] = sorted(path.name for path in (root / "roles").iterdir())
    return {kind: ["%s.%s.%s" % (NAMESPACE, NAME, name) for name in names] for kind, names in found.items()}


PUBLISH = ("publish",)
STAGES: Tuple[Stage, ...] = (
    Stage("importer", "galaxy-importer", importer, "galaxy.yml", venvs=("importer",)),
    # In a copy of its own: what other stages leave beside the files has no license.
    Stage("nox", "antsibull-nox", nox, "noxfile.py", venvs=PUBLISH, tree=BUILD / "tree-nox"),
    Stage("builder", "ansible-builder", builder, "meta/execution-environment.yml", venvs=PUBLISH),
    Stage("secrets", "detect-secrets", secrets, "README.md", venvs=PUBLISH),
    Stage("schemas", "files for GitHub and pre-commit", schemas, ".github/workflows", venvs=PUBLISH),
    Stage("installed", "the artifact alone", installed, "README.md", venvs=("demo",)),
)
# Of other targets: a release needs them too.
OTHERS = ("lint", "sanity-newest", "sanity-oldest", "docs")


def check_release(arguments: Sequence[str]) -> int:
    """Run all stages, or those that are named; return the exit code."""
    known = [*(stage for stage in SHARED_STAGES + ASKED_FOR if stage.name in OTHERS), *STAGES]
    chosen = [stage for stage in known if not arguments or stage.name in arguments]
    if not chosen:
        say("no such stage; there are %s" % ", ".join(stage.name for stage in known))
        return 2
    return run_stages(chosen)
