"""The report's colors by what they are for, on screen in light and dark, on paper in light; and the heat scale."""

from __future__ import annotations

from collections.abc import Callable, Mapping

Palette = Callable[[str], str]
"""From a color's name (or ``#rrggbb``, as it is) to what stands in the drawing."""

LIGHT: Mapping[str, str] = {
    "window": "#F3F5F7",
    "panel": "#FFFFFF",
    "line": "#E0E4E9",
    "row_line": "#EDF0F3",
    "text": "#1B1F24",
    "muted": "#5B6470",
    "soft": "#EEF1F4",
    "accent": "#0072B2",
    "accent_soft": "#E5F1F8",
    "warning": "#D55E00",
    "warning_soft": "#FBEBDF",
    "warning_text": "#A84A00",
    "good": "#009E73",
    "good_soft": "#E0F3ED",
    "good_text": "#00795A",
    "purple": "#B8558A",
    "grey": "#8A93A0",
}
DARK: Mapping[str, str] = {
    "window": "#141619",
    "panel": "#1E1F22",
    "line": "#30343A",
    "row_line": "#282B30",
    "text": "#E7E9EC",
    "muted": "#9BA4AF",
    "soft": "#282B30",
    "accent": "#4FA8DC",
    "accent_soft": "#16303F",
    "warning": "#F08A3C",
    "warning_soft": "#3A2413",
    "warning_text": "#F3A266",
    "good": "#35C29A",
    "good_soft": "#14332A",
    "good_text": "#35C29A",
    "purple": "#DB8FBA",
    "grey": "#858E99",
}


def on_screen(name: str) -> str:
    """A variable of the style sheet, which has a value for each theme."""
    return name if name.startswith("#") else f"var(--{name.replace('_', '-')})"


def on_paper(name: str) -> str:
    """The light theme's color."""
    return name if name.startswith("#") else LIGHT[name]


def variables(theme: Mapping[str, str]) -> str:
    """A theme as declarations of a style sheet."""
    return " ".join(f"--{name.replace('_', '-')}: {color};" for name, color in theme.items())


# Cividis (Nuñez, Anderton, Renslow, PLOS ONE 13, 2018) at 33 even steps; between them it is all but straight.
_CIVIDIS = (
    "00224E 00285B 002E6A 053371 1A386F 273E6E 32436D 3B496C 434E6C 4B546C 535A6D "
    "5A5F6E 61656F 686A71 6F7073 767676 7D7C78 848279 8C8878 938E78 9B9476 A39A74 "
    "ABA072 B4A76F BCAE6C C4B468 CDBB63 D5C25E DEC958 E7D150 F0D846 F9E03A FEE838 "
)
_STEPS = tuple(tuple(bytes.fromhex(step)) for step in _CIVIDIS.split())


def cividis(share: float) -> str:
    """The color of a share from 0 (dark blue) to 1 (yellow)."""
    place = min(1.0, max(0.0, share)) * (len(_STEPS) - 1)
    low = min(int(place), len(_STEPS) - 2)
    pairs = zip(_STEPS[low], _STEPS[low + 1], strict=True)
    return "#" + "".join(f"{round(a + (b - a) * (place - low)):02X}" for a, b in pairs)


def ink_on(color: str) -> str:
    """Black or white, whichever is easier to read on ``#rrggbb`` (WCAG 2.2 contrast)."""
    red, green, blue = (_linear(int(color[at : at + 2], 16) / 255) for at in (1, 3, 5))
    luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return "#000000" if (luminance + 0.05) ** 2 > 0.05 * 1.05 else "#FFFFFF"


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else float(((value + 0.055) / 1.055) ** 2.4)
