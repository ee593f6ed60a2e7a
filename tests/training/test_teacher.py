"""Distillation: a network learns to match what other weights make."""

import json

from conftest import random_params
from conftest import smallest_config
from conftest import tiny_config
import jax
import numpy as np
import pytest

from artjax import losses
from artjax import registry
from artjax.interop import safetensors_io
from artjax.tasks import base
from artjax.training import loop
from artjax.training import teacher as teachers


@pytest.fixture
def weights(tmp_path):
  """Writes random weights of a configuration, and names them."""

  def write(**overrides):
    config = smallest_config(**overrides)
    path = tmp_path / f'{len(list(tmp_path.iterdir()))}.safetensors'
    params = random_params(registry.model(config), 0.3)
    safetensors_io.save(path, params, config)
    return str(path)

  return write


def batch():
  rng = np.random.default_rng(0)
  target = rng.integers(0, 256, [2, 16, 16, 3], dtype=np.uint8)
  return {'image': (target * 0.7).astype(np.uint8), 'target': target}


def test_its_loss_is_the_distance_to_what_the_teacher_makes(weights):
  path = weights()
  config = tiny_config(**{'teacher.weights': path, 'teacher.loss': 'mse'})
  teacher = teachers.Teacher(config)
  model = registry.model(smallest_config())
  given = batch()
  taught = model.apply(
    safetensors_io.variables(teacher.frozen['teacher']),
    base.unit(given['image']),
  )
  picture = base.unit(given['target'])
  expected = losses.total({'mse': 1.0}, picture, taught)[0]
  loss = lambda p: teacher.loss(p, given, teacher.frozen)
  np.testing.assert_allclose(loss(picture), expected, rtol=1e-5)
  assert (expected > 0).all()
  np.testing.assert_allclose(loss(taught), 0, atol=1e-9)
  # The student moves towards the teacher.
  slope = jax.grad(lambda p: loss(p).sum())(picture)
  assert float((slope * (picture - taught)).sum()) > 0


def test_a_run_learns_from_it_and_records_how_well(weights, tmp_path):
  config = smallest_config(
    **{'teacher.weights': weights(), 'teacher.weight': 2.0}
  )
  config.eval_every, config.steps, config.log_every = 0, 12, 6
  config.losses.update(charbonnier=0.0, psnr=0.0, detail=0.0, ssim=0.0)
  config.optimizer.learning_rate = 5e-3
  loop.train_and_evaluate(config.lock(), str(tmp_path / 'run'))
  lines = (tmp_path / 'run' / 'metrics.jsonl').read_text().splitlines()
  seen = [json.loads(line) for line in lines]
  distances = [line['loss/teacher'] for line in seen if 'loss/teacher' in line]
  assert len(distances) == 2 and distances[1] < distances[0]
  assert seen[0]['loss'] == pytest.approx(2 * seen[0]['loss/teacher'])


@pytest.mark.parametrize(
  'student, of_teacher, says',
  [
    ({}, {'task': 'tone'}, 'of the task tone, but .* task restore'),
    ({}, {'model.args.scale': 2}, 'enlarge 2 times, but the network 1 times'),
    ({'teacher.loss': 'l3'}, {}, "unknown loss 'l3'"),
  ],
)
def test_what_cannot_teach_is_refused(weights, student, of_teacher, says):
  path = weights(**of_teacher)
  with pytest.raises(ValueError, match=says):
    teachers.Teacher(tiny_config(**{'teacher.weights': path, **student}))


def test_weights_that_are_not_there_are_named():
  with pytest.raises(FileNotFoundError, match='gone'):
    teachers.Teacher(tiny_config(**{'teacher.weights': 'gone.safetensors'}))
