# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The text of an alert about a playbook: inert, of limited length, and without secrets.

Errors, hosts and names of tasks may contain any text. In WhatsApp it must be neither markup nor a link, and for
Fonnte no variable such as ``{name}``.
"""

from __future__ import annotations

import re

from .._common.inert_text import make_inert_string
from .._common.redaction import printable, truncate
from .._common.spellings import SecretFinder
from .likely_secrets import mask_likely_secrets
from .outcome import Outcome

MAX_MESSAGE_LENGTH = 1_000
MAX_ERROR_LENGTH = 400
MAX_SEARCHED_LENGTH = 5_000
MAX_TASK_LENGTH = 120
MAX_PLAYBOOK_LENGTH = 80
MAX_HOST_LENGTH = 40
MAX_NAMED_HOSTS = 10

# A line cannot begin with an external string, so lists and quotations need no care.
_MARKUP = str.maketrans({"*": "\uff0a", "~": "\uff5e"})
# An underscore inside of a word, as in fonnte_device, is not markup.
_ITALIC = re.compile(r"(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
# WhatsApp converts these to a link or to a mention, so an invisible character interrupts them.
_LINK = re.compile(r":(?=//)|@")
_DOMAIN = re.compile(r"(?<=[A-Za-z0-9])\.(?=[A-Za-z])")


def make_inert(text: str, longest: int, is_name: bool = False) -> str:
    """Return an external string in one line, without markup, variables, control characters and links.

    Args:
        text: The string.
        longest: The maximum length; a longer one is cut.
        is_name: Whether the string is the name of a host or a file, which stays searchable: its periods are kept.
    """
    line = " ".join(printable(text, " ").split())
    line = _ITALIC.sub("\uff3f", make_inert_string(line).translate(_MARKUP))
    for pattern in (_LINK,) if is_name else (_LINK, _DOMAIN):
        line = pattern.sub(lambda found: f"{found.group()}\u200b", line)
    return truncate(line, longest - 1)


def mask_text(text: str, finder: SecretFinder) -> str:
    """Return a text with known secrets in any encoding, and strings that resemble a secret, replaced by a mask."""
    # The line breaks that end a value are needed until the secrets are found. The start of the text is enough for an
    # alert, and searching megabytes would delay the run.
    return mask_likely_secrets(finder.mask(text[:MAX_SEARCHED_LENGTH]))


def compose(outcome: Outcome, with_error: bool) -> str:
    """Return the text of the alert, at most 1,000 characters."""
    mode = " (check mode)" if outcome.check_mode else ""
    playbook = make_inert(outcome.playbook, MAX_PLAYBOOK_LENGTH, is_name=True)
    if not outcome.failed:
        return f"Ansible: {playbook}{mode} has completed\nHosts: {outcome.hosts}, {outcome.changed} changed"
    lines = [f"Ansible: {playbook}{mode} has failed", f"Hosts: {_hosts(outcome)}"]
    if outcome.failures:
        first = outcome.failures[0]
        lines.append(f"Task: {make_inert(first.task, MAX_TASK_LENGTH)}{_more_tasks(outcome)}")
        if with_error:
            lines += _error(outcome, len("\n".join(lines)))
    return "\n".join(lines)


def _error(outcome: Outcome, used: int) -> list[str]:
    first = outcome.failures[0]
    if not first.error:
        return ["Error: hidden, because the task has no_log"]
    start = f"Error: {make_inert(first.host, MAX_HOST_LENGTH, is_name=True)}: "
    left = MAX_MESSAGE_LENGTH - used - len(start) - 1
    return [start + make_inert(first.error, min(MAX_ERROR_LENGTH, left))]


def _hosts(outcome: Outcome) -> str:
    named = [
        make_inert(host, MAX_HOST_LENGTH, is_name=True) + (" (unreachable)" if host in outcome.unreachable else "")
        for host in outcome.failed[:MAX_NAMED_HOSTS]
    ]
    more = len(outcome.failed) - MAX_NAMED_HOSTS
    return ", ".join(named) + (f" and {more} more" if more > 0 else "")


def _more_tasks(outcome: Outcome) -> str:
    others = len({failure.task for failure in outcome.failures} - {outcome.failures[0].task})
    return f" (and {_counted(others)})" if others else ""


def _counted(others: int) -> str:
    return "1 more task" if others == 1 else f"{others} more tasks"
