import multiprocessing
import sqlite3
import time

import numpy as np
import pytest

from workbench.errors import InputError, StoreError
from workbench.events import Notice, Paused, event_of_json
from workbench.recipe.recipe import Recipe
from workbench.store.run_folder import Checkpoint, RunFolder

RECIPE = Recipe()


def checkpoint(epoch: int, value: float = 0.0) -> Checkpoint:
    return Checkpoint({"w": np.full(3, value, np.float32)}, {"epoch": epoch, "step": 10 * epoch})


def notice(text: str) -> Notice:
    return Notice("run", time.time(), text)


def test_that_a_folder_with_content_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="not empty"):
        RunFolder.create(tmp_path, RECIPE)
    assert [file.name for file in tmp_path.iterdir()] == ["notes.txt"]


def test_that_events_and_the_recipe_come_back(tmp_path):
    made = [notice("a “quote”"), Paused("run", 1.5, 7, 0.25)]
    recipe = RECIPE.replace("training.epochs", 7)
    with RunFolder.create(tmp_path / "run", recipe) as folder:
        folder.commit(made)
    with RunFolder.open(tmp_path / "run") as folder:
        assert folder.events() == made
        assert folder.recipe == recipe


def test_that_last_and_best_are_kept_and_others_are_removed(tmp_path):
    with RunFolder.create(tmp_path / "run", RECIPE) as folder:
        for epoch in range(6):
            folder.commit([], checkpoint(epoch, epoch), best=epoch == 2)
        assert [row.epoch for row in folder.checkpoints()] == [2, 5]
        assert folder.load("best").tensors["w"][0] == 2
        assert folder.load("last").facts["epoch"] == 5
        assert len(list((tmp_path / "run" / "checkpoints").iterdir())) == 2


def test_that_the_state_before_a_change_is_kept(tmp_path):
    with RunFolder.create(tmp_path / "run", RECIPE) as folder:
        folder.commit([], checkpoint(1), reason="change")
        folder.commit([], checkpoint(2))
        folder.commit([], checkpoint(3))
        assert [row.epoch for row in folder.checkpoints()] == [1, 3]


def test_that_a_flipped_bit_is_noticed_and_the_checkpoint_before_is_used(tmp_path):
    with RunFolder.create(tmp_path / "run", RECIPE) as folder:
        folder.commit([], checkpoint(1), best=True)
        row = folder.commit([], checkpoint(2))
        path = tmp_path / "run" / row.file
        data = bytearray(path.read_bytes())
        data[-1] ^= 1
        path.write_bytes(data)
        with pytest.raises(StoreError, match="damaged"):
            folder.verify()
        assert folder.load("last").facts["epoch"] == 1


def test_that_a_second_writer_is_refused_and_readers_are_not(tmp_path):
    with RunFolder.create(tmp_path / "run", RECIPE) as folder:
        folder.commit([notice("x")])
        with pytest.raises(StoreError, match="in use by process"):
            RunFolder.open(tmp_path / "run", write=True)
        with RunFolder.open(tmp_path / "run") as reader:
            assert len(reader.events()) == 1
    RunFolder.open(tmp_path / "run", write=True).close()


def test_that_a_folder_that_is_no_run_is_refused(tmp_path):
    with pytest.raises(InputError, match="no run folder"):
        RunFolder.open(tmp_path)


def test_that_a_foreign_database_is_refused(tmp_path):
    RunFolder.create(tmp_path / "run", RECIPE).close()
    (tmp_path / "run" / "run.sqlite").unlink()
    other = sqlite3.connect(tmp_path / "run" / "run.sqlite")
    other.execute("CREATE TABLE t (a)")
    other.close()
    with pytest.raises(StoreError, match="not made by Workbench"):
        RunFolder.open(tmp_path / "run")


def test_that_a_file_outside_the_folder_is_refused(tmp_path):
    with RunFolder.create(tmp_path / "run", RECIPE) as folder:
        folder.commit([], checkpoint(1))
        with folder._database.transaction() as connection:
            connection.execute("UPDATE checkpoints SET file = '../../secret'")
        with pytest.raises(StoreError, match="outside"):
            folder.load("last")


def _write_until_killed(path, acknowledged):
    with RunFolder.create(path, RECIPE) as folder:
        for epoch in range(1, 10_000):
            folder.commit([notice(str(epoch))], checkpoint(epoch, epoch), best=epoch % 3 == 0)
            acknowledged.value = epoch


@pytest.mark.parametrize("delay", [0.0, 0.013, 0.029, 0.05, 0.11])
def test_that_a_kill_loses_nothing_that_was_acknowledged(tmp_path, delay):
    context = multiprocessing.get_context("spawn")
    acknowledged = context.Value("q", 0)
    process = context.Process(target=_write_until_killed, args=(tmp_path / "run", acknowledged))
    process.start()
    while not acknowledged.value:
        time.sleep(0.001)
    time.sleep(delay)
    process.kill()
    process.join()
    with RunFolder.open(tmp_path / "run", write=True) as folder:
        folder.verify()
        last = folder.load("last")
        assert last.facts["epoch"] >= acknowledged.value
        assert last.tensors["w"][0] == last.facts["epoch"]
        assert len(folder.events()) == last.facts["epoch"]


def test_that_an_event_of_a_newer_version_is_passed_over(tmp_path):
    with RunFolder.create(tmp_path / "run", RECIPE) as folder:
        folder.commit([notice("known")])
        with folder._database.transaction() as connection:
            connection.execute("""INSERT INTO events (text) VALUES ('{"event": "FromTheFuture", "run": "x"}')""")
        assert len(folder.events()) == 1
    with pytest.raises(ValueError, match="no event"):
        event_of_json('{"event": "FromTheFuture"}')
