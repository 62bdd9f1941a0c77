"""The network as PyTorch source."""

from __future__ import annotations

import ast

from workbench.errors import RunError
from workbench.export.formats.base import Exported, Exporter
from workbench.export.source import ExportSource
from workbench.export.torch_source import torch_source


class PyTorch(Exporter):
    """A readable file with ``class Model(nn.Module)``."""

    kind = "pytorch"
    title = "PyTorch source"
    suffix = ".py"
    about = "A readable nn.Module in one file; its weights are what `safetensors` writes."

    def export(self, source: ExportSource) -> Exported:
        recipe, model = source.recipe, source.model
        text = torch_source(model.network, model.encoder, model.loss, recipe.name, recipe.fingerprint())
        try:
            ast.parse(text)
        except (SyntaxError, ValueError) as error:
            raise RunError(
                f"the source is not sound: {error}", mend="Nothing was written; please report this."
            ) from None
        return Exported(text.encode(), "its syntax is sound; the weights to load are what safetensors holds")
