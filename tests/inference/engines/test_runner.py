"""A network in all engines: the same picture, and clear refusals."""

import functools

from conftest import confident_config
from conftest import detector
from conftest import loaded_by
from conftest import random_params
from conftest import smallest_config
from conftest import tiny_config
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from artjax import registry
from artjax.inference import network
from artjax.inference import tiling
from artjax.inference.engines import base
from artjax.inference.engines import converted
from artjax.inference.engines import names
from artjax.inference.engines import openvino_engine
from artjax.inference.engines import runner
from artjax.interop import safetensors_io

ENGINES = [  # in float32
  pytest.param(
    engine,
    marks=pytest.mark.skipif(
      bool(names.missing(engine)),
      reason=f'needs {engine} (pip install "artjax[{engine}]")',
    ),
  )
  for engine in (names.ONNX, names.OPENVINO)
]
each_engine = pytest.mark.parametrize('engine', ENGINES)


def noise(*shape):
  return np.random.default_rng(shape).integers(0, 256, shape, dtype=np.uint8)


def restorer_of(config, spread=0.01):
  model = registry.model(config)
  return network.Restorer(config, random_params(model, spread))


PICTURE = noise(60, 50, 3)


def structure():
  return restorer_of(confident_config())


def unet():
  return restorer_of(tiny_config())


def damage():
  return network.Restorer(*detector())


def enlarging():
  config = smallest_config()
  config.model.args.scale = 2
  return restorer_of(config, 0.1)


@functools.cache
def by_jax(make, **how):
  return make()(PICTURE, tile=32, **how).astype(int)


@pytest.mark.parametrize('make', [structure, unet, damage, enlarging])
@each_engine
def test_pictures_are_equal_to_a_level(make, engine):
  have = make()(PICTURE, tile=32, engine=engine)
  assert np.abs(have - by_jax(make)).max() <= 1
  assert np.ptp(have) > 20


@each_engine
def test_flips_and_rotations_are_equal_to_a_level(engine):
  have = enlarging()(PICTURE, tile=32, engine=engine, self_ensemble=True)
  want = by_jax(enlarging, self_ensemble=True)
  assert np.abs(have - want).max() <= 1
  assert (want != by_jax(enlarging)).any()


@each_engine
def test_holes_are_filled(engine):
  config = tiny_config(task='inpaint')
  config.model = {
    'name': 'inpaint.GatedUNet',
    'args': {'features': (4, 4), 'blocks': (1,), 'dilations': (1,)},
  }
  model = registry.model(config)
  restorer = network.Restorer(config, random_params(model, 0.1, channels=4))
  picture, hole = noise(60, 60, 3), np.zeros((60, 60), bool)
  hole[5:55, 5:55] = True  # deeper than what it reaches
  want = restorer(picture, hole).astype(int)
  have = restorer(picture, hole, engine=engine)
  assert np.abs(have - want).max() <= 1
  assert (have[~hole] == picture[~hole]).all() and (have != picture).any()


@each_engine
def test_a_noise_level_needs_no_new_network(engine, monkeypatch):
  config = tiny_config()
  config.model = {'name': 'ffdnet.FFDNet', 'args': {'features': 4, 'convs': 3}}
  variables = registry.variables(config)
  rng = np.random.default_rng(0)
  params = jax.tree.map(
    lambda s: np.float32(0.2 * rng.standard_normal(s.shape)),
    safetensors_io.merge(variables),
  )
  restorer, picture = network.Restorer(config, params), noise(40, 40, 3)
  results = [restorer(picture, noise=n, engine=engine) for n in (5, 90)]
  monkeypatch.setattr(converted.Network, '_compile', None)
  for level, result in zip((5, 90), results):
    want = restorer(picture, noise=level).astype(int)
    assert np.abs(result - want).max() <= 1
  assert (restorer(picture, noise=5, engine=engine) == results[0]).all()
  assert (results[0] != results[1]).any()


def runner_of(function):
  """A `Runner` of a function of a tile."""
  run = jax.jit(lambda params, tiles, context: function(tiles))
  identity = {'model': {'name': 'a.Network'}}
  return runner.Runner(
    run, {}, channels=3, context=4, multiple=1, identity=identity
  )


@each_engine
def test_what_cannot_be_converted_is_refused_in_one_line(engine):
  with pytest.raises(ValueError) as error:
    runner_of(lambda x: jnp.cumsum(x, 1)).use(engine)
  assert str(error.value) == (
    f'engine={engine} cannot run a.Network: the operation cumsum cannot be '
    'converted; engine=jax can'
  )


@pytest.mark.skipif(
  len(names.installed()) < 2, reason='needs another engine than JAX'
)
def test_auto_falls_back_and_says_so():
  used = runner_of(lambda x: jnp.cumsum(x, 1)).use('auto')
  assert used.engine == 'jax'
  assert 'the operation cumsum cannot be converted' in used.notice


def test_auto_leaves_a_gpu_to_jax(monkeypatch):
  monkeypatch.setattr(jax, 'default_backend', lambda: 'gpu')
  assert runner_of(jnp.sin).use('auto') == base.Used('jax')


def test_an_unknown_engine_is_refused():
  with pytest.raises(ValueError, match='engine=tpu is not one of jax, onnx'):
    structure()(noise(9, 9, 3), engine='tpu')


@each_engine
def test_without_memory_tiles_become_smaller(engine, monkeypatch):
  def fails(graph):
    raise RuntimeError('std::bad_alloc')

  monkeypatch.setitem(runner._LOADERS, engine, fails)
  with pytest.raises(tiling.OutOfMemory):
    unet()(noise(40, 40, 3), engine=engine)


def test_openvino_keeps_what_it_has_compiled(caches):
  pytest.importorskip('openvino', reason='needs openvino')
  pytest.importorskip('onnx', reason='needs onnx')
  # Tests of other folders may have made one, with another folder of caches.
  openvino_engine._core.cache_clear()
  restorer_of(smallest_config(), 0.3)(noise(20, 20, 3), engine='openvino')
  openvino_engine._core.cache_clear()
  assert list((caches / 'openvino').glob('*.blob'))


@pytest.mark.skipif(
  bool(names.missing(names.OPENVINO_BF16)),
  reason='needs openvino and a processor that computes in bfloat16',
)
@pytest.mark.parametrize('make', [structure, unet, enlarging])
def test_in_bfloat16_pictures_differ_by_little(make):
  have = make()(PICTURE, tile=32, engine='openvino-bf16')
  error = np.square(have - by_jax(make)).mean()
  assert 0 < error < 1  # levels


def test_openvino_sends_no_statistics():
  pytest.importorskip('openvino', reason='needs openvino')
  code = (
    'from artjax.inference.engines import openvino_engine\n'
    'openvino_engine._core()\n'
    'import openvino.tools.ovc.telemetry_utils as used\n'
    'assert "stub" in used.tm.__name__'
  )
  assert loaded_by(code, 'openvino') == {'openvino'}
