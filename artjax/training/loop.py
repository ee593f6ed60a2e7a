"""Training: build, restore, loop, in named sections."""

import collections
import json
import os
import signal
import sys
import time

from absl import logging
import jax
import numpy as np

from artjax import atomic_files
from artjax import registry
from artjax.data import pipeline
from artjax.evaluation import digits
from artjax.evaluation import paired
from artjax.inference import colorizer
from artjax.inference import tiled
from artjax.interop import safetensors_io
from artjax.losses import pixel
from artjax.models import encoders
from artjax.training import checkpoint
from artjax.training import distributed
from artjax.training import metric_writers
from artjax.training import optim
from artjax.training import train_step as steps

STEPS_IN_FLIGHT = 2  # dispatched ahead of the device, so that it never waits


class DivergedError(RuntimeError):
  """Too many steps in a row whose loss or gradient is not finite."""


def train_and_evaluate(config, workdir):
  """Trains `config` in `workdir`, going on from its newest checkpoint.

  Args:
    config: of configs/, locked.
    workdir: folder for checkpoints, summaries and the config; made if missing.

  Returns:
    dict for the last line of stdout: step, params_sha256, images_per_s,
    data_wait (share of the time), skipped, eval (means of the last evaluation)
    and `stopped` (name of the signal that ended the run, or None).

  Raises:
    DivergedError: `config.max_bad_steps` non-finite steps in a row.
    ValueError, FileNotFoundError: a field or a folder that cannot be used.
  """
  primary = jax.process_index() == 0
  os.makedirs(workdir, exist_ok=True)

  # ---- Model, state, step.
  generator, adversary = players(config)
  state = steps.create_state(config, generator, adversary)
  frozen = distributed.replicate(
    {
      **pixel.frozen(dict(config.losses), config.loss_options.to_dict()),
      **encoders.of(generator.module),
    }
  )
  train_step = distributed.map_step(
    steps.make_train_step(
      config,
      generator,
      adversary,
      optim.schedule(config.optimizer, config.steps),
    )
  )
  if config.init_from:
    state = steps.start_from(
      state, start_weights(config.init_from, state.ema), generator.optimizer
    )
  logging.info(
    'Parameters:\n%s', metric_writers.parameter_table(state.generator.params)
  )
  if adversary:
    logging.info(
      'Discriminator:\n%s',
      metric_writers.parameter_table(state.discriminator.params),
    )

  # ---- Go on where the newest checkpoint ends.
  check_same_model(config, workdir)
  checkpoints = checkpoint.Checkpoints(
    workdir,
    keep=config.keep_checkpoints,
    metric=config.best_metric,
    mode=config.best_mode,
  )
  if checkpoints.latest_step() is not None:
    state = checkpoints.restore(state)
    logging.info('Going on from step %d of %s', int(state.step), workdir)
  # Replicated before the first step, or that step would compile twice.
  state = distributed.replicate(state)
  first = step = int(state.step)
  if primary:
    atomic_files.write_text(
      os.path.join(workdir, 'config.json'), config.to_json(indent=2)
    )

  # ---- Loop.
  writer = metric_writers.writer(workdir, primary=primary)
  meter = Meter(config, first)
  results, saved = None, step
  with stop_signals() as stop:
    batches = pipeline.batches(config, 'train', start_step=step)
    while step < config.steps and not stop.name:
      # The order matters: evaluate and save at the end of a step, and only then
      # pull the next batch, so that what is saved is what was measured.
      with meter.waiting():
        batch = next(batches)
      state, metrics = train_step(state, batch, frozen)
      step += 1
      meter.add(metrics)
      last = step == config.steps or stop.name
      if step % config.log_every == 0 or last:
        report(writer, step, meter, config, checkpoints)
      measured = None
      if due(config.eval_every, step, last and not stop.name):
        with meter.paused():
          results = measure(config, state, writer, step, workdir)
        measured = results['output']
      if step % config.checkpoint_every == 0 or last:
        with meter.paused():
          checkpoints.save(step, state, config, measured)
        saved = step

  # ---- End.
  if saved < step:  # the signal came after this step was found not to be last
    checkpoints.save(step, state, config)
  if stop.name:
    logging.warning(
      '%s: saved step %d in %s; the same command goes on there.',
      stop.name,
      step,
      workdir,
    )
  checkpoints.close()
  writer.close()
  return {
    'step': step,
    'params_sha256': safetensors_io.sha256(
      jax.device_get(state.generator.params)
    ),
    'images_per_s': round(meter.images_per_s(), 2),
    'data_wait': round(meter.data_wait(), 4),
    'skipped': meter.skipped,
    'loss': meter.last.get('loss'),
    'eval': results and paired.as_json(results),
    'workdir': workdir,
    'stopped': stop.name,
  }


def players(config):
  """(generator, adversary or None) of a configuration, as `steps.Player`s."""
  generator = steps.Player(
    registry.model(config), optim.optimizer(config.optimizer, config.steps)
  )
  discriminator = registry.discriminator(config)
  if discriminator is None:
    return generator, None
  return generator, steps.Player(
    discriminator, optim.optimizer(config.adversary.optimizer, config.steps)
  )


def start_weights(init_from, params):
  """`params` with every tensor that an earlier run has in the same shape.

  Args:
    init_from: workdirs or .safetensors files, separated by commas; a tensor is
      taken from the first that has it, so parts can come from several runs.
    params: freshly initialised generator weights; what no run has stays.

  Returns:
    The weights to start from.

  Raises:
    ValueError: one of them has nothing that fits.
  """
  flat = safetensors_io.flatten(jax.device_get(params))
  missing = set(flat)
  for where in init_from.split(','):
    have = safetensors_io.flatten(tiled.load(where)[1])
    fits = {
      name
      for name in missing
      if name in have and have[name].shape == flat[name].shape
    }
    if not fits:
      raise ValueError(
        f'init_from: {where} has no tensor that fits this model '
        'and was not found before'
      )
    flat |= {name: have[name] for name in fits}
    missing -= fits
    logging.info('%d tensors start from %s', len(fits), where)
  if missing:
    logging.warning(
      '%d tensors start afresh: %s',
      len(missing),
      ', '.join(sorted(missing)[:8]),
    )
  return jax.tree.map(jax.numpy.asarray, safetensors_io.unflatten(flat))


def due(every, step, last):
  """Whether something done `every` steps (0 = never) is to be done now."""
  return bool(every) and (step % every == 0 or last)


def check_same_model(config, workdir):
  """Refuses to go on in a workdir that holds another task's weights."""
  path = os.path.join(workdir, 'config.json')
  if not os.path.exists(path):
    return
  with open(path) as file:
    theirs = json.load(file)
  ours = json.loads(config.to_json())  # Both as JSON knows them: no tuples.
  for field in ('task', 'model'):
    if ours[field] != theirs[field]:
      raise ValueError(
        f'{workdir} was made with another {field}: use another --workdir, '
        f'or the config it was made with ({path})'
      )


def measure(config, state, writer, step, workdir):
  """Evaluates the averaged weights and writes figures and panels."""
  if config.task == 'generate':
    return digits.measure(config, state.ema, writer, step, workdir)
  restorer = colorizer.of(tiled.Restorer(config, state.ema))
  # LPIPS costs more than the rest together: it is for --mode=evaluate.
  names = [
    n
    for n in config.eval.metrics
    if n != 'lpips' or config.best_metric == 'lpips'
  ]
  results = paired.evaluate(config, restorer, metric_names=names)
  scalars = {f'eval/{n}': v for n, v in results['output'].items()}
  scalars |= {f'eval_input/{n}': v for n, v in results['input'].items()}
  writer.write_scalars(step, scalars)
  if results['panels']:
    writer.write_images(
      step, {'degraded | restored | target': paired.square_panels(results)}
    )
  writer.flush()
  logging.info(
    'Evaluation at step %d:\n%s', step, paired.table(results, config.eval.crop)
  )
  return results


def report(writer, step, meter, config, checkpoints):
  """Writes the means since the last report and the progress line."""
  values = meter.read()
  writer.write_scalars(step, values)
  line = (
    f'step {step}/{config.steps}  loss {values["loss"]:.4f}  '
    f'{values["images_per_s"]:.1f} images/s  '
    f'data wait {values["data_wait"]:.0%}  ETA {meter.eta(step)}'
  )
  logging.info('%s', line)
  if meter.bad_in_a_row >= config.max_bad_steps:
    checkpoints.wait()
    raise DivergedError(
      f'step {step}: {meter.bad_in_a_row} steps in a row had a loss or a '
      'gradient that is not finite; the last good checkpoint is '
      f'{checkpoints.latest_step()}. Lower '
      '--config.optimizer.learning_rate or look at the data'
    )


class Meter:
  """Speed, waiting time, skipped steps and means of a run's metrics."""

  def __init__(self, config, step):
    self._config = config
    self._first = step
    self._pending = []  # metrics on the device since the last report
    self._flight = collections.deque()
    self._start = self._mark = time.perf_counter()
    self._paused = self._waited = 0.0  # seconds of the whole run
    self._mark_paused = self._mark_waited = 0.0  # at the last report
    self._steps = 0
    self.skipped = 0
    self.bad_in_a_row = 0
    self.last = {}

  def waiting(self):
    """Context: the time in it counts as waiting for data."""
    return _Stopwatch(self, '_waited')

  def paused(self):
    """Context: the time in it counts as no training time at all."""
    return _Stopwatch(self, '_paused')

  def add(self, metrics):
    """Takes a step's metrics, still being computed, and bounds the queue."""
    self._pending.append(metrics)
    self._flight.append(metrics['loss'])
    self._steps += 1
    if len(self._flight) > STEPS_IN_FLIGHT:
      self._flight.popleft().block_until_ready()

  def read(self):
    """Means since the last report, with speed and share of waiting."""
    rows = jax.device_get(self._pending)
    self._pending = []
    for row in rows:
      bad = row['skipped'] > 0
      self.skipped += int(bad)
      self.bad_in_a_row = self.bad_in_a_row + 1 if bad else 0
      if bad:
        logging.warning(
          'A step with a loss of %s and a gradient norm of %s was skipped',
          row['loss'],
          row['grad_norm'],
        )
    good = [r for r in rows if not r['skipped']] or rows
    values = {k: float(np.mean([r[k] for r in good])) for k in rows[0]}
    values['skipped'] = float(self.skipped)
    now = time.perf_counter()
    seconds = now - self._mark - (self._paused - self._mark_paused)
    values['steps_per_s'] = len(rows) / seconds
    values['images_per_s'] = values['steps_per_s'] * self._config.batch_size
    values['data_wait'] = (self._waited - self._mark_waited) / seconds
    self._mark, self._mark_paused = now, self._paused
    self._mark_waited = self._waited
    self.last = values
    return values

  def _seconds(self):
    return max(time.perf_counter() - self._start - self._paused, 1e-9)

  def images_per_s(self):
    """Of the whole run, evaluation and saving left out."""
    return self._steps * self._config.batch_size / self._seconds()

  def data_wait(self):
    """Share of the training time spent waiting for data."""
    return self._waited / self._seconds()

  def eta(self, step):
    """Time to the last step at the pace of the last report, as h:mm:ss."""
    seconds = (self._config.steps - step) / self.last['steps_per_s']
    return f'{int(seconds // 3600)}:{int(seconds // 60 % 60):02}:' + (
      f'{int(seconds % 60):02}'
    )


class _Stopwatch:
  """Adds the time inside a `with` to a field of the meter."""

  def __init__(self, meter, field):
    self._meter, self._field = meter, field

  def __enter__(self):
    self._start = time.perf_counter()

  def __exit__(self, *exc):
    spent = time.perf_counter() - self._start
    setattr(self._meter, self._field, getattr(self._meter, self._field) + spent)


class stop_signals:
  """Context in which SIGTERM and SIGINT only ask the loop to end.

  `.name` is None until one came, then its name. Outside the main thread, where
  Python allows no handlers, signals keep their usual meaning.
  """

  def __init__(self):
    self.name = None
    self._old = {}

  def _note(self, number, frame):
    del frame
    self.name = signal.Signals(number).name
    print(f'{self.name}: ending after this step', file=sys.stderr)

  def __enter__(self):
    try:
      for number in (signal.SIGTERM, signal.SIGINT):
        self._old[number] = signal.signal(number, self._note)
    except ValueError:  # Not the main thread.
      pass
    return self

  def __exit__(self, *exc):
    for number, handler in self._old.items():
      signal.signal(number, handler)
