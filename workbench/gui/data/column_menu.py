"""What can be done to a column, as a menu."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu

from workbench.gui.data.editor import DataEditor
from workbench.gui.data.roles import PICTURE_ROLES, TABLE_ROLES, Role
from workbench.gui.models.columns_model import ColumnFacts
from workbench.recipe.data import ColumnType

_ROLES: dict[Role, str] = {
    "feature": "Learn from it",
    "target": "Predict it",
    "left out": "Leave it out",
    "group": "Keep equal values in one set (a patient, a device)",
    "weight": "It holds the strength of each example",
    "not used": "Do not use it",
}
_ALONE = "Predict it alone"
_TOGETHER = "Predict it too: an example may have several labels"
_TYPES: dict[ColumnType, str] = {"number": "Number", "category": "Category: each value by itself"}
_STRENGTHS = (0.0, 0.25, 0.5, 0.75, 1.0)


def fill_role_menu(menu: QMenu, facts: ColumnFacts, editor: DataEditor, *, pictures: bool) -> None:
    """Offer the roles; the last target is replaced by choosing another one, never taken away."""
    several = len(editor.targets) > 1
    for role in PICTURE_ROLES if pictures else TABLE_ROLES:
        alone = several and role == "target"
        text, taken = (_ALONE, False) if alone else (_ROLES[role], role == facts.role)
        action = _choice(menu, _tr(text), taken, partial(editor.set_role, facts.name, role))
        if role == "target":
            _offer_together(menu, facts, editor, several)
        if facts.role == "target" and role != "target" and not several:
            action.setEnabled(False)
            action.setToolTip(_tr("Choose another column to predict first."))
        elif role == "weight" and facts.type != "number":
            action.setEnabled(False)
            action.setToolTip(_tr("Strengths are numbers."))


def _offer_together(menu: QMenu, facts: ColumnFacts, editor: DataEditor, several: bool) -> None:
    """Labels, of which an example may have several."""
    if several and facts.role == "target":
        _choice(menu, _tr(_TOGETHER), True, lambda: None)
    elif editor.fits_targets(facts.name):
        _choice(menu, _tr(_TOGETHER), False, partial(editor.add_target, facts.name))


def fill_type_menu(menu: QMenu, facts: ColumnFacts, editor: DataEditor, *, pictures: bool) -> None:
    """Offer the two types."""
    for kind, text in _TYPES.items():
        _choice(menu, _tr(text), kind == facts.type, partial(editor.set_type, facts.name, kind))


def fill_column_menu(menu: QMenu, facts: ColumnFacts, editor: DataEditor, *, pictures: bool) -> None:
    """Offer everything."""
    fill_role_menu(menu, facts, editor, pictures=pictures)
    menu.addSeparator()
    fill_type_menu(menu, facts, editor, pictures=pictures)
    if facts.strength is None:
        return
    menu.addSeparator()
    part = menu.addMenu(_tr("Strength"))
    for strength in _STRENGTHS:
        text = f"{strength:.2f}" + (_tr("  leaves it out") if not strength else "")
        _choice(part, text, strength == facts.strength, partial(editor.set_strength, facts.name, strength))


def _choice(menu: QMenu, text: str, taken: bool, do: Callable[[], object]) -> QAction:
    action = menu.addAction(text)
    action.setCheckable(True)
    action.setChecked(taken)
    action.triggered.connect(lambda: do())
    return action


def _tr(text: str) -> str:
    return QCoreApplication.translate("columns", text)
