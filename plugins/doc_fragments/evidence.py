# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options on settings that the service never shows."""

from __future__ import annotations


class ModuleDocFragment:
    """The options that say which evidence is enough."""

    DOCUMENTATION = r"""
options:
  handle_write_only:
    description:
      - When to send a declared write-only setting, which is a setting that Fonnte never returns.
      - V(recorded) sends a value that differs from the record of this control node, or is not recorded.
      - V(stamped) sends unless a signature suffix (stamp) in the device's name, such as C(Toko Satu ~k3f9x), proves the values.
        Each update writes the stamp, which every control node can verify. Names have at most 23 characters, and results omit the stamp.
        Use it for all tasks that manage a device.
      - V(always_update) sends in every run, which always counts as changed.
      - V(error) fails if the value is unknown, and sends a value that differs.
      - V(attest) sends nothing. It records the declared values as verified by you, with the time and your user name.
        The device must exist, and the values that Fonnte returns must match.
    type: str
    choices: [recorded, stamped, always_update, error, attest]
    default: recorded
  handle_undeclared:
    description:
      - How to treat settings that this control node recorded and the task does not declare.
      - V(carry) sends them again with every update. They are in RV(ignore:carried), and in a warning the first time.
      - V(forget) removes them from the record, without a request. The next update may reset them. Do not use it if another task declares them.
    type: str
    choices: [carry, forget]
    default: carry
  handle_unknown:
    description:
      - How to treat settings that are neither declared, recorded, nor returned by Fonnte, because any update may reset them (RV(ignore:at_risk)).
        V(warn) prints a warning, V(error) fails before any write, V(ignore) does neither.
    type: str
    choices: [warn, error, ignore]
    default: warn
"""
