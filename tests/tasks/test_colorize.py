"""Colorizing: lightness and hints in, colours out."""

import numpy as np

from artjax import colour
from artjax import tasks
from artjax.tasks import colorize


def test_colorize_gives_back_the_colours_it_is_told():
  rng = np.random.default_rng(0)
  target = rng.integers(0, 256, [1, 4, 5, 3], np.uint8)
  lab = colour.srgb_to_lab(target / np.float32(255))
  task = tasks.get('colorize')
  grey = lab * np.float32([1, 0, 0])
  image = np.uint8(np.rint(255 * np.clip(colour.lab_to_srgb(grey), 0, 1)))
  hints = np.zeros([1, 4, 5, 4], np.uint8)
  hints[:, 1:3, 2:4, :3], hints[:, 1:3, 2:4, 3] = target[:, 1:3, 2:4], 255
  x = np.asarray(task.inputs({'image': image, 'hints': hints}, None))
  assert x.shape[-1] == task.channels
  np.testing.assert_allclose(100 * (x[..., 0] + 0.5), lab[..., 0], atol=0.3)
  np.testing.assert_allclose(
    colorize.AB * x[:, 1:3, 2:4, 1:3], lab[:, 1:3, 2:4, 1:], atol=0.01
  )
  assert x[..., 3].sum() == 4 and not x[:, 0, :, 1:].any()
  # Without hints: zeros in their place.
  x = task.inputs({'image': image}, None)
  assert x.shape[-1] == task.channels and not np.asarray(x[..., 1:]).any()
  picture = task.to_image({'image': image}, lab[..., 1:] / colorize.AB)
  np.testing.assert_allclose(picture, target / 255, atol=0.01)
