# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Detect misspelled names of the variables of a role or playbook: Ansible accepts any name."""

from __future__ import annotations

import difflib
import typing as t


def misspelling_warnings(names: t.Iterable[str], options: t.Collection[str]) -> list[str]:
    """Return a sentence for each variable name that is almost the name of an option.

    Other names with the same prefix are ignored: they may belong to another role.
    """
    near = {name: _similar(name, options, 0.85) for name in sorted(names) if name not in options}
    return [_unknown_variable(name, meant) for name, meant in near.items() if meant]


def unknown_name_errors(names: t.Iterable[str], options: t.Sequence[str]) -> list[str]:
    """Return a sentence for each name that has the prefix of the options, or almost is one of them, and is none.

    Args:
        names: The extra variables (C(-e)). They are for this run, so one without effect is a mistake: with a misspelled
            selector, a run would change all devices.
        options: The variables that users may set.
    """
    if not options:
        return []
    prefix = options[0].partition("_")[0] + "_"
    problems = []
    for name in sorted(names):
        owned = name.startswith(prefix)
        near = _similar(name, options, 0.6) if owned else next(iter(_matches(name, options, 0.85)), "")
        if name not in options and (owned or near):
            problems.append(_unknown_variable(name, near))
    return problems


def _similar(name: str, options: t.Iterable[str], cutoff: float) -> str:
    """Return the most similar option, or an empty string."""
    # Compare without the common prefix, which would increase the similarity of any two names.
    rests = {option.partition("_")[2]: option for option in options}
    meant = _matches(name.partition("_")[2], rests, cutoff)
    return rests[meant[0]] if meant else ""


def _matches(name: str, options: t.Iterable[str], cutoff: float) -> list[str]:
    return difflib.get_close_matches(name, list(options), n=1, cutoff=cutoff)


def _unknown_variable(name: str, meant: str) -> str:
    hint = f"; {meant} may be meant" if meant else ""
    return f"There is no variable {name}{hint}, so rename or remove it."
