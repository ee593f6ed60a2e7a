"""Gradients part by part: those of the whole batch."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from artjax.training import accumulation


def differentiate(params, stats, part):
  """Least squares, with a running mean of the inputs as statistics."""
  x, y = part['x'], part['y']

  def loss_fn(params):
    loss = ((x @ params['w'] - y) ** 2).mean()
    mean = 0.5 * stats['mean'] + 0.5 * x.mean(0)
    return loss, ({'l2': loss, 'twice': 2 * loss}, {'mean': mean})

  return jax.value_and_grad(loss_fn, has_aux=True)(params)


def problem():
  rng = np.random.default_rng(0)
  draw = lambda *shape: jnp.asarray(rng.standard_normal(shape), jnp.float32)
  return (
    {'w': draw(3, 2)},
    {'mean': draw(3)},
    {'x': draw(8, 3), 'y': draw(8, 2)},
  )


@pytest.mark.parametrize('count', [1, 2, 4, 8])
def test_means_and_gradients_are_those_of_the_whole(count):
  params, stats, examples = problem()
  (loss, (terms, _)), gradients = differentiate(params, stats, examples)
  found, _ = jax.jit(
    lambda *args: accumulation.over_parts(differentiate, *args, count)
  )(params, stats, examples)
  for ours, theirs in zip(
    jax.tree.leaves(found), jax.tree.leaves((loss, terms, gradients))
  ):
    np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-6)


def test_statistics_are_renewed_by_one_part_after_the_other():
  params, stats, examples = problem()
  _, found = accumulation.over_parts(differentiate, params, stats, examples, 2)
  x = examples['x']
  first = 0.5 * stats['mean'] + 0.5 * x[:4].mean(0)
  np.testing.assert_allclose(
    found['mean'], 0.5 * first + 0.5 * x[4:].mean(0), rtol=1e-6
  )


def test_a_batch_that_does_not_divide_is_refused():
  params, stats, examples = problem()
  with pytest.raises(ValueError, match='accumulate=3 does not divide the 8'):
    accumulation.over_parts(differentiate, params, stats, examples, 3)
