"""The transform of tones: identity, rising curves, grey that stays grey."""

import jax
import numpy as np

from artjax import tasks
from artjax.tasks import tone

SEGMENTS = 8


def _picture(seed=0):
  return np.random.default_rng(seed).random((2, 6, 5, 3), np.float32)


def _drawn(seed=0, shared=False):
  rng = np.random.default_rng(seed)
  y = rng.uniform(-0.4, 0.4, (2, 1, 1, tone.parameters(SEGMENTS)))
  if shared:
    for i in range(0, 3 * (SEGMENTS + 1), 3):
      y[..., i : i + 3] = y[..., i : i + 1]
  return np.float32(y)


def test_zeros_are_the_identity():
  picture, y = _picture(), np.zeros_like(_drawn())
  np.testing.assert_allclose(tone.transform(picture, y), picture, atol=1e-6)


def test_curves_rise_and_are_as_described():
  y = _drawn()
  y[..., -6:] = 0  # curves alone
  ramp = np.linspace(0, 1, 65, dtype=np.float32)
  picture = np.broadcast_to(ramp[None, :, None, None], (2, 65, 1, 3))
  made = tone.transform(np.ascontiguousarray(picture), y)
  assert np.diff(made, axis=1).min() > 0
  told = tone.describe(y[1, 0, 0])
  np.testing.assert_allclose(
    made[1, ::8, 0, 2], told['curves']['blue'], atol=1e-4
  )


def test_the_matrix_is_as_described_and_keeps_grey():
  y = np.zeros_like(_drawn())
  y[..., -6:] = _drawn()[..., -6:]
  picture = _picture()
  matrix = np.float32(tone.describe(y[0, 0, 0])['matrix'])
  np.testing.assert_allclose(matrix.sum(1), 1, atol=1e-3)
  np.testing.assert_allclose(
    tone.transform(picture, y)[0], picture[0] @ matrix.T, atol=1e-3
  )


def test_grey_stays_exactly_grey_under_one_curve():
  grey = np.repeat(_picture()[..., :1], 3, -1)
  made = tone.transform(grey, _drawn(shared=True))
  assert np.abs(made - grey).max() > 0.05
  assert np.ptp(made, axis=-1).max() == 0


def test_numpy_and_jax_agree():
  picture, y = _picture(), _drawn()
  np.testing.assert_allclose(
    tone.transform(picture, y), jax.jit(tone.transform)(picture, y), atol=1e-6
  )


def test_the_task_applies_what_the_generator_says():
  picture, y = _picture(), _drawn()
  task, batch = tasks.get('tone'), {'image': np.uint8(255 * picture)}
  x = task.inputs(batch, None)
  np.testing.assert_allclose(
    task.to_image(batch, y), tone.transform(np.asarray(x), y), atol=1e-6
  )
