# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults outside of the requests: the network, the machine, the record, and others who work on the same account."""

from __future__ import annotations

import concurrent.futures
import contextlib
import errno
import itertools
import os
import shutil
import socket
import time
import typing as t
from dataclasses import dataclass
from pathlib import Path

import requests

from ..control_node import Controller
from ..operating_system import replaced_os
from ..sandbox.driver import Sandbox
from .fault_interface import Options, Place
from .scenarios import NUMBER, SECOND, Scene

_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth")
# The duration of a request during which another actor intervenes.
MEANWHILE = 0.25


# --- the network ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Way:
    """A connection that does not reach the service."""

    name: str
    open: t.Callable[[], contextlib.AbstractContextManager[Options]]
    slow = True

    def at(self, scene: Scene) -> bool:
        """Return whether it can happen in a scene: before the first request of all modules."""
        return scene.call == "/get-devices"

    def during(self, scene: Scene, place: Place) -> contextlib.AbstractContextManager[Options]:
        """Use this connection."""
        return self.open()


@contextlib.contextmanager
def _nobody_listens() -> t.Iterator[Options]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        # Bound but not listening: no other process gets the port, and connections are refused.
        yield {"api_endpoint": f"http://127.0.0.1:{taken.getsockname()[1]}"}


@contextlib.contextmanager
def _nobody_accepts() -> t.Iterator[Options]:
    """Open a port whose queue is full: a client that connects waits for an answer to its first packet."""
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(socket.socket())
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        for _client in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                waiting.connect(server.getsockname())
        yield {"api_endpoint": f"http://127.0.0.1:{server.getsockname()[1]}", "api_timeout": 0.1}


@contextlib.contextmanager
def _no_such_host() -> t.Iterator[Options]:
    yield {"api_endpoint": "https://fonnte.invalid"}


@contextlib.contextmanager
def _proxy_is_down() -> t.Iterator[Options]:
    with _environment(https_proxy="http://127.0.0.1:1"):
        yield {"api_endpoint": "https://api.example.com"}


def _certificate(tls: str) -> t.Callable[[], contextlib.AbstractContextManager[Options]]:
    @contextlib.contextmanager
    def opened() -> t.Iterator[Options]:
        with Sandbox(tls=tls) as other:
            yield {"api_endpoint": other.url, "ca_path": None if tls == "self-signed" else other.ca}
            assert other.journal() == [], "a token was sent to a server that nobody vouches for"

    return opened


@contextlib.contextmanager
def _no_tls_there() -> t.Iterator[Options]:
    with Sandbox() as other:
        yield {"api_endpoint": other.url.replace("http://", "https://")}
        assert other.journal() == []


WAYS: tuple[Way, ...] = (
    Way("no server listens on the port", _nobody_listens),
    Way("no answer to the connection (time-out)", _nobody_accepts),
    Way("the host name is unknown", _no_such_host),
    Way("the proxy is down", _proxy_is_down),
    Way("TLS: the certificate has expired", _certificate("expired")),
    Way("TLS: the certificate is for another host", _certificate("wrong-host")),
    Way("TLS: the certificate is self-signed", _certificate("self-signed")),
    Way("TLS: the server speaks plain HTTP", _no_tls_there),
)


# --- the machine ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Machine:
    """A state of the machine that must not change the content or the recipient of a request."""

    name: str
    set_up: t.Callable[[Path, str], contextlib.AbstractContextManager[None]]
    slow = False

    def at(self, scene: Scene) -> bool:
        """Return whether it can happen in a scene: at the first request of all modules."""
        return scene.call == "/get-devices"

    @contextlib.contextmanager
    def during(self, scene: Scene, place: Place) -> t.Iterator[Options]:
        """Run on such a machine."""
        with self.set_up(place.folder, place.elsewhere.url):
            yield {}


@contextlib.contextmanager
def _environment(**variables: str) -> t.Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _netrc(folder: Path, elsewhere: str) -> contextlib.AbstractContextManager[None]:
    netrc = folder / ".netrc"
    netrc.write_text("machine 127.0.0.1\nlogin somebody\npassword something\n", encoding="utf-8")
    netrc.chmod(0o600)
    return _environment(HOME=str(folder), NETRC=str(netrc))


def _proxies(folder: Path, elsewhere: str) -> contextlib.AbstractContextManager[None]:
    names = ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY")
    return _environment(**dict.fromkeys(names, elsewhere))


def _bundles(folder: Path, elsewhere: str) -> contextlib.AbstractContextManager[None]:
    return _environment(REQUESTS_CA_BUNDLE=str(folder / "none"), CURL_CA_BUNDLE=str(folder / "none"))


MACHINES: tuple[Machine, ...] = (
    Machine("a .netrc entry for the host", _netrc),
    Machine("proxy variables, and the service on this machine", _proxies),
    Machine("REQUESTS_CA_BUNDLE and CURL_CA_BUNDLE that name no file", _bundles),
)


# --- the record -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Damage:
    """Damage to the record's directory, before or during the run.

    Attributes:
        during_run: A context manager that applies the damage to a directory.
        but_not: The module in which the damaged operation is not deterministic.
    """

    name: str
    during_run: t.Callable[[Path], contextlib.AbstractContextManager[None]]
    but_not: str = ""
    slow = False

    def at(self, scene: Scene) -> bool:
        """Return whether it can happen in a scene: in each scene that writes."""
        writes = scene.module in ("device", "webhook_config", "fleet") and scene.call not in ("/get-devices", "/device")
        return writes and scene.module != self.but_not

    @contextlib.contextmanager
    def during(self, scene: Scene, place: Place) -> t.Iterator[Options]:
        """Damage the record during the run."""
        with self.during_run(place.controller.records):
            yield {}


def _full_from(first: int) -> t.Callable[[Path], contextlib.AbstractContextManager[None]]:
    """Return a disk that accepts a number of writes, and no more."""

    @contextlib.contextmanager
    def full(_records: Path) -> t.Iterator[None]:
        sync, write, count = os.fsync, os.write, itertools.count()

        def require_room() -> None:
            if next(count) >= first:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        def fsync(descriptor: int) -> None:
            require_room()
            sync(descriptor)

        def os_write(descriptor: int, data: t.Any) -> int:
            # Appends to a file of the record fail too.
            require_room()
            return write(descriptor, data)

        with replaced_os(fsync=fsync), replaced_os(write=os_write):
            yield

    return full


def _refused(number: int, writes_only: bool) -> t.Callable[[Path], contextlib.AbstractContextManager[None]]:
    """Return a directory whose files cannot be opened. Modes have no effect, since the tests may run as root."""

    @contextlib.contextmanager
    def refused(records: Path) -> t.Iterator[None]:
        real = os.open

        def os_open(path: t.Any, flags: int, *more: t.Any, **named: t.Any) -> int:
            writes = bool(flags & (os.O_CREAT | os.O_WRONLY | os.O_RDWR))
            if (writes or not writes_only) and _is_within(records, path, named.get("dir_fd")):
                raise OSError(number, os.strerror(number))
            return real(path, flags, *more, **named)

        with replaced_os(open=os_open):
            yield

    return refused


def _is_within(records: Path, path: t.Any, directory: int | None) -> bool:
    """Return whether a path is below the record, by itself or by the descriptor of the directory."""
    if directory is None:
        return isinstance(path, str) and path.startswith(str(records))
    return records.exists() and os.path.samestat(os.fstat(directory), records.stat())


@contextlib.contextmanager
def _gone(records: Path) -> t.Iterator[None]:
    shutil.rmtree(records, ignore_errors=True)
    yield


@contextlib.contextmanager
def _cut(records: Path) -> t.Iterator[None]:
    for path in records.glob("*"):
        if path.suffix != ".lock":
            path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    yield


def _files(records: Path) -> list[Path]:
    return sorted(path for path in records.glob("*") if path.suffix != ".lock")


@contextlib.contextmanager
def _swapped(records: Path) -> t.Iterator[None]:
    """Give each file the content of the next one, as an attacker with write access to the directory can."""
    files = _files(records)
    contents = [path.read_bytes() for path in files]
    for path, content in zip(files, [*contents[1:], *contents[:1]], strict=False):
        path.write_bytes(content)
    yield


@contextlib.contextmanager
def _locks_are_links(records: Path) -> t.Iterator[None]:
    """Replace each lock with a link to a file of the user, which no run may write."""
    precious = records.parent / "precious"
    precious.write_text("a file of the user", encoding="utf-8")
    locks = [path.with_name(f"{path.name}.lock") for path in _files(records)]
    for lock in locks:
        lock.unlink(missing_ok=True)
        lock.symlink_to(precious)
    yield
    assert precious.read_text(encoding="utf-8") == "a file of the user", "a file outside of the record was written"
    for lock in locks:
        lock.unlink()


DAMAGES: tuple[Damage, ...] = (
    # The device of a fleet that has the sixth write is not deterministic.
    *(
        Damage(f"the disk is full, from the {word} write on", _full_from(n), "" if n == 0 else "fleet")
        for n, word in enumerate(_ORDINALS)
    ),
    Damage("the directory is read-only", _refused(errno.EROFS, True)),
    Damage("the directory belongs to another user", _refused(errno.EACCES, False)),
    Damage("all its files are gone", _gone),
    Damage("all its files are cut in half", _cut),
    Damage("its files have changed places", _swapped),
    # The devices of a fleet that have a lock already are not deterministic.
    Damage("its locks are links to a file of the user", _locks_are_links, "fleet"),
)


# --- other actors ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Meanwhile:
    """An action of another person or program while a request is in progress.

    Attributes:
        scenes: The scenes in which it can happen, as module and request path.
    """

    name: str
    act: t.Callable[[Sandbox], object]
    scenes: tuple[tuple[str, str], ...]
    slow = False

    def at(self, scene: Scene) -> bool:
        """Return whether it can happen in a scene."""
        return (scene.module, scene.call) in self.scenes

    @contextlib.contextmanager
    def during(self, scene: Scene, place: Place) -> t.Iterator[Options]:
        """Perform the action while the next request is in progress, before the service reads it."""
        place.sandbox.fault("delay", path=scene.call, when="before", seconds=MEANWHILE)
        with concurrent.futures.ThreadPoolExecutor(1) as others:
            acted = others.submit(self._act, place.sandbox)
            yield {}
        acted.result()

    def _act(self, sandbox: Sandbox) -> None:
        end = time.monotonic() + 10
        while sandbox.faults():
            assert time.monotonic() < end, "the call was never made"
            time.sleep(0.005)
        self.act(sandbox)


def _make(sandbox: Sandbox) -> None:
    number = SECOND if NUMBER in sandbox.devices() else NUMBER
    form = {"device": number, "name": "Orang Lain", "autoread": "false", "personal": "false", "group": "false"}
    reply = requests.post(
        f"{sandbox.url}/add-device", data=form, headers={"Authorization": sandbox.account_token}, timeout=5
    )
    assert reply.json()["status"], reply.text


_CREATIONS = (("device", "/add-device"), ("fleet", "/add-device"))
_UPDATES = (("device", "/update-device"), ("webhook_config", "/update-device"), ("fleet", "/update-device"))

MEANWHILES: tuple[Meanwhile, ...] = (
    Meanwhile("another actor creates the device", _make, _CREATIONS),
    Meanwhile("another actor deletes the device", lambda box: box.remove(NUMBER), (_UPDATES[0], _UPDATES[2])),
    Meanwhile(
        "a person renames the device in the dashboard", lambda box: box.edit(NUMBER, name="Orang Lain"), _UPDATES
    ),
    Meanwhile("a person links the device", lambda box: box.link(NUMBER), (_UPDATES[0], _UPDATES[1])),
    Meanwhile(
        "the phone goes offline",
        lambda box: [box.unlink(n) for n, d in box.devices().items() if d["linked"]],
        (("device", "/disconnect"), ("fleet", "/disconnect")),
    ),
)


@dataclass(frozen=True)
class Twin:
    """A concurrent run of the same task, by the same control node or by one with a separate record."""

    name: str
    same_controller: bool
    slow = False

    def at(self, scene: Scene) -> bool:
        """Return whether it can happen in a scene: in each scene with something to change."""
        return (scene.module, scene.call) in (*_CREATIONS, *_UPDATES, ("device", "/disconnect"))

    @contextlib.contextmanager
    def during(self, scene: Scene, place: Place) -> t.Iterator[Options]:
        """Run the task concurrently, and check that it did not fail either."""
        twin = place.controller
        if not self.same_controller:
            twin = Controller(place.sandbox, place.folder / "twin")
        with concurrent.futures.ThreadPoolExecutor(1) as others:
            done = others.submit(twin.run, scene.module, **place.params)
            yield {}
        done.result()


OTHERS: tuple[Meanwhile | Twin, ...] = (
    *MEANWHILES,
    Twin("another run of the same task at the same moment", True),
    Twin("the same, by another controller", False),
)
