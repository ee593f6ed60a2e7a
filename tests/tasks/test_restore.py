"""Restoring: the degraded picture in, the picture out."""

import numpy as np

from artjax import tasks


def test_restore_sees_the_degraded_picture_in_unit_range():
  task = tasks.get('restore')
  batch = {'image': np.array([[[[0, 51, 255]]]], np.uint8)}
  x = task.inputs(batch, None)
  np.testing.assert_allclose(x, [[[[0.0, 0.2, 1.0]]]], rtol=1e-6)
  assert task.to_image(batch, x) is x
  assert x.shape[-1] == task.channels and not task.conjecture
