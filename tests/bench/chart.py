# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The chart: bars in plain SVG, readable on a light and on a dark background."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from .figures import NotMeasured, Table
from .implementations import FLEET, FLOOR, IN_PROCESS, MAKE, NOTHING, ORDINARY, URI

WIDTH, LABEL, NUMBER = 760, 330, 90
BAR, GAP, TITLE, MARGIN = 18, 8, 34, 16

STYLE = """
text { font: 13px system-ui, sans-serif; fill: #24292f }
.title { font-weight: 600 }
.ours { fill: #1a7f64 } .other { fill: #8c959f } .axis { stroke: #8c959f }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 }
.ours { fill: #3fb68f } .other { fill: #7d8590 } .axis { stroke: #7d8590 }
}
"""


@dataclass(frozen=True)
class Bar:
    """One row: seconds beyond an empty playbook."""

    label: str
    seconds: float
    ours: bool


@dataclass(frozen=True)
class Panel:
    """The bars of one comparison."""

    title: str
    bars: tuple[Bar, ...]


Wanted = Sequence["tuple[str, str, int, int, str]"]

LABELS = {
    URI: "Loop over ansible.builtin.uri",
    ORDINARY: "Loop over fonnte_device, not in-process",
    IN_PROCESS: "Loop over fonnte_device",
    FLEET: "fonnte_fleet",
    FLOOR: "The same requests without Ansible",
}

PANELS: tuple[tuple[str, Wanted], ...] = (
    (
        "100 devices, nothing to change",
        [(way, NOTHING, 100, 0, LABELS[way]) for way in (URI, ORDINARY, IN_PROCESS, FLEET)],
    ),
    (
        "Create 1,000 devices, with 50 ms for each request",
        [(way, MAKE, 1000, 50, LABELS[way]) for way in (FLEET, FLOOR)],
    ),
    (
        "fonnte_fleet, nothing to change",
        [(FLEET, NOTHING, size, 0, f"{size:,} devices") for size in (100, 1000, 10000)],
    ),
)


def panels(table: Table) -> list[Panel]:
    """Return the measured panels. A panel with a single bar is omitted, since it compares nothing."""
    found = [Panel(title, tuple(_bars(table, wanted))) for title, wanted in PANELS]
    return [panel for panel in found if len(panel.bars) > 1]


def _bars(table: Table, wanted: Wanted) -> list[Bar]:
    bars = []
    for way, work, size, latency, label in wanted:
        try:
            seconds = table.extra(table.find(way, work, size, latency))
        except NotMeasured:
            continue
        bars.append(Bar(label, max(seconds, 0.0), way in (IN_PROCESS, FLEET)))
    return bars


def draw(shown: Sequence[Panel]) -> str:
    """Return the chart as SVG. All bars have one scale, which begins at zero."""
    body: list[str] = []
    y = MARGIN
    longest = max((row.seconds for panel in shown for row in panel.bars), default=0.0) or 1.0
    for panel in shown:
        body.append(f'<text class="title" x="{MARGIN}" y="{y + 14}">{escape(panel.title)}</text>')
        y += TITLE
        top = y
        for row in panel.bars:
            body += _drawn(row, y, (WIDTH - LABEL - NUMBER) * row.seconds / longest)
            y += BAR + GAP
        body.append(f'<line class="axis" x1="{LABEL}" y1="{top - 4}" x2="{LABEL}" y2="{y - GAP + 4}"/>')
        y += MARGIN
    reported = "; ".join(f"{row.label}: {_seconds(row)}" for panel in shown for row in panel.bars)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y}" width="{WIDTH}" height="{y}" '
            'role="img" aria-labelledby="title description">',
            '<title id="title">Run time of each implementation</title>',
            f'<desc id="description">{escape(reported)}</desc>',
            f"<style>{STYLE}</style>",
            *body,
            "</svg>\n",
        ]
    )


def _drawn(row: Bar, y: int, width: float) -> list[str]:
    kind = "ours" if row.ours else "other"
    # A bar of zero width would be invisible.
    shown = max(width, 1.0)
    return [
        f'<text x="{LABEL - 8}" y="{y + 14}" text-anchor="end">{escape(row.label)}</text>',
        f'<rect class="{kind}" x="{LABEL}" y="{y}" width="{shown:.1f}" height="{BAR}" rx="2"/>',
        f'<text x="{LABEL + shown + 6:.1f}" y="{y + 14}">{_seconds(row)}</text>',
    ]


def _seconds(row: Bar) -> str:
    return f"{row.seconds:.1f} s" if row.seconds >= 10 else f"{row.seconds:.2f} s"
