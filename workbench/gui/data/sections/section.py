"""A part of the panel at the right of the data page: a heading, and what belongs under it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QVBoxLayout, QWidget

from workbench.errors import Problem
from workbench.gui.data_desk import DataState
from workbench.gui.widgets.labels import Label
from workbench.gui.widgets.panel import heading


class Section(QWidget):
    """Shows part of what is known of the data and edits it; says what is wrong with it where it stands.

    Attributes:
        paths: beginnings of recipe paths that are edited here.
    """

    paths: tuple[str, ...] = ()

    def __init__(self, title: str = "", note: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.setSpacing(8)
        if title:
            shown = QCoreApplication.translate("sections", title)
            self._heading = heading(shown, QCoreApplication.translate("sections", note))
            self.column.addWidget(self._heading)
            self.setAccessibleName(shown)
        self._problem = Label("", "error", wrap=True)
        self._problem.hide()

    def finish(self) -> None:
        """To be called when everything is in place: what is wrong is said below it."""
        self.column.addWidget(self._problem)

    def set_title(self, title: str) -> None:
        """Call it otherwise."""
        label = self._heading.findChild(Label)
        assert isinstance(label, Label)
        label.setText(title)
        self.setAccessibleName(title)

    def show_state(self, state: DataState | None) -> None:
        """Show imported data, or that there are none."""

    def show_problems(self, problems: Sequence[Problem]) -> None:
        """Say what of the data's problems arose here."""
        own = [one for one in problems if any(one.where.startswith(path) for path in self.paths)]
        texts = [f"{one.what[:1].upper()}{one.what[1:]}. {one.mend}".strip() for one in own]
        self._problem.setText("\n".join(texts))
        self._problem.setVisible(bool(texts))
