"""Where the diagnosis cannot tell yet: what would settle it, and a field to give the human level right there."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from workbench.diagnosis.diagnose import Diagnosis
from workbench.errors import RecipeError
from workbench.gui.diagnose.words import told
from workbench.gui.forms.number import NumberEditor
from workbench.gui.widgets.buttons import Button
from workbench.gui.widgets.labels import Label
from workbench.recipe.fields import facts
from workbench.recipe.recipe import Recipe
from workbench.recipe.training import Goals


class SettleBox(QWidget):
    """Sentences of what would settle the verdict; where the human level is not known, a field for it.

    Args:
        asking: whether it has the field; not where there is one nearby anyway.

    Signals:
        goalsGiven: ``Goals`` with the human level that was typed.
    """

    goalsGiven = Signal(object)

    def __init__(self, *, asking: bool = True, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._goals, self._asking = Goals(), asking
        self._diagnosis: Diagnosis | None = None
        self._title = Label(self.tr("What would settle it"), "strong")
        self._texts = Label("", "note", wrap=True)
        known = facts(Goals)
        self.human = NumberEditor(known["human_error"], whole=False)
        self.human.name(known["human_error"], self.tr("human error"))
        self.human.setToolTip(known["human_error"].help)
        self._wrong = Label("", "error", wrap=True)
        self._wrong.hide()
        self._label = Label(self.tr("human error"))
        self._label.setBuddy(self.human)
        self.button = Button(self.tr("Use"), clicked=self._give, tip=self.tr("Diagnose again; nothing is trained anew"))
        self._field = QWidget()
        self._lay_out()
        self.human.valueChanged.connect(lambda *_: self._say(""))
        self.human.refused.connect(self._say)
        self.human.line.returnPressed.connect(self._give)

    def _lay_out(self) -> None:
        grid = QGridLayout(self._field)
        grid.setContentsMargins(0, 4, 0, 0)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(2)
        grid.addWidget(self._label, 0, 0)
        grid.addWidget(self.human, 0, 1)
        grid.addWidget(self.button, 0, 2)
        grid.addWidget(self._wrong, 1, 0, 1, 3)
        grid.setColumnStretch(1, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        for widget in (self._title, self._texts, self._field):
            column.addWidget(widget)

    def show_diagnosis(self, diagnosis: Diagnosis, goals: Goals) -> bool:
        """Show what would settle a diagnosis; whether there is anything to show."""
        other, self._goals, self._diagnosis = diagnosis is not self._diagnosis, goals, diagnosis
        texts = [told(one.text) for one in diagnosis.settle]
        self._texts.setText("\n".join(texts))
        asked = self._asking and bool(texts) and goals.human_error is None
        self._field.setVisible(asked)
        if asked and other and not self.human.line.hasFocus():
            self.human.setValue(None)
            self._say("")
        return bool(texts)

    def _say(self, text: str) -> None:
        self._wrong.setText(text[:1].upper() + text[1:])
        self._wrong.setVisible(bool(text))
        self.human.set_wrong(bool(text))

    def _give(self) -> None:
        value = self.human.value()
        if value is None:
            self._say(self._wrong.text() or self.tr("type the error of the best team of people, as 0.7"))
            return
        try:
            goals = Recipe().replace({"goals": self._goals}).replace("goals.human_error", value).goals
        except RecipeError as error:
            self._say(error.problems[0].what)
            return
        self.goalsGiven.emit(goals)
