"""Data parallelism over all devices: the only file that uses pmap."""

from collections.abc import Callable
import pickle
from typing import Any

import jax
from jax.experimental import multihost_utils
import numpy as np

from artjax.training.hosts import agreement

BATCH_AXIS = 'batch'
_SHARES = 4 * 3600  # s between the first and the last share of an evaluation


def map_step(step: Callable[..., Any]) -> Callable[..., Any]:
  """Maps `step(state, batch, frozen) -> (state, metrics)` over local devices.

  `batch` has a leading device axis; state, frozen networks and metrics have
  none, so a checkpoint does not depend on the number of devices. The step must
  return the same state on every device, by averaging over `BATCH_AXIS`.
  """
  return jax.pmap(
    step,
    axis_name=BATCH_AXIS,
    in_axes=(None, 0, None),
    out_axes=(None, None),
    donate_argnums=(0,),  # or the state would be there twice
  )


def ready(step: Callable[..., Any], *arguments: Any) -> None:
  """Compiles a mapped step, and returns when all processes have.

  Compiling may take minutes in one process and, if cached, no time in another,
  but collective operations wait for only half a minute.

  Args:
    step: from `map_step`.
    *arguments: of its first call.

  Raises:
    ValueError: a process took half an hour longer; the message names it.
  """
  if jax.process_count() > 1:
    step.lower(*arguments).compile()  # type: ignore[attr-defined]
    agreement.barrier('the first step')


def mean(tree: Any) -> Any:
  """The mean of `tree` over all devices; call it inside a mapped step."""
  return jax.lax.pmean(tree, BATCH_AXIS)


def replicate(tree: Any) -> Any:
  """Copies arrays to all local devices, once, for arguments of every step."""
  mesh = jax.sharding.Mesh(np.array(jax.local_devices()), (BATCH_AXIS,))
  everywhere = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec())
  return jax.device_put(tree, everywhere)


def gather(value: Any) -> list[Any]:
  """The values of all processes, by index; any object that can be pickled.

  Every process has to call it.

  Raises:
    ValueError: some did not within four hours; the message names them.
  """
  if jax.process_count() == 1:
    return [value]
  # Collective operations themselves wait for half a minute, or for ever.
  agreement.barrier('the exchange of results', _SHARES)
  data = np.frombuffer(pickle.dumps(value), np.uint8)
  sizes = multihost_utils.process_allgather(np.int64(data.size))
  padded = np.zeros(sizes.max(), np.uint8)
  padded[: data.size] = data
  rows = multihost_utils.process_allgather(padded)
  return [pickle.loads(row[:size].tobytes()) for row, size in zip(rows, sizes)]
