# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Warnings of devices that differ in the number alone, in one account and in several."""

from __future__ import annotations

import pytest

from ansible_collections.fonnte.whatsapp.plugins.module_utils._fleet.device_warnings import (
    group_warnings,
    join_warnings,
)

TEXT = "Fonnte may not send incoming chats to the webhook of device {}: personal is off or unknown."


def numbers(account: int, count: int) -> list[str]:
    return [f"6281{account:04}{index:05}" for index in range(count)]


def of_account(account: int, count: int, text: str = TEXT) -> list[str]:
    return group_warnings((number, text.format(number)) for number in numbers(account, count))


def test_one_account_has_one_warning_for_all_its_devices() -> None:
    first, *others = numbers(1, 3)
    assert of_account(1, 1) == [TEXT.format(first)]
    assert of_account(1, 3) == [f"{TEXT.format(first)} The same applies to 2 devices: {', '.join(others)}."]


def test_text_without_the_number_is_given_once() -> None:
    assert group_warnings([("1", "No record."), ("2", "No record."), ("", "No record.")]) == ["No record."]


def test_accounts_share_one_warning() -> None:
    warnings = [*of_account(1, 3), "No record.", *of_account(2, 1), *of_account(3, 2), "No record."]
    first, *others = [*numbers(1, 3), *numbers(2, 1), *numbers(3, 2)]
    assert join_warnings(warnings) == [
        f"{TEXT.format(first)} The same applies to 5 devices: {', '.join(others)}.",
        "No record.",
    ]


@pytest.mark.parametrize("count", [1, 2, 51, 52, 67, 1000])
def test_count_is_right_even_if_numbers_are_left_out(count: int) -> None:
    (warning,) = join_warnings([text for account in range(12) for text in of_account(account, count)])
    assert f"The same applies to {12 * count - 1} devices: " in warning
    listed = warning.count("6281")
    assert listed == min(12 * count, 51)
    assert listed == 12 * count or warning.endswith(f" and {12 * count - listed} more.")


def test_different_texts_stay_apart() -> None:
    other = "The next change of device {} will be refused: it is not recorded."
    assert len(join_warnings([*of_account(1, 2), *of_account(2, 2, other)])) == 2


def test_warning_of_one_account_stays_as_it_is() -> None:
    for count in (1, 2, 60):
        assert join_warnings(of_account(1, count)) == of_account(1, count)


CAPITAL = "Device {} no longer declares webhook, and still has the recorded value."
ELSEWHERE = "The line of {} is wrong."


def test_number_at_the_beginning_is_found() -> None:
    (warning,) = join_warnings([*of_account(1, 3, CAPITAL), *of_account(2, 2, CAPITAL)])
    assert "The same applies to 4 devices: " in warning and warning.count("6281") == 5


def test_warning_whose_number_is_not_found_keeps_its_list() -> None:
    given = [*of_account(1, 3, ELSEWHERE), *of_account(2, 3, ELSEWHERE)]
    assert join_warnings(given) == given
