"""Colour differences against the reference implementation."""
import numpy as np
from skimage import color

from artjax import colour


def test_lab_is_that_of_d65():
  rgb = np.random.default_rng(0).random([40, 50, 3]).astype(np.float32)
  np.testing.assert_allclose(
      colour.srgb_to_lab(rgb), color.rgb2lab(rgb), atol=0.05)


def test_ciede2000_is_the_published_formula():
  rng = np.random.default_rng(0)
  low, high = [0, -100, -100], [100, 100, 100]
  one, other = rng.uniform(low, high, [2, 60, 70, 3])
  near = one + rng.normal(0, 1, one.shape)
  for second in (other, near):
    np.testing.assert_allclose(
        colour.ciede2000(one, second), color.deltaE_ciede2000(one, second),
        atol=2e-3)


def test_greys_and_equals():
  greys = np.zeros([5, 5, 3])
  greys[..., 0] = np.linspace(0, 100, 5)
  other = greys + [0, 3, 0]
  np.testing.assert_allclose(colour.ciede2000(greys, other),
                             color.deltaE_ciede2000(greys, other), atol=1e-4)
  assert colour.ciede2000(other, other).max() == 0


def test_pairs_of_the_paper():
  # Table 1, pairs 1, 7, 15 and 25.
  one = np.float64([[50, 2.6772, -79.7751], [50, 0, 0], [50, -0.001, 2.49],
                    [60.2574, -34.0099, 36.2677]])
  other = np.float64([[50, 0, -82.7485], [50, -1, 2], [50, 0.0011, -2.49],
                      [60.4626, -34.1751, 39.4387]])
  np.testing.assert_allclose(colour.ciede2000(one, other),
                             [2.0425, 2.3669, 4.7461, 1.2644], atol=2e-3)
