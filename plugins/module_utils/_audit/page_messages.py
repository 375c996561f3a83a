# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The texts of the page of a report: inserted values are markup, and times have a form that the page's script converts."""

from __future__ import annotations

from datetime import datetime
from html import escape

from .._common.clock import TIME_FORMAT
from .messages import Messages


class PageMessages(Messages):
    """The texts of one language as markup. The templates contain no special characters, so only values are escaped."""

    def external(self, value: str) -> str:
        """Return a string from outside as markup that keeps its direction of writing to itself."""
        return f"<bdi>{escape(value)}</bdi>" if value else ""

    def moment(self, at: str | None) -> str:
        """Return a time in UTC, which the script converts to local time; empty if there is none."""
        return f'<time datetime="{escape(at)}">{self.utc(at)}</time>' if at else ""

    def day(self, at: str) -> str:
        """Return the date of a time in UTC, which the script converts to the local date."""
        return f'<time class="day" datetime="{escape(at)}">{self.date(at)}</time>'

    def date(self, at: str) -> str:
        """Return the date of a time in UTC as text."""
        return self._written("day", at)

    def utc(self, at: str) -> str:
        """Return a time in UTC as text."""
        return self._written("moment", at)

    def _written(self, key: str, at: str) -> str:
        """Return a time with the names of months of the language. A record may contain a time of another form."""
        try:
            then = datetime.strptime(at, TIME_FORMAT)
        except ValueError:
            return escape(at)
        month = self("months").split()[then.month - 1]
        return self(key, day=then.day, month=month, year=then.year, hour=f"{then.hour:02}", minute=f"{then.minute:02}")
