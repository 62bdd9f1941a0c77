"""The style sheet, made from the tokens.

A control's look is chosen by the property ``look`` (see ``widgets``): a sheet that goes by class names would tie the
looks to where a widget happens to be defined.
"""

from __future__ import annotations

from workbench.gui.tokens import Tokens


def stylesheet(tokens: Tokens) -> str:
    """Qt style sheet of a theme."""
    return "\n".join(part(tokens) for part in (_surfaces, _labels, _buttons, _fields, _lists, _small_parts))


def _surfaces(t: Tokens) -> str:
    return f"""
    QMainWindow, QDialog, QWidget[look="window"] {{ background: {t.window}; }}
    QFrame[look="panel"] {{ background: {t.panel}; border: 1px solid {t.line}; border-radius: 8px; }}
    QFrame[look="card"] {{ background: {t.panel}; border: 1px solid {t.line}; border-radius: 8px; }}
    QFrame[look="bar-top"] {{ background: {t.panel}; border: none; border-bottom: 1px solid {t.line}; }}
    QFrame[look="bar-bottom"] {{ background: {t.panel}; border: none; border-top: 1px solid {t.line}; }}
    QFrame[look="foot"] {{ background: transparent; border: none; border-top: 1px solid {t.line}; }}
    QFrame[look="line"] {{ background: {t.line}; border: none; }}
    QScrollArea, QScrollArea > QWidget > QWidget[look="clear"] {{ background: transparent; border: none; }}
    QGraphicsView {{ background: transparent; border: none; }}
    QToolTip {{ background: {t.panel}; color: {t.text}; border: 1px solid {t.line}; padding: 6px 8px; }}
    QSplitter::handle {{ background: transparent; }}
    QSplitter::handle:horizontal:hover {{ background: {t.line}; margin: 0 3px; border-radius: 1px; }}
    QSplitter::handle:vertical:hover {{ background: {t.line}; margin: 3px 0; border-radius: 1px; }}
    """


def _labels(t: Tokens) -> str:
    return f"""
    QLabel {{ background: transparent; border: none; }}
    QLabel:disabled {{ color: {t.faint}; }}
    QLabel[look="page"] {{ font-size: 26px; font-weight: 700; }}
    QLabel[look="verdict"] {{ font-size: 18px; font-weight: 600; }}
    QLabel[look="title"] {{ font-size: 14px; font-weight: 600; }}
    QLabel[look="strong"] {{ font-weight: 600; }}
    QLabel[look="muted"] {{ color: {t.muted}; }}
    QLabel[look="note"] {{ color: {t.muted}; font-size: 12px; }}
    QLabel[look="error"] {{ color: {t.warning_text}; font-size: 12px; }}
    QLabel[look="good"] {{ color: {t.good_text}; }}
    QLabel[look="effect"] {{ color: {t.muted}; font-size: 12px; font-weight: 600; }}
    QLabel[look="effect-good"] {{ color: {t.good_text}; font-size: 12px; font-weight: 600; }}
    QLabel[look="effect-warning"] {{ color: {t.warning_text}; font-size: 12px; font-weight: 600; }}
    """


def _buttons(t: Tokens) -> str:
    return f"""
    QPushButton {{
        background: {t.panel}; color: {t.text}; border: 1px solid {t.line}; border-radius: 6px;
        min-height: 26px; max-height: 26px; padding: 0 11px; font-weight: 500; text-align: center;
    }}
    QPushButton:hover {{ background: {t.hover}; border-color: {t.faint}; }}
    QPushButton:pressed, QPushButton:checked {{ background: {t.soft}; }}
    QPushButton:focus {{ border: 2px solid {t.accent}; padding: 0 10px; min-height: 24px; max-height: 24px; }}
    QPushButton:disabled {{ color: {t.faint}; background: {t.panel}; border-color: {t.row_line}; }}
    QPushButton::menu-indicator {{ image: none; width: 0; }}
    QPushButton[look="primary"] {{
        background: {t.accent}; border-color: {t.accent}; color: {t.on_accent}; font-weight: 600;
    }}
    QPushButton[look="primary"]:hover {{ background: {t.accent_hover}; border-color: {t.accent_hover}; }}
    QPushButton[look="primary"]:pressed {{ background: {t.accent}; }}
    QPushButton[look="primary"]:focus {{ border: 2px solid {t.text}; }}
    QPushButton[look="primary"]:disabled {{ background: {t.soft}; border-color: {t.soft}; color: {t.faint}; }}
    QPushButton[look="quiet"], QPushButton[look="link"] {{ background: transparent; border-color: transparent; }}
    QPushButton[look="quiet"] {{ padding: 0 7px; color: {t.muted}; }}
    QPushButton[look="quiet"]:hover {{ background: {t.soft}; color: {t.text}; }}
    QPushButton[look="quiet"]:focus {{ border: 2px solid {t.accent}; padding: 0 6px; }}
    QPushButton[look="quiet"]:disabled {{ background: transparent; color: {t.faint}; }}
    QPushButton[look="menu"] {{
        background: transparent; border-color: transparent; padding: 0 7px; font-size: 14px; font-weight: 600;
    }}
    QPushButton[look="menu"]:hover, QPushButton[look="menu"]:pressed {{ background: {t.soft}; }}
    QPushButton[look="menu"]:focus {{ border: 2px solid {t.accent}; padding: 0 6px; }}
    QPushButton[look="link"] {{ color: {t.accent}; padding: 0 1px; font-weight: 400; }}
    QPushButton[look="link"]:hover {{ color: {t.accent_hover}; text-decoration: underline; }}
    QPushButton[look="link"]:disabled {{ background: transparent; color: {t.faint}; }}
    QPushButton[look="link"]:focus {{ border: 2px solid {t.accent}; padding: 0; }}
    """


def _fields(t: Tokens) -> str:
    return f"""
    QLineEdit, QComboBox, QPlainTextEdit, QTextEdit {{
        background: {t.panel}; color: {t.text}; border: 1px solid {t.line}; border-radius: 6px;
        selection-background-color: {t.accent}; selection-color: {t.on_accent};
    }}
    QLineEdit {{ min-height: 26px; max-height: 26px; padding: 0 8px; }}
    QComboBox {{ min-height: 26px; max-height: 26px; padding: 0 10px; }}
    QLineEdit:hover, QComboBox:hover {{ border-color: {t.faint}; }}
    QLineEdit:focus, QComboBox:focus, QPlainTextEdit:focus, QTextEdit:focus {{
        border: 2px solid {t.accent};
    }}
    QLineEdit:focus {{ min-height: 24px; max-height: 24px; padding: 0 7px; }}
    QComboBox:focus {{ min-height: 24px; max-height: 24px; padding: 0 9px; }}
    QLineEdit[wrong="true"], QComboBox[wrong="true"] {{ border-color: {t.warning}; }}
    QLineEdit:disabled, QComboBox:disabled {{ color: {t.faint}; background: {t.hover}; border-color: {t.row_line}; }}
    QLineEdit[look="cell"] {{ min-height: 22px; max-height: 22px; border-radius: 4px; padding: 0 4px; }}
    QComboBox::drop-down {{ border: none; width: 24px; }}
    QComboBox::down-arrow {{ image: none; }}
    QComboBox QAbstractItemView {{
        background: {t.panel}; color: {t.text}; border: 1px solid {t.line}; padding: 4px; outline: none;
        selection-background-color: {t.accent_soft}; selection-color: {t.text};
    }}
    QComboBox QAbstractItemView::item {{ min-height: 28px; padding: 0 8px; border-radius: 4px; }}
    QComboBox QAbstractItemView::item:selected {{ background: {t.accent_soft}; color: {t.text}; }}
    """


def _lists(t: Tokens) -> str:
    return f"""
    QAbstractItemView {{ background: transparent; border: none; outline: none; alternate-background-color: {t.hover}; }}
    QListView::item {{ min-height: 28px; padding: 0 8px; border-radius: 4px; }}
    QListView::item:hover {{ background: {t.hover}; }}
    QListView::item:selected {{ background: {t.accent_soft}; color: {t.text}; }}
    QHeaderView {{ background: transparent; border: none; }}
    QHeaderView::section {{
        background: {t.panel}; color: {t.muted}; border: none; border-bottom: 1px solid {t.line};
        padding: 0 10px; font-size: 12px; font-weight: 500;
    }}
    QHeaderView[look="tight"]::section {{ padding: 0 4px; }}
    QHeaderView[look="tight"]::section:first {{ padding-left: 10px; }}
    QTableCornerButton::section {{ background: {t.panel}; border: none; }}
    QMenu {{ background: {t.panel}; color: {t.text}; border: 1px solid {t.line}; padding: 4px; }}
    QMenu::item {{ padding: 5px 28px 5px 12px; border-radius: 4px; min-height: 18px; }}
    QMenu::item:selected {{ background: {t.accent_soft}; color: {t.text}; }}
    QMenu::item:disabled {{ color: {t.faint}; }}
    QMenu::separator {{ height: 1px; background: {t.row_line}; margin: 4px 8px; }}
    QMenu::icon {{ padding-left: 8px; }}
    QMenuBar {{ background: {t.panel}; border: none; }}
    QMenuBar::item {{ padding: 5px 8px; background: transparent; border-radius: 4px; }}
    QMenuBar::item:selected {{ background: {t.soft}; }}
    """


def _small_parts(t: Tokens) -> str:
    return f"""
    QScrollBar:vertical {{ background: transparent; width: 10px; margin: 2px; border: none; }}
    QScrollBar:horizontal {{ background: transparent; height: 10px; margin: 2px; border: none; }}
    QScrollBar::handle {{ background: {t.line}; border-radius: 3px; }}
    QScrollBar::handle:vertical {{ min-height: 32px; }}
    QScrollBar::handle:horizontal {{ min-width: 32px; }}
    QScrollBar::handle:hover {{ background: {t.faint}; }}
    QScrollBar::add-line, QScrollBar::sub-line, QScrollBar::add-page, QScrollBar::sub-page {{
        background: transparent; border: none; width: 0; height: 0;
    }}
    QAbstractScrollArea::corner {{ background: transparent; border: none; }}
    QProgressBar {{ background: {t.soft}; border: none; border-radius: 2px; max-height: 8px; min-height: 8px; }}
    QProgressBar::chunk {{ background: {t.accent}; border-radius: 2px; }}
    """
