# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Replace system calls only for the code of the collection, to simulate failures.

The modules of the collection call ``os.fsync(...)`` by the name ``os`` in their namespace. That name is replaced by an
object that has all functions of the module, some of them replaced. The module ``os`` itself is unchanged, so pytest,
the server of a test and other libraries use real files.
"""

from __future__ import annotations

import contextlib
import os
import sys
import typing as t

import pytest

PLUGINS = "ansible_collections.fonnte.whatsapp.plugins."


class PartialModule:
    """A module with some of its functions replaced."""

    def __init__(self, module: t.Any, replaced: t.Mapping[str, t.Any]) -> None:
        for name, function in replaced.items():
            assert hasattr(module, name), f"there is no {name}"
            setattr(self, name, function)
        self._module = module

    def __getattr__(self, name: str) -> t.Any:
        return getattr(self._module, name)


def replace_functions(patch: pytest.MonkeyPatch, name: str, **replaced: t.Any) -> None:
    """Replace functions of a library in each loaded module of the collection that imports it as ``name``.

    Args:
        patch: Restores the modules at the end of the test, or of its context.
        name: The name of the library: os, time, fcntl.
        replaced: The functions by their names.
    """
    library = sys.modules[name]
    found = 0
    for path, module in list(sys.modules.items()):
        current = vars(module).get(name) if path.startswith(PLUGINS) else None
        if current is library or isinstance(current, PartialModule):
            patch.setattr(module, name, PartialModule(current, replaced))
            found += 1
    assert found, f"no module of the collection imports {name}"


def replace_os(patch: pytest.MonkeyPatch, **replaced: t.Any) -> None:
    """Replace functions of ``os`` in the modules of the collection."""
    replace_functions(patch, os.__name__, **replaced)


@contextlib.contextmanager
def replaced_os(**replaced: t.Any) -> t.Iterator[None]:
    """Replace functions of ``os`` in the modules of the collection for as long as the context lasts."""
    with pytest.MonkeyPatch.context() as patch:
        replace_os(patch, **replaced)
        yield
