# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Record the doubt of a request during which the locks were lost: they end with a database session.

Serial: another run may have locked the device since, and may have recorded its values as certain. It is unknown which
of the two requests the service has applied last, so all values of both are in doubt.
"""

from __future__ import annotations

from .._common.clock import now_text
from .._common.errors import RecordError
from .._device.models import Device
from .._device.settings import Settings
from .._record.entries import DeviceRecord
from .._record.files import EncryptedFile
from .._record.store import RecordStore
from .locks import LOCK_SECONDS


def doubt_after_lost_locks(
    records: RecordStore, device: Device, written: EncryptedFile[DeviceRecord], sent: Settings, code: str
) -> str:
    """Record the doubt of a request through another connection, if the locks of this one are lost.

    Args:
        records: The record.
        device: The device of the request.
        written: Its entry, with the string that this run has written last.
        sent: The settings of the request.
        code: The code of their stamp; empty for none.

    Returns:
        A warning if the doubt could not be recorded; empty otherwise.
    """
    try:
        fresh = records.reopen()
        if fresh is not None:
            _doubt(fresh.device(device.token), written, sent, code)
    except RecordError as exc:
        return (
            f"The locks of device {device.number} were lost during a request, and another run may have written to it "
            f"since. Its values are in doubt, and this could not be recorded: {exc.problem}. Run the playbook once "
            "more with handle_write_only: always_update."
        )
    return ""


def _doubt(
    present: EncryptedFile[DeviceRecord], written: EncryptedFile[DeviceRecord], sent: Settings, code: str
) -> None:
    with present.lock(LOCK_SECONDS):
        record, _problem = present.load()
        ours = written.stored is not None and present.stored is not None
        if ours and present.stored == written.stored:
            # No other run has written: the entry is still in doubt from before the request.
            return
        if record is not None:
            present.save(record.mark_in_doubt(sent, now_text(), code))
