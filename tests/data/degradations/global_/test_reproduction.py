"""Print screens and scan lines."""

import cv2
import numpy as np
import pytest

from artjax.data.degradations.global_ import noise
from artjax.data.degradations.global_ import reproduction


def flat(level, side=96):
  return np.full((side, side, 3), level, np.float32)


@pytest.mark.parametrize('level', [0.1, 0.35, 0.5, 0.8])
@pytest.mark.parametrize('colour', [True, False])
def test_dots_are_as_light_as_the_picture(level, colour):
  for seed in range(4):
    out = reproduction.halftone(1.0, colour=colour)(
      {'image': flat(level)}, np.random.default_rng(seed)
    )['image']
    assert out.mean((0, 1)) == pytest.approx(np.full(3, level), abs=0.025)
    assert out.std() > 0.05


def test_black_dots_are_grey_and_those_of_plates_are_not():
  for colour, spread in ((False, 0), (True, 0.2)):
    out = reproduction.halftone(1.0, colour=colour)(
      {'image': flat(0.5)}, np.random.default_rng(0)
    )['image']
    found = np.ptp(out, axis=-1).max()
    assert found > spread if colour else found < 1e-6


def test_dots_stand_as_far_apart_as_said():
  out = reproduction.halftone(1.0, period=(8.0, 8.0), colour=False)(
    {'image': flat(0.5, 128)}, np.random.default_rng(0)
  )['image'][..., 0]
  power = np.abs(np.fft.fft2(out - out.mean()))
  y, x = np.unravel_index(power.argmax(), power.shape)
  frequency = np.hypot(*(min(k, 128 - k) for k in (int(y), int(x))))
  assert frequency == pytest.approx(128 / 8, rel=0.1)


@pytest.mark.parametrize('kind', ['screen', 'bands', 'streaks'])
def test_scan_lines_are_lines(kind):
  for seed in range(6):
    out = reproduction.scan_lines(1.0, kind=kind)(
      {'image': flat(0.6)}, np.random.default_rng(seed)
    )['image']
    along = min(out.std(0).max(), out.std(1).max())
    assert along < 1e-6 < out.std()
    # No line loses more than it may.
    assert out.min() > 0.6 * (1 - 0.4) - 1e-6


def test_unknown_scan_lines_are_refused():
  with pytest.raises(ValueError, match="'waves' of scan lines; screen, bands"):
    reproduction.scan_lines(1.0, kind='waves')(
      {'image': flat(0.5)}, np.random.default_rng(0)
    )


@pytest.mark.parametrize('level', [0.15, 0.5, 0.85])
def test_hard_grain_keeps_local_means(level):
  for seed in range(4):
    out = noise.hard_grain(1.0)(
      {'image': flat(level, 128)}, np.random.default_rng(seed)
    )['image']
    assert out.mean() == pytest.approx(level, abs=0.02)
    blocks = cv2.resize(out, (4, 4), interpolation=cv2.INTER_AREA)
    assert np.abs(blocks - level).max() < 0.08
    assert np.ptp(out, axis=-1).max() < 1e-6 and out.std() > 0.05


def test_hard_grain_has_the_size_it_says():
  def likeness(size):
    """Correlation of neighbouring pixels."""
    out = noise.hard_grain(1.0, grain=(size, size))(
      {'image': flat(0.5, 128)}, np.random.default_rng(0)
    )['image'][..., 0]
    return np.corrcoef(out[:, 1:].ravel(), out[:, :-1].ravel())[0, 1]

  assert abs(likeness(1.0)) < 0.05 < 0.3 < likeness(2.0) < likeness(3.0)


def test_white_and_black_stay_what_they_are():
  rank = np.random.default_rng(0).random((32, 32), np.float32)
  for level in (0.0, 1.0, 1.0000001):
    light = np.full((32, 32), level, np.float32)
    out = noise.dithered(light, rank, 3.0)
    np.testing.assert_array_equal(out, np.full_like(out, round(level)))
