"""The worker thread that drives a run, in this process or in a spawned one.

    created ──start()──> starting ──(first event)──> running <──pause/resume──> paused
                             └───────────────────────────┴──(RunEnded)──> ended

Events go to a sink, one call each, from the worker thread. ``pause``, ``stop`` and the rest are requests that return
at once and are honored at the next batch; ``kill`` ends a spawned process at once, its last committed epoch being safe.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from workbench.errors import WorkbenchError
from workbench.events import Event, Paused, Progress, Resumed, RunEnded
from workbench.recipe.recipe import Recipe
from workbench.session.experiment import run_experiment
from workbench.session.prepare import prepare
from workbench.store.run_folder import RunFolder
from workbench.training.control import Control

Sink = Callable[[Event], None]


@dataclass(frozen=True)
class RunRequest:
    """Everything a run is a function of; plain data that crosses to another process.

    Attributes:
        run: its name in events.
        folder: the run folder; made unless ``resume``.
        recipe: as TOML, with absolute data paths; ignored where ``resume``, the folder holds it.
        device: ``auto``, ``cpu`` or ``cuda``.
        threads: compute threads; all cores where None.
        cache: where read data is kept.
        resume: whether to go on from the folder's last checkpoint.
    """

    run: str
    folder: Path
    recipe: Recipe | None
    device: str = "auto"
    threads: int | None = None
    cache: Path | None = None
    resume: bool = False


class RunState(Enum):
    """Where a run stands."""

    CREATED = "created"
    STARTING = "starting"
    RUNNING = "running"
    PAUSED = "paused"
    ENDED = "ended"


def run_request(request: RunRequest, control: Control) -> Iterator[Event]:
    """Prepare and run; whatever goes wrong becomes the last event, a ``RunEnded``."""
    try:
        yield from _run(request, control)
    except WorkbenchError as error:
        yield _failure(request, str(error))
    except Exception as error:
        # Only a bug leads here: the user gets one line, the log the whole story.
        traceback.print_exc()
        yield _failure(request, f"Something unexpected happened: {type(error).__name__}: {error}.")


def _run(request: RunRequest, control: Control) -> Iterator[Event]:
    waiting: list[Progress] = []

    def progress(stage: str, done: int, total: int) -> None:
        waiting.append(Progress(request.run, time.time(), stage, done, total))

    yield Progress(request.run, time.time(), "reading data", 0, 0)
    if request.resume:
        folder = RunFolder.open(request.folder, write=True)
        recipe = folder.recipe
    else:
        assert request.recipe is not None
        recipe = request.recipe
    try:
        prepared = prepare(
            recipe, device=request.device, threads=request.threads, cache=request.cache, progress=progress,
            resume=request.resume,
        )  # fmt: skip
        if not request.resume:
            folder = RunFolder.create(request.folder, recipe)
    except BaseException:
        if request.resume:
            folder.close()
        raise
    with folder:
        yield from run_experiment(prepared, folder, request.run, control, resume=request.resume)


def _failure(request: RunRequest, message: str) -> RunEnded:
    return RunEnded(request.run, time.time(), "failed", message, 0, None, {})


class Run:
    """A run and the worker thread that drives it.

    Args:
        request: what to run.
        sink: called with each event, from the worker thread; must not raise or wait.
        spawn: whether to compute in a process of its own.
    """

    def __init__(self, request: RunRequest, sink: Sink, *, spawn: bool) -> None:
        self.request, self._sink = request, sink
        self.state = RunState.CREATED
        self._control = _RemoteControl() if spawn else Control()
        work = self._drive_process if spawn else self._drive_here
        self._thread = threading.Thread(target=work, name=f"run-{request.run}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self.state = RunState.STARTING
        self._thread.start()

    def pause(self) -> None:
        """Ask it to wait after the current batch."""
        self._control.pause()

    def resume(self) -> None:
        """Ask it to go on."""
        self._control.resume()

    def stop(self) -> None:
        """Ask it to end after the current batch; its checkpoint is kept."""
        self._control.stop()

    def set_learning_rate(self, rate: float) -> None:
        """Ask for another base learning rate."""
        self._control.set_learning_rate(rate)

    def kill(self) -> None:
        """End a spawned process at once; in this process it is no more than ``stop``."""
        self._control.stop()
        if isinstance(self._control, _RemoteControl):
            self._control.kill()

    def join(self, timeout: float | None = None) -> bool:
        """Wait for the end; whether it has ended."""
        if self._thread.ident is not None:
            self._thread.join(timeout)
        return not self._thread.is_alive()

    def _pass_on(self, event: Event) -> None:
        if isinstance(event, RunEnded):
            self.state = RunState.ENDED
        elif isinstance(event, Paused):
            self.state = RunState.PAUSED
        elif isinstance(event, Resumed) or self.state is RunState.STARTING:
            self.state = RunState.RUNNING
        self._sink(event)

    def _drive_here(self) -> None:
        assert isinstance(self._control, Control)
        for event in run_request(self.request, self._control):
            self._pass_on(event)

    def _drive_process(self) -> None:
        try:
            text = _death_text(self._through_process())
        except Exception as error:
            # The process could not be started, or said what nobody understands: a run must end in any case.
            traceback.print_exc()
            text = f"The compute process could not be used: {type(error).__name__}: {error}."
        if self.state is not RunState.ENDED:
            self._pass_on(_failure(self.request, text))

    def _through_process(self) -> int | None:
        """Compute in a process of its own; its exit code."""
        assert isinstance(self._control, _RemoteControl)
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=_compute, args=(self.request, theirs), name=f"workbench {self.request.run}")
        try:
            with theirs:
                process.start()
            self._control.connect(ours, process)
            while not self._receive(ours, process):
                pass
            process.join(10)
        finally:
            self._control.disconnect()
            ours.close()
            code = _ended(process)
        return code

    def _receive(self, connection: Connection, process: Any) -> bool:
        """Pass one event on; whether there will be no more."""
        wait([connection, process.sentinel])
        try:
            if connection.poll():
                self._pass_on(connection.recv())
                return False
        except (EOFError, OSError):
            return True
        return not process.is_alive()


def _ended(process: Any) -> int | None:
    """See that a process is gone; its exit code, None where it never started."""
    if process.pid is None:
        return None
    if process.is_alive():
        process.kill()
    process.join()
    code: int | None = process.exitcode
    process.close()
    return code


def _death_text(code: int | None) -> str:
    how = f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"
    return f"The compute process ended unexpectedly ({how}). Every finished epoch is saved: resume the run to go on."


class _RemoteControl:
    """Passes requests on to a spawned process; those made before it is there are kept for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._early: list[tuple[str, Any]] = []
        self._connection: Connection | None = None
        self._process: Any = None

    def connect(self, connection: Connection, process: Any) -> None:
        with self._lock:
            self._connection, self._process = connection, process
            # A process that has just died needs no requests.
            with contextlib.suppress(OSError):
                for request in self._early:
                    connection.send(request)

    def disconnect(self) -> None:
        with self._lock:
            self._connection = self._process = None

    def pause(self) -> None:
        self._send("pause", None)

    def resume(self) -> None:
        self._send("resume", None)

    def stop(self) -> None:
        self._send("stop", None)

    def set_learning_rate(self, rate: float) -> None:
        self._send("set_learning_rate", rate)

    def kill(self) -> None:
        with self._lock:
            if self._process is not None:
                self._process.kill()

    def _send(self, name: str, value: Any) -> None:
        with self._lock:
            if self._connection is None:
                self._early.append((name, value))
                return
            # A process that has just died needs no requests.
            with contextlib.suppress(OSError):
                self._connection.send((name, value))


def _compute(request: RunRequest, connection: Connection) -> None:
    """The spawned process: events go up the pipe, requests come down; a broken pipe means that the app is gone."""
    if hasattr(os, "nice"):
        # The window's painting goes first; training takes what is left, which is nearly everything.
        os.nice(5)
    control = Control()
    threading.Thread(target=_listen, args=(connection, control), name="requests", daemon=True).start()
    try:
        for event in run_request(request, control):
            connection.send(event)
    except (BrokenPipeError, ConnectionResetError):
        return
    finally:
        connection.close()


def _listen(connection: Connection, control: Control) -> None:
    requests: dict[str, Callable[[Any], None]] = {
        "pause": lambda _: control.pause(),
        "resume": lambda _: control.resume(),
        "stop": lambda _: control.stop(),
        "set_learning_rate": control.set_learning_rate,
    }
    while True:
        try:
            name, value = connection.recv()
        except (EOFError, OSError):
            control.stop()
            return
        requests[name](value)
