"""Workers as actors of a Ray cluster: `artjax restore --runner=ray`.

Each actor holds the chain and restores one picture at a time, as the command
does without Ray. Only items and results are sent; pictures and results are
files in folders that all machines share. https://docs.ray.io
"""

import contextlib
import dataclasses
import os
import signal
import socket
from typing import Any

from artjax import environment
from artjax.restoration import options as options_lib
from artjax.restoration.batch import finding
from artjax.restoration.batch import worker as worker_lib
from artjax.restoration.batch.cluster import dispatch
from artjax.restoration.batch.storage import transfer

_STORE = 100_000_000  # bytes of the object store; results are small
_VARIABLES = ('SOURCE_DATE_EPOCH',)  # that results depend on


@dataclasses.dataclass(frozen=True)
class Job:
  """What every worker of a run does.

  Attributes:
    weights: of the chain.
    options: of the restoration.
    c2pa: file to sign with; '' = none.
    settings: of the worker, as the driver expects them.
    folder: that relative paths start from.
  """

  weights: str
  options: options_lib.Options
  c2pa: str
  settings: str
  folder: str


class Actor:
  """A worker in a process of its own.

  It always starts, so that its first result can say why it is of no use.
  """

  def __init__(self, job: Job) -> None:
    environment.set_defaults()
    self._problem, self._worker = '', None
    try:
      os.chdir(job.folder)
      self._worker = transfer.Worker(
        worker_lib.load(job.weights, job.options, job.c2pa)
      )
      if self._worker.settings != job.settings:
        raise ValueError('its weights or its version of artjax are others')
    except Exception as error:  # of whatever library
      why = ' '.join(str(error).split()) or type(error).__name__
      self._problem = f'the worker on {socket.gethostname()} cannot work: {why}'

  def restore(self, item: finding.Item, last: str) -> worker_lib.Result:
    """Restores an item; see `worker.Worker.restore`."""
    if self._problem or self._worker is None:
      return worker_lib.failed(item, self._problem, stop=self._problem)
    return self._worker.restore(item, last)


class Pool:
  """Actors of a cluster; a context manager that leaves it."""

  def __init__(
    self,
    job: Job,
    address: str = '',
    workers: int | None = None,
    num_gpus: float | None = None,
  ) -> None:
    """Joins a cluster, or starts one on this machine.

    Args:
      job: of the workers.
      address: of the cluster, or 'auto'; '' = one of this machine.
      workers: how many; None = as many as there are GPUs for, or machines.
      num_gpus: of each worker; None = 1, or 0 if there are none.

    Raises:
      ConnectionError: there is no such cluster.
      ImportError: Ray is not installed.
      ValueError: that is no address.
    """
    import ray

    self._ray = ray
    os.environ.setdefault('RAY_USAGE_STATS_ENABLED', '0')
    own: dict[str, Any] = {
      'num_cpus': max(workers or 1, os.cpu_count() or 1),
      'object_store_memory': _STORE,
      'include_dashboard': False,
    }
    known = {
      name: os.environ[name] for name in _VARIABLES if name in os.environ
    }
    with _kept_signals():
      ray.init(
        address=address or 'local',
        log_to_driver=False,
        logging_level='error',
        runtime_env={'env_vars': known} if known else None,
        **({} if address else own),
      )
    gpus = ray.cluster_resources().get('GPU', 0)
    self._num_gpus = min(1, gpus) if num_gpus is None else num_gpus
    machines = sum(node['Alive'] for node in ray.nodes())
    fits = int(gpus / self._num_gpus) if self._num_gpus else machines
    self.workers = workers or max(1, fits)
    self._job = ray.put(job)

  def __enter__(self) -> 'Pool':
    return self

  def __exit__(self, *unused) -> None:
    with _kept_signals():
      self._ray.shutdown()

  def start(self) -> Any:
    """Starts an actor."""
    variables = {}
    if 0 < self._num_gpus < 1:  # others use the same memory
      variables['XLA_PYTHON_CLIENT_PREALLOCATE'] = 'false'
    return (
      self._ray.remote(Actor)
      .options(
        num_cpus=1,
        num_gpus=self._num_gpus,
        max_restarts=0,
        max_task_retries=0,
        scheduling_strategy='SPREAD',
        **({'runtime_env': {'env_vars': variables}} if variables else {}),
      )
      .remote(self._job)
    )

  def end(self, worker: Any) -> None:
    """Kills an actor."""
    self._ray.kill(worker)

  def give(self, worker: Any, item: finding.Item, last: str) -> Any:
    """Gives an item to an actor."""
    return worker.restore.remote(item, last)

  def ended(self, tasks: list[Any], seconds: float) -> list[Any]:
    """The tasks that have ended, after at most so many seconds."""
    return self._ray.wait(tasks, timeout=seconds)[0]

  def result(self, task: Any) -> worker_lib.Result:
    """The result of a task.

    Raises:
      dispatch.WorkerEnded: its process or its machine ended.
    """
    errors = self._ray.exceptions
    try:
      return self._ray.get(task)
    except (errors.RayActorError, errors.WorkerCrashedError) as error:
      raise dispatch.WorkerEnded('the worker that restored it ended') from error


@contextlib.contextmanager
def _kept_signals():
  """Ray answers SIGTERM by leaving at once; the command does it in order."""
  handler = signal.getsignal(signal.SIGTERM)
  try:
    yield
  finally:
    signal.signal(signal.SIGTERM, handler)
