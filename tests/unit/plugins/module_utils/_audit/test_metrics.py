# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The metrics of an audit, their file, and the alert rules for them."""

from __future__ import annotations

import errno
import os
import re
import stat
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fonnte.whatsapp.plugins.module_utils._audit.exports import Json, as_data
from ansible_collections.fonnte.whatsapp.plugins.module_utils._audit.findings import Audit, Kind
from ansible_collections.fonnte.whatsapp.plugins.module_utils._audit.messages import Messages
from ansible_collections.fonnte.whatsapp.plugins.module_utils._audit.metrics import (
    HELP,
    check_metrics_path,
    metrics_text,
    report_name,
    write_metrics,
)
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.errors import FonnteError, OptionError
from ansible_collections.fonnte.whatsapp.tests.browser.samples import DAY, NOW, device, everything, many, report, seen
from ansible_collections.fonnte.whatsapp.tests.conformance.prometheus_text import parse, value
from ansible_collections.fonnte.whatsapp.tests.operating_system import replace_os

RULES = yaml.safe_load((Path(__file__).parents[5] / "examples/prometheus/fonnte.rules.yml").read_text(encoding="utf-8"))
A, B = "081200000001", "081200000002"


def data_of(audit: Audit) -> Json:
    return as_data(audit, Messages("en"))


def text_of(audit: Audit, name: str = "audit") -> str:
    return metrics_text(data_of(audit), name, 1.23456)


def sample(**fields: object) -> Audit:
    return report([seen(device(A, "Toko Satu", **fields), name="Toko Satu")], owners={"6281200000001": "PT Satu"})


def test_metrics_of_a_device() -> None:
    found = parse(text_of(sample(quota=77, package="Super", expires=int(NOW.timestamp()) + 5 * DAY)))
    own = {"report": "audit", "device": A}
    names = {"name": "Toko Satu", "client": "PT Satu", "package": "Super"}
    assert value(found, "fonnte_device_info", **{**own, **names}) == 1
    assert value(found, "fonnte_device_linked", **own) == 1
    assert value(found, "fonnte_device_quota", **own) == 77
    assert value(found, "fonnte_device_expires_timestamp_seconds", **own) == NOW.timestamp() + 5 * DAY
    assert value(found, "fonnte_device_findings", **own, kind="package_ends") == 1
    assert value(found, "fonnte_device_findings", **own, kind="drift") is None
    assert value(found, "fonnte_device_last_event_timestamp_seconds", **own) is None


def test_metrics_of_the_run() -> None:
    audit = everything()
    found = parse(text_of(audit))
    assert value(found, "fonnte_audit_timestamp_seconds", report="audit") == NOW.timestamp()
    assert value(found, "fonnte_audit_duration_seconds", report="audit") == 1.235
    kinds = {kind: value(found, "fonnte_audit_findings", kind=kind.value) for kind in Kind}
    assert kinds == audit.counts()
    assert all(dict(labels)["report"] == "audit" for _name, labels in found)


@pytest.mark.parametrize(("linked", "shown"), [(True, 1), (False, 0), (None, None)])
def test_unknown_values_have_no_sample(linked: bool | None, shown: int | None) -> None:
    found = parse(text_of(sample(connected=linked, quota=None, expires=None, package=None)))
    assert value(found, "fonnte_device_linked", device=A) == shown
    assert not {"fonnte_device_quota", "fonnte_device_expires_timestamp_seconds"} & {name for name, _labels in found}
    assert not any(dict(labels).get("package") for _name, labels in found)


@pytest.mark.parametrize(
    ("given_time", "shown"),
    [("2026-11-20T07:30:00Z", NOW.timestamp()), (None, None), ("", None), ("yesterday", None), (7, None)],
)
def test_time_of_the_last_event(given_time: object, shown: float | None) -> None:
    """A report may have no such time."""
    data = data_of(sample())
    data["devices"][0]["last_event"] = given_time and {"kind": "incoming", "at": given_time}
    found = parse(metrics_text(data, "audit", 1))
    assert value(found, "fonnte_device_last_event_timestamp_seconds", device=A) == shown


@given(st.text(max_size=30))
def test_each_string_of_the_service_is_an_escaped_label(name: str) -> None:
    data = data_of(sample())
    data["devices"][0].update(name=name, owner=f"{name}\\n", package=f'"{name}')
    found = parse(metrics_text(data, "audit", 1).replace("\r", " ").replace("\x0b", " "))
    (labels,) = [dict(labels) for metric, labels in found if metric == "fonnte_device_info"]
    assert labels.get("name", "") == name.replace("\r", " ").replace("\x0b", " ")


def test_number_that_is_listed_twice_has_one_sample() -> None:
    """Otherwise, the collector would refuse the whole file."""
    audit = sample()
    found = parse(text_of(replace(audit, devices=audit.devices * 2)))
    assert value(found, "fonnte_device_linked", device=A) == 1


def test_reports_of_one_directory_have_no_equal_samples() -> None:
    first, second = parse(text_of(everything(), "audit-a")), parse(text_of(everything(), "audit-b"))
    assert not first.keys() & second.keys()


def test_text_has_no_secret() -> None:
    token = "token-of-081200000001"
    hook = "https://user:pw@hooks.example.com/s3cr3t-path?key=s3cr3t"
    there = device(A, f"Toko {token}", package=token, settings={"webhook": hook})
    audit = report([seen(there, name="Toko", webhook=hook)], [device(B, "Toko token-of-081200000002")])
    text = text_of(audit)
    assert "token-of" not in text and "hooks" not in text and "http" not in text and "s3cr3t" not in text
    assert "http" not in "".join(HELP.values())


def test_size_is_linear() -> None:
    assert len(parse(text_of(many(500)))) < 500 * 8 + 50


# The file


def test_file_is_readable_for_the_exporter_with_any_umask(tmp_path: Path) -> None:
    path = tmp_path / "audit.prom"
    before = os.umask(0o077)
    try:
        write_metrics(str(path), "a 1\n")
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644 and path.read_text() == "a 1\n"


@pytest.mark.parametrize("function", ["fsync", "replace", "fchmod"])
def test_full_disk_keeps_the_last_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, function: str) -> None:
    path = tmp_path / "audit.prom"
    write_metrics(str(path), "a 1\n")

    def fail(*_arguments: object, **_more: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        replace_os(patch, **{function: fail})
        with pytest.raises(FonnteError, match="audit.prom cannot be written: No space left on device; free disk space"):
            write_metrics(str(path), "a 2\n")
    assert path.read_text() == "a 1\n" and os.listdir(tmp_path) == ["audit.prom"]


@pytest.mark.parametrize("name", ["", ".prom", "audit.txt", "audit.prom/", "audit", "none/audit.prom"])
def test_other_names_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(OptionError, match="Option prom"):
        check_metrics_path(os.path.join(tmp_path, name) if name else "")
    assert list(tmp_path.iterdir()) == []


def test_report_has_the_name_of_its_file() -> None:
    assert report_name("/var/lib/fonnte-toko.prom") == "fonnte-toko"


# The alert rules

ALERTS = [rule for group in RULES["groups"] for rule in group["rules"]]
# Words of expressions that are no metrics.
FUNCTIONS = {"time", "absent"}
WORDS = {"and", "on", *FUNCTIONS}
LABELS_OF_ALL = {"report"}


def everything_with_events() -> dict[str, set[str]]:
    """Return the names of all metrics with their labels, from a file with each of them."""
    data = data_of(everything())
    data["devices"][0]["last_event"] = {"kind": "incoming", "at": "2026-11-20T07:30:00Z"}
    labels: dict[str, set[str]] = {}
    for name, own in parse(metrics_text(data, "audit", 1)):
        labels.setdefault(name, set()).update(dict(own))
    return labels


def test_file_can_have_each_documented_metric() -> None:
    assert set(everything_with_events()) == set(HELP)
    page = (Path(__file__).parents[5] / "docs" / "alerts.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(fonnte_\w+)` \|([^|]*)\|", page, re.MULTILINE))
    assert {name: set(re.findall(r"`(\w+)`", rows[name])) for name in rows} == {
        name: own - LABELS_OF_ALL for name, own in everything_with_events().items()
    }


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_rule_uses_only_metrics_and_labels_of_the_file(rule: Json) -> None:
    metrics = everything_with_events()
    expression = re.sub(r'"[^"]*"', '""', rule["expr"])
    selectors = re.findall(r"\b(fonnte_\w+)(?:\{([^}]*)\})?", expression)
    assert selectors
    for name, matchers in selectors:
        assert set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", matchers)) <= metrics[name], f"{name} has no such label"
    rest = re.sub(r"\bfonnte_\w+(\{[^}]*\})?|\bon \([^)]*\)", "", expression)
    assert set(re.findall(r"[a-z_]+", rest)) <= WORDS
    assert expression.count("(") == expression.count(")")
    joined = re.findall(r"\bon \(([^)]*)\)", expression)
    shared = set.intersection(*(metrics[name] for name, _matchers in selectors))
    assert all(set(re.findall(r"\w+", names)) <= shared for names in joined)
    shown = set(re.findall(r"\$labels\.(\w+)", str(rule["annotations"])))
    assert shown <= ({*metrics[selectors[0][0]]} if "absent" not in expression else set())


def test_kinds_in_rules_exist() -> None:
    named = {
        kind for rule in ALERTS for text in re.findall(r'kind=~?"([^"]*)"', rule["expr"]) for kind in text.split("|")
    }
    assert named and named <= {kind.value for kind in Kind}


def test_rules_have_the_form_that_prometheus_reads() -> None:
    assert set(RULES) == {"groups"} and len({rule["alert"] for rule in ALERTS}) == len(ALERTS)
    for rule in ALERTS:
        assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
        assert isinstance(rule["expr"], str) and rule["annotations"]["summary"].endswith(".")
