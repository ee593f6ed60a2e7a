"""A trunk of equal blocks as a loop: compiled once, not once a block.

The weights of the blocks are stacked: each has a leading axis, the blocks. So
are the running statistics of their batch norms, if they have any.
"""

from collections.abc import Mapping
from typing import Any

import flax.linen as nn
import jax

_STACKED = ('params', 'batch_stats')  # collections


def run(
  parent: nn.Module,
  name: str,
  block: type[nn.Module],
  fields: Mapping[str, Any],
  x: jax.Array,
  length: int,
  *,
  remat: bool = False,
  unroll: bool = False,
) -> jax.Array:
  """Applies blocks one after the other.

  Args:
    parent: the module whose part the trunk is, while it is called.
    name: of the trunk.
    block: class of a block, called as (x, None) -> (y of x's shape, None).
    fields: of each block.
    x: what the first block gets.
    length: number of blocks.
    remat: recompute each block in the backward pass, which takes less memory.
    unroll: without a loop, for tools that cannot trace it; needs weights.

  Returns:
    What the last block returns, of the shape of `x`.
  """
  if unroll:
    stacked: Any = {
      kind: parent.get_variable(kind, name)
      for kind in _STACKED
      if parent.has_variable(kind, name)
    }
    for i in range(length):
      variables = jax.tree.map(lambda w, i=i: w[i], stacked)
      x, _ = block(**fields, parent=None).apply(variables, x, None)
    return x
  if remat:
    block = nn.remat(block, prevent_cse=False)
  scanned = nn.scan(
    block,
    variable_axes=dict.fromkeys(_STACKED, 0),
    split_rngs={'params': True},
    length=length,
  )
  y, _ = scanned(**fields, name=name)(x, None)
  return y
