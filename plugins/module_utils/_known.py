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
from dataclasses import dataclass, replace

from ._record import DeviceRecord
from ._settings import BY_OPTION, SETTINGS, Settings, Value
from ._stamp import PARTS, Claims, Stamp


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
    def certain(self) -> bool:
        """Whether it may be shown as the value: not what was sent without an answer."""
        return self.value is not None and self.evidence.source is not Source.IN_DOUBT


Knowledge = t.Mapping[str, Known]

UNKNOWN = Known(None, Evidence())


def remembered(shown: Settings, record: DeviceRecord) -> Knowledge:
    """Return what the service shows, else what the record holds. What is shown now beats what was recorded once."""
    return {setting.option: _remembered(setting.option, shown, record) for setting in SETTINGS}


def _remembered(option: str, shown: Settings, record: DeviceRecord) -> Known:
    if option in shown:
        return Known(shown[option], Evidence(Source.SERVICE))
    entry = record.entries.get(option)
    if entry is None:
        return UNKNOWN
    return Known(entry.value, Evidence(Source(entry.standing.value), entry.at, entry.by))


def holds(stamp: Stamp | None, shown: Settings) -> Stamp | None:
    """Return the stamp unless what it came with was changed by hand since: then it proves nothing."""
    if stamp is None or stamp.autoread is None or shown.get("autoread", stamp.autoread) == stamp.autoread:
        return stamp
    return None


def weighed(known: Knowledge, declared: Settings, stamp: Stamp) -> Knowledge:
    """Return what is known once the stamp was asked: some of it proven, and some of it superseded.

    The stamp can only confirm a complete set. So the sets that can be right are held against it.
    """
    found = dict(known)
    for part in PARTS:
        options = [option for option in known if BY_OPTION[option].part == part]
        found.update(_weigh_part(part, {option: known[option] for option in options}, declared, stamp))
    if stamp.autoread is not None and known["autoread"].evidence.source is not Source.SERVICE:
        found["autoread"] = _proven(known["autoread"], stamp.autoread)
    return found


def _weigh_part(part: str, known: Knowledge, declared: Settings, stamp: Stamp) -> Knowledge:
    wanted = {option: declared[option] for option in known if option in declared}
    recorded = {option: item.value for option, item in known.items() if item.value is not None}
    for candidate in ({**recorded, **wanted}, wanted, recorded):
        if stamp.proves(part, candidate):
            return {option: _proven(known[option], value) for option, value in candidate.items()}
    doubted = any(item.evidence.source is Source.IN_DOUBT for item in known.values())
    if not stamp.speaks_of(part) or doubted:
        # The last update knew nothing of this part, or it may have been ours: the record is still the best there is.
        return {}
    # Somebody sent another set since this was recorded. To carry the old one would undo theirs.
    return {option: UNKNOWN for option in recorded}


def _proven(known: Known, value: Value) -> Known:
    at = known.evidence.at if known.value == value and known.evidence.source is not Source.IN_DOUBT else None
    # A reading of the service ignores an empty webhook: that it was sent is all that is proven.
    source = Source.UNCONFIRMED if value == "" else Source.STAMPED
    return Known(value, Evidence(source, at), proven=True)


def lessons(recorded: Knowledge, known: Knowledge) -> tuple[Settings, tuple[str, ...]]:
    """Return what the stamp taught: what the record should hold from now on, and what it should hold no longer."""
    proven = {
        option: item.value
        for option, item in known.items()
        if item.proven
        and item.value is not None
        and (recorded[option].value != item.value or recorded[option].evidence.source is Source.IN_DOUBT)
    }
    superseded = tuple(
        option for option, item in known.items() if item.value is None and recorded[option].value is not None
    )
    return proven, superseded


def certain(known: Knowledge) -> dict[str, Value]:
    """Return the values that may be shown as such."""
    return {option: item.value for option, item in known.items() if item.certain and item.value is not None}


def values(known: Knowledge) -> dict[str, Value]:
    """Return all values, those in doubt too."""
    return {option: item.value for option, item in known.items() if item.value is not None}


def claims(settings: Settings) -> Claims:
    """Return the hidden ones among settings, by the part of a stamp that covers them."""
    return {
        part: {option: value for option, value in settings.items() if BY_OPTION[option].part == part} for part in PARTS
    }


def without(known: Knowledge, options: t.Collection[str]) -> Knowledge:
    """Return what is known when the record of some settings is given up."""
    return {option: replace(UNKNOWN) if option in options else item for option, item in known.items()}
