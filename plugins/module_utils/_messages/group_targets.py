# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Groups as targets: ``group:NAME`` stands for the group with this name in the list that the service stores.

Everything after the prefix is the name: a comma, a vertical bar and digits in it have no other meaning. A request
contains only the ID of the group.
"""

from __future__ import annotations

import difflib
import typing as t
import unicodedata

from .._common.errors import NotFoundError, OptionError
from .._common.redaction import printable, truncate

if t.TYPE_CHECKING:
    from .._api.contact_requests import Group

GROUP_PREFIX = "group:"
MAX_LISTED = 5
MAX_SHOWN_LENGTH = 60
# A comparison of two names takes microseconds, and a hostile service may list very many.
MAX_COMPARED = 2000


def is_group_name(text: str) -> bool:
    """Return whether a target names a group by its name."""
    return text.lstrip().startswith(GROUP_PREFIX)


def parse_group_name(text: str, option: str) -> str:
    """Return the name in ``group:NAME``; OptionError if it is empty."""
    name = text.strip()[len(GROUP_PREFIX) :].strip()
    if not name:
        raise OptionError(option, "it has no name after group:", "write the name of the group, as WhatsApp shows it")
    return name


def find_group(name: str, groups: t.Sequence[Group], option: str) -> Group:
    """Return the one group with a name. An exact match takes precedence over one with other white space.

    Raises:
        NotFoundError: No group has this name, or several have it.
    """
    exact = [group for group in groups if group.name == name]
    found = exact or [group for group in groups if _key(group.name) == _key(name)]
    if len(found) == 1:
        return found[0]
    shown = _quote(name)
    if found:
        fault = NotFoundError(
            f"{len(found)} groups have the name {shown}: {_list(group.id for group in found)}",
            "write the ID of one of them instead of its name",
        )
    else:
        similar = _list(map(_quote, find_similar(name, groups)))
        fault = NotFoundError(
            f"the list that Fonnte stores has no group {shown}{f'; similar names are {similar}' if similar else ''}",
            "write the name as in that list, or run fonnte.whatsapp.fonnte_group_info with refresh: true if the group is "
            "new (also with refresh_after: 60 if the last refresh was today)",
        )
    fault.operation = f"Option {option}"
    raise fault


def find_similar(name: str, groups: t.Sequence[Group]) -> list[str]:
    """Return a few names that contain a name, that it contains, or that are spelled similarly."""
    wanted = truncate(_key(name), MAX_SHOWN_LENGTH).casefold()
    # Names that differ only in case are different groups.
    names: dict[str, dict[str, None]] = {}
    for group in groups[:MAX_COMPARED]:
        names.setdefault(truncate(_key(group.name), MAX_SHOWN_LENGTH).casefold(), {})[group.name] = None
    parts = [folded for folded in names if folded and (wanted in folded or folded in wanted)]
    close = difflib.get_close_matches(wanted, list(names), MAX_LISTED)
    return [similar for folded in dict.fromkeys((*close, *parts)) for similar in names[folded]][:MAX_LISTED]


def _key(name: str) -> str:
    """Return a name in the form in which spellings with other white space and other Unicode forms are equal."""
    return " ".join(unicodedata.normalize("NFC", name).split())


def _quote(name: str) -> str:
    return f'"{printable(truncate(name, MAX_SHOWN_LENGTH))}"'


def _list(texts: t.Iterable[str]) -> str:
    listed = list(texts)
    more = len(listed) - MAX_LISTED
    return ", ".join(listed[:MAX_LISTED]) + (f" and {more} more" if more > 0 else "")
