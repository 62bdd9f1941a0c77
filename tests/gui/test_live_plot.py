"""Live plots: what they draw, keys, crosshair, ranges, legend, export."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QEvent, QObject, QPointF, Qt
from PySide6.QtGui import QImage, QPaintEvent
from shots import settle

from workbench.errors import StoreError
from workbench.gui.plots import live_plot
from workbench.gui.plots.exports import save_plot
from workbench.gui.plots.figures import csv_text, figures_of
from workbench.gui.plots.legend import Key, Legend
from workbench.gui.plots.link import PlotLink
from workbench.gui.plots.live_plot import LivePlot, value_at
from workbench.gui.plots.overlay import Level, Moment, Sign
from workbench.gui.plots.plot import DASHED
from workbench.gui.plots.ranges import calm_range, growing_end, linear_range, log_range, round_up
from workbench.gui.plots.stroke import Line, in_view, plotted

_HOSTILE = '<img src="file:///etc/hostname">\u202e=cmd()'


def _line(key: str = "1 train", name: str = "train", count: int = 20, **changes: Any) -> Line:
    x = np.arange(float(count))
    values: dict[str, Any] = {"x": x, "y": 1 / (1 + x), "ink": "#0072B2", "version": (key, count), **changes}
    return Line(key, name, **values)


def _plot(qtbot: Any, *lines: Line) -> LivePlot:
    plot = LivePlot("Curves", x_text="{:g}".format, y_text="{:g}".format, value_text="{:.3f}".format,
                    heading="epoch {:g}".format)  # fmt: skip
    qtbot.addWidget(plot)
    plot.resize(600, 320)
    plot.show()
    plot.frame((0.0, 20.0), (0.0, 1.0))
    plot.show_lines(lines)
    settle()
    return plot


def test_that_lines_are_drawn_changed_and_taken_away(qtbot: Any) -> None:
    plot = _plot(qtbot, _line(), _line("2 train", "run 2"))
    assert set(plot._strokes) == {"1 train", "2 train"}
    stroke = plot._strokes["1 train"]
    plot.show_lines([_line(count=30)])
    assert set(plot._strokes) == {"1 train"}
    assert plot._strokes["1 train"] is stroke
    assert len(stroke.xData) == 30


def test_that_a_line_whose_numbers_are_as_before_costs_nothing(qtbot: Any) -> None:
    plot = _plot(qtbot, _line())
    assert not plot._strokes["1 train"].show_line(_line(), False)
    assert plot._strokes["1 train"].show_line(_line(), True)


def test_that_many_new_lines_are_made_in_several_turns(qtbot: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_plot, "BUDGET_SECONDS", 0.006)
    plot, lines = _plot(qtbot), [_line(f"{number} train", str(number)) for number in range(300)]
    plot.show_lines(lines)
    assert plot.behind
    assert 0 < len(plot._strokes) < 300
    for _ in range(300):
        plot.show_lines(lines)
        if not plot.behind:
            break
    assert len(plot._strokes) == 300


def test_that_what_cannot_stand_on_an_axis_is_left_out() -> None:
    line = _line(y=np.array([1.0, np.nan, 0.0, -1.0, 100.0]), x=np.arange(5.0))
    np.testing.assert_array_equal(plotted(line, False)[0], [0, 2, 3, 4])
    np.testing.assert_array_equal(plotted(line, True)[1], [0.0, 2.0])


def test_that_keys_ask_for_log_reset_crosshair_and_pause_when_the_plot_has_the_focus(qtbot: Any) -> None:
    plot = _plot(qtbot, _line())
    for key, signal in (
        (Qt.Key.Key_L, plot.logAsked), (Qt.Key.Key_R, plot.resetAsked), (Qt.Key.Key_X, plot.crosshairAsked),
        (Qt.Key.Key_Space, plot.pauseAsked),
    ):  # fmt: skip
        with qtbot.waitSignal(signal):
            qtbot.keyClick(plot, key)
    with qtbot.assertNotEmitted(plot.logAsked):
        qtbot.keyClick(plot, Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier)


def test_that_the_crosshair_stands_in_all_plots_and_is_read_where_the_mouse_is(qtbot: Any) -> None:
    first, second, link = _plot(qtbot, _line()), _plot(qtbot, _line("1 dev", "dev")), PlotLink()
    link.add(first)
    link.add(second)
    first.pointed.emit(4.2)
    assert first.overlay.cursor == second.overlay.cursor == 4.2
    assert first.readout.text() == "epoch 4\ntrain 0.200"
    assert not second.readout.isVisible()
    first.crosshairAsked.emit()
    assert first.overlay.cursor is None
    assert not first.readout.isVisible()
    first.pointed.emit(4.2)
    assert first.overlay.cursor is None


def test_that_arrow_keys_move_the_crosshair_from_point_to_point(qtbot: Any) -> None:
    plot, link = _plot(qtbot, _line()), PlotLink()
    link.add(plot)
    qtbot.keyClick(plot, Qt.Key.Key_Left)
    assert plot.overlay.cursor == 19.0
    qtbot.keyClick(plot, Qt.Key.Key_Left)
    assert plot.overlay.cursor == 18.0
    assert "epoch 18" in plot.readout.text()


def test_that_names_in_the_readout_are_text(qtbot: Any) -> None:
    plot, link = _plot(qtbot, _line(name=_HOSTILE)), PlotLink()
    link.add(plot)
    plot.pointed.emit(3.0)
    assert "<img" in plot.readout.text()
    assert "\u202e" not in plot.readout.text()


def test_that_a_zoom_moves_all_plots_and_reset_brings_all_back(qtbot: Any) -> None:
    first, second, link = _plot(qtbot, _line()), _plot(qtbot, _line()), PlotLink()
    link.add(first)
    link.add(second)
    first.box.setXRange(5, 8, padding=0)
    first.box.sigRangeChangedManually.emit([True, True])
    assert second.box.viewRange()[0] == pytest.approx([5, 8])
    # What comes in meanwhile leaves the user's view alone.
    first.frame((0.0, 40.0), (0.0, 1.0))
    assert first.box.viewRange()[0] == pytest.approx([5, 8])
    second.resetAsked.emit()
    assert first.box.viewRange()[0] == pytest.approx([0, 40.8])
    assert second.box.viewRange()[0] == pytest.approx([0, 20.4])


def test_that_marks_levels_and_signs_are_painted_also_where_an_axis_has_no_place_for_them(qtbot: Any) -> None:
    plot = _plot(qtbot, _line())
    before = plot.grab().toImage()
    plot.overlay.show_marks(
        (Level(0.5, "human level 50 %", "good"), Level(float("nan"), "none", "grey")),
        (Moment(4.0, "learning rate 0.1 → 0.01"), Moment(4.1, "again")),
        (Sign(3.0, 0.25, "triangle", "#0072B2"), Sign(9.0, 0.1, "star", "#0072B2", filled=True)),
    )
    settle()
    assert plot.grab().toImage() != before


@given(st.floats(1e-9, 1e9), st.floats(1e-9, 1e9))
def test_that_a_growing_axis_holds_what_is_reached_and_ends_at_the_end(reached: float, end: float) -> None:
    open_end = growing_end(reached, None)
    assert open_end >= reached
    assert growing_end(min(reached, end), end) >= min(reached, end) * (1 - 1e-9)
    assert growing_end(min(reached, end), end) <= end


@given(st.floats(1e-12, 1e12))
def test_that_rounding_up_never_goes_below_nor_far_above(value: float) -> None:
    assert value * (1 - 1e-9) <= round_up(value) <= 2 * value


def test_that_ranges_hold_all_values() -> None:
    columns = [np.array([0.1, 0.35, np.nan]), np.array([np.inf, 0.02])]
    low, high = linear_range(columns)
    assert (low, high) == (0.0, 0.4)
    low, high = log_range(columns)
    assert 10**low <= 0.02 + 1e-9
    assert 10**high >= 0.35
    assert linear_range([]) == (0.0, 1.0)
    assert log_range([np.zeros(3)]) == (-2.0, 0.0)


def test_that_a_steep_beginning_does_not_press_the_rest_to_the_floor() -> None:
    values = np.array([0.9, 0.5, *np.linspace(0.12, 0.05, 40)])
    assert calm_range([values])[1] < 0.4
    assert calm_range([np.array([0.3, 0.28, 0.25])])[1] >= 0.3
    assert calm_range([]) == (0.0, 1.0)
    assert calm_range([np.zeros(5)]) == (0.0, 1.0)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=60))
def test_that_a_calm_range_still_holds_four_fifths(values: list[float]) -> None:
    column = np.array(values)
    assert (column <= calm_range([column])[1]).mean() >= 0.8


def test_that_a_beginning_is_shown_unless_it_is_extreme() -> None:
    slow = 0.05 + 0.23 * np.exp(-np.arange(100.0) / 12)
    assert calm_range([slow])[1] >= 0.28
    assert calm_range([np.array([0.91, 0.12])])[1] >= 0.91
    assert calm_range([np.array([0.91, *np.full(60, 0.05)])])[1] < 0.2


def test_that_a_line_that_leaves_at_the_top_says_how_far(qtbot: Any) -> None:
    y = np.array([0.912, *np.full(30, 0.05)])
    plot = _plot(qtbot, _line(x=np.arange(31.0), y=y))
    assert plot.overlay.cut is None
    plot.frame((0.0, 31.0), calm_range([y]))
    assert plot.overlay.cut is not None
    assert (plot.overlay.cut.x, plot.overlay.cut.text) == (1.0, "↑ to 0.91")
    plot.show_lines([_line(x=np.arange(31.0), y=np.minimum(y, 0.05), version="low")])
    assert plot.overlay.cut is None


def test_that_a_view_beside_all_lines_says_so_and_how_to_come_back(qtbot: Any) -> None:
    plot = _plot(qtbot, _line())
    link = PlotLink(plot)
    link.add(plot)
    assert plot.overlay.hint == ""
    plot.box.setXRange(40.0, 50.0, padding=0.0)
    plot.box.sigRangeChangedManually.emit([True, True])
    assert plot.overlay.hint.endswith("R shows all")
    plot.set_log(True)
    plot.show_lines([_line()])
    assert plot.overlay.hint
    qtbot.keyClick(plot, Qt.Key.Key_R)
    assert plot.overlay.hint == ""


@pytest.mark.parametrize(
    ("x", "y", "seen"),
    [
        ((0.0, 9.0), (0.0, 1.0), True),
        ((3.2, 3.8), (0.0, 1.0), True),  # between two points
        ((19.5, 30.0), (0.0, 1.0), False),  # behind the last one
        ((0.0, 19.0), (1.1, 2.0), False),
    ],
)
def test_that_a_line_is_in_view_where_some_of_it_is(x: tuple[float, float], y: tuple[float, float], seen: bool) -> None:
    assert in_view(_line(), False, x, y) is seen


def test_that_a_point_that_stands_alone_is_drawn(qtbot: Any) -> None:
    plot = _plot(qtbot)
    plot.frame((0.0, 2.0), (0.0, 1.0))
    empty = plot.grab().toImage()
    plot.show_lines([_line(x=np.array([1.0]), y=np.array([0.5]))])
    settle()
    assert plot.grab().toImage() != empty
    plot.show_lines([_line(version="more")])
    assert plot._strokes["1 train"].opts["symbol"] is None


def test_that_signs_at_the_same_point_can_all_be_told(qtbot: Any) -> None:
    plot = _plot(qtbot)
    signs = (Sign(10, 0.5, "square", "#0072B2", size=20), Sign(10, 0.5, "triangle", "#D55E00", size=20),
             Sign(10, 0.5, "circle", "#009E73", True, 8))  # fmt: skip
    plot.overlay.show_marks(signs=signs)
    settle()
    picture = plot.grab().toImage()
    found = {picture.pixelColor(x, y).name().upper() for x in range(picture.width()) for y in range(picture.height())}
    assert {"#0072B2", "#D55E00", "#009E73"} <= found


def test_that_the_value_at_a_place_is_that_of_the_nearest_point_within_reach() -> None:
    line = _line(x=np.array([0.0, 1.0, 10.0]), y=np.array([5.0, 6.0, 7.0]))
    assert value_at(line, 0.6, 0.1) == (1.0, 6.0)
    assert value_at(line, 40.0, 0.1) is None
    assert value_at(_line(count=0), 1.0, 1.0) is None


def _legend(qtbot: Any) -> Legend:
    legend = Legend("Legend")
    qtbot.addWidget(legend)
    legend.set_keys([Key("part train", "train"), Key("part dev", "dev", None, DASHED), Key("run 1", _HOSTILE)])
    legend.resize(400, 24)
    legend.show()
    settle()
    return legend


def test_that_a_click_in_the_legend_hides_and_another_one_shows_again(qtbot: Any) -> None:
    legend = _legend(qtbot)
    button = legend._buttons[0]
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert legend.hidden == {"part train"}
    assert button.accessibleName() == "train, hidden"
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert legend.hidden == frozenset()
    assert not legend.grab().isNull()


def test_that_a_double_click_leaves_only_one_of_its_sort_and_the_next_brings_all_back(qtbot: Any) -> None:
    legend = _legend(qtbot)
    for hidden in ({"part dev"}, set()):
        qtbot.mouseClick(legend._buttons[0], Qt.MouseButton.LeftButton)
        qtbot.mouseDClick(legend._buttons[0], Qt.MouseButton.LeftButton)
        assert legend.hidden == hidden


def test_that_an_entry_stays_hidden_while_others_come(qtbot: Any) -> None:
    legend = _legend(qtbot)
    qtbot.mouseClick(legend._buttons[1], Qt.MouseButton.LeftButton)
    legend.set_keys([Key("part train", "train"), Key("part dev", "dev"), Key("part test", "test")])
    assert [button.isChecked() for button in legend._buttons] == [True, False, True]


def test_that_the_csv_holds_every_point_and_no_formula() -> None:
    lines = [_line(name="=cmd()", count=3), _line("2", "run 2", x=np.array([1.0, 7.5]), y=np.array([0.5, np.nan]))]
    rows = list(csv.reader(io.StringIO(csv_text(figures_of(lines, "epoch")))))
    assert rows[0] == ["epoch", "'=cmd()", "run 2"]
    assert [row[0] for row in rows[1:]] == ["0", "1", "2", "7.5"]
    assert rows[2][1:] == ["0.5", "0.5"]
    assert rows[4][1:] == ["", ""]


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_that_a_plot_is_exported_as_png_svg_and_csv(qtbot: Any, tmp_path: Path, mode: str) -> None:
    from workbench.gui.theme import theme

    theme().set_mode(mode)  # type: ignore[arg-type]
    plot = _plot(qtbot, _line(name=_HOSTILE), _line("1 dev", "dev", style=DASHED))
    picture = QImage(str(save_plot(plot, tmp_path / "a.png", "Error", "epoch")))
    assert picture.width() == 2 * plot.width()
    assert picture.height() > 2 * plot.height()
    root = ElementTree.parse(save_plot(plot, tmp_path / "a.svg", "Error & <more>", "epoch")).getroot()
    assert root.tag.endswith("svg")
    assert root.get("viewBox") is not None
    assert sum(1 for element in root.iter() if element.tag.endswith(("path", "polyline"))) > 5
    assert not any(element.tag.endswith("image") for element in root.iter())
    text = save_plot(plot, tmp_path / "a.csv", "Error", "epoch").read_text("utf-8-sig")
    assert len(text.splitlines()) == 21


def test_that_an_unknown_ending_becomes_png_and_a_folder_that_is_missing_an_error(qtbot: Any, tmp_path: Path) -> None:
    plot = _plot(qtbot, _line())
    assert save_plot(plot, tmp_path / "curve", "Error", "epoch").name == "curve.png"
    with pytest.raises(StoreError):
        save_plot(plot, tmp_path / "none" / "curve.csv", "Error", "epoch")


def test_that_the_mouse_points_only_within_the_axes(qtbot: Any) -> None:
    plot = _plot(qtbot, _line())
    seen: list[float | None] = []
    plot.pointed.connect(seen.append)
    inside = plot.mapFromScene(plot.box.mapViewToScene(QPointF(10.0, 0.5)))
    qtbot.mouseMove(plot.viewport(), inside)
    qtbot.mouseMove(plot.viewport(), plot.rect().bottomLeft())
    assert seen[0] == pytest.approx(10.0, abs=0.1)
    assert seen[-1] is None


class _Painted(QObject):
    """Notes which part of a widget is painted anew."""

    def __init__(self) -> None:
        super().__init__()
        self.left = 1e9

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QPaintEvent):
            self.left = min(self.left, event.region().boundingRect().left())
        return False


def test_that_a_sign_at_the_border_leaves_no_trace_when_it_goes(qtbot: Any) -> None:
    plot = _plot(qtbot, _line())
    plot.overlay.show_marks(signs=(Sign(0.0, 0.5, "square", "#0072B2", False, 9.0),))
    settle()
    painted = _Painted()
    plot.viewport().installEventFilter(painted)
    plot.overlay.show_marks()
    settle()
    border = plot.mapFromScene(plot.overlay._box.sceneBoundingRect().topLeft()).x()
    assert painted.left < border - 4
