"""The training loop: build, restore, loop, in named sections."""

from collections.abc import Callable
import contextlib
from typing import Any

from absl import logging
import jax
import ml_collections

from artjax import losses
from artjax import registry
from artjax.data import pipeline
from artjax.data import sources
from artjax.evaluation import base as evaluators
from artjax.evaluation import runner
from artjax.inference import loading
from artjax.inference import weights
from artjax.interop import safetensors_io
from artjax.models import encoders
from artjax.training import checkpoint
from artjax.training import distributed
from artjax.training import optim
from artjax.training import preflight
from artjax.training import signals
from artjax.training import state as states
from artjax.training import teacher as teachers
from artjax.training import train_step as steps
from artjax.training import workdir as workdirs
from artjax.training.hosts import agreement
from artjax.training.hosts import watch
from artjax.training.reporting import meter as meter_lib
from artjax.training.reporting import metric_writers
from artjax.training.reporting import progress as progress_lib
from artjax.training.reporting import trackers


class DivergedError(RuntimeError):
  """Too many steps in a row whose loss or gradient is not finite."""


def train_and_evaluate(
  config: ml_collections.ConfigDict,
  workdir: str,
  *,
  on_step: Callable[[int, dict[str, jax.Array]], None] | None = None,
  on_eval: Callable[[int, evaluators.Results], None] | None = None,
) -> dict[str, Any]:
  """Trains `config` in `workdir`, resuming from its newest checkpoint.

  Args:
    config: of configs/, locked.
    workdir: folder for checkpoints, summaries and the config; made if missing.
    on_step: called after each step with its number and its metrics, which are
      still being computed: reading them waits for the device.
    on_eval: called after each evaluation with the step and the results.
      Exceptions from either end the run; an evaluated step is saved by then.

  Returns:
    dict for the last line of stdout: step, params_sha256, images_per_s,
    data_wait (share of the time), pauses_s (mean seconds of an evaluation and a
    checkpoint), skipped, eval (means of the last evaluation) and `stopped`
    (name of the signal that ended the run, or None).

  Raises:
    DivergedError: `config.max_bad_steps` non-finite steps in a row.
    ValueError, FileNotFoundError: a field or a folder that cannot be used.
  """
  # ---- Mistakes, before anything is compiled.
  sources.parse(config.data.source)
  preflight.check_fields(config)
  config = runner.with_best(config)
  evaluator = runner.evaluator(runner.while_training(config))
  workdirs.make(workdir)
  # The other processes of a run that has several go by the first one's lock.
  primary = jax.process_index() == 0
  locked = workdirs.lock(workdir) if primary else contextlib.nullcontext()
  with locked:
    return _train(config, workdir, evaluator, primary, on_step, on_eval)


def _train(config, workdir, evaluator, primary, on_step, on_eval):
  """`train_and_evaluate` after config and workdir have been checked."""
  workdirs.check_same_model(config, workdir)
  preflight.check_training(config)
  if config.eval_every:
    preflight.check_evaluation(config, evaluator)

  # ---- Model, state, step.
  generator, adversary = players(config)
  teacher = teachers.Teacher(config) if config.teacher.weights else None
  state = states.create_state(config, generator, adversary)
  frozen = distributed.replicate(
    {
      **losses.frozen(dict(config.losses), config.loss_options.to_dict()),
      **encoders.of(generator.module),
      **(teacher.frozen if teacher else {}),
    }
  )
  train_step = distributed.map_step(
    steps.make_train_step(
      config,
      generator,
      adversary,
      optim.schedule(config.optimizer, config.steps),
      teacher,
    )
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
  checkpoints = checkpoint.Checkpoints(
    workdir,
    keep=config.keep_checkpoints,
    metric=config.best_metric,
    mode=config.best_mode,
  )
  newest = checkpoints.latest_step()
  check_shared(workdir, newest)
  if newest is not None:
    state = checkpoints.restore(state)
    check_shared(workdir, int(state.step))
    logging.info('Going on from step %d of %s', int(state.step), workdir)
    if config.init_from:
      logging.info('init_from is not read: the checkpoint has what it began')
  elif config.init_from:
    state = states.start_from(
      state, start_weights(config.init_from, state.ema), generator.optimizer
    )
  if config.eval_every and newest is None:
    preflight.check_network(config, evaluator, state.ema)
  preflight.check_writing(workdir, state, config)
  # Replicated before the first step, or that step would compile twice.
  state = distributed.replicate(state)
  step = int(state.step)
  with workdirs.writing(workdir):
    if primary:
      workdirs.write_config(config, workdir, step)
      workdirs.write_pictures(config, workdir)
    writer = metric_writers.writer(
      workdir,
      step,
      primary=primary,
      more=trackers.start(config, workdir) if primary else None,
    )
    writer.begin(step, metric_writers.described(config))

  # ---- Loop.
  meter = meter_lib.Meter(config.batch_size, config.steps)
  progress = progress_lib.Progress(config, workdir, step, primary=primary)
  results, first, saved, stopped = None, step, step, None
  # What ended the run before may have broken off the evaluation of its step.
  owed = due(config.eval_every, step, step == config.steps) and not (
    newest is None or checkpoints.is_measured(step)
  )

  def evaluate(stop):
    """Evaluates the step that was saved last."""
    nonlocal results
    watch.at(None)  # it takes what it takes
    try:
      with (
        meter.paused('evaluation'),
        progress.timed('evaluation'),
        stop.may_break_off(alone=jax.process_count() == 1),
      ):
        results = measure(config, evaluator, state, writer, step, workdir)
    except KeyboardInterrupt:
      logging.warning('The evaluation of step %d was broken off', step)
    except BaseException:
      checkpoints.wait()  # until the step is saved
      raise
    else:
      checkpoints.measured(step, results.figures())
      if on_eval:
        on_eval(step, results)

  with signals.StopSignals() as stop:
    if owed:
      logging.info(
        'Step %d was saved and not evaluated: that comes first', step
      )
      evaluate(stop)
    batches = pipeline.batches(
      config,
      'train',
      start_step=step,
      process_index=jax.process_index(),
      process_count=jax.process_count(),
    )
    while step < config.steps and not stopped:
      # The order matters: evaluate and save at the end of a step, and only then
      # pull the next batch, so that what is saved is what was measured.
      with meter.waiting():
        batch = next(batches)
      if step == first:
        distributed.ready(train_step, state, batch, frozen)
      state, metrics = train_step(state, batch, frozen)
      step += 1
      meter.add(metrics)
      progress(step, metrics)
      watch.at(step)
      if on_step:
        on_step(step, metrics)
      last = step == config.steps
      if step % config.log_every == 0 or last:
        report(writer, step, meter, config, checkpoints)
      evaluating = due(config.eval_every, step, last)
      # Before an evaluation, which may take the process with it; and always
      # with one, or its best could not be gone back to.
      if step % config.checkpoint_every == 0 or evaluating or last:
        with meter.paused('checkpoint'), progress.timed('checkpoint'):
          checkpoints.save(step, state, config)
        saved = step
      if evaluating:
        evaluate(stop)
      stopped = agreement.stop(step, stop.name)

  # ---- End.
  watch.at(None)
  if saved < step:
    if step % config.log_every:
      report(writer, step, meter, config, checkpoints)
    checkpoints.save(step, state, config)
  if stopped:
    logging.warning(
      '%s: saved step %d in %s; the same command goes on there.',
      stopped,
      step,
      workdir,
    )
  progress.close()
  checkpoints.close()
  writer.close()
  return {
    'step': step,
    'params_sha256': safetensors_io.sha256(
      jax.device_get(state.generator.params)
    ),
    'images_per_s': round(meter.images_per_s(), 2),
    'data_wait': round(meter.data_wait(), 4),
    'pauses_s': {k: round(v, 3) for k, v in meter.mean_pauses().items()},
    'skipped': meter.skipped,
    'loss': meter.last.get('loss'),
    'eval': results and results.as_json(),
    'workdir': workdir,
    'stopped': stopped,
  }


def check_shared(workdir: str, step: int | None) -> None:
  """Refuses to train if processes do not start at the same step.

  Raises:
    ValueError: their workdirs are different folders.
  """
  steps = distributed.gather(step)
  if len(set(steps)) > 1:
    raise ValueError(
      f'the processes find the steps {steps} in --workdir={workdir}: it has to '
      'be a folder that all of them share'
    )


def players(
  config: ml_collections.ConfigDict,
) -> tuple[states.Player, states.Player | None]:
  """(generator, adversary or None) of a configuration, as `states.Player`s."""
  module = registry.model(config)
  generator = states.Player(
    module,
    optim.optimizer(
      config.optimizer, config.steps, getattr(module, 'fixed', ())
    ),
  )
  discriminator = registry.discriminator(config)
  if discriminator is None:
    return generator, None
  return generator, states.Player(
    discriminator, optim.optimizer(config.adversary.optimizer, config.steps)
  )


def start_weights(init_from: str, params: Any) -> Any:
  """`params` with every tensor that an earlier run has in the same shape.

  Args:
    init_from: workdirs or .safetensors files, separated by commas; a tensor is
      taken from the first that has it, so parts can come from several runs.
    params: freshly initialized generator weights; tensors that no run has are
      kept.

  Returns:
    The weights to start from.

  Raises:
    ValueError: one of them has nothing that fits.
  """
  flat = safetensors_io.flatten(jax.device_get(params))
  missing = set(flat)
  for where in weights.chain(init_from):
    have = safetensors_io.flatten(loading.load(where)[1])
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


def due(every: int, step: int, last: bool) -> bool:
  """Whether something that happens every `every` steps (0 = never) is due."""
  return bool(every) and (step % every == 0 or last)


def measure(
  config: ml_collections.ConfigDict,
  evaluator: evaluators.Evaluator,
  state: states.TrainState,
  writer: metric_writers.Writers,
  step: int,
  workdir: str,
) -> evaluators.Results:
  """Evaluates the averaged weights and writes figures and panels."""
  results = runner.evaluate(
    evaluator, runner.on_devices(config, state.ema), gather=distributed.gather
  )
  writer.write_scalars(step, results.scalars())
  images = results.images()
  if images:
    writer.write_images(step, images)
  writer.flush()
  if jax.process_index() == 0:
    results.write_progress(workdir, step)
  logging.info('Evaluation at step %d:\n%s', step, results.table())
  return results


def report(
  writer: metric_writers.Writers,
  step: int,
  meter: meter_lib.Meter,
  config: ml_collections.ConfigDict,
  checkpoints: checkpoint.Checkpoints,
) -> None:
  """Writes the means since the last report and the progress line.

  Raises:
    DivergedError: `config.max_bad_steps` steps in a row were skipped.
  """
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
