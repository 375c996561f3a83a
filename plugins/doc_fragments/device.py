# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a task names one device."""

from __future__ import annotations


class ModuleDocFragment:
    """The number of a device."""

    DOCUMENTATION = r"""
options:
  device:
    description:
      - The number of the device. Spelling does not matter. V(0812-3456-789), V(+62 812 3456 789) and V(628123456789) are one device.
      - Quote it. YAML takes V(02155543210) without quotes for an octal number.
      - A number that is registered is never rewritten. A new device gets the number as written, digits only.
      - A number that a spreadsheet changed, such as V(6281200001001.0), is refused. V(81200001001) is refused where only
        V(081200001001) is registered. Write V(+81200001001) for a new device whose country has the code 81.
      - With O(device_token) as well, both must be the same device. That is proved before anything is written.
    type: raw
    aliases: [number]
"""
