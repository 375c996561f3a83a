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
      - The number of the device, in any spelling, such as V(0812-3456-789) or V(+62 812 3456 789).
        Quote it, because YAML reads an unquoted V(02155543210) as an octal number.
      - The number of an existing device is never changed. A new device gets the digits as written.
        Digits that cannot be dialed, such as V(0062812), are refused.
      - A number that a spreadsheet altered, such as V(6281200001001.0), is refused. So is V(81200001001) if only V(081200001001) is registered.
        For a new device with country code 81, write V(+81200001001).
      - With O(device_token), both must identify the same device, which is verified before any write.
    type: raw
    aliases: [number]
"""
