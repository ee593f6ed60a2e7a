"""Colour differences against the reference implementation."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from skimage import color

from artjax import colour


def test_lab_is_that_of_d65():
  rgb = np.random.default_rng(0).random([40, 50, 3]).astype(np.float32)
  np.testing.assert_allclose(
    colour.srgb_to_lab(rgb), color.rgb2lab(rgb), atol=0.05
  )


def test_ciede2000_is_the_published_formula():
  rng = np.random.default_rng(0)
  low, high = [0, -100, -100], [100, 100, 100]
  one, other = rng.uniform(low, high, [2, 60, 70, 3])
  near = one + rng.normal(0, 1, one.shape)
  for second in (other, near):
    np.testing.assert_allclose(
      colour.ciede2000(one, second),
      color.deltaE_ciede2000(one, second),
      atol=2e-3,
    )


def test_greys_and_equals():
  greys = np.zeros([5, 5, 3])
  greys[..., 0] = np.linspace(0, 100, 5)
  other = greys + [0, 3, 0]
  np.testing.assert_allclose(
    colour.ciede2000(greys, other),
    color.deltaE_ciede2000(greys, other),
    atol=1e-4,
  )
  assert colour.ciede2000(other, other).max() == 0


def test_pairs_of_the_paper():
  # Table 1, pairs 1, 7, 15 and 25.
  one = np.float64(
    [
      [50, 2.6772, -79.7751],
      [50, 0, 0],
      [50, -0.001, 2.49],
      [60.2574, -34.0099, 36.2677],
    ]
  )
  other = np.float64(
    [
      [50, 0, -82.7485],
      [50, -1, 2],
      [50, 0.0011, -2.49],
      [60.4626, -34.1751, 39.4387],
    ]
  )
  np.testing.assert_allclose(
    colour.ciede2000(one, other), [2.0425, 2.3669, 4.7461, 1.2644], atol=2e-3
  )


@pytest.mark.parametrize('xp', [np, jnp])
def test_lab_and_back(xp):
  levels = np.linspace(0, 1, 18, dtype=np.float32)
  rgb = xp.asarray(np.stack(np.meshgrid(levels, levels, levels), -1))
  there, back = colour.srgb_to_lab, colour.lab_to_srgb
  if xp is jnp:
    there, back = jax.jit(there), jax.jit(back)
  lab = there(rgb)
  assert isinstance(lab, type(rgb)) and lab.dtype == np.float32
  np.testing.assert_allclose(back(lab), rgb, atol=1e-5)
  np.testing.assert_array_less(-1e-3, lab[..., 0])


def test_every_8_bit_colour_comes_back():
  # A slice of each channel is enough; the whole cube takes a minute.
  side = np.arange(256, dtype=np.float32) / 255
  for fixed in (0.0, 0.2, 1.0):
    plane = np.stack([*np.meshgrid(side, side), np.full([256, 256], fixed)], -1)
    for turn in range(3):
      rgb = np.roll(plane, turn, -1).astype(np.float32)
      back = colour.lab_to_srgb(colour.srgb_to_lab(rgb))
      np.testing.assert_array_equal(np.rint(back * 255), np.rint(rgb * 255))


def test_lab_beyond_the_gamut_comes_back():
  rng = np.random.default_rng(0)
  lab = rng.uniform([5, -90, -90], [95, 90, 90], [500, 3]).astype(np.float32)
  rgb = colour.lab_to_srgb(lab)
  assert rgb.min() < -0.1 and rgb.max() > 1.1
  np.testing.assert_allclose(colour.srgb_to_lab(rgb), lab, atol=2e-3)


@pytest.mark.parametrize('xp', [np, jnp])
def test_clamp_keeps_lightness_and_hue(xp):
  rng = np.random.default_rng(0)
  lab = rng.uniform([0, -128, -128], [100, 128, 128], [3000, 3])
  lab = xp.asarray(lab.astype(np.float32))
  clamp = colour.clamp_chroma if xp is np else jax.jit(colour.clamp_chroma)
  clamped = np.asarray(clamp(lab))
  rgb = colour.lab_to_srgb(clamped)
  assert rgb.min() > -2e-4 and rgb.max() < 1 + 2e-4
  # What is left of the last rounding is cut off, and lightness does not move.
  again = colour.srgb_to_lab(np.clip(rgb, 0, 1))
  np.testing.assert_allclose(again[:, 0], lab[:, 0], atol=0.02)
  lab = np.asarray(lab)
  cross = lab[:, 1] * clamped[:, 2] - lab[:, 2] * clamped[:, 1]
  np.testing.assert_allclose(cross, 0, atol=1e-2)
  assert (lab[:, 1:] * clamped[:, 1:] >= 0).all()
  # Neither too little: what is in gamut stays, the rest is on its boundary.
  chroma, before = (np.hypot(x[:, 1], x[:, 2]) for x in (clamped, lab))
  inside = np.abs(colour.lab_to_srgb(lab) - 0.5).max(-1) <= 0.5
  assert 100 < inside.sum() < 2900
  np.testing.assert_array_equal(chroma[inside], before[inside])
  more = clamped * np.float32([1, 1.01, 1.01])
  moved = ~inside & (chroma > 1)
  assert (np.abs(colour.lab_to_srgb(more[moved]) - 0.5).max(-1) > 0.5).all()


def test_clamp_leaves_every_8_bit_colour():
  rng = np.random.default_rng(0)
  rgb = rng.integers(0, 256, [4000, 3]).astype(np.float32) / 255
  rgb[:8] = np.indices([2, 2, 2]).reshape(3, 8).T
  lab = colour.srgb_to_lab(rgb)
  back = colour.lab_to_srgb(colour.clamp_chroma(lab))
  np.testing.assert_allclose(back, rgb, atol=5e-4)


def test_gradients_are_finite_everywhere():
  lab = jnp.asarray([[0, 0, 0], [100, 0, 0], [3, 90, -90], [50, 120, 120.0]])
  there = jax.jit(jax.grad(lambda x: colour.lab_to_srgb(x).sum()))(lab)
  rgb = jnp.asarray([[0, 0, 0], [1, 1, 1], [-0.3, 1.2, 0.5]])
  back = jax.jit(jax.grad(lambda x: colour.srgb_to_lab(x).sum()))(rgb)
  for gradient in (there, back):
    assert np.isfinite(gradient).all() and (gradient != 0).any()
