# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.
"""Replace the names of groups in a message by their IDs, before it is sent."""

from __future__ import annotations

import collections
import typing as t
from dataclasses import replace

from .group_targets import GROUP_PREFIX, find_group, is_group_name
from .message import Message, Target, check_query

if t.TYPE_CHECKING:
    from .._api.contact_requests import Group


def has_group_names(message: Message) -> bool:
    """Return whether a target of a message is the name of a group."""
    return any(is_group_name(target.address) for target in message.targets)


def with_group_ids(message: Message, groups: t.Sequence[Group], method: str) -> Message:
    """Return a message with the IDs of its groups. A group that is named twice gets one message, like a number.

    Args:
        message: The message.
        groups: The groups of the sending device.
        method: The HTTP method of the request.

    Raises:
        NotFoundError: A name is not that of exactly one group.
        OptionError: The request is now too long for GET.
    """

    def resolve(target: Target) -> Target:
        if not is_group_name(target.address):
            return target
        group = find_group(target.address[len(GROUP_PREFIX) :], groups, "target")
        return replace(target, address=group.id, international=group.id)

    named = collections.Counter(map(resolve, message.targets))
    form = {**message.form, "target": ",".join(target.wire for target in named)}
    if method == "get":
        check_query(form, message.upload)
    repeated = (target.international for target, times in named.items() if times > 1)
    return replace(message, targets=tuple(named), form=form, repeated=(*message.repeated, *repeated))
