"""Numbers as people type them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.gui.parsing import number_text, pair_text, parse_number, parse_pair, parse_sizes, sizes_text


@given(st.floats(-1e300, 1e300), st.booleans())
def test_that_a_written_number_is_read_back_exactly(value: float, log: bool) -> None:
    assert parse_number(number_text(value, log=log)) == value


@given(st.floats(0, 1), st.booleans())
def test_that_a_percentage_is_read_back_exactly(value: float, log: bool) -> None:
    assert parse_number(number_text(value, percent=True, log=log), percent=True) == value


@given(st.integers(-(10**15), 10**15))
def test_that_a_written_integer_is_read_back(value: int) -> None:
    assert parse_number(number_text(value), whole=True) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 1e-3),
        ("1E-3", 1e-3),
        ("0,5", 0.5),
        (".5", 0.5),
        ("5.", 5.0),
        ("−3", -3.0),
        (" 60 000 ", 60_000.0),
        ("+2", 2.0),
    ],
)
def test_that_numbers_are_understood_as_people_type_them(text: str, value: float) -> None:
    assert parse_number(text) == value


@pytest.mark.parametrize(("text", "value"), [("60,000", 60_000), ("60 000", 60_000), ("1e3", 1000), ("64.0", 64)])
def test_that_whole_numbers_are_understood_with_separators(text: str, value: int) -> None:
    assert parse_number(text, whole=True) == value


@pytest.mark.parametrize("text", ["", "abc", "1e", "nan", "inf", "1..2", "0x10", "1e9999", "--1", "1 %"])
def test_that_what_is_no_number_is_refused_in_words(text: str) -> None:
    with pytest.raises(ValueError, match="must be a number"):
        parse_number(text)


@pytest.mark.parametrize("text", ["1.5", "2e-1", "x", "1e300"])
def test_that_what_is_no_whole_number_is_refused_in_words(text: str) -> None:
    with pytest.raises(ValueError, match="must be a whole number"):
        parse_number(text, whole=True)


@pytest.mark.parametrize(
    ("value", "log", "text"),
    [
        (1e-3, True, "1e-3"),
        (1e-3, False, "0.001"),
        (0.05, True, "0.05"),
        (3e-5, False, "3e-5"),
        (0.0, True, "0"),
        (1e9, True, "1e9"),
    ],
)
def test_that_small_numbers_are_written_with_an_exponent(value: float, log: bool, text: str) -> None:
    assert number_text(value, log=log) == text


@pytest.mark.parametrize(
    ("text", "value"), [("3", 3), ("3x5", (3, 5)), ("3 × 5", (3, 5)), ("3 5", (3, 5)), ("3,5", (3, 5)), ("3×3", 3)]
)
def test_that_pairs_are_understood_with_any_cross(text: str, value: object) -> None:
    assert parse_pair(text) == value


def test_that_a_number_too_large_for_the_machine_is_refused() -> None:
    with pytest.raises(ValueError, match="too large"):
        parse_number("1e400")


@given(st.tuples(st.integers(0, 1024), st.integers(0, 1024)))
def test_that_a_written_pair_is_read_back(value: tuple[int, int]) -> None:
    parsed = parse_pair(pair_text(value))
    assert ((parsed, parsed) if isinstance(parsed, int) else parsed) == value


@pytest.mark.parametrize("text", ["", "a", "1 2 3", "-1", "1.5"])
def test_that_what_is_no_pair_is_refused_in_words(text: str) -> None:
    with pytest.raises(ValueError, match="one number or two"):
        parse_pair(text)


@given(st.lists(st.integers(-1, 10**8), min_size=1, max_size=4), st.sampled_from([" × ", ", ", "x", " "]))
def test_that_written_sizes_are_read_back(values: list[int], joint: str) -> None:
    assert parse_sizes(sizes_text(tuple(values), joint)) == tuple(values)


@pytest.mark.parametrize("text", ["-1x2", "−1 × 2", " -1, 2", "-1;2", "-1 2"])
def test_that_sizes_are_understood_however_they_are_parted(text: str) -> None:
    assert parse_sizes(text) == (-1, 2)


@pytest.mark.parametrize("text", ["", "a", "1.5", "--1", "1-2", "1 2 3"])
def test_that_what_are_no_sizes_is_refused_in_words(text: str) -> None:
    with pytest.raises(ValueError, match="must be 1 or 2 whole numbers"):
        parse_sizes(text, (1, 2))
