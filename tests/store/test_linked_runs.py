"""Runs that were made elsewhere than in a project, and are listed in one."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from support.finished_runs import finished_run
from support.small_runs import table_recipe, write_table

from workbench.errors import InputError
from workbench.events import RunEnded
from workbench.store.lock import FolderLock, holder_of
from workbench.store.project import Project
from workbench.store.run_folder import RunFolder
from workbench.store.standing import standing_of


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run in no project."""
    home = tmp_path_factory.mktemp("runs")
    return finished_run(table_recipe(write_table(home), epochs=2), home / "by-hand")


def contents(folder: Path) -> dict[str, str]:
    """Every file of a folder with its SHA-256."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_that_a_run_from_elsewhere_is_listed_with_what_it_came_to_and_its_folder_is_left_as_it_was(run, tmp_path):
    before = contents(run)
    with Project.create(tmp_path / "project") as project:
        entry = project.link_run(run)
        assert (entry.number, entry.folder, entry.linked) == (1, run, True)
        assert entry.status == "finished"
        assert entry.figures["errors"]["dev"]["n"] > 0
        assert project.number_of(run) == 1
        assert not (project.path / "runs" / "run-1").exists()
        assert project.add_run(1).folder == project.path / "runs" / "run-2"
    # SQLite leaves its empty side files wherever a log is read.
    assert contents(run).items() >= before.items()


def test_that_the_list_names_the_folder_after_a_restart_also_where_nothing_may_be_written(run, tmp_path):
    with Project.create(tmp_path / "project") as project:
        project.link_run(run)
    with Project.open(tmp_path / "project", write=False) as project:
        assert [(entry.folder, entry.linked) for entry in project.runs()] == [(run, True)]


def test_that_a_project_without_such_runs_is_as_earlier_versions_made_it(tmp_path):
    with Project.create(tmp_path / "project") as project:
        assert not project.add_run().linked
        assert project.number_of(tmp_path / "nowhere") == 0


def test_that_a_folder_without_a_run_is_refused_and_not_listed(tmp_path):
    with Project.create(tmp_path / "project") as project:
        with pytest.raises(InputError, match="no run folder"):
            project.link_run(tmp_path)
        assert project.runs() == []


def test_that_what_happened_to_a_run_meanwhile_is_seen_when_its_project_is_opened(run, tmp_path):
    recipe = RunFolder.open(run).recipe
    with RunFolder.create(tmp_path / "run", recipe) as folder:
        with Project.create(tmp_path / "project") as project:
            assert project.link_run(tmp_path / "run").status == "running", "its writer holds the folder"
        folder.commit([RunEnded("run", 2.0, "diverged", "too fast", 1, None, {})])
    with Project.open(tmp_path / "project") as project:
        (entry,) = project.runs()
    assert (entry.status, entry.message) == ("diverged", "too fast")


def test_that_a_run_without_an_end_counts_as_cut_off(run, tmp_path):
    RunFolder.create(tmp_path / "run", RunFolder.open(run).recipe).close()
    assert standing_of(tmp_path / "run").status == "interrupted"


def test_that_a_run_whose_folder_is_gone_stays_listed_as_it_was(run, tmp_path):
    recipe = RunFolder.open(run).recipe
    with RunFolder.create(tmp_path / "run", recipe) as folder:
        folder.commit([RunEnded("run", 2.0, "finished", "", 1, 1, {"errors": {}})])
    with Project.create(tmp_path / "project") as project:
        project.link_run(tmp_path / "run")
    (tmp_path / "run").rename(tmp_path / "moved")
    with Project.open(tmp_path / "project") as project:
        assert [entry.status for entry in project.runs()] == ["finished"]


def test_that_asking_who_holds_a_folder_changes_nothing_in_it(tmp_path):
    assert holder_of(tmp_path) == ""
    assert list(tmp_path.iterdir()) == []
    lock = FolderLock(tmp_path)
    lock.acquire()
    assert "process" in holder_of(tmp_path)
    lock.release()
    before = contents(tmp_path)
    assert holder_of(tmp_path) == ""
    assert contents(tmp_path) == before
