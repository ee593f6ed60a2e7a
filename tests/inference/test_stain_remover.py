"""Stains of whole pictures: strips, any size and depth, strength, progress."""

from conftest import random_params
import numpy as np
import pytest

from artjax import registry
from artjax.configs import stains as stains_config
from artjax.inference import loading
from artjax.inference import stain_remover


@pytest.fixture(scope='module')
def remover():
  config = stains_config.get_config('quick').copy_and_resolve_references()
  config.unlock()
  config.model.args.side = 48
  params = random_params(registry.model(config), 0.1)
  found = loading.of(config, params)
  assert isinstance(found, stain_remover.StainRemover)
  return found


def _picture(height, width, dtype=np.uint8):
  rng = np.random.default_rng(0)
  return rng.integers(0, np.iinfo(dtype).max, (height, width, 3), dtype)


@pytest.mark.parametrize('size', [(1, 1), (7, 200), (90, 130)])
def test_any_size_and_depth(remover, size):
  eight = _picture(*size)
  made = remover(eight)
  assert made.shape == eight.shape and made.dtype == np.uint8
  deep = remover(np.uint16(eight) * 257)
  np.testing.assert_allclose(made, deep / 257, atol=0.51)


def test_strips_are_the_whole(remover, monkeypatch):
  picture = _picture(90, 130)
  whole = remover(picture)
  monkeypatch.setattr(stain_remover, '_AT_ONCE', 130 * 7)
  assert remover.tiles(90, 130) == 13
  # OpenCV interpolates at 32nds of a pixel.
  np.testing.assert_allclose(np.int16(remover(picture)), whole, atol=2)


def test_strength_is_a_share_of_the_change(remover):
  picture = _picture(60, 70)
  made = remover(picture)
  full = np.float32(made) - picture
  assert np.abs(full).max() > 20
  np.testing.assert_array_equal(remover(picture, strength=0), picture)
  half = np.float32(remover(picture, strength=0.5)) - picture
  inside = (made > 0) & (made < 255)
  np.testing.assert_allclose(half[inside], full[inside] / 2, atol=1.01)
  with pytest.raises(ValueError, match='strength'):
    remover(picture, strength=1.5)


def test_it_sees_eight_views_and_counts_strips(remover):
  done = []
  unit = np.float32(_picture(60, 70)) / 255
  read = lambda y, x, h, w: unit[y : y + h, x : x + w]
  list(remover.strips(read, 60, 70, unit, on_tiles=done.append))
  assert done == [0] * 8 + [1] and remover.tiles(60, 70) == 1
