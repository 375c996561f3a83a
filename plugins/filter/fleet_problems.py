# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter fleet_problems: what keeps files from declaring one fleet."""

from __future__ import annotations

import typing as t

from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.input_files import find_encoding_problem
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.redaction import printable
from ansible_collections.fonnte.whatsapp.plugins.module_utils._fleet.declaration import misspelling_warnings, read_fleet

DOCUMENTATION = r"""
name: fleet_problems
short_description: Find problems in the declaration of a fleet of WhatsApp devices
version_added: 1.0.0
author:
  - The fonnte.whatsapp contributors (!UNKNOWN)
description:
  - Checks declarations for the role P(fonnte.whatsapp.fleet#role) before any request.
  - It finds unknown names, invalid values, missing packages, and duplicate declarations. The spelling of a number does not matter.
    V(0812-0000-1001) and V(6281200001001) are the same device.
  - The values of webhooks and tokens are not repeated.
options:
  _input:
    description:
      - The declaration of each source, by its name.
        A source has some of O(fonnte.whatsapp.fleet#role:main:fleet_clients), O(fonnte.whatsapp.fleet#role:main:fleet_devices),
        O(fonnte.whatsapp.fleet#role:main:fleet_packages) and O(fonnte.whatsapp.fleet#role:main:fleet_defaults).
    type: dict
    required: true
  stamped:
    description: Whether the names of devices must leave space for a stamp, as with O(fonnte.whatsapp.fonnte_fleet#module:handle_write_only=stamped).
    type: bool
    default: false
  names:
    description: Names of variables. A name that is similar to one of O(options) is a problem.
    type: list
    elements: str
    default: []
  files:
    description: Files of declarations. A file that is not encoded in UTF-8, or cannot be read, is a problem.
    type: list
    elements: path
    default: []
  options:
    description: The names of known variables, for O(names).
    type: list
    elements: str
    default: []
seealso:
  - plugin: fonnte.whatsapp.fleet
    plugin_type: role
"""

EXAMPLES = r"""
- name: Check that the files can be combined
  ansible.builtin.assert:
    that: problems | length == 0
    fail_msg: "{{ problems | join(' ') }}"
  vars:
    problems: "{{ {'toko.yml': toko, 'warung.yml': warung} | fonnte.whatsapp.fleet_problems }}"
    toko:
      fleet_devices:
        - device: "0812-0000-1001"
    warung:
      fleet_devices:
        - device: "0812-0000-1002"
"""

RETURN = r"""
_value:
  description: A sentence for each problem.
  type: list
  elements: str
  sample:
    - One device is declared more than once, as 081200001001 in toko.yml and as 6281200001001 in warung.yml; take one out.
"""


def fleet_problems(
    sources: t.Mapping[str, t.Any],
    stamped: bool = False,
    names: t.Sequence[str] = (),
    options: t.Sequence[str] = (),
    files: t.Sequence[str] = (),
) -> list[str]:
    """Return a sentence for each reason why sources do not declare one fleet."""
    unread = [(path, problem) for path in files for problem in [find_encoding_problem(path)] if problem]
    problems = [f"{path} {problem}; save it as UTF-8." for path, problem in unread]
    problems += [*misspelling_warnings(names, options), *read_fleet(sources, stamped).problems]
    # A key or a name of a file is anybody's, and the sentence goes to a terminal.
    return [printable(problem) for problem in problems]


class FilterModule:
    """Makes the filter known to Ansible."""

    def filters(self) -> dict[str, t.Callable[..., object]]:
        """Return the filters of this file by name."""
        return {"fleet_problems": fleet_problems}
