"""Networks of other than three channels on pictures of three."""

import jax.numpy as jnp
import numpy as np
import pytest

from artjax.models import planes

X = np.random.default_rng(0).random([2, 3, 4, 3], np.float32)


def test_grey_networks_see_each_colour_by_itself():
  seen = []

  def network(x):
    seen.append(x.shape)
    return 2 * x.repeat(2, 1)

  y = planes.run(network, jnp.asarray(X), 1, 1)
  assert seen == [(6, 3, 4, 1)]
  np.testing.assert_array_equal(y, 2 * X.repeat(2, 1))


def test_colours_of_grey_are_made_of_luma():
  y = planes.run(lambda x: x.repeat(3, -1), jnp.asarray(X), 1, 3)
  luma = 0.299 * X[..., 0] + 0.587 * X[..., 1] + 0.114 * X[..., 2]
  np.testing.assert_allclose(y, luma[..., None].repeat(3, -1), rtol=1e-6)


def test_nothing_is_transparent():
  y = planes.run(lambda x: x * x[..., 3:], jnp.asarray(X), 4, 4)
  np.testing.assert_array_equal(y, X)


def test_other_channels_are_named():
  with pytest.raises(ValueError, match='2 channels in, 3 out'):
    planes.run(lambda x: x, jnp.asarray(X), 2, 3)
