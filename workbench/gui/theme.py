"""The window's colors and typeface, and the switch between light and dark.

Everything that paints itself asks ``tokens()`` when it paints. Widgets are repainted by Qt when the theme changes; what
caches colors outside of a paint event (scenes, plots) listens to ``theme().changed``.
"""

from __future__ import annotations

from functools import cache
from typing import Literal

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QPalette
from PySide6.QtWidgets import QApplication

from workbench.gui.style import stylesheet
from workbench.gui.tokens import DARK, LIGHT, Tokens
from workbench.store.bundled import resources

Mode = Literal["light", "dark", "system"]
FAMILY = "Workbench Inter"

TEXT, NOTE, HEAD, SMALL = 13, 12, 14, 11
"""Sizes in pixels: text, notes, panel heads, tick labels."""


class Theme(QObject):
    """The application's one theme.

    Signals:
        changed: the tokens are others now; the palette and the style sheet have been set.
    """

    changed = Signal()

    def __init__(self, app: QApplication) -> None:
        super().__init__(app)
        self._app = app
        self._mode: Mode = "system"
        self._tokens = LIGHT
        self._applied = False
        app.setStyle("Fusion")
        app.setFont(font())
        app.styleHints().colorSchemeChanged.connect(self._on_system_change)
        self.set_mode("system")

    @property
    def mode(self) -> Mode:
        """What was asked for; ``system`` follows the desktop."""
        return self._mode

    @property
    def tokens(self) -> Tokens:
        """The colors in force."""
        return self._tokens

    def set_mode(self, mode: Mode) -> None:
        """Switch to light or dark, or follow the desktop."""
        self._mode = mode
        self._apply(DARK if self._wants_dark() else LIGHT)

    def _wants_dark(self) -> bool:
        if self._mode == "system":
            return self._app.styleHints().colorScheme() == Qt.ColorScheme.Dark
        return self._mode == "dark"

    def _on_system_change(self) -> None:
        if self._mode == "system":
            self.set_mode("system")

    def _apply(self, tokens: Tokens) -> None:
        if self._applied and tokens == self._tokens:
            return
        self._applied, self._tokens = True, tokens
        self._app.setPalette(palette(tokens))
        self._app.setStyleSheet(stylesheet(tokens))
        self.changed.emit()


_theme: Theme | None = None


def theme() -> Theme:
    """The theme of the running application, made at the first call."""
    global _theme
    app = QApplication.instance()
    if not isinstance(app, QApplication):
        raise RuntimeError("there is no application yet")
    if _theme is None or _theme.parent() is not app:
        _theme = Theme(app)
    return _theme


def tokens() -> Tokens:
    """The colors in force."""
    return theme().tokens


def color(value: str, opacity: float = 1.0) -> QColor:
    """A token as a color."""
    result = QColor(value)
    result.setAlphaF(opacity)
    return result


@cache
def _load_family() -> str:
    """Register the bundled fonts once; the system's sans serif where they cannot be read."""
    for file in sorted((resources() / "fonts").glob("*.otf")):
        QFontDatabase.addApplicationFont(str(file))
    return FAMILY if FAMILY in QFontDatabase.families() else QFont().family()


def font(size: int = TEXT, weight: QFont.Weight = QFont.Weight.Normal) -> QFont:
    """The window's typeface; its figures are tabular."""
    result = QFont(_load_family())
    result.setPixelSize(size)
    result.setWeight(weight)
    result.setStyleStrategy(QFont.StyleStrategy.PreferAntialias)
    # Letter widths must not depend on the scale, or columns that fit at one scale are cut off at another.
    result.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
    return result


def palette(tokens: Tokens) -> QPalette:
    """The tokens as Qt's roles, for what no style sheet reaches."""
    result = QPalette()
    role = QPalette.ColorRole
    for group, text, muted in (
        (QPalette.ColorGroup.Active, tokens.text, tokens.muted),
        (QPalette.ColorGroup.Inactive, tokens.text, tokens.muted),
        (QPalette.ColorGroup.Disabled, tokens.faint, tokens.faint),
    ):
        colors = {
            role.Window: tokens.window, role.WindowText: text,
            role.Base: tokens.panel, role.AlternateBase: tokens.soft, role.Text: text,
            role.Button: tokens.panel, role.ButtonText: text, role.BrightText: tokens.on_accent,
            role.Highlight: tokens.accent_soft, role.HighlightedText: text,
            role.Link: tokens.accent, role.LinkVisited: tokens.accent, role.Accent: tokens.accent,
            role.PlaceholderText: muted, role.ToolTipBase: tokens.panel, role.ToolTipText: text,
            role.Light: tokens.panel, role.Midlight: tokens.soft, role.Mid: tokens.line,
            role.Dark: tokens.line, role.Shadow: tokens.line,
        }  # fmt: skip
        for name, value in colors.items():
            result.setColor(group, name, QColor(value))
    return result
