"""Tones of whole pictures: strips, any size and depth, strength, grey."""

from conftest import random_params
import numpy as np
import pytest

from artjax import registry
from artjax.configs import tone as tone_config
from artjax.inference import loading
from artjax.inference import toner as toner_lib


@pytest.fixture(scope='module')
def toner():
  config = tone_config.get_config('quick')
  found = loading.of(config, random_params(registry.model(config), 0.1))
  assert isinstance(found, toner_lib.Toner)
  return found


def _picture(height, width, dtype=np.uint8):
  rng = np.random.default_rng(0)
  return rng.integers(0, np.iinfo(dtype).max, (height, width, 3), dtype)


@pytest.mark.parametrize('size', [(1, 1), (7, 200), (90, 130)])
def test_any_size_and_depth(toner, size):
  eight = _picture(*size)
  deep = np.uint16(eight) * 257
  made = toner(eight)
  assert made.shape == eight.shape and made.dtype == np.uint8
  np.testing.assert_allclose(made, toner(deep) / 257, atol=0.51)


def test_strips_are_the_whole(toner, monkeypatch):
  picture = _picture(90, 130)
  whole = toner(picture)
  monkeypatch.setattr(toner_lib, '_AT_ONCE', 130 * 7)
  assert toner.tiles(90, 130) == 13
  np.testing.assert_array_equal(toner(picture), whole)


def test_strength_is_a_share_of_the_change(toner):
  picture = _picture(30, 40)
  full = np.float32(toner(picture)) - picture
  assert np.abs(full).max() > 20
  np.testing.assert_array_equal(toner(picture, strength=0), picture)
  inside = (toner(picture) > 0) & (toner(picture) < 255)
  half = np.float32(toner(picture, strength=0.5)) - picture
  np.testing.assert_allclose(half[inside], full[inside] / 2, atol=1.01)
  with pytest.raises(ValueError, match='strength'):
    toner(picture, strength=1.5)


def test_grey_stays_grey(toner):
  grey = _picture(50, 60)[..., :1].repeat(3, -1)
  made = toner(grey)
  assert np.ptp(made, axis=-1).max() == 0


def test_small_changes_are_not_made():
  assert toner_lib.caution(0.0) == toner_lib.caution(toner_lib.UNSURE) == 0
  shares = [toner_lib.caution(change) for change in (0.03, 0.1, 0.5)]
  assert 0 < shares[0] < shares[1] < shares[2] < toner_lib.SHARE
