"""Ladder, gates and verdict box: what they draw, and what they say to those who do not see them."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QEvent, QPoint
from PySide6.QtGui import QColor, QHelpEvent, QImage
from PySide6.QtWidgets import QApplication, QToolTip
from pytestqt.qtbot import QtBot
from shots import grab

from workbench.diagnosis.diagnose import diagnose
from workbench.diagnosis.levels import Levels
from workbench.diagnosis.verdict import Gate
from workbench.evaluation.intervals import Estimate, rate_of
from workbench.gui.diagnose.rungs import rows_of
from workbench.gui.figures import regrouped
from workbench.gui.theme import theme
from workbench.gui.widgets.gates import GateStrip
from workbench.gui.widgets.ladder import Between, Ladder, Rung, _ticks, interval_text
from workbench.gui.widgets.verdict_box import VerdictBox
from workbench.recipe.training import Goals

_LEVELS = Levels(
    bayes=Estimate(0.005),
    human=Estimate(0.007),
    train=rate_of(0.035, 60_000),
    dev=rate_of(0.04, 5_000),
    test=rate_of(0.041, 5_000),
)


def _rows(detailed: bool = False) -> tuple[Rung | Between, ...]:
    return rows_of(diagnose(_LEVELS, Goals()), detailed=detailed)


def _width_of(picture: QImage, color: str, y: int) -> int:
    """Pixels of a color in a line."""
    return sum(picture.pixelColor(x, y) == QColor(color) for x in range(picture.width()))


def test_that_bars_are_drawn_to_scale(qtbot: QtBot) -> None:
    ladder = Ladder()
    qtbot.addWidget(ladder)
    ladder.set_rows([Rung("a", Estimate(0.02), "accent"), Rung("b", Estimate(0.04), "accent")])
    picture = grab(ladder, (400, ladder.sizeHint().height()), "light")
    first, second = (_width_of(picture, theme().tokens.accent, y) for y in (12, 36))
    assert second > 100
    assert abs(first / second - 0.5) < 0.02


def test_that_the_limiting_gap_is_the_only_one_in_the_color_of_warnings() -> None:
    rows = [row for row in _rows() if isinstance(row, Between)]
    assert [row.limiting for row in rows] == [True, False, False]
    assert rows[0].told == "avoidable bias +2.8"


def test_that_the_ladder_tells_its_levels_and_gaps_in_words(qtbot: QtBot) -> None:
    ladder = Ladder()
    qtbot.addWidget(ladder)
    ladder.set_rows(_rows())
    told = ladder.accessibleDescription()
    assert told.startswith("Bayes 0.5")
    assert "avoidable bias +2.8" in told
    assert told.count("(limiting)") == 1


def test_that_each_row_explains_itself_under_the_pointer(qtbot: QtBot) -> None:
    ladder = Ladder(detailed=True)
    qtbot.addWidget(ladder)
    ladder.set_rows(_rows(detailed=True))
    ladder.resize(600, ladder.sizeHint().height())
    ladder.show()
    tips = []
    for row, top, height in ladder._placed():
        place = QPoint(200, round(top + height / 2))
        QApplication.sendEvent(ladder, QHelpEvent(QEvent.Type.ToolTip, place, ladder.mapToGlobal(place)))
        tips.append(row.tip)
        assert QToolTip.text().split("\n")[0][:20] == row.tip[:20]
        QToolTip.hideText()
    assert any(regrouped("n = 5,000") in tip for tip in tips)


def test_that_a_wide_detailed_ladder_has_room_for_numbers_and_a_narrow_one_for_bars(qtbot: QtBot) -> None:
    ladder = Ladder(detailed=True)
    qtbot.addWidget(ladder)
    ladder.set_rows(_rows(detailed=True))
    ladder.resize(600, 300)
    assert all(ladder._columns())
    ladder.resize(300, 300)
    assert not any(ladder._columns())
    assert ladder._right() - ladder._left() > 80


def test_that_errors_of_0_and_of_no_level_at_all_can_be_drawn(qtbot: QtBot) -> None:
    ladder = Ladder(detailed=True)
    qtbot.addWidget(ladder)
    for rows in ((), (Rung("train", Estimate(0.0), "accent"),), (Rung("x" * 500, rate_of(1.0, 1), "accent"),)):
        ladder.set_rows(rows)
        assert not grab(ladder, (500, 120), "dark").isNull()


@given(st.floats(1e-4, 3.0))
def test_that_the_axis_has_three_to_ten_round_marks(top: float) -> None:
    ticks = _ticks(top)
    assert 3 <= len(ticks) <= 11
    steps = {round((b - a) / (ticks[1] - ticks[0]), 6) for a, b in itertools.pairwise(ticks)}
    assert steps == {1.0}
    assert ticks[-1] <= top * 1.0001


def test_that_an_interval_has_no_minus_before_zero() -> None:
    assert interval_text(Estimate(0.0, 10, -0.0001, 0.012)) == "0.0 – 1.2"


def test_that_gates_after_the_current_one_are_dimmed(qtbot: QtBot) -> None:
    strip = GateStrip()
    qtbot.addWidget(strip)
    gates = (Gate("train", "passed", False), Gate("dev", "failed", True), Gate("test", "undecided", False))
    strip.set_gates(gates)
    assert [strip._dimmed(place) for place in range(3)] == [False, False, True]
    assert "dev: not reached (work on this one)" in strip.accessibleDescription()
    assert not grab(strip, (400, 28), "light").isNull()


def test_that_each_verdict_has_a_shape_of_its_own(qtbot: QtBot) -> None:
    """Told apart without colors: no two shapes cover the same pixels."""
    box = VerdictBox()
    qtbot.addWidget(box)
    masks = []
    for kind in ("warning", "good", "undecided", "busy", "failed"):
        box.set_verdict(kind, "Same words", "")  # type: ignore[arg-type]
        picture = grab(box, (300, 60), "light")
        ground = picture.pixelColor(6, 30)
        masks.append(tuple(picture.pixelColor(x, y) != ground for x in range(12, 42) for y in range(10, 44)))
    for one, other in itertools.combinations(masks, 2):
        assert sum(a != b for a, b in zip(one, other, strict=True)) > 60
