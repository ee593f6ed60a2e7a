"""Detection: logits are a damage map."""

import numpy as np

from artjax import tasks


def test_detect_gives_probabilities_of_the_three_classes_of_damage():
  task = tasks.get('detect')
  found = task.to_image({}, np.float32([[[[0, 40, -40]]]]))
  np.testing.assert_allclose(found, [[[[0.5, 1, 0]]]], atol=1e-6)
  assert task.finds
