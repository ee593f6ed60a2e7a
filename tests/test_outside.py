"""What lies outside of this package: named in a configuration, it is used."""

from conftest import tiny_config
import jax
import numpy as np
import pytest

from artjax import losses
from artjax import registry
from artjax import tasks
from artjax.data import pipeline
from artjax.evaluation import runner
from artjax.inference import loading
from artjax.training import preflight

MODULE = """
import flax.linen as nn
import jax.numpy as jnp
import numpy as np

from artjax.data.degradations.decorators import tonal
from artjax.tasks import base

LOWER_IS_BETTER = ('brightness',)


@tonal
def soot(image, severity, rng):
  return image * np.float32(1 - severity / 2)


def darkness(pred, target):
  return (target - pred).mean((1, 2, 3))


def brightness(pred, target, *, crop=0):
  return np.abs(pred.mean((1, 2, 3)) - target.mean((1, 2, 3)))


class Brighter(nn.Module):
  start: float = 2.0
  halo = 0

  @nn.compact
  def __call__(self, x, *, train=False, context=None):
    return x * self.param('by', nn.initializers.constant(self.start), [])


class Clean(base.Task):
  channels = 3

  def inputs(self, batch, rng):
    return base.unit(batch['image'])
"""


@pytest.fixture
def mine(tmp_path, monkeypatch):
  """The configuration of a module in the folder where the command runs."""
  (tmp_path / 'dust_off.py').write_text(MODULE)
  monkeypatch.chdir(tmp_path)
  monkeypatch.setattr('sys.path', [*__import__('sys').path])
  ops = 'copy("image", "target")|soot(1.0)|keep("image", "target")'
  config = tiny_config(
    **{
      'modules': ('dust_off',),
      'task': 'dust_off:Clean',
      'data.ops': f'random_crop(32)|{ops}',
      'eval.ops': f'fit(64)|{ops}',
      'eval.metrics': ('mae', 'brightness'),
    }
  )
  config.model.name, config.model.args = 'dust_off:Brighter', {'start': 2.0}
  yield config
  registry._used.clear()
  registry._all_ops.cache_clear()


@pytest.fixture
def offered(tmp_path, monkeypatch):
  """Installs a package whose entry point names the module given."""

  def install(module):
    folder = tmp_path / 'dust-1.0.dist-info'
    folder.mkdir()
    (folder / 'METADATA').write_text('Name: dust')
    (folder / 'entry_points.txt').write_text(f'[artjax]\ndust = {module}\n')
    monkeypatch.syspath_prepend(tmp_path)
    forget()

  def forget():
    registry._offered.cache_clear()
    registry._all_ops.cache_clear()

  yield install
  monkeypatch.undo()
  forget()


def test_ops_metrics_tasks_and_models_are_found(mine):
  preflight.check_training(mine)
  config = runner.with_best(mine)
  evaluator = runner.evaluator(config)
  assert evaluator.figures == {'mae': 'min', 'brightness': 'min'}
  params = {'by': np.float32(2)}
  found = runner.evaluate(evaluator, [loading.of(config, params)]).figures()
  assert found['brightness'] < 1  # of 255: what soot took, Brighter gives back
  assert tasks.get('dust_off:Clean').channels == 3


def test_losses_are_found(mine):
  example = pipeline.builder(mine)(0)
  pred, target = (
    example[k][None] / np.float32(255) for k in ('image', 'target')
  )
  total, terms = losses.total({'darkness': 2.0}, pred, target)
  np.testing.assert_allclose(total, 2 * terms['darkness'])
  assert 0.1 < float(terms['darkness'][0]) < 0.5
  with pytest.raises(ValueError, match="unknown loss 'brightness'"):
    losses.total({'brightness': 1.0}, pred, target)


@pytest.mark.parametrize(
  'name, says',
  [
    ('dust_offf:Clean', "no module 'dust_offf' is installed, or in"),
    ('dust_off:Clear', 'did you mean Clean'),
    ('dust_off:soot', 'is no class that inherits base.Task'),
  ],
)
def test_what_is_not_there_is_said(mine, name, says):
  with pytest.raises(ValueError, match=says):
    tasks.get(name)


def test_a_model_may_lack_fields_and_is_told_which_it_needs(mine):
  assert not hasattr(registry.model(mine), 'dtype')
  mine.dtype = 'bfloat16'
  with pytest.raises(ValueError, match='has no field dtype'):
    registry.model(mine)
  mine.dtype = 'float32'
  mine.model.name = 'dust_off:soot'
  with pytest.raises(ValueError, match='is no linen module'):
    registry.model(mine)


def test_a_model_without_halo_is_named(mine):
  del __import__('sys').modules['dust_off'].Brighter.halo
  with pytest.raises(ValueError, match='dust_off:Brighter .* attribute halo'):
    loading.of(mine, {'by': jax.numpy.float32(2)})


def test_an_installed_package_offers_its_modules(mine, offered):
  mine.modules = ()
  with pytest.raises(ValueError, match="no op 'soot'"):
    preflight.check_training(mine)
  offered('dust_off')
  preflight.check_training(mine)
  assert runner.evaluator(mine).figures == {'mae': 'min', 'brightness': 'min'}
  mine.modules = ('dust_off',)  # named too, it is there once
  preflight.check_training(mine)


def test_an_entry_point_that_cannot_be_imported_is_named(offered):
  offered('dust_gone')
  with pytest.raises(ValueError, match='dust = dust_gone .*uninstall'):
    registry.used()


def test_an_op_that_is_there_twice_is_named_alone(mine, tmp_path):
  (tmp_path / 'twice.py').write_text(MODULE)
  mine.modules = ('dust_off', 'twice')
  says = "^two ops are called 'soot': in dust_off and in twice; rename"
  with pytest.raises(ValueError, match=says):
    preflight.check_training(mine)
