"""Numbers as the window writes them."""

from __future__ import annotations

import pytest

from workbench.gui import figures
from workbench.gui.figures import duration, grouped, memory, percent, points, rate, scientific, shape, short


def _plain(text: str) -> str:
    return text.replace(figures.SPACE, " ").replace(figures.MINUS, "-")


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (999, "999"), (1_290, "1 290"), (421_770, "421 770"), (-1_234_567, "-1 234 567")]
)
def test_that_thousands_are_grouped(value: int, text: str) -> None:
    assert _plain(grouped(value)) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(950, "950"), (1_290, "1.3 k"), (25_600, "25.6 k"), (250_880, "0.25 M"), (3_612_672, "3.61 M"),
     (42_000_000, "42.0 M"), (4.2e9, "4.20 G"), (123e12, "123 T"), (0.5, "0.5")],
)  # fmt: skip
def test_that_large_numbers_get_three_figures_and_a_unit(value: float, text: str) -> None:
    assert _plain(short(value)) == text


@pytest.mark.parametrize(("value", "text"), [(0.035, "3.5 %"), (0.0, "0.0 %"), (None, "—"), (float("nan"), "—")])
def test_that_fractions_are_written_as_per_cent(value: float | None, text: str) -> None:
    assert _plain(percent(value)) == text


@pytest.mark.parametrize(("value", "text"), [(0.028, "+2.8"), (-0.003, "-0.3"), (-0.0001, "+0.0")])
def test_that_a_difference_carries_its_sign_and_zero_is_not_negative(value: float, text: str) -> None:
    assert _plain(points(value)) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.42, "0.4 s"), (9.97, "10 s"), (52, "52 s"), (59.7, "1 min 0 s"), (232, "3 min 52 s"), (7_510, "2 h 05 min"),
     (273_600, "3 d 4 h")],
)  # fmt: skip
def test_that_durations_are_written_in_two_units(seconds: float, text: str) -> None:
    assert _plain(duration(seconds)) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(9.1e-4, "9.1e-4"), (1e-3, "1e-3"), (0.05, "0.05"), (0.1, "0.1"), (9.9999e-4, "1e-3"), (0.0, "0"), (12.5, "12.5")],
)
def test_that_learning_rates_are_written_with_an_exponent_where_small(value: float, text: str) -> None:
    assert _plain(rate(value)) == text


def test_that_the_labels_of_an_axis_can_all_have_an_exponent() -> None:
    assert [_plain(scientific(value)) for value in (0.0, 0.008, 0.01)] == ["0", "8e-3", "1e-2"]


def test_that_bytes_are_written_by_powers_of_a_thousand() -> None:
    assert [_plain(memory(count)) for count in (12, 1_200, 11_800_000, 2.5e9)] == [
        "12 B",
        "1.2 kB",
        "11.8 MB",
        "2.5 GB",
    ]


def test_that_shapes_are_written_with_crosses_and_single_sizes_grouped() -> None:
    assert _plain(shape((28, 28, 32))) == "28 × 28 × 32"
    assert _plain(shape((3136,))) == "3 136"
