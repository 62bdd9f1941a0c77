"""The report as a PDF: the same content, set from data that Typst never takes for markup."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.finished_runs import HOSTILE, all_runs, finished_run, hostile_recipe, source_of

from workbench.errors import RunError
from workbench.export.report.build import report_of
from workbench.export.report.pdf import to_pdf

SHAPES = ("table", "pictures", "regression", "hostile")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("runs")
    made = all_runs(folder)
    (folder / "data").mkdir()
    return {**made, "hostile": finished_run(hostile_recipe(folder / "data"), folder / "hostile")}


def _pdf(folder: Path, date: str = "2026-01-31") -> bytes:
    with source_of(folder, date=date) as source:
        return to_pdf(report_of(source))


def _text(data: bytes, folder: Path) -> str:
    """What a reader of the PDF finds when searching it."""
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext (poppler-utils) is not installed")
    (folder / "report.pdf").write_bytes(data)
    ran = subprocess.run(["pdftotext", "-raw", folder / "report.pdf", "-"], capture_output=True, check=True)
    return ran.stdout.decode()


def _packed(text: str) -> str:
    """Without what line breaks change."""
    return re.sub(r"\s", "", text.replace("\u200b", ""))


@pytest.mark.parametrize("shape", SHAPES)
def test_that_equal_runs_give_equal_tagged_pdfs_of_several_pages(runs: dict[str, Path], shape: str) -> None:
    data = _pdf(runs[shape])
    assert data.startswith(b"%PDF-1.")
    assert data.rstrip().endswith(b"%%EOF")
    assert data == _pdf(runs[shape])
    assert data != _pdf(runs[shape], "2027-12-24")
    assert b"/StructTreeRoot" in data
    pages = re.search(rb"/Type\s*/Pages[^>]*?/Count (\d+)|/Count (\d+)", data)
    assert pages is not None
    assert 3 <= int(pages[1] or pages[2]) <= 20


@pytest.mark.parametrize("shape", SHAPES)
def test_that_its_typeface_is_inside(runs: dict[str, Path], shape: str) -> None:
    assert b"WorkbenchInter" in _pdf(runs[shape])


@pytest.mark.parametrize("shape", ["table", "regression"])
def test_that_the_pdf_says_what_the_diagnosis_says(runs: dict[str, Path], shape: str, tmp_path: Path) -> None:
    told = _packed(_text(_pdf(runs[shape]), tmp_path))
    with source_of(runs[shape]) as source:
        diagnosis, report = source.diagnosis, report_of(source)
    assert _packed(diagnosis.headline) in told
    assert _packed(diagnosis.summary) in told
    for section in report.sections:
        assert _packed(section.title) in told
    for fact in report.facts.items:
        assert _packed(fact.value) in told
    for knob in diagnosis.knobs:
        assert _packed(knob.title) in told


def test_that_hostile_names_are_set_as_they_are(runs: dict[str, Path], tmp_path: Path) -> None:
    told = _packed(_text(_pdf(runs["hostile"]), tmp_path))
    for name in HOSTILE:
        assert _packed(name.replace("\u202e", "\\u202e"))[:40] in told
    assert "root:" not in told
    assert _packed("<h1>#strong[x]</h1>\\u202e") in told
    assert "\\u2066isolate" in told


def test_that_without_typst_the_message_says_how_to_get_it(
    runs: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    # What `import typst` meets where it is not installed.
    monkeypatch.setitem(sys.modules, "typst", None)
    with pytest.raises(RunError, match="pip install typst"):
        _pdf(runs["table"])
