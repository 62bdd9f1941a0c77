"""Whether a training is healthy layer by layer: alarms, by simple rules on the figures that a run records.

The lecture ("Vanishing/exploding gradients"): in deep networks gradients get smaller and smaller, or greater and
greater, on their way to the earlier layers. The limits below are rules of thumb, not theory; each is told where it is
used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from workbench.events import LayersDone

Numbers = np.ndarray[Any, Any]
Kind = Literal[
    "not_finite", "exploding_gradient", "vanishing_gradient", "dead_units", "saturated_units", "large_updates",
    "small_updates", "constant_clipping",
]  # fmt: skip
KINDS: tuple[str, ...] = get_args(Kind)

RECENT = 20
"""Records that are looked at together: their median does not heed a single batch."""
LEAST = 5
"""Records before which nothing is said of gradients and updates."""

EXPLODING = 1e3
"""A layer's gradient norm above which it counts as exploding; a healthy one is rarely above some tens."""
RISING, RISEN = 100.0, 10.0
"""It also counts as exploding where it has risen by two orders of magnitude, to more than some units."""
GROWN = 1e3
"""So it does where its weights have grown by three orders of magnitude, to more than ``RISEN``: one step is enough."""
VANISHING = 1e-3
"""A layer's gradient by its weights, beside the greatest in the later half of the layers, below which it counts as
vanishing on the way: three orders of magnitude."""
SLOW = 1e-4
"""...if its updates are small as well, less than a tenth of ``RATIO``: Adam makes up for merely small gradients."""
VANISHED = 1e-5
"""...and below this whatever the updates: where five orders of magnitude lack, Adam scales up little but noise."""
NOTHING = 1e-8
"""A gradient norm that moves no float32 weight any more; also Adam's epsilon."""

RATIO = 1e-3
"""An update's length by that of the weights: about what works well (Karpathy, CS231n, "Ratio of weights:updates")."""
RATIO_LARGE, RATIO_SMALL = 1e-1, 1e-5
"""Beyond a hundredfold of it in either direction."""
LEARNED = 0.01
"""Of the first loss: with less left, small gradients and updates are no trouble but the end of learning."""

DEAD = 0.5
"""The share of a layer's units from which dead ones are told. "As much as 40% of your network can be dead" where the
learning rate is too high (Karpathy, CS231n, "Commonly used activation functions"); a little above it, because the wide
layer behind a healthy convolutional network was seen at 36 %."""
SATURATED = 0.5
"""The share of a layer's values on the flat part from which it is told: half of them then pass 6 % of a gradient or
less (Glorot and Bengio, 2010, section 3, on what saturation does)."""
LASTING = 2
"""Records of an epoch in a row that dead or saturated units must be seen in; a layer that is dead as a whole lets
nothing through any more, so one is enough."""
LEAST_EXAMPLES = 32
"""Examples on which a unit must have been silent: on fewer it may just not have been asked."""

CLIPPED = 2.0
"""By how much a gradient must exceed ``clip_norm``, in every recent record, for clipping to be told: all steps are then
of one length, and the learning rate no longer means what it says."""


@dataclass(frozen=True)
class Records:
    """What a run has recorded.

    Attributes:
        layers: names of those with trained parameters, in the order of the network.
        epochs, losses, rates: of each record of a step, ``(n,)``: where it stands, loss and learning rate.
        gradient_norms: of the whole gradient, ``(n,)``.
        norms, ratios: gradient norms and updates by weights by layer, ``(n, layers)``.
        spreads: the records of activations and weights, in order.
        clip_norm: of the recipe.
    """

    layers: tuple[str, ...]
    epochs: Numbers
    losses: Numbers
    rates: Numbers
    gradient_norms: Numbers
    norms: Numbers
    ratios: Numbers
    spreads: tuple[LayersDone, ...] = ()
    clip_norm: float | None = None


@dataclass(frozen=True)
class Alarm:
    """Something unhealthy.

    Attributes:
        kind: what it is; stable, for scripts.
        layer: where it is worst; empty where it concerns all.
        others: further layers it was seen at.
        since: the epoch from which on it was seen without a break.
        measured: the figures it rests on.
        text: what was measured, with the rule, in a sentence.
        remedy: what to do, in a sentence.
    """

    kind: Kind
    layer: str
    others: tuple[str, ...]
    since: float
    measured: Mapping[str, Any]
    text: str
    remedy: str

    @property
    def title(self) -> str:
        """``vanishing gradient``"""
        return title_of(self.kind)

    @property
    def layers(self) -> tuple[str, ...]:
        """All layers it was seen at; none where it concerns all."""
        return (self.layer, *self.others) if self.layer else ()


def title_of(kind: str) -> str:
    """A kind of alarm in words: ``vanishing gradient``."""
    return kind.replace("_", " ").replace("not finite", "not a number")


def sentence_of(kind: str, layer: str, since: float, others: int = 0) -> str:
    """What, where and since when: ``Vanishing gradient at dense_1 and 3 more layers since epoch 2``."""
    more = f" and {others} more layer{'s' if others > 1 else ''}" if others else ""
    place = f" at {layer}{more}" if layer else ""
    title = title_of(kind)
    return f"{title[0].upper()}{title[1:]}{place} since epoch {since_text(since)}"


def since_text(epoch: float) -> str:
    """An epoch as it is said: ``3``, ``0.2``."""
    return f"{epoch:.1f}".removesuffix(".0")


def alarms_of(records: Records) -> tuple[Alarm, ...]:
    """What is unhealthy now, the gravest first; nothing in a healthy run."""
    rules = (_not_finite, _exploding, _flat, _vanishing, _large, _small, _clipped)
    # Records of a run that breaks may hold anything.
    with np.errstate(all="ignore"):
        found = [alarm for rule in rules for alarm in rule(records)]
    if any(alarm.kind == "not_finite" for alarm in found):
        # What else is said then rests on numbers that are none.
        return tuple(alarm for alarm in found if alarm.kind == "not_finite")
    if any(alarm.kind in ("dead_units", "saturated_units") for alarm in found):
        # No gradient passes there: that little arrives before them is what follows, and has no remedy of its own.
        return tuple(alarm for alarm in found if alarm.kind not in ("vanishing_gradient", "small_updates"))
    return tuple(found)


def _not_finite(records: Records) -> Iterator[Alarm]:
    if not len(records.norms) or not records.layers:
        return
    bad = ~np.isfinite(records.norms[-RECENT:]) | ~np.isfinite(records.ratios[-RECENT:])
    if bad.any():
        first = int(np.argmax(bad.any(axis=1)))
        places = [int(place) for place in np.flatnonzero(bad.any(axis=0))]
        since = float(records.epochs[-RECENT:][first])
        text = "The gradient or the update is no longer a finite number."
        yield _alarm(
            records, "not_finite", places, since, {}, text, "Lower the learning rate, or clip the gradient’s norm."
        )


def _exploding(records: Records) -> Iterator[Alarm]:
    def size(part: slice) -> Numbers:
        return np.asarray(np.median(records.norms[part], axis=0))

    if not _enough(records):
        return
    now = size(_last(records))
    places = _worst(now > EXPLODING, -now)
    if places:
        worst = places[0]
        since = _since(records, lambda part: bool(size(part)[worst] > EXPLODING))
        text = f"The gradient norm is {now[worst]:.2g}, above {EXPLODING:g}."
        yield _alarm(records, "exploding_gradient", places, since, {"norm": float(now[worst])}, text, _CALM)
        return
    blocks = np.array([size(part) for part in _blocks(records)])
    lowest = np.maximum(blocks.min(axis=0), NOTHING)
    places = _worst((now > RISEN) & (now > RISING * lowest), -now / lowest)
    if places:
        worst = places[0]
        since = _since(records, lambda part: bool(size(part)[worst] > max(RISEN, RISING * lowest[worst])))
        measured = {"norm": float(now[worst]), "lowest": float(lowest[worst])}
        text = (
            f"The gradient norm has risen from {lowest[worst]:.2g} to {now[worst]:.2g}, by more than {RISING:g} times."
        )
        yield _alarm(records, "exploding_gradient", places, since, measured, text, _CALM)
        return
    yield from _exploded(records)


def _exploded(records: Records) -> Iterator[Alarm]:
    """What an explosion leaves: weights so long that nothing moves them any more."""
    lengths = _lengths(records)
    if not len(lengths):
        return
    now, first = lengths[-1], np.maximum(lengths[0], NOTHING)
    places = _worst(_outgrown(lengths), -now / first)
    if places:
        worst = places[0]
        above = lengths[:, worst] > GROWN * first[worst]
        since = float(records.spreads[-len(lengths) :][int(np.argmax(above))].epoch)
        measured = {"weights": float(now[worst]), "first": float(first[worst])}
        text = (
            f"The length of its weights has risen from {first[worst]:.2g} to {now[worst]:.2g}, by more than"
            f" {GROWN:g} times."
        )
        yield _alarm(records, "exploding_gradient", places, since, measured, text, _CALM)


def _outgrown(lengths: Numbers) -> Numbers:
    """Which layers' weights have exploded."""
    return np.asarray((lengths[-1] > RISEN) & (lengths[-1] > GROWN * np.maximum(lengths[0], NOTHING)))


def _lengths(records: Records) -> Numbers:
    """The lengths of the layers' weights in each record that has those of all, ``(records, layers)``."""
    found = [dict(zip(one.weights, one.weight_norms, strict=True)) for one in records.spreads]
    whole = [[one[layer] for layer in records.layers] for one in found if all(name in one for name in records.layers)]
    return np.array(whole if len(whole) == len(found) else [])


_CALM = "Clip the gradient’s norm, lower the learning rate, or start from smaller weights (He or Glorot)."


def _vanishing(records: Records) -> Iterator[Alarm]:
    if not _enough(records) or _learned(records):
        return
    if np.median(records.norms[_last(records)], axis=0).max() < NOTHING:
        since = _since(records, lambda part: bool(np.median(records.norms[part], axis=0).max() < NOTHING))
        text = f"No gradient is left: all norms are below {NOTHING:g}."
        yield Alarm("vanishing_gradient", "", (), since, {}, text, _let_through(records))
        return
    weights = _weight_norms(records)

    def shares(part: slice) -> Numbers:
        """Each layer's gradient by its weights, beside the greatest later one; 1 where updates are no trouble."""
        size = np.median(records.norms[part], axis=0) / weights
        share = size / max(float(size[len(size) // 2 :].max()), 1e-30)
        share[len(size) // 2 :] = 1.0
        slow = np.median(records.ratios[part], axis=0) < SLOW
        return np.where(slow | (share < VANISHED), share, 1.0)

    now = shares(_last(records))
    places = _worst(now < VANISHING, now)
    if places:
        worst = places[0]
        since = _since(records, lambda part: bool(shares(part)[worst] < VANISHING))
        ratio = float(np.median(records.ratios[_last(records)], axis=0)[worst])
        text = (
            f"Beside the weights its gradient is {now[worst]:.1g} of the later layers’, below {VANISHING:g}; a step"
            f" changes {ratio:.1g} of the weights."
        )
        measured = {"share": float(now[worst]), "update_ratio": ratio}
        yield _alarm(records, "vanishing_gradient", places, since, measured, text, _let_through(records))


def _let_through(records: Records) -> str:
    functions = {name for spread in records.spreads[-1:] for name in spread.flat if name}
    relu = "" if functions == {"dead"} else "relu instead of sigmoid or tanh, "
    return f"Use {relu}batch norm, weights that suit the function (He or Glorot), or fewer layers."


def _flat(records: Records) -> Iterator[Alarm]:
    for kind, field, limit, name in (
        ("dead_units", "flat_units", DEAD, "dead"),
        ("saturated_units", "flat_values", SATURATED, "saturated"),
    ):
        seen = [spread for spread in records.spreads if spread.examples >= LEAST_EXAMPLES]
        if not seen:
            continue
        by_layer = {layer: [_of_layer(spread, layer, field, name) for spread in seen] for layer in seen[-1].activations}
        lasting = {
            layer: values
            for layer, values in by_layer.items()
            if (min(values[-LASTING:]) > limit and len(values) >= LASTING) or (name == "dead" and values[-1] == 1)
        }
        if not lasting:
            continue
        layers = sorted(lasting, key=lambda layer: -lasting[layer][-1])
        values = lasting[layers[0]]
        first = next((place for place in range(len(values), 0, -1) if not values[place - 1] > limit), 0)
        examples = seen[-1].examples
        measured = {"share": values[-1], "examples": examples}
        yield Alarm(
            kind, layers[0], tuple(layers[1:]), float(seen[first].epoch), measured,  # type: ignore[arg-type]
            _flat_text(name, values[-1], limit, examples), _WAKE if name == "dead" else _CENTER,
        )  # fmt: skip


def _flat_text(name: str, share: float, limit: float, examples: int) -> str:
    if name == "dead":
        return f"{_percent(share)} of its units gave nothing on each of {examples:,} examples, above {_percent(limit)}."
    return (
        f"{_percent(share)} of its values lie where the function is flat, on {examples:,} examples; above"
        f" {_percent(limit)}."
    )


_WAKE = "Lower the learning rate, use leaky_relu, or start from weights that suit relu (He)."
_CENTER = "Start from smaller weights (Glorot), lower the learning rate, put batch norm before it, or use relu."


def _of_layer(spread: LayersDone, layer: str, field: str, name: str) -> float:
    """A figure of a layer in a record; below any limit where it has none."""
    place = spread.activations.index(layer) if layer in spread.activations else -1
    if place < 0 or spread.flat[place] != name:
        return -1.0
    value = float(getattr(spread, field)[place])
    return value if np.isfinite(value) else -1.0


def _large(records: Records) -> Iterator[Alarm]:
    if not _enough(records):
        return
    now = np.median(records.ratios[_last(records)], axis=0)
    places = _worst(now > RATIO_LARGE, -now)
    if places:
        worst = places[0]
        since = _since(records, lambda part: bool(np.median(records.ratios[part][:, worst]) > RATIO_LARGE))
        much = f"{_percent(now[worst])} of" if now[worst] < 1 else f"{now[worst]:,.0f} times"
        text = f"A step changes the weights by {much} their length; about {_percent(RATIO)} works well."
        measured = {"update_ratio": float(now[worst])}
        yield _alarm(records, "large_updates", places, since, measured, text, "Lower the learning rate.")


def _small(records: Records) -> Iterator[Alarm]:
    if not _enough(records) or _learned(records):
        return
    # A schedule makes updates small at the end because it is meant to: they are judged as at its highest rate.
    most = float(np.nanmax(records.rates))

    def scaled(part: slice) -> Numbers:
        factor = most / np.maximum(records.rates[part], 1e-30)
        return np.asarray(np.median(records.ratios[part] * factor[:, None], axis=0))

    now = scaled(_last(records))
    vanished = {layer for alarm in _vanishing(records) for layer in alarm.layers or records.layers}
    small = (now < RATIO_SMALL) & np.array([layer not in vanished for layer in records.layers])
    lengths = _lengths(records)
    # Beside weights that have exploded any update is small, and a higher rate the last thing they need.
    small &= ~_outgrown(lengths) if len(lengths) else True
    places = _worst(small, now)
    if places:
        worst = places[0]
        since = _since(records, lambda part: bool(scaled(part)[worst] < RATIO_SMALL))
        text = (
            f"A step changes {now[worst]:.1g} of the weights’ length, less than {RATIO_SMALL:g}; about {RATIO:g} works"
            " well."
        )
        measured = {"update_ratio": float(now[worst])}
        yield _alarm(records, "small_updates", places, since, measured, text, "Raise the learning rate.")


def _clipped(records: Records) -> Iterator[Alarm]:
    if records.clip_norm is None or len(records.gradient_norms) < RECENT:
        return
    limit = CLIPPED * records.clip_norm
    if (records.gradient_norms[-RECENT:] > limit).all():
        since = _since(records, lambda part: bool((records.gradient_norms[part] > limit).all()))
        middle = float(np.median(records.gradient_norms[-RECENT:]))
        text = (
            f"Each of the last {RECENT} recorded gradients was clipped: their norm is {middle:.2g}, clip_norm is"
            f" {records.clip_norm:g}."
        )
        measured = {"norm": middle, "clip_norm": records.clip_norm}
        remedy = "Lower the learning rate and raise clip_norm to where it cuts the rare ones only."
        yield Alarm("constant_clipping", "", (), since, measured, text, remedy)


def _percent(share: float) -> str:
    return f"{100 * share:.2g} %" if share < 0.1 else f"{100 * share:.0f} %"


def _enough(records: Records) -> bool:
    return len(records.norms) >= LEAST and bool(records.layers)


def _learned(records: Records) -> bool:
    """Whether hardly anything of the first loss is left."""
    losses = records.losses[np.isfinite(records.losses)]
    return len(losses) > LEAST and bool(np.median(losses[-RECENT:]) < LEARNED * losses[0])


def _weight_norms(records: Records) -> Numbers:
    """The length of each layer's weights, of the last record that has them; 1 for what has none."""
    last = next((dict(zip(one.weights, one.weight_norms, strict=True)) for one in reversed(records.spreads)), {})
    norms = [last.get(layer, 1.0) for layer in records.layers]
    return np.array([norm if np.isfinite(norm) and norm > 0 else 1.0 for norm in norms])


def _last(records: Records) -> slice:
    return slice(max(0, len(records.epochs) - RECENT), len(records.epochs))


def _blocks(records: Records) -> Iterator[slice]:
    """The records in blocks of ``RECENT``, the latest first; a shorter one at the beginning counts if it is enough."""
    stop = len(records.epochs)
    while stop >= LEAST:
        yield slice(max(0, stop - RECENT), stop)
        stop -= RECENT


def _since(records: Records, bad: Callable[[slice], bool]) -> float:
    """The epoch from which on every block of records is bad."""
    start = _last(records).start
    for part in _blocks(records):
        if not bad(part):
            break
        start = part.start
    return float(records.epochs[start])


def _worst(bad: Numbers, order: Numbers) -> list[int]:
    """The places that are bad, by order, the lowest first."""
    return [int(place) for place in np.argsort(order, kind="stable") if bad[place]]


def _alarm(
    records: Records,
    kind: Kind,
    places: Sequence[int],
    since: float,
    measured: Mapping[str, Any],
    text: str,
    remedy: str,
) -> Alarm:
    first, *others = (records.layers[place] for place in places)
    return Alarm(kind, first, tuple(others), since, measured, text, remedy)
