"""Runs networks that predict a transform of tones from a thumbnail.

  restorer = Toner(*loading.load_checked('tone'))
  restored = restorer(picture)

Whatever the size of a picture, the network runs once; its transform is applied
to each strip in float32.

The original tones of a single picture are ambiguous, and a wrong correction is
worse than none. So only a share of the predicted correction is applied, and
none of it where the correction is small (`caution`).
"""

from collections.abc import Callable
import functools
from typing import Any

import jax
import ml_collections
import numpy as np

from artjax import registry
from artjax import tasks
from artjax.inference import base
from artjax.inference import pictures
from artjax.inference import tiling
from artjax.inference.passes import coarse as coarse_pass
from artjax.interop import safetensors_io
from artjax.tasks import tone

SIDE = 64  # shorter side of the thumbnail that the network sees, px
_AT_ONCE = 1_000_000  # px of a strip
# Of what the network finds, SHARE is applied, less what UNSURE takes off: root
# mean square changes up to it, of 1, are within its error, and not made. Chosen
# on paintings so that at most 5 % get worse by .1 dB and more, see
# docs/experiments/tone.md.
SHARE, UNSURE = 0.9, 0.01


class Toner:
  """See the module, and `base.Restorer`."""

  scale = 1
  view = 2 * SIDE  # px: means of areas follow
  fills = False
  finds = False
  turns = False

  def __init__(self, config: ml_collections.ConfigDict, params: Any) -> None:
    """Takes a configuration (task, model) and the generator's weights."""
    self.config = config
    self.params = jax.device_put(params)
    task: Any = tasks.get(config.task)
    self._run = _compiled(registry.model(config), task)

  def __call__(
    self, picture: pictures.Picture, *, strength: float = 1.0
  ) -> Any:
    """The picture with its tones restored, in the same form as the input.

    Args:
      picture: u8, u16 or float in [0, 1], grey, RGB or with alpha, of any size;
        a PIL image; or a path, see `pictures.given`.
      strength: in [0, 1], share of the change that is applied.

      Raises:
      ValueError: another kind of picture; strength.
      vips.BadPicture: the file cannot be read.
    """
    base.check_strength(strength)
    given = pictures.given(picture)
    unit = given.unit
    read = lambda y, x, h, w: unit[y : y + h, x : x + w]
    height, width = unit.shape[:2]
    strips = self.strips(read, height, width, unit, strength=strength)
    restored = np.concatenate([rows for _, rows in strips])
    return given.result(restored)

  def transform(self, whole: np.ndarray) -> tuple[np.ndarray, float]:
    """The transform for a picture.

    Args:
      whole: f32[h, w, 3] in [0, 1]: the picture, or a smaller copy of it.

    Returns:
      f32[parameters], see `tone.transform`, and the share of it that is
      applied at strength 1, see `caution`.
    """
    small = coarse_pass.shrink(whole.astype(np.float32), SIDE)
    found = np.asarray(self._run(self.params, small[None]))
    made = np.clip(tone.transform(small[None], found), 0, 1)
    return found[0, 0, 0], caution(np.sqrt(np.mean((made - small) ** 2)))

  def strips(
    self,
    read: base.Read,
    height: int,
    width: int,
    whole: np.ndarray,
    *,
    strength: float = 1.0,
    on_tiles: Callable[[int], None] = lambda done: None,
    on_transform: Callable[[np.ndarray, float], None] = lambda *found: None,
  ) -> base.Strips:
    """The picture with its tones restored, strip by strip.

    Args:
      read: see `base.Restorer`, as are height, width and whole.
      height: of the picture, px.
      width: of the picture, px.
      whole: f32[h, w, 3].
      strength: in [0, 1], share of the change that is made.
      on_tiles: called with 1 for each strip that is done.
      on_transform: called with the transform and the share that is applied.

    Yields:
      (top, f32[rows, width, 3]), nominally in [0, 1].
    """
    found, share = self.transform(whole)
    share *= strength
    on_transform(found, share)
    rows = self._rows(width)
    for top in range(0, height, rows):
      strip = read(top, 0, min(rows, height - top), width)
      made = tone.transform(strip[None], found[None, None, None])[0]
      on_tiles(1)
      yield top, strip + np.float32(share) * (made - strip)

  def tiles(self, height: int, width: int, tile: int = 0) -> int:
    """How many strips a picture has."""
    del tile
    return -(-height // self._rows(width))

  def grid(self, height: int, width: int, tile: int = 0) -> tiling.Grid:
    """The one tile that the network sees, a thumbnail of the picture."""
    del tile
    small = coarse_pass.shrunk(height, width, self.view)
    return tiling.Grid(coarse_pass.shrunk(*small, SIDE), halo=0, overlap=0)

  def _rows(self, width):
    return max(1, _AT_ONCE // width)


def caution(change: float) -> float:
  """The share of a change to apply, from its root mean square in [0, 1]."""
  return SHARE * max(0.0, float(change) - UNSURE) / max(float(change), UNSURE)


@functools.cache
def _compiled(model, task):
  """run(params, f32[1, h, w, 3] in [0, 1]) -> f32[1, 1, 1, parameters]."""

  def run(params, picture):
    x = task.inputs({'image': picture * 255}, None)
    return model.apply(safetensors_io.variables(params), x)

  return jax.jit(run)
