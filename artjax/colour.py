"""Colour spaces and differences of pictures, on float arrays."""
import numpy as np

# IEC 61966-2-1, and the white of D65 (2 degrees).
_TO_XYZ = np.float32([[0.4124564, 0.3575761, 0.1804375],
                      [0.2126729, 0.7151522, 0.0721750],
                      [0.0193339, 0.1191920, 0.9503041]])
_WHITE = np.float32([0.95047, 1.0, 1.08883])


def srgb_to_lab(rgb):
  """f32[..., 3] of sRGB in [0, 1] -> CIE Lab (D65), f32[..., 3]."""
  rgb = np.asarray(rgb, np.float32)
  linear = np.where(rgb <= 0.04045, rgb / np.float32(12.92),
                    ((rgb + np.float32(0.055)) / np.float32(1.055)) ** 2.4)
  xyz = linear @ _TO_XYZ.T / _WHITE
  near = xyz * np.float32(841 / 108) + np.float32(4 / 29)
  f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), near)
  x, y, z = f[..., 0], f[..., 1], f[..., 2]
  return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], -1)


def ciede2000(one, other):
  """Colour difference CIEDE2000 of two pictures in CIE Lab.

  G. Sharma, W. Wu, E. N. Dalal, Color Research and Application 30(1), 2005,
  equations 2 to 22. 1 is about the least that can be seen side by side.

  Args:
    one: f32[..., 3], L in [0, 100].
    other: f32[..., 3].

  Returns:
    f32[...], at least 0.
  """
  l1, a1, b1 = np.moveaxis(np.asarray(one, np.float32), -1, 0)
  l2, a2, b2 = np.moveaxis(np.asarray(other, np.float32), -1, 0)
  chroma7 = ((np.hypot(a1, b1) + np.hypot(a2, b2)) / 2) ** 7
  stretch = 1.5 - 0.5 * np.sqrt(chroma7 / (chroma7 + 25.0 ** 7))
  a1, a2 = a1 * stretch, a2 * stretch
  c1, c2 = np.hypot(a1, b1), np.hypot(a2, b2)
  h1, h2 = np.arctan2(b1, a1), np.arctan2(b2, a2)  # in radians
  grey = c1 * c2 == 0  # a grey has no hue that could differ
  turn = (h2 - h1 + np.pi) % (2 * np.pi) - np.pi  # the short way round
  turn = np.where(grey, 0, turn)
  hue = np.where(grey, h1 + h2, h1 + turn / 2)

  d_light, d_chroma = l2 - l1, c2 - c1
  d_hue = 2 * np.sqrt(c1 * c2) * np.sin(turn / 2)
  light, chroma = (l1 + l2) / 2, (c1 + c2) / 2
  t = (1 - 0.17 * np.cos(hue - np.pi / 6) + 0.24 * np.cos(2 * hue)
       + 0.32 * np.cos(3 * hue + np.pi / 30)
       - 0.20 * np.cos(4 * hue - 63 * np.pi / 180))
  far = (light - 50) ** 2
  s_light = 1 + 0.015 * far / np.sqrt(20 + far)
  s_chroma = 1 + 0.045 * chroma
  s_hue = 1 + 0.015 * chroma * t
  chroma7 = chroma ** 7
  degrees = np.degrees(hue) % 360
  blue = 60 * np.exp(-(((degrees - 275) / 25) ** 2))
  rotation = -2 * np.sqrt(chroma7 / (chroma7 + 25.0 ** 7)) * np.sin(
      np.radians(blue))
  d_light, d_chroma = d_light / s_light, d_chroma / s_chroma
  d_hue = d_hue / s_hue
  squared = (d_light ** 2 + d_chroma ** 2 + d_hue ** 2
             + rotation * d_chroma * d_hue)
  return np.sqrt(np.maximum(squared, 0)).astype(np.float32)
