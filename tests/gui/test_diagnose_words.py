"""What the window says of a diagnosis before any widget: tries judged by what they were meant for, reasons, stages."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytestqt.qtbot import QtBot
from support.small_project import copied, make_project

from workbench.diagnosis.advice import merged
from workbench.diagnosis.compare import Comparison, Direction, Move, compare
from workbench.diagnosis.diagnose import diagnose
from workbench.diagnosis.gaps import gaps_of
from workbench.diagnosis.levels import Levels
from workbench.diagnosis.rule import Knob
from workbench.evaluation.intervals import Estimate, rate_of
from workbench.gui.diagnose.knob_card import KnobCard
from workbench.gui.diagnose.knob_list import KnobList
from workbench.gui.diagnose.knobs import KnobView, KnobViews
from workbench.gui.diagnose.reasons import conclusions
from workbench.gui.diagnose.stage import said_before, stage_of
from workbench.gui.diagnose.words import aim_of, effect_parts, effect_tone, effect_words, how_to, leads_to, told
from workbench.gui.figures import SPACE, regrouped
from workbench.gui.workspace import Workspace
from workbench.recipe.paths import Change
from workbench.recipe.training import Goals


def _gaps(train: float, dev: float) -> Any:
    levels = Levels(train=rate_of(train, 20_000), dev=rate_of(dev, 20_000), human=Estimate(0.18))
    return gaps_of(levels, 0.015)


def _effect(**directions: Direction) -> Comparison:
    moves = tuple(Move(name, 0.2, 0.1, Estimate(-0.1), direction) for name, direction in directions.items())
    return Comparison(moves, True, "")


def test_that_a_bias_knob_is_judged_by_bias_and_each_part_by_itself() -> None:
    effect = compare(_gaps(0.271, 0.286), _gaps(0.19, 0.245))
    assert effect_tone(effect, "bias") == "good"
    tones = {part.text.partition(" ")[0]: part.tone for part in effect_parts(effect)}
    assert tones == {"bias": "good", "variance": "warning", "dev": "good"}
    assert "dev 28.6 → 24.5" in effect_words(effect)
    assert all(part.span for part in effect_parts(effect))


@pytest.mark.parametrize(
    ("gap", "directions", "tone"),
    [
        ("bias", {"bias": "same", "variance": "same", "dev": "same"}, "muted"),
        ("bias", {"bias": "worse", "variance": "better", "dev": "same"}, "warning"),
        ("bias", {"train": "better", "dev": "same"}, "good"),
        ("variance", {"bias": "worse", "variance": "better", "dev": "worse"}, "warning"),
        ("variance", {"bias": "worse", "variance": "better", "dev": "better"}, "good"),
        ("variance", {"bias": "same", "variance": "same", "dev": "better"}, "good"),
        ("", {"bias": "better", "variance": "worse", "dev": "better"}, "good"),
        ("", {"bias": "better", "variance": "worse", "dev": "worse"}, "warning"),
    ],
)
def test_that_a_try_is_judged_by_what_it_was_meant_for(gap: str, directions: dict[str, Direction], tone: str) -> None:
    assert effect_tone(_effect(**directions), gap) == tone


@pytest.mark.parametrize(
    ("path", "before", "after", "gap"),
    [
        ("training.epochs", 20, 40, "bias"),
        ("training.epochs", 40, 20, "variance"),
        ("network.width", 1.0, 0.5, "variance"),
        ("training.l2", 0.0, 1e-4, "variance"),
        ("training.dropout", 0.5, 0.2, "bias"),
        ("training.optimizer.learning_rate", 0.1, 0.01, "bias"),
        ("training.optimizer.weight_decay", 0.0, 0.1, "variance"),
        ("training.optimizer.decoupled_weight_decay", 0.1, 0.01, "bias"),
        ("training.l1", 1e-3, 0.0, "bias"),
        ("training.max_norm", 2.0, None, "bias"),
        ("training.loss.label_smoothing", 0.0, 0.1, "variance"),
        ("training.early_stopping", None, {"patience": 5}, "variance"),
        ("data.augment", [], [{"kind": "noise"}], "variance"),
        ("network.layers", [1], [1, 2], "bias"),
        ("network.layers.relu_1.function", "tanh", "relu", "bias"),
        ("training.seed", 0, 1, ""),
    ],
)
def test_that_what_a_change_is_meant_for_follows_from_its_direction(
    path: str, before: Any, after: Any, gap: str
) -> None:
    assert aim_of(Change(path, before, after)) == gap


def test_that_an_undecided_bias_is_not_called_low_in_the_reasons() -> None:
    levels = Levels(train=rate_of(0.02, 200), dev=rate_of(0.12, 2000), human=Estimate(0.01))
    diagnosis = diagnose(levels, Goals(human_error=0.01))
    assert diagnosis.gaps.bias_state == "undecided"
    assert diagnosis.focus == "variance"
    assert "cannot be told" in conclusions(diagnosis)[1]
    assert not any("not what holds the model back" in sentence for sentence in conclusions(diagnosis))


def _advice(id: str, gap: Any, title: str) -> Knob:
    return Knob(id, gap, title, "Why.", "dev error may fall", {}, "time", None, "", later=True)


def test_that_advice_that_differs_only_by_its_gap_stands_once_with_both() -> None:
    knobs = (
        _advice("advice_search", "bias", "Search"),
        replace(_advice("more_l2", "variance", "L2"), patch={"training.l2": 0.1}),
        _advice("advice_search_for_variance", "variance", "Search"),
    )
    assert [(knob.id, gaps) for knob, gaps in merged(knobs)] == [
        ("advice_search", ("bias", "variance")),
        ("more_l2", ("variance",)),
    ]


@pytest.mark.parametrize(
    ("id", "gap", "leads", "how"),
    [
        ("advice_other_architecture", "bias", "network", False),
        ("advice_more_data", "variance", "data", False),
        ("advice_transfer_learning", "bias", "", True),
        ("advice_search_for_variance", "variance", "", True),
    ],
)
def test_that_advice_leads_somewhere_or_says_how(id: str, gap: str, leads: str, how: bool) -> None:
    knob = _advice(id, gap, "Advice")
    assert leads_to(knob) == leads
    assert bool(how_to(knob)) == how


def test_that_a_card_without_a_change_opens_the_step_that_takes_it(qtbot: QtBot) -> None:
    knob = _advice("advice_other_architecture", "bias", "A convolutional network")
    listed = KnobList()
    qtbot.addWidget(listed)
    listed.show_views(KnobViews(first=(KnobView(knob.id, "advice", knob.title, knob=knob, leads="network"),)), "bias")
    listed.show()
    (card,) = listed.cards()
    assert isinstance(card, KnobCard)
    assert card.button is not None
    assert card.button.text() == "Open Network"
    with qtbot.waitSignal(listed.openAsked) as caught:
        card.button.click()
    assert caught.args == ["network"]


def test_that_a_run_of_another_window_trains_there_and_has_not_failed(
    qtbot: QtBot, workspace: Workspace, tmp_path: Path
) -> None:
    from workbench.store.project import Project

    path = copied(make_project(tmp_path), tmp_path / "copy")
    with Project.open(path) as owner:
        owner.note(2, "running")
        workspace.open_project(path)
        assert workspace.runs.project is not None
        assert not workspace.runs.project.writable
        assert stage_of(workspace.runs, 2) == "elsewhere"
        said = said_before(workspace.runs, 2, "elsewhere")
        assert (said.kind, said.headline) == ("busy", "Trains in another window")


def test_that_a_paused_run_is_called_paused(qtbot: QtBot, workspace: Workspace, tmp_path: Path) -> None:
    workspace.open_project(make_project(tmp_path))
    runs = workspace.runs
    qtbot.waitUntil(lambda: runs.result(2) is not None, timeout=20_000)
    recipe = runs.recipe(2)
    assert recipe is not None
    number = runs.train(recipe.replace("training.epochs", 2000))
    qtbot.waitUntil(lambda: bool(runs.curves(number).epochs), timeout=30_000)
    assert said_before(runs, number, "training").headline == "Still training"
    runs.pause(number)
    qtbot.waitUntil(lambda: runs.curves(number).stage == "paused", timeout=30_000)
    said = said_before(runs, number, stage_of(runs, number))
    assert (said.kind, said.headline) == ("busy", "Paused")
    runs.stop(number)
    qtbot.waitUntil(lambda: not runs.busy(), timeout=30_000)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("n = 8,000)", f"n{SPACE}={SPACE}8{SPACE}000)"),
        ("0.57 %, column = 8", f"0.57{SPACE}%, column = 8"),
        ("About 17,000 dev examples", f"About 17{SPACE}000 dev examples"),
        ("1,234,567.", f"1{SPACE}234{SPACE}567."),
        ("1,234.5 of it", f"1{SPACE}234.5 of it"),
        ("classes 1, 200 and 3", "classes 1, 200 and 3"),
        ("fewer than 100,000, dev", f"fewer than 100{SPACE}000, dev"),
        ("28,128,5", "28,128,5"),
        ("called “1,000”", "called “1,000”"),
        ("a1,000 and 1,0000", "a1,000 and 1,0000"),
        ("0.5,100", "0.5,100"),
    ],
)
def test_that_thousands_in_sentences_are_written_as_everywhere_in_the_window(text: str, shown: str) -> None:
    assert regrouped(text) == shown
    assert told(text) in (shown, shown.replace(SPACE, "\\xa0"))


@given(st.integers(0, 10**15))
def test_that_every_number_is_regrouped_whole(value: int) -> None:
    assert regrouped(f"of {value:,}") == f"of {value:,}".replace(",", SPACE)
