"""One way of evaluation: in training, in the command, on any devices."""

import threading

from conftest import random_params
from conftest import tiny_config
import jax
import ml_collections
import numpy as np
import pytest

from artjax import registry
from artjax import tasks
from artjax.evaluation import runner
from artjax.inference import network
from artjax.inference.engines import base
from artjax.training import loop

HOLES = (
  'fit(48)|copy("image", "target")|missing((0.1, 0.4), "boxes")'
  '|keep("image", "target", "mask")'
)
DAMAGE = 'fit(64)|copy("image", "real")|craquelure(0.8)|mask_target'
TASKS = {
  'inpaint': {
    'model.name': 'inpaint.GatedUNet',
    'data.ops': 'random_crop(32)|copy("image", "target")|missing((0.1, 0.4))'
    '|keep("image", "target", "mask")',
    'eval.ops': HOLES,
  },
  'detect': {
    'model.args.features': (4,),
    'model.args.blocks': (0,),
    'model.args.context_size': 0,
    'data.ops': 'random_crop(32)|craquelure(0.8)|mask_target'
    '|keep("image", "target")',
    'eval.ops': DAMAGE,
  },
}


def config_of(task, **overrides):
  config = tiny_config()
  if task == 'inpaint':  # the U-Net fills nothing
    config.model.args = ml_collections.ConfigDict(
      {'features': (4, 4), 'blocks': (0,), 'dilations': (1,)}
    )
  config.update_from_flattened_dict({'task': task, **TASKS[task], **overrides})
  return config


@pytest.mark.parametrize('task', TASKS)
def test_training_evaluates_as_the_command_does(task, tmp_path):
  config = config_of(
    task,
    **{
      'steps': 1,
      'losses.ssim': 0.0,
      'eval.max_pictures': 1,
      'eval.fills': ('telea',),
      'eval.metrics': ('psnr_rgb',) if task == 'inpaint' else (),
      'eval.training_baselines': True,
      'eval.training_skip': (),
    },
  )
  trained = loop.train_and_evaluate(config, str(tmp_path))['eval']
  command = runner.evaluate_and_report(config, str(tmp_path))
  del trained['seconds']
  assert {name: command[name] for name in trained} == trained
  assert trained['pictures'] == 1


def test_a_filler_that_does_nothing_is_not_perfect():
  config = config_of('inpaint', **{'eval.metrics': ('psnr_rgb',)})
  found = runner.evaluator(runner.while_training(runner.with_best(config)))
  nothing = lambda picture, hole: picture
  figures = runner.evaluate(found, [nothing]).figures()
  assert figures['psnr_rgb_hole'] < 20


@pytest.mark.parametrize(
  'task, best, mode',
  [
    ('restore', 'psnr_rgb', 'max'),
    ('sketch2image', 'psnr_rgb', 'max'),
    ('colorize', 'ciede2000', 'min'),
    ('detect', 'average_precision', 'max'),
    ('inpaint', 'psnr_rgb_hole', 'max'),
    ('generate', 'frechet', 'min'),
  ],
)
def test_every_evaluator_says_what_is_best(task, best, mode):
  config = runner.with_best(tiny_config(task=task))
  assert (config.best_metric, config.best_mode) == (best, mode)
  evaluator = runner.evaluator(config)
  assert evaluator.figures[best] == mode
  # The configuration decides otherwise.
  other = next(name for name in evaluator.figures if name != best)
  config = runner.with_best(tiny_config(task=task, best_metric=other))
  assert config.best_metric == other
  assert config.best_mode == evaluator.figures[other]


def test_an_unknown_best_metric_is_refused_before_anything_is_made(tmp_path):
  workdir = tmp_path / 'run'
  for name in ('psnr', 'ciede2000'):
    with pytest.raises(
      ValueError, match=f"'{name}' is not .* psnr_rgb, psnr_y"
    ):
      loop.train_and_evaluate(tiny_config(best_metric=name), str(workdir))
  # One that is not measured decides nothing either.
  config = tiny_config(
    **{'best_metric': 'lpips', 'eval.metrics': ('mae', 'ssim_y')}
  )
  with pytest.raises(ValueError, match='it has mae, ssim_y'):
    loop.train_and_evaluate(config, str(workdir))
  assert not workdir.exists()


def test_while_training_less_is_measured():
  config = runner.with_best(tiny_config())
  less = runner.while_training(config).eval
  assert 'lpips' not in less.metrics and 'psnr_rgb' in less.metrics
  assert not less.baselines and less.max_pictures == 2
  config = runner.with_best(
    tiny_config(
      **{
        'best_metric': 'lpips',
        'eval.max_pictures': 0,
        'eval.training_pictures': 7,
        'eval.training_skip': ('lpips', 'mae'),
      }
    )
  )
  less = runner.while_training(config).eval
  assert 'lpips' in less.metrics and 'mae' not in less.metrics
  assert less.max_pictures == 7
  # A metric stays for the sake of what is made of it.
  config = config_of('inpaint', best_metric='lpips_hole')
  less = runner.while_training(runner.with_best(config))
  assert less.eval.metrics == ('psnr_rgb', 'ssim_rgb', 'lpips')


def test_devices_share_the_work_with_equal_results():
  devices = jax.local_devices()
  assert len(devices) == 4
  config = tiny_config(
    **{'eval.max_pictures': 0, 'data.validation': 0.0, 'eval.split': 'all'}
  )
  config.eval.metrics = ('psnr_rgb', 'ssim_rgb')
  params = random_params(registry.model(config), 0.05)
  restorers = runner.on_devices(config, params)
  places = [jax.tree.leaves(r.params)[0].devices() for r in restorers]
  assert places == [{device} for device in devices]
  evaluator = runner.evaluator(config)
  alone = runner.evaluate(evaluator, restorers[:1])
  together = runner.evaluate(evaluator, restorers)
  assert len(alone.records) > 4
  strip = lambda results: [
    r._replace(seconds=0, panel=()) for r in results.records
  ]
  assert strip(together) == strip(alone)
  for one, other in zip(together.panels(), alone.panels()):
    np.testing.assert_array_equal(one.panel, other.panel)


def test_devices_work_at_the_same_time_and_results_keep_their_order():
  together = threading.Barrier(4, timeout=60)
  used = []

  class Slow:
    def __init__(self, device):
      self.device = device

    def __call__(self, picture):
      together.wait()
      used.append((self.device, jax.numpy.zeros(1).devices()))
      return picture

  config = tiny_config(
    **{'eval.max_pictures': 4, 'eval.split': 'all', 'eval.metrics': ('mae',)}
  )
  evaluator = runner.evaluator(config)
  devices = jax.local_devices()
  found = runner.evaluate(evaluator, [Slow(d) for d in devices])
  assert {device for device, _ in used} == set(devices)
  assert all(place == {device} for device, place in used)
  names = [example['name'] for example in evaluator.examples()]
  assert [record.name for record in found.records] == names


def test_nothing_to_evaluate_on_is_said():
  evaluator = runner.evaluator(tiny_config())
  evaluator.examples = lambda: iter(())
  with pytest.raises(ValueError, match='no picture to evaluate on'):
    runner.evaluate(evaluator, [lambda p: p])


def test_weights_of_another_task_are_refused():
  for task in tasks.names():
    if task == 'restore':
      continue
    with pytest.raises(ValueError, match=f'task is restore, not {task}'):
      runner.evaluate_and_report(tiny_config(task=task), 'unet')


def test_what_colorizes_has_no_self_ensemble():
  class Colorizer:
    turns = False

    def __call__(self, picture, hints=None):
      return picture

  config = tiny_config(**{'eval.self_ensemble': True})
  with pytest.raises(ValueError, match='a Colorizer sees a picture once'):
    runner.evaluate(runner.evaluator(config), [Colorizer()])


def test_a_restorer_can_be_the_mean_over_eight_turns():
  seen = []

  class Restorer:
    turns = True

    def __call__(self, picture, self_ensemble=False):
      seen.append(self_ensemble)
      return picture

  for ensemble in (False, True):
    config = tiny_config(
      **{'eval.self_ensemble': ensemble, 'eval.metrics': ('mae',)}
    )
    runner.evaluate(runner.evaluator(config), [Restorer()])
  assert seen == [False, False, True, True]


def test_another_engine_runs_what_can_be_run_by_it():
  seen = []

  class Restorer:
    def use(self, engine):
      return base.Used(engine)

    def __call__(self, picture, engine='jax'):
      seen.append(engine)
      return picture

  class Colorizer:
    def __call__(self, picture, hints=None):
      return picture

  how = {'eval.engine': 'openvino', 'eval.metrics': ('mae',)}
  measures = runner.evaluator(tiny_config(**how))
  runner.evaluate(measures, [Restorer()])
  assert {*seen} == {'openvino'}
  with pytest.raises(ValueError, match='engine=openvino: a Colorizer runs in'):
    runner.evaluate(measures, [Colorizer()])


def test_a_restorer_on_a_device_restores_as_anywhere():
  config = tiny_config()
  params = random_params(registry.model(config), 0.05)
  picture = np.random.default_rng(0).integers(0, 256, [40, 48, 3], np.uint8)
  want = network.Restorer(config, params)(picture)
  (last,) = runner.on_devices(config, params, jax.local_devices()[-1:])
  np.testing.assert_array_equal(last(picture), want)
