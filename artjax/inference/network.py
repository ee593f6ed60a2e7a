"""A trained generator as a function: picture in, picture out.

  restorer = Restorer.load('unet')
  restored = restorer(picture)

The same object serves the command line, the web page and evaluation. Pictures
go through in tiles (see tiling.py), so their size does not matter.
"""

from collections.abc import Callable
import functools
from typing import Any

import jax
import jax.numpy as jnp
import ml_collections
import numpy as np

from artjax import registry
from artjax import resampling
from artjax import tasks
from artjax.inference import base
from artjax.inference import confidence
from artjax.inference import knobs
from artjax.inference import loading
from artjax.inference import pictures
from artjax.inference import tiling
from artjax.inference import weights
from artjax.inference.engines import base as engines
from artjax.inference.engines import jax_engine
from artjax.inference.engines import names
from artjax.inference.engines import runner
from artjax.inference.passes import coarse as coarse_pass
from artjax.inference.passes import hole_pyramid
from artjax.inference.passes import self_ensemble as ensembles
from artjax.interop import safetensors_io

# Side of the square thumbnail that shows a model the whole picture's colours,
# as the op `thumbnail` does in training, px.
CONTEXT = 64


class Restorer:
  """Restores whole pictures with one set of weights; see `base.Restorer`.

  Attributes:
    config: its task and model.
    params: the generator's weights, on the device.
    scale: size of the result relative to the picture.
    halo: px around a tile that the network must see.
    fills: whether it changes only pixels in a mask.
    finds: whether it outputs a damage probability map, not a picture.
    tile: side of the only tile that the network takes, px; 0 = of any size.
    turns: True, as it can see a picture flipped and rotated.
    views: number of flips and rotations that it always averages over.
    predicts_errors: whether the last channel of `strips` is the logarithm of
      the scale of a pixel's error.
    calibration: of these scales; None = not calibrated.
    knobs: settings that the network takes for a picture, see knobs.py.
    jpeg_quality: that it estimated for the last picture; None = it did not.
    view: minimum shorter side of the copy of the whole picture that it needs,
      px.
  """

  turns = True

  def __init__(self, config: ml_collections.ConfigDict, params: loading.Params):
    """Takes a configuration (task, model) and the generator's weights."""
    self.config = config
    # Once, and not again with every tile.
    self.params = jax.device_put(params)
    model = registry.model(config)
    self.scale = getattr(model, 'scale', 1)
    if not hasattr(model, 'halo'):
      raise ValueError(
        f'{config.model.name} does not say how many px a tile must see around '
        'it: it needs an attribute halo, see docs/extend.md'
      )
    self.halo, self.tile = model.halo, getattr(model, 'tile', 0)
    self._multiple = getattr(model, 'multiple', 1)
    self._edge = getattr(model, 'edge', None)
    task: Any = tasks.get(config.task)
    self.fills, self.finds = task.fills, task.finds
    self._reach = model.reach if self.fills else 0
    self._runner = runner.Runner(
      _compiled(model, task),
      self.params,
      channels=4 if 'mask' in task.reads else 3,
      context=CONTEXT,
      multiple=self.tile or self._multiple,
      identity={'task': config.task, 'model': config.model.to_dict()},
    )
    self.views = getattr(model, 'views', 1)
    self.predicts_errors = getattr(model, 'confidence', False)
    self.calibration = (
      confidence.Calibration.of(config) if self.predicts_errors else None
    )
    self.knobs = knobs.of(params)
    self.jpeg_quality: float | None = None
    self._estimates = getattr(model, 'estimates_quality', False)
    self._model = model
    self._side = getattr(model, 'side', 0)  # of what a coarse pass sees, px
    if self._side:
      self._overview_network = jax_engine.Network(
        _compiled(model, task, 'overview')
      )
    self.view = max(2 * CONTEXT, self._side)

  @classmethod
  def load(
    cls, where: str | weights.Weights, step: int | None = None
  ) -> 'Restorer':
    """Of a name, workdir (best checkpoint, or `step`), file or blend.

    Raises:
      FileNotFoundError: there is no such name, workdir, checkpoint or file.
      ValueError: the name cannot be read; the file is damaged or was tampered
        with, or its weights do not fit its model.
    """
    return cls(*loading.load_checked(where, step))

  def __call__(
    self,
    picture: pictures.Picture,
    mask: np.ndarray | None = None,
    *,
    strength: float = 1.0,
    self_ensemble: bool = False,
    tile: int = 0,
    noise: float | None = None,
    jpeg_quality: float | None = None,
    engine: str = names.JAX,
  ) -> Any:
    """The restored picture, in the same form as the input.

    Args:
      picture: u8, u16 or float in [0, 1], grey, RGB or with alpha, of any size;
        a PIL image; or a path, see `pictures.given`. Grey stays grey, alpha is
        preserved.
      mask: bool or u8 [H, W] or [H, W, C]. Where any channel is not 0, the
        picture is filled; elsewhere it is unchanged. Required by weights that
        fill (`fills`), and not allowed for others.
      strength: in [0, 1], share of the change that is applied; at 0 (and scale
        1) the picture itself is returned.
      self_ensemble: average over the 8 flips and rotations of the picture.
      tile: largest side of a tile's core, px; 0 = the fastest.
      noise: see `strips`.
      jpeg_quality: see `strips`.
      engine: see `strips`.

    Returns:
      The same type; height and width times scale.

    Raises:
      ValueError: another kind of picture; strength; the engine, see `use`; a
        mask that is missing, of another size, or that is not used.
      vips.BadPicture: the file cannot be read.
    """
    base.check_strength(strength)
    given = pictures.given(picture)
    unit = given.unit
    hole = pictures.hole(mask, unit, self.fills)
    if strength == 0 and self.scale == 1:
      return given.unchanged
    height, width = unit.shape[:2]
    read = lambda y, x, h, w: unit[y : y + h, x : x + w]
    strips = [
      rows[..., :3]
      for _, rows in self.strips(
        read,
        height,
        width,
        unit,
        hole=hole,
        self_ensemble=self_ensemble,
        tile=tile,
        noise=noise,
        jpeg_quality=jpeg_quality,
        engine=engine,
      )
    ]
    restored = np.concatenate(strips)
    if strength < 1:
      before = resampling.enlarge(unit, self.scale)
      restored = before + np.float32(strength) * (restored - before)
    return given.result(restored, changed=hole, in_colour=self.finds)

  def with_scale(self, picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The restored picture and its predicted errors (`predicts_errors`).

    Args:
      picture: u8[H, W, 3].

    Returns:
      f32[H, W, 3] in [0, 1], not rounded, and f32[H, W], the logarithm of the
      scale of each pixel's error.
    """
    unit = picture * np.float32(1 / 255)
    read = lambda y, x, h, w: unit[y : y + h, x : x + w]
    height, width = picture.shape[:2]
    strips = self.strips(read, height, width, unit)
    rows = np.concatenate([rows for _, rows in strips])
    return np.clip(rows[..., :3], 0, 1), rows[..., -1]

  def strips(
    self,
    read: base.Read,
    height: int,
    width: int,
    whole: np.ndarray,
    *,
    hole: np.ndarray | None = None,
    self_ensemble: bool = False,
    tile: int = 0,
    noise: float | None = None,
    jpeg_quality: float | None = None,
    engine: str = names.JAX,
    on_engine: Callable[[engines.Used], None] = lambda used: None,
    on_quality: Callable[[float], None] = lambda quality: None,
    on_tiles: Callable[[int], None] = lambda done: None,
    on_halved: Callable[[tiling.Grid], None] = lambda grid: None,
  ) -> base.Strips:
    """The restored picture, strip by strip.

    Args:
      read: (top, left, height, width) -> f32[height, width, 3] in [0, 1].
      height: of the picture, px.
      width: of the picture, px.
      whole: f32[h, w, 3]: the whole picture, or a smaller copy of it.
      hole: bool [height, width], True where to fill, for weights that fill
        (`fills`); elsewhere the picture is unchanged.
      self_ensemble: the mean over 8 flips and rotations, and their spread.
      tile: largest side of a tile's core, px; 0 = the fastest.
      noise: standard deviation to remove, in levels of 255, for weights that
        take it (`knobs`); None = 15.
      jpeg_quality: with which the picture was saved, 1 to 100, for weights that
        take it; None = they estimate it, see the attribute.
      engine: what computes the tiles, of `engines.names.CHOICES`; 'auto' = the
        fastest for this network on this machine.
      on_engine: called with the one that is used.
      on_quality: called with the quality of JPEG that it estimates, if it does.
      on_tiles: see `tiling.run`; also called with 0 before each of several
        views of a tile, so that it can stop the run between them by raising.
      on_halved: see `tiling.run`.

    Yields:
      (top, f32[rows, width * scale, C]): RGB, nominally in [0, 1]; if several
      views are averaged (`self_ensemble`, or the `views` of a model) their
      standard deviation, averaged over the channels; and, if the model
      `predicts_errors`, the logarithm of the scale of errors.

    Raises:
      tiling.OutOfMemory: not even the smallest tiles fit.
      ValueError: the engine is not installed or cannot run this network.
    """
    used = self.use(engine)
    on_engine(used)
    context = resampling.thumbnail(whole.astype(np.float32), CONTEXT)
    params = self.params
    if self._estimates and jpeg_quality is None:
      jpeg_quality = self.jpeg_quality = knobs.estimate_quality(
        self._model, params, read, height, width
      )
      on_quality(jpeg_quality)
    if noise is not None or jpeg_quality is not None:
      params = knobs.tell(params, noise=noise, jpeg_quality=jpeg_quality)
    apply = functools.partial(_apply, params=params, context=context[None])
    on_view = functools.partial(on_tiles, 0)
    seen = self._overview(apply, whole, on_view) if self._side else None
    views = ensembles.VIEWS[: 8 if self_ensemble else self.views]
    apply = functools.partial(
      apply, self.network(used.engine), ensemble=ensembles.over(views, on_view)
    )
    if self.fills:
      if hole is None:
        raise ValueError('weights that fill want a hole')
      apply = functools.partial(
        hole_pyramid.only_missing, apply, 3 if len(views) == 1 else 4
      )
      read = hole_pyramid.reader(
        read,
        hole,
        functools.partial(
          self._fill, self_ensemble=self_ensemble, tile=tile, engine=used.engine
        ),
        self._reach,
      )
    strips = tiling.run(
      apply,
      read,
      height,
      width,
      self.grid(height, width, tile),
      scale=self.scale,
      batch=1 if jax.default_backend() == 'cpu' else 4,
      on_tiles=on_tiles,
      on_halved=on_halved,
    )
    if seen is not None:
      strips = coarse_pass.merge(strips, seen, height, width)
    yield from strips

  def network(self, engine: str) -> engines.Network:
    """The network alone, in an engine; ValueError if that is not installed."""
    return self._runner.network(engine)

  def use(self, engine: str) -> engines.Used:
    """Which engine runs its tiles; ValueError, one line, if it cannot."""
    return self._runner.use(engine)

  def _overview(self, apply, whole, on_view):
    """f32[h, w, 3]: the result of the coarse pass over the whole picture.

    It is always the mean over 8 flips and rotations, which is cheap at this
    size.
    """
    small = coarse_pass.shrink(np.float32(whole), self._side)
    apply = functools.partial(
      apply,
      self._overview_network,
      ensemble=ensembles.over(ensembles.VIEWS, on_view),
    )
    return coarse_pass.look(apply, small, self._multiple)[..., :3]

  def _fill(self, picture, hole, **how):
    """f32[h, w, 3], filled where bool [h, w] says so."""
    read = lambda y, x, h, w: picture[y : y + h, x : x + w]
    return np.concatenate(
      [
        rows[..., :3]
        for _, rows in self.strips(read, *hole.shape, picture, hole=hole, **how)
      ]
    )

  def tiles(self, height: int, width: int, tile: int = 0) -> int:
    """How many tiles a picture takes."""
    return tiling.count(height, width, self.grid(height, width, tile))

  def grid(self, height: int, width: int, tile: int = 0) -> tiling.Grid:
    """The tiles of a picture, see `tiling.plan`."""
    largest = getattr(self._model, 'core', max(tiling.CORES))
    cores = [tile] if tile else [c for c in tiling.CORES if c <= largest]
    if self.tile:
      cores = [self.tile - 2 * self.halo]
    grid = tiling.plan(
      height,
      width,
      halo=self.halo,
      multiple=self._multiple,
      cores=cores,
      edge=self._edge,
    )
    return grid._replace(fixed=bool(self.tile))


@functools.cache
def _compiled(model: Any, task: Any, method: str = '__call__') -> Callable:
  """run(params, f32[B, H, W, C] in [0, 1], context) -> f32[B, H', W', D].

  C is 3, or 4 with the mask if the task reads one; D is 3, or 4 with the scale
  of errors if the model predicts it. `method` is that of the model.
  """

  def run(params, picture, context):
    # Tasks take what batches hold, values up to 255; here with their fractions.
    batch = {'image': picture[..., :3] * 255}
    if 'mask' in task.reads:
      batch['mask'] = picture[..., 3:] * 255
    context = jnp.repeat(context, picture.shape[0], 0)
    y = model.apply(
      safetensors_io.variables(params),
      task.inputs(batch, None),
      context=context,
      method=method,
    )
    image, log_scale = task.to_image(batch, y), task.log_scale(y)
    if log_scale is None:
      return image
    return jnp.concatenate([image, log_scale], -1)

  return jax.jit(run)


def _apply(network, tiles, *, params, context, ensemble):
  """A network on tiles, as `tiling.run` needs it."""
  try:
    return ensemble(functools.partial(network, params), tiles, context)
  except MemoryError as error:
    raise tiling.OutOfMemory(str(error)) from error
