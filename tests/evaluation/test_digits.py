"""Pictures from nothing: drawn, shown and measured, in a run and after it."""

import json

from conftest import drawn_digits
import cv2
import numpy as np
import pytest

from artjax.configs import mnist_gan
from artjax.evaluation import digits
from artjax.evaluation import runner
from artjax.inference import network
from artjax.inference import sampler
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
  found = runner.evaluate_and_report(config, str(workdir))
  assert found['output'] == result['eval']['output']
  assert found['input'] == result['eval']['input']
  assert found['source'].endswith(':test')
  assert '| confident |' in capsys.readouterr().out
  report = (workdir / 'evaluation' / 'report.md').read_text()
  assert '| frechet |' in report and 'samples.png' in report
  assert (workdir / 'evaluation' / 'interpolation.png').exists()


def test_such_weights_restore_nothing(finished):
  _, workdir, _ = finished
  with pytest.raises(ValueError, match='it restores none'):
    network.Restorer.load(str(workdir))


def test_digits_without_labels_are_refused():
  with pytest.raises(ValueError, match='sample: has no labels'):
    digits.labelled('sample', 'all', 0.0, 28)


def test_samples_of_another_size_are_refused(tmp_path):
  config = tiny(drawn_digits(tmp_path / 'digits'))
  evaluator = runner.evaluator(config)
  large = lambda latents: np.zeros([len(latents), 32, 32, 3], np.uint8)
  with pytest.raises(ValueError, match='but 32 x 32 px are drawn'):
    runner.evaluate(evaluator, [large])


def test_a_sampler_has_no_self_ensemble(tmp_path):
  config = tiny(tmp_path, **{'eval.self_ensemble': True})
  draw = sampler.Sampler(config, {})
  with pytest.raises(ValueError, match='a Sampler sees'):
    runner.evaluate(runner.evaluator(config), [draw])


def test_a_grid_goes_row_by_row():
  pictures = np.arange(6, dtype=np.uint8).reshape(6, 1, 1, 1).repeat(3, -1)
  np.testing.assert_array_equal(
    digits.grid(pictures, 3)[..., 0], [[0, 1, 2], [3, 4, 5]]
  )
