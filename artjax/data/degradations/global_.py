"""Degradations of the whole picture: colours, light, sharpness, noise, file.

Plain functions of float32 [H, W, 3] in [0, 1], lifted to ops by `tonal` (see
artjax/data/degradations/decorators.py): `jpeg(severity=(0.1, 0.5))`. At
severity 1 each is as strong as real archives and the literature know it; below,
every amount shrinks with severity, evenly and from the same draws. Blur, noise
and blocks are sized in px, as a camera and a file make them; light and stains
follow the picture. Ranges are near those of Real-ESRGAN
(https://arxiv.org/abs/2107.10833), BSRGAN (https://arxiv.org/abs/2103.14006)
and Bringing Old Photos Back to Life (https://arxiv.org/abs/2004.09484).
"""

import functools
import statistics

import cv2
import numpy as np

from artjax.data.degradations import shapes
from artjax.data.degradations.decorators import as_float
from artjax.data.degradations.decorators import clip
from artjax.data.degradations.decorators import tonal

_WAYS = (
  (cv2.INTER_NEAREST,)
  + 3 * (cv2.INTER_LINEAR,)
  + 3 * (cv2.INTER_CUBIC,)
  + 2 * (cv2.INTER_AREA,)
  + (cv2.INTER_LANCZOS4,)
)
# What a pigment or film calls brightness differs: BT.601, BT.709, the mean,
# and an orthochromatic plate, which is blind to red.
_LUMA = np.float32(
  [
    [0.299, 0.587, 0.114],
    [0.2126, 0.7152, 0.0722],
    [1 / 3, 1 / 3, 1 / 3],
    [0.08, 0.52, 0.40],
  ]
)


# Sharpness -------------------------------------------------------------------


@tonal
def gaussian_blur(image, severity, rng, *, sigma=3.0):
  """Gaussian blur of up to `sigma` px."""
  return _gaussian(image, severity * rng.uniform(0.4, 1) * sigma)


@tonal
def anisotropic_blur(image, severity, rng, *, sigma=3.5):
  """Gaussian blur of two widths, up to `sigma` px, in any direction."""
  along = severity * rng.uniform(0.5, 1) * sigma
  across = along * rng.uniform(0.15, 0.6)
  turn = rng.uniform(0, np.pi)
  cos, sin = np.cos(turn), np.sin(turn)
  y, x = _grid(2.2 * along)
  exponent = ((x * cos + y * sin) / max(along, 0.05)) ** 2 + (
    (y * cos - x * sin) / max(across, 0.05)
  ) ** 2
  return _filter(image, np.exp(-0.5 * exponent))


@tonal
def motion_blur(image, severity, rng, *, length=15.0):
  """A shake of the camera: a slightly bent path of up to `length` px."""
  length = severity * rng.uniform(0.4, 1) * length
  heading = rng.uniform(0, 2 * np.pi) + rng.normal(0, 0.4) * np.linspace(
    -1, 1, 16
  )
  path = np.cumsum(np.stack([np.cos(heading), np.sin(heading)], -1), 0)
  path = (path - path.mean(0)) * (length / 16)
  # Each point of the path spreads over the four pixels around it.
  radius = int(np.ceil(np.abs(path).max())) + 1
  kernel = np.zeros((2 * radius + 1,) * 2, np.float32)
  corner = np.floor(path).astype(int)
  share = path - corner
  for dx in (0, 1):
    for dy in (0, 1):
      weight = np.abs(1 - dx - share[:, 0]) * np.abs(1 - dy - share[:, 1])
      place = corner[:, 1] + radius + dy, corner[:, 0] + radius + dx
      np.add.at(kernel, place, weight.astype(np.float32))
  return _filter(image, kernel)


@tonal
def defocus_blur(image, severity, rng, *, radius=5.0):
  """A disc of up to `radius` px, as a lens out of focus draws."""
  radius = severity * rng.uniform(0.4, 1) * radius
  y, x = _grid(radius + 1)
  disc = np.clip(radius + 0.5 - np.hypot(x, y), 0, 1)
  return _filter(image, disc)


@tonal
def rescale(image, severity, rng, *, factor=4.0):
  """Down by up to `factor` and up again, each with any interpolation."""
  height, width = image.shape[:2]
  down = 1 + severity * rng.uniform(0.3, 1) * (factor - 1)
  # Scans and prints are not always shrunk alike in both directions.
  other = (
    down * (1 + severity * rng.uniform(-0.3, 0.3))
    if (rng.random() < 0.2)
    else down
  )
  small = (max(1, round(width / down)), max(1, round(height / max(other, 1))))
  first, second = _WAYS[rng.integers(10)], _WAYS[rng.integers(10)]
  if small == (width, height):
    return image
  image = cv2.resize(image, small, interpolation=first)
  # To enlarge by area is to repeat pixels, as the nearest does.
  return cv2.resize(image, (width, height), interpolation=second)


# Noise -----------------------------------------------------------------------


@tonal
def gaussian_noise(image, severity, rng, *, sigma=0.11, grey=None, grain=None):
  """Gaussian noise of up to `sigma`, of 1.

  Args:
    image: f32[H, W, 3].
    severity: in [0, 1].
    rng: the Generator.
    sigma: the largest standard deviation.
    grey: the same in all channels; None for either.
    grain: px, the size of its grains (1 = independent pixels); None for either.
  """
  sigma = severity * rng.uniform(0.3, 1) * sigma
  grey = rng.random() < 0.4 if grey is None else grey
  grain = (
    (1.0 if rng.random() < 0.7 else rng.uniform(1, 2.2))
    if grain is None
    else grain
  )
  height, width = image.shape[:2]
  noise = _normal(rng, (height, width) if grey else image.shape)
  if grain > 1:
    blur = 0.4 * grain
    noise = _gaussian(noise, blur)
    # Averaging has made it weaker: back to unit variance.
    sigma *= max(1.0, 2 * np.sqrt(np.pi) * blur)
  noise *= np.float32(sigma)
  return image + (noise[..., None] if grey else noise)


@tonal
def poisson_noise(image, severity, rng, *, photons=40.0):
  """Shot noise of as few as `photons` at white."""
  photons = photons / (severity * rng.uniform(0.3, 1)) ** 2
  if photons > 40:
    # Near enough to normal there, at a fraction of the cost.
    noise = _normal(rng, image.shape)
    return image + noise * cv2.sqrt(image * np.float32(1 / photons))
  return rng.poisson(image * photons).astype(np.float32) / np.float32(photons)


@tonal
def speckle_noise(image, severity, rng, *, sigma=0.25, grey=None):
  """Noise of up to `sigma` that multiplies the picture."""
  sigma = severity * rng.uniform(0.3, 1) * sigma
  grey = rng.random() < 0.4 if grey is None else grey
  noise = _normal(rng, image.shape[:2] + (1,) if grey else image.shape)
  return image + image * (noise * np.float32(sigma))


@tonal
def salt_and_pepper(image, severity, rng, *, amount=0.05, grey=None):
  """Up to `amount` of the pixels become black or white."""
  amount = severity * rng.uniform(0.3, 1) * amount
  grey = rng.random() < 0.5 if grey is None else grey
  image = image.copy()
  flat = image.reshape(-1, 3) if grey else image.reshape(-1)
  count = int(len(flat) * amount + rng.random())
  where = rng.integers(0, len(flat), count)
  white = rng.random(count, np.float32) < rng.uniform(0.3, 0.8)
  flat[where] = white[:, None] if grey else white
  return image


# The file --------------------------------------------------------------------


@tonal
def jpeg(image, severity, rng, *, quality=15, subsampling=None):
  """JPEG of as low a `quality` as that, from 100 down.

  Args:
    image: f32[H, W, 3].
    severity: in [0, 1].
    rng: the Generator.
    quality: at severity 1, of 100.
    subsampling: of colour: '420', '422' or '444'; None for any.
  """
  level = round(100 - severity * rng.uniform(0.4, 1) * (100 - quality))
  kinds = ('420', '422', '444')
  kind = (
    kinds[(0, 0, 1, 2)[rng.integers(4)]]
    if subsampling is None
    else (str(subsampling))
  )
  if kind not in kinds:
    raise ValueError(f'subsampling must be one of {kinds}, got {subsampling!r}')
  factor = getattr(cv2, f'IMWRITE_JPEG_SAMPLING_FACTOR_{kind}')
  pixels = cv2.convertScaleAbs(image, alpha=255)
  # OpenCV takes channels as BGR, and JPEG keeps blue worse than red.
  _, data = cv2.imencode(
    '.jpg',
    cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR),
    [cv2.IMWRITE_JPEG_QUALITY, level, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, factor],
  )
  pixels = cv2.imdecode(data, cv2.IMREAD_COLOR_RGB)
  return as_float(pixels)


# Colour and light ------------------------------------------------------------


@tonal
def fading(image, severity, rng, *, contrast=0.65, saturation=0.8, lift=0.22):
  """Pigments lose contrast and saturation; blacks turn grey.

  Args:
    image: f32[H, W, 3].
    severity: in [0, 1].
    rng: the Generator.
    contrast: share lost at most, towards a grey, a pale or a warm tone.
    saturation: share lost at most.
    lift: brightness of black at most.
  """
  keep = 1 - severity * rng.uniform(0, 1) * saturation
  matrix = _saturation(keep, _LUMA[rng.integers(3)])
  keep = 1 - severity * rng.uniform(0.15, 1) * contrast
  kind = rng.random()
  if kind < 0.45:  # towards mid grey
    pivot = np.full(3, rng.uniform(0.35, 0.6))
  elif kind < 0.7:  # bleached
    pivot = np.full(3, rng.uniform(0.65, 0.95))
  elif kind < 0.9:  # towards the ground that shows through
    pivot = rng.uniform(0.4, 0.8) * np.array([1.08, 1, rng.uniform(0.7, 0.95)])
  else:  # sunken, under dirt
    pivot = np.full(3, rng.uniform(0.1, 0.3))
  offset = (1 - keep) * pivot
  black = severity * rng.uniform(0, 1) * lift
  image = _affine(
    image, matrix * keep * (1 - black), offset * (1 - black) + black
  )
  if rng.random() < 0.5:
    image = _gamma(image, np.exp(severity * rng.uniform(-0.5, 0.5)))
  return image


@tonal
def varnish(image, severity, rng, *, strength=1.0):
  """Natural resin gone yellow to brown: a filter, and a haze over the darks."""
  # From pale yellow to brown, by age; each is what white would become.
  age = rng.uniform(0, 1)
  tint = (1 - age) * np.array([1.0, 0.93, 0.66]) + age * np.array(
    [0.80, 0.60, 0.34]
  )
  tint = np.clip(tint + rng.normal(0, 0.04, 3), 0.1, 1)
  filtered = 1 - strength * severity * rng.uniform(0.3, 1) * (1 - tint)
  # Old varnish scatters too, which lifts darks towards its own colour.
  haze = strength * severity * rng.uniform(0, 0.45)
  colour = tint * rng.uniform(0.45, 0.8)
  layer = _affine(image, np.diag(filtered) * (1 - haze), haze * colour)
  if rng.random() < 0.3:  # brushed on, or cleaned in places
    height, width = image.shape[:2]
    cover = shapes.smooth_noise((height, width), rng, max(image.shape) / 3, 2)
    cover = np.clip(cover * np.float32(1.6) - np.float32(0.1), 0, 1)
    return image + (layer - image) * cover[..., None]
  return layer


@tonal
def colour_cast(image, severity, rng, *, gain=0.4, offset=0.12):
  """A tint over everything: light, film or pigments that have shifted.

  Args:
    image: f32[H, W, 3].
    severity: in [0, 1].
    rng: the Generator.
    gain: log of the largest gain of a channel.
    offset: largest shift of a channel, of 1.
  """
  kind = rng.random()
  gains, offsets = np.ones(3), np.zeros(3)
  if kind < 0.6:
    gains = np.exp(severity * rng.uniform(-gain, gain, 3))
    if rng.random() < 0.5:
      offsets = severity * rng.uniform(-offset, offset, 3)
  elif kind < 0.8:  # colour temperature
    warm = severity * rng.uniform(-gain, gain)
    gains = np.exp(warm * np.array([1, rng.uniform(-0.2, 0.4), -1]))
  else:  # a flat tint, blended in
    share = severity * rng.uniform(0.1, 0.45)
    gains = np.full(3, 1 - share)
    offsets = share * rng.uniform(0.15, 0.9, 3)
  # Mostly at the same brightness: a camera exposes for what it sees.
  if rng.random() < 0.5:
    gains /= gains.mean()
  return _affine(image, np.diag(gains), offsets)


@tonal
def uneven_light(image, severity, rng, *, strength=0.7):
  """Light that falls off to a side, to the edges, from a lamp, in patches."""
  height, width = image.shape[:2]
  small = 16
  x = np.linspace(-1, 1, small)
  y = x[:, None]
  kind = rng.random()
  if kind < 0.4:
    turn = rng.uniform(0, 2 * np.pi)
    field = 0.5 + 0.36 * (x * np.cos(turn) + y * np.sin(turn))
  elif kind < 0.7:  # vignette
    cx, cy = rng.normal(0, 0.25, 2)
    field = ((x - cx) ** 2 + (y - cy) ** 2) * rng.uniform(0.35, 0.6)
  elif kind < 0.85:  # a lamp
    cx, cy = rng.uniform(-1, 1, 2)
    field = 1 - np.exp(-((x - cx) ** 2 + (y - cy) ** 2) * rng.uniform(0.7, 2.5))
  else:
    field = shapes.smooth_noise((small, small), rng, small / 3)
  dark = severity * rng.uniform(0.25, 1) * strength
  bright = dark * rng.uniform(0, 0.5)
  shade = 1 + bright - (dark + bright) * np.clip(field, 0, 1)
  shade = shade[..., None] ** np.exp(severity * rng.normal(0, 0.25, 3))
  shade = cv2.resize(
    shade.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR
  )
  return image * shade


@tonal
def greyscale(image, severity, rng, *, ortho=None):
  """To shades of grey, as `severity` blends; `ortho` film is blind to red."""
  kind = rng.integers(4) if ortho is None else 3 if ortho else 0
  return _affine(image, _saturation(1 - severity, _LUMA[kind]), np.zeros(3))


@tonal
def sepia(image, severity, rng, *, warmth=1.0):
  """To the brown of a toned or aged print, as `severity` blends."""
  grey = _saturation(0.0, _LUMA[rng.integers(4)])
  tone = 1 + warmth * rng.uniform(0.5, 1) * np.array([0.16, -0.02, -0.26])
  dark = warmth * rng.uniform(0, 0.10) * np.array([1, 0.7, 0.35])
  matrix = np.diag(tone * (1 - dark)) @ grey
  return _affine(
    image, np.eye(3) * (1 - severity) + matrix * severity, severity * dark
  )


# Parts -----------------------------------------------------------------------


def _affine(image, matrix, offset):
  """image @ matrix.T + offset for f32[H, W, 3]."""
  return cv2.transform(
    image, np.column_stack([matrix, offset]).astype(np.float32)
  )


def _saturation(keep, luma):
  """The 3x3 matrix that keeps a share of the colour around a luma."""
  return keep * np.eye(3) + (1 - keep) * np.tile(luma, (3, 1))


def _gamma(image, exponent):
  """image ** exponent, in [0, 1]."""
  return cv2.pow(clip(image), float(exponent))


def _gaussian(image, sigma):
  """Gaussian blur; of almost nothing it is almost the identity."""
  size = 2 * max(1, int(np.ceil(2.5 * sigma))) + 1
  return cv2.GaussianBlur(
    image, (size, size), max(sigma, 0.01), borderType=cv2.BORDER_REFLECT_101
  )


def _filter(image, kernel):
  """Convolution with a kernel brought to sum 1."""
  return cv2.filter2D(
    image,
    -1,
    (kernel / kernel.sum()).astype(np.float32),
    borderType=cv2.BORDER_REFLECT_101,
  )


def _grid(reach):
  """Coordinates y, x about the middle of a kernel of `reach` px."""
  reach = int(np.ceil(reach))
  return np.mgrid[-reach : reach + 1, -reach : reach + 1]


def _normal(rng, shape):
  """Standard normal f32, at a tenth of the cost of rng.standard_normal.

  Of 256 equally likely levels, out to 2.9 sigma: in a picture of 8 bits that
  is normal enough.
  """
  draws = np.frombuffer(rng.bytes(int(np.prod(shape))), np.uint8)
  return cv2.LUT(draws.reshape(-1, 1), _quantiles()).reshape(shape)


@functools.cache
def _quantiles():
  """f32[256]: evenly spaced quantiles of the normal, of unit variance."""
  inverse = statistics.NormalDist().inv_cdf
  levels = np.array([inverse((i + 0.5) / 256) for i in range(256)])
  return np.float32(levels / levels.std())
