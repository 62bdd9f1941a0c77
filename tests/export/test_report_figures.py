"""The report's drawings and texts: round ticks, labels that do not touch, colors and names that can be read."""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise
from math import isclose, isfinite, log10
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from workbench.evaluation.calibration import calibration_of
from workbench.evaluation.intervals import Estimate, rate_of
from workbench.evaluation.predictions import Predictions
from workbench.evaluation.ranking import roc_curve
from workbench.export.report import colors
from workbench.export.report.axes import Frame, log_ticks, segments, spread, ticks, whole_ticks
from workbench.export.report.figures.calibration import reliability_drawing, roc_drawing
from workbench.export.report.figures.classes import balance_drawing
from workbench.export.report.figures.confusion import confusion_drawing
from workbench.export.report.figures.curves import Level, Mark, Series, curves_drawing, wants_log
from workbench.export.report.figures.residuals import residual_drawing, scatter_drawing
from workbench.export.report.listing import side_by_side
from workbench.export.report.sections.advice import commands_of
from workbench.export.report.sections.training import rate_format
from workbench.export.report.svg import Drawing, fitted, text_width
from workbench.export.report.text import (
    count,
    duration,
    fixed,
    gap,
    interval,
    named,
    number,
    percent,
    plain,
    plain_lines,
    short,
    tight_percent,
)
from workbench.recipe.assignments import toml_value

NARROW = "\u00a0"
finite = st.floats(-1e9, 1e9)


def _parsed(drawing: Drawing) -> Any:
    """The drawing as a file of its own, as an XML parser reads it."""
    root = ElementTree.fromstring(drawing.svg(colors.on_paper, font="Workbench Inter"))
    for element in root.iter():
        for name in ("x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "width", "height", "r"):
            assert isfinite(float(element.get(name, 0))), ElementTree.tostring(element)
    return root


def _texts(drawing: Drawing) -> list[str]:
    return ["".join(element.itertext()) for element in _parsed(drawing).iter() if element.tag.endswith("}text")]


@given(low=finite, span=st.floats(1e-6, 1e9), most=st.integers(3, 10))
def test_that_ticks_are_round_even_and_within_the_range(low: float, span: float, most: int) -> None:
    high = low + span
    if high <= low or span < 1e-9 * abs(low):
        return
    found = ticks(low, high, most)
    assert len(found) <= most
    step = span / most
    assert all(low - step <= tick <= high + step for tick in found)
    if len(found) > 2:
        steps = np.diff(found)
        assert np.allclose(steps, steps[0], rtol=1e-3)
        mantissa = float(steps[0]) / 10 ** np.floor(log10(steps[0]) + 1e-9)
        assert min(abs(mantissa - nice) for nice in (1, 2, 5, 10)) < 0.01


@given(low=st.floats(1e-12, 1e3), factor=st.floats(2, 1e12))
@example(low=2.0, factor=50001.0)
def test_that_log_ticks_lie_within_the_range(low: float, factor: float) -> None:
    found = log_ticks(low, low * factor)
    assert all(low * 0.99 <= tick <= low * factor * 1.01 for tick in found)
    assert found == sorted(set(found))
    assert len(found) <= 14
    assert len(found) >= 1 or factor < 3


def test_that_ticks_of_epochs_are_whole() -> None:
    assert whole_ticks(0, 3, 8) == [0, 1, 2, 3]
    assert whole_ticks(0, 1, 6) == [0, 1]
    assert whole_ticks(0, 400, 6) == [0, 100, 200, 300, 400]


@given(places=st.lists(st.floats(0, 200), max_size=8))
def test_that_labels_never_touch_and_keep_their_order(places: list[float]) -> None:
    moved = spread(places, 0, 200)
    assert len(moved) == len(places)
    ordered = [moved[index] for index in sorted(range(len(places)), key=lambda index: places[index])]
    assert all(b - a >= 14 - 1e-6 for a, b in pairwise(ordered))
    assert all(-1e-6 <= place <= 200 + 1e-6 for place in moved)


@given(places=st.lists(st.floats(0, 200), max_size=8, unique_by=lambda place: int(place // 15)))
def test_that_labels_that_are_apart_stay_where_they_are(places: list[float]) -> None:
    if all(abs(a - b) >= 14 for a in places for b in places if a != b):
        assert np.allclose(spread(places, 0, 200), places)


def test_that_a_long_curve_keeps_its_extremes() -> None:
    frame = Frame.at((0, 0, 400, 100), (0, 1e6), (0, 1))
    xs = np.arange(100_000) * 10.0
    ys = np.full(100_000, 0.5)
    ys[33_333], ys[77_777] = 1.0, 0.0
    (points,) = segments(xs.tolist(), ys.tolist(), frame)
    assert len(points) < 2000
    heights = [y for _, y in points]
    assert min(heights) == 0
    assert max(heights) == 100
    assert [x for x, _ in points] == sorted(x for x, _ in points)


def test_that_a_curve_is_cut_where_it_is_not_finite() -> None:
    frame = Frame.at((0, 0, 100, 100), (0, 4), (0, 1))
    parts = segments([0, 1, 2, 3, 4], [0.1, 0.2, float("nan"), float("inf"), 0.4], frame)
    assert [len(part) for part in parts] == [2, 1]


def test_that_what_is_out_of_a_log_scales_range_lies_on_its_edge() -> None:
    frame = Frame.at((0, 0, 100, 100), (0, 2), (0.01, 1), log=True)
    ((first, second, third),) = segments([0, 1, 2], [1.0, 0.1, 0.0], frame)
    assert (first[1], round(second[1], 6), third[1]) == (0, 50, 100)


@pytest.mark.parametrize(
    "ys", [[0.9, 0.5, 0.4], [0.9, 0.1, 0.0], [float("nan")] * 3, [0.0, 0.0, 0.0], [1e30, 2.0, 1e-30], [0.5, None, None]]
)
@pytest.mark.parametrize("log", [False, True])
def test_that_every_curve_can_be_drawn(ys: list[float | None], log: bool) -> None:
    drawing = curves_drawing(
        [0, 1, 2], [Series("train", ys, "accent"), Series("dev", [None] * 3, "purple")], percent, label="x",
        levels=[Level(0.0, "human", "good")], marks=[Mark(1.0, "then")], best=(2, ys[-1] or 0.0, "best"), log=log,
    )  # fmt: skip
    assert _texts(drawing)


def test_that_curves_that_fall_far_want_a_log_scale() -> None:
    assert wants_log([Series("", [0.9, 0.01], "accent")])
    assert wants_log([Series("", [0.9, 0.0], "accent")])
    assert not wants_log([Series("", [0.9, 0.2], "accent")])
    assert not wants_log([Series("", [0.0, 0.0], "accent"), Series("", [None, float("nan")], "accent")])


def test_that_a_confusion_matrix_prints_its_numbers_and_leaves_zeros_empty() -> None:
    matrix = np.array([[5, 0, 12], [1, 1234, 0], [0, 0, 0]])
    told = _texts(confusion_drawing(matrix, ("a", "b", "never there"), "dev"))
    for text in ("5", "12", "1", "1,234", "17", "1,235", "a", "b"):
        assert text in told
    assert told.count("0") == 1
    assert f"29.4{NARROW}%" in told


@pytest.mark.parametrize("k", [2, 9, 20])
def test_that_a_matrix_stays_within_its_drawing(k: int) -> None:
    names = tuple(f"a rather long class name {number}" for number in range(k))
    drawing = confusion_drawing(np.full((k, k), 9999), names, "dev")
    for element in _parsed(drawing).iter():
        right = float(element.get("x", 0)) + float(element.get("width", 0))
        assert element.tag.endswith("svg") or right <= drawing.width


def test_that_balance_shares_are_of_the_training_set() -> None:
    told = _texts(balance_drawing(("a", "b"), {"train": [3, 1], "dev": [0, 7]}))
    assert [f"75.0{NARROW}%", "3", "0"] == told[4:7]
    assert [f"25.0{NARROW}%", "1", "7"] == told[8:11]


def test_that_probabilities_are_drawn_where_they_are() -> None:
    random = np.random.default_rng(0)
    p = random.dirichlet([1, 1], 500)
    truth = (random.random(500) > p[:, 0]).astype(int)
    predictions = Predictions.of(truth, p.argmax(axis=1), ("n", "y"), probabilities=p)
    calibration = calibration_of(predictions)
    assert calibration is not None
    filled = sum(each.count > 0 for each in calibration.bins)
    circles = [e for e in _parsed(reliability_drawing(calibration)).iter() if e.tag.endswith("}circle")]
    assert len(circles) == filled
    curve = roc_curve(p[:, 1], truth == 1)
    assert curve is not None
    assert _parsed(roc_drawing({"y": curve}, "y")).get("aria-label").endswith(f"{curve.area:.3f}.")


@pytest.mark.parametrize("count_of", [1, 2, 40, 4000])
@pytest.mark.parametrize("spread_of", [0.0, 1.0, 1e9])
def test_that_residuals_are_all_drawn(count_of: int, spread_of: float) -> None:
    random = np.random.default_rng(1)
    true = random.normal(5, spread_of, count_of)
    predicted = true + random.normal(0, spread_of, count_of)
    _parsed(residual_drawing(predicted - true))
    root = _parsed(scatter_drawing(true, predicted))
    circles = [e for e in root.iter() if e.tag.endswith("}circle")]
    assert len(circles) == (count_of if count_of <= 1500 else 0)


def test_that_the_colors_are_the_windows() -> None:
    from workbench.gui import tokens

    for report, window in ((colors.LIGHT, tokens.LIGHT), (colors.DARK, tokens.DARK)):
        for name, color in report.items():
            assert color == getattr(window, name), name


def _luminance(color: str) -> float:
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@given(share=st.floats(0, 1))
def test_that_numbers_on_the_heat_scale_can_be_read(share: float) -> None:
    color = colors.cividis(share)
    assert _contrast(color, colors.ink_on(color)) >= 4.5


@pytest.mark.parametrize("theme", [colors.LIGHT, colors.DARK], ids=["light", "dark"])
def test_that_texts_can_be_read_on_what_they_stand_on(theme: dict[str, str]) -> None:
    pairs = [(ink, "panel") for ink in ("text", "muted", "accent", "warning_text", "good_text", "purple")]
    pairs += [("text", "warning_soft"), ("text", "good_soft"), ("text", "soft"), ("muted", "soft"), ("muted", "window")]
    for ink, ground in pairs:
        least = 4.5 if ink != "purple" else 4.0
        assert _contrast(theme[ink], theme[ground]) >= least, (ink, ground)


def test_that_the_heat_scale_is_cividis() -> None:
    matplotlib = pytest.importorskip("matplotlib")
    scale = matplotlib.colormaps["cividis"]
    for share in np.linspace(0, 1, 101):
        ours = [int(colors.cividis(share)[at : at + 2], 16) for at in (1, 3, 5)]
        assert np.abs(np.array(ours) - 255 * np.array(scale(share)[:3])).max() < 8


@given(text=st.text())
@example("\u202e\u2066\x00\ud800\u2028\U000e0041")
def test_that_nothing_hides_in_a_text(text: str) -> None:
    shown = plain(text)
    assert all(unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") for char in shown)
    assert plain(shown) == shown
    if text.isprintable():
        assert shown == text
    assert plain_lines(f"{text}\nb").endswith("\nb")


@given(text=st.text(max_size=80), width=st.floats(20, 300))
def test_that_a_fitted_text_fits_and_shows_that_it_was_cut(text: str, width: float) -> None:
    shown = fitted(text, width)
    assert text_width(shown) <= width or shown == "…"
    assert shown == plain(text) or shown.endswith("…")


def test_that_a_drawing_escapes_what_it_is_given() -> None:
    drawing = Drawing(10, 10, '"<a>&\u202e')
    drawing.text(1, 1, "</text><script>'\"&\u202e")
    root = _parsed(drawing)
    assert root.get("aria-label") == '"<a>&\\u202e'
    assert [child.tag.rpartition("}")[2] for child in root] == ["text"]
    assert root[0].text == "</text><script>'\"&\\u202e"


@given(value=st.floats(allow_nan=False, allow_infinity=False))
def test_that_every_number_can_be_written_and_read_again(value: float) -> None:
    text = number(value, 17).replace("\u2212", "-").replace(",", "")
    assert isclose(float(text), value, rel_tol=1e-9, abs_tol=1e-300) or abs(value) < 1e-300


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (number(0.001), "0.001"),
        (number(1e-8), "1e\u22128"),
        (number(-2.5), "\u22122.5"),
        (number(1234567.0), "1,234,567"),
        (number(123456.7), "123,500"),
        (number(None), "–"),
        (number(float("nan")), "–"),
        (count(4780), "4,780"),
        (count(2.5), "2.50"),
        (count(-3), "\u22123"),
        (short(950), "950"),
        (short(9153.36), "9,153"),
        (short(50_432), f"50.4{NARROW}k"),
        (short(3_612_000), f"3.61{NARROW}M"),
        (percent(0.215), f"21.50{NARROW}%"),
        (percent(None), "–"),
        (tight_percent(0.007), f"0.7{NARROW}%"),
        (gap(0.165), "+16.50"),
        (gap(-0.03), "\u22123.00"),
        (gap(0.00001), "0.00"),
        (gap(None), "–"),
        (fixed(0.94449), "0.944"),
        (fixed(None), "–"),
        (interval(Estimate(0.5)), "exact"),
        (interval(None), "–"),
        (interval(rate_of(0.0, 359)), "0.00 to 1.06"),
        (duration(0.44), f"0.4{NARROW}s"),
        (duration(59.6), f"1{NARROW}min 0{NARROW}s"),
        (duration(7500), f"2{NARROW}h 05{NARROW}min"),
        (named("x" * 300), "x" * 199 + "…"),
    ],
)
def test_that_numbers_are_written_one_way(text: str, expected: str) -> None:
    assert text == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (80, "80"),
        (0.1, "0.1"),
        (True, "true"),
        ('he\'s "here"', '"he\'s \\"here\\""'),
        ([{"kind": "noise", "sigma": 0.05, "x": None}], '[{ kind = "noise", sigma = 0.05 }]'),
        ({"a b": 1.0}, '{ "a b" = 1.0 }'),
    ],
)
def test_that_values_are_written_as_toml_on_one_line(value: Any, expected: str) -> None:
    import tomllib

    assert toml_value(value) == expected
    assert isinstance(tomllib.loads(f"v = {expected}")["v"], type(value))


def test_that_commands_are_quoted_for_a_shell() -> None:
    import shlex

    command = commands_of({'data.weights.attributes."a\'b"': 0.5})
    assert shlex.split(command) == ["--set", 'data.weights.attributes."a\'b"=0.5']
    assert commands_of({}) == ""
    assert commands_of({"training.early_stopping": None}) == "--set training.early_stopping=none"


def test_that_a_change_too_long_to_type_is_told_by_its_place_in_the_recipe() -> None:
    layers = [{"kind": "dense", "name": f"hidden_{number}", "units": 64} for number in range(20)]
    assert commands_of({"network.layers": layers}) == "(edit network.layers in the recipe)"


def test_that_learning_rates_on_an_axis_are_told_apart_however_small() -> None:
    for highest in (1.0, 0.3, 0.02, 1e-3, 4e-5, 3e-9):
        written = [rate_format([highest])(value) for value in ticks(0, highest * 1.06)]
        assert len(set(written)) == len(written)
        assert not any(text.strip("0.") == "" for text in written[1:])
    assert rate_format([1e-3])(2e-4) == "2e−4"
    assert rate_format([0.1])(0.02) == "0.02"


def test_that_the_best_epoch_is_named_away_from_the_names_at_the_ends_of_lines() -> None:
    epochs = list(range(41))
    series = [Series("dev", [1 - 0.017 * epoch for epoch in epochs], "purple")]
    best = (40, 0.32, "best on dev: epoch 40")
    drawing = curves_drawing(epochs, series, str, label="", best=best)
    page = drawing.svg(colors.on_paper)
    y_best = float(re.search(r'<text x="[^"]*" y="([^"]*)"[^>]*>best on dev', page)[1])  # type: ignore[index]
    y_end = float(re.search(r'<text x="[^"]*" y="([^"]*)"[^>]*>dev 0', page)[1])  # type: ignore[index]
    assert abs(y_best - y_end) > 20


@given(st.lists(st.integers(1, 40), min_size=1, max_size=30))
def test_that_a_long_listing_on_paper_says_the_same_in_pieces_of_whole_paragraphs(lengths: list[int]) -> None:
    paragraphs = [
        "\n".join(f"p{number} line {line}" for line in range(length)) for number, length in enumerate(lengths)
    ]
    text = "\n\n".join(paragraphs)
    pieces = side_by_side(text)
    assert "\n\n".join(part for piece in pieces for part in piece if part) == text
    for left, right in pieces:
        assert left
        most = max(lengths) + 2
        assert abs(left.count("\n") - right.count("\n")) <= most + 2
