"""High bias: the network is too small, starts badly or bends too little."""

from __future__ import annotations

from collections.abc import Iterator

from workbench.diagnosis.context import Context
from workbench.diagnosis.layers import function_after, hidden_layers, inner_activations, learns, weight_layers
from workbench.diagnosis.rule import Finding, Knob, Rule
from workbench.recipe.recipe import Recipe

_WIDEST = 64.0
_RELU_LIKE = {
    *("relu", "leaky_relu", "relu6", "prelu", "elu", "softplus"),
    *("gelu", "gelu_tanh", "silu", "mish", "hardswish"),
}


class BiggerNetwork(Rule):
    """All hidden layers twice as wide."""

    id = "bigger_network"
    gap = "bias"
    rank = 10
    direction = "training error falls; variance may rise"
    lecture = (
        "“Better or bigger network architecture (more parameters to enrich the too simple model)”"
        " – guidelines, “Training error is high”"
    )

    def knobs(self, context: Context) -> Iterator[Knob]:
        why = "A network that cannot even fit its training examples may be too simple for them."
        if context.recipe is None:
            yield from self.offer(context, "Bigger network", why, cost="more time per epoch")
        elif hidden_layers(context.recipe):
            width = min(_WIDEST, context.recipe.network.width * 2.0)
            factor = context.work_ratio(context.recipe.replace("network.width", width))
            cost = f"about {factor:.2g} times the multiplications of an epoch" if factor else "more time per epoch"
            title = "Bigger network: all hidden layers twice as wide"
            yield from self.offer(context, title, why, "network.width", width, cost=cost, factor=factor)


class Unfreeze(Rule):
    """Let a frozen layer learn, the last one first: it is nearest to the task."""

    id = "unfreeze"
    gap = "bias"
    rank = 15
    direction = "training error falls; variance may rise"
    lecture = "“Transfer learning” – guidelines, “Training error is high”"

    def findings(self, context: Context) -> Iterator[Finding]:
        if context.recipe is not None and weight_layers(context.recipe) and not learns(context.recipe):
            yield self.finding("Nothing learned in this run: every layer that has weights is frozen.")

    def knobs(self, context: Context) -> Iterator[Knob]:
        if context.recipe is None:
            return
        frozen = [layer.name for layer in weight_layers(context.recipe) if layer.frozen]
        if not frozen:
            return
        all_of_them = not learns(context.recipe)
        why = (
            "Nothing in this network learns: every layer that has weights is frozen."
            if all_of_them
            else "It keeps the weights that it started from, which were learned for something else or not at all."
        )
        title, path = f"Let {frozen[-1]} learn", f"network.layers.{frozen[-1]}.frozen"
        rank = 1 if all_of_them else self.rank
        yield from self.offer(context, title, why, path, False, cost="more time per epoch", rank=rank)


class DeeperNetwork(Rule):
    """One more hidden layer before the output."""

    id = "deeper_network"
    gap = "bias"
    rank = 48
    direction = "training error falls; variance may rise"
    lecture = "“Use different network architectures and different numbers of layers and neurons.” – first page"

    def knobs(self, context: Context) -> Iterator[Knob]:
        if context.recipe is None or not weight_layers(context.recipe):
            return
        output = weight_layers(context.recipe)[-1]
        if output.kind != "dense" or output.inputs:
            return
        layers = context.recipe.tree()["network"]["layers"]
        at = next(index for index, layer in enumerate(layers) if layer["name"] == output.name)
        widths = [getattr(layer, "units", None) for layer in hidden_layers(context.recipe)]
        units = next((width for width in reversed(widths) if isinstance(width, int)), 64)
        more = [{"kind": "dense", "units": units}, {"kind": "activation", "function": "relu"}]
        value = [*layers[:at], *more, *layers[at:]]
        linear = not hidden_layers(context.recipe)
        why = "Without a hidden layer the network is linear: it draws straight borders only."
        yield from self.offer(
            context,
            f"One more hidden layer of {units} units",
            why if linear else "More layers can combine what the ones before have found.",
            "network.layers",
            value,
            cost="more time per epoch",
            rank=4 if linear else None,
        )


class BetterInitializer(Rule):
    """Initial weights that suit the function behind them; the one layer that needs it most."""

    id = "better_initializer"
    gap = "bias"
    direction = "training error falls faster"
    rank = 42
    lecture = (
        "“to put the values of activation functions in the range of the largest variance, which speed up the training"
        " process” – initialization of weights"
    )

    def knobs(self, context: Context) -> Iterator[Knob]:
        if context.recipe is None:
            why = "Weights that start too large, too small or all equal make training slow or stop it."
            yield from self.offer(context, "Initial weights scaled to the layer (He or Glorot)", why)
            return
        for rank, name, start, better in sorted(_unsuitable(context.recipe)):
            why = (
                f"All weights of {name} start equal, so its units all learn the same."
                if rank == 1
                else f"{start} does not keep the variance of what passes {name} and the function behind it."
            )
            path = f"network.layers.{name}.initializer"
            yield from self.offer(context, f"{name}: start from {better}", why, path, better, rank=rank)
            return


def _unsuitable(recipe: Recipe) -> Iterator[tuple[int, str, str, str]]:
    """Rank, layer, its initializer and a better one, where there is a better one."""
    for layer in weight_layers(recipe):
        start = str(getattr(layer, "initializer", ""))
        if not start or layer.frozen:
            continue
        family = "he" if function_after(recipe, layer.name) in _RELU_LIKE else "glorot"
        spread = "uniform" if start.endswith("uniform") else "normal"
        if start in ("zeros", "constant"):
            # The output layer alone may start from 0: its units see different targets.
            if layer is not weight_layers(recipe)[-1] or start == "constant":
                yield 1, layer.name, start, f"{family}_normal"
        elif family == "he" and not start.startswith("he"):
            yield 42, layer.name, start, f"he_{spread}"
        elif (
            family == "glorot" and start.startswith("he") and function_after(recipe, layer.name) in ("tanh", "sigmoid")
        ):
            yield 42, layer.name, start, f"glorot_{spread}"


class OtherActivation(Rule):
    """ReLU instead of a function that flattens out."""

    id = "other_activation"
    gap = "bias"
    rank = 35
    direction = "training error falls faster"
    lecture = "“Change training rate, change activation functions, optimization parameters” – high bias, try to"

    def knobs(self, context: Context) -> Iterator[Knob]:
        if context.recipe is None:
            return
        for layer in inner_activations(context.recipe):
            if layer.function in ("sigmoid", "tanh", "linear"):
                why = (
                    "A linear function adds nothing to the layer before it."
                    if layer.function == "linear"
                    else f"{layer.function} flattens out for large values, and gradients that pass it vanish."
                )
                path = f"network.layers.{layer.name}.function"
                yield from self.offer(context, f"{layer.name}: relu instead of {layer.function}", why, path, "relu")
                return


class OtherArchitecture(Rule):
    """Advice: another kind of network."""

    id = "advice_other_architecture"
    gap = "bias"
    rank = 70
    direction = "training error may fall"
    lecture = (
        "“Use different neural network architecture (e.g. CNN, RNN), different layers” – high bias, try to;"
        " high variance, try to"
    )

    def knobs(self, context: Context) -> Iterator[Knob]:
        has_convolution = context.recipe and any("conv" in layer.kind for layer in context.recipe.network.layers)
        if context.is_pictures and not has_convolution:
            why = "These are pictures, and no layer looks for patterns regardless of their place: try convolutions."
            yield from self.offer(context, "A convolutional network", why, cost="a new network", rank=6)
            return
        why = "Layers that suit the structure of the data (convolutions for pictures) learn more from as much."
        yield from self.offer(context, "Another architecture", why, cost="a new network")


class TransferLearning(Rule):
    """Advice: start from a network trained on something similar."""

    id = "advice_transfer_learning"
    gap = "bias"
    rank = 75
    direction = "training and dev error may fall"
    lecture = "“Transfer learning” – guidelines, “Training error is high” and “Dev (validation) error is high”"

    def knobs(self, context: Context) -> Iterator[Knob]:
        why = "Weights learned on a similar, larger task are a better start than random ones."
        yield from self.offer(context, "Transfer learning", why, cost="a trained network of a similar task")


class Search(Rule):
    """Advice: let many trials look for better hyperparameters."""

    id = "advice_search"
    gap = "bias"
    rank = 80
    direction = "training or dev error may fall"
    lecture = "“Better hyperparameter (network structure) search” – guidelines, “Training error is high”"

    def knobs(self, context: Context) -> Iterator[Knob]:
        why = (
            "Where single knobs are exhausted, many trials side by side may find a better place (the Caviar strategy)."
        )
        yield from self.offer(context, "Search over hyperparameters", why, cost="the time of all its trials")
