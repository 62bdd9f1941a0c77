"""Pictures of the data as images for the screen, at the size in which they are shown."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage

from workbench.data.profile import PictureProfile

Pixels = NDArray[Any]
_DIM = 64


def shown_range(profile: PictureProfile) -> tuple[float, float]:
    """The values that are shown as black and white: the usual range of the type, or the measured one where it is other.

    Bytes that use only the lowest quarter of their range would be all but black: those are stretched.
    """
    if profile.dtype == "uint8":
        return 0.0, 255.0 if profile.high >= _DIM or profile.high <= 0 else profile.high
    if profile.low >= 0 and profile.high <= 255:
        return 0.0, 1.0 if profile.high <= 1 else 255.0
    return profile.low, profile.high


def shrunk(picture: Pixels, side: int) -> tuple[Pixels, int]:
    """Every k-th pixel of a picture, so that its longer side is at most about twice ``side``; and k."""
    step = max(1, max(picture.shape[:2]) // (2 * side))
    return picture[::step, ::step], step


def as_bytes(picture: Pixels, low: float, high: float) -> Pixels:
    """Pixel values as uint8 with one, three or four channels, ``(H, W, C)``."""
    if picture.dtype != np.uint8 or (low, high) != (0.0, 255.0):
        scaled = (picture.astype(np.float32) - low) * (255.0 / ((high - low) or 1.0))
        picture = np.clip(np.rint(scaled), 0, 255).astype(np.uint8)
    # Two channels, or many, are no colors: the first is shown.
    return picture if picture.shape[2] in (1, 3, 4) else picture[:, :, :1]


def image_of(pixels: Pixels) -> QImage:
    """uint8 ``(H, W, 1)``, ``(H, W, 3)`` or ``(H, W, 4)`` as an image with its own memory."""
    height, width, channels = pixels.shape
    formats = {1: QImage.Format.Format_Grayscale8, 3: QImage.Format.Format_RGB888, 4: QImage.Format.Format_RGBA8888}
    lines = np.ascontiguousarray(pixels)
    return QImage(lines.data, width, height, width * channels, formats[channels]).copy()


def fitted(image: QImage, side: int) -> QImage:
    """An image scaled to fit a square; small ones keep hard edges, as their pixels are what the network reads."""
    coarse = max(image.width(), image.height()) <= side
    way = Qt.TransformationMode.FastTransformation if coarse else Qt.TransformationMode.SmoothTransformation
    return image.scaled(side, side, Qt.AspectRatioMode.KeepAspectRatio, way)


def thumb(picture: Pixels, side: int, low: float, high: float) -> QImage:
    """A picture of the data as it is shown in a square of ``side`` physical pixels."""
    small, _ = shrunk(picture, side)
    return fitted(image_of(as_bytes(small, low, high)), side)
