"""Gradients of a large batch, computed part by part to fit into memory."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp


def over_parts(
  differentiate: Callable[..., Any],
  params: Any,
  stats: Any,
  examples: Any,
  count: int,
) -> tuple[Any, Any]:
  """The means of losses and gradients over equal parts of a batch.

  They equal those of the whole batch, up to the order of the sums, since every
  loss is a mean over pictures. Batch norm, if there is any, computes statistics
  of each part alone, and the parts update its running statistics in turn.

  Args:
    differentiate: (params, stats, part) -> ((loss, (terms, stats)), gradients).
    params: of the network.
    stats: running statistics of its norms, {} where it has none.
    examples: arrays of a leading axis of the batch, in any tree.
    count: of parts.

  Returns:
    ((loss, terms, gradients), the new statistics).

  Raises:
    ValueError: the batch does not divide by `count`.
  """
  size = jax.tree.leaves(examples)[0].shape[0]
  if size % count:
    raise ValueError(
      f'accumulate={count} does not divide the {size} pictures of a device: '
      'choose batch_size so that it does'
    )
  parts = jax.tree.map(
    lambda x: x.reshape(count, size // count, *x.shape[1:]), examples
  )

  def of(stats, part):
    (loss, (terms, stats)), gradients = differentiate(params, stats, part)
    return (loss, terms, gradients), stats

  def add(carry, part):
    sums, stats = carry
    found, stats = of(stats, part)
    return (jax.tree.map(jnp.add, sums, found), stats), None

  first = jax.tree.map(lambda x: x[0], parts)
  shapes, _ = jax.eval_shape(of, stats, first)
  zeros = jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), shapes)
  (sums, stats), _ = jax.lax.scan(add, (zeros, stats), parts)
  return jax.tree.map(lambda x: x / count, sums), stats
