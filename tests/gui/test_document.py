"""The document: a recipe, the way back, and what keeps it from being trained."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytestqt.qtbot import QtBot

from workbench.errors import Problem, RecipeError, StoreError
from workbench.gui.data_facts import DataFacts
from workbench.gui.document import MERGE_SECONDS, Document
from workbench.recipe.recipe import Recipe

_LAYERS = [
    {"kind": "conv2d", "filters": 8},
    {"kind": "activation"},
    {"kind": "flatten"},
    {"kind": "dense", "units": "classes"},
]
_PICTURES = DataFacts((28, 28, 1), classes=("a", "b", "c"), sizes={"train": 600})


class _Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def _document(clock: _Clock | None = None) -> Document:
    return Document(Recipe.parse({"network": {"layers": _LAYERS}}), clock=clock or _Clock())


def test_that_a_value_is_set_and_everyone_is_told_what_changed(qtbot: QtBot) -> None:
    document = _document()
    with qtbot.waitSignal(document.recipeChanged) as told:
        assert document.set("training.optimizer.learning_rate", 0.5) == ()
    assert told.args == [document.recipe, ("training.optimizer.learning_rate",)]
    assert document.recipe.training.optimizer.learning_rate == 0.5


def test_that_a_wrong_value_is_refused_in_words_and_the_recipe_stays(qtbot: QtBot) -> None:
    document = _document()
    before = document.recipe
    problems = document.set("training.optimizer.learning_rate", -1)
    assert problems == (Problem("must be above 0, not -1", "training.optimizer.learning_rate"),)
    assert document.recipe is before
    assert not document.dirty


def test_that_a_path_that_leads_nowhere_is_refused(qtbot: QtBot) -> None:
    assert "no field" in _document().set("training.optimizre.beta", 1)[0].what


def test_that_undo_says_what_it_undoes_and_undoes_it(qtbot: QtBot) -> None:
    document = _document()
    document.set("network.layers.conv_1.filters", 64)
    assert document.undo_text() == "Undo: filters 8 → 64"
    document.undo_stack.undo()
    assert document.recipe.get("network.layers.conv_1.filters") == 8
    assert document.undo_text() == ""
    document.undo_stack.redo()
    assert document.recipe.get("network.layers.conv_1.filters") == 64


def test_that_quick_changes_of_one_value_are_one_step_back(qtbot: QtBot) -> None:
    clock = _Clock()
    document = _document(clock)
    for filters in (9, 16, 32, 64):
        clock.now += MERGE_SECONDS / 2
        document.set("network.layers.conv_1.filters", filters)
    assert document.undo_stack.count() == 1
    assert document.undo_text() == "Undo: filters 8 → 64"
    document.undo_stack.undo()
    assert document.recipe.get("network.layers.conv_1.filters") == 8


def test_that_a_pause_begins_another_step_back(qtbot: QtBot) -> None:
    clock = _Clock()
    document = _document(clock)
    document.set("training.epochs", 3)
    clock.now = MERGE_SECONDS + 0.1
    document.set("training.epochs", 4)
    assert document.undo_stack.count() == 2


def test_that_changes_of_other_values_are_never_merged(qtbot: QtBot) -> None:
    document = _document()
    document.set("training.epochs", 3)
    document.set("training.batch_size", 16)
    assert document.undo_stack.count() == 2


def test_that_a_value_dragged_back_to_where_it_began_leaves_nothing_to_undo(qtbot: QtBot) -> None:
    document = _document()
    document.set("training.epochs", 21)
    document.set("training.epochs", 20)
    assert document.undo_stack.count() == 0
    assert not document.dirty


def test_that_setting_the_value_it_has_changes_nothing(qtbot: QtBot) -> None:
    document = _document()
    with qtbot.assertNotEmitted(document.recipeChanged):
        assert document.set("training.epochs", 20) == ()
    assert document.undo_stack.count() == 0


def test_that_values_that_only_make_sense_together_are_set_together(qtbot: QtBot) -> None:
    document = _document()
    document.set("data.split", {"train": 0.6, "dev": 0.2, "test": 0.2})
    assert document.set("data.split.train", 0.7)
    assert document.set_many({"data.split.train": 0.7, "data.split.dev": 0.1}) == ()
    assert document.undo_text() == "Undo: train, dev"


def test_that_a_part_that_is_off_says_so_in_undo(qtbot: QtBot) -> None:
    document = _document()
    document.set("training.clip_norm", 2.5)
    assert document.undo_text() == "Undo: clip gradient norm off → 2.5"
    document.set("training.optimizer", "rmsprop")
    assert document.undo_text() == "Undo: optimizer Adam → RMSprop"
    document.set("goals.human_error", 0.007)
    assert document.undo_text() == "Undo: human error unknown → 0.7 %"
    document.set("training.shuffle", False)
    assert document.undo_text() == "Undo: shuffle on → off"
    document.set("network.layers.conv_1.kernel", (3, 5))
    assert document.undo_text() == "Undo: kernel 3 → 3×5 px"


def test_that_an_own_text_for_undo_is_kept(qtbot: QtBot) -> None:
    document = _document()
    document.replace(document.recipe.replace("training.epochs", 5), "take the advice")
    assert document.undo_text() == "Undo: take the advice"


def test_that_without_data_there_are_no_shapes_and_no_problems(qtbot: QtBot) -> None:
    document = _document()
    assert document.network is None
    assert document.problems == ()


def test_that_shapes_are_known_before_anyone_hears_of_the_recipe(qtbot: QtBot) -> None:
    document = _document()
    document.set_facts(_PICTURES)
    seen: list[int] = []
    document.recipeChanged.connect(lambda *_: seen.append(document.network.nodes[0].shape[2]))  # type: ignore[union-attr]
    document.set("network.layers.conv_1.filters", 5)
    assert seen == [5]


def test_that_a_layer_that_does_not_fit_is_a_problem_at_its_place(qtbot: QtBot) -> None:
    document = _document()
    document.set_facts(_PICTURES)
    with qtbot.waitSignal(document.problemsChanged):
        document.set_many({"network.layers.conv_1.padding": "valid", "network.layers.conv_1.kernel": 30})
    (problem,) = document.problems
    assert (problem.what, problem.where) == ("kernel 30×30 does not fit 28×28", "network.layers[0] (conv_1)")
    with qtbot.waitSignal(document.problemsChanged):
        document.undo_stack.undo()
    assert document.problems == ()


def test_that_a_loss_that_does_not_suit_the_data_is_a_problem(qtbot: QtBot) -> None:
    document = _document()
    document.set_facts(_PICTURES)
    document.set("training.loss", "binary_cross_entropy")
    assert document.problems[0].where == "training.loss"
    assert document.network is None
    document.set("training.loss", "mean_squared_error")
    assert "regression" in document.problems[0].what


def test_that_an_embedding_of_normalized_numbers_is_a_problem_at_its_layer(qtbot: QtBot) -> None:
    layers = [{"kind": "embedding", "name": "words"}, {"kind": "flatten"}, {"kind": "dense", "units": "classes"}]
    document = Document(Recipe.parse({"network": {"layers": layers}}))
    document.set_facts(DataFacts(input_shape=(12,), classes=("a", "b")))
    (problem,) = document.problems
    assert problem.where == "network.layers[0] (words)"
    assert 'data.normalize = "standard" makes other numbers of them; set it to "none"' in problem.what
    assert document.network is not None
    assert document.network.node("words").error == problem.what
    with qtbot.waitSignal(document.problemsChanged):
        document.set("data.normalize", "none")
    assert document.problems == ()


def test_that_an_empty_network_is_a_problem_once_there_is_data(qtbot: QtBot) -> None:
    document = Document()
    document.set_facts(_PICTURES)
    assert document.problems == (Problem("the network has no layers", "network.layers"),)


def test_that_saving_makes_it_clean_and_undo_dirty_again(qtbot: QtBot, tmp_path: Path) -> None:
    document = _document()
    document.set("training.epochs", 3)
    assert document.dirty
    with qtbot.waitSignal(document.dirtyChanged) as told:
        document.save(tmp_path / "recipe.toml")
    assert told.args == [False]
    assert document.file == tmp_path / "recipe.toml"
    document.undo_stack.undo()
    assert document.dirty


def test_that_a_saved_recipe_is_read_back_and_there_is_nothing_to_undo(qtbot: QtBot, tmp_path: Path) -> None:
    document, other = _document(), _document()
    document.set("training.optimizer", {"kind": "momentum", "beta": 0.8})
    document.save(tmp_path / "r.toml")
    other.set("training.epochs", 7)
    other.open(tmp_path / "r.toml")
    assert other.recipe == document.recipe
    assert not other.undo_stack.canUndo()
    assert not other.dirty


def test_that_a_file_with_mistakes_is_refused_and_the_document_stays(qtbot: QtBot, tmp_path: Path) -> None:
    document = _document()
    before = document.recipe
    (tmp_path / "bad.toml").write_text("[training]\nepochs = -1\nbatch = 3\n")
    with pytest.raises(RecipeError) as error:
        document.open(tmp_path / "bad.toml")
    assert len(error.value.problems) == 2
    assert document.recipe is before
    assert document.file is None


def test_that_saving_without_a_file_or_to_a_folder_that_is_not_there_is_an_error(qtbot: QtBot, tmp_path: Path) -> None:
    document = _document()
    with pytest.raises(StoreError, match="no file"):
        document.save()
    with pytest.raises(StoreError):
        document.save(tmp_path / "nowhere" / "r.toml")
    assert document.file is None


_EDITS = st.lists(
    st.one_of(
        st.tuples(st.just("training.epochs"), st.integers(-2, 50)),
        st.tuples(st.just("training.batch_size"), st.integers(0, 512)),
        st.tuples(st.just("training.dropout"), st.floats(0, 1)),
        st.tuples(st.just("training.schedule"), st.sampled_from(["constant", "cosine", "nonsense"])),
        st.tuples(st.just("network.width"), st.floats(0, 8)),
        st.tuples(st.just("undo"), st.none()),
        st.tuples(st.just("redo"), st.none()),
    ),
    max_size=20,
)


@settings(deadline=None, max_examples=60)
@given(_EDITS, st.lists(st.sampled_from([0.1, 5.0]), min_size=20, max_size=20))
def test_that_undoing_everything_leads_back_to_the_start_whatever_was_done(
    edits: list[tuple[str, object]], pauses: list[float]
) -> None:
    clock = _Clock()
    document = _document(clock)
    start = document.recipe
    for (path, value), pause in zip(edits, pauses, strict=False):
        clock.now += pause
        if path == "undo":
            document.undo_stack.undo()
        elif path == "redo":
            document.undo_stack.redo()
        else:
            document.set(path, value)
        assert Recipe.parse(document.recipe.tree()) == document.recipe, "the document's recipe is always a valid one"
    end = document.recipe
    count = document.undo_stack.index()
    while document.undo_stack.canUndo():
        document.undo_stack.undo()
    assert document.recipe == start
    for _ in range(count):
        document.undo_stack.redo()
    assert document.recipe == end
