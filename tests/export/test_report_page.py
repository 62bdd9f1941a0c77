"""The report as a page: it says what the diagnosis says, and can do nothing."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import numpy as np
import pytest
from support.finished_runs import (
    HOSTILE,
    all_runs,
    finished_run,
    hostile_recipe,
    many_classes_recipe,
    source_of,
)
from support.page import Page
from support.small_runs import table_recipe, write_table

from workbench.errors import InputError, RunError
from workbench.evaluation.metrics import ClassificationFigures
from workbench.events import LearningRateChanged
from workbench.export.report.blocks import Bullets, Fact, Facts, Listing, Report, Section, Verdict
from workbench.export.report.build import icon, report_of
from workbench.export.report.html import check_inert, to_html
from workbench.export.report.text import MINUS, gap, percent
from workbench.recipe.paths import Change
from workbench.recipe.recipe import Recipe
from workbench.session.results import keep_goals
from workbench.store.project import Project
from workbench.store.run_folder import RunFolder

CSP = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("runs")
    made = all_runs(folder)
    (folder / "data").mkdir()
    return {**made, "hostile": finished_run(hostile_recipe(folder / "data"), folder / "<b>run</b>")}


def _page(folder: Path, **how: str) -> str:
    with source_of(folder, **how) as source:
        return to_html(report_of(source))


SHAPES = ("table", "pictures", "regression", "labels", "hostile")


@pytest.mark.parametrize("shape", SHAPES)
def test_that_a_page_is_well_formed_and_inert(runs: dict[str, Path], shape: str) -> None:
    source = _page(runs[shape])
    page = Page(source)
    check_inert(source)
    assert page.unclosed == []
    tags = {tag for tag, _ in page.tags}
    assert not tags & {
        "script",
        "img",
        "iframe",
        "object",
        "embed",
        "form",
        "base",
        "link",
        "foreignobject",
        "use",
        "a:",
    }
    attributes = {name for _, each in page.tags for name in each}
    assert not [
        name for name in attributes if name.startswith("on") or name in ("src", "style", "action", "xlink:href")
    ]
    assert page.values("meta", "content")[0] == CSP
    assert "http" not in re.sub(r"http-equiv", "", " ".join(str(v) for _, each in page.tags for v in each.values()))


@pytest.mark.parametrize("shape", SHAPES)
def test_that_links_lead_to_sections_and_ids_are_unique(runs: dict[str, Path], shape: str) -> None:
    page = Page(_page(runs[shape]))
    ids = [str(each["id"]) for _, each in page.tags if "id" in each]
    assert len(ids) == len(set(ids))
    assert page.values("a", "href") == [f"#{name}" for name in ids]


@pytest.mark.parametrize("shape", SHAPES)
def test_that_every_drawing_says_what_it_shows(runs: dict[str, Path], shape: str) -> None:
    page = Page(_page(runs[shape]))
    labels = page.values("svg", "aria-label")
    assert len(labels) == len([tag for tag, _ in page.tags if tag == "svg"]) >= 5
    assert all(label.strip() for label in labels)


@pytest.mark.parametrize("shape", SHAPES)
def test_that_equal_runs_give_equal_pages_but_for_the_date(runs: dict[str, Path], shape: str) -> None:
    first, again, later = (_page(runs[shape], date=date) for date in ("2026-01-31", "2026-01-31", "2027-12-24"))
    assert first == again
    assert first.replace("2026-01-31", "2027-12-24") == later
    assert first.count("2026-01-31") == 1


@pytest.mark.parametrize("shape", SHAPES)
def test_that_the_recipe_in_the_page_is_the_one_that_ran(runs: dict[str, Path], shape: str) -> None:
    page = Page(_page(runs[shape]))
    listing = next(text for inside, text in page.texts if inside == "pre" and text.startswith("schema"))
    with source_of(runs[shape]) as source:
        assert Recipe.parse(tomllib.loads(listing)) == source.recipe


@pytest.mark.parametrize("shape", SHAPES)
def test_that_the_page_says_what_the_diagnosis_says(runs: dict[str, Path], shape: str) -> None:
    page = Page(_page(runs[shape]))
    with source_of(runs[shape]) as source:
        diagnosis = source.diagnosis
    told = page.text()
    assert diagnosis.headline in page.text("h2")
    for text in (
        diagnosis.summary,
        *(each.text for each in diagnosis.settle),
        *(each.text for each in diagnosis.findings),
    ):
        assert _shown(text) in told
    for name in ("train", "dev", "test"):
        level = diagnosis.levels.get(name)
        assert level is not None
        assert percent(level.value) in page.text("text")
        assert f"n = {level.n:,}" in page.text("text")
    measured = {row[0]: row for row in page.table("Gap")}
    assert measured["Variance"][2] == gap(diagnosis.gaps.variance.value)
    assert measured["Dev to test"][2] == gap(diagnosis.gaps.dev_test_gap.value)
    for knob in diagnosis.knobs:
        assert _shown(knob.title) in told
    commands = page.text("code").replace("\n", "")
    for knob in diagnosis.first_knobs:
        for path in knob.patch:
            assert path in commands


def _shown(text: str) -> str:
    return "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in text)


@pytest.mark.parametrize(
    ("shape", "wanted"),
    [
        (
            "table",
            {"Errors", "Findings", "Knobs", "Learning curves", "Mistakes", "Data", "Network", "Training", "Recipe"},
        ),
        ("regression", {"Errors", "Residuals", "Learning curves", "Data", "Network", "Training", "Recipe"}),
        ("labels", {"Errors", "Labels", "Learning curves", "Data", "Network", "Training", "Recipe"}),
    ],
)
def test_that_all_sections_are_there(runs: dict[str, Path], shape: str, wanted: set[str]) -> None:
    page = Page(_page(runs[shape]))
    heads = set(page.text("h2").split("\n"))
    assert wanted | {"Environment and reproduction"} <= heads
    assert len({"Residuals", "Mistakes", "Labels"} & heads) == 1


def test_that_class_figures_are_scikit_learns(runs: dict[str, Path]) -> None:
    from sklearn.metrics import confusion_matrix, precision_recall_fscore_support, roc_auc_score

    page = Page(_page(runs["table"]))
    with source_of(runs["table"]) as source:
        part = source.predictions.of_split("dev")
    rows = page.table("Class")
    precision, recall, f1, support = precision_recall_fscore_support(part.y_true, part.y_pred, zero_division=np.nan)
    assert part.probabilities is not None
    for k, name in enumerate(part.classes):
        row = next(row for row in rows if row[0] == name)
        area = roc_auc_score(part.y_true == k, part.probabilities[:, k])
        assert row[1:4] == [str(support[k]), percent(precision[k], 1), percent(recall[k], 1)]
        assert row[6:] == [f"{f1[k]:.3f}", f"{area:.3f}"]
    drawn = page.text("text").split("\n")
    for value in confusion_matrix(part.y_true, part.y_pred).ravel():
        assert value == 0 or str(value) in drawn


def test_that_label_figures_are_scikit_learns(runs: dict[str, Path]) -> None:
    from sklearn.metrics import f1_score, precision_score, recall_score, roc_auc_score

    page = Page(text := _page(runs["labels"]))
    assert "said to be there at p &gt; 0.5" in text
    with source_of(runs["labels"]) as source:
        part = source.predictions.of_split("dev").labeled()
    assert part.probabilities is not None
    rows = {row[0]: row for row in page.table("Label")}
    for number, name in enumerate(part.classes):
        known = part.y_true[:, number] >= 0
        pair = part.y_true[known, number], part.y_pred[known, number]
        area = roc_auc_score(pair[0], part.probabilities[known, number])
        row, wrong = rows[name], (pair[0] != pair[1]).mean()
        assert row[1:4] == [str(known.sum()), str(pair[0].sum()), percent(wrong, 1)]
        assert row[5:7] == [percent(precision_score(*pair), 1), percent(recall_score(*pair), 1)]
        assert row[8:] == [f"{f1_score(*pair):.3f}", f"{area:.3f}"]
    known = part.y_true >= 0
    wrong = ((part.y_true != part.y_pred) & known).sum(axis=1)
    dev = next(row for row in page.table("Set") if row[0] == "dev")
    assert dev[1:3] == [str(part.n), percent((wrong / known.sum(axis=1)).mean(), 1)]
    assert dev[5] == percent((wrong > 0).mean(), 1)


def test_that_regression_figures_are_scikit_learns(runs: dict[str, Path]) -> None:
    from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

    rows = {row[0]: row for row in Page(_page(runs["regression"])).table("Set")}
    with source_of(runs["regression"]) as source:
        for split in ("train", "dev", "test"):
            part = source.predictions.of_split(split)
            figures = (root_mean_squared_error, mean_absolute_error, r2_score)
            for place, figure in zip((2, 4, 6), figures, strict=True):
                assert float(rows[split][place].replace(MINUS, "-")) == pytest.approx(
                    figure(part.y_true, part.y_pred), rel=1e-3
                )


def test_that_the_network_table_adds_up(runs: dict[str, Path]) -> None:
    rows = Page(_page(runs["pictures"])).table("Layer")
    with source_of(runs["pictures"]) as source:
        network = source.network
    counts = [int(row[3].replace(",", "")) for row in rows[1:-1]]
    assert [row[0] for row in rows[1:-1]] == [node.name for node in network.nodes]
    assert sum(counts) == network.parameter_count() == int(rows[-1][3].replace(",", ""))


def test_that_hostile_names_are_shown_as_they_are_and_do_nothing(runs: dict[str, Path]) -> None:
    source = _page(runs["hostile"])
    told = Page(source).text()
    for name in HOSTILE:
        assert _shown(name)[:190] in told
    for text in (
        "<h1>#strong[x]</h1>\\u202e",
        "<u>shop</u>",
        "#phone",
        '#eval("1")',
        "a <i>table<i>.csv",
        "<b>run</b>",
    ):
        assert text in told
    assert "49" not in Page(source).text("strong")
    hidden = [char for char in source if not char.isprintable() and char not in "\n\u00a0"]
    assert hidden == []
    assert "y" * 200 not in source.split('id="recipe"')[0]


@pytest.mark.parametrize(
    "body",
    [
        "<script>1</script>",
        "<SCRIPT>",
        "<img src=x onerror=alert(1)>",
        "<p onclick='x'>",
        "<p style='background:url(//x)'>",
        "<a href='javascript:1'>",
        "<a href='https://example.org'>",
        "<a href>",
        "<svg><use href='#x'/></svg>",
        "<rect fill='url(#x)'>",
        "<meta http-equiv='refresh' content='0' url='x'>",
        "<base href='#'>",
        "<?php 1 ?>",
        "<iframe srcdoc='x'>",
    ],
)
def test_that_a_page_that_could_do_something_is_refused(body: str) -> None:
    with pytest.raises(RunError, match="would not be inert"):
        check_inert(f"<!DOCTYPE html><html><body>{body}</body></html>")


def test_that_the_report_of_an_unfinished_run_is_refused(tmp_path: Path) -> None:
    with RunFolder.create(tmp_path / "run", table_recipe(write_table(tmp_path))):
        pass
    with pytest.raises(InputError, match="has no results yet"):
        _page(tmp_path / "run")


def test_that_a_report_is_about_the_kept_model_only(runs: dict[str, Path]) -> None:
    with pytest.raises(InputError, match="about the kept model"):
        _page(runs["table"], which="last")


def test_that_knobs_tried_stand_with_what_they_moved(tmp_path: Path) -> None:
    recipe = table_recipe(write_table(tmp_path)).replace({"goals.human_error": 0.02})
    change = Change("training.epochs", 4, 12)
    with Project.create(tmp_path / "project") as project:
        parent = project.add_run()
        child = project.add_run(parent.number, [change])
        for entry, ran in ((parent, recipe), (child, recipe.replace("training.epochs", 12))):
            finished_run(ran, entry.folder)
            project.note(entry.number, "finished")
    page = Page(_page(parent.folder))
    with source_of(parent.folder) as source:
        (tried,) = source.tried
    assert "Knobs tried" in page.text("h2")
    assert "training.epochs = 12" in page.text("h3")
    rows = {row[0]: row for table in page.tables if table[0][1:4] == ["before", "after", "change"] for row in table[1:]}
    assert set(rows) == {move.name for move in tried.effect.moves}
    for move in tried.effect.moves:
        assert rows[move.name][1:4] == [percent(move.before), percent(move.after), gap(move.change.value)]


def test_that_a_change_of_the_learning_rate_is_marked_on_the_curve(runs: dict[str, Path], tmp_path: Path) -> None:
    run = finished_run(table_recipe(write_table(tmp_path)), tmp_path / "run")
    assert "learning rate 0.01 →" not in _page(run)
    with RunFolder.open(run, write=True) as folder:
        folder.commit([LearningRateChanged("run", 0.0, 10, 2.0, 0.01, 0.002)])
        folder.commit([LearningRateChanged("run", 0.0, 14, 3.0, 0.002, 0.0004, "schedule")])
    assert "learning rate 0.01 → 0.002" in _page(run)
    assert "plateau: learning rate 0.01" not in _page(run)
    assert "plateau: learning rate 0.002 → 0.0004" in _page(run)


def test_that_goals_changed_after_the_run_are_said_and_used(tmp_path: Path) -> None:
    run = finished_run(table_recipe(write_table(tmp_path)), tmp_path / "run")
    with RunFolder.open(run, write=True) as folder:
        keep_goals(folder, folder.recipe.goals.model_copy(update={"human_error": 0.031}))
    told = Page(_page(run)).text()
    assert "The goals were changed after the run. This report measures by: human_error = 0.031" in told
    assert "human level 3.1\u00a0%" in told


def test_that_of_many_distributions_the_worst_are_drawn_and_all_are_listed(tmp_path: Path) -> None:
    table = write_table(tmp_path, rows=400).read_text().splitlines()
    sources = []
    for number in range(10):
        path = tmp_path / f"{number}.csv"
        path.write_text("\n".join([table[0], *table[1 + number :: 10]]))
        sources.append({"path": str(path), "distribution": f"shop {number}"})
    run = finished_run(table_recipe(tmp_path / "0.csv").replace("data.sources", sources), tmp_path / "run")
    page = Page(_page(run))
    with source_of(run) as source:
        errors = {name: sets["dev"].value for name, sets in source.diagnosis.levels.by_distribution.items()}
    drawn = [text.removeprefix("dev: ") for text in page.text("text").split("\n") if text.startswith("dev: ")]
    assert len(drawn) == 8
    assert min(errors[name] for name in drawn) >= max(error for name, error in errors.items() if name not in drawn)
    assert "2 distributions of lower dev error stand in the table below." in page.text("figcaption")
    assert {row[0] for row in page.table("Distribution")} == set(errors)
    assert sum(int(cell) for cell in page.table("Set")[0][3:]) == int(page.table("Set")[0][1])


def test_that_many_classes_are_listed_by_pairs_and_never_cut_in_silence(tmp_path: Path) -> None:
    run = finished_run(many_classes_recipe(tmp_path, 230, 1840), tmp_path / "run")
    page = Page(_page(run))
    told = page.text()
    with source_of(run) as source:
        figures = source.metrics.splits["dev"]
    assert isinstance(figures, ClassificationFigures)
    wrong = figures.confusion - np.diag(figures.confusion.diagonal())
    assert f"the 20 most frequent of {np.count_nonzero(wrong):,}; a matrix of 230 classes" in told
    assert len(page.table("True class")) == 20
    assert len(page.table("Class")) == 202
    assert "The 200 classes of lowest recall of 230." in told
    assert "Confusion\n" not in page.text("h3")
    balance = next(rows for rows in page.tables if rows[0] == ["Class", "train", "dev", "test"])
    assert len(balance) == 231


def test_that_a_set_without_a_mistake_is_said(tmp_path: Path) -> None:
    recipe = many_classes_recipe(tmp_path, 2, 200)
    text = (tmp_path / "many.csv").read_text().splitlines()
    rows = [f"{9 * (row.endswith('1'))},{row}" for row in text[1:]]
    (tmp_path / "many.csv").write_text("\n".join([f"c,{text[0]}", *rows]))
    run = finished_run(
        recipe.replace({"training.epochs": 40, "training.optimizer.learning_rate": 0.05}), tmp_path / "run"
    )
    page = Page(_page(run))
    assert "There is no mistake on the dev set." in page.text("p")
    assert "Surest mistakes" not in page.text("h3")


def test_that_initial_weights_have_no_curve_and_a_set_may_be_missing(tmp_path: Path) -> None:
    recipe = table_recipe(write_table(tmp_path), epochs=0)
    recipe = recipe.replace("data.split", {"train": 1.0, "dev": 0.0, "test": 0.0})
    page = Page(_page(finished_run(recipe, tmp_path / "run")))
    assert "Learning curves" not in page.text("h2")
    assert "there is no dev set" in page.text()


def _report(**changes: object) -> Report:
    verdict = Verdict("Good", "All is well.", (), "good", icon("good"))
    plain = {
        "name": "n",
        "date": "d",
        "subtitle": "s",
        "verdict": verdict,
        "facts": Facts((Fact("a", "b"),)),
        "sections": (),
    }
    return Report(**{**plain, **changes})  # type: ignore[arg-type]


def test_that_controls_show_as_escapes_and_listings_keep_their_lines() -> None:
    blocks = (Bullets(("a\u202eb\x07\n",)), Listing("x = 1\ny = '\u2066'\n"))
    page = Page(to_html(_report(name="\u200fname", sections=(Section("s", "S", blocks),))))
    assert "\\u200fname" in page.text("h1")
    assert "a\\u202eb\\u0007\\u000a" in page.text("li")
    assert page.text("pre") == "x = 1\ny = '\\u2066'\n"
