"""Colorizes a picture: predicts colours at low resolution, keeps lightness.

  colorizer = Colorizer.load('colorize')
  coloured = colorizer(picture, hints=hints, saturation=1.0)

The colour of a thing depends on the whole picture, not on one tile. So the
network sees a small copy of all of it and predicts a and b of CIE Lab, which
are brought to full size along the lightness of the original (a fast guided
filter, https://arxiv.org/abs/1505.00996). The picture keeps its own lightness;
a colour outside the sRGB gamut at that lightness loses chroma. Colours that the
picture already has (sepia, fading) are dropped first.
"""

from collections.abc import Callable
import functools
from typing import Any

import cv2
import jax
import ml_collections
import numpy as np

from artjax import colour
from artjax import registry
from artjax import tasks
from artjax.inference import base
from artjax.inference import loading
from artjax.inference import pictures
from artjax.inference import tiling
from artjax.inference import weights
from artjax.interop import safetensors_io
from artjax.models import encoders
from artjax.tasks import colorize

WORKING = 224  # long side that the network sees, px
_STEP = 32  # its sides are multiples: few shapes to compile for, px
_ROWS = 256  # of a strip
_RADIUS, _EPS = 2, 4.0  # of the guided filter: px at working size, of L squared
_TONED = 3.0  # spread of a and b about a tone that is still one tone
_GREY = 2.0  # chroma that no one sees as colour
_ASPECT = 0.02  # relative difference at which hints are another picture's


class Colorizer:
  """Colours whole pictures with one set of weights; see `base.Restorer`.

  Attributes:
    config: its task and model.
    params: the generator's weights.
    scale: size of the result relative to the picture, 1.
    halo: px around a tile that the network must see: it has no tiles.
    fills: whether it changes only pixels in a mask: no.
    finds: whether it outputs a damage probability map, not a picture: no.
    turns: False, as it sees a picture once and upright.
    view: minimum shorter side of the copy of the whole picture that it needs,
      px.
  """

  scale = 1
  halo = 0
  view = WORKING
  fills = finds = turns = False

  def __init__(self, config: ml_collections.ConfigDict, params: loading.Params):
    """Takes a configuration (task, model) and the generator's weights."""
    self.config = config
    self.params = jax.device_put(params)  # once for all pictures
    self._run = _compiled(registry.model(config))

  @classmethod
  def load(
    cls, where: str | weights.Weights, step: int | None = None
  ) -> 'Colorizer':
    """As `network.Restorer.load`, which says what it raises."""
    return cls(*loading.load_checked(where, step))

  def __call__(
    self,
    picture: pictures.Picture,
    *,
    hints: np.ndarray | None = None,
    saturation: float = 1.0,
    strength: float = 1.0,
  ) -> Any:
    """The picture in colour, in the same form as the input.

    Args:
      picture: u8, u16 or float in [0, 1], grey, RGB or with alpha, of any size;
        a PIL image; or a path, see `pictures.given`. Its colour is dropped; a
        grey one becomes RGB.
      hints: u8[h, w, 4], RGB and alpha 255 where they apply, of any size with
        the same aspect ratio, see restoration/masks/user_inputs.py; or None.
      saturation: in [0, 2], factor of all chroma, 0 = grey.
      strength: in [0, 1], share of the change that is applied; at 0 the picture
        itself is returned.

    Returns:
      The same type, RGB.

    Raises:
      ValueError: another kind of picture or hints, strength or saturation.
      vips.BadPicture: the file cannot be read.
    """
    base.check_strength(strength)
    given = pictures.given(picture)
    if strength == 0:
      return given.unchanged
    whole = given.unit
    height, width = whole.shape[:2]
    strips = [
      rows
      for _, rows in self.strips(
        lambda y, x, h, w: whole[y : y + h, x : x + w],
        height,
        width,
        whole,
        hints=hints,
        saturation=saturation,
      )
    ]
    coloured = np.concatenate(strips)
    if strength < 1:
      coloured = whole + np.float32(strength) * (coloured - whole)
    return given.result(coloured, in_colour=True)

  def strips(
    self,
    read: base.Read,
    height: int,
    width: int,
    whole: np.ndarray,
    *,
    hints: np.ndarray | None = None,
    saturation: float = 1.0,
    on_tiles: Callable[[int], None] = lambda done: None,
  ) -> base.Strips:
    """The picture in colour, strip by strip.

    Args:
      read: (top, left, height, width) -> f32[height, width, 3] in [0, 1].
      height: of the picture, px.
      width: of the picture, px.
      whole: f32[h, w, 3]: the whole picture, or a smaller copy of it, best of
        `WORKING` px or more a side.
      hints: u8[h, w, 4], or None.
      saturation: in [0, 2], factor of all chroma.
      on_tiles: called with 1 for each strip.

    Yields:
      (top, f32[rows, width, 3]): RGB in [0, 1].

    Raises:
      ValueError: hints of another shape, a saturation outside [0, 2].
    """
    check_saturation(saturation)
    if hints is not None:
      check_hints(hints, height, width)
    joint = self.joint(whole, hints, working_size(height, width))
    joint *= np.float32(saturation)
    for top in range(0, height, _ROWS):
      rows = min(_ROWS, height - top)
      picture = read(top, 0, rows, width)
      lines = _lines(joint, top, rows, height, width)
      yield top, _join(picture[..., :3], lines)
      on_tiles(1)

  def tiles(self, height: int, width: int, tile: int = 0) -> int:
    """How many strips a picture takes."""
    del width, tile
    return -(-height // _ROWS)

  def grid(self, height: int, width: int, tile: int = 0) -> tiling.Grid:
    """The one tile that the network sees, all of the picture."""
    del tile
    return tiling.Grid(working_size(height, width), halo=0, overlap=0)

  def joint(
    self, whole: np.ndarray, hints: np.ndarray | None, size: tuple[int, int]
  ) -> np.ndarray:
    """How a and b depend on lightness: f32[h, w, 4] of slopes and offsets.

    (a, b) = slope * L + offset, at working size.
    """
    height, width = size
    small = cv2.resize(
      whole.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA
    )
    batch = {'image': 255 * small[None]}
    if hints is not None:
      batch['hints'] = shrink_hints(hints, size)[None]
    ab = np.asarray(self._run(self.params, batch))[0]
    if hints is not None:
      ab = obey(ab, batch['hints'][0])
    lightness = colour.srgb_to_lab(small)[..., 0]
    slope = _slope(lightness, ab)
    return np.concatenate([slope, ab - slope * lightness[..., None]], -1)


def check_saturation(saturation: float) -> None:
  """Raises ValueError unless it is in [0, 2]."""
  if not 0 <= saturation <= 2:
    raise ValueError(f'saturation must be in [0, 2], got {saturation}')


def working_size(height: int, width: int) -> tuple[int, int]:
  """(height, width) at which the network sees a picture, px."""
  factor = WORKING / max(height, width)
  step = lambda side: max(_STEP, round(side * factor / _STEP) * _STEP)
  return step(height), step(width)


@functools.cache
def _compiled(model):
  """run(params, batch) -> f32[B, h, w, 2], a and b of CIE Lab."""
  task, frozen = tasks.get('colorize'), jax.device_put(encoders.of(model))
  run = jax.jit(
    lambda params, frozen, batch: (
      colorize.AB
      * model.apply(
        {**safetensors_io.variables(params), 'frozen': frozen},
        task.inputs(batch, None),
      )
    )
  )
  return lambda params, batch: run(params, frozen, batch)


def _join(picture, joint):
  """sRGB of a picture's lightness and the a and b computed from it."""
  lab = colour.srgb_to_lab(picture)
  lab[..., 1:] = joint[..., :2] * lab[..., :1] + joint[..., 2:]
  rgb = colour.lab_to_srgb(lab)
  # Few are, as a rule, and to find their chroma costs fifteen times the rest.
  beyond = ((rgb < 0) | (rgb > 1)).any(-1)
  rgb[beyond] = colour.lab_to_srgb(colour.clamp_chroma(lab[beyond]))
  return np.clip(rgb, 0, 1)


def _slope(lightness, ab):
  """f32[h, w, 2]: how a and b change with lightness around each place."""
  mean = lambda x: cv2.blur(
    x, (2 * _RADIUS + 1,) * 2, borderType=cv2.BORDER_REFLECT_101
  )
  lightness = lightness[..., None]
  centre = mean(lightness[..., 0])[..., None]
  variance = mean((lightness**2)[..., 0])[..., None] - centre**2
  covariance = mean(lightness * ab) - centre * mean(ab)
  slope = covariance / (np.maximum(variance, 0) + _EPS)
  return mean(slope)


def _lines(small, top, rows, height, width):
  """Rows `top` to `top + rows` of a small [h, w, C] at full size, bilinear."""
  place = (np.arange(top, top + rows) + 0.5) * small.shape[0] / height - 0.5
  place = np.clip(place, 0, small.shape[0] - 1)
  above = np.floor(place).astype(int)
  below = np.minimum(above + 1, small.shape[0] - 1)
  share = np.float32(place - above)[:, None, None]
  lines = (1 - share) * small[above] + share * small[below]
  return cv2.resize(lines, (width, rows), interpolation=cv2.INTER_LINEAR)


# ---- hints ------------------------------------------------------------------


def check_hints(hints: np.ndarray, height: int, width: int) -> None:
  """Raises ValueError unless they are u8[h, w, 4] of the right aspect ratio."""
  if hints.ndim != 3 or hints.shape[-1] != 4 or hints.dtype != np.uint8:
    raise ValueError(
      f'hints must be u8[H, W, 4], got {hints.dtype} {list(hints.shape)}'
    )
  check_shape(hints.shape[0], hints.shape[1], height, width)


def check_shape(rows: int, columns: int, height: int, width: int) -> None:
  """Raises ValueError unless hints and picture are of one aspect ratio."""
  if abs(columns * height / (rows * width) - 1) > _ASPECT:
    raise ValueError(
      f'hints of {columns} x {rows} px for a picture of {width} '
      f'x {height} px: not the same picture'
    )


def shrink_hints(hints: np.ndarray, size: tuple[int, int]) -> np.ndarray:
  """u8[H, W, 4] -> f32[*size, 4], 0 to 255: the mean given colour per px."""
  told = (hints[..., 3:] > 0).astype(np.float32)
  area = functools.partial(
    cv2.resize, dsize=size[::-1], interpolation=cv2.INTER_AREA
  )
  share = area(told)[..., None]
  colours = area(hints[..., :3] * told) / np.maximum(share, 1e-6)
  # The thinnest stroke counts: it was drawn on purpose.
  return np.concatenate([colours, np.float32(255 * (share > 1e-6))], -1)


def obey(ab: np.ndarray, hints: np.ndarray) -> np.ndarray:
  """Makes a and b equal to those of the hints where there are any.

  The correction of the network's colours fades with the distance from a hint.

  Args:
    ab: f32[h, w, 2].
    hints: f32[h, w, 4] in [0, 255].
  """
  there = (hints[..., 3:] > 0).astype(np.float32)
  wanted = colour.srgb_to_lab(hints[..., :3] / 255)[..., 1:]
  blur = lambda x: cv2.GaussianBlur(x, (0, 0), 2)
  near = blur(there[..., 0])[..., None]
  error = (wanted - ab) * there
  beside = blur(error) / np.maximum(near, 1e-6) * np.minimum(1, 2 * near)
  return ab + np.where(there > 0, error, beside)


# ---- what was given ---------------------------


def notice(whole: np.ndarray) -> str:
  """A line on the colours that are dropped; '' for a grey picture.

  Args:
    whole: f32[h, w, 3] in [0, 1], the picture or a smaller copy.
  """
  lab = colour.srgb_to_lab(whole).reshape(-1, 3)
  lab = lab[:: max(1, len(lab) // 20_000)].astype(np.float64)
  if np.quantile(np.hypot(lab[:, 1], lab[:, 2]), 0.95) < _GREY:
    return ''
  # One tone is one colour for each lightness: sepia, or the yellow of fading.
  basis = np.vander(lab[:, 0] / 100, 4)
  tone = basis @ np.linalg.lstsq(basis, lab[:, 1:], rcond=None)[0]
  spread = np.sqrt(((lab[:, 1:] - tone) ** 2).sum(-1).mean())
  if spread < _TONED:
    return 'toned: brought to grey before it is colorized'
  return 'in colour already: its colours are replaced'
