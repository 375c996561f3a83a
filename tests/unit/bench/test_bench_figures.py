# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The arithmetic of the benchmark: medians, time beyond an empty playbook, ratios, and targets."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import pytest

from tests.bench.chart import draw, panels
from tests.bench.figures import FIGURES, NotMeasured, Table, figures, ratio, summary
from tests.bench.implementations import (
    EMPTY,
    FLEET,
    FLOOR,
    FLOOR_ONE,
    IN_PROCESS,
    MAKE,
    NOTHING,
    TENTH,
    URI,
    declared,
    writes,
)
from tests.bench.measurement import Measure
from tests.bench.report import Setting, as_json, details, document, figures_table, rows_tables, table_of
from tests.bench.rows import FULL, QUICK, Row

ONE_LIST = {"/get-devices": 1}
MB = 1e6 / 1024


def measure(seconds, cpu=0.0, calls=None, megabytes=60.0, call_seconds=0.0, call_cpu=0.0):
    return Measure(seconds, cpu, calls or {}, int(megabytes * MB), 0, 0, call_seconds, call_cpu)


def table(*rows):
    """Return a table of rows, each with its measures."""
    return Table([summary(row, list(measures)) for row, *measures in rows])


EMPTY_ROW = (Row(EMPTY), measure(1.0, cpu=0.5, megabytes=50.0))


def figure(which, *rows):
    """Return the figure at an index of the list, from these rows and an empty playbook of one second."""
    return figures(table(EMPTY_ROW, *rows))[which]


# --- medians ---


def test_summary_of_a_row_is_the_median_of_its_rounds():
    row = Row(FLEET, NOTHING, 10)
    found = summary(row, [measure(9.0, 3.0), measure(1.0, 1.0), measure(2.0, 8.0)])
    assert (found.seconds, found.cpu, found.rounds) == (2.0, 3.0, 3)
    assert (found.fastest, found.slowest) == (1.0, 9.0)
    assert summary(row, [measure(1.0), measure(4.0)]).seconds == 2.5


def test_calls_are_those_of_the_round_with_the_most_calls():
    measures = [measure(1.0, calls=calls) for calls in (ONE_LIST, {"/get-devices": 2}, ONE_LIST)]
    assert summary(Row(FLEET, NOTHING, 10), measures).calls == {"/get-devices": 2}


def test_memory_is_converted_to_megabytes():
    assert summary(Row(EMPTY), [measure(1.0, megabytes=100.0)]).megabytes == pytest.approx(100.0, abs=0.01)


# --- beyond an empty playbook ---


def test_extra_time_excludes_the_empty_playbook_and_is_call_time_for_a_floor():
    found = table(
        EMPTY_ROW,
        (Row(FLEET, MAKE, 10), measure(3.5)),
        (Row(FLOOR, MAKE, 10), measure(9.0, call_seconds=0.25)),
        (Row(FLOOR_ONE, MAKE, 10), measure(9.0, call_seconds=0.75)),
    )
    extras = [found.extra(one) for one in found.summaries]
    assert extras == [0.0, 2.5, 0.25, 0.75]


def test_ratio_to_zero_or_less_is_not_measured():
    assert ratio(6.0, 3.0) == 2.0
    for nothing in (0.0, -0.1):
        with pytest.raises(NotMeasured):
            ratio(1.0, nothing)


# --- the figures ---


def test_figures_without_rows_are_not_measured():
    assert [(one.measured, one.reached) for one in figures(table(EMPTY_ROW))] == [("", None)] * len(FIGURES)
    assert figures_table(figures(table(EMPTY_ROW))).count("not measured") == len(FIGURES)


@pytest.mark.parametrize(
    ("ours", "calls", "reached"),
    [(2.0, ONE_LIST, True), (2.01, ONE_LIST, False), (2.0, {"/get-devices": 2}, False), (2.0, {}, False)],
)
def test_figure_of_the_loop_compared_with_uri(ours, calls, reached):
    found = figure(
        0, (Row(URI, NOTHING, 100), measure(26.0)), (Row(IN_PROCESS, NOTHING, 100), measure(ours, calls=calls))
    )
    assert found.reached is reached
    assert found.measured.startswith("25 times (13 times in whole)")


@pytest.mark.parametrize(("cpu", "reached"), [(1.54, True), (1.56, False)])
def test_figure_of_cpu_per_item_excludes_playbook_and_bare_calls(cpu, reached):
    found = figure(
        1,
        (Row(IN_PROCESS, NOTHING, 100), measure(2.0, cpu=cpu)),
        (Row(FLOOR_ONE, NOTHING, 100), measure(1.0, cpu=9.0, call_cpu=0.05)),
    )
    assert found.reached is reached and found.measured == f"{(cpu - 0.55) * 10:.1f} ms"


@pytest.mark.parametrize(
    ("seconds", "calls", "reached"), [(1.99, ONE_LIST, True), (2.0, ONE_LIST, False), (1.5, {"/device": 1}, False)]
)
def test_figure_of_an_unchanged_fleet(seconds, calls, reached):
    assert figure(2, (Row(FLEET, NOTHING, 1000), measure(seconds, calls=calls))).reached is reached


@pytest.mark.parametrize(("seconds", "reached"), [(11.0, True), (11.1, False)])
def test_figure_of_creating_a_fleet_compared_with_the_floor(seconds, reached):
    floor = (Row(FLOOR, MAKE, 1000, 50), measure(9.0, call_seconds=8.0))
    assert figure(3, (Row(FLEET, MAKE, 1000, 50), measure(seconds)), floor).reached is reached
    other = (Row(FLOOR, MAKE, 1000, 0), measure(9.0, call_seconds=8.0))
    assert figure(3, (Row(FLEET, MAKE, 1000, 50), measure(seconds)), other).reached is None


@pytest.mark.parametrize(("large", "reached"), [(6.5, True), (6.6, False)])
def test_figure_of_time_for_ten_times_the_devices(large, reached):
    rows = [
        (Row(FLEET, NOTHING, size), measure(seconds, calls=ONE_LIST)) for size, seconds in ((1000, 1.5), (10000, large))
    ]
    assert figure(4, *rows).reached is reached


@pytest.mark.parametrize(
    ("small", "large", "reached"),
    [(60.0, 159.0, True), (60.0, 161.0, False), (90.0, 249.0, True), (90.0, 251.0, False)],
)
def test_figure_of_memory_for_ten_times_the_devices(small, large, reached):
    rows = [
        (Row(FLEET, NOTHING, size), measure(2.0, megabytes=megabytes))
        for size, megabytes in ((1000, small), (10000, large))
    ]
    assert figure(5, *rows).reached is reached


def test_figure_of_check_mode_requires_one_list_request():
    good = (Row(FLEET, MAKE, 10, check=True), measure(1.0, calls=ONE_LIST))
    bad = (Row(IN_PROCESS, MAKE, 10, check=True), measure(1.0, calls={"/get-devices": 10}))
    assert figure(len(FIGURES) - 1, good).reached is True
    assert (figure(len(FIGURES) - 1, good, bad).reached, figure(len(FIGURES) - 1, good, bad).measured) == (
        False,
        "1 of 2 rows",
    )


# --- the report ---


def test_ratios_compare_rows_of_the_same_work():
    text = rows_tables(
        table(
            EMPTY_ROW,
            (Row(URI, NOTHING, 10), measure(7.0)),
            (Row(FLEET, NOTHING, 10), measure(1.5)),
            (Row(FLOOR, NOTHING, 10), measure(4.0, call_seconds=0.25)),
            (Row(FLEET, MAKE, 10), measure(2.0)),
        )
    )
    lines = {tuple(cell.strip() for cell in line.split("|")[1:4]): line for line in text.splitlines() if "|" in line}
    cells = [cell.strip() for cell in lines["nothing to change", "0 ms", "fonnte_fleet, 16 at a time"].split("|")]
    assert cells[4:8] == ["1.50", "0.50", "12", "2.00"]
    alone = [cell.strip() for cell in lines["create all", "0 ms", "fonnte_fleet, 16 at a time"].split("|")]
    assert alone[6:8] == ["", ""]


def test_table_columns_are_aligned():
    lines = table_of([["a", "long head"], ["longer cell", "b"]]).splitlines()
    assert len({len(line) for line in lines}) == 1 and lines[1].strip("|-") == ""


def full_table():
    return table(
        EMPTY_ROW,
        (Row(URI, NOTHING, 100), measure(41.0)),
        (Row(IN_PROCESS, NOTHING, 100), measure(2.0, calls=ONE_LIST)),
        (Row(FLEET, NOTHING, 100), measure(1.0)),
    )


def test_bar_length_is_proportional_to_time():
    (panel,) = panels(full_table())
    assert [row.seconds for row in panel.bars] == [40.0, 1.0, 0.0]
    drawn = ElementTree.fromstring(draw([panel]))
    bars = [float(row.get("width")) for row in drawn.iter("{http://www.w3.org/2000/svg}rect")]
    assert bars[0] / bars[1] == pytest.approx(40.0, rel=0.02) and bars[2] == 1.0
    assert "prefers-color-scheme: dark" in draw([panel])


def test_documents_contain_the_measurements():
    setting = Setting("2026-01-02", 2, "3.13.0", "2.21.5", "Linux", (0.5, 1.5), {"list of 100 devices": 1234.5})
    page, for_developers = document(setting, full_table()), details(setting, full_table())
    assert "an empty playbook, which takes 1.0 s" in page and "ansible-core 2.21.5" in page
    cells = {tuple(cell.strip() for cell in line.split("|")[1:4]) for line in page.splitlines() if "|" in line}
    assert ("loop over `ansible.builtin.uri`", "", "40.0 s") in cells
    assert "1,234 requests a second" in for_developers and "load average 0.5 before and 1.5 after" in for_developers
    reported = json.loads(as_json(setting, full_table()))
    assert [row["name"] for row in reported["rows"]][:2] == ["empty", "uri/nothing/100/0ms"]
    assert reported["rows"][1]["seconds"] == 41.0 and reported["figures"][0]["reached"] is True


def test_bars_of_all_comparisons_have_one_scale():
    shown = panels(
        table(
            EMPTY_ROW,
            (Row(IN_PROCESS, NOTHING, 100), measure(3.0)),
            (Row(FLEET, NOTHING, 100), measure(2.0)),
            (Row(FLEET, NOTHING, 1000), measure(11.0)),
        )
    )
    drawn = ElementTree.fromstring(draw(shown))
    bars = [float(row.get("width")) for row in drawn.iter("{http://www.w3.org/2000/svg}rect")]
    assert len(shown) == 2 and bars[3] == max(bars) and bars[3] / bars[0] == pytest.approx(5.0, rel=0.02)


# --- the rows ---


def test_row_names_are_unique():
    for rows in (FULL, QUICK):
        names = [row.name for row in rows]
        assert len(set(names)) == len(names) and names[0] == "empty"


def test_full_run_measures_every_figure():
    """Every figure finds its rows in the full run."""
    small, large = measure(2.0, 1.0, ONE_LIST, 60.0, 1.0), measure(5.0, 1.0, ONE_LIST, 70.0, 1.0)
    measured = [(row, large if row.size == 10000 else small) for row in FULL if row.way != EMPTY]
    assert all(one.reached is not None for one in figures(table(EMPTY_ROW, *measured)))


def test_declarations_and_writes_of_each_work():
    assert [writes(work, 25) for work in (NOTHING, TENTH, MAKE)] == [0, 3, 50]
    made, tenth = declared(NOTHING, 25), declared(TENTH, 25)
    assert [place for place in range(25) if made[place] != tenth[place]] == [0, 10, 20]
