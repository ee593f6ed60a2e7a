"""How the processes of one run find each other.

By flags, by environment variables (JAX_COORDINATOR_ADDRESS, JAX_NUM_PROCESSES,
JAX_PROCESS_ID), or automatically under SLURM, Open MPI, Kubernetes and on TPUs,
where `jax.distributed` reads what the launcher sets.
"""

from collections.abc import Mapping
import importlib.util
import os
import socket

from absl import logging
import jax

from artjax.training.hosts import watch

JOIN_TIMEOUT = 300  # s, for all processes to be there


def join(
  coordinator: str | None = None,
  num_processes: int | None = None,
  process_id: int | None = None,
  timeout: int = watch.TIMEOUT,
) -> None:
  """Joins the other processes of a run, if there are any.

  Call it before anything is computed. Arguments that are None are read from the
  environment; if they are missing there too, this process runs alone.

  Args:
    coordinator: HOST:PORT of process 0.
    num_processes: of the run.
    process_id: of this one, from 0 on.
    timeout: seconds without a sign of life after which a process counts as
      dead.

    Raises:
      ValueError: arguments are incomplete, or the others cannot be reached.
  """
  if jax.distributed.is_initialized():
    return
  environ = os.environ
  arguments = {
    'coordinator_address': coordinator or environ.get(_ADDRESS),
    'num_processes': _number('JAX_NUM_PROCESSES', num_processes),
    'process_id': _number('JAX_PROCESS_ID', process_id),
  }
  given = {name for name, value in arguments.items() if value is not None}
  by = launcher(environ)
  if given != arguments.keys() and not by:
    if given:
      missing = ', '.join(_NAMES[n] for n in arguments if n not in given)
      raise ValueError(f'a run of several processes also needs {missing}')
    return
  # Signals are this project's affair, see signals.py; JAX's service would let
  # none of them end a process that has not begun to train.
  jax.config.update('jax_enable_preemption_service', False)
  # Who is told all has nothing to ask, but a launcher that deals out devices.
  asks = given != arguments.keys() or by in ('SLURM', 'Open MPI')
  try:
    jax.distributed.initialize(
      **arguments,
      cluster_detection_method=None if asks else 'deactivate',
      local_device_ids=_local_devices(environ) if by == 'SLURM' else None,
      initialization_timeout=JOIN_TIMEOUT,
    )
  except (RuntimeError, ValueError, TypeError) as error:
    reason = (str(error).splitlines() or [type(error).__name__])[0]
    raise ValueError(
      f'the other processes of the run cannot be joined: {reason}'
    ) from error
  logging.info(
    'Process %d of %d, on %s, joined by %s: %d devices here, %d in all',
    jax.process_index(),
    jax.process_count(),
    socket.gethostname(),
    arguments['coordinator_address'] or by,
    jax.local_device_count(),
    jax.device_count(),
  )
  watch.start(timeout)


def launcher(environ: Mapping[str, str]) -> str | None:
  """The launcher of several processes, if JAX can ask it about them."""
  if (
    _count(environ, 'SLURM_STEP_NUM_TASKS') > 1
    and 'SLURM_STEP_NODELIST' in environ
  ):
    return 'SLURM'
  if (
    _count(environ, 'OMPI_COMM_WORLD_SIZE') > 1
    and 'OMPI_MCA_orte_hnp_uri' in environ
  ):
    return 'Open MPI'
  if 'JOB_COMPLETION_INDEX' in environ and 'KUBERNETES_SERVICE_HOST' in environ:
    if importlib.util.find_spec('kubernetes'):
      return 'Kubernetes'
    if _ADDRESS not in environ:
      logging.warning(
        'This pod of an indexed job runs alone: set %s, or install jax[k8s]',
        ', '.join(_NAMES.values()),
      )
  workers = environ.get('TPU_WORKER_HOSTNAMES', '')
  if workers.count(',') or 'MEGASCALE_COORDINATOR_ADDRESS' in environ:
    return 'the TPU'
  return None


_ADDRESS = 'JAX_COORDINATOR_ADDRESS'
_NAMES = {
  'coordinator_address': f'--coordinator or {_ADDRESS}',
  'num_processes': '--num_processes or JAX_NUM_PROCESSES',
  'process_id': '--process_id or JAX_PROCESS_ID',
}


def _number(name, value):
  text = os.environ.get(name) if value is None else value
  try:
    return None if text is None else int(text)
  except ValueError as error:
    raise ValueError(f'{name}={text!r} is no whole number') from error


def _count(environ, name):
  text = environ.get(name, '')
  return int(text) if text.isdigit() else 0


def _local_devices(environ):
  """The GPUs of the node for this task; None = JAX's rule, one per task.

  That rule uses the GPU with the task's number on its node. With one task per
  node it leaves GPUs unused, and it finds none if SLURM shows each task only
  its own GPU.
  """
  visible = environ.get('CUDA_VISIBLE_DEVICES', '')
  count = len(visible.split(',')) if visible else 0
  alone = environ.get('SLURM_STEP_TASKS_PER_NODE', '').split('(')[0] == '1'
  return list(range(count)) if count and (alone or count == 1) else None
