"""Conversions between colour spaces, and colour differences, of float arrays.

Functions accept NumPy or JAX arrays and return the same kind. With JAX they are
differentiable, even for colours outside the gamut.
"""

from typing import Any

import numpy as np

Array = Any  # np.ndarray or jax.Array: what is given comes back

# IEC 61966-2-1, and the white of D65 (2 degrees).
_TO_XYZ = np.array(
  [
    [0.4124564, 0.3575761, 0.1804375],
    [0.2126729, 0.7151522, 0.0721750],
    [0.0193339, 0.1191920, 0.9503041],
  ],
  np.float64,
)
_WHITE = np.array([0.95047, 1.0, 1.08883], np.float64)
# Linear RGB -> XYZ over the white's, and back.
_TO_WHITE = (_TO_XYZ / _WHITE[:, None]).tolist()
_FROM_WHITE = (np.linalg.inv(_TO_XYZ) * _WHITE).tolist()


def srgb_to_lab(rgb: Array) -> Array:
  """sRGB to CIE Lab under D65.

  Args:
    rgb: f32[..., 3], nominally in [0, 1]; values beyond are continued smoothly.

  Returns:
    f32[..., 3]: L in [0, 100], a and b within about 110 of 0.
  """
  rgb, xp = _float(rgb)
  # The power is kept off what it is not for: its gradient would be NaN there.
  linear = xp.where(
    rgb <= 0.04045,
    rgb / 12.92,
    ((xp.maximum(rgb, 0.04) + 0.055) / 1.055) ** 2.4,
  )
  t = _mix(linear, _TO_WHITE, xp)
  f = xp.where(
    t > (6 / 29) ** 3, xp.cbrt(xp.maximum(t, 0.008)), t * (841 / 108) + 4 / 29
  )
  x, y, z = f[..., 0], f[..., 1], f[..., 2]
  return xp.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], -1)


def lab_to_srgb(lab: Array) -> Array:
  """Undoes `srgb_to_lab`.

  Args:
    lab: f32[..., 3], L in [0, 100].

  Returns:
    f32[..., 3], outside [0, 1] for colours that sRGB cannot show.
  """
  lab, xp = _float(lab)
  linear = _linear(lab, xp)
  return xp.where(
    linear <= 0.0031308,
    linear * 12.92,
    1.055 * xp.maximum(linear, 0.003) ** (1 / 2.4) - 0.055,
  )


def clamp_chroma(lab: Array, *, steps: int = 14) -> Array:
  """Reduces chroma to the sRGB gamut, keeping lightness and hue.

  A bisection of `steps` steps finds the boundary of the gamut (to 2^-14 of the
  chroma), and ends inside it. Colours in the gamut are unchanged.

  Args:
    lab: f32[..., 3], L in [0, 100].
    steps: of the bisection.

  Returns:
    f32[..., 3]: `lab_to_srgb` of it is in [0, 1] but for rounding.
  """
  lab, xp = _float(lab)
  lightness = lab[..., :1]

  def scaled(share):
    return xp.concatenate([lightness, lab[..., 1:] * share], -1)

  def fits(share):
    linear = _linear(scaled(share), xp)
    return ((linear >= -_ROUNDING) & (linear <= 1 + _ROUNDING)).all(
      -1, keepdims=True
    )

  one = xp.ones_like(lightness)
  low = xp.where(fits(one), one, 0 * one)
  for i in range(1, steps + 1):
    further = xp.minimum(low + 0.5**i, one)
    low = xp.where(fits(further), further, low)
  return scaled(low)


_ROUNDING = 1e-5  # of linear light: what float32 makes of a white


def _float(array):
  """(f32 array, its namespace: numpy or jax.numpy)."""
  if not hasattr(array, '__array_namespace__'):
    array = np.asarray(array)
  xp = array.__array_namespace__()
  return array.astype(xp.float32), xp


def _mix(x, matrix, xp):
  """[..., 3] times a 3 x 3 matrix, in full float32 on every device."""
  return xp.stack(
    [sum(weight * x[..., i] for i, weight in enumerate(row)) for row in matrix],
    -1,
  )


def _linear(lab, xp):
  """CIE Lab -> linear RGB."""
  y = (lab[..., 0] + 16) / 116
  f = xp.stack([y + lab[..., 1] / 500, y, y - lab[..., 2] / 200], -1)
  t = xp.where(f > 6 / 29, f**3, (f - 4 / 29) * (108 / 841))
  return _mix(t, _FROM_WHITE, xp)


def ciede2000(one: np.ndarray, other: np.ndarray) -> np.ndarray:
  """Colour difference CIEDE2000 of two pictures in CIE Lab.

  G. Sharma, W. Wu, E. N. Dalal, Color Research and Application 30(1), 2005,
  equations 2 to 22. About 1 is the smallest visible difference side by side.

  `skimage.color.deltaE_ciede2000` gives the same, as a test checks, but takes
  1.3 times the time and memory, and every restored pixel is measured.

  Args:
    one: f32[..., 3], L in [0, 100].
    other: f32[..., 3].

  Returns:
    f32[...], at least 0.
  """
  l1, a1, b1 = np.moveaxis(np.asarray(one, np.float32), -1, 0)
  l2, a2, b2 = np.moveaxis(np.asarray(other, np.float32), -1, 0)
  chroma7 = ((np.hypot(a1, b1) + np.hypot(a2, b2)) / 2) ** 7
  stretch = 1.5 - 0.5 * np.sqrt(chroma7 / (chroma7 + 25.0**7))
  a1, a2 = a1 * stretch, a2 * stretch
  c1, c2 = np.hypot(a1, b1), np.hypot(a2, b2)
  h1, h2 = np.arctan2(b1, a1), np.arctan2(b2, a2)  # in radians
  grey = c1 * c2 == 0  # a grey has no hue
  turn = (h2 - h1 + np.pi) % (2 * np.pi) - np.pi  # the short way round
  turn = np.where(grey, 0, turn)
  hue = np.where(grey, h1 + h2, h1 + turn / 2)

  d_light, d_chroma = l2 - l1, c2 - c1
  d_hue = 2 * np.sqrt(c1 * c2) * np.sin(turn / 2)
  light, chroma = (l1 + l2) / 2, (c1 + c2) / 2
  t = (
    1
    - 0.17 * np.cos(hue - np.pi / 6)
    + 0.24 * np.cos(2 * hue)
    + 0.32 * np.cos(3 * hue + np.pi / 30)
    - 0.20 * np.cos(4 * hue - 63 * np.pi / 180)
  )
  far = (light - 50) ** 2
  s_light = 1 + 0.015 * far / np.sqrt(20 + far)
  s_chroma = 1 + 0.045 * chroma
  s_hue = 1 + 0.015 * chroma * t
  chroma7 = chroma**7
  degrees = np.degrees(hue) % 360
  blue = 60 * np.exp(-(((degrees - 275) / 25) ** 2))
  rotation = (
    -2 * np.sqrt(chroma7 / (chroma7 + 25.0**7)) * np.sin(np.radians(blue))
  )
  d_light, d_chroma = d_light / s_light, d_chroma / s_chroma
  d_hue = d_hue / s_hue
  squared = d_light**2 + d_chroma**2 + d_hue**2 + rotation * d_chroma * d_hue
  return np.sqrt(np.maximum(squared, 0)).astype(np.float32)
