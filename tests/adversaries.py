"""What the tests of all networks with statistics of their own share."""

import jax
import jax.numpy as jnp
import numpy as np

from artjax.training import distributed


def pictures(*shape, seed=0):
  return np.random.default_rng(seed).random(shape, np.float32)


def variables(model, x):
  """Weights and statistics, none at a special value; compiles nothing."""
  shapes = jax.eval_shape(model.init, jax.random.key(0), x)
  rng = np.random.default_rng(0)

  def draw(path, shape):
    noise = rng.standard_normal(shape.shape, np.float32)
    kind = path[-1].key
    if kind == 'kernel':
      return noise * np.float32(np.prod(shape.shape[:-1]) ** -0.5)
    return np.float32(kind in ('scale', 'var')) + np.float32(0.3) * (
      np.abs(noise) if kind == 'var' else noise
    )

  given = jax.tree_util.tree_map_with_path(draw, shapes)
  for name, stats in given.get('batch_stats', {}).items():
    if 'u' in stats:  # the kernel's before a step that changed it a little
      kernel = given['params'][name]['kernel']
      kernel = kernel * np.exp(rng.normal(0, 0.2, kernel.shape))
      v, _, u = np.linalg.svd(kernel.reshape(-1, kernel.shape[-1]), False)
      stats.update(u=u[0].astype(np.float32), v=v[:, 0].astype(np.float32))
  return given


def parameters(model, x):
  """How many, of 'params' alone."""
  shapes = jax.eval_shape(model.init, jax.random.key(0), x)['params']
  return sum(leaf.size for leaf in jax.tree.leaves(shapes))


def assert_half_precision(model, x):
  """In bfloat16 the activations are so too, logits are not, nor weights."""
  half = model.clone(dtype=jnp.bfloat16)
  (logits, seen), given = jax.eval_shape(
    half.init_with_output, jax.random.key(0), x
  )
  assert logits.dtype == jnp.float32
  assert {y.dtype for y in seen} == {jnp.dtype(jnp.bfloat16)}
  assert {leaf.dtype for leaf in jax.tree.leaves(given)} == {
    jnp.dtype(jnp.float32)
  }


def training(model, given, x):
  """(loss, (output, new statistics)), gradients of a step; jitted."""

  def loss_fn(params):
    y, changed = model.apply(
      {**given, 'params': params}, x, train=True, mutable=['batch_stats']
    )
    out = y[0] if isinstance(y, tuple) else y
    return (out**2).mean() + out.mean(), (y, changed.get('batch_stats', {}))

  return jax.jit(jax.value_and_grad(loss_fn, has_aux=True))(given['params'])


def assert_every_gradient(grads):
  for path, grad in jax.tree.leaves_with_path(grads):
    assert np.abs(grad).max() > 0, jax.tree_util.keystr(path)


def assert_still_without_train(model, given, x):
  """train=False: the same twice, nothing changed; train=True: all changed."""
  run = jax.jit(
    lambda v, train: model.apply(v, x, train=train, mutable=['batch_stats']),
    static_argnums=1,
  )
  (first, changed), (second, _) = run(given, False), run(given, False)
  jax.tree.map(np.testing.assert_array_equal, first, second)
  jax.tree.map(
    np.testing.assert_array_equal, changed['batch_stats'], given['batch_stats']
  )
  _, changed = run(given, True)
  for path, new in jax.tree.leaves_with_path(changed['batch_stats']):
    old = given['batch_stats']
    for key in path:
      old = old[key.key]
    assert np.abs(new - old).max() > 0, jax.tree_util.keystr(path)


def assert_devices_make_one_batch(model, given, x):
  """Pictures spread over devices train as all of them on one device do."""
  (loss, (_, stats)), grads = training(model.clone(axis_name=None), given, x)

  def step(given, batch, _):
    (loss, (_, stats)), grads = training(model, given, batch)
    return (stats, distributed.mean(grads)), distributed.mean(loss)

  devices = jax.local_device_count()
  assert devices > 1
  (got_stats, got_grads), got_loss = distributed.map_step(step)(
    jax.tree.map(jnp.array, given), x.reshape(devices, -1, *x.shape[1:]), None
  )
  np.testing.assert_allclose(got_loss, loss, rtol=1e-4)
  close = lambda a, b: np.testing.assert_allclose(
    a, b, rtol=1e-3, atol=1e-4 * np.abs(b).max()
  )
  jax.tree.map(close, got_stats, stats)
  jax.tree.map(close, got_grads, grads)


def spectral_norm(kernel, stats):
  """The largest singular value of what a SpectralConv convolves with."""
  matrix = np.asarray(kernel).reshape(-1, kernel.shape[-1])
  return np.linalg.norm(matrix, 2) / (stats['v'] @ matrix @ stats['u'])
