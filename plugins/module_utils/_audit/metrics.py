# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Metrics of an audit in the text format of Prometheus, for the textfile collector of the node exporter.

Times are unix times in values, because the collector refuses samples with timestamps, and because a value such as an age
would be wrong until the next audit. The file contains numbers and names, but no token and no URL.
"""

from __future__ import annotations

import os
import typing as t
from datetime import datetime, timezone

from .._common.atomic_files import write_all, write_problem
from .._common.clock import TIME_FORMAT
from .._common.destinations import check_destination, check_links
from .._common.errors import FonnteError, OptionError
from .exports import Json

OPTION, SUFFIX = "prom", ".prom"
# The node exporter runs as another user, and publishes the content anyway.
FILE_MODE = 0o644

# The metrics, in the order of the file, with their help texts.
HELP = {
    "fonnte_audit_timestamp_seconds": "When the audit read the account, as unix time.",
    "fonnte_audit_duration_seconds": "How long the audit took.",
    "fonnte_audit_findings": "The findings of each kind, of the account and its devices.",
    "fonnte_device_info": "The name, client and package of a device; the value is always 1.",
    "fonnte_device_linked": "Whether a phone is linked to the device (1) or not (0).",
    "fonnte_device_quota": "The messages that the device has left.",
    "fonnte_device_expires_timestamp_seconds": "When the package of the device ends, as unix time.",
    "fonnte_device_last_event_timestamp_seconds": "When the last event of the device arrived, as unix time.",
    "fonnte_device_findings": "The findings of the device of each kind; kinds without a finding are omitted.",
}
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})

Labels = t.Mapping[str, str]
_Add = t.Callable[[str, t.Optional[float], Labels], None]


def metrics_text(data: Json, report: str, duration: float) -> str:
    """Return the metrics of a report.

    Args:
        data: The report in the format of docs/audit.schema.json.
        report: The name of the report, a label of all metrics: no two files may have the same sample.
        duration: How long the audit took, in seconds.
    """
    samples: dict[str, dict[str, float]] = {name: {} for name in HELP}

    def add(name: str, value: float | None, labels: Labels) -> None:
        # If the service lists one number twice, the first device counts: the same sample twice is an error.
        if value is not None:
            samples[name].setdefault(_labels({"report": report, **labels}), value)

    add("fonnte_audit_timestamp_seconds", _unix(data["at"]), {})
    add("fonnte_audit_duration_seconds", round(duration, 3), {})
    for kind, count in data["summary"]["kinds"].items():
        add("fonnte_audit_findings", count, {"kind": kind})
    for device in data["devices"]:
        _add_device(add, device)
    return "".join(
        f"# HELP {name} {HELP[name]}\n# TYPE {name} gauge\n"
        + "".join(f"{name}{labels} {value}\n" for labels, value in values.items())
        for name, values in samples.items()
        if values
    )


def _add_device(add: _Add, device: Json) -> None:
    own = {"device": str(device["device"])}
    names = {"name": device["name"], "client": device["owner"], "package": device["package"]}
    add("fonnte_device_info", 1, {**own, **{label: text or "" for label, text in names.items()}})
    connected = device["connected"]
    add("fonnte_device_linked", None if connected is None else int(connected), own)
    add("fonnte_device_quota", device["quota"], own)
    add("fonnte_device_expires_timestamp_seconds", _unix(device["expires"]), own)
    add("fonnte_device_last_event_timestamp_seconds", _unix((device.get("last_event") or {}).get("at")), own)
    kinds = [finding["kind"] for finding in device["findings"]]
    for kind in dict.fromkeys(kinds):
        add("fonnte_device_findings", kinds.count(kind), {**own, "kind": kind})


def _labels(labels: Labels) -> str:
    # An empty label is the same as no label.
    return "{" + ",".join(f'{name}="{text.translate(_ESCAPES)}"' for name, text in labels.items() if text) + "}"


def _unix(at: t.Any) -> int | None:
    """Return a time of a report as unix time; None if it is missing or invalid."""
    try:
        return int(datetime.strptime(at, TIME_FORMAT).replace(tzinfo=timezone.utc).timestamp())
    except (TypeError, ValueError):
        return None


# --- the file -------------------------------------------------------------------------------------------------------


def report_name(path: str) -> str:
    """Return the name of a report: that of its file, without the suffix."""
    return os.path.basename(path)[: -len(SUFFIX)]


def check_metrics_path(path: str) -> None:
    """Check before any request that a file can be written; OptionError if not. Nothing is created."""
    if len(os.path.basename(path)) <= len(SUFFIX) or not path.endswith(SUFFIX):
        raise OptionError(
            OPTION, "it is not the name of a file that ends with .prom", "name a file such as report/audit.prom"
        )
    check_destination(OPTION, path)
    check_links(OPTION, path)
    problem = write_problem(path)
    if problem:
        raise OptionError(OPTION, problem, "name a file in a directory that exists and that you can write to")


def write_metrics(path: str, text: str) -> None:
    """Write the file as a whole or not at all; other users can read it.

    Raises:
        FonnteError: It cannot be written. The last file still exists.
    """
    try:
        write_all({path: text.encode("utf-8", "replace")}, FILE_MODE)
    except OSError as exc:
        raise FonnteError(
            f"{path} cannot be written: {exc.strerror or 'a disk error'}",
            "free disk space, or name another file in prom",
        ) from None
