"""A small network and a sensible training for data of a given kind and size, each choice with its reason."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, log2
from typing import Any

from workbench.data.content import counted

Tree = dict[str, Any]

_STEPS = 7_500
_FEWEST_EPOCHS, _MOST_EPOCHS = 5, 100
_DROPOUT = 0.3
_FEW_STEPS = 1_000


@dataclass(frozen=True)
class Size:
    """What a suggestion goes by.

    Attributes:
        shape: of an example: ``(F,)``, ``(T, F)`` or ``(H, W, C)``.
        train, dev: examples in these sets.
        task: ``classification`` or ``regression``.
    """

    shape: tuple[int, ...]
    train: int
    dev: int
    task: str

    @property
    def pictures(self) -> bool:
        """Whether examples are pictures."""
        return len(self.shape) == 3


def network_for(size: Size) -> tuple[list[Tree], str]:
    """The layers, and why."""
    return {1: _for_table, 2: _for_sequences, 3: _for_pictures}[len(size.shape)](size)


def training_for(size: Size) -> tuple[Tree, list[str]]:
    """The training section, and why."""
    batch = 32 if size.train < 2_000 else 64 if size.train <= 100_000 else 128
    steps = max(1, ceil(size.train / batch))
    epochs = min(_MOST_EPOCHS, max(_FEWEST_EPOCHS, round(_STEPS / steps)))
    few = steps * epochs < _FEW_STEPS
    rate = 3e-3 if few else 1e-3
    loss = "cross_entropy" if size.task == "classification" else "mean_squared_error"
    tree: Tree = {
        "loss": loss,
        "dropout": _DROPOUT if size.pictures else 0.0,
        "optimizer": {"kind": "adam", "learning_rate": rate},
        "batch_size": batch,
        "epochs": epochs,
    }
    reasons = [
        f"Batches of {batch}: {counted(steps, 'step')} an epoch for {counted(size.train, 'training example')}.",
        f"{epochs} epochs: some {steps * epochs:,} steps in all.",
        _about_rate(rate),
    ]
    if size.pictures:
        reasons.append(f"Dropout of {_DROPOUT:g} between the dense layers: they have most of the weights.")
    elif size.dev:
        tree["early_stopping"] = {"patience": 15, "metric": "dev_loss"}
        what = "tables" if len(size.shape) == 1 else "sequences"
        reasons.append(f"Early stopping after 15 epochs without a better dev loss: {what} are soon learned by heart.")
    return tree, reasons


def _about_rate(rate: float) -> str:
    if rate > 1e-3:
        return f"Adam with a learning rate of {rate:g}: there are few steps, so each is longer than the usual 0.001."
    return f"Adam with a learning rate of {rate:g}: it works for most networks before anything is tuned."


def _dense(units: int | str) -> Tree:
    return {"kind": "dense", "units": units}


def _relu() -> Tree:
    return {"kind": "activation", "function": "relu"}


def _for_table(size: Size) -> tuple[list[Tree], str]:
    if size.train < 500:
        hidden = [32]
    elif size.train < 20_000 and size.shape[0] < 200:
        hidden = [64, 32]
    else:
        hidden = [128, 64]
    layers = [layer for units in hidden for layer in (_dense(units), _relu())]
    units = " and ".join(str(units) for units in hidden)
    text = f"A dense network with {counted(len(hidden), 'hidden layer')} of {units} units"
    why = f"{counted(size.shape[0], 'input')} and {counted(size.train, 'training example')} need no more to begin with"
    return [*layers, _dense("classes")], f"{text}: {why}."


def _for_pictures(size: Size) -> tuple[list[Tree], str]:
    height, width, _ = size.shape
    side = min(height, width)
    if side < 4:
        return [{"kind": "flatten"}, _dense(64), _relu(), _dense("classes")], (
            f"A dense network: pictures of {height} × {width} pixels are too small for a convolution."
        )
    # As many halvings as leave about 7 pixels a side for the dense layers.
    blocks = 1 if side < 16 else max(2, int(log2(side / 7)))
    layers = [layer for block in range(blocks) for layer in _block(32 if block == 0 else 64)]
    units = 64 if blocks == 1 else 128
    ending = [{"kind": "flatten"}, _dense(units), _relu(), _dense("classes")]
    plural = "s" if blocks > 1 else ""
    return layers + ending, (
        f"A small convolutional network, {blocks} block{plural} of convolution and pooling "
        f"and a dense layer of {units} units: it fits pictures of {height} × {width} pixels."
    )


def _for_sequences(size: Size) -> tuple[list[Tree], str]:
    steps, _ = size.shape
    # As many halvings as leave some 30 steps, which a state can carry through.
    blocks = 0 if steps < 16 else min(6, max(1, round(log2(steps / 30))))
    layers = [layer for block in range(blocks) for layer in _short_patterns(32 if block == 0 else 64)]
    ending = [{"kind": "lstm", "units": 64}, _dense("classes")]
    if not blocks:
        return ending, f"A recurrent network: an LSTM of 64 units reads the {counted(steps, 'step')} in their order."
    plural = "s" if blocks > 1 else ""
    return layers + ending, (
        f"{counted(blocks, 'block')} of convolution and pooling find{'' if plural else 's'} short patterns and "
        f"shorten{'' if plural else 's'} the {counted(steps, 'step')}; an LSTM of 64 units reads them in their order."
    )


def _short_patterns(filters: int) -> list[Tree]:
    return [
        {"kind": "conv1d", "filters": filters, "kernel": 5, "padding": "same"},
        _relu(),
        {"kind": "max_pool1d", "window": 2},
    ]


def _block(filters: int) -> list[Tree]:
    return [
        {"kind": "conv2d", "filters": filters, "kernel": 3, "padding": "same"},
        _relu(),
        {"kind": "max_pool2d", "window": 2},
    ]
