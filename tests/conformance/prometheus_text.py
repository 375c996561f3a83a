# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the text format of Prometheus as strictly as the textfile collector of the node exporter."""

from __future__ import annotations

import re

_HEAD = re.compile(r"# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) ([^\n]+)")
_SAMPLE = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (-?[0-9]+(?:\.[0-9]+)?)")
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|$)')
_UNESCAPED = {"\\\\": "\\", '\\"': '"', "\\n": "\n"}

Sample = tuple[str, frozenset[tuple[str, str]]]


def parse(text: str) -> dict[Sample, float]:
    """Return the values by name and labels.

    All samples of a metric must follow its help and its type. A sample with a timestamp, and two equal ones, are errors.
    """
    assert text.endswith("\n") and "\r" not in text
    samples: dict[Sample, float] = {}
    heads: list[str] = []
    for line in text[:-1].split("\n"):
        head = _HEAD.fullmatch(line)
        if head:
            kind, name, rest = head.groups()
            assert (kind == "HELP" and name not in heads) or (heads[-1] == name and rest == "gauge"), line
            heads += [name] if kind == "HELP" else []
            continue
        found = _SAMPLE.fullmatch(line)
        assert found, f"not a sample: {line}"
        name, labels, value = found.groups()
        assert heads and heads[-1] == name, f"{name} is not below its help"
        key = (name, frozenset(_labels(labels or "")))
        assert key not in samples, f"twice: {line}"
        samples[key] = float(value)
    return samples


def _labels(text: str) -> list[tuple[str, str]]:
    end, labels = 0, []
    while end < len(text):
        found = _LABEL.match(text, end)
        assert found, f"not labels: {text}"
        labels.append((found[1], re.sub(r"\\.", lambda escape: _UNESCAPED[escape[0]], found[2])))
        end = found.end()
    assert len(dict(labels)) == len(labels), text
    return labels


def value(samples: dict[Sample, float], metric: str, /, **labels: str) -> float | None:
    """Return the value of the only sample with this name and these labels; None if there is none."""
    found = [
        number for (other, own), number in samples.items() if other == metric and labels.items() <= dict(own).items()
    ]
    assert len(found) <= 1, f"several samples: {metric} {labels}"
    return found[0] if found else None
