"""Schedules and optimizers of a configuration."""

from conftest import tiny_config
import jax
import jax.numpy as jnp
import ml_collections
import numpy as np
import pytest

from artjax import registry
from artjax.training import optim


def test_schedule_warms_up_and_ends_at_its_fraction():
  config = tiny_config(
    **{
      'steps': 100,
      'optimizer.learning_rate': 0.5,
      'optimizer.warmup_steps': 10,
      'optimizer.final_fraction': 0.1,
    }
  )
  rate = optim.schedule(config.optimizer, config.steps)
  assert float(rate(0)) == 0.0
  assert float(rate(5)) == pytest.approx(0.25)
  assert float(rate(10)) == pytest.approx(0.5)
  assert float(rate(55)) == pytest.approx(0.5 * 0.55)  # middle of the cosine
  assert float(rate(100)) == pytest.approx(0.05)


def rates(steps=100, **overrides):
  overrides = {'learning_rate': 0.5, 'final_fraction': 0.1, **overrides}
  config = tiny_config(**{f'optimizer.{n}': v for n, v in overrides.items()})
  rate = optim.schedule(config.optimizer, steps)
  return lambda step: pytest.approx(float(rate(step)))


def test_wsd_is_constant_and_then_falls():
  rate = rates(schedule='wsd', decay_share=0.2, warmup_steps=10)
  at = {0: 0, 5: 0.25, 10: 0.5, 50: 0.5, 80: 0.5, 90: 0.275, 100: 0.05}
  for step, value in at.items():
    assert value == rate(step), step
  # Longer, it is the same run until the decay of the shorter one begins.
  longer = rates(200, schedule='wsd', decay_share=0.2, warmup_steps=10)
  for step in (3, 10, 80):
    assert longer(step) == rate(step).expected
  assert longer(100) == 0.5


def test_constant_stays_at_the_peak():
  rate = rates(schedule='constant', warmup_steps=10)
  for step, value in {0: 0, 5: 0.25, 10: 0.5, 100: 0.5}.items():
    assert value == rate(step), step


def test_other_schedules_are_refused():
  with pytest.raises(ValueError, match="'linear' is not one of cosine"):
    rates(schedule='linear')
  with pytest.raises(ValueError, match='decay_share=1.5 is outside'):
    rates(schedule='wsd', decay_share=1.5)


def test_no_warmup_starts_at_the_peak():
  config = tiny_config(**{'optimizer.warmup_steps': 0})
  assert float(
    optim.schedule(config.optimizer, config.steps)(0)
  ) == pytest.approx(config.optimizer.learning_rate)


@pytest.mark.parametrize('name', optim.OPTIMIZERS)
def test_every_optimizer_descends(name):
  config = tiny_config(
    **{
      'optimizer.name': name,
      'optimizer.warmup_steps': 0,
      'steps': 80,
      'optimizer.learning_rate': 0.3,
    }
  )
  tx = optim.optimizer(config.optimizer, config.steps)
  params = {'kernel': jnp.array([[1.0, -2.0]])}
  state = tx.init(params)

  @jax.jit
  def step(params, state):
    grads = jax.grad(lambda p: (p['kernel'] ** 2).sum())(params)
    updates, state = tx.update(grads, state, params)
    return {'kernel': params['kernel'] + updates['kernel']}, state

  for _ in range(80):
    params, state = step(params, state)
  assert np.abs(params['kernel']).max() < 0.5


def test_steps_of_muon_are_orthogonal_and_as_large_as_adams():
  config = tiny_config(
    **{
      'optimizer.name': 'muon',
      'optimizer.warmup_steps': 0,
      'optimizer.clip_norm': 0.0,
      'optimizer.learning_rate': 1.0,
    }
  )
  tx = optim.optimizer(config.optimizer, config.steps)
  params = {'kernel': jnp.zeros([3, 3, 16, 16]), 'bias': jnp.zeros([16])}
  scales = jnp.logspace(-1, 1, 16)[None, None, None]
  gradient = {
    'kernel': scales * jax.random.normal(jax.random.key(0), [3, 3, 16, 16]),
    'bias': jnp.ones([16]),
  }
  updates, _ = jax.jit(tx.update)(gradient, tx.init(params), params)
  singular = np.linalg.svd(updates['kernel'].reshape(144, 16), compute_uv=False)
  assert singular.max() < 2 * singular.min()  # of the gradient: 60 times
  rms = np.sqrt(np.mean(np.square(updates['kernel'])))
  assert 0.1 < rms < 0.3
  assert (np.abs(updates['bias'] + 1) < 0.6).all()  # Adam's, and Nesterov's


def transformation(fixed=(), **overrides):
  """What config.optimizer describes: rate 1 at once, nothing clipped."""
  fields = {
    'warmup_steps': 0,
    'clip_norm': 0.0,
    'learning_rate': 1.0,
    **overrides,
  }
  config = tiny_config(**{f'optimizer.{n}': v for n, v in fields.items()})
  return optim.optimizer(config.optimizer, config.steps, fixed)


def step_of(gradient, params=None, **overrides):
  tx = transformation(**overrides)
  params = params or jax.tree.map(jnp.zeros_like, gradient)
  return jax.jit(tx.update)(gradient, tx.init(params), params)[0]


def flat(tree):
  """{'a/b': leaf}; None is a leaf."""
  is_leaf = lambda x: x is None or isinstance(x, tuple)
  leaves = jax.tree.leaves_with_path(tree, is_leaf=is_leaf)
  return {'/'.join(k.key for k in path): leaf for path, leaf in leaves}


@pytest.mark.parametrize(
  'name, channels, fields',
  [
    # beta and gamma [1, 1, 1, C]
    (
      'nafnet.NAFNet',
      3,
      {'enc_blocks': (1,), 'dec_blocks': (1,), 'middle_blocks': 1},
    ),
    # biases of attention [heads, C]
    ('colour_unet.ColourUNet', 4, {'features': (8, 8), 'blocks': (1, 1)}),
    # a scan: biases [blocks, C]
    ('rrdb.RRDBNet', 3, {'blocks': 2}),
  ],
)
def test_kernels_and_their_matrices_in_real_networks(name, channels, fields):
  described = {'model': {'name': name, 'args': fields}}
  params = registry.variables(ml_collections.ConfigDict(described), channels)
  shapes, decayed, matrices = (
    flat(tree)
    for tree in (
      params['params'],
      optim.kernels(params['params']),
      optim.matrices(params['params']),
    )
  )
  assert set(matrices) == set(shapes)
  for path, shape in shapes.items():
    assert decayed[path] == path.endswith('/kernel'), path
    inputs_and_outputs = matrices[path]
    if shape.ndim in (4, 5) and path.endswith('/kernel'):
      assert inputs_and_outputs == ((-4, -3, -2), -1), path
    elif shape.ndim == 2 and path.endswith('/kernel'):
      assert inputs_and_outputs == (0, 1), path
    elif path.endswith(('query/kernel', 'key/kernel', 'value/kernel')):
      assert inputs_and_outputs == (0, (1, 2)), path
    elif path.endswith('out/kernel'):
      assert inputs_and_outputs == ((0, 1), 2), path
    else:  # among them depthwise kernels
      assert inputs_and_outputs is None, path


@pytest.mark.parametrize('name', ['adamw', 'lion', 'muon'])
def test_decay_reaches_kernels_alone(name):
  params = {
    'query': {'kernel': jnp.ones([4, 2, 2]), 'bias': jnp.ones([2, 2])},
    'body': {'kernel': jnp.ones([2, 3, 3, 4, 4]), 'bias': jnp.ones([2, 4])},
    'dense': {'kernel': jnp.ones([4, 4]), 'bias': jnp.ones([4])},
    'beta': jnp.ones([1, 1, 1, 4]),
    'norm': {'scale': jnp.ones([2, 4])},
  }
  zero = jax.tree.map(jnp.zeros_like, params)
  updates = step_of(zero, params, name=name, weight_decay=0.5)
  for path, update in flat(updates).items():
    expected = -0.5 if path.endswith('kernel') else 0.0
    np.testing.assert_array_equal(update, expected, err_msg=path)


def test_muon_takes_the_blocks_of_a_scan_one_by_one():
  gradient = jax.random.normal(jax.random.key(0), [3, 3, 3, 4, 8])
  gradient *= jnp.asarray([1.0, 100.0, 0.01]).reshape(3, 1, 1, 1, 1)
  alone = {f'block{i}': {'kernel': block} for i, block in enumerate(gradient)}
  updates = step_of({'body': {'kernel': gradient}, **alone}, name='muon')
  for i in range(3):
    np.testing.assert_allclose(
      updates['body']['kernel'][i],
      updates[f'block{i}']['kernel'],
      rtol=1e-4,
      atol=1e-6,
    )


def test_muon_reads_attention_as_one_matrix_and_biases_as_none():
  key = jax.random.key(0)
  shapes = {
    'query': [8, 2, 4],  # inputs, heads, features
    'out': [2, 4, 8],  # heads, features, outputs
    'conv2': [3, 3, 8],  # depthwise
  }
  gradient = {
    name: {
      'kernel': jax.random.normal(key, shape),
      'bias': jax.random.normal(key, shape[1:]),
    }
    for name, shape in shapes.items()
  }
  updates = step_of(gradient, name='muon')
  for name in ('query', 'out'):
    singular = np.linalg.svd(
      updates[name]['kernel'].reshape(8, 8), compute_uv=False
    )
    assert singular.max() < 2.5 * singular.min(), name
  for update, theirs in (
    *((updates[n]['bias'], gradient[n]['bias']) for n in shapes),
    (updates['conv2']['kernel'], gradient['conv2']['kernel']),
  ):
    # Adam's first step, Nesterov's: of one length and the gradient's sign.
    np.testing.assert_allclose(np.abs(update), np.abs(update).max(), rtol=1e-3)
    np.testing.assert_array_equal(np.sign(update), -np.sign(theirs))


@pytest.mark.parametrize('name', ['adamw', 'lion', 'muon'])
def test_what_is_fixed_stays_as_it_is(name):
  tx = transformation(('likely',), name=name, weight_decay=0.5)
  params = {n: {'kernel': jnp.ones([2, 2])} for n in ('likely', 'spread')}
  state = tx.init(params)
  updates, state = jax.jit(tx.update)(params, state, params)
  assert not np.asarray(updates['likely']['kernel']).any()
  assert np.asarray(updates['spread']['kernel']).all()
  # A checkpoint does not know of it.
  plain = transformation(name=name, weight_decay=0.5).init(params)
  assert jax.tree.structure(state) == jax.tree.structure(plain)


def test_colours_that_were_fitted_are_fixed():
  from artjax.configs import colorize
  from artjax.training import loop

  generator, _ = loop.players(colorize.get_config('quick'))
  params = {n: {'kernel': jnp.ones([2, 2])} for n in ('likely', 'spread')}
  zero = jax.tree.map(jnp.zeros_like, params)
  state = generator.optimizer.init(params)
  for _ in range(2):  # the rate of the very first is 0
    updates, state = generator.optimizer.update(zero, state, params)
  assert not np.asarray(updates['likely']['kernel']).any()
  assert np.asarray(updates['spread']['kernel']).all()


def test_clipping_bounds_what_reaches_the_optimizer():
  config = tiny_config(
    **{'optimizer.clip_norm': 1.0, 'optimizer.warmup_steps': 0}
  )
  tx = optim.optimizer(config.optimizer, config.steps)
  params = {'w': jnp.zeros([2])}
  _, state = tx.update({'w': jnp.array([3e4, 4e4])}, tx.init(params), params)
  moment = jax.tree.leaves(state)[1]  # of Adam: (1 - b1) times the gradient
  np.testing.assert_allclose(moment, [0.06, 0.08], rtol=1e-5)


def test_refuses_what_would_be_ignored():
  with pytest.raises(ValueError, match='not one of adam'):
    optim.optimizer(tiny_config(**{'optimizer.name': 'sgd'}).optimizer, 1)
  with pytest.raises(ValueError, match='adamw'):
    optim.optimizer(tiny_config(**{'optimizer.weight_decay': 0.1}).optimizer, 1)
