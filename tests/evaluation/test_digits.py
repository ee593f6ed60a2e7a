"""Pictures from nothing: drawn, shown and measured, in a run and after it."""

import json

from conftest import drawn_digits
import cv2
import numpy as np
import pytest

from artjax.configs import mnist_gan
from artjax.evaluation import digits
from artjax.inference import tiled
from artjax.tasks import generate
from artjax.training import loop


def tiny(folder, **overrides):
  config = mnist_gan.get_config('quick').copy_and_resolve_references().unlock()
  config.data.source = f'idx:{folder}'
  config.data.loader = 'threads'
  config.data.workers = 1
  config.batch_size = 4
  config.model.args.features = (8, 4)
  config.adversary.args.features = (4, 8)
  config.steps = config.log_every = 2
  config.eval_every = config.checkpoint_every = 2
  config.eval.max_pictures = 20
  config.update_from_flattened_dict(overrides)
  return config.lock()


@pytest.fixture(scope='module')
def finished(tmp_path_factory):
  """(config, workdir, result) of a run of two steps."""
  top = tmp_path_factory.mktemp('generation')
  config = tiny(drawn_digits(top / 'digits'))
  return config, top / 'run', loop.train_and_evaluate(config, str(top / 'run'))


def test_a_run_measures_and_shows(finished):
  _, workdir, result = finished
  assert result['step'] == 2 and result['skipped'] == 0
  output, real = result['eval']['output'], result['eval']['input']
  assert set(output) == {'confident', 'entropy', 'frechet'}
  assert set(real) == {*output, 'accuracy'}
  assert real['frechet'] < output['frechet']
  assert real['entropy'] == pytest.approx(0, abs=2.31)
  for name in ('samples', 'interpolation'):
    picture = cv2.imread(str(workdir / 'samples' / f'{name}_0000002.png'))
    assert picture.shape == (8 * 28, 16 * 28, 3)
  lines = (workdir / 'metrics.jsonl').read_text().splitlines()
  assert any('eval/frechet' in json.loads(line) for line in lines)


def test_evaluation_of_the_workdir_agrees_with_the_run(finished, capsys):
  config, workdir, result = finished
  found = digits.evaluate_and_report(config, str(workdir))
  assert found['output'] == pytest.approx(result['eval']['output'], rel=1e-4)
  assert found['source'].endswith(':test')
  assert '| confident |' in capsys.readouterr().out
  report = (workdir / 'evaluation' / 'report.md').read_text()
  assert '| frechet |' in report and 'samples.png' in report
  assert (workdir / 'evaluation' / 'interpolation.png').exists()


def test_such_weights_restore_nothing(finished):
  _, workdir, _ = finished
  with pytest.raises(ValueError, match='it restores none'):
    tiled.Restorer.load(str(workdir))


def test_weights_of_another_task_are_refused(finished):
  config, workdir, _ = finished
  other = config.copy_and_resolve_references().unlock()
  other.task = 'restore'
  with pytest.raises(ValueError, match='made for task=generate, not restore'):
    digits.evaluate_and_report(other, str(workdir))


def test_digits_without_labels_are_refused(finished):
  config, workdir, _ = finished
  other = config.copy_and_resolve_references().unlock()
  other.data.source = other.eval.source = 'sample'
  with pytest.raises(ValueError, match='sample: has no labels'):
    digits.evaluate_and_report(other, str(workdir))


def test_latents_are_the_seeds():
  one, two = digits.latents(0, 50), digits.latents(1, 50)
  assert one.shape == (50, 1, 1, generate.LATENT) and one.dtype == np.float32
  np.testing.assert_array_equal(one, digits.latents(0, 50))
  np.testing.assert_array_equal(one[:10], digits.latents(0, 10))
  assert np.abs(one - two).max() > 1


def test_a_walk_keeps_the_length():
  start, end = digits.latents(3, 2)
  end = end * np.linalg.norm(start) / np.linalg.norm(end)
  walked = digits.walk(start, end, 7)
  np.testing.assert_allclose(walked[0], start, atol=1e-5)
  np.testing.assert_allclose(walked[-1], end, atol=1e-5)
  lengths = np.linalg.norm(walked.reshape(7, -1), axis=1)
  np.testing.assert_allclose(lengths, np.linalg.norm(start), rtol=1e-4)
  gaps = np.linalg.norm(np.diff(walked.reshape(7, -1), axis=0), axis=1)
  np.testing.assert_allclose(gaps, gaps[0], rtol=1e-4)
  np.testing.assert_array_equal(digits.walk(start, start, 3)[1], start)


def test_a_grid_goes_row_by_row():
  pictures = np.arange(6, dtype=np.uint8).reshape(6, 1, 1, 1).repeat(3, -1)
  np.testing.assert_array_equal(
    digits.grid(pictures, 3)[..., 0], [[0, 1, 2], [3, 4, 5]]
  )
