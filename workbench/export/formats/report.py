"""The diagnosis report, as a page and as a PDF."""

from __future__ import annotations

from workbench.errors import RunError
from workbench.export.formats.base import Exported, Exporter
from workbench.export.report.build import report_of
from workbench.export.report.html import check_inert, to_html
from workbench.export.report.pdf import to_pdf
from workbench.export.source import ExportSource


class Html(Exporter):
    """The report as one page."""

    kind = "html"
    title = "diagnosis report (HTML)"
    suffix = ".html"
    other_suffixes = (".htm",)
    about = "Verdict, errors, curves, mistakes, recipe and how to reproduce it, in one page that needs nothing else."
    of_model = False

    def export(self, source: ExportSource) -> Exported:
        page = to_html(report_of(source))
        check_inert(page)
        return Exported(page.encode(), "one self-contained page: no scripts, nothing from elsewhere")


class Pdf(Exporter):
    """The same on paper."""

    kind = "pdf"
    title = "diagnosis report (PDF)"
    suffix = ".pdf"
    about = "The same report on A4, to print or to attach."
    of_model = False

    def export(self, source: ExportSource) -> Exported:
        data = to_pdf(report_of(source))
        if not data.startswith(b"%PDF-"):
            raise RunError("what was made is no PDF", mend="Nothing was written; export html instead.")
        return Exported(data, "a tagged PDF on A4 with its typeface inside")
