"""Colors, typeface and the switch of theme."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPalette
from PySide6.QtWidgets import QApplication, QLabel, QWidget
from pytestqt.qtbot import QtBot
from shots import grab

from workbench.gui.icons import NAMES, icon
from workbench.gui.style import stylesheet
from workbench.gui.theme import FAMILY, font, theme, tokens
from workbench.gui.tokens import DARK, LIGHT, Tokens
from workbench.gui.widgets.buttons import Button
from workbench.store.bundled import resources

_THEMES = pytest.mark.parametrize("t", [LIGHT, DARK], ids=["light", "dark"])


def _luminance(value: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    parts = [int(value[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@_THEMES
def test_that_text_can_be_read_on_every_ground_it_stands_on(t: Tokens) -> None:
    for ink, grounds in {
        t.text: (t.panel, t.window, t.soft, t.accent_soft, t.warning_soft, t.good_soft, t.hover),
        t.muted: (t.panel, t.window, t.soft, t.accent_soft),
        t.accent: (t.panel, t.accent_soft),
        t.warning_text: (t.panel, t.warning_soft, t.accent_soft),
        t.good_text: (t.panel, t.good_soft),
        t.on_accent: (t.accent, t.accent_hover),
    }.items():
        for ground in grounds:
            assert _contrast(ink, ground) >= 4.5, (ink, ground)


@_THEMES
def test_that_shapes_stand_out_from_the_panel(t: Tokens) -> None:
    for ink in (t.accent, t.warning, t.good, t.purple, t.orange, t.grey):
        assert _contrast(ink, t.panel) >= 3.0, ink


@_THEMES
def test_that_the_style_sheet_holds_no_color_of_the_other_theme(t: Tokens) -> None:
    other = DARK if t is LIGHT else LIGHT
    sheet = stylesheet(t)
    foreign = set(vars(other).values()) - set(vars(t).values())
    assert not [value for value in foreign if isinstance(value, str) and value in sheet]


def test_that_the_bundled_typeface_is_used_and_its_figures_are_tabular(qtbot: QtBot) -> None:
    assert font().family() == FAMILY
    for weight in (QFont.Weight.Normal, QFont.Weight.Medium, QFont.Weight.DemiBold, QFont.Weight.Bold):
        metrics = QFontMetrics(font(40, weight))
        assert len({metrics.horizontalAdvance(digit) for digit in "0123456789"}) == 1
    weights = (QFont.Weight.Normal, QFont.Weight.Medium, QFont.Weight.DemiBold, QFont.Weight.Bold)
    widths = [QFontMetrics(font(40, weight)).horizontalAdvance("Workbench") for weight in weights]
    assert widths == sorted(set(widths)), "each weight is a face of its own"


@pytest.mark.parametrize("sign", list("×–—·…’“”→↓▲■●✓≥≤±²√∑αβλρσμ−½ŁЖ"))
def test_that_the_typeface_has_the_signs_that_texts_use(qtbot: QtBot, sign: str) -> None:
    assert QFontMetrics(font()).inFontUcs4(ord(sign))


def test_that_the_typeface_comes_with_its_license() -> None:
    text = (resources() / "fonts" / "OFL.txt").read_text()
    assert "SIL OPEN FONT LICENSE Version 1.1" in text


def test_that_switching_the_theme_tells_everyone_and_changes_palette_and_sheet(qtbot: QtBot) -> None:
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    with qtbot.waitSignal(theme().changed):
        theme().set_mode("dark")
    assert tokens() is DARK
    assert app.palette().color(QPalette.ColorRole.Window) == QColor(DARK.window)
    assert DARK.panel in app.styleSheet()
    with qtbot.assertNotEmitted(theme().changed):
        theme().set_mode("dark")


def test_that_following_the_system_gives_one_of_the_two_themes(qtbot: QtBot) -> None:
    theme().set_mode("system")
    assert theme().mode == "system"
    assert tokens() in (LIGHT, DARK)


def test_that_widgets_take_the_new_theme_without_being_made_anew(qtbot: QtBot) -> None:
    window = QWidget()
    window.setProperty("look", "window")
    label = QLabel("words", window)
    label.move(10, 10)
    qtbot.addWidget(window)
    light, dark = (grab(window, (80, 40), mode) for mode in ("light", "dark"))
    assert light.pixelColor(70, 35) == QColor(LIGHT.window)
    assert dark.pixelColor(70, 35) == QColor(DARK.window)


@pytest.mark.parametrize("name", NAMES)
def test_that_every_icon_draws_something_in_the_color_of_the_theme(qtbot: QtBot, name: str) -> None:
    if name == "blank":
        return
    pictures = []
    for mode in ("light", "dark"):
        theme().set_mode(mode)  # type: ignore[arg-type]
        picture = icon(name).pixmap(32, 32).toImage()
        pictures.append(picture)
        inks = {
            picture.pixelColor(x, y).name()
            for x in range(32)
            for y in range(32)
            if picture.pixelColor(x, y).alpha() == 255
        }
        assert tokens().text.lower() in inks
    assert pictures[0] != pictures[1]


def test_that_a_disabled_icon_is_faint(qtbot: QtBot) -> None:
    button = Button("", icon_name="plus", tip="Add")
    qtbot.addWidget(button)
    enabled = button.icon().pixmap(32, 32, button.icon().Mode.Normal).toImage()
    disabled = button.icon().pixmap(32, 32, button.icon().Mode.Disabled).toImage()
    assert enabled != disabled
