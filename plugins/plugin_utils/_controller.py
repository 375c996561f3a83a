# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Shared code of the plugins that run on the control node: the cache of the process, tags of values, and tokens."""

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
    # Since ansible-core 2.19, a string is a template only if it is explicitly trusted.
    from ansible.template import trust_as_template
except ImportError:
    trust_as_template = None

VARIABLES = "FONNTE_"
# A worker of Ansible runs all items of a loop; the next task has another worker.
CACHE = ProcessCache()


def untag(value: t.Any) -> t.Any:
    """Return an argument as a module receives it: without the tags that Ansible attaches to values."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, date):
        # A timestamp of YAML. str() would not return the format that a module receives.
        return value.isoformat()
    if isinstance(value, t.Mapping):
        return {untag(key): untag(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [untag(item) for item in value]
    # The remaining types convert to strings, such as a secret from a vault.
    return str(value)


def as_data(value: t.Any) -> t.Any:
    """Return a value from outside in a form that Ansible never evaluates as a template."""
    if trust_as_template is not None:
        return value
    from ansible.utils.unsafe_proxy import wrap_var

    return wrap_var(value)


def sentence(fault: FonnteError) -> str:
    """Return the message for an error."""
    return str(missing_required_lib(fault.library)) if isinstance(fault, MissingLibraryError) else str(fault)


@contextlib.contextmanager
def empty_variables_unset() -> t.Iterator[None]:
    """Unset the empty environment variables of this collection for a while: the modules ignore empty ones, too."""
    empty = [name for name, value in os.environ.items() if name.startswith(VARIABLES) and not value]
    for name in empty:
        del os.environ[name]
    try:
        yield
    finally:
        os.environ.update(dict.fromkeys(empty, ""))


def check_token(given: t.Mapping[str, t.Any] | None) -> None:
    """Check that a token is neither a list nor a dictionary: Ansible's own error would print it."""
    if isinstance((given or {}).get("account_token"), (list, tuple, t.Mapping)):
        raise OptionError("account_token", "it is not a string", "write only the token")
