"""The second-order degradation of Real-ESRGAN, for blind super-resolution.

https://arxiv.org/abs/2107.10833, with the published parameters: blur, resizing,
noise and JPEG, all applied twice, then a sinc filter and JPEG in either order.
Every random value is drawn for each picture. The functions are ops (see
artjax/registry.py); between them images are float32 [H, W, 3] in [0, 1].
"""

from typing import NamedTuple

import cv2
import numpy as np

from artjax.data.degradations import kernels
from artjax.data.degradations.decorators import as_float
from artjax.data.degradations.decorators import clip
from artjax.data.examples import Op
from artjax.data.examples import op

_KINDS = (
  'iso',
  'aniso',
  'generalized_iso',
  'generalized_aniso',
  'plateau_iso',
  'plateau_aniso',
)
_KIND_PROBABILITIES = (0.45, 0.25, 0.12, 0.03, 0.12, 0.03)
# Smallest and largest exponent of the kernels that have one.
_BETAS = {'generalized': (0.5, 4.0), 'plateau': (1.0, 2.0)}
_WAYS = (cv2.INTER_AREA, cv2.INTER_LINEAR, cv2.INTER_CUBIC)


class _Order(NamedTuple):
  """The parameters of one of the two rounds."""

  blur_probability: float
  sigma: tuple  # px, of Gaussian-like kernels
  up_down_keep: tuple  # probabilities of resizing to larger, smaller, same
  factors: tuple  # the smallest and the largest factor of resizing
  gaussian: tuple  # standard deviation of noise, of 255
  poisson: tuple  # scale of shot noise
  jpeg: tuple = (30, 95)  # quality


FIRST = _Order(
  1.0, (0.2, 3.0), (0.2, 0.7, 0.1), (0.15, 1.5), (1, 30), (0.05, 3)
)
SECOND = _Order(
  0.8, (0.2, 1.5), (0.3, 0.4, 0.3), (0.3, 1.2), (1, 25), (0.05, 2.5)
)


@op
def second_order(scale: int = 4) -> Op:
  """Degrades 'image' twice and makes it `scale` times smaller; u8.

  'target' is unchanged: put copy("image", "target") before. Sides must be
  multiples of `scale`.
  """
  if not isinstance(scale, int) or scale < 1:
    raise ValueError(f'scale must be a whole number above 0, got {scale!r}')

  def fn(example, rng):
    image = as_float(example['image'])
    height, width = image.shape[:2]
    if height % scale or width % scale:
      raise ValueError(
        f'{width} x {height} px is no multiple of {scale}: put '
        f'mod_crop({scale}) before'
      )
    full = height, width
    small = height // scale, width // scale
    image = _round(image, FIRST, full, rng)
    image = _round(image, SECOND, small, rng, jpeg_last=False)
    finish = (_resize_to, _sinc), (_jpeg_op,)
    if rng.integers(2):
      finish = finish[::-1]
    for step in (*finish[0], *finish[1]):
      image = step(image, small, rng)
    return {**example, 'image': np.rint(clip(image) * 255).astype(np.uint8)}

  return fn


@op
def sharpen(weight: float = 0.5, radius: int = 50, threshold: float = 10) -> Op:
  """Sharpens 'target'; 'real' keeps the unsharpened picture.

  Pixel and perceptual losses then demand crisp edges, while the discriminator
  still sees true pictures: it gets 'real' instead of 'target'. If 'image' still
  equals 'target', before `second_order`, it is sharpened too, since the
  published chain degrades the sharpened picture.

  Args:
    weight: of the unsharp mask.
    radius: of its Gaussian, px.
    threshold: the smallest difference that is sharpened, in levels of 255.
  """

  def fn(example, rng):
    del rng
    target = as_float(example['target'])
    side = 2 * (radius // 2) + 1
    blur = lambda x: cv2.GaussianBlur(x, (side, side), 0)
    residue = target - blur(target)
    where = blur((np.abs(residue) * 255 > threshold).astype(np.float32))
    sharp = clip(target + np.float32(weight) * residue)
    result = where * sharp + (1 - where) * target
    new = {
      'real': example['target'],
      'target': np.rint(result * 255).astype(np.uint8),
    }
    if example.get('image') is example['target']:
      new['image'] = new['target']
    return {**example, **new}

  return fn


def _round(image, order, extent, rng, jpeg_last=True):
  """Blur, resizing, noise and (in the first round) JPEG."""
  if rng.random() < order.blur_probability:
    image = cv2.filter2D(
      image, -1, _kernel(order.sigma, rng), borderType=cv2.BORDER_REFLECT_101
    )
  up, down, _ = order.up_down_keep
  draw = rng.random()
  low, high = order.factors
  factor = (
    rng.uniform(1, high)
    if draw < up
    else rng.uniform(low, 1)
    if draw < up + down
    else 1.0
  )
  image = _resize(image, [max(1, round(side * factor)) for side in extent], rng)
  image = clip(_noise(image, order, rng))
  return _jpeg(image, order.jpeg, rng) if jpeg_last else image


def _resize(image, extent, rng):
  """To (height, width) by one of three interpolations."""
  if image.shape[:2] == tuple(extent):
    return image
  return clip(
    cv2.resize(image, tuple(extent)[::-1], interpolation=_WAYS[rng.integers(3)])
  )


def _resize_to(image, extent, rng):
  return _resize(image, extent, rng)


def _sinc(image, extent, rng):
  """The ringing of a last low-pass filter, in eight of ten pictures."""
  del extent
  if rng.random() >= 0.8:
    return image
  side = int(rng.choice(np.arange(7, 22, 2)))
  return clip(
    cv2.filter2D(
      image,
      -1,
      kernels.sinc(rng.uniform(np.pi / 3, np.pi), side),
      borderType=cv2.BORDER_REFLECT_101,
    )
  )


def _jpeg_op(image, extent, rng):
  del extent
  return _jpeg(image, SECOND.jpeg, rng)


def _jpeg(image, quality, rng):
  bgr = np.rint(clip(image)[..., ::-1] * 255).astype(np.uint8)
  done, data = cv2.imencode(
    '.jpg',
    bgr,
    [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(quality[0], quality[1] + 1))],
  )
  assert done  # Only sides above 65535 px fail.
  return as_float(cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1])


def _noise(image, order, rng):
  """Gaussian or shot noise; equal in all channels for 4 of 10 pictures."""
  grey = rng.random() < 0.4
  if rng.random() < 0.5:
    sigma = rng.uniform(*order.gaussian) / 255
    noise = rng.standard_normal(
      image.shape[:2] + (1 if grey else 3,), np.float32
    )
    return image + np.float32(sigma) * noise
  # Counts of the picture's own range of levels, as a sensor makes them.
  clean = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[..., None] if grey else image
  levels = np.unique(np.rint(clean * 255)).size
  photons = 2 ** np.ceil(np.log2(max(levels, 2)))
  noise = rng.poisson(clean * photons) / photons - clean
  return image + np.float32(rng.uniform(*order.poisson)) * noise.astype(
    np.float32
  )


def _kernel(sigma, rng):
  """One of the blur kernels of the paper, f32[n, n] of sum 1."""
  side = int(rng.choice(np.arange(7, 22, 2)))
  if rng.random() < 0.1:
    low = np.pi / 3 if side < 13 else np.pi / 5
    return kernels.sinc(rng.uniform(low, np.pi), side)
  kind = rng.choice(_KINDS, p=_KIND_PROBABILITIES)
  along = rng.uniform(*sigma)
  across = (
    along if kind.endswith('_iso') or kind == 'iso' else (rng.uniform(*sigma))
  )
  turn = rng.uniform(-np.pi, np.pi)
  shape, *_ = kind.split('_')
  beta = _beta(*_BETAS[shape], rng) if shape in _BETAS else 1.0
  return kernels.blur(
    side, along, across, turn, beta, plateau=shape == 'plateau'
  )


def _beta(low, high, rng):
  """Half of the exponents are below 1, half above, however wide the ranges."""
  return rng.uniform(low, 1) if rng.random() < 0.5 else rng.uniform(1, high)
