"""The window's own widgets under keyboard and mouse."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QAbstractButton, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from workbench.errors import InputError, Problem
from workbench.gui.text import LONGEST, safe, wrapped
from workbench.gui.widgets.bars import BottomBar, SearchField, TopBar
from workbench.gui.widgets.buttons import Button
from workbench.gui.widgets.check_box import CheckBox
from workbench.gui.widgets.chip import Chip
from workbench.gui.widgets.choice_popup import Choice, ChoicePopup
from workbench.gui.widgets.combo import Combo
from workbench.gui.widgets.empty_state import EmptyState
from workbench.gui.widgets.facts_row import FactsList, FactsRow
from workbench.gui.widgets.fold import Fold
from workbench.gui.widgets.labels import ElidedLabel, Label
from workbench.gui.widgets.message import InlineMessage
from workbench.gui.widgets.panel import Panel
from workbench.gui.widgets.segmented import Segmented
from workbench.gui.widgets.slider import Slider
from workbench.gui.widgets.status_pill import StatusPill
from workbench.gui.widgets.step_bar import StepBar

_HOSTILE = 'cat<img src="file:///etc/hostname">\u202e\n\x00' + "x" * 400


def _shown(qtbot: QtBot, widget: QWidget) -> None:
    qtbot.addWidget(widget)
    widget.show()
    widget.activateWindow()
    qtbot.waitUntil(widget.isActiveWindow)


def test_that_a_name_from_data_becomes_one_bounded_line_without_hidden_characters() -> None:
    name = safe(_HOSTILE)
    assert name.startswith('cat<img src="file:///etc/hostname">\\u202e\\x0a\\x00xxx')
    assert safe("x" * 500) == "x" * (LONGEST - 1) + "…"
    assert safe("naïve Größe 数") == "naïve Größe 数"


def test_that_long_tips_are_wrapped_and_keep_their_lines() -> None:
    assert wrapped("a " * 60 + "\nb").splitlines()[-1] == "b"
    assert max(map(len, wrapped("word " * 100).splitlines())) <= 64


def test_that_labels_never_read_markup(qtbot: QtBot) -> None:
    for widget in (Label("<b>bold</b>"), ElidedLabel("<b>bold</b>")):
        qtbot.addWidget(widget)
        assert widget.textFormat() == Qt.TextFormat.PlainText
        assert widget.text() == "<b>bold</b>"


def test_that_an_elided_label_tells_the_whole_text_in_its_tip_only_where_it_is_cut(qtbot: QtBot) -> None:
    label = ElidedLabel("a rather long name of a layer")
    _shown(qtbot, label)
    label.resize(400, 20)
    assert label.toolTip() == ""
    label.resize(60, 20)
    assert label.toolTip() == "a rather long name of a layer"


def test_that_arrow_keys_move_within_a_segmented_control(qtbot: QtBot) -> None:
    control = Segmented([("a", "lin"), ("b", "log"), ("c", "other")])
    _shown(qtbot, control)
    told: list[object] = []
    control.valueChanged.connect(told.append)
    first = control.findChildren(QAbstractButton)[0]
    first.setFocus()
    qtbot.keyClick(first, Qt.Key.Key_Right)
    assert control.value() == "b"
    assert told == ["b"]


def test_that_setting_a_value_is_silent(qtbot: QtBot) -> None:
    for widget in (Segmented([(1, "one"), (2, "two")]), Combo([(1, "one"), (2, "two")])):
        qtbot.addWidget(widget)
        with qtbot.assertNotEmitted(widget.valueChanged):
            widget.setValue(2)
        assert widget.value() == 2


def test_that_a_combo_keeps_what_it_does_not_know(qtbot: QtBot) -> None:
    combo = Combo([("a", "A")])
    qtbot.addWidget(combo)
    combo.setValue("gone")
    assert combo.value() == "gone"
    combo.set_options([("b", "B"), ("gone", "Gone")])
    assert combo.value() == "gone"


def test_that_a_slider_goes_where_it_is_pressed_and_by_keys(qtbot: QtBot) -> None:
    slider = Slider(0.0, 2.0, steps=200, name="strength")
    slider.resize(300, 28)
    _shown(qtbot, slider)
    told: list[float] = []
    slider.valueChanged.connect(told.append)
    track = slider._track
    qtbot.mouseClick(track, Qt.MouseButton.LeftButton, pos=QPoint(track.width() // 2, 14))
    assert slider.value() == pytest.approx(1.0, abs=0.02)
    track.setFocus()
    qtbot.keyClick(track, Qt.Key.Key_Right)
    assert told[-1] == pytest.approx(told[0] + 0.01)
    qtbot.keyClick(track, Qt.Key.Key_Home)
    assert slider.value() == 0.0


def test_that_a_slider_keeps_a_value_between_its_positions(qtbot: QtBot) -> None:
    slider = Slider(0.0, 1.0, steps=10)
    qtbot.addWidget(slider)
    with qtbot.assertNotEmitted(slider.valueChanged):
        slider.setValue(0.123)
    assert slider.value() == 0.123


def test_that_a_logarithmic_slider_has_its_geometric_mean_in_the_middle(qtbot: QtBot) -> None:
    slider = Slider(1e-4, 1.0, steps=100, log=True)
    qtbot.addWidget(slider)
    slider._track.setValue(50)
    assert slider.value() == pytest.approx(1e-2)


def test_that_the_steps_are_buttons_and_say_which_are_done(qtbot: QtBot) -> None:
    bar = StepBar(["Data", "Network", "Train"])
    _shown(qtbot, bar)
    told: list[int] = []
    bar.chosen.connect(told.append)
    bar.set_done(0, True)
    bar.set_enabled(2, False)
    data, network, train = bar.findChildren(QAbstractButton)
    assert data.accessibleName() == "Data, done"
    network.setFocus()
    qtbot.keyClick(network, Qt.Key.Key_Space)
    qtbot.mouseClick(train, Qt.MouseButton.LeftButton)
    assert told == [1]
    assert bar.current() == 1
    with qtbot.assertNotEmitted(bar.chosen):
        bar.set_current(0)


def test_that_a_message_shows_an_error_in_its_own_words_with_details_and_copy(qtbot: QtBot) -> None:
    message = InlineMessage()
    _shown(qtbot, message)
    message.show_error(InputError("cannot be read", where="a.csv", mend="Choose another file."))
    assert message.text() == "a.csv: cannot be read\nChoose another file."
    assert not _named(message, "Details").isVisible()
    two = InputError.of([Problem("is negative", "row 3"), Problem("is empty", "row 9")], "2 problems in a.csv")
    message.show_error(two)
    assert message.text() == "2 problems in a.csv\nrow 3: is negative\nrow 9: is empty"
    assert not _named(message, "Details").isVisible()
    many = InputError.of([Problem("is empty", f"row {row}") for row in range(1, 10)], "9 problems in a.csv")
    message.show_error(many)
    assert "row 5: is empty\nand 4 more" in message.text()
    _named(message, "Details").click()
    assert "row 9: is empty" in message._details.toPlainText()
    assert message._details.isVisible()
    _named(message, "Copy").click()
    assert "row 3: is empty" in QGuiApplication.clipboard().text()


def _named(within: QWidget, text: str) -> QPushButton:
    return next(button for button in within.findChildren(QPushButton) if button.text() == text)


def test_that_a_message_offers_its_action_and_goes_away_when_closed(qtbot: QtBot) -> None:
    message = InlineMessage("warning", "37 pairs", "No model can get both right.", action="Look at them", closable=True)
    _shown(qtbot, message)
    with qtbot.waitSignal(message.actionClicked):
        _named(message, "Look at them").click()
    with qtbot.waitSignal(message.closed):
        next(button for button in message.findChildren(QPushButton) if button.accessibleName() == "Close").click()
    assert message.isHidden()


def test_that_an_empty_panel_offers_the_button_that_fills_it(qtbot: QtBot) -> None:
    state = EmptyState("Curves will appear here", "They are drawn while a run trains.", button="Train")
    _shown(qtbot, state)
    with qtbot.waitSignal(state.clicked):
        qtbot.mouseClick(state.button, Qt.MouseButton.LeftButton)
    assert "Curves will appear here" in state.accessibleName()


def test_that_a_fold_opens_and_closes_by_its_line(qtbot: QtBot) -> None:
    content = Label("inside")
    fold = Fold("More", content)
    _shown(qtbot, fold)
    assert not content.isVisible()
    with qtbot.waitSignal(fold.toggled) as told:
        fold.findChildren(QPushButton)[0].click()
    assert told.args == [True]
    assert content.isVisible()
    assert fold.findChildren(QPushButton)[0].accessibleName() == "More, open"


def test_that_panels_hold_hostile_names_as_plain_text(qtbot: QtBot) -> None:
    panel, chip, pill = Panel("t", "n"), Chip(_HOSTILE), StatusPill(_HOSTILE)
    for widget in (panel, chip, pill):
        _shown(qtbot, widget)
    panel.set_title(_HOSTILE)
    panel.set_note(_HOSTILE)
    assert len(panel.note()) <= LONGEST + 20
    assert panel.note().startswith("cat<img src=")
    assert chip.sizeHint().width() <= 240
    assert pill.sizeHint().width() <= 280


def test_that_facts_are_shown_and_spoken_with_their_names(qtbot: QtBot) -> None:
    row, listed = FactsRow(["epoch", "step"]), FactsList()
    qtbot.addWidget(row)
    qtbot.addWidget(listed)
    row.set_value("epoch", "31 / 80")
    assert row._values["epoch"].accessibleName() == "epoch 31 / 80"
    listed.set_rows([("parameters", "18 496", "4.4 % of all")])
    listed.set_rows([("parameters", "12", "")])
    texts = [label.text() for label in listed.findChildren(Label) if not label.isHidden()]
    assert "12" in texts


def test_that_a_check_box_is_toggled_by_a_click_anywhere_on_its_words(qtbot: QtBot) -> None:
    box = CheckBox("keep the share of each class alike")
    _shown(qtbot, box)
    qtbot.mouseClick(box, Qt.MouseButton.LeftButton, pos=QPoint(box.width() - 5, box.height() // 2))
    assert box.isChecked()


def test_that_the_list_to_choose_from_narrows_as_one_types(qtbot: QtBot) -> None:
    anchor = Button("+ Layer")
    _shown(qtbot, anchor)
    popup = ChoicePopup("Type to find", anchor)
    told: list[str] = []
    popup.chosen.connect(told.append)
    choices = [
        Choice("conv2d", "convolution 2d", "Looks for patterns.", "Weights"),
        Choice("dense", "dense", "Every unit reads every input.", "Weights"),
        Choice("dropout", "dropout", "Lowers variance.", "Regularization"),
        Choice("off", "not now", "Cannot be taken.", "Regularization", enabled=False),
    ]
    popup.open_below(anchor, choices)
    assert popup.shown() == ["conv2d", "dense", "dropout"]
    qtbot.keyClicks(popup._line, "var")
    assert popup.shown() == ["dropout"]
    qtbot.keyClick(popup._line, Qt.Key.Key_Return)
    assert told == ["dropout"]
    assert not popup.isVisible()
    popup.open_below(anchor, choices)
    qtbot.keyClick(popup._line, Qt.Key.Key_Down)
    qtbot.keyClick(popup._line, Qt.Key.Key_Return)
    assert told == ["dropout", "dense"]
    popup.open_below(anchor, choices)
    qtbot.keyClicks(popup._line, "zzz")
    assert popup._nothing.isVisible()
    qtbot.keyClick(popup._line, Qt.Key.Key_Return)
    assert told == ["dropout", "dense"]
    popup.hide()


def test_that_the_bars_show_what_they_are_told(qtbot: QtBot) -> None:
    top, bottom = TopBar("Workbench", ["Data", "Network"]), BottomBar()
    for bar in (top, bottom):
        _shown(qtbot, bar)
    bottom.set_message("Undo: filters 32 → 64")
    assert not bottom.action.isVisible()
    bottom.set_action("Train F5")
    assert bottom.action.isVisible()
    assert bottom.action.sizeHint().width() > 60
    with qtbot.waitSignal(top.search.clicked):
        qtbot.keyClick(top.search, Qt.Key.Key_Return)


def test_that_all_targets_are_at_least_24_pixels_high(qtbot: QtBot) -> None:
    widgets: list[QWidget] = [
        Button("x"), Button("x", "primary"), Button("x", "quiet"), Button("x", "link"), CheckBox("x"),
        Combo([(1, "x")]), Segmented([(1, "x")]), Slider(), SearchField(), Button("", icon_name="plus", tip="Add"),
    ]  # fmt: skip
    for widget in widgets:
        _shown(qtbot, widget)
        widget.adjustSize()
        assert widget.height() >= 24, type(widget).__name__
        assert widget.width() >= 24, type(widget).__name__
