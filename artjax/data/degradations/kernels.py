"""Kernels for blur and ringing, f32[side, side], which sum to 1."""

import numpy as np
from scipy import special


def blur(
  side: int,
  along: float,
  across: float,
  angle: float,
  beta: float,
  plateau: bool = False,
) -> np.ndarray:
  """A (generalized) Gaussian or a plateau, f32[side, side] of sum 1.

  Args:
    side: px, odd.
    along, across: standard deviations, px.
    angle: of the longer axis, radians.
    beta: exponent of the squared distance; 1 = Gaussian.
    plateau: 1 / (1 + d^beta) instead of exp(-d^beta / 2).
  """
  reach = np.arange(side) - side // 2
  y, x = np.meshgrid(reach, reach, indexing='ij')
  cos, sin = np.cos(angle), np.sin(angle)
  squared = ((x * cos + y * sin) / along) ** 2 + (
    (y * cos - x * sin) / across
  ) ** 2
  power = squared**beta
  kernel = 1 / (1 + power) if plateau else np.exp(-0.5 * power)
  return (kernel / kernel.sum()).astype(np.float32)


def sinc(cutoff: float, side: int) -> np.ndarray:
  """The circular low-pass filter of `cutoff` radians, f32[side, side], sum 1.

  Its overshoot is the ringing of sharpening and of strong compression.
  """
  reach = np.arange(side) - side // 2
  y, x = np.meshgrid(reach, reach, indexing='ij')
  distance = np.hypot(x, y)
  distance[side // 2, side // 2] = 1  # its own limit is set below
  kernel = cutoff * special.j1(cutoff * distance) / (2 * np.pi * distance)
  kernel[side // 2, side // 2] = cutoff**2 / (4 * np.pi)
  return (kernel / kernel.sum()).astype(np.float32)
