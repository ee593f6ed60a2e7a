"""The list of tasks, and what all of them fulfil."""

import numpy as np
import pytest

from artjax import registry
from artjax import tasks
from artjax.evaluation import base as evaluation
from artjax.tasks import base

ALL = (
  'colorize',
  'detect',
  'generate',
  'inpaint',
  'restore',
  'sketch2image',
  'stains',
  'tone',
)


def test_every_file_is_a_task():
  assert tasks.names() == list(ALL)
  for name in ALL:
    assert tasks.get(name) is tasks.get(name)  # or all would compile again


def test_unknown_task_names_the_known_ones():
  with pytest.raises(ValueError, match="'retsore' is not one of colorize"):
    tasks.get('retsore')
  with pytest.raises(ValueError, match="'base' is not one of"):
    tasks.get('base')


def test_a_new_file_is_a_new_task(tmp_path, monkeypatch):
  (tmp_path / 'negative.py').write_text(
    'from artjax.tasks import base\n'
    'class Task(base.Task):\n'
    '  channels = 3\n'
    '  def inputs(self, batch, rng):\n'
    '    return 1 - base.unit(batch["image"])\n'
  )
  monkeypatch.setattr(tasks, '__path__', [*tasks.__path__, str(tmp_path)])
  assert 'negative' in tasks.names()
  x = tasks.get('negative').inputs({'image': np.uint8([255, 0])}, None)
  np.testing.assert_array_equal(x, [0.0, 1.0])


@pytest.mark.parametrize('name', ALL)
def test_what_a_task_names_is_there(name):
  task = tasks.get(name)
  assert task.fills == (name == 'inpaint')
  assert task.restores == (name == 'restore')
  assert isinstance(registry.get('artjax.inference', task.restorer), type)
  evaluator = registry.get('artjax.evaluation', task.evaluator)
  assert issubclass(evaluator, evaluation.Evaluator)


def test_unit_and_missing():
  np.testing.assert_allclose(base.unit(np.uint8([0, 51, 255])), [0, 0.2, 1])
  mask = np.array([[[[0, 255, 0], [0, 0, 0]]]], np.uint8)
  np.testing.assert_array_equal(base.missing({'mask': mask}), [[[[1], [0]]]])
