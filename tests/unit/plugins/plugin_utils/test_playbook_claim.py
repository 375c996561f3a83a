# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each playbook file has one instance of a callback, although Ansible can load the callback by several names."""

from __future__ import annotations

from ansible_collections.fonnte.whatsapp.plugins.plugin_utils._playbook_claim import PlaybookClaims


def test_first_instance_claims_each_file() -> None:
    claims, files = PlaybookClaims(), [object(), object()]
    assert [claims.claim(file) for file in files for _instance in range(3)] == [True, False, False] * 2
