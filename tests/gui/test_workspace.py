"""The window's inside without its widgets: importing, training, trying a knob, resuming, and coming back later."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from support.finished_runs import finished_run
from support.small_project import train_in
from support.small_runs import SPLIT, table_recipe, write_table

from workbench.errors import InputError, StoreError, WorkbenchError
from workbench.events import EpochDone
from workbench.gui.background import Background, Cancelled
from workbench.gui.inbox import Inbox
from workbench.gui.recovery import cut_off_in
from workbench.gui.settings import Settings, projects_home
from workbench.gui.workspace import Workspace
from workbench.recipe.recipe import Recipe
from workbench.recipe.training import Goals
from workbench.session.runner import RunRequest, run_request
from workbench.session.samples import sample
from workbench.store.project import Project
from workbench.store.run_folder import RunFolder
from workbench.training.control import Control

LONG = 20_000


def imported(workspace: Workspace, qtbot: Any, path: Path) -> None:
    """Import data and wait for them, with a short training."""
    with qtbot.waitSignal(workspace.data.proposed, timeout=LONG):
        workspace.import_files([path])
    short = {"training.epochs": 3, "training.batch_size": 32, "training.early_stopping": None, "data.split": SPLIT}
    workspace.document.set_many(short, "short")
    qtbot.waitUntil(lambda: workspace.data.up_to_date, timeout=LONG)


def trained(workspace: Workspace, qtbot: Any) -> int:
    """Train and wait for the diagnosis."""
    with qtbot.waitSignal(workspace.runs.resultReady, timeout=LONG):
        return workspace.train()


# --- inbox and background ----------------------------------------------------------------------------------------


def test_that_calls_from_threads_happen_in_the_windows_thread(qtbot):
    inbox, seen = Inbox(), []
    threading.Thread(target=lambda: inbox.call(lambda: seen.append(threading.current_thread()))).start()
    qtbot.waitUntil(lambda: bool(seen))
    inbox.stop()
    assert seen == [threading.main_thread()]


def test_that_only_the_latest_work_of_a_topic_is_heard_of(qtbot):
    inbox, heard, go = Inbox(), [], threading.Event()
    background = Background(inbox)
    background.start("topic", lambda _: go.wait(10) and "old", heard.append, heard.append)
    background.start("topic", lambda _: "new", heard.append, heard.append)
    qtbot.waitUntil(lambda: heard == ["new"])
    go.set()
    background.close()
    inbox.fetch()
    inbox.stop()
    assert heard == ["new"]


def test_that_cancelled_work_ends_at_its_next_report(qtbot):
    inbox, ended, begun, go = Inbox(), threading.Event(), threading.Event(), threading.Event()
    background = Background(inbox)

    def work(report):
        begun.set()
        go.wait(10)
        try:
            report("half", 1, 2)
        except Cancelled:
            ended.set()
            raise

    background.start("topic", work, lambda _: None, lambda _: None)
    assert begun.wait(10)
    background.cancel("topic")
    go.set()
    assert ended.wait(10)
    background.close()
    inbox.stop()


def test_that_an_unexpected_error_of_background_work_reaches_the_window_as_one_of_ours(qtbot, capsys):
    inbox, errors = Inbox(), []
    background = Background(inbox)
    background.start("topic", lambda _: 1 / 0, lambda _: None, errors.append)
    qtbot.waitUntil(lambda: bool(errors))
    background.close()
    inbox.stop()
    assert isinstance(errors[0], WorkbenchError)
    assert "ZeroDivisionError" in str(errors[0])
    assert "ZeroDivisionError" in capsys.readouterr().err


# --- importing ---------------------------------------------------------------------------------------------------


def test_that_an_import_begins_a_project_with_the_proposed_recipe(workspace, qtbot, tmp_path):
    imported(workspace, qtbot, write_table(tmp_path))
    assert workspace.project is not None
    assert workspace.project.name == "table"
    assert workspace.document.recipe.data.target == "kind"
    assert workspace.data.dataset is not None
    assert workspace.why_not_train() == ""
    assert workspace.settings.recent() == [workspace.project.path]


def test_that_a_broken_file_leaves_everything_as_it_was(workspace, qtbot, tmp_path):
    imported(workspace, qtbot, write_table(tmp_path))
    before = workspace.document.recipe, workspace.data.state, workspace.project
    bad = tmp_path / "bad.csv"
    bad.write_text("a,b\n1,2\n3\n4,5,6,7\n")
    with qtbot.waitSignal(workspace.failed, timeout=LONG) as caught:
        workspace.import_files([bad])
    assert "bad.csv" in str(caught.args[0])
    assert (workspace.document.recipe, workspace.data.state, workspace.project) == before


def test_that_a_second_import_after_training_begins_a_second_project(workspace, qtbot, tmp_path):
    imported(workspace, qtbot, write_table(tmp_path))
    trained(workspace, qtbot)
    first = workspace.project.path
    imported(workspace, qtbot, write_table(tmp_path, name="other.csv"))
    assert workspace.project.path != first
    assert workspace.runs.entries == []
    assert workspace.data.dataset is not None


def test_that_the_draft_is_saved_and_found_again(workspace, qtbot, tmp_path):
    imported(workspace, qtbot, write_table(tmp_path))
    workspace.document.set("training.epochs", 7, "epochs")
    path, recipe = workspace.project.path, workspace.document.recipe
    workspace.new_project()
    assert workspace.project is None
    assert workspace.data.state is None
    with qtbot.waitSignal(workspace.data.changed, timeout=LONG, check_params_cb=lambda state: state is not None):
        workspace.open_path(path)
    assert workspace.document.recipe == recipe


def test_that_a_project_that_another_window_holds_opens_read_only_and_does_not_train(workspace, qtbot, tmp_path):
    imported(workspace, qtbot, write_table(tmp_path))
    path = workspace.project.path
    workspace.save()
    other = Workspace()
    with qtbot.waitSignal(other.data.changed, timeout=LONG, check_params_cb=lambda state: state is not None):
        other.open_path(path)
    assert not other.project.writable
    errors: list[InputError] = []
    other.failed.connect(errors.append)
    assert other.train() == 0
    assert "read-only" in str(errors[0])
    other.shut_down()


# --- training ----------------------------------------------------------------------------------------------------


def test_that_a_run_is_trained_listed_diagnosed_and_there_after_a_restart(workspace, qtbot, tmp_path):
    imported(workspace, qtbot, write_table(tmp_path))
    number = trained(workspace, qtbot)
    curves = workspace.runs.curves(number)
    assert [event.epoch for event in curves.epochs] == [0, 1, 2, 3]
    assert curves.ended is not None
    assert workspace.runs.entry(number).ended_well
    path = workspace.project.path
    workspace.new_project()
    with qtbot.waitSignal(workspace.runs.resultReady, timeout=LONG):
        workspace.open_path(path)
    qtbot.waitUntil(lambda: len(workspace.runs.curves(number).epochs) == 4, timeout=LONG)
    assert workspace.runs.entry(number).figures["epochs"] == 3


def test_that_a_tried_knob_makes_a_child_that_differs_in_one_setting_and_tells_what_moved(workspace, qtbot, tmp_path):
    imported(workspace, qtbot, write_table(tmp_path))
    number = trained(workspace, qtbot)
    workspace.runs.set_goals(number, Goals(human_error=0.0, bayes_error=0.0))
    with qtbot.waitSignal(workspace.runs.resultReady, timeout=LONG):
        pass
    result = workspace.runs.result(number)
    knob = next(each for each in result.diagnosis.knobs if each.patch)
    child = workspace.runs.try_knob(number, knob)
    qtbot.waitUntil(lambda: bool(workspace.runs.result(number).tried), timeout=LONG)
    entry = workspace.runs.entry(child)
    assert entry.parent == number
    assert [change.path for change in entry.changes] == list(knob.patch)
    told, tried = workspace.runs.result(number).tried[0]
    assert told.number == child
    assert "bias" in tried.effect.text


def test_that_runs_wait_for_each_other_and_one_that_waits_can_be_taken_back(workspace, qtbot, tmp_path):
    imported(workspace, qtbot, write_table(tmp_path))
    workspace.document.set("training.epochs", 400, "long")
    first = workspace.train()
    second = workspace.train()
    assert workspace.runs.is_live(first)
    assert workspace.runs.is_queued(second)
    workspace.runs.stop(second)
    assert workspace.runs.busy() == (first,)
    assert workspace.runs.entry(second) is None
    qtbot.waitUntil(lambda: bool(workspace.runs.curves(first).epochs), timeout=LONG)
    workspace.runs.stop(first)
    qtbot.waitUntil(lambda: not workspace.runs.busy(), timeout=LONG)
    assert workspace.runs.entry(first).status == "stopped"


def test_that_a_run_pauses_takes_another_rate_and_goes_on(workspace, qtbot, tmp_path):
    imported(workspace, qtbot, write_table(tmp_path))
    workspace.document.set("training.epochs", 400, "long")
    number = workspace.train()
    curves = workspace.runs.curves(number)
    qtbot.waitUntil(lambda: bool(curves.epochs), timeout=LONG)
    workspace.runs.pause(number)
    qtbot.waitUntil(lambda: workspace.runs.curves(number).stage == "paused", timeout=LONG)
    workspace.runs.set_learning_rate(number, 0.0123)
    workspace.runs.unpause(number)
    qtbot.waitUntil(lambda: bool(workspace.runs.curves(number).changes), timeout=LONG)
    assert workspace.runs.curves(number).changes[0].after == pytest.approx(0.0123)
    workspace.runs.stop(number)
    qtbot.waitUntil(lambda: not workspace.runs.busy(), timeout=LONG)


def test_that_a_killed_process_loses_no_finished_epoch_and_can_go_on(workspace, qtbot, tmp_path):
    imported(workspace, qtbot, write_table(tmp_path))
    workspace.document.set("training.epochs", 300, "long")
    workspace.runs.spawn = True
    number = workspace.train()
    qtbot.waitUntil(lambda: len(workspace.runs.curves(number).epochs) > 2, timeout=LONG)
    workspace.runs.kill(number)
    qtbot.waitUntil(lambda: not workspace.runs.busy(), timeout=LONG)
    done = len(workspace.runs.curves(number).epochs)
    assert workspace.runs.entry(number).status in ("interrupted", "failed")
    workspace.runs.go_on(number)
    qtbot.waitUntil(lambda: len(workspace.runs.curves(number).epochs) > done, timeout=LONG)
    epochs = [event.epoch for event in workspace.runs.curves(number).epochs]
    assert epochs == list(range(len(epochs)))
    workspace.runs.stop(number)
    qtbot.waitUntil(lambda: not workspace.runs.busy(), timeout=LONG)


def test_that_a_sample_trains_without_another_click(workspace, qtbot):
    with qtbot.waitSignal(workspace.runs.resultReady, timeout=LONG):
        workspace.run_sample(sample("digits"))
    assert workspace.runs.result(1).diagnosis.verdict == sample("digits").verdict


def test_that_a_recipe_of_a_run_can_be_edited_again(workspace, qtbot, tmp_path):
    imported(workspace, qtbot, write_table(tmp_path))
    number = trained(workspace, qtbot)
    workspace.document.set("training.epochs", 50, "epochs")
    workspace.edit_run(number)
    assert workspace.document.recipe.training.epochs == 3
    workspace.document.undo_stack.undo()
    assert workspace.document.recipe.training.epochs == 50


# --- what was cut off --------------------------------------------------------------------------------------------


def test_that_a_run_that_was_cut_off_with_its_program_is_found(tmp_path):
    project = Project.create(tmp_path / "project")
    entry = project.add_run()
    entry.folder.mkdir(parents=True)
    (entry.folder / "run.sqlite").touch()
    project.close()
    found = cut_off_in([tmp_path / "gone", tmp_path / "project"])
    assert found is not None
    assert (found.project, found.number) == (tmp_path / "project", 1)


@pytest.mark.parametrize("status", ["finished", "stopped", "failed"])
def test_that_a_run_that_ended_is_not_offered(tmp_path, status):
    with Project.create(tmp_path / "project") as project:
        project.note(project.add_run().number, status)
    assert cut_off_in([tmp_path / "project"]) is None


def test_that_a_project_in_use_is_not_offered(tmp_path):
    with Project.create(tmp_path / "project") as project:
        project.add_run()
        assert cut_off_in([tmp_path / "project"]) is None


# --- settings ----------------------------------------------------------------------------------------------------


def test_that_settings_survive_damage_and_forget_what_is_gone(tmp_path):
    file = tmp_path / "settings.json"
    file.write_text("{ not json")
    settings = Settings(file)
    (tmp_path / "a").mkdir()
    settings.add_recent(tmp_path / "a")
    settings.add_recent(tmp_path / "gone")
    settings.set("theme", "dark")
    again = Settings(file)
    assert again.recent() == [tmp_path / "a"]
    assert again.get("theme", "light") == "dark"
    assert again.get("theme", 3) == 3, "a value of another type counts as none"


def test_that_a_recipe_opens_as_a_project(workspace, qtbot, tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(table_recipe(write_table(tmp_path)).toml())
    with qtbot.waitSignal(workspace.data.changed, timeout=LONG, check_params_cb=lambda state: state is not None):
        workspace.open_path(path)
    assert workspace.project.name == "mine"
    assert workspace.data.dataset is not None


def opened_run(workspace: Workspace, qtbot: Any, folder: Path) -> None:
    """Open a run folder and wait for what it came to."""
    with qtbot.waitSignal(workspace.runs.resultReady, timeout=LONG):
        workspace.open_path(folder)


def test_that_a_run_of_the_command_line_opens_with_its_curves_and_its_diagnosis(workspace, qtbot, tmp_path):
    run = finished_run(table_recipe(write_table(tmp_path)), tmp_path / "by-hand")
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    opened_run(workspace, qtbot, run)
    assert workspace.project.name == "by-hand"
    assert [(entry.folder, entry.status) for entry in workspace.runs.entries] == [(run, "finished")]
    assert workspace.runs.current == 1
    assert workspace.runs.result(1).diagnosis.knobs
    qtbot.waitUntil(lambda: [epoch.epoch for epoch in workspace.runs.curves(1).epochs][-1:] == [4], timeout=LONG)
    assert workspace.document.recipe == Recipe.load(run / "recipe.toml")
    assert {path: path.read_bytes() for path in before} == before


def test_that_a_run_opened_a_second_time_is_found_in_its_project_and_has_children_there(workspace, qtbot, tmp_path):
    run = finished_run(table_recipe(write_table(tmp_path)), tmp_path / "by-hand")
    opened_run(workspace, qtbot, run)
    first = workspace.project.path
    qtbot.waitUntil(lambda: workspace.data.up_to_date, timeout=LONG)
    assert trained(workspace, qtbot) == 2
    assert workspace.runs.entry(2).parent == 1
    opened_run(workspace, qtbot, run)
    assert (workspace.project.path, workspace.runs.current) == (first, 1)
    workspace.new_project()
    opened_run(workspace, qtbot, run)
    assert (workspace.project.path, workspace.runs.current) == (first, 1)
    assert not (projects_home() / "by-hand-2").exists()


def test_that_a_run_that_stands_in_a_project_opens_in_it_and_one_that_was_put_there_by_hand_by_itself(
    workspace, qtbot, tmp_path
):
    recipe = table_recipe(write_table(tmp_path), epochs=1)
    with Project.create(tmp_path / "mine") as project:
        train_in(project, recipe)
        train_in(project, recipe)
    opened_run(workspace, qtbot, tmp_path / "mine" / "runs" / "run-1")
    assert (workspace.project.path, workspace.runs.current) == (tmp_path / "mine", 1)
    by_hand = finished_run(recipe, tmp_path / "mine" / "runs" / "by-hand")
    opened_run(workspace, qtbot, by_hand)
    assert workspace.project.name == "by-hand"
    assert workspace.runs.entry(workspace.runs.current).folder == by_hand


def test_that_a_run_that_was_stopped_on_the_command_line_goes_on_in_its_own_folder(workspace, qtbot, tmp_path):
    folder, control = tmp_path / "by-hand", Control()
    for event in run_request(RunRequest("r", folder, table_recipe(write_table(tmp_path)), "cpu", 1), control):
        if isinstance(event, EpochDone) and event.epoch == 1:
            control.stop()
    opened_run(workspace, qtbot, folder)
    assert workspace.runs.entry(1).status == "stopped"
    with qtbot.waitSignal(workspace.runs.resultReady, timeout=LONG):
        workspace.runs.go_on(1)
    assert workspace.runs.entry(1).status == "finished"
    with RunFolder.open(folder) as run:
        assert run.summary()["epochs"] == 4
    assert not (workspace.project.path / "runs" / "run-1").exists()


def test_that_a_damaged_run_of_the_command_line_leaves_no_project_behind(workspace, qtbot, tmp_path):
    run = finished_run(table_recipe(write_table(tmp_path)), tmp_path / "by-hand")
    (run / "run.sqlite").write_bytes(b"not a database at all")
    with qtbot.waitSignal(workspace.failed, timeout=LONG) as caught:
        workspace.open_path(run)
    assert "run.sqlite" in str(caught.args[0])
    assert workspace.project is None
    assert not (projects_home() / "by-hand").exists()


# --- from one project to another ---------------------------------------------------------------------------------


def test_that_results_of_one_project_do_not_show_in_another(workspace, qtbot, tmp_path):
    imported(workspace, qtbot, write_table(tmp_path))
    trained(workspace, qtbot)
    first = workspace.project.path
    imported(workspace, qtbot, write_table(tmp_path, name="other.csv"))
    second = workspace.project.path
    workspace.open_path(first)
    # Its result is being read while the project is left again.
    workspace.open_path(second)
    with qtbot.waitSignal(workspace.data.changed, timeout=LONG, check_params_cb=lambda state: state is not None):
        pass
    qtbot.wait(300)
    assert workspace.runs.result(1) is None
    assert workspace.runs.curves_if_known(1) is None


def test_that_a_quick_undo_keeps_the_data_that_belong_to_the_recipe(workspace, qtbot, tmp_path):
    imported(workspace, qtbot, write_table(tmp_path))
    before = workspace.data.state
    workspace.document.set("data.normalize", "minmax", "minmax")
    workspace.data.reload()
    workspace.document.undo_stack.undo()
    qtbot.wait(500)
    assert workspace.data.up_to_date
    assert workspace.data.state is before


def test_that_opening_the_open_project_again_changes_nothing(workspace, qtbot, tmp_path):
    imported(workspace, qtbot, write_table(tmp_path))
    project = workspace.project
    workspace.document.set("training.epochs", 77, "epochs")
    workspace.open_path(project.path)
    assert workspace.project is project
    assert project.writable
    assert workspace.document.recipe.training.epochs == 77


def test_that_a_damaged_draft_is_told_of_and_put_aside(workspace, qtbot, tmp_path):
    imported(workspace, qtbot, write_table(tmp_path))
    trained(workspace, qtbot)
    path = workspace.project.path
    workspace.new_project()
    (path / "recipe.toml").write_text("[training]\nepochs = -3\n")
    errors: list[WorkbenchError] = []
    workspace.failed.connect(errors.append)
    workspace.open_path(path)
    assert "epochs" in str(errors[0])
    assert workspace.document.recipe.training.epochs == 3, "the latest run's recipe takes its place"
    assert "epochs = -3" in (path / "recipe.toml.damaged").read_text()


def test_that_a_project_opened_while_a_sample_is_read_does_not_train_by_itself(workspace, qtbot, tmp_path):
    imported(workspace, qtbot, write_table(tmp_path))
    path = workspace.project.path
    workspace.run_sample(sample("digits"))
    workspace.open_path(path)
    with qtbot.waitSignal(workspace.data.changed, timeout=LONG, check_params_cb=lambda state: state is not None):
        pass
    qtbot.wait(300)
    assert workspace.runs.entries == []


def test_that_an_import_into_an_edited_project_begins_another_one(workspace, qtbot, tmp_path):
    imported(workspace, qtbot, write_table(tmp_path))
    workspace.document.set("training.epochs", 77, "epochs")
    first = workspace.project.path
    imported(workspace, qtbot, write_table(tmp_path, name="other.csv"))
    assert workspace.project.path != first
    with Project.open(first) as project:
        assert project.draft().training.epochs == 77


def test_that_a_project_in_which_nothing_was_done_is_called_after_what_is_imported_into_it(workspace, qtbot, tmp_path):
    def read(name: str) -> None:
        with qtbot.waitSignal(workspace.data.proposed, timeout=LONG):
            workspace.import_files([write_table(tmp_path, name=name)])

    read("first.csv")
    first = workspace.project.path
    told = []
    workspace.projectChanged.connect(lambda: told.append(workspace.project.name))
    read("second.csv")
    second = workspace.project.path
    assert (second.name, told) == ("second", ["second"])
    assert not first.exists()
    assert workspace.settings.recent() == [second]
    assert workspace.data.dataset is not None
    workspace.save()
    assert workspace.project.draft() == workspace.document.recipe
    # The same data once more are the same project.
    read("second.csv")
    assert workspace.project.path == second
    # It trains under its new name.
    imported_again = {"training.epochs": 1, "training.early_stopping": None, "data.split": SPLIT}
    workspace.document.set_many(imported_again, "short")
    qtbot.waitUntil(lambda: workspace.data.up_to_date, timeout=LONG)
    trained(workspace, qtbot)
    assert workspace.runs.entry(1).folder.parent.parent == second


def test_that_a_project_that_was_opened_keeps_the_name_that_it_has(workspace, qtbot, tmp_path):
    Project.create(tmp_path / "mine").close()
    workspace.open_path(tmp_path / "mine")
    with qtbot.waitSignal(workspace.data.proposed, timeout=LONG):
        workspace.import_files([write_table(tmp_path)])
    assert workspace.project.path == tmp_path / "mine"


def test_that_a_project_that_cannot_be_moved_keeps_its_name(workspace, qtbot, tmp_path, monkeypatch):
    with qtbot.waitSignal(workspace.data.proposed, timeout=LONG):
        workspace.import_files([write_table(tmp_path)])
    first = workspace.project.path
    monkeypatch.setattr("workbench.store.project.move_folder", lambda path, to: False)
    with qtbot.waitSignal(workspace.data.proposed, timeout=LONG):
        workspace.import_files([write_table(tmp_path, name="other.csv")])
    assert workspace.project.path == first
    assert workspace.project.writable


def test_that_nothing_trains_while_data_are_being_read(workspace, qtbot, tmp_path):
    imported(workspace, qtbot, write_table(tmp_path))
    with qtbot.waitSignal(workspace.data.proposed, timeout=LONG):
        workspace.import_files([write_table(tmp_path, name="other.csv")])
        assert "being read" in workspace.why_not_train()
    assert workspace.why_not_train() == ""


def test_that_a_list_that_cannot_be_saved_does_not_hold_up_the_next_run(workspace, qtbot, tmp_path, monkeypatch):
    imported(workspace, qtbot, write_table(tmp_path))
    errors: list[WorkbenchError] = []
    workspace.failed.connect(errors.append)
    first, second = workspace.train(), workspace.train()
    note = workspace.project.note

    def full(number, *rest, **named):
        if number == first:
            raise StoreError("the disk is full")
        return note(number, *rest, **named)

    monkeypatch.setattr(workspace.project, "note", full)
    with qtbot.waitSignal(workspace.runs.resultReady, timeout=LONG):
        pass
    assert workspace.runs.entry(second).ended_well
    assert "disk is full" in str(errors[0])


def test_that_a_run_whose_end_was_not_heard_yet_is_not_taken_for_cut_off(workspace, qtbot, tmp_path):
    imported(workspace, qtbot, write_table(tmp_path))
    number = workspace.train()
    # The window is busy elsewhere until the run has ended.
    workspace.runs._live[number].run.join(20)
    path = workspace.project.path
    workspace.new_project()
    with Project.open(path) as project:
        assert project.run(number).status == "finished"
        assert project.run(number).figures["epochs"] == 3


def test_that_a_run_that_waited_leaves_no_trace_when_the_project_is_closed(workspace, qtbot, tmp_path):
    imported(workspace, qtbot, write_table(tmp_path))
    workspace.document.set("training.epochs", 20_000, "long")
    first, second = workspace.train(), workspace.train()
    path = workspace.project.path
    workspace.new_project()
    with Project.open(path) as project:
        assert [entry.number for entry in project.runs()] == [first]
        assert second != first


def test_that_goals_given_in_quick_succession_do_not_get_in_each_others_way(workspace, qtbot, tmp_path):
    imported(workspace, qtbot, write_table(tmp_path))
    number = trained(workspace, qtbot)
    errors: list[object] = []
    workspace.runs.resultFailed.connect(lambda _, error: errors.append(error))
    for error in (0.01, 0.02, 0.03):
        workspace.runs.set_goals(number, Goals(human_error=error))
    qtbot.waitUntil(lambda: workspace.runs.result(number).goals.human_error == 0.03, timeout=LONG)
    assert not errors


def test_that_a_read_only_project_neither_resumes_nor_hides(workspace, qtbot, tmp_path):
    imported(workspace, qtbot, write_table(tmp_path))
    number = trained(workspace, qtbot)
    other = Workspace()
    with qtbot.waitSignal(other.data.changed, timeout=LONG, check_params_cb=lambda state: state is not None):
        other.open_path(workspace.project.path)
    with pytest.raises(InputError, match="open elsewhere"):
        other.runs.go_on(number)
    other.runs.hide(number)
    assert [entry.number for entry in other.runs.entries] == [number]
    other.shut_down()


def test_that_a_file_in_the_way_of_a_projects_folder_is_passed_by(workspace, qtbot, tmp_path):
    home = projects_home()
    home.mkdir(parents=True, exist_ok=True)
    (home / "table").write_text("a file")
    imported(workspace, qtbot, write_table(tmp_path))
    assert workspace.project.name == "table-2"


def test_that_a_run_resumed_after_a_restart_keeps_its_whole_curve(workspace, qtbot, tmp_path):
    imported(workspace, qtbot, write_table(tmp_path))
    workspace.document.set("training.epochs", 20_000, "long")
    number = workspace.train()
    qtbot.waitUntil(lambda: len(workspace.runs.curves(number).epochs) > 3, timeout=LONG)
    path = workspace.project.path
    workspace.new_project()
    workspace.open_path(path)
    workspace.runs.go_on(number)
    qtbot.waitUntil(lambda: workspace.runs.curves(number).ended is None, timeout=LONG)
    before = len(workspace.runs.curves(number).epochs)
    qtbot.waitUntil(lambda: len(workspace.runs.curves(number).epochs) > before + 3, timeout=LONG)
    epochs = [event.epoch for event in workspace.runs.curves(number).epochs]
    assert epochs == list(range(len(epochs)))
    workspace.runs.stop(number)
    assert workspace.runs.is_stopping(number)
    qtbot.waitUntil(lambda: not workspace.runs.busy(), timeout=LONG)
    assert not workspace.runs.is_stopping(number)
