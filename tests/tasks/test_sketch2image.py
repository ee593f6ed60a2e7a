"""Sketches: lines are seen, the colour of the paper is not."""

import numpy as np

from artjax import tasks


def test_sketches_are_seen_by_their_luma():
  batch = {'image': np.array([[[[255, 255, 255], [255, 0, 0]]]], np.uint8)}
  task = tasks.get('sketch2image')
  x = task.inputs(batch, None)
  np.testing.assert_allclose(x, [[[[1.0], [0.299]]]], rtol=1e-6)
  assert task.channels == 1 and task.to_image(batch, x) is x
  assert 'nothing of it was ever seen' in task.conjecture
