# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""What the plugins that run on the controller share: their options, what they keep, and values without tags."""

from __future__ import annotations

import contextlib
import os
import typing as t
from datetime import date

from ansible.module_utils.basic import missing_required_lib

from ansible_collections.fonnte.whatsapp.plugins.module_utils._api.cache import ProcessCache
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.errors import (
    FonnteError,
    MissingLibraryError,
    OptionError,
)

try:
    # Since ansible-core 2.19 a text is a template only if somebody says so.
    from ansible.template import trust_as_template
except ImportError:
    trust_as_template = None

VARIABLES = "FONNTE_"
# A worker of Ansible runs all items of a loop; the next task has a worker of its own.
CACHE = ProcessCache()


def untag(value: t.Any) -> t.Any:
    """Return an argument as a module gets it: without the tags that Ansible hangs on to values."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, date):
        # What YAML takes for a time; str() would write it in another way than a module gets it.
        return value.isoformat()
    if isinstance(value, t.Mapping):
        return {untag(key): untag(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [untag(item) for item in value]
    # What is left is text in disguise, such as a secret from a vault.
    return str(value)


def as_data(value: t.Any) -> t.Any:
    """Return a value from outside so that Ansible never takes it for a template."""
    if trust_as_template is not None:
        return value
    from ansible.utils.unsafe_proxy import wrap_var

    return wrap_var(value)


def sentence(fault: FonnteError) -> str:
    """Return what to tell of a fault."""
    return str(missing_required_lib(fault.library)) if isinstance(fault, MissingLibraryError) else str(fault)


@contextlib.contextmanager
def empty_variables_unset() -> t.Iterator[None]:
    """Have variables of ours that are empty count as unset, as they do for the modules."""
    empty = [name for name, value in os.environ.items() if name.startswith(VARIABLES) and not value]
    for name in empty:
        del os.environ[name]
    try:
        yield
    finally:
        os.environ.update(dict.fromkeys(empty, ""))


def check_token(given: t.Mapping[str, t.Any] | None) -> None:
    """See that a token is no list and no dictionary: Ansible's own error would print it."""
    if isinstance((given or {}).get("account_token"), (list, tuple, t.Mapping)):
        raise OptionError("account_token", "it is not text", "give the token alone")
