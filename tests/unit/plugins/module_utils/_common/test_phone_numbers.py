# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Different spellings of one phone number."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.errors import OptionError
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.phone_numbers import (
    LostZeroError,
    NumberIndex,
    canonical,
    check_country,
    displayed_number,
    has_country,
    international,
    matches,
    may_lack_zero,
    no_country,
    parse_number,
    refuse_lost_zero,
    same_number,
    to_international,
)

DIGITS = st.text("0123456789", min_size=8, max_size=13).filter(lambda text: text[0] != "0")


@pytest.mark.parametrize(
    ("written", "digits"),
    [
        ("0812-3456-789", "08123456789"),
        ("+62 812 3456 789", "628123456789"),
        ("+62 (812) 3456.789", "628123456789"),
        ("[62]8123456789", "628123456789"),
        ("62812\u00a03456\u202f789", "628123456789"),
        (628123456789, "628123456789"),
        # The shortest number that is accepted without quotes.
        (12025550123, "12025550123"),
        ("12345678", "12345678"),
        ("123456789012345", "123456789012345"),
    ],
)
def test_number_is_parsed_to_its_digits(written: object, digits: str) -> None:
    assert parse_number(written, "device") == digits


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("0812-3456-78x", '"x"'),
        ("\u202a08123456789", "U+202A"),
        ("٠٨١٢٣٤٥٦٧٨٩", "٠"),
        ("1234567", "7 digits"),
        ("1234567890123456", "16 digits"),
        ("", "0 digits"),
        (1234567890123456, "16 digits"),
        (296933000, "quote it"),
        # 07412345671 and 07611234567, which YAML reads as octal numbers.
        (0o7412345671, "quote it"),
        (0o7611234567, "quote it"),
        (-628123456789, "quote it"),
        (8.1e10, "decimal number"),
        (True, "not a number"),
        (["08123456789"], "not a number"),
        (None, "not a number"),
    ],
)
def test_invalid_number_is_refused_with_the_option_name(written: object, words: str) -> None:
    with pytest.raises(OptionError) as caught:
        parse_number(written, "target")
    assert str(caught.value).startswith("Option target: ")
    assert words in str(caught.value)


@pytest.mark.parametrize("spelling", ["08123456789", "628123456789", "00628123456789", "6208123456789"])
def test_spellings_of_one_phone_are_equal(spelling: str) -> None:
    assert international(spelling) == "628123456789"
    assert same_number(spelling, "08123456789")


@pytest.mark.parametrize("other", ["8123456789", "608123456789", "08123456780", "6281234567890"])
def test_other_phones_differ(other: str) -> None:
    assert not same_number(other, "08123456789")


def test_exact_match_has_priority_over_another_spelling() -> None:
    assert matches("0812345678", ["62812345678", "0812345678"]) == ["0812345678"]
    assert matches("62812345678", ["62812345678", "0812345678"]) == ["62812345678"]


def test_two_equivalent_matches_are_both_returned() -> None:
    assert matches("0062812345678", ["62812345678", "0812345678", "999999999"]) == ["62812345678", "0812345678"]


def test_listed_number_may_contain_separators() -> None:
    assert matches("0812345678", ["tutorial", "+62 812-345678", ""]) == ["+62 812-345678"]
    assert same_number("0812345678", "+62 812-345678")


SPELLED = st.sampled_from(["0", "62", "0062", "620", "+62 ", "+62 (0)", ""])
SOME = st.builds(lambda start, rest: start + rest, SPELLED, st.sampled_from(["812345678", "812345679", "8", ""]))


@given(SOME, st.lists(SOME, max_size=8))
def test_index_finds_the_same_as_a_linear_search(wanted: str, registered: list[str]) -> None:
    index = NumberIndex(iter(registered))
    same = [spelling for spelling in registered if same_number(wanted, spelling)]
    assert index.spellings(wanted) == same
    assert index.find(wanted) == matches(wanted, registered) == ([wanted] if wanted in registered else same)
    index.spellings(wanted).clear()
    assert index.spellings(wanted) == same


@given(DIGITS)
def test_national_and_international_spelling_are_one_phone(rest: str) -> None:
    assert same_number("0" + rest, "62" + rest)
    assert same_number("0062" + rest, "620" + rest)


@given(DIGITS, DIGITS)
def test_different_phones_never_become_equal(one: str, other: str) -> None:
    assert same_number("0" + one, "0" + other) == (one == other)


@pytest.mark.parametrize(
    ("written", "country", "digits"),
    [
        ("0812-3456-789", "62", "628123456789"),
        ("+62 812 3456 789", "62", "628123456789"),
        ("+62 (0)812 3456 789", "62", "628123456789"),
        ("+62 [0] 812 3456 789", "62", "628123456789"),
        ("62 0812 3456 789", "62", "628123456789"),
        ("00 62 (0)812 3456 789", "62", "628123456789"),
        (628123456789, "62", "628123456789"),
        ("628123456789", "65", "628123456789"),
        ("+62 (0)812 3456 789", "65", "628123456789"),
        ("+65 9123 4567", "62", "6591234567"),
        ("+49 (0)171 1234567", "62", "491711234567"),
        ("0171 1234567", "49", "491711234567"),
        ("06 1234 5678", "39", "390612345678"),
        ("+39 06 1234 5678", "39", "390612345678"),
        ("0039 06 1234 5678", "39", "390612345678"),
        ("+39 (0)6 1234 5678", "62", "390612345678"),
        ("+39 (0)6 1234 5678", "39", "390612345678"),
        ("00 225 (0)7 12 34 56 78", "62", "2250712345678"),
        ("07 12 34 56 78", "225", "2250712345678"),
    ],
)
def test_number_is_converted_to_international_form(written: object, country: str, digits: str) -> None:
    assert to_international(written, country) == digits
    assert to_international(digits, country) == digits


@pytest.mark.parametrize(
    ("written", "country", "words"),
    [
        ("0812-3456-78x", "62", '"x"'),
        (81234567, "62", "quote it"),
        ("00 0812 3456", "62", "a 0 instead of the code of its country"),
        ("00 0812 3456", "39", "a 0 instead of the code of its country"),
        ("081234567890123", "225", "18 digits"),
        ("08123456789012", "628", "16 digits"),
        ("00123456", "62", "6 digits"),
        (None, "62", "not a number"),
    ],
)
def test_number_without_international_form_is_refused(written: object, country: str, words: str) -> None:
    with pytest.raises(OptionError) as caught:
        to_international(written, country)
    assert words in str(caught.value)


@example("+(0)100000000")
@given(st.from_regex(r"(\+|00)?(62)?[ (]?0?[)]?[1-9][0-9 -]{8,9}", fullmatch=True))
def test_international_form_is_the_canonical_spelling(written: str) -> None:
    try:
        digits = to_international(written)
    except OptionError:
        return
    assert digits == canonical(parse_number(written, "number"))


@pytest.mark.parametrize(("written", "country"), [("62", "62"), (62, "62"), ("+62", "62"), ("1", "1"), ("225", "225")])
def test_country_code_is_parsed(written: object, country: str) -> None:
    assert check_country(written) == country


@pytest.mark.parametrize("written", ["", "0", "062", "6200", "ID", None, True, 6.2, [62], -62])
def test_invalid_country_code_is_refused(written: object) -> None:
    with pytest.raises(OptionError, match="Option country"):
        check_country(written)


# Changes of a number by a spreadsheet


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("6281200002001.0", "decimal"),
        (" +6281200002001.0 ", "decimal"),
        ("6281200002001,00", "decimal"),
        ("0812-0000-2001.0", "decimal"),
        ("0812.0000.2001.0", "decimal"),
        ("81200002001.000000", "decimal"),
        (6281200002001.0, "decimal"),
        ("6.28120000200E+12", "rounded"),
        ("6,2812e12", "rounded"),
    ],
)
def test_number_changed_by_a_spreadsheet_is_refused_with_the_remedy(written: object, words: str) -> None:
    for parse in (lambda: parse_number(written, "target"), lambda: to_international(written)):
        with pytest.raises(OptionError) as caught:
            parse()
        assert words in caught.value.problem and "in quotes" in caught.value.advice


@pytest.mark.parametrize("written", ["0812.0000.2000", "0812.000.000", "0812 0000.2010"])
def test_dots_between_groups_of_digits_are_accepted(written: str) -> None:
    assert parse_number(written, "device").startswith("0812")


REGISTERED = NumberIndex(["081200001001", "6281200001002", "+62 812-0000-1003"])


@pytest.mark.parametrize(
    ("lost", "registered"),
    [("81200001001", "081200001001"), ("81200001002", "6281200001002"), ("81200001003", "+62 812-0000-1003")],
)
def test_number_without_its_zero_is_an_error_that_shows_both(lost: str, registered: str) -> None:
    with pytest.raises(LostZeroError) as caught:
        REGISTERED.locate(lost)
    reported = str(caught.value)
    assert f"{lost} is not registered, and {registered} is" in reported and f'"+{lost}"' in reported
    assert REGISTERED.locate(lost, has_country=True) == []


def test_number_registered_without_a_zero_is_found() -> None:
    index = NumberIndex(["081200001001", "81200001001"])
    assert index.locate("81200001001") == ["81200001001"] and index.locate("081200001001") == ["081200001001"]
    assert REGISTERED.locate("81200009999") == [] and REGISTERED.locate("081200009999") == []


@pytest.mark.parametrize(
    ("written", "expected"),
    [("+81200001001", True), (" 0081 2000", True), ("81200001001", False), ("081200001001", False), (812, False)],
)
def test_explicit_country_code_is_detected(written: object, expected: bool) -> None:
    assert has_country(written) is expected


@pytest.mark.parametrize("written", ["81200002001", "8120-0002-001", 81200002001])
def test_recipient_that_begins_with_8_is_refused(written: object) -> None:
    digits = parse_number(written, "target")
    with pytest.raises(OptionError) as caught:
        refuse_lost_zero(written, digits, "target")
    assert '"081200002001"' in caught.value.advice and '"+81200002001"' in caught.value.advice
    assert may_lack_zero(digits) and not may_lack_zero(digits, "81") and not may_lack_zero(digits, "0")


@pytest.mark.parametrize("written", ["+81200002001", "0081200002001", "081200002001", "6281200002001", "8613800138000"])
def test_complete_recipient_is_accepted(written: str) -> None:
    refuse_lost_zero(written, parse_number(written, "target"), "target")


@pytest.mark.parametrize(
    "number", ["081200001001", "14155550100", "819012345678", "85291234567", "37912345678", "88213001234", "3912345678"]
)
def test_existing_country_code_has_no_warning(number: str) -> None:
    assert list(no_country(number)) == []


@pytest.mark.parametrize("number", ["21012345678", "99912345678", "89912345678", "8591234567"])
def test_unknown_country_code_has_a_warning(number: str) -> None:
    (warning,) = no_country(number)
    assert number in warning and f"begin with {number[:3]}" in warning


@pytest.mark.parametrize(
    ("listed", "shown"),
    [
        ("\u200e081200001001", "081200001001"),
        ("\ufeff0812\u202c00001001", "081200001001"),
        ("+62 812-0000-1001", "+62 812-0000-1001"),
        ("0812\x1b[2J", "0812[2J"),
        ("0812\u00a00000\t1\0", "0812 0000 1"),
    ],
)
def test_listed_number_is_displayed_without_marks(listed: str, shown: str) -> None:
    assert displayed_number(listed) == shown and canonical(listed) == canonical(shown)


@pytest.mark.parametrize("listed", ["0812\u00a00000 1001", "081200001001\n", "0812\t00001001"])
def test_white_space_is_ignored_in_a_listed_number(listed: str) -> None:
    assert canonical(listed) == canonical("081200001001")
