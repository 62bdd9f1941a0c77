"""The window's own words: glossary, shortcuts, about."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtWidgets import QDialog, QGridLayout, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from workbench.diagnosis.glossary import GLOSSARY, Term
from workbench.gui.actions import DEEDS
from workbench.gui.widgets.buttons import Button
from workbench.gui.widgets.labels import Label
from workbench.gui.widgets.panel import Scroll

_NAME = "help"
_PLOT_KEYS = (
    ("L", "logarithmic axis"),
    ("R", "the whole curve again"),
    ("X", "crosshair"),
    ("Space", "pause the run, with a plot in focus"),
)


def _tr(text: str) -> str:
    return QCoreApplication.translate("help", text)


def open_help(window: QWidget, topic: str) -> QDialog:
    """Show a topic: ``glossary``, ``term NAME``, ``shortcuts`` or ``about``. The window stays usable."""
    if topic == "shortcuts":
        dialog = _dialog(window, _tr("Keyboard shortcuts"), _shortcuts())
    elif topic == "about":
        dialog = _dialog(window, _tr("About Workbench"), _about())
    else:
        dialog = _dialog(window, _tr("Terms"), Glossary(topic.removeprefix("term").removeprefix("glossary").strip()))
    dialog.show()
    dialog.raise_()
    dialog.activateWindow()
    return dialog


def _dialog(window: QWidget, title: str, content: QWidget) -> QDialog:
    # One at a time: what is asked for next takes the place of what was shown.
    for open_one in window.findChildren(QDialog, _NAME):
        open_one.close()
    dialog = QDialog(window)
    dialog.setObjectName(_NAME)
    dialog.setWindowTitle(title)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.resize(560, 520)
    column = QVBoxLayout(dialog)
    column.setContentsMargins(16, 16, 16, 16)
    column.setSpacing(12)
    column.addWidget(content)
    foot = QHBoxLayout()
    foot.addStretch(1)
    foot.addWidget(Button(_tr("Close"), clicked=dialog.close))
    column.addLayout(foot)
    content.setFocus()
    return dialog


class Glossary(QWidget):
    """Terms to search, each with its definition and where the program does otherwise than the lecture."""

    def __init__(self, wanted: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        self.search = QLineEdit(wanted)
        self.search.setPlaceholderText(_tr("Search terms"))
        self.search.setAccessibleName(_tr("Search terms"))
        self.search.setClearButtonEnabled(True)
        column.addWidget(self.search)
        content = QWidget()
        rows = QVBoxLayout(content)
        rows.setContentsMargins(0, 0, 8, 0)
        rows.setSpacing(16)
        self._entries = [(term, _entry(term)) for term in GLOSSARY.values()]
        for _, entry in self._entries:
            rows.addWidget(entry)
        rows.addStretch(1)
        column.addWidget(Scroll(content), 1)
        self.search.textChanged.connect(self._filter)
        self.setFocusProxy(self.search)
        self._filter()

    def shown(self) -> list[str]:
        """The terms that are shown."""
        return [term.name for term, entry in self._entries if not entry.isHidden()]

    def _filter(self) -> None:
        words = self.search.text().lower().split()
        exact = [term for term, _ in self._entries if term.name.lower() == self.search.text().lower()]
        for term, entry in self._entries:
            text = f"{term.name} {term.text}".lower()
            entry.setVisible(term in exact if exact else all(word in text for word in words))


def _entry(term: Term) -> QWidget:
    holder = QWidget()
    column = QVBoxLayout(holder)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(4)
    column.addWidget(Label(term.name, "title"))
    column.addWidget(Label(term.text, wrap=True))
    if term.ours:
        column.addWidget(Label(term.ours, "note", wrap=True))
    return holder


def _shortcuts() -> QWidget:
    rows = [(", ".join(deed.keys), deed.text) for deed in DEEDS if deed.keys]
    return Scroll(_grid([*rows, *_PLOT_KEYS]))


def _grid(rows: Sequence[tuple[str, str]]) -> QWidget:
    holder = QWidget()
    grid = QGridLayout(holder)
    grid.setContentsMargins(0, 0, 0, 0)
    grid.setHorizontalSpacing(24)
    grid.setVerticalSpacing(8)
    grid.setColumnStretch(1, 1)
    for number, (keys, text) in enumerate(rows):
        grid.addWidget(Label(keys, "strong"), number, 0)
        grid.addWidget(Label(_tr(text)), number, 1)
    grid.setRowStretch(len(rows), 1)
    return holder


def _about() -> QWidget:
    try:
        number = version("workbench")
    except PackageNotFoundError:
        number = ""
    holder = QWidget()
    column = QVBoxLayout(holder)
    column.setSpacing(8)
    head = QHBoxLayout()
    head.addWidget(Label(f"Workbench {number}", "verdict"))
    column.addLayout(head)
    for text in (
        _tr("Trains neural networks, and says what holds them back and which single knob to turn next."),
        _tr(
            "The method is that of Adrian Horzyk’s lecture “Performance Improvement and Hyperparameter Optimization of "
            "Deep Neural Networks” (AGH University of Krakow)."
        ),
        _tr("MIT license. The typeface is Inter (SIL Open Font License)."),
    ):
        column.addWidget(Label(text, wrap=True))
    column.addStretch(1)
    return holder
