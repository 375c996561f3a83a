# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""What is known of each setting, and from where: the service, the record, the stamp in the name.

Pure, like the plan. There is no way to get a value without its evidence.
"""

from __future__ import annotations

import enum
import typing as t
from dataclasses import dataclass

from .._device.settings import BY_OPTION, SETTINGS, Settings, Value
from .._device.stamp import PARTS, Claims, Stamp
from .._record.entries import DeviceRecord


class Source(enum.Enum):
    """Where the claim about a setting comes from."""

    SERVICE = "service"
    STAMPED = "stamped"
    RECORDED = "recorded"
    ATTESTED = "attested"
    UNCONFIRMED = "unconfirmed"
    IN_DOUBT = "in_doubt"
    NONE = "none"


@dataclass(frozen=True)
class Evidence:
    """Where a claim comes from, since when, and who vouches for it if a person does."""

    source: Source = Source.NONE
    at: str | None = None
    by: str = ""


@dataclass(frozen=True)
class Known:
    """The last value of a setting that was read, sent or attested; None where there was none.

    Attributes:
        proven: Whether the stamp says so.
    """

    value: Value | None
    evidence: Evidence
    proven: bool = False

    @property
    def confirmed(self) -> bool:
        """Whether it may be shown as the value: not what was sent without an answer."""
        return self.value is not None and self.evidence.source is not Source.IN_DOUBT


class Origin(enum.Enum):
    """Which update wrote the stamp in a name.

    Attributes:
        RECORDED: One of this control node that carried no value which is in doubt now.
        IN_DOUBT: The last one of this control node, whose response was never read: it did arrive.
        FOREIGN: Another one, of another control node or from before the record.
    """

    RECORDED = "recorded"
    IN_DOUBT = "in_doubt"
    FOREIGN = "foreign"


def find_origin(stamp: Stamp, record: DeviceRecord) -> Origin:
    """Return which update wrote a stamp, by its code.

    Each update sends all values in doubt, so it is the last one that proves them. A code equal to that of the last
    confirmed update shows nothing of a later one.
    """
    confirmed, last = record.stamps[:1], record.stamps[-1:]
    if stamp.code in last and last != confirmed:
        return Origin.IN_DOUBT
    return Origin.RECORDED if stamp.code in record.stamps else Origin.FOREIGN


Knowledge = t.Mapping[str, Known]

UNKNOWN = Known(None, Evidence())


def known_settings(shown: Settings, record: DeviceRecord) -> Knowledge:
    """Return what the service shows, else what the record holds. What is shown now beats what was recorded once."""
    return {setting.option: _known_setting(setting.option, shown, record) for setting in SETTINGS}


def _known_setting(option: str, shown: Settings, record: DeviceRecord) -> Known:
    if option in shown:
        return Known(shown[option], Evidence(Source.SERVICE))
    entry = record.entries.get(option)
    if entry is None:
        return UNKNOWN
    return Known(entry.value, Evidence(Source(entry.status.value), entry.at, entry.by))


def is_stamp_valid(stamp: Stamp, shown: Settings) -> bool:
    """Tell whether nothing that came with the stamp was changed by hand since: otherwise it proves nothing."""
    return stamp.autoread is None or shown.get("autoread", stamp.autoread) == stamp.autoread


def apply_stamp(known: Knowledge, declared: Settings, shown: Settings, stamp: Stamp, origin: Origin) -> Knowledge:
    """Return what is known once the stamp was asked: some of it proven, and some of it superseded.

    Args:
        known: What is shown and recorded.
        declared: What the task declares.
        shown: What the service shows.
        stamp: The stamp in the name.
        origin: The update that wrote it.
    """
    found = dict(known)
    valid = is_stamp_valid(stamp, shown)
    for part in PARTS:
        of_part = {option: known[option] for option in known if BY_OPTION[option].part == part}
        proven = _proven_part(part, of_part, declared, stamp, origin) if valid else {}
        if proven:
            found.update(proven)
        elif origin is Origin.FOREIGN and stamp.covers(part):
            # Somebody sent another set since this was recorded. To carry the old one would undo theirs.
            found.update({option: UNKNOWN for option, item in of_part.items() if item.value is not None})
    if valid and stamp.autoread is not None and "autoread" not in shown:
        found["autoread"] = _proven(known["autoread"], stamp.autoread)
    return found


def _proven_part(part: str, known: Knowledge, declared: Settings, stamp: Stamp, origin: Origin) -> Knowledge:
    """Return the settings of a part as the stamp proves them; none if it proves none.

    A stamp can only confirm a complete set. So the sets that can be right are held against it, and the recorded
    ones first: two sets may have one digest, and then the record decides. What is recorded beside the set that is
    proven was not sent with it, and is no longer known.
    """
    wanted = {option: declared[option] for option in known if option in declared}
    recorded = {option: item.value for option, item in known.items() if item.value is not None}
    # An update does not send again what was cleared once, and so does not claim it.
    carried = {option: value for option, value in recorded.items() if value != ""}
    for candidate in (recorded, carried, {**recorded, **wanted}, {**carried, **wanted}, wanted):
        if _may_be_stamped(candidate, known, origin) and stamp.matches(part, candidate):
            beside = {
                option: UNKNOWN for option in recorded if origin is Origin.FOREIGN or not _in_doubt(known[option])
            }
            return {**beside, **{option: _proven(known[option], value) for option, value in candidate.items()}}
    return {}


def _may_be_stamped(candidate: Settings, known: Knowledge, origin: Origin) -> bool:
    """Tell whether the record allows that the update which wrote the stamp sent these values.

    An update of this control node sent what is in the record. A value that differs was not sent by it, and one in
    doubt only by an update in doubt: an equal digest is chance.
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
    # A reading of the service ignores an empty webhook: that it was sent is all that is proven.
    source = Source.UNCONFIRMED if value == "" else Source.STAMPED
    return Known(value, Evidence(source, at), proven=True)


def stamp_updates(recorded: Knowledge, known: Knowledge, wanted: t.Collection[str]) -> tuple[Settings, tuple[str, ...]]:
    """Return what the stamp taught: what the record should hold from now on, and what it should hold no longer.

    Args:
        recorded: What was known without the stamp.
        known: What is known with it.
        wanted: The settings that the record may hold.
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
    """Return the values that may be shown as such."""
    return {option: item.value for option, item in known.items() if item.confirmed and item.value is not None}


def proven_values(known: Knowledge) -> dict[str, Value]:
    """Return the values that the stamp proves."""
    return {option: item.value for option, item in known.items() if item.proven and item.value is not None}


def claims(settings: Settings) -> Claims:
    """Return the hidden ones among settings, by the part of a stamp that covers them."""
    return {
        part: {option: value for option, value in settings.items() if BY_OPTION[option].part == part} for part in PARTS
    }


def find_lost_parts(stamped: Claims, stamp: Stamp, shown: Settings) -> tuple[str, ...]:
    """Return the parts that the stamp in the name proves and the stamp of an update says nothing of."""
    valid = is_stamp_valid(stamp, shown)
    return tuple(part for part in PARTS if valid and stamp.covers(part) and not stamped.get(part))


def without_settings(known: Knowledge, options: t.Collection[str]) -> Knowledge:
    """Return what is known when the record of some settings is given up."""
    return {option: UNKNOWN if option in options else item for option, item in known.items()}
