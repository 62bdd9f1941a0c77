"""The report as a PDF, set by Typst: A4, tagged, with the same figures. Texts reach it as data, never as markup."""

from __future__ import annotations

import json
from typing import Any

from workbench.errors import RunError
from workbench.export.report.blocks import Report, tree_of
from workbench.export.report.colors import LIGHT, on_paper
from workbench.store.bundled import resources

FONT = "Workbench Inter, DejaVu Sans, Noto Sans, sans-serif"


def to_pdf(report: Report) -> bytes:
    """The report as a PDF; equal reports give equal files on one machine (names may need its fonts).

    Raises:
        RunError: Typst is not installed, or cannot set the report.
    """
    made = _set(report)
    assert isinstance(made, bytes)
    return made


def to_pictures(report: Report, dots_per_inch: float = 96.0) -> tuple[bytes, ...]:
    """The pages of the PDF as PNG files, to be looked at.

    Raises:
        RunError: as for ``to_pdf``.
    """
    made = _set(report, format="png", ppi=dots_per_inch)
    return (made,) if isinstance(made, bytes) else tuple(made)


def _set(report: Report, **options: Any) -> Any:
    try:
        import typst
    except ImportError:
        raise RunError(
            "PDF needs Typst, which is not installed", mend="Install it with: pip install typst. Or export html."
        ) from None
    folder = resources()
    data = json.dumps({"report": tree_of(report, on_paper, FONT), "colors": LIGHT}, ensure_ascii=False)
    try:
        return typst.compile(
            folder / "report" / "report.typ",
            root=folder / "report",
            font_paths=[folder / "fonts"],
            sys_inputs={"data": data},
            **options,
        )
    except typst.TypstError as error:
        raise RunError(f"the PDF could not be set: {error.message}", mend="Export html instead.") from None
