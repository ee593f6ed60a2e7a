"""Runs networks that predict how to undo the stains of a picture.

  restorer = StainRemover(*loading.load_checked('stains'))
  restored = restorer(picture)

The network sees a small copy of the whole picture. What it predicts is enlarged
along the edges of the picture and applied to each strip in float32.
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
from artjax.inference.passes import self_ensemble as ensembles
from artjax.interop import safetensors_io
from artjax.tasks import stains

_AT_ONCE = 1_000_000  # px of a strip
_NO_CONTEXT = np.zeros([1, 1, 1, 3], np.float32)


class StainRemover:
  """See the module, and `base.Restorer`."""

  scale = 1
  fills = False
  finds = False
  turns = False
  views = len(ensembles.VIEWS)  # over which it always averages

  def __init__(self, config: ml_collections.ConfigDict, params: Any) -> None:
    """Takes a configuration (task, model) and the generator's weights."""
    self.config = config
    self.params = jax.device_put(params)
    model = registry.model(config)
    self._side, self._multiple = model.side, model.multiple
    self.view = 2 * self._side
    task: Any = tasks.get(config.task)
    self._run = _compiled(model, task)

  def __call__(
    self, picture: pictures.Picture, *, strength: float = 1.0
  ) -> Any:
    """The picture without its stains, in the same form as the input.

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
    strips = self.strips(read, height, width, unit)
    restored = np.concatenate([rows for _, rows in strips])
    return given.result(unit + np.float32(strength) * (restored - unit))

  def field(
    self, whole: np.ndarray, on_view: Callable[[], None] = lambda: None
  ) -> np.ndarray:
    """What undoes the stains of a small copy of the picture.

    Args:
      whole: f32[H, W, 3] in [0, 1]: the picture, or a smaller copy of it.
      on_view: called before each of 8 views, so that it can stop the run.

    Returns:
      f32[h, w, 6]: a factor and what is added, for each channel.
    """
    small = coarse_pass.shrink(whole.astype(np.float32), self._side)
    run = functools.partial(self._run, self.params)
    ensemble = ensembles.over(ensembles.VIEWS, on_view)
    apply = lambda tiles: ensemble(
      lambda seen, _: np.asarray(run(jax.device_put(seen))), tiles, _NO_CONTEXT
    )
    found = coarse_pass.look(apply, small, self._multiple)
    return np.delete(found, 3, -1)  # how far the views differ

  def strips(
    self,
    read: base.Read,
    height: int,
    width: int,
    whole: np.ndarray,
    *,
    self_ensemble: bool = False,
    tile: int = 0,
    on_tiles: Callable[[int], None] = lambda done: None,
    on_halved: Callable[[tiling.Grid], None] = lambda grid: None,
  ) -> base.Strips:
    """The picture without its stains, strip by strip.

    Args:
      read: see `base.Restorer`, as are height, width and whole.
      height: of the picture, px.
      width: of the picture, px.
      whole: f32[h, w, 3].
      self_ensemble: no effect, see `views`.
      tile: no effect.
      on_tiles: called with 1 for each strip that is done, and with 0 before
        each view of the whole picture, so that it can stop the run by raising.
      on_halved: no effect: there are no tiles.

    Yields:
      (top, f32[rows, width, 3]), nominally in [0, 1].
    """
    del self_ensemble, tile, on_halved
    field = self.field(whole, functools.partial(on_tiles, 0))
    rows = self._rows(width)
    for top in range(0, height, rows):
      strip = read(top, 0, min(rows, height - top), width)
      large = _enlarged(field, top, len(strip), height, width)
      on_tiles(1)
      yield top, stains.transform(strip, large[..., :3], large[..., 3:])

  def tiles(self, height: int, width: int, tile: int = 0) -> int:
    """How many strips a picture has."""
    del tile
    return -(-height // self._rows(width))

  def grid(self, height: int, width: int, tile: int = 0) -> tiling.Grid:
    """The one tile that the network sees, a small copy of the picture."""
    del tile
    small = coarse_pass.shrunk(height, width, self._side)
    return coarse_pass.grid(*small, self._multiple)

  def _rows(self, width):
    return max(1, _AT_ONCE // width)


def _enlarged(field, top, rows, height, width):
  """f32[rows, width, 6]: rows of a field, by linear interpolation."""
  parts = [
    coarse_pass.window(np.ascontiguousarray(part), top, rows, height, width)
    for part in (field[..., :3], field[..., 3:])
  ]
  return np.concatenate(parts, -1)


@functools.cache
def _compiled(model, task):
  """run(params, f32[B, h, w, 3] in [0, 1]) -> f32[B, h, w, 6]."""

  def run(params, picture):
    x = task.inputs({'image': picture * 255}, None)
    y = model.apply(safetensors_io.variables(params), x)
    return jax.numpy.concatenate(stains.factors(y), -1)

  return jax.jit(run)
