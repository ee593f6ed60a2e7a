"""Ops of colorizing: grey of the same lightness, hints that tell the truth."""

import numpy as np
import pytest

from artjax import colour
from artjax import registry


def example(height=40, width=60):
  picture = np.random.default_rng(0).integers(
    0, 256, [height, width, 3], np.uint8
  )
  return {'image': picture, 'target': picture, 'name': 'a'}


def run(ops, seed=0, **given):
  return registry.chain(ops)(given or example(), np.random.default_rng(seed))


def test_luma_drops_colour_and_keeps_lightness():
  made = run('luma')
  image, target = made['image'], made['target']
  assert np.ptp(image, -1).max() < 1e-6
  np.testing.assert_allclose(
    colour.srgb_to_lab(image)[..., 0],
    colour.srgb_to_lab(target / np.float32(255))[..., 0],
    atol=1e-3,
  )


def test_reveal_tells_mean_colours_of_the_target():
  made = run('reveal(1, 1, 0)')
  hints = made['hints']
  told = hints[..., 3] > 0
  assert hints.shape == (40, 60, 4) and hints.dtype == np.uint8
  assert set(np.unique(hints[..., 3])) == {0, 255} and 0 < told.sum() <= 16
  np.testing.assert_allclose(
    hints[told][:, :3],
    made['target'][told].mean(0)[None].repeat(told.sum(), 0),
    atol=0.5,
  )
  assert not hints[~told].any()


def test_reveal_counts():
  many = [run('reveal(10, 10, 0)', seed)['hints'].any() for seed in range(20)]
  assert all(many)
  half = [run('reveal(10, 1)', seed)['hints'].any() for seed in range(200)]
  assert 70 < sum(half) < 130
  assert not run('reveal(10, 1, 1.0)')['hints'].any()
  for bad in ('reveal(0)', 'reveal(2, 3)', 'reveal(2, 0, 1.5)'):
    with pytest.raises(ValueError, match='must'):
      registry.chain(bad)


def test_geometry_moves_hints_with_the_picture():
  for ops in (
    'flip',
    'rotate90',
    'random_crop(32)',
    'center_crop(70)',
    'scale(0.5)',
    'random_scale_crop(16, 0.0)',
  ):
    for seed in range(4):
      # What is told is the target itself, everywhere: so it must stay.
      given = example()
      full = np.full([40, 60, 1], 255, np.uint8)
      given['hints'] = np.concatenate([given['target'], full], -1)
      made = run(ops, seed, **given)
      assert made['hints'].shape == made['target'].shape[:2] + (4,)
      assert (made['hints'][..., 3] == 255).all()
      if 'scale' not in ops:
        np.testing.assert_array_equal(made['hints'][..., :3], made['target'])


def test_shrinking_mixes_no_told_colour_with_what_is_not():
  given = example()
  given['hints'] = np.zeros([40, 60, 4], np.uint8)
  given['hints'][:, 7:30] = 200, 100, 50, 255
  made = run('scale(0.4)', **given)['hints']
  colours = {tuple(c) for c in made.reshape(-1, 4)}
  assert colours == {(0, 0, 0, 0), (200, 100, 50, 255)}
