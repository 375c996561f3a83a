# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A PostgreSQL server for the tests of the record."""

from __future__ import annotations

from ansible_collections.fonnte.whatsapp.tests.postgresql import postgresql_server, record_url

__all__ = ["postgresql_server", "record_url"]
