"""Threads of a batch's shards: errors come out, later runs work, and no thread is left behind."""

from __future__ import annotations

import gc
import signal
import threading
import time
import weakref
from collections.abc import Callable

import numpy as np
import pytest

from workbench.engine.kernels.calls import NativeCall, NativeProgram
from workbench.engine.kernels.native import kernel, longs
from workbench.engine.shards import ShardPool, SumMeeting


def _shard_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("shard-")]


def _ended(threads: list[threading.Thread]) -> bool:
    deadline = time.monotonic() + 10
    while any(thread.is_alive() for thread in threads) and time.monotonic() < deadline:
        time.sleep(0.005)
    return not any(thread.is_alive() for thread in threads)


@pytest.fixture(autouse=True)
def _no_threads_left():
    before = set(_shard_threads())
    yield
    assert _ended([thread for thread in _shard_threads() if thread not in before])


def _fail(error: BaseException) -> Callable[[], None]:
    def task() -> None:
        raise error

    return task


def test_that_tasks_run_at_once_each_on_its_thread() -> None:
    pool = ShardPool(3)
    meeting = threading.Barrier(3, timeout=10)
    names: list[str] = []

    def task() -> None:
        meeting.wait()
        names.append(threading.current_thread().name)

    pool.run([task] * 3)
    pool.close()
    assert sorted(names) == sorted([threading.current_thread().name, "shard-1", "shard-2"])


def test_that_fewer_tasks_than_threads_can_be_run() -> None:
    pool = ShardPool(4)
    done: list[int] = []
    pool.run([lambda: done.append(1)])
    pool.run([lambda: done.append(2), lambda: done.append(3)])
    pool.close()
    assert sorted(done) == [1, 2, 3]


def test_that_more_tasks_than_threads_are_refused_before_any_is_begun() -> None:
    pool, tasks = ShardPool(2), [_Native() for _ in range(3)]
    with pytest.raises(AssertionError, match="no thread for each task"):
        pool.run(tasks)
    assert [int(task.number[0]) for task in tasks] == [0, 0, 0]
    pool.close()


@pytest.mark.parametrize("place", [0, 1, 2])
def test_that_an_error_comes_out_and_later_runs_work(place: int) -> None:
    pool = ShardPool(3)
    tasks: list[Callable[[], None]] = [lambda: None] * 3
    tasks[place] = _fail(ValueError("planted"))
    with pytest.raises(ValueError, match="planted"):
        pool.run(tasks)
    done: list[int] = []
    pool.run([lambda: done.append(1)] * 3)
    pool.close()
    assert done == [1, 1, 1]


@pytest.mark.parametrize("place", [0, 1, 2])
def test_that_an_error_frees_shards_that_wait_and_the_cause_is_told(place: int) -> None:
    pool = ShardPool(3)
    barrier = threading.Barrier(3)
    tasks: list[Callable[[], object]] = [barrier.wait] * 3
    tasks[place] = _fail(MemoryError("planted"))
    with pytest.raises(MemoryError, match="planted"):
        pool.run(tasks, barrier.abort)  # type: ignore[arg-type]
    barrier.reset()
    pool.run([barrier.wait] * 3, barrier.abort)  # type: ignore[arg-type]
    pool.close()


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="only POSIX sends signals to a thread")
def test_that_ctrl_c_is_told_when_all_threads_have_ended_and_later_runs_work() -> None:
    pool, barrier, ended = ShardPool(3), threading.Barrier(3), list[int]()

    def waiting() -> None:
        try:
            barrier.wait()
        finally:
            time.sleep(0.05)
            ended.append(1)

    def interrupted() -> None:
        main = threading.main_thread().ident
        threading.Timer(0.05, lambda: signal.pthread_kill(main, signal.SIGINT)).start()

    with pytest.raises(KeyboardInterrupt):
        pool.run([interrupted, waiting, waiting], barrier.abort)
    assert ended == [1, 1]
    barrier.reset()
    for count in range(3, 6):
        pool.run([barrier.wait, waiting, waiting], barrier.abort)  # type: ignore[list-item]
        assert len(ended) == 2 * count - 2
    pool.close()


def test_that_closing_ends_the_threads_and_may_be_repeated() -> None:
    before = set(_shard_threads())
    pool = ShardPool(3)
    threads = [thread for thread in _shard_threads() if thread not in before]
    assert len(threads) == 2
    pool.close()
    assert not any(thread.is_alive() for thread in threads)
    pool.close()


def test_that_a_dropped_pool_ends_its_threads() -> None:
    before = set(_shard_threads())
    pool = ShardPool(3)
    pool.run([lambda: None] * 3)
    threads = [thread for thread in _shard_threads() if thread not in before]
    del pool
    gc.collect()
    assert _ended(threads)


def test_that_a_finished_task_is_not_kept_alive() -> None:
    # A task holds its plan's buffers: between runs they must be free to go.
    pool = ShardPool(2)
    array = np.zeros(3)
    gone = threading.Event()
    weakref.finalize(array, gone.set)
    pool.run([lambda: None, array.sum])
    del array
    assert gone.wait(10)
    pool.close()


def test_that_one_thread_means_none_besides_the_caller() -> None:
    before = len(_shard_threads())
    pool = ShardPool(1)
    assert len(_shard_threads()) == before
    pool.run([lambda: None])
    pool.close()


def test_that_shards_meet_in_sums_that_do_not_depend_on_timing() -> None:
    pool = ShardPool(3)
    barrier = threading.Barrier(3)
    meeting = SumMeeting(3, barrier)
    # In float32 the order of these matters: (1e8 + 1) - 1e8 is not (1e8 - 1e8) + 1.
    values = [np.array([1e8], np.float32), np.array([1.0], np.float32), np.array([-1e8], np.float32)]
    expected = values[0] + values[1] + values[2]
    for late in range(3):
        totals: list[tuple[int, np.ndarray]] = []

        def task(shard: int, late: int = late, totals: list = totals) -> None:
            if shard == late:
                time.sleep(0.01)
            totals.extend((shard, meeting.total(shard, values[shard])) for _ in range(5))

        pool.run([lambda shard=shard: task(shard) for shard in range(3)], barrier.abort)
        assert len(totals) == 15
        assert all(np.array_equal(total, expected) for _, total in totals)
    pool.close()


@kernel
def _count(arguments: int, first: int, last: int) -> None:
    place = longs(arguments, 1)[0]
    longs(place, 1)[0] += 1


class _Native:
    """A task of machine code alone: adds 1 to its number."""

    def __init__(self) -> None:
        self.number = np.zeros(1, np.int64)
        self.program = NativeProgram([NativeCall(_count, 1, self.number)])

    def __call__(self) -> None:
        self.program()


@pytest.mark.parametrize("pause", [0, 0.001])
def test_that_machine_code_is_done_once_whether_threads_sleep_or_look_out(pause: float) -> None:
    pool, tasks = ShardPool(3), [_Native() for _ in range(3)]
    for turn in range(200):
        pool.run(tasks)
        assert [int(task.number[0]) for task in tasks] == [turn + 1] * 3
        time.sleep(pause * (turn % 2))
    pool.close()


def test_that_threads_that_look_out_hear_of_tasks_in_python() -> None:
    pool, tasks = ShardPool(3), [_Native() for _ in range(3)]
    done: list[int] = []
    for turn in range(100):
        pool.run(tasks[: 1 + turn % 3])
        pool.run([lambda: done.append(1)] * (1 + turn % 3))
    with pytest.raises(ValueError, match="planted"):
        pool.run([tasks[0], tasks[1], _fail(ValueError("planted"))])
    pool.run(tasks)
    pool.close()
    assert len(done) == sum(1 + turn % 3 for turn in range(100))
    # The task that failed had two others beside it, and one run came after it.
    expected = [100 + 2, sum(turn % 3 >= 1 for turn in range(100)) + 2, sum(turn % 3 == 2 for turn in range(100)) + 1]
    assert [int(task.number[0]) for task in tasks] == expected


def test_that_a_pool_is_let_go_while_its_threads_look_out() -> None:
    pool = ShardPool(2)
    pool.run([_Native(), _Native()])
    threads = _shard_threads()
    del pool
    gc.collect()
    assert _ended(threads)


class _Interrupted(_Native):
    """One in which Ctrl+C is pressed."""

    def __call__(self) -> None:
        raise KeyboardInterrupt


class _HalfAsleep:
    """Tells that the first thread sleeps, and the second does its program."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def start(self, programs: object) -> list[int]:
        return [0]

    def wait(self) -> None:
        self.calls.append("wait")

    def abort(self) -> None:
        self.calls.append("abort")


def test_that_an_error_is_told_when_threads_that_look_out_have_ended_theirs() -> None:
    pool, tasks, lead = ShardPool(3), [_Native(), _Native()], _HalfAsleep()
    pool._lead = lead
    with pytest.raises(KeyboardInterrupt):
        pool.run([_Interrupted(), *tasks], lead.abort)
    # Those that wait for a shard that will not come must be freed first.
    assert (lead.calls[0], lead.calls[-1], lead.calls.count("wait")) == ("abort", "wait", 1)
    pool.close()
