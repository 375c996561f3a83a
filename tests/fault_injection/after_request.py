# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Failures after a successful request: completed work must not be reported as failed."""

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
    """A fault that begins when a request of a scene was answered, and lasts until the run ends.

    Attributes:
        around: A context manager around the run; it yields the function that begins the fault.
        scenes: The names of the scenes in which it can happen; empty for all with a request that has an effect.
    """

    name: str
    around: Around
    scenes: tuple[str, ...] = ()
    slow = False

    def at(self, scene: Scene) -> bool:
        """Return whether the fault can happen in a scene."""
        if self.scenes:
            return scene.name in self.scenes
        return scene.call not in ("/get-devices", "/device")

    @contextlib.contextmanager
    def during(self, scene: Scene, place: Place) -> t.Iterator[Options]:
        """Begin the fault after the response to the first request of the scene."""
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
    """Run in the directory of the playbook, as the action plugins do, and return to the previous one afterwards."""
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
    """Close files and report an error, as NFS can: the files are closed nevertheless."""
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


# The scenes that write a file other than the record.
_WRITE_FILES = ("device_qr-qr-for-a-QR-code",)

AFTERWARDS: tuple[Afterwards, ...] = (
    Afterwards("the previous working directory is removed", _directory_is_gone),
    Afterwards("the previous working directory cannot be entered", _directory_is_closed),
    Afterwards("closing a file fails", _closing_fails),
    Afterwards("the disk is full when the file of the result is written", _disk_is_full, _WRITE_FILES),
)
