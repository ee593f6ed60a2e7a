"""Tasks: the colour glue between batches and generators."""
import numpy as np
import pytest

from artjax import tasks


def test_restore_sees_the_degraded_picture_in_unit_range():
  batch = {'image': np.array([[[[0, 51, 255]]]], np.uint8)}
  x = tasks.get('restore').inputs(batch, None)
  np.testing.assert_allclose(x, [[[[0.0, 0.2, 1.0]]]], rtol=1e-6)
  assert tasks.get('restore').picture(batch, x) is x


def test_unknown_task_names_the_known_ones():
  with pytest.raises(ValueError, match="'retsore' is not one of restore"):
    tasks.get('retsore')
