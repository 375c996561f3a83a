# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The known value of each setting and its evidence: the service, the record, or the stamp in the device's name.

Pure, as the planner is. No function returns a value without its evidence.
"""

from __future__ import annotations

import enum
import typing as t

from .._device.settings import BY_OPTION, SETTINGS, Settings, Value
from .._device.stamp import PARTS, Claims, Stamp
from .._record.entries import DeviceRecord, EntryStatus


class Source(enum.Enum):
    """The source of a setting's value."""

    SERVICE = "service"
    STAMPED = "stamped"
    RECORDED = "recorded"
    ATTESTED = "attested"
    UNCONFIRMED = "unconfirmed"
    IN_DOUBT = "in_doubt"
    NONE = "none"


class Evidence(t.NamedTuple):
    """The source of a value, the time since when it is known, and the person who attested it, if any."""

    source: Source = Source.NONE
    at: str | None = None
    by: str = ""


class Known(t.NamedTuple):
    """The last value of a setting that was read, sent or attested.

    Attributes:
        value: The value; None if there is none.
        evidence: Its source.
        proven: Whether the stamp proves it.
    """

    value: Value | None
    evidence: Evidence
    proven: bool = False

    @property
    def confirmed(self) -> bool:
        """Whether it may be shown as the value of the setting. A value without a read response may not."""
        return self.value is not None and self.evidence.source is not Source.IN_DOUBT


class Origin(enum.Enum):
    """The update that wrote the stamp in a name.

    Attributes:
        RECORDED: An update of this control node, without a value that is in doubt now.
        IN_DOUBT: The last update of this control node, whose response was never read. The stamp proves that it was
            applied.
        FOREIGN: Another update: of another control node, or from before the record.
    """

    RECORDED = "recorded"
    IN_DOUBT = "in_doubt"
    FOREIGN = "foreign"


def find_origin(stamp: Stamp, record: DeviceRecord) -> Origin:
    """Return which update wrote a stamp, by its code.

    Each update sends all values in doubt, so the stamp of the last update proves them. A code equal to that of the last
    confirmed update proves nothing about a later update.
    """
    confirmed, last = record.stamps[:1], record.stamps[-1:]
    if stamp.code in last and last != confirmed:
        return Origin.IN_DOUBT
    return Origin.RECORDED if stamp.code in record.stamps else Origin.FOREIGN


Knowledge = t.Mapping[str, Known]

UNKNOWN = Known(None, Evidence())
_SHOWN = Evidence(Source.SERVICE)
_OPTIONS = [setting.option for setting in SETTINGS]
_OPTIONS_OF_PART = {part: [setting.option for setting in SETTINGS if setting.part == part] for part in PARTS}
_SOURCES = {status: Source(status.value) for status in EntryStatus}


def known_settings(shown: Settings, record: DeviceRecord) -> Knowledge:
    """Return each setting as the service shows it now, or otherwise as it was recorded."""
    known: dict[str, Known] = dict.fromkeys(_OPTIONS, UNKNOWN)
    for option, entry in record.entries.items():
        known[option] = Known(entry.value, Evidence(_SOURCES[entry.status], entry.at, entry.by))
    for option, value in shown.items():
        known[option] = Known(value, _SHOWN)
    return known


def is_stamp_valid(stamp: Stamp, shown: Settings) -> bool:
    """Return whether the settings that were sent with the stamp are unchanged as far as they are visible.

    If they were changed in the dashboard, the stamp proves nothing.
    """
    return stamp.autoread is None or shown.get("autoread", stamp.autoread) == stamp.autoread


def apply_stamp(known: Knowledge, declared: Settings, shown: Settings, stamp: Stamp, origin: Origin) -> Knowledge:
    """Return the known settings with those that the stamp proves, and without those that it supersedes.

    Args:
        known: The settings that the service shows or the record has.
        declared: The settings that the task declares.
        shown: The settings that the service shows.
        stamp: The stamp in the name.
        origin: The update that wrote it.
    """
    found = dict(known)
    valid = is_stamp_valid(stamp, shown)
    for part in PARTS:
        of_part = {option: known[option] for option in _OPTIONS_OF_PART[part]}
        proven = _proven_part(part, of_part, declared, stamp, origin) if valid else {}
        if proven:
            found.update(proven)
        elif origin is Origin.FOREIGN and stamp.covers(part):
            # Another control node has sent another set since this was recorded. To send the recorded set would undo its
            # work.
            found.update({option: UNKNOWN for option, item in of_part.items() if item.value is not None})
    if valid and stamp.autoread is not None and "autoread" not in shown:
        found["autoread"] = _proven(known["autoread"], stamp.autoread)
    return found


def _proven_part(part: str, known: Knowledge, declared: Settings, stamp: Stamp, origin: Origin) -> Knowledge:
    """Return the settings of a part that the stamp proves; none if it proves none.

    A stamp can only confirm a complete set, so it is compared with the possible sets. The recorded sets are first: if
    two sets have the same digest, the record decides. Recorded settings that are not in the proven set were not sent
    with it, and become unknown. Those in doubt stay so, unless another control node has sent the set.
    """
    wanted = {option: declared[option] for option in known if option in declared}
    recorded = {option: item.value for option, item in known.items() if item.value is not None}
    # An update does not send a setting again that was cleared before, so its stamp does not claim it.
    carried = {option: value for option, value in recorded.items() if value != ""}
    for candidate in (recorded, carried, {**recorded, **wanted}, {**carried, **wanted}, wanted):
        if _may_be_stamped(candidate, known, origin) and stamp.matches(part, candidate):
            beside = {
                option: UNKNOWN for option in recorded if origin is Origin.FOREIGN or not _in_doubt(known[option])
            }
            return {**beside, **{option: _proven(known[option], value) for option, value in candidate.items()}}
    return {}


def _may_be_stamped(candidate: Settings, known: Knowledge, origin: Origin) -> bool:
    """Return whether, according to the record, the update that wrote the stamp may have sent these values.

    An update of this control node sent the values in the record. It did not send a different value, and a value in
    doubt was only sent by an update in doubt. An equal digest is then a coincidence.
    """
    if origin is Origin.FOREIGN:
        return True
    for option, value in candidate.items():
        item = known[option]
        if item.value is not None and item.value != value:
            return False
        if _in_doubt(item) and origin is Origin.RECORDED:
            return False
    return True


def _in_doubt(known: Known) -> bool:
    return known.evidence.source is Source.IN_DOUBT


def _proven(known: Known, value: Value) -> Known:
    at = known.evidence.at if known.value == value and not _in_doubt(known) else None
    # In one behavior variant, the service ignores an empty webhook: the stamp only proves that it was sent.
    source = Source.UNCONFIRMED if value == "" else Source.STAMPED
    return Known(value, Evidence(source, at), proven=True)


def stamp_updates(recorded: Knowledge, known: Knowledge, wanted: t.Collection[str]) -> tuple[Settings, tuple[str, ...]]:
    """Return the changes of the record that the stamp proves: the values to record, and the settings to remove.

    Args:
        recorded: The known settings without the stamp.
        known: The known settings with the stamp.
        wanted: The settings that may be recorded.
    """
    proven = {
        option: item.value
        for option, item in known.items()
        if item.proven
        and item.value is not None
        and option in wanted
        and (recorded[option].value != item.value or _in_doubt(recorded[option]))
    }
    superseded = tuple(
        option for option, item in known.items() if item.value is None and recorded[option].value is not None
    )
    return proven, superseded


def confirmed_values(known: Knowledge) -> dict[str, Value]:
    """Return the values that may be shown as those of their settings."""
    return {option: item.value for option, item in known.items() if item.confirmed and item.value is not None}


def proven_values(known: Knowledge) -> dict[str, Value]:
    """Return the values that the stamp proves."""
    return {option: item.value for option, item in known.items() if item.proven and item.value is not None}


def claims(settings: Settings) -> Claims:
    """Return the write-only settings among some settings, by the part of a stamp that covers them."""
    return {
        part: {option: value for option, value in settings.items() if BY_OPTION[option].part == part} for part in PARTS
    }


def find_lost_parts(stamped: Claims, stamp: Stamp, shown: Settings) -> tuple[str, ...]:
    """Return the parts that the stamp in the name proves and the stamp of an update does not contain."""
    valid = is_stamp_valid(stamp, shown)
    return tuple(part for part in PARTS if valid and stamp.covers(part) and not stamped.get(part))


def without_settings(known: Knowledge, options: t.Collection[str]) -> Knowledge:
    """Return the known settings as if some of them were not known."""
    return {option: UNKNOWN if option in options else item for option, item in known.items()}
