"""A trained generator as a function: picture in, picture out.

  restorer = Restorer.load('unet')
  restored = restorer(picture)

The same object serves the command line, the web page and evaluation. Pictures
go through in tiles (see tiling.py), so their size does not matter.
"""

import functools
import json
import os
import pathlib
import re

import jax
import jax.numpy as jnp
import numpy as np

from artjax import registry
from artjax import resampling
from artjax.inference import coarse_pass
from artjax.inference import hole_pyramid
from artjax.inference import tiling
from artjax.inference import two_pass
from artjax.interop import safetensors_io
from artjax.tasks import base

PRETRAINED = pathlib.Path(__file__).parent.parent / 'pretrained'
# Side of the square thumbnail that shows a model the whole picture's colours,
# as the op `thumbnail` does in training, px.
CONTEXT = 64
# (flip, quarter turns) of all that a picture can be seen as; a model that is to
# see several (`views`) sees the first of them.
_VIEWS = tuple((flip, turns) for flip in (False, True) for turns in range(4))
_SHARE = re.compile(r'(.+?):(-?\d*\.?\d+)(?:\+|$)')


def load(where, step=None):
  """(config, generator weights) of a name, a workdir or a .safetensors file.

  Args:
    where: a name in `pretrained/` ('unet'), the workdir of a training run, or
      a weights file. A file that stands in a manifest.json beside it must have
      the sha256 given there. Or a blend of several, 'a:0.3+b:0.7': the mean of
      their weights, with shares that sum to 1
      (https://arxiv.org/abs/1809.00219, network interpolation). Or one of the
      two networks of a detector.CoarseToFine: 'detect:fine', 'detect:coarse'.
    step: of a workdir's checkpoint; None = the best.

  Raises:
    FileNotFoundError: there is no such name, workdir, checkpoint or file.
    ValueError: the file is damaged, or not what its manifest says; the parts
      of a blend do not go together.
  """
  parts = shares(where)
  if parts:
    return _blend(where, parts, step)
  both, part = two_pass.part_of(where)
  if part:
    return two_pass.take(*load(both, step), part, both)
  if os.path.isdir(where):
    from artjax.training import (
      checkpoint,  # Orbax is a third of the time to start.
    )

    return checkpoint.load_generator(where, step)[:2]
  path = find(where)
  check_manifest(path)
  return safetensors_io.load(path)[:2]


def shares(where):
  """[(name, share)] of a blend 'a:0.3+b:0.7'; [] of anything else.

  Raises:
    ValueError: shares outside [0, 1], or that do not sum to 1.
  """
  found = _SHARE.findall(where)
  # What exists is what is meant, whatever its name looks like.
  if os.path.exists(where) or not _SHARE.sub('', where) == '' or not found:
    return []
  parts = [(name, float(share)) for name, share in found]
  total = sum(share for _, share in parts)
  if abs(total - 1) > 1e-3 or not all(0 <= share <= 1 for _, share in parts):
    raise ValueError(
      f'{where}: shares must be in [0, 1] and sum to 1; these sum to {total:g}'
    )
  return parts


def _blend(where, parts, step):
  """(config, weights): the mean of several weights of one model."""
  total, mean, first = sum(share for _, share in parts), None, None
  for name, share in parts:
    config, params = load(name, step)
    if mean is None:
      first, mean = config, jax.tree.map(np.zeros_like, params)
    if _network(config) != _network(first):
      ours, theirs = (' '.join(map(str, _network(c))) for c in (first, config))
      raise ValueError(
        f'{where}: {parts[0][0]} is {ours}, and {name} is {theirs}'.replace(
          '\n', ' '
        )
      )
    safetensors_io.check(params, mean, f'{where}: {name}')
    mean = jax.tree.map(
      lambda a, b, s=np.float32(share / total): a + s * b, mean, params
    )
  return first, mean


def _network(config):
  """Task, model and fields: what two weights of one network have in common."""
  fields = {
    key: tuple(value) if isinstance(value, (list, tuple)) else value
    for key, value in config.model.args.items()
  }
  return config.task, config.model.name, fields


def find(where):
  """Path of a weights file, given as such or by a name in `pretrained/`."""
  if where.endswith('.safetensors') or os.path.exists(where):
    return where
  path = PRETRAINED / f'{where}.safetensors'
  if os.sep in where or not path.exists():
    names = sorted(p.stem for p in PRETRAINED.glob('*.safetensors'))
    raise FileNotFoundError(
      f"{where}: no such weights; give a training run's workdir, a "
      '.safetensors file, a blend such as a:0.3+b:0.7, or one of: '
      f'{", ".join(names) or "(none here)"}'
    )
  return str(path)


def check_manifest(path):
  """Raises ValueError if a manifest beside the file gives another sha256."""
  manifest = os.path.join(os.path.dirname(path), 'manifest.json')
  if not os.path.exists(manifest) or not os.path.exists(path):
    return
  with open(manifest) as file:
    entry = json.load(file).get(os.path.basename(path))
  if entry and safetensors_io.file_sha256(path) != entry['sha256']:
    raise ValueError(
      f'{path}: its sha256 is not that of {manifest}: the file '
      'was changed or is incomplete; get it anew'
    )


class Restorer:
  """Restores whole pictures with one set of weights.

  Attributes:
    config: its task and model.
    params: the generator's weights.
    scale: of the result to the picture.
    halo: px around a tile that the network must see.
    fills: whether it changes only what a mask shows.
    finds: whether its result is no picture, but where damage is.
    view: shorter side of the copy of the whole picture that it is to be shown
      at least, px.
  """

  def __init__(self, config, params):
    """Of a configuration (task, model) and the generator's weights."""
    self.config = config
    self.params = params
    model = registry.model(config)
    self.scale = getattr(model, 'scale', 1)
    self.halo = model.halo
    self._multiple = model.multiple
    task = base.get(config.task)
    self.fills, self.finds = 'mask' in task.reads, task.finds
    self._reach = model.reach if self.fills else 0
    self._run = _compiled(model, task)
    self._views = _VIEWS[: getattr(model, 'views', 1)]
    self._side = getattr(model, 'side', 0)  # of what a coarse pass sees, px
    if self._side:
      self._run_overview = _compiled(model, task, 'overview')
    self.view = max(2 * CONTEXT, self._side)

  @classmethod
  def load(cls, where, step=None):
    """Of a name, workdir (best checkpoint, or `step`), file or blend: `load`.

    Raises:
      FileNotFoundError: there is no such name, workdir, checkpoint or file.
      ValueError: the file is damaged, was tampered with, or its weights do not
        fit its model.
    """
    config, params = load(where, step)
    if not base.get(config.task).reads:
      raise ValueError(
        f'{where}: draws pictures from nothing '
        f'(task={config.task}), it restores none'
      )
    channels = base.get(config.task).channels
    expected = safetensors_io.merge(registry.variables(config, channels))
    safetensors_io.check(params, expected, where)
    return cls(config, params)

  def __call__(
    self, picture, mask=None, *, strength=1.0, self_ensemble=False, tile=0
  ):
    """The restored picture, of the same type.

    Args:
      picture: u8 or u16 [H, W, 3], RGB, any size.
      mask: bool or u8 [H, W] or [H, W, C], not 0 in any channel where the
        picture is to be filled, and only there it is changed; for weights that
        fill, and only for these (`fills`).
      strength: in [0, 1], share of the change that is made; at 0 (and scale 1)
        the picture itself comes back.
      self_ensemble: the mean over the 8 flips and turns of the picture.
      tile: largest side of a tile's core, px; 0 = as it is fastest.

    Returns:
      u8 or u16 [H * scale, W * scale, 3].

    Raises:
      ValueError: strength, or a mask that is missing, of another size, or of
        no use.
    """
    check_strength(strength)
    hole = self._hole(picture, mask)
    if strength == 0 and self.scale == 1:
      return picture
    full = np.iinfo(picture.dtype).max
    height, width = picture.shape[:2]
    unit = np.float32(1 / full)
    read = lambda y, x, h, w: picture[y : y + h, x : x + w] * unit
    strips = [
      rows[..., :3]
      for _, rows in self.strips(
        read,
        height,
        width,
        picture * unit,
        hole=hole,
        self_ensemble=self_ensemble,
        tile=tile,
      )
    ]
    restored = np.concatenate(strips)
    if strength < 1:
      before = resampling.enlarge(picture * unit, self.scale)
      restored = before + np.float32(strength) * (restored - before)
    restored = np.rint(np.clip(restored, 0, 1) * full).astype(picture.dtype)
    if hole is None:
      return restored
    return np.where(hole[..., None], restored, picture)

  def _hole(self, picture, mask):
    """bool [H, W], or None where nothing is filled."""
    if not self.fills:
      if mask is not None:
        raise ValueError('these weights take no mask: they do not fill')
      return None
    if mask is None:
      raise ValueError('these weights fill what a mask shows: give a mask')
    if mask.shape[:2] != picture.shape[:2]:
      raise ValueError(
        f'the mask is {mask.shape[1]} x {mask.shape[0]} px, the '
        f'picture {picture.shape[1]} x {picture.shape[0]} px'
      )
    return mask.reshape(*mask.shape[:2], -1).any(-1)

  def strips(
    self,
    read,
    height,
    width,
    whole,
    *,
    hole=None,
    self_ensemble=False,
    tile=0,
    on_tiles=lambda done: None,
    on_halved=lambda grid: None,
  ):
    """The restored picture, strip by strip.

    Args:
      read: (top, left, height, width) -> f32[height, width, 3] in [0, 1].
      height: of the picture, px.
      width: of the picture, px.
      whole: f32[h, w, 3]: the whole picture, or a smaller copy of it.
      hole: bool [height, width], True where to fill, for weights that do
        (`fills`); elsewhere the picture stays as it is.
      self_ensemble: the mean over 8 flips and turns, and their spread.
      tile: largest side of a tile's core, px; 0 = as it is fastest.
      on_tiles: see `tiling.run`.
      on_halved: see `tiling.run`.

    Yields:
      (top, f32[rows, width * scale, 3 or 4]): RGB, nominally in [0, 1], and
      where several views are averaged (`self_ensemble`, or the `views` of a
      model) their standard deviation, mean over the channels.

    Raises:
      tiling.OutOfMemory: not even the smallest tiles fit.
    """
    context = resampling.thumbnail(np.float32(whole), CONTEXT)
    apply = functools.partial(_apply, params=self.params, context=context[None])
    seen = self._overview(apply, whole) if self._side else None
    views = _VIEWS if self_ensemble else self._views
    apply = functools.partial(apply, self._run, ensemble=_ensemble(views))
    if self.fills:
      apply = functools.partial(_filled, apply, 3 if len(views) == 1 else 4)
      read = hole_pyramid.reader(
        read,
        hole,
        functools.partial(self._fill, self_ensemble=self_ensemble, tile=tile),
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

  def _overview(self, apply, whole):
    """f32[h, w, 3]: what the coarse pass makes of the whole picture.

    Always the mean over 8 flips and turns, which costs little of so few pixels.
    """
    small = coarse_pass.shrink(np.float32(whole), self._side)
    height, width = small.shape[:2]
    # One tile nearly always, so that hardly any halo is needed.
    grid = tiling.plan(
      height, width, halo=self._multiple, multiple=self._multiple
    )
    read = lambda y, x, h, w: small[y : y + h, x : x + w]
    apply = functools.partial(
      apply, self._run_overview, ensemble=_ensemble(_VIEWS)
    )
    strips = tiling.run(apply, read, height, width, grid)
    return np.concatenate([rows[..., :3] for _, rows in strips])

  def _fill(self, picture, hole, **how):
    """f32[h, w, 3], filled where bool [h, w] says so."""
    read = lambda y, x, h, w: picture[y : y + h, x : x + w]
    return np.concatenate(
      [
        rows[..., :3]
        for _, rows in self.strips(read, *hole.shape, picture, hole=hole, **how)
      ]
    )

  def tiles(self, height, width, tile=0):
    """How many tiles a picture takes."""
    return tiling.count(height, width, self.grid(height, width, tile))

  def grid(self, height, width, tile=0):
    """The tiles of a picture, see `tiling.plan`."""
    cores = (tile,) if tile else tiling.CORES
    return tiling.plan(
      height, width, halo=self.halo, multiple=self._multiple, cores=cores
    )


def evaluated(restorer, config):
  """`restorer` as `config.eval` wants its pictures restored: a function.

  Raises:
    ValueError: eval.self_ensemble for weights that colorize.
  """
  if not config.eval.self_ensemble:
    return restorer
  if restorer.config.task == 'colorize':
    raise ValueError(
      'eval.self_ensemble=True: what colorizes sees a picture once and upright'
    )
  return functools.partial(restorer, self_ensemble=True)


def check_strength(strength):
  """Raises ValueError unless it is in [0, 1]."""
  if not 0 <= strength <= 1:
    raise ValueError(f'strength must be in [0, 1], got {strength}')


@functools.cache
def _compiled(model, task, method='__call__'):
  """run(params, f32[B, H, W, C] in [0, 1], context) -> f32[B, H', W', 3].

  C is 3, or 4 with the mask where the task reads one. `method` is the model's.
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
    return task.picture(batch, y)

  return jax.jit(run)


def _apply(run, tiles, *, params, context, ensemble):
  """`run` on tiles, as `tiling.run` wants it."""
  try:
    return ensemble(lambda x, c: np.asarray(run(params, x, c)), tiles, context)
  except MemoryError as error:
    raise tiling.OutOfMemory(str(error)) from error
  except jax.errors.JaxRuntimeError as error:
    if 'RESOURCE_EXHAUSTED' in str(error) or 'out of memory' in str(error):
      raise tiling.OutOfMemory(str(error).splitlines()[0]) from error
    raise


def _filled(apply, channels, tiles):
  """`apply` where a tile's fourth channel says so, the tile elsewhere.

  Args:
    apply: [B, h, w, 4] -> f32[B, h, w, channels].
    channels: 3, or 4 with the spread, which is 0 where nothing is filled.
    tiles: f32[B, h, w, 4].
  """
  missing = tiles[..., 3:] > 0
  known = tiles[..., :channels] * np.float32([1, 1, 1, 0][:channels])
  return np.where(missing, apply(tiles), known) if missing.any() else known


def _ensemble(views):
  """`_turned` over `views`; as it is where there is but one."""
  if len(views) == 1:
    return lambda run, tiles, context: run(tiles, context)
  return functools.partial(_turned, views=views)


def _turned(run, tiles, context, *, views):
  """Mean and spread over flips and turns: f32[B, H, W, 4]."""
  total = squares = 0.0
  for flip, turns in views:
    turn = lambda x, k=turns, f=flip: np.rot90(
      x[:, :, ::-1] if f else x, k, (1, 2)
    )
    back = lambda x, k=turns, f=flip: np.rot90(x, -k, (1, 2))[
      :, :, :: -1 if f else 1
    ]
    y = back(
      run(
        np.ascontiguousarray(turn(tiles)), np.ascontiguousarray(turn(context))
      )
    ).astype(np.float64)
    total, squares = total + y, squares + y * y
  mean = total / len(views)
  spread = np.sqrt(np.maximum(squares / len(views) - mean**2, 0)).mean(
    -1, keepdims=True
  )
  return np.concatenate([mean, spread], -1).astype(np.float32)
