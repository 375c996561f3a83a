# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What fails after the request has succeeded: no such step may make completed work look like a failure."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import typing as t
import unittest.mock
from dataclasses import dataclass

from ansible_collections.fonnte.whatsapp.plugins.module_utils._api.http_session import Session
from ansible_collections.fonnte.whatsapp.plugins.plugin_utils._in_process import _working_directory

from ..operating_system import replaced_os
from .fault_interface import Options, Place
from .scenarios import Scene

Begin = t.Callable[[], None]
Around = t.Callable[[Place], t.ContextManager[Begin]]


@dataclass(frozen=True)
class Afterwards:
    """What goes wrong as soon as a request of a scene was answered, and until the run ends.

    Attributes:
        around: Runs around the run, and gives what begins the trouble.
        scenes: The names of the scenes in which it can happen; none for all with a request that has an effect.
    """

    name: str
    around: Around
    scenes: tuple[str, ...] = ()
    slow = False

    def at(self, scene: Scene) -> bool:
        """Whether it can happen in a scene."""
        if self.scenes:
            return scene.name in self.scenes
        return scene.call not in ("/get-devices", "/device")

    @contextlib.contextmanager
    def during(self, scene: Scene, place: Place) -> t.Iterator[Options]:
        """Have the trouble after the answer to the first request of the scene."""
        exchange = Session.send
        with contextlib.ExitStack() as stack:
            begin = stack.enter_context(self.around(place))

            def exchange_and_begin(session: Session, call: t.Any, *more: t.Any) -> t.Any:
                answer = exchange(session, call, *more)
                if call.path == scene.call:
                    begin()
                return answer

            stack.enter_context(unittest.mock.patch.object(Session, "send", exchange_and_begin))
            yield {}


@contextlib.contextmanager
def _in_directory(place: Place, begin: Begin, refuse: bool) -> t.Iterator[Begin]:
    """Run as the action plugins do: in the directory of the playbook, and back in the previous one afterwards."""
    start = os.open(os.curdir, os.O_RDONLY | os.O_DIRECTORY)
    fchdir = os.fchdir

    def refuse_directory(descriptor: int) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    (place.folder / "previous").mkdir()
    os.chdir(place.folder / "previous")
    try:
        with contextlib.ExitStack() as stack:
            if refuse:
                stack.enter_context(replaced_os(fchdir=refuse_directory))
            with _working_directory(str(place.folder)):
                yield begin
    finally:
        fchdir(start)
        os.close(start)


def _directory_is_gone(place: Place) -> t.ContextManager[Begin]:
    def remove() -> None:
        shutil.rmtree(place.folder / "previous", ignore_errors=True)

    return _in_directory(place, remove, refuse=False)


def _directory_is_closed(place: Place) -> t.ContextManager[Begin]:
    return _in_directory(place, lambda: None, refuse=True)


@contextlib.contextmanager
def _closing_fails(_place: Place) -> t.Iterator[Begin]:
    """Close files as NFS may: they are closed, and an error is reported."""
    close, failing = os.close, [False]

    def close_and_fail(descriptor: int) -> None:
        close(descriptor)
        if failing[0]:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    def begin() -> None:
        failing[0] = True

    with replaced_os(close=close_and_fail):
        yield begin


@contextlib.contextmanager
def _disk_is_full(_place: Place) -> t.Iterator[Begin]:
    fsync, full = os.fsync, [False]

    def fsync_or_fail(descriptor: int) -> None:
        if full[0]:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        fsync(descriptor)

    def begin() -> None:
        full[0] = True

    with replaced_os(fsync=fsync_or_fail):
        yield begin


# What writes a file besides the record.
_WRITE_FILES = ("device_qr-qr-for-a-QR-code",)

AFTERWARDS: tuple[Afterwards, ...] = (
    Afterwards("the previous working directory is removed", _directory_is_gone),
    Afterwards("the previous working directory cannot be entered", _directory_is_closed),
    Afterwards("closing a file fails", _closing_fails),
    Afterwards("the disk is full when the file of the result is written", _disk_is_full, _WRITE_FILES),
)
