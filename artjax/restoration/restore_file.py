"""One picture file restored: read, run, merged, written, and on record.

`restore_file` is what the command line and the web page call. Only strips of
the picture are in memory at a time; see tiling.py and image_file.py.
"""

import dataclasses
import functools
import importlib.metadata
import json
import os
import platform
import tempfile
import time

import jax
import numpy as np

from artjax import atomic_files
from artjax.image_io import reader
from artjax.image_io import vips
from artjax.image_io import writer as image_writer
from artjax.inference import base as restorers
from artjax.inference import colorizer
from artjax.inference import hole_pyramid
from artjax.inference import loading
from artjax.inference import weights as weights_lib
from artjax.interop import safetensors_io
from artjax.restoration import damage_mask
from artjax.restoration import generative

# What a grey level of the maps means; what is more is white.
CHANGE_STEP = 0.05  # CIEDE2000
UNCERTAINTY_STEP = 0.1 / 255  # of the range of a channel
_AT_ONCE = 1_000_000  # px that are merged at a time: colour takes much room
_DIP = 'deep_image_prior'  # restores without weights
_ROWS = 256  # px that are copied at a time where nothing is done
_PACKAGES = ('jax', 'flax', 'numpy', 'pyvips')


@dataclasses.dataclass(frozen=True)
class Options:
  """How a picture is restored; part of the record."""

  strength: float = 1.0  # share of the change that is made
  self_ensemble: bool = False  # mean over 8 flips and turns
  tile: int = 0  # largest side of a tile's core, px; 0 = as it is fastest
  strip_metadata: bool = False
  max_pixels: int = reader.MAX_PIXELS
  mask: damage_mask.Options = damage_mask.Options()
  saturation: float = 1.0  # in [0, 2], of what is colorized; 0 = grey


@dataclasses.dataclass(frozen=True)
class Outputs:
  """Where the results go; '' = not wanted."""

  picture: str
  change_map: str = ''
  uncertainty: str = ''  # needs self_ensemble
  report: str = ''
  mask: str = ''  # what was filled, white
  chances: str = ''  # of crack, loss and stain as red, green and blue


class Chain:
  """Restorers that run one after the other, and where they came from."""

  def __init__(self, names):
    """Loads weights, 'a,b' or just 'a'; raises what `Restorer.load` raises."""
    found = weights_lib.chain(names)
    self.names = [str(one) for one in found]
    self.restorers = [_load(one) for one in found]
    self.scale = int(np.prod([r.scale for r in self.restorers]))
    # Of all of them only Deep Image Prior draws at random.
    self.seed = 0 if _DIP in self.names else None
    self.finds = any(r.finds for r in self.restorers)
    self.fills = any(r.fills for r in self.restorers)
    self.tasks = [r.config.task for r in self.restorers]

  def check(self, options, mask='', hints=''):
    """Raises ValueError for what is wanting, of no use or out of range.

    Args:
      options: `Options`.
      mask: path, or '' if there is none.
      hints: path, or '' if there are none.
    """
    restorers.check_strength(options.strength)
    colorizer.check_saturation(options.saturation)
    self._check_mask(bool(mask or options.mask.region))
    names = ','.join(self.names)
    if 'colorize' not in self.tasks and (hints or options.saturation != 1):
      raise ValueError(
        f'{names} does not colorize: hints and saturation are of no use to it'
      )
    if options.self_ensemble and (
      'colorize' in self.tasks or _DIP in self.names
    ):
      raise ValueError(
        f'{names} sees a picture once and upright: '
        'self_ensemble is of no use to it'
      )

  def _check_mask(self, mask):
    found = False
    for name, restorer in zip(self.names, self.restorers):
      found |= restorer.finds
      if restorer.fills and not (found or mask):
        raise ValueError(
          f'{name} fills what a mask shows: give a mask, or put '
          'weights that find damage before it (detect,'
          f'{name})'
        )
    if mask and not (self.fills or self.finds):
      raise ValueError(
        f'{",".join(self.names)} does not fill: a mask or a '
        'region is of no use to it'
      )

  def describe(self):
    """What was run, as JSON: names, fingerprints, configurations."""
    return [
      {
        'name': name,
        'params_sha256': safetensors_io.sha256(r.params),
        'task': r.config.task,
        'model': r.config.model.to_dict(),
      }
      for name, r in zip(self.names, self.restorers)
    ]


def _load(weights):
  if weights.is_prior:
    from artjax.inference import deep_image_prior  # of no use to others

    return deep_image_prior.Restorer()
  return loading.restorer(weights)


def restore_file(
  source,
  chain,
  outputs,
  options=Options(),
  mask='',
  hints='',
  on_tiles=lambda done, total: None,
):
  """Restores a picture file.

  Args:
    source: path of the picture.
    chain: `Chain`.
    outputs: `Outputs`; each file appears whole or not at all.
    options: `Options`.
    mask: path of a mask file of what is to be filled, see mask_file.py.
    hints: path of a file of colours for what is colorized, see hints_file.py.
    on_tiles: called with the tiles done and in all.

  Returns:
    The record, a dict for JSON; also written to `outputs.report`.

  Raises:
    image_file.BadPicture: what is wrong with the file, in one line.
    mask_file.BadMask: what is wrong with the mask.
    hints_file.BadHints: what is wrong with the hints.
    ValueError: options that do not go together, output = input.
    tiling.OutOfMemory: not even the smallest tiles fit.
  """
  start = time.time()
  if outputs.uncertainty and not options.self_ensemble:
    raise ValueError('an uncertainty map needs self_ensemble')
  chain.check(options, mask, hints)
  for path in dataclasses.astuple(outputs):
    if path and os.path.realpath(path) == os.path.realpath(source):
      raise ValueError(f'{path}: the output would overwrite the source')
  with (
    reader.open_picture(source, max_pixels=options.max_pixels) as picture,
    tempfile.TemporaryDirectory(prefix='artjax_') as folder,
  ):
    channels = picture.bands + picture.has_alpha
    missing = damage_mask.Mask(
      picture.height, picture.width, options.mask, mask
    )
    anew = generative.Conjecture(
      picture, chain.tasks, options.saturation, hints
    )
    measured = _restore(
      picture, chain, outputs, options, missing, anew, on_tiles, folder
    )
    record = {
      'source': os.path.abspath(source),
      'source_sha256': safetensors_io.file_sha256(source),
      'output': os.path.abspath(outputs.picture),
      'output_sha256': safetensors_io.file_sha256(outputs.picture),
      'size': [picture.width, picture.height],
      'channels': channels,
      'bits': picture.depth,
      'notices': picture.notices + missing.notices,
      'weights': chain.describe(),
      'scale': chain.scale,
      # Through JSON, which has no tuples: as it is read again.
      'options': json.loads(json.dumps(dataclasses.asdict(options))),
      'seed': chain.seed,
      **anew.describe(),
      **measured,
      'seconds': round(time.time() - start, 3),
      'date': time.strftime('%Y-%m-%dT%H:%M:%S%z'),
      'versions': {
        'python': platform.python_version(),
        **{name: importlib.metadata.version(name) for name in _PACKAGES},
      },
      'device': f'{jax.devices()[0].device_kind} ({jax.default_backend()})',
    }
  if outputs.report:
    atomic_files.write_text(outputs.report, json.dumps(record, indent=2) + '\n')
  return record


def _restore(picture, chain, outputs, options, missing, anew, on_tiles, folder):
  """Runs the chain and writes the pictures; what was measured on the way."""
  sizes, scale = [], 1
  for restorer in chain.restorers:
    sizes.append((picture.height * scale, picture.width * scale))
    scale *= restorer.scale
  total = sum(
    r.tiles(*size, options.tile) for r, size in zip(chain.restorers, sizes)
  )
  done, halved, hole = 0, [], None

  def count(tiles):
    nonlocal done
    done += tiles
    on_tiles(done, max(total, done))

  settings = {
    'self_ensemble': options.self_ensemble,
    'tile': options.tile,
    'on_tiles': count,
    'on_halved': lambda grid: halved.append(
      f'short of memory: tiles of {max(grid.core)} px'
    ),
  }
  stage, thumbnail = picture.read, functools.cache(picture.thumbnail)
  shape = picture.height * scale, picture.width * scale
  strips = None  # of the last stage that changes the picture
  for i, (restorer, size) in enumerate(zip(chain.restorers, sizes)):
    if strips:  # what the stage before makes is what this one sees
      buffer = _Buffer(os.path.join(folder, f'stage{i}'), *size)
      for top, rows in strips:
        buffer.write(top, rows[..., :3])
      stage, thumbnail = buffer.read, functools.cache(buffer.thumbnail)
      strips = None
    whole = thumbnail(restorer.view)
    if restorer.finds:
      missing.find(restorer.strips(stage, *size, whole, **settings))
    elif restorer.fills:
      hole = missing.hole()
      strips = damage_mask.fill_strips(
        restorer, stage, hole, *size, whole, options.mask, **settings
      )
    else:
      strips = anew.strips(restorer, stage, *size, whole, **settings)
  strips = strips or _unchanged(stage, *shape)

  known, most_outside = None, 0.0  # what must be as it was
  if hole is not None and all(r.fills or r.finds for r in chain.restorers):
    known = ~hole_pyramid.soften(hole, options.mask.feather)[0]

  change = _Map(outputs.change_map, shape, CHANGE_STEP)
  spread = _Map(outputs.uncertainty, shape, UNCERTAINTY_STEP)
  with picture.writer(
    outputs.picture, scale=scale, strip_metadata=options.strip_metadata
  ) as writer:
    for top, rows in _thinner(strips, _AT_ONCE // shape[1] + 1):
      values, moved = picture.merge(top, rows[..., :3], scale, options.strength)
      writer.write(values)
      change.write(top, moved)
      if known is not None:
        outside = np.where(known[top : top + len(moved)], moved, 0)
        most_outside = max(most_outside, float(outside.max()))
      if options.self_ensemble and rows.shape[-1] > 3:
        spread.write(top, options.strength * rows[..., 3])
  change.save()
  spread.save()
  measured = {
    'tiles': done,
    'tiling': halved,
    'change_mean_ciede2000': change.mean,
    'change_max_ciede2000': change.max,
  }
  if options.self_ensemble:
    measured |= {'uncertainty_mean': spread.mean, 'uncertainty_max': spread.max}
  if known is not None:
    measured['change_outside_mask_max_ciede2000'] = round(most_outside, 6)
  if outputs.change_map:
    measured['change_map'] = f'1 level = {CHANGE_STEP} CIEDE2000'
  if outputs.uncertainty:
    measured['uncertainty_map'] = '1 level = 0.1/255 standard deviation'
  if scale > 1 and not generative.TASKS.keys() & set(chain.tasks):
    measured['consistency_psnr'] = picture.consistency(outputs.picture, scale)
  return measured | _save_masks(missing, hole, outputs)


def _unchanged(stage, height, width):
  """(top, rows) of a picture that nothing was done to."""
  for top in range(0, height, _ROWS):
    yield top, stage(top, 0, min(_ROWS, height - top), width)


def _save_masks(missing, hole, outputs):
  """Writes what was found and filled; its shares of the area."""
  measured = {}
  if missing.chances is not None:
    measured['damage'] = missing.describe()
    if hole is not None:
      measured['filled'] = round(float(hole.mean()), 6)
    elif outputs.mask:
      hole = missing.hole()
    if outputs.chances:
      image_writer.save(vips.image(missing.chances), outputs.chances)
  elif hole is not None:
    measured['filled'] = round(float(hole.mean()), 6)
  if outputs.mask and hole is not None:
    image_writer.save_grey(np.uint8(hole) * np.uint8(255), outputs.mask)
  return measured


def _thinner(strips, most):
  """(top, rows) in pieces of at most so many rows."""
  for top, rows in strips:
    for i in range(0, len(rows), most):
      yield top + i, rows[i : i + most]


class _Map:
  """A grey picture of some quantity a pixel, and its mean and maximum."""

  def __init__(self, path, shape, step):
    self._path, self._step = path, step
    self._levels = np.empty(shape, np.uint8) if path else None
    self._sum, self._count, self._max = 0.0, 0, 0.0

  def write(self, top, values):
    """f32[rows, W] from row `top` on."""
    self._sum += float(values.sum(dtype=np.float64))
    self._count += values.size
    self._max = max(self._max, float(values.max()))
    if self._path:
      self._levels[top : top + len(values)] = np.clip(
        np.rint(values / self._step), 0, 255
      )

  @property
  def mean(self):
    return round(self._sum / max(1, self._count), 6)

  @property
  def max(self):
    return round(self._max, 6)

  def save(self):
    if self._path:
      image_writer.save_grey(self._levels, self._path)


class _Buffer:
  """What one stage of a chain hands to the next: sRGB of 16 bits, on disk."""

  def __init__(self, path, height, width):
    self._pixels = np.memmap(path, np.uint16, 'w+', shape=(height, width, 3))

  def write(self, top, rows):
    self._pixels[top : top + len(rows)] = np.rint(np.clip(rows, 0, 1) * 65535)

  def read(self, top, left, height, width):
    block = self._pixels[top : top + height, left : left + width]
    return block.astype(np.float32) / 65535

  def thumbnail(self, side):
    """f32: every so many-th block's mean; see `Picture.thumbnail`."""
    height, width = self._pixels.shape[:2]
    factor = max(1, min(height, width) // side)
    h, w = height // factor, width // factor
    rows = [
      self.read(i * factor, 0, factor, w * factor)
      .reshape(factor, w, factor, 3)
      .mean((0, 2))
      for i in range(h)
    ]
    return np.stack(rows)
