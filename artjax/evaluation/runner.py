"""Runs the evaluator of a task, during training and for `--mode=evaluate`.

Both call `evaluate`. During training the configuration can restrict what is
measured (`while_training`), so that it can be done often.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
import functools
import heapq
import itertools
import threading
from typing import Any

from absl import logging
import jax
import ml_collections

from artjax import registry
from artjax import tasks
from artjax.data import loaders
from artjax.evaluation import base
from artjax.evaluation import report
from artjax.evaluation import sets
from artjax.inference import loading
from artjax.inference.engines import names
from artjax.interop import safetensors_io


def evaluator(config: ml_collections.ConfigDict) -> base.Evaluator:
  """The evaluator of the configuration's task.

  Raises:
    ValueError: an unknown task, or a field of eval.* that cannot be used.
  """
  registry.use(config.get('modules', ()))
  name = tasks.get(config.task).evaluator
  make = registry.get('artjax.evaluation', name)
  return sets.Sets(config, make) if config.eval.get('sets') else make(config)


def with_best(config: ml_collections.ConfigDict) -> ml_collections.ConfigDict:
  """The configuration with `best_metric` and `best_mode` filled in, locked.

  Raises:
    ValueError: a best_metric that the task's evaluator does not measure.
  """
  found = evaluator(config)
  best = config.best_metric or found.best
  if best not in found.figures:
    raise ValueError(
      f'best_metric={best!r} is not measured for the task {config.task}; it '
      f'has {", ".join(found.figures)}'
    )
  config = config.copy_and_resolve_references()
  with config.unlocked():
    config.best_metric = best
    config.best_mode = config.best_mode or found.figures[best]
  return config.lock()


def while_training(
  config: ml_collections.ConfigDict,
) -> ml_collections.ConfigDict:
  """The configuration of the evaluations of a training run, locked.

  Args:
    config: from `with_best`; the metric of its best_metric is kept.
  """
  found = evaluator(config)
  needed = found.metric_of(config.best_metric)
  skipped = set(config.eval.training_skip) - {needed}
  config = config.copy_and_resolve_references()
  fields = config.eval
  limits = [n for n in (fields.max_pictures, fields.training_pictures) if n]
  with config.unlocked():
    fields.max_pictures = min(limits, default=0)
    fields.baselines = fields.training_baselines
    fields.metrics = tuple(n for n in found.metrics if n not in skipped)
  return config.lock()


def on_devices(
  config: ml_collections.ConfigDict,
  params: Any,
  devices: Sequence[jax.Device] | None = None,
) -> list[Any]:
  """Restorers that run weights on whole pictures, one for each device.

  Args:
    config: task and model of the weights.
    params: the generator's weights, np or jax arrays.
    devices: default: all local devices.
  """
  # Through the host: a copy that shares no buffer with weights that are trained
  # on and donated.
  params = jax.device_get(params)
  return [
    loading.of(config, jax.device_put(params, device))
    for device in devices or jax.local_devices()
  ]


def as_configured(
  config: ml_collections.ConfigDict, restorers: Sequence[Any]
) -> Sequence[Any]:
  """Restorers that run as `eval.self_ensemble` and `eval.engine` say.

  Raises:
    ValueError: restorers of this task cannot.
  """
  return [_as_configured(config.eval, restorer) for restorer in restorers]


def evaluate(
  evaluator: base.Evaluator,
  restorers: Sequence[Any],
  gather: Callable[[Any], list[Any]] | None = None,
) -> base.Results:
  """Measures the evaluator's examples, shared among the restorers.

  Args:
    evaluator: from `evaluator`.
    restorers: from `on_devices`; the results do not depend on their number.
    gather: if several processes share the examples: maps the records of one
      process to those of all, by index. Without it, each measures all.

  Raises:
    ValueError: no picture to evaluate on, or one that cannot be measured.
  """
  panels = evaluator.config.eval.panels
  jobs = (
    (example, example.get('shown', i < panels))
    for i, example in enumerate(evaluator.examples())
  )
  restorers = as_configured(evaluator.config, restorers)
  if gather:
    share = itertools.islice(
      jobs, jax.process_index(), None, jax.process_count()
    )
    measured = lambda: _pictured(evaluator, restorers, share)
    dealt = itertools.zip_longest(*_of_all(measured, gather))
    pairs = [pair for row in dealt for pair in row if pair is not None]
    pairs = _pruned(evaluator, pairs)
  else:
    pairs = _pictured(evaluator, restorers, jobs)
  records = [record for record, _ in pairs]
  if not records:
    raise ValueError('no picture to evaluate on')
  return evaluator.summarize(records)


def _pictured(evaluator, restorers, jobs):
  """[(record, whether it is shown)]; shown and worst records keep pictures."""
  ranks = evaluator.ranks and evaluator.config.eval.worst > 0

  def measure(restorer, example, shown):
    return evaluator.measure(restorer, example, shown or ranks), shown

  return _pruned(evaluator, _measured(measure, restorers, jobs))


def _pruned(evaluator, pairs):
  """Drops pictures while records arrive, as they would fill the memory."""
  if not evaluator.ranks:
    return list(pairs)
  found: list[Any] = []
  of_sets: dict[str, list[tuple[float, int]]] = {}
  for pair in pairs:
    worst = of_sets.setdefault(evaluator.set_of(pair[0]), [])
    heapq.heappush(worst, (evaluator.badness(pair[0]), len(found)))
    found.append(pair)
    if len(worst) > evaluator.config.eval.worst:
      _, i = heapq.heappop(worst)
      record, shown = found[i]
      if not shown:
        found[i] = evaluator.without_pictures(record), shown
  return found


def _of_all(measured, gather):
  """The records of all processes; an error in one is raised in all."""
  try:
    parts = gather((measured(), ''))
  except Exception as error:  # the others wait for an answer
    gather(([], str(error) or type(error).__name__))
    raise
  for index, (_, failed) in enumerate(parts):
    if failed:
      raise ValueError(f'process {index}: {failed}')
  return [records for records, _ in parts]


def _as_configured(options: Any, restorer: Any) -> Callable[..., Any]:
  """A restorer with the options of `eval` that are not its defaults."""
  kind = type(restorer).__name__
  told: dict[str, Any] = {}
  if options.self_ensemble:
    if not restorer.turns:
      raise ValueError(
        f'eval.self_ensemble=True: a {kind} sees a picture once and upright'
      )
    told['self_ensemble'] = True
  if options.engine != names.JAX:
    if not hasattr(restorer, 'use'):
      raise ValueError(f'eval.engine={options.engine}: a {kind} runs in jax')
    used = restorer.use(options.engine)
    if used.notice:
      logging.info('%s', used.notice)
    told['engine'] = used.engine
  return functools.partial(restorer, **told) if told else restorer


def _measured(
  measure: Callable[..., Any],
  restorers: Sequence[Any],
  jobs: Iterable[tuple[dict[str, Any], bool]],
) -> Iterator[Any]:
  """The records of all jobs in their order, a thread for each restorer."""
  if len(restorers) == 1:
    yield from (measure(restorers[0], *job) for job in jobs)
    return
  workers = [
    (device, restorer, threading.Lock())
    for device, restorer in zip(jax.local_devices(), restorers)
  ]

  def one(numbered):
    # In turn, not as they become free: what a device has compiled for the shape
    # of a picture is of use again at the next evaluation.
    i, job = numbered
    device, restorer, lock = workers[i % len(workers)]
    with lock, jax.default_device(device):  # the device of metrics, too
      return measure(restorer, *job)

  pool = loaders.threads(len(workers))
  yield from loaders.ahead(pool, one, enumerate(jobs), len(workers))


def load(
  config: ml_collections.ConfigDict, where: str
) -> tuple[str, list[Any]]:
  """(model name, restorers on all devices) of weights of the config's task.

  Raises:
    FileNotFoundError: there are no such weights.
    ValueError: they are damaged, do not fit their model, or are of another
      task than `config`.
  """
  theirs, params = loading.load(where)
  if theirs.task != config.task:
    raise ValueError(
      f'{where}: its task is {theirs.task}, not {config.task}: name the '
      'configuration that it was made with'
    )
  channels = tasks.get(theirs.task).channels
  expected = safetensors_io.merge(registry.variables(theirs, channels))
  safetensors_io.check(params, expected, where)
  return theirs.model.name, on_devices(theirs, params)


def evaluate_and_report(
  config: ml_collections.ConfigDict,
  where: str,
  output: str | None = None,
  gather: Callable[[Any], list[Any]] | None = None,
  load: Callable[..., tuple[str, list[Any]]] = load,
) -> dict[str, Any]:
  """`--mode=evaluate`: measures weights, prints the table, writes a report.

  Args:
    config: what to evaluate on (data.*, eval.*, seed). The model is the one
      that the weights were made with.
    where: weights: a name, a working directory, a .safetensors file or a blend.
    output: folder of the report; default `<where>/evaluation` for a working
      directory, none for a file.
    gather: see `evaluate`; process 0 prints and writes.
    load: (config, where) -> (name of the model, restorers), see `load`.

  Returns:
    dict for the last line of stdout.

  Raises:
    FileNotFoundError, ValueError: as `load` and `evaluate`.
  """
  measures = evaluator(config)
  model, restorers = load(config, where)
  results = evaluate(measures, restorers, gather)
  primary = jax.process_index() == 0
  if primary:
    print(results.table(), flush=True)
  folder = report.folder(where, output)
  settings = report.settings(config, where, model, **results.stated())
  if folder and primary:
    results.write(folder, settings)
  return {**results.as_json(), **settings, 'report': folder}
