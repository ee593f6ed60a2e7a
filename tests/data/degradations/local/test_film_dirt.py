"""Dirt of films: kinds, scales, polarity."""

import numpy as np
import pytest

from artjax.data.degradations.local import film_dirt

GREY = np.full((128, 128, 3), 0.5, np.float32)


@pytest.mark.parametrize('bright', [True, False])
def test_dirt_is_as_bright_as_asked(bright):
  for seed in range(10):
    out = film_dirt.film_dirt(0.8, bright=bright)(
      {'image': GREY}, np.random.default_rng(seed)
    )['image']
    apart = out - GREY
    assert (apart if bright else -apart).min() > -0.02
    assert np.abs(apart).max() > 0.05


def test_both_polarities_come_up_unasked():
  signs = []
  for seed in range(30):
    out = film_dirt.film_dirt(0.8)(
      {'image': GREY}, np.random.default_rng(seed)
    )['image']
    signs.append(np.sign((out - GREY).sum()))
  assert 6 < signs.count(1) < 26 and signs.count(-1) > 3


@pytest.mark.parametrize('kind', film_dirt._KINDS)
def test_every_kind_is_there_and_grows_with_its_scale(kind):
  covered = [
    np.mean(
      [
        kind((128, 128), np.random.default_rng(seed), 30, scale).mean()
        for seed in range(10)
      ]
    )
    for scale in (1.0, 4.0)
  ]
  assert 0.0005 < covered[0] < covered[1] < 0.5
