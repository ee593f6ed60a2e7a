"""Blur kernels and sinc filters."""

import numpy as np
import pytest

from artjax.data.degradations import kernels


def test_gaussian_of_two_widths_turned():
  kernel = kernels.blur(21, 3.0, 1.0, np.pi / 2, 1.0)
  assert kernel.sum() == pytest.approx(1, abs=1e-5)
  reach = np.arange(21) - 10
  rows, columns = kernel.sum(1), kernel.sum(0)
  # Turned by 90 degrees the long axis runs from top to bottom.
  assert (rows * reach**2).sum() == pytest.approx(9, rel=0.05)
  assert (columns * reach**2).sum() == pytest.approx(1, rel=0.05)


def test_plateau_is_flatter_than_a_gaussian():
  gaussian = kernels.blur(21, 2.0, 2.0, 0.0, 1.0)
  plateau = kernels.blur(21, 2.0, 2.0, 0.0, 2.0, plateau=True)
  assert plateau[10, 11] / plateau[10, 10] > gaussian[10, 11] / gaussian[10, 10]


def test_sinc_passes_what_is_slow_and_stops_what_is_fast():
  kernel = kernels.sinc(np.pi / 3, 21)
  assert kernel.sum() == pytest.approx(1, abs=1e-5)
  assert kernel.min() < 0  # it rings
  wave = lambda w: abs((kernel * np.exp(1j * w * np.arange(21))).sum())
  assert wave(np.pi / 8) > 0.8
  assert wave(np.pi * 0.8) < 0.1
