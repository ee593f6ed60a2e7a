"""Loss of sharpness by lenses, camera shake and scaling. Widths are px."""

import cv2
import numpy as np

from artjax.data.degradations.decorators import tonal

_WAYS = (
  (cv2.INTER_NEAREST,)
  + 3 * (cv2.INTER_LINEAR,)
  + 3 * (cv2.INTER_CUBIC,)
  + 2 * (cv2.INTER_AREA,)
  + (cv2.INTER_LANCZOS4,)
)


@tonal
def gaussian_blur(
  image: np.ndarray,
  severity: float,
  rng: np.random.Generator,
  *,
  sigma: float = 3.0,
) -> np.ndarray:
  """Gaussian blur of up to `sigma` px."""
  return gaussian(image, severity * rng.uniform(0.4, 1) * sigma)


@tonal
def anisotropic_blur(
  image: np.ndarray,
  severity: float,
  rng: np.random.Generator,
  *,
  sigma: float = 3.5,
) -> np.ndarray:
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
def motion_blur(
  image: np.ndarray,
  severity: float,
  rng: np.random.Generator,
  *,
  length: float = 15.0,
) -> np.ndarray:
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
def defocus_blur(
  image: np.ndarray,
  severity: float,
  rng: np.random.Generator,
  *,
  radius: float = 5.0,
) -> np.ndarray:
  """Blur by a disc of up to `radius` px, like that of a lens out of focus."""
  radius = severity * rng.uniform(0.4, 1) * radius
  y, x = _grid(radius + 1)
  disc = np.clip(radius + 0.5 - np.hypot(x, y), 0, 1)
  return _filter(image, disc)


@tonal
def rescale(
  image: np.ndarray,
  severity: float,
  rng: np.random.Generator,
  *,
  factor: float = 4.0,
) -> np.ndarray:
  """Shrinks by up to `factor` and enlarges again, by any interpolation."""
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


def gaussian(image: np.ndarray, sigma: float) -> np.ndarray:
  """Gaussian blur of f32[H, W] or f32[H, W, 3]; nearly none at `sigma` 0 px."""
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
