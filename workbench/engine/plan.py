"""A network and a batch size compiled to an ordered list of calls on buffers that are allocated once.

A batch is cut into shards, one for each thread. For each number of rows that occurs (the full batch, the last and
smaller one) there is a program: for each shard the calls of all layers, their arrays already cut to size.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from workbench.engine.arena import Arena
from workbench.engine.backend import Array, Backend, Call, Shape
from workbench.engine.cutting import cut_up
from workbench.engine.layer import Calls, Chain, Clock, Loss, LossSite, SharedGradient, Site, unchained
from workbench.engine.network import Network, Node
from workbench.engine.parameters import Parameters
from workbench.engine.parts import Finish, Part, parts_of
from workbench.engine.placement import Placement, Setting
from workbench.engine.shards import ShardPool, SumMeeting
from workbench.engine.task import Ending, Owned, Owner, Task
from workbench.recipe.network import INPUT

_LEAST_SHARD_WORK = 1_000_000
"""Multiply-adds under which a shard is not worth a thread: handing it over costs some 30 microseconds."""


def shard_count(network: Network, batch: int, threads: int) -> int:
    """How many shards a batch is cut into: a function of the network and the sizes only, so results repeat."""
    work = max(1, network.multiply_adds()) * batch
    return max(1, min(threads, batch, work // _LEAST_SHARD_WORK))


def least_shard_work() -> int:
    """Multiply-adds under which a shard is not worth a thread."""
    return _LEAST_SHARD_WORK


class Source(Protocol):
    """What fills a batch's inputs while the plan runs."""

    def calls(self, rows: slice) -> Sequence[Call]:
        """What fills in some rows of the batch."""
        ...


@dataclass(frozen=True)
class _Program:
    tasks: list[Task]
    barrier: Any
    outputs: list[tuple[slice, dict[str, Array]]]


class Plan:
    """What computes a network on batches of at most ``batch`` rows.

    Write the first ``rows`` rows of ``input`` (and ``targets`` and ``strengths``), call ``run(rows)``, and read
    ``output``, ``sums`` and, in training, ``gradient``.

    Args:
        parameters: the network's numbers; read at each run, so that an optimizer may change them in place.
        loss: what is minimized.
        batch: the most rows at once.
        training: whether to compute gradients, with dropout and batch statistics.
        pool: the threads to use; the caller closes it.
        clock: read by layers that draw random numbers.
        finish: what ``run`` will be asked to do with the gradient, to be bound now for full batches.
        backend: where to compute: the parameters' own, or the same in another precision.
        loss_scale: ``(1,)``: what ``gradient`` is multiplied by; 1 where None.

    Attributes:
        input: ``(batch, *input_shape)``.
        targets: class numbers, int64 ``(batch,)``; for several labels and for regression ``(batch, outputs)``.
        strengths: s_i, ``(batch,)``.
        output: logits, ``(batch, outputs)``.
        sums: ``(2,)``: sum of s_i L_i, and wrong rows or squared differences (see ``LossSite``).
        keeps_all: whether no layer may write over what it reads, so that ``outputs`` has them all; may be changed from
            run to run, and changes no result.
        source: what fills ``input`` in the next run, each thread its own rows; forgotten then.
        gradient: by the trained parameters, flat ``(layout.trained,)``; of ``sum s_i L_i / sum s_i`` over the batch.
    """

    def __init__(
        self,
        parameters: Parameters,
        loss: Loss,
        batch: int,
        *,
        training: bool,
        pool: ShardPool,
        clock: Clock | None = None,
        finish: Finish | None = None,
        backend: Backend | None = None,
        loss_scale: Array | None = None,
    ) -> None:
        self.parameters, self.network = parameters, parameters.network
        self.backend, self._loss_scale = backend or parameters.backend, loss_scale
        self.batch, self.training, self.clock = batch, training, clock or Clock()
        self._loss, self._pool = loss, pool
        self._shards = shard_count(self.network, batch, pool.threads) if self.backend.on_host else 1
        with self.backend.current():
            self._allocate()
        self._shared_values = 0
        self.keeps_all = False
        self.source: Source | None = None
        self._programs: dict[tuple[int, Finish | None, bool, Source | None], _Program] = {}
        self._ran = self._program(batch, finish)

    def _allocate(self) -> None:
        xp, zeros = self.backend.xp, self.backend.zeros
        dtype, outputs = self.parameters.dtype, self.network.outputs
        self.input = zeros((self.batch, *self.network.input_shape), dtype)
        if self._loss.task == "classification":
            self.targets = zeros((self.batch,), np.int64)
        else:
            self.targets = zeros((self.batch, outputs), dtype)
        self.strengths = xp.ones(self.batch, dtype)
        self.output = zeros((self.batch, *self.network.nodes[-1].shape), dtype)
        self._scales = [xp.ones(1, dtype) for _ in range(self._shards)]
        self._shard_sums = zeros((self._shards, 2), np.float64)
        self.sums = self._shard_sums[0] if self._shards == 1 else zeros((2,), np.float64)
        trained = self.parameters.layout.trained if self.training else 0
        self._gradients = [zeros((trained,), dtype) for _ in range(self._shards)]
        self.gradient = self._gradients[0]
        self._arenas = [Arena(self.backend, dtype) for _ in range(self._shards)]

    def run(self, rows: int, *, finish: Finish | None = None) -> None:
        """Compute the first ``rows`` rows.

        Args:
            rows: of the batch.
            finish: what threads do with parts of the gradient, on a GPU with all of it; for backends with kernels only.
                ``gradient`` may be spoiled then.
        """
        source, self.source = self.source, None
        program = self._programs.get((rows, finish, self.keeps_all, source)) or self._program(rows, finish, source)
        self._ran = program
        with self.backend.current():
            try:
                self._pool.run(program.tasks, program.barrier.abort)
            except BaseException:
                program.barrier.reset()
                raise
            if not self._by_parts():
                for other in self._gradients[1 : len(program.tasks)]:
                    self.gradient += other
            if self._shards > 1:
                self.backend.xp.sum(self._shard_sums[: len(program.tasks)], axis=0, out=self.sums)

    def outputs(self) -> list[tuple[slice, dict[str, Array]]]:
        """What the layers gave in the last run of a training plan; to be read only, before another run.

        Returns:
            For each shard its rows within the batch, and by layer ``(rows, *shape)``; ``input`` is what the network
            reads. A layer whose output is not stored is missing.
        """
        return self._ran.outputs

    def memory(self) -> int:
        """Bytes of the plan's buffers that are ever written to, parameters and optimizer aside."""
        whole = (self.input, self.targets, self.strengths, self.output, self.gradient)
        # Of gradients that all threads work out together only the first shard's place is used.
        own = self.parameters.layout.trained - self._shared_values if self.training else 0
        parts = (self._shards - 1) * own * int(self.parameters.dtype.itemsize)
        return parts + sum(int(array.nbytes) for array in whole) + sum(arena.nbytes for arena in self._arenas)

    def bind_keeping_all(self) -> None:
        """Have the buffers ready that a run with ``keeps_all`` needs for a full batch."""
        before, self.keeps_all = self.keeps_all, True
        if (self.batch, None, True, None) not in self._programs:
            ran = self._ran
            self._program(self.batch)
            self._ran = ran
        self.keeps_all = before

    def largest(self) -> int:
        """Bytes of the largest buffer of a shard."""
        return max(arena.largest() for arena in self._arenas)

    def _program(self, rows: int, finish: Finish | None = None, source: Source | None = None) -> _Program:
        shards = min(self._shards, rows)
        cuts = [slice(rows * shard // shards, rows * (shard + 1) // shards) for shard in range(shards)]
        barrier, meeting = self._meetings([cut.stop - cut.start for cut in cuts])
        meetings: dict[str, Any] = {}

        def meeting_of(layer: str) -> Callable[[], Any] | None:
            if shards == 1:
                return None
            return lambda: meetings[layer] if layer in meetings else meetings.setdefault(layer, meeting())

        with self.backend.current():
            compilers = [_ShardCompiler(self, shard, cut, rows, meeting_of) for shard, cut in enumerate(cuts)]
            ending = self._ending(compilers, barrier, finish, rows)
            feeding = [source.calls(cut) if source else [] for cut in cuts]
            cut = self._cut_up(compilers[0], feeding[0]) if self._one_alone(rows) else None
            if cut is not None:
                barrier, tasks = cut
            else:
                tasks = [compiler.task(calls, ending) for compiler, calls in zip(compilers, feeding, strict=True)]
        outputs = [(compiler.cut, compiler.outputs) for compiler in compilers]
        program = _Program(tasks, barrier, outputs)
        self._programs[rows, finish, self.keeps_all, source] = program
        return program

    def _one_alone(self, rows: int) -> bool:
        """Whether one example is to be cut up for the threads, if that can be done."""
        return rows == 1 and not self.training and self.backend.compiled and self.parameters.dtype == np.float32

    def _cut_up(self, compiler: _ShardCompiler, feeding: Sequence[Call]) -> tuple[Any, list[Task]] | None:
        """One example's calls in pieces, for as many threads as are worth it, and where these meet; None if for one."""
        threads = min(self._pool.threads, self.network.multiply_adds() // _LEAST_SHARD_WORK)
        if threads < 2:
            return None
        barrier, _ = self._meetings([1] * threads)
        pieces = cut_up(compiler.sequence(feeding), threads, barrier.wait)
        if pieces is None:
            return None
        compiler.arena.end({})
        return barrier, [Task(self.backend, calls, ()) for calls in pieces]

    def _by_parts(self) -> bool:
        """Whether threads join the shards' gradients themselves, each some parts of them."""
        return self.training and self.backend.compiled and self.parameters.dtype == np.float32

    def _ending(self, compilers: list[_ShardCompiler], barrier: Any, finish: Finish | None, rows: int) -> Ending:
        if not self._by_parts():
            return lambda shard: (self._finished_at_once(finish, rows) if finish else [], [])
        shared = [compiler.shared() for compiler in compilers]
        slots = self.parameters.layout.trained_slots()
        self._shared_values = sum(s.stop - s.start for s in slots if (s.layer, s.parameter.name) in shared[0])
        # With one shard too: it keeps an update, whose rows are weights, from taking turns with rows of the batch.
        wait = [barrier.wait()]

        def ending(shard: int) -> tuple[list[Owned], list[Array]]:
            calls: list[Owned] = [(Owner("", "waiting"), call) for call in wait]
            passing = []
            for part, joining in parts_of(self.parameters.layout, shard, shared, self._gradients):
                calls += [(Owner(part.layer, "gradient"), call) for call in joining]
                if finish:
                    finishing = finish(part, self.gradient, self.strengths[:rows])
                    calls += [(Owner("", "update"), call) for call in finishing]
                    passing += [part.of(self.gradient)] if part.layer else []
            return calls, passing

        return ending

    def _finished_at_once(self, finish: Finish, rows: int) -> list[Owned]:
        """What is to be done at the end of a run, for the gradient as a whole."""
        whole = Part(0, self.parameters.layout.trained, 1)
        return [(Owner("", "update"), call) for call in finish(whole, self.gradient, self.strengths[:rows])]

    def _meetings(self, shard_rows: list[int]) -> tuple[Any, Callable[[], Any]]:
        """Where the shards of a program wait for each other, and what makes a layer's meeting there."""
        if self.backend.compiled and self.parameters.dtype == np.float32:
            from workbench.engine.kernels.waiting import Rendezvous, SlotMeeting

            rendezvous, rows = Rendezvous(len(shard_rows)), np.array(shard_rows, np.int64)
            return rendezvous, lambda: SlotMeeting(rendezvous, rows)
        barrier = threading.Barrier(len(shard_rows))
        return barrier, lambda: SumMeeting(len(shard_rows), barrier)


class _ShardCompiler:
    """Binds the calls of one shard of one program."""

    def __init__(self, plan: Plan, shard: int, cut: slice, batch_rows: int, meeting_of: Callable[[str], Any]) -> None:
        self.plan, self.shard, self.cut, self.batch_rows, self.meeting_of = plan, shard, cut, batch_rows, meeting_of
        self.nodes = plan.network.nodes
        self.arena = plan._arenas[shard]
        self.arena.begin(cut.stop - cut.start)
        self.learned = frozenset(learned_nodes(plan.network) if plan.training else ())
        compiled = plan.backend.compiled and plan.parameters.dtype == np.float32
        setting = Setting(plan.backend, compiled, self.learned, plan.training, plan.keeps_all)
        self.places = Placement(plan.network, setting, self.arena, plan.input[cut], plan.output[cut])
        self.outputs = self.places.outputs
        self.calls = [self._compile(node) for node in self.nodes]

    def shared(self) -> dict[tuple[str, str], SharedGradient]:
        """The gradients that all threads work out together, by layer and parameter."""
        learned = ((node, calls) for node, calls in zip(self.nodes, self.calls, strict=True))
        return {(node.name, each.parameter): each for node, calls in learned for each in calls.shared}

    def task(self, feeding: Sequence[Call], ending: Ending) -> Task:
        """All of the shard's work, with what its thread does first and in the end."""
        calls, passing = ending(self.shard)
        passing += self._passing()
        task = Task(self.plan.backend, [*self.sequence(feeding), *calls], passing)
        self.arena.end(task.narrowed)
        return task

    def sequence(self, feeding: Sequence[Call]) -> list[Owned]:
        """All calls for the shard's rows in order."""
        last, pairs = self.nodes[-1].name, list(zip(self.nodes, self.calls, strict=True))
        loss = self._loss(self.outputs[last], self.places.gradients.get((last, -1)))
        sequence: list[Owned] = [(Owner("", "feeding"), call) for call in feeding]
        sequence += [(Owner(node.name, "start"), call.start) for node, call in pairs if call.start]
        sequence += [(Owner(node.name, "forward"), call.forward) for node, call in pairs]
        sequence += [(Owner("", "loss"), call) for call in (self._scaling(), *self._scaling_loss(), loss)]
        behind = [(node, call) for node, call in reversed(pairs) if node.name in self.learned]
        sequence += [(Owner(node.name, "backward"), call.turn) for node, call in behind if call.turn]
        for node, call in behind:
            back = (call.backward, *self.places.additions.get(node.name, ()))
            sequence += [(Owner(node.name, "backward"), each) for each in back]
        return sequence

    def _passing(self) -> list[Array]:
        """What goes from layer to layer and nowhere else: gradients, and outputs where nobody is to see them.

        Only where no Python call touches it: that would look for all of its rows.
        """
        if not self.plan.backend.compiled:
            return []
        arrays = dict(self.places.gradients)
        if not self.plan.keeps_all:
            arrays |= {(name, -1): array for name, array in self.outputs.items() if name != INPUT}
            arrays.pop((self.nodes[-1].name, -1))
        touched = set()
        for node, call in zip(self.nodes, self.calls, strict=True):
            if not all(is_native(each) for each in unchained([call.forward, call.backward])):
                touched |= {(name, -1) for name in (node.name, *node.inputs)}
                touched |= {(node.name, number) for number in range(len(node.inputs))}
                # The gradient by its output is what its readers fill.
                touched |= {
                    (other.name, number)
                    for other in self.nodes
                    for number, name in enumerate(other.inputs)
                    if name == node.name
                }
        # By where they lie: layers that change the shape alone hand on views of the same memory.
        held = {_place(arrays[key]) for key in touched if key in arrays} | {_place(self.outputs[INPUT])}
        return [array for array in arrays.values() if _place(array) not in held]

    def _scaling(self) -> Call:
        """What works out 1 / sum of the whole batch's strengths, each shard for itself."""
        plan, xp = self.plan, self.plan.backend.xp
        strengths, scale = plan.strengths[: self.batch_rows], plan._scales[self.shard]
        if plan.backend.compiled and scale.dtype == np.float32:
            from workbench.engine.kernels.calls import NativeCall
            from workbench.engine.kernels.losses import strength_scale

            return NativeCall(strength_scale, self.batch_rows, strengths, scale)
        if plan.backend.cuda and scale.dtype == np.float32:
            factor = 0 if plan._loss_scale is None else plan._loss_scale
            return plan.backend.cuda.call("strength_scale", 1, 256, strengths, factor, scale, self.batch_rows)

        def run() -> None:
            total = strengths.sum()
            # A batch whose strengths are all 0 moves nothing.
            scale[0] = xp.where(total > 0, 1.0 / xp.where(total > 0, total, 1.0), 0.0)

        return run

    def _scaling_loss(self) -> list[Call]:
        """What makes the gradient that of the loss times its scale."""
        plan, scale, factor = self.plan, self.plan._scales[self.shard], self.plan._loss_scale
        if factor is None or (plan.backend.cuda and scale.dtype == np.float32):
            return []
        return [lambda: plan.backend.xp.multiply(scale, factor, out=scale)]

    def _compile(self, node: Node) -> Calls:
        plan, parameters, places = self.plan, self.plan.parameters, self.places
        if places.does_nothing(node):
            return Calls(Chain(), Chain())
        trains = plan.training and not node.layer.frozen
        site = Site(
            backend=plan.backend,
            training=plan.training,
            inputs=[self.outputs[name] for name in node.inputs],
            output=self.outputs[node.name],
            d_inputs=[places.gradients.get((node.name, number)) for number in range(len(node.inputs))],
            d_output=places.gradients.get((node.name, -1)),
            weights=parameters.views(parameters.values, node.name),
            gradients=parameters.views(plan._gradients[self.shard], node.name) if trains else {},
            state=parameters.state_views(node.name),
            clock=plan.clock,
            key=node.name,
            first_row=self.cut.start,
            batch_rows=self.batch_rows,
            shard=self.shard,
            meet=self.meeting_of(node.name),
            buffer=self._buffers(node.name),
            taken_over=node.name in places.taken_over.values(),
            absorbs=node.name in places.absorbed.values(),
            adds=node.name in places.adding,
        )
        return node.layer.compile(site)

    def _loss(self, logits: Array, d_logits: Array | None) -> Call:
        plan, cut = self.plan, self.cut
        site = LossSite(
            backend=plan.backend,
            logits=logits,
            d_logits=d_logits,
            targets=plan.targets[cut],
            strengths=plan.strengths[cut],
            scale=plan._scales[self.shard],
            sums=plan._shard_sums[self.shard],
            buffer=self._buffers("(loss)"),
        )
        return plan._loss.compile(site)

    def _buffers(self, layer: str) -> Callable[[str, Shape, Any], Array]:
        return lambda name, shape, dtype: self.arena.keep(f"{layer}.{name}", shape, dtype)


def is_native(call: Call) -> bool:
    """Whether a call is machine code, whose arrays are known."""
    return hasattr(call, "arrays")


def learned_nodes(network: Network) -> set[str]:
    """The nodes that have something trained in or before them: only those need a backward pass."""
    learned: set[str] = set()
    for node in network.nodes:
        trains = bool(node.parameters) and not node.layer.frozen
        if trains or any(name in learned for name in node.inputs):
            learned.add(node.name)
    return learned


def _place(array: Array) -> int:
    """Where an array of the host lies."""
    return int(array.ctypes.data)
