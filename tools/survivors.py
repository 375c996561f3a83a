# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why the tests cannot or should not tell some mutants apart: a sentence for each change that may survive.

A change is named by its file, by what it is in, and by the line before and after; so it is found again wherever the
line moves. ``make mutation`` fails for a survivor that has no sentence here, and tells of sentences that are idle.
"""

from __future__ import annotations

from typing import Dict, Tuple

# File, function, line before, line after.
Change = Tuple[str, str, str, str]

WHY: Tuple[Tuple[str, Tuple[Change, ...]], ...] = (
    (
        "Of a device that is not there nothing is looked up in the record, so it does not matter which is handed over.",
        (
            (
                "_reconcile/planner.py",
                "make_plan",
                "return replace(stand_still(desired, None, recorded), warnings=(nothing, *moved(desired, recorded)))",
                "return replace(stand_still(desired, None, None), warnings=(nothing, *moved(desired, recorded)))",
            ),
            (
                "_reconcile/planner.py",
                "make_plan",
                "return stand_still(desired, None, recorded)",
                "return stand_still(desired, None, None)",
            ),
        ),
    ),
    (
        "The time is for the age of a record, and of a device that does not exist yet there is none.",
        (
            (
                "_reconcile/planner.py",
                "make_plan",
                "return _plan_elsewhere(desired, now)",
                "return _plan_elsewhere(desired, None)",
            ),
            (
                "_reconcile/planner.py",
                "_plan_elsewhere",
                "foreseen = _plan_existing(desired, Observed(desired.number), Recorded(begun=True), now)",
                "foreseen = _plan_existing(desired, Observed(desired.number), Recorded(begun=True), None)",
            ),
        ),
    ),
    (
        "None is the default too; it is written down for the reader.",
        (
            (
                "_reconcile/planner.py",
                "_plan_create",
                "before=None,",
                "",
            ),
            (
                "_reconcile/planner.py",
                "_plan_absent",
                "return Plan(operations=(DELETE,), before=before, after=None)",
                "return Plan(operations=(DELETE,), before=before, )",
            ),
            (
                "_record/store.py",
                "_cipher",
                'key = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"fonnte.whatsapp/record/1").derive(secret.encode())',
                'key = HKDF(algorithm=SHA256(), length=32, info=b"fonnte.whatsapp/record/1").derive(secret.encode())',
            ),
        ),
    ),
    (
        "The number of what is seen is in warnings alone, and none of those can come up for a device of which nothing is known and nothing is at risk.",
        (
            (
                "_reconcile/planner.py",
                "_plan_elsewhere",
                "foreseen = _plan_existing(desired, Observed(desired.number), Recorded(begun=True), now)",
                "foreseen = _plan_existing(desired, Observed(None), Recorded(begun=True), now)",
            ),
        ),
    ),
    (
        "The policy `recorded` is the one that adds no rule of its own, so any other word that no rule knows does the same.",
        (
            (
                "_reconcile/planner.py",
                "_without_brakes",
                'write_only = "recorded" if desired.policy.write_only == "error" else desired.policy.write_only',
                'write_only = "XXrecordedXX" if desired.policy.write_only == "error" else desired.policy.write_only',
            ),
            (
                "_reconcile/planner.py",
                "_without_brakes",
                'write_only = "recorded" if desired.policy.write_only == "error" else desired.policy.write_only',
                'write_only = "RECORDED" if desired.policy.write_only == "error" else desired.policy.write_only',
            ),
        ),
    ),
    (
        "Where autoread is declared it is among what is told, so the hidden settings need not be asked as well.",
        (
            (
                "_reconcile/planner.py",
                "_plan_existing",
                'telling = {*HIDDEN, "autoread"} if "autoread" in desired.settings else HIDDEN',
                'telling = {"autoread"} if "autoread" in desired.settings else HIDDEN',
            ),
        ),
    ),
    (
        "None counts as false to a dataclass.",
        (
            (
                "_record/store.py",
                "NumberNote",
                'number: str = field(default="", compare=False)',
                'number: str = field(default="", compare=None)',
            ),
        ),
    ),
    (
        "A file that vanished counts as one that does not open, and no short text opens.",
        (
            (
                "_record/store.py",
                "RecordStore.notes",
                'found[name] = self.file(name).sealed() or b""',
                'found[name] = self.file(name).sealed() or b"XXXX"',
            ),
        ),
    ),
    (
        "A text is opened with its secret alone: folder and name are for reading and writing the file.",
        (
            (
                "_record/store.py",
                "RecordStore.notes_in",
                "note = SealedFile(self.folder, name, account_token, NumberNote.from_json).unseal(sealed)",
                "note = SealedFile(None, name, account_token, NumberNote.from_json).unseal(sealed)",
            ),
            (
                "_record/store.py",
                "RecordStore.notes_in",
                "note = SealedFile(self.folder, name, account_token, NumberNote.from_json).unseal(sealed)",
                "note = SealedFile(self.folder, None, account_token, NumberNote.from_json).unseal(sealed)",
            ),
        ),
    ),
    (
        "Only the text of the fault is shown, not its number.",
        (
            (
                "_record/store.py",
                "RecordStore.check_writable",
                "raise _unwritable(self.folder, OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)))",
                "raise _unwritable(self.folder, OSError(None, os.strerror(errno.ENOTDIR)))",
            ),
            (
                "_record/store.py",
                "RecordStore.check_writable",
                "raise _unwritable(self.folder, OSError(errno.EACCES, os.strerror(errno.EACCES)))",
                "raise _unwritable(self.folder, OSError(None, os.strerror(errno.EACCES)))",
            ),
        ),
    ),
    (
        "Zero has one digit, and is refused for that already.",
        (
            (
                "_common/phone_numbers.py",
                "_unquoted",
                "if value < 0 or len(digits) < MIN_UNQUOTED_DIGITS:",
                "if value <= 0 or len(digits) < MIN_UNQUOTED_DIGITS:",
            ),
            (
                "_common/phone_numbers.py",
                "_unquoted",
                "if value < 0 or len(digits) < MIN_UNQUOTED_DIGITS:",
                "if value < 1 or len(digits) < MIN_UNQUOTED_DIGITS:",
            ),
        ),
    ),
    (
        "Meanings are told apart by which they are; what stands behind one is never looked at, and None is one of a kind too.",
        (
            (
                "_common/errors.py",
                "Meaning",
                "UNKNOWN = enum.auto()",
                "UNKNOWN = None",
            ),
        ),
    ),
)


def sentences() -> Dict[Change, str]:
    """Return the sentence of each change."""
    return {change: why for why, changes in WHY for change in changes}
