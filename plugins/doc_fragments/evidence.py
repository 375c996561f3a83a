# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is done about settings that the service never shows."""

from __future__ import annotations


class ModuleDocFragment:
    """The options that say which evidence is enough."""

    DOCUMENTATION = r"""
options:
  handle_write_only:
    description:
      - Fonnte never shows the webhooks and most other settings. This says when a declared one is sent.
      - With V(recorded) it is sent when it differs from what this controller last applied, or when that is not known.
      - With V(stamped) it is sent unless the device itself proves that it is as declared. Each update puts a stamp into the device's name,
        as in C(Toko Satu ~k3f9x), made from the device's token and all that was sent with it. Any controller can check it.
        A name has at most 23 characters then. Results show names without the stamp. Use it for all tasks that manage a device.
      - With V(always_update) it is sent every time, and the task is always changed.
      - With V(error) the task fails when nothing is known about it. What is known to differ is sent.
      - With V(attest) it is not sent. Somebody looked, and it is so. What is declared goes into the record, with the time and the name of the user.
        The device has to exist, and what Fonnte shows of it has to be as declared.
    type: str
    choices: [recorded, stamped, always_update, error, attest]
    default: recorded
  handle_undeclared:
    description:
      - What is done about settings that are in this controller's record and that the task does not declare.
      - With V(carry) every update sends them again, as they were recorded. They are in RV(ignore:carried), and a warning names them the first time.
      - With V(forget) they are taken out of the record, without a call. Fonnte may keep them as they are, or reset them with the next update.
        Do not use it where another task declares them.
    type: str
    choices: [carry, forget]
    default: carry
  handle_unknown:
    description:
      - Any update may reset settings that are left out. What is known is always sent along.
        This says what to do about those that are neither declared nor recorded nor shown by Fonnte.
      - V(warn) names them in a warning, V(error) fails before anything is written, and V(ignore) says nothing.
        They are in RV(ignore:at_risk) in any case.
    type: str
    choices: [warn, error, ignore]
    default: warn
"""
