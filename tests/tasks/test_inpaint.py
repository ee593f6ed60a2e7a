"""Inpainting: what is missing is not seen."""

import numpy as np

from artjax import tasks


def test_inpaint_sees_nothing_of_what_any_part_of_the_mask_covers():
  batch = {
    'image': np.array([[[[51, 51, 51], [255, 0, 51]]]], np.uint8),
    'mask': np.array([[[[0, 255, 0], [0, 0, 0]]]], np.uint8),
  }
  task = tasks.get('inpaint')
  x = task.inputs(batch, None)
  np.testing.assert_allclose(x, [[[[0, 0, 0, 1], [1, 0, 0.2, 0]]]], rtol=1e-6)
  assert x.shape[-1] == task.channels and set(task.reads) == set(batch)
