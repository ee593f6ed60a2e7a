"""The interface of everything that runs a network on whole pictures.

Five classes implement it: network.Restorer, colorizer.Colorizer, toner.Toner,
stain_remover.StainRemover and deep_image_prior.Restorer. A task names the one
that runs its weights. The task `generate` has no input picture and uses
sampler.Sampler instead.
"""

from collections.abc import Callable, Iterator
from typing import Any, Protocol

import ml_collections
import numpy as np

from artjax.inference import tiling

# (top, left, height, width) -> f32[height, width, 3], sRGB in [0, 1].
Read = Callable[[int, int, int, int], np.ndarray]
# (top, f32[rows, width, C]), from top to bottom.
Strips = Iterator[tuple[int, np.ndarray]]


class Restorer(Protocol):
  """Restores whole pictures with one set of weights.

  Attributes:
    config: its task and model.
    params: the generator's weights; on the device, where there are any.
    scale: size of the result relative to the picture.
    view: minimum shorter side of the copy of the whole picture that it needs,
      px.
    fills: whether it changes only pixels in a mask.
    finds: whether it outputs a damage probability map, not a picture.
    turns: whether `self_ensemble` can show it the picture flipped and rotated.
  """

  config: ml_collections.ConfigDict
  params: Any
  scale: int
  view: int
  fills: bool
  finds: bool
  turns: bool

  def strips(
    self,
    read: Read,
    height: int,
    width: int,
    whole: np.ndarray,
    **settings: Any,
  ) -> Strips:
    """The restored picture, strip by strip.

    Args:
      read: of the picture.
      height: of the picture, px.
      width: of the picture, px.
      whole: f32[h, w, 3]: the whole picture, or a smaller copy of it.
      **settings: further arguments of the implementation.

    Yields:
      (top, f32[rows, width * scale, C]): RGB, nominally in [0, 1], and perhaps
      how uncertain it is.
    """

  def tiles(self, height: int, width: int, tile: int = 0) -> int:
    """How often `strips` reports progress on a picture of height x width px."""

  def grid(self, height: int, width: int, tile: int = 0) -> tiling.Grid:
    """The tiles that its network gets; another size has to be compiled."""


def check_strength(strength: float) -> None:
  """Raises ValueError unless it is in [0, 1]."""
  if not 0 <= strength <= 1:
    raise ValueError(f'strength must be in [0, 1], got {strength}')
