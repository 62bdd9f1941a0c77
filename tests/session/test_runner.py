import os
import queue
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from support.small_runs import picture_recipe, table_recipe, write_pictures, write_table

from workbench.evaluation.predictor import Model, Predictor
from workbench.events import EpochDone, Notice, Paused, RunEnded
from workbench.session.results import diagnosis_of_run, predictions_of_run
from workbench.session.runner import Run, RunRequest, RunState
from workbench.store.run_folder import RunFolder


class Inbox:
    """Collects events and lets a test wait for one."""

    def __init__(self):
        self.queue = queue.SimpleQueue()
        self.seen = []

    def __call__(self, event):
        self.queue.put(event)

    def wait_for(self, kind, timeout=60):
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            try:
                event = self.queue.get(timeout=end - time.monotonic())
            except queue.Empty:
                break
            self.seen.append(event)
            if isinstance(event, kind):
                return event
            assert not isinstance(event, RunEnded), event
        raise AssertionError(f"no {kind.__name__} among {self.seen}")


def start(request, spawn):
    inbox = Inbox()
    run = Run(request, inbox, spawn=spawn)
    run.start()
    return run, inbox


def weights(folder):
    with RunFolder.open(folder) as run:
        return run.load("last").tensors


def test_that_a_spawned_run_gives_the_same_bits_as_one_in_this_process(tmp_path):
    recipe = picture_recipe(write_pictures(tmp_path))
    for name, spawn in (("here", False), ("there", True)):
        run, inbox = start(RunRequest(name, tmp_path / name, recipe, "cpu", 1), spawn)
        ended = inbox.wait_for(RunEnded)
        assert ended.reason == "finished"
        assert run.join(10)
        assert run.state is RunState.ENDED
        assert {event.run for event in inbox.seen} == {name}
    here, there = weights(tmp_path / "here"), weights(tmp_path / "there")
    assert here.keys() == there.keys()
    for name in here:
        np.testing.assert_array_equal(here[name], there[name])


@pytest.mark.parametrize("spawn", [False, True])
def test_that_pause_resume_and_stop_are_obeyed(tmp_path, spawn):
    recipe = table_recipe(write_table(tmp_path), epochs=100_000)
    run, inbox = start(RunRequest("r", tmp_path / "run", recipe, "cpu", 1), spawn)
    inbox.wait_for(EpochDone)
    run.pause()
    paused = inbox.wait_for(Paused)
    assert run.state is RunState.PAUSED
    run.resume()
    while inbox.wait_for(EpochDone).step <= paused.step:
        pass
    run.stop()
    ended = inbox.wait_for(RunEnded)
    assert ended.reason == "stopped"
    assert run.join(10)
    with RunFolder.open(tmp_path / "run") as folder:
        assert folder.load("last").facts["step"] > paused.step


def test_that_bad_input_becomes_the_last_event(tmp_path):
    recipe = table_recipe(tmp_path / "missing.csv")
    run, inbox = start(RunRequest("r", tmp_path / "run", recipe), False)
    ended = inbox.wait_for(RunEnded)
    assert ended.reason == "failed"
    assert "missing.csv" in ended.message
    assert run.join(10)
    assert not (tmp_path / "run").exists()


def test_that_a_killed_process_is_noticed_and_its_run_can_be_resumed(tmp_path):
    recipe = table_recipe(write_table(tmp_path), epochs=100_000)
    run, inbox = start(RunRequest("r", tmp_path / "run", recipe, "cpu", 1), True)
    while (seen := inbox.wait_for(EpochDone)).epoch < 5:
        pass
    run.kill()
    ended = inbox.wait_for(RunEnded)
    assert ended.reason == "failed"
    assert "ended unexpectedly" in ended.message
    assert run.join(10)
    with RunFolder.open(tmp_path / "run") as folder:
        folder.verify()
        saved = folder.load("last").facts["epoch"]
    assert saved >= seen.epoch
    run, inbox = start(RunRequest("r", tmp_path / "run", None, "cpu", 1, resume=True), True)
    assert inbox.wait_for(EpochDone).epoch > saved
    run.stop()
    assert inbox.wait_for(RunEnded).reason == "stopped"
    assert run.join(10)


_PARENT = """
import sys, time
from pathlib import Path
sys.path[:0] = {path!r}
if __name__ == "__main__":
    from support.small_runs import table_recipe
    from workbench.session.runner import Run, RunRequest
    recipe = table_recipe(Path({table!r}), epochs=1_000_000)
    run = Run(RunRequest("r", Path({folder!r}), recipe, "cpu", 1), lambda event: None, spawn=True)
    run.start()
    time.sleep(60)
"""


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes in /proc")
def test_that_the_compute_process_ends_when_the_app_is_killed(tmp_path):
    table, folder = str(write_table(tmp_path)), str(tmp_path / "run")
    script = tmp_path / "parent.py"
    script.write_text(_PARENT.format(path=[p for p in sys.path if p], table=table, folder=folder))
    parent = subprocess.Popen([sys.executable, str(script)])
    deadline = time.monotonic() + 60
    while not list((tmp_path / "run" / "checkpoints").glob("*-epoch-[1-9]*")):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    while time.monotonic() < deadline:
        try:
            RunFolder.open(tmp_path / "run", write=True).close()
            break
        except Exception:
            time.sleep(0.1)
    with RunFolder.open(tmp_path / "run", write=True) as run:
        run.verify()


def test_that_a_missing_gpu_is_said_and_replaced(tmp_path):
    try:
        import cupy
    except ImportError:
        pass
    else:
        pytest.skip(f"CuPy {cupy.__version__} is here")
    recipe = table_recipe(write_table(tmp_path))
    _, inbox = start(RunRequest("r", tmp_path / "run", recipe, "cuda", 1), False)
    notice = inbox.wait_for(Notice)
    assert "CuPy is not installed" in notice.text
    assert "on the CPU" in notice.text
    assert inbox.wait_for(RunEnded).summary["device"] == "cpu"


def test_that_a_finished_run_holds_its_predictions_and_a_diagnosis(tmp_path):
    recipe = table_recipe(write_table(tmp_path)).replace({"goals.human_error": 0.05})
    _, inbox = start(RunRequest("r", tmp_path / "run", recipe, "cpu", 1), False)
    summary = inbox.wait_for(RunEnded).summary
    with RunFolder.open(tmp_path / "run") as folder:
        predictions, diagnosis = predictions_of_run(folder), diagnosis_of_run(folder)
        model = Model.of_folder(folder)
    assert predictions.n == 240
    assert diagnosis.levels.dev.value == pytest.approx(summary["errors"]["dev"]["value"])
    assert diagnosis.knobs
    inputs = prepare_inputs(recipe)
    with Predictor(model) as predictor:
        again = predictor.predict(inputs[[int(number) - 1 for number in predictions.id]])
    np.testing.assert_allclose(again, predictions.probabilities, atol=1e-6)


def prepare_inputs(recipe):
    from workbench.session.prepare import prepare

    return prepare(recipe, device="cpu", threads=1).dataset.inputs


def test_that_a_process_that_cannot_be_started_ends_the_run(tmp_path, capfd):
    recipe = table_recipe(write_table(tmp_path))
    unsendable = RunRequest("r", tmp_path / "run", recipe, "cpu", 1, cache=lambda: None)
    run, inbox = start(unsendable, True)
    run.stop()
    ended = inbox.wait_for(RunEnded)
    assert ended.reason == "failed"
    assert "could not be used" in ended.message
    assert run.join(10)
    assert run.state is RunState.ENDED
    assert "Traceback" in capfd.readouterr().err, "the log has the whole story"


def test_that_requests_to_a_process_that_died_at_once_are_dropped():
    import multiprocessing

    from workbench.session.runner import _RemoteControl

    control = _RemoteControl()
    control.stop()
    ours, theirs = multiprocessing.Pipe()
    theirs.close()
    with ours:
        control.connect(ours, None)
        control.pause()
        control.disconnect()


def test_that_an_answer_that_nobody_understands_ends_the_run(tmp_path, capfd, monkeypatch):
    recipe = table_recipe(write_table(tmp_path), epochs=100_000)
    monkeypatch.setattr("workbench.session.runner._compute", babble)
    run, inbox = start(RunRequest("r", tmp_path / "run", recipe, "cpu", 1), True)
    ended = inbox.wait_for(RunEnded)
    assert (ended.reason, run.state) == ("failed", RunState.ENDED)
    assert "could not be used" in ended.message
    assert run.join(10)
    capfd.readouterr()


def babble(request, connection):
    connection.send_bytes(b"no pickle")
    time.sleep(60)


def test_that_a_goal_for_the_time_of_a_prediction_is_judged_by_what_was_timed(tmp_path):
    recipe = table_recipe(write_table(tmp_path)).replace({"goals.max_latency_ms": 1e6})
    run, inbox = start(RunRequest("timed", tmp_path / "run", recipe, "cpu", 1), False)
    told = inbox.wait_for(RunEnded).summary["latency"]
    assert 0 < told["median_ms"] <= told["p95_ms"]
    run.join(10)
    with RunFolder.open(tmp_path / "run") as folder:
        kept = next(finding for finding in diagnosis_of_run(folder).findings if finding.id == "latency")
        assert kept.measured["kept"]
        late = diagnosis_of_run(folder, goals=recipe.goals.model_copy(update={"max_latency_ms": 1e-9}))
    assert not next(finding for finding in late.findings if finding.id == "latency").measured["kept"]


@pytest.mark.parametrize(("epochs", "stopping"), [(3, {"patience": 5}), (90, {"patience": 1, "min_delta": 0.5})])
def test_that_a_diagnosis_knows_whether_early_stopping_did_anything(tmp_path, epochs, stopping):
    recipe = table_recipe(write_table(tmp_path), epochs=epochs, early_stopping=stopping)
    _, inbox = start(RunRequest("r", tmp_path / "run", recipe, "cpu", 1), False)
    ended = inbox.wait_for(RunEnded)
    assert (ended.reason == "early_stopping") == (epochs == 90)
    with RunFolder.open(tmp_path / "run") as folder:
        knobs = {knob.id for knob in diagnosis_of_run(folder).knobs}
    acted = ended.reason == "early_stopping" or ended.best_epoch < ended.epochs
    assert ("no_early_stopping" in knobs) == acted
