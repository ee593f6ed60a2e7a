"""Restoring: the degraded picture in, the picture out."""

import numpy as np

from artjax import tasks


def test_restore_sees_the_degraded_picture_in_unit_range():
  task = tasks.get('restore')
  batch = {'image': np.array([[[[0, 51, 255]]]], np.uint8)}
  x = task.inputs(batch, None)
  np.testing.assert_allclose(x, [[[[0.0, 0.2, 1.0]]]], rtol=1e-6)
  np.testing.assert_array_equal(task.to_image(batch, x), x)
  assert task.log_scale(x) is None
  assert x.shape[-1] == task.channels and not task.conjecture


def test_a_fourth_channel_is_the_scale_of_errors():
  task, y = tasks.get('restore'), np.arange(8, dtype=np.float32)
  y = y.reshape(1, 1, 2, 4)
  np.testing.assert_array_equal(task.to_image({}, y), y[..., :3])
  np.testing.assert_array_equal(task.log_scale(y), y[..., 3:])
