# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A session of nox that checks something: its copy of the checkout, its environment, its log and its counts."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import nox
from nox.command import CommandFailed

from tests.sandbox.driver import Sandbox
from tools import tree
from tools.counts import Counts, integration_targets, notes, of_junit
from tools.environment import for_ansible_test, for_sandbox, for_stage, home_of
from tools.paths import BUILD, INSTALLED_ROOT, LOGS, RESULTS, VENVS

# Two is the number that the checks are balanced for; a machine with one core gets one.
WORKERS = min(2, os.cpu_count() or 1)


def venv(name: str) -> Path:
    """Return the virtual environment that the session ``NAME-env`` sets up. nox writes a dash for a dot."""
    return VENVS / f"{name.replace('.', '-')}-env"


class Stage:
    """A session that runs programs of an environment on its own copy of the checkout."""

    def __init__(self, session: nox.Session, environment: str = "newest", path: Path | None = None) -> None:
        self.session = session
        self.name = re.sub(r"[^\w.-]+", "-", session.name).strip("-")
        self.venv = path or venv(environment)
        self.root = BUILD / "trees" / self.name
        self.files = tree.list_files()
        self.tree = tree.sync(self.files, self.root)
        self.env = for_stage(self.name, [self.venv / "bin"])
        self.counts = Counts()
        LOGS.mkdir(parents=True, exist_ok=True)
        RESULTS.mkdir(parents=True, exist_ok=True)
        self.log = LOGS / (self.name + ".log")
        self.log.write_bytes(b"")
        self.report = RESULTS / (self.name + ".xml")

    def run(
        self,
        program: str,
        *arguments: str,
        cwd: Path | None = None,
        env: dict[str, str] | None = None,
        success_codes: Sequence[int] = (0,),
    ) -> str:
        """Run a program of the environment into the log; return its output. A failure prints the output."""
        with open(self.log, "r+", encoding="utf-8", errors="replace") as stream:
            start = stream.seek(0, os.SEEK_END)
            failure = None
            with contextlib.chdir(cwd or self.tree):
                try:
                    self.session.run(
                        *(str(self.venv / "bin" / program), *arguments),
                        env=self.env if env is None else env,
                        include_outer_env=False,
                        stdout=stream,
                        stderr=stream,
                        success_codes=success_codes,
                    )
                except CommandFailed as exc:
                    failure = exc
            stream.seek(start)
            output = stream.read()
        if failure is not None:
            print(output, flush=True)
            raise failure
        return output

    def check(self, program: str, *arguments: str, shows: str = "", **options: Any) -> None:
        """Run a program as one check. Its output must match a pattern, where success could mean an empty run."""
        try:
            passed = re.search(shows, self.run(program, *arguments, **options)) is not None
        except CommandFailed:
            passed = False
        self.count(passed, " ".join((program, *arguments)))

    def count(self, passed: bool, title: str) -> None:
        """Count one check."""
        if not passed:
            self.session.warn("FAILED: %s" % title)
        self.counts = self.counts.plus(Counts(int(passed), int(not passed)))

    def pytest(self, *arguments: str, workers: int = 2 * WORKERS, **variables: str) -> None:
        """Run pytest with more variables, and count its tests."""
        self.report.unlink(missing_ok=True)
        command = ["-m", "pytest", "--junit-xml", str(self.report), "--tb", "short"]
        command += ["--numprocesses", str(workers), "--dist", "worksteal"] if workers else []
        code, output = 0, ""
        try:
            output = self.run("python", *command, *arguments, env={**self.env, **variables})
        except CommandFailed:
            code = 1
        reports = [self.report] if self.report.exists() else []
        counts = of_junit(reports).with_exit(code)
        note = "; ".join(filter(None, (notes(output), counts.note)))
        total = self.counts.plus(counts)
        self.counts = Counts(total.passed, total.failed, total.skipped, note)

    def sanity(self, *arguments: str) -> None:
        """Run ansible-test sanity: compile and import with each Python here, the other tests with that of the session."""
        reports = self.tree / "tests" / "output" / "junit"
        shutil.rmtree(reports, ignore_errors=True)
        code = self._ansible_test("sanity", "--local", "--junit", *arguments)
        # A test that does not apply (of shell scripts, without any) is neither passed nor skipped.
        counts = of_junit(sorted(reports.glob("ansible-test-sanity-*.xml")))
        self.counts = self.counts.plus(Counts(counts.passed, counts.failed).with_exit(code))

    def integration(self, *arguments: str, in_process: bool = True) -> None:
        """Run ansible-test integration against a sandbox, and count the targets."""
        with self.sandbox() as box:
            # ansible-test drops the environment; each target gets the variables of this file.
            variables: dict[str, object] = {name.lower(): value for name, value in for_sandbox(box).items()}
            variables["fonnte_record_path"] = str(self.empty("record"))
            variables.update({} if in_process else {"fonnte_in_process": False})
            config = self.tree / "tests" / "integration" / "integration_config.yml"
            config.write_text(json.dumps(variables) + "\n", encoding="utf-8")
            code = self._ansible_test("integration", "--continue-on-error", *arguments)
        counts = integration_targets(self.log.read_text(encoding="utf-8", errors="replace"))
        self.counts = self.counts.plus(counts.with_exit(code))

    def _ansible_test(self, command: str, *arguments: str) -> int:
        env = for_ansible_test(self.name, self.venv)
        try:
            self.run("ansible-test", command, "--color", "no", *arguments, env=env)
        except CommandFailed:
            return 1
        return 0

    def sandbox(self) -> Sandbox:
        """Return a sandbox, which runs as long as the block that it is used in."""
        return Sandbox(python=str(self.venv / "bin" / "python"))

    def empty(self, name: str) -> Path:
        """Return a path in the home of the session that does not exist: files of earlier runs are removed."""
        folder = home_of(self.name) / name
        shutil.rmtree(folder, ignore_errors=True)
        return folder

    def finish(self) -> None:
        """Write the counts for the summary, print them, and fail the session if a check failed or none was run."""
        counts = self.counts.with_exit(0)
        (RESULTS / (self.session.name + ".json")).write_text(json.dumps(asdict(counts)), encoding="utf-8")
        self.session.log(counts.text())
        if counts.failed:
            self.session.error("see %s" % os.path.relpath(self.log))


def build(stage: Stage, folder: Path, source: Path | None = None) -> Path:
    """Build the artifact into a directory from the files that git tracks; return its path."""
    shutil.rmtree(folder, ignore_errors=True)
    packed = [path for path in tree.tracked_files() if os.path.lexists((source or stage.tree) / path)]
    copy = tree.sync(packed, folder / "source", source or stage.tree)
    stage.run("ansible-galaxy", "collection", "build", "--force", "--output-path", str(folder), cwd=copy)
    (artifact,) = folder.glob("*.tar.gz")
    return artifact


def install(stage: Stage, artifact: Path, root: Path) -> None:
    """Install an artifact under a root, without a request to a server."""
    options = ("--offline", "--force", "--collections-path", str(root))
    stage.run("ansible-galaxy", "collection", "install", *options, str(artifact), cwd=artifact.parent)


def ensure_installed(stage: Stage, root: Path = INSTALLED_ROOT) -> Path:
    """Build the artifact and install it under a root, unless the same content is installed; return the artifact."""
    stamp, folder = root / "content-hash", root.with_name(root.name + "-artifact")
    # The artifact lacks a new file until git tracks it, so adding it must change the digest.
    digest = "\n".join([tree.content_hash(stage.files, stage.tree), *tree.tracked_files()])
    artifacts = list(folder.glob("*.tar.gz"))
    if len(artifacts) == 1 and stamp.exists() and stamp.read_text(encoding="utf-8") == digest:
        return artifacts[0]
    # Removed first, so that an interrupted installation is not taken for a complete one.
    shutil.rmtree(root, ignore_errors=True)
    artifact = build(stage, folder)
    install(stage, artifact, root)
    stamp.write_text(digest, encoding="utf-8")
    return artifact
