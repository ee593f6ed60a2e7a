"""The command line: train a configuration, or evaluate what was trained.

  python -m artjax.main --config=configs/unet.py --workdir=runs/unet
  python -m artjax.main --config=configs/unet.py --workdir=runs/unet \
      --mode=evaluate --config.eval.source=folder:PATH

This file is kept short: the logic is in training/loop.py and
evaluation/runner.py.
"""

from collections.abc import Sequence
import difflib
import json
import logging as pylogging
import sys
import traceback
import types
from typing import Any

from absl import app
from absl import flags
from absl import logging
import jax
import ml_collections
from ml_collections import config_flags

from artjax import config as defaults
from artjax import config_files
from artjax.evaluation import runner
from artjax.inference import weights
from artjax.training import distributed
from artjax.training import loop
from artjax.training.hosts import joining
from artjax.training.hosts import watch

FLAGS = flags.FLAGS
config_flags.DEFINE_config_file(
  'config',
  None,
  'Configuration: a file or a name in configs/.',
  lock_config=True,
)
flags.DEFINE_string(
  'workdir', None, 'Folder of the run: checkpoints, summaries, evaluations.'
)
flags.DEFINE_enum('mode', 'train', ['train', 'evaluate'], 'What to do.')
flags.DEFINE_string(
  'weights',
  None,
  'evaluate: a name, a .safetensors file, a blend (a:0.3+b:0.7) or, of the '
  'task restore, a chain (a,b), in place of --workdir.',
)
flags.DEFINE_string(
  'output',
  None,
  'evaluate: folder of the report; default <workdir>/evaluation.',
)
flags.DEFINE_string(
  'coordinator',
  None,
  'HOST:PORT of process 0, in a run of several processes; '
  'default: JAX_COORDINATOR_ADDRESS, or what SLURM and others say.',
)
flags.DEFINE_integer(
  'num_processes', None, 'How many they are; default: JAX_NUM_PROCESSES.'
)
flags.DEFINE_integer(
  'process_id',
  None,
  'Which of them this is, from 0 on; default: JAX_PROCESS_ID.',
)
flags.DEFINE_integer(
  'process_timeout',
  watch.TIMEOUT,
  'Seconds of silence after which the others take a process for dead.',
  lower_bound=1,
)


def main(argv: Sequence[str]) -> None:
  """Trains or evaluates what the flags say; prints a line of JSON."""
  if len(argv) > 1:
    raise ValueError(f'unexpected argument {argv[1]!r}')
  if FLAGS.config is None:
    raise ValueError('--config=configs/NAME.py is needed')
  joining.join(
    FLAGS.coordinator,
    FLAGS.num_processes,
    FLAGS.process_id,
    FLAGS.process_timeout,
  )
  logging.info('Devices: %s', jax.local_devices())
  if FLAGS.mode == 'train':
    if not FLAGS.workdir:
      raise ValueError('--workdir=FOLDER is needed to train')
    hide_gpus_from_tensorflow()
    result = loop.train_and_evaluate(FLAGS.config, FLAGS.workdir)
  else:
    if not (FLAGS.workdir or FLAGS.weights):
      raise ValueError('--workdir=FOLDER or --weights=FILE is needed')
    result = runner.evaluate_and_report(
      FLAGS.config,
      FLAGS.weights or FLAGS.workdir,
      FLAGS.output,
      gather=distributed.gather,
      load=load,
    )
  watch.done()
  if jax.process_index() == 0:
    print(json.dumps(result))


def load(
  config: ml_collections.ConfigDict, where: str
) -> tuple[str, list[Any]]:
  """The restorers of weights: one network, or a chain as users run it.

  Raises:
    FileNotFoundError: there are no such weights.
    ValueError: they are damaged, or of another task than `config`.
  """
  if len(weights.chain(where)) == 1:
    return runner.load(config, where)
  if config.task != 'restore':
    raise ValueError(
      f'{where}: a chain is measured as the task restore, not {config.task}'
    )
  from artjax.restoration import whole  # of no use to most

  return whole.load(where)


def hide_gpus_from_tensorflow() -> None:
  """TensorFlow reads data and writes summaries; the GPUs belong to JAX."""
  try:
    import tensorflow as tf  # Seconds, and missing in some environments.
  except ImportError:
    return
  tf.config.set_visible_devices([], 'GPU')


def parse_flags(argv: Sequence[str]) -> list[str]:
  """Parses the flags; a mistake is one line, with the right field's name."""
  try:
    argv = config_files.resolve_flags(argv)
    argv, added = config_files.take_module_fields(argv)
  except ValueError as e:
    sys.exit(f'artjax: {e}')
  sys.argv[:] = argv  # where config_flags looks for fields
  try:
    rest = FLAGS(argv)
    if added:
      config_files.set_fields(FLAGS.config, added)
    return rest
  except flags.Error as e:
    # A configuration that raises comes with its traceback: its last word will
    # do.
    lines = [line.strip() for line in str(e).splitlines()]
    raised = [line for line in lines if line.startswith('ValueError: ')]
    sys.exit(f'artjax: {raised[-1].partition(": ")[2] if raised else e}')
  except (AttributeError, KeyError) as e:  # What a locked config raises.
    known = fields(defaults.get_config())
    for name in (
      a[9:].split('=')[0] for a in argv if a.startswith('--config.')
    ):
      if name not in known and not name.startswith('model.args.'):
        close = difflib.get_close_matches(name, known, 1, 0.5)
        hint = (
          f'; did you mean --config.{close[0]}?'
          if close
          else ('; artjax/config.py lists every field')
        )
        sys.exit(f'artjax: no field --config.{name}{hint}')
    sys.exit(f'artjax: {str(e).strip(chr(34))}')


def fields(config: ml_collections.ConfigDict, prefix: str = '') -> list[str]:
  """Every field of a configuration, by its dotted name."""
  names = []
  for name, value in config.items():
    if isinstance(value, ml_collections.ConfigDict):
      names += fields(value, f'{prefix}{name}.')
    names.append(prefix + name)
  return names


def train(argv: Sequence[str]) -> None:
  """Runs `artjax train` with its arguments."""
  _command('train', argv)


def evaluate(argv: Sequence[str]) -> None:
  """Runs `artjax evaluate` with its arguments."""
  _command('evaluate', argv)


def _command(mode, argv):
  if {'-h', '--help'} & {*argv}:
    print(f'{_usage(mode)}{FLAGS.module_help(__name__)}')
  else:
    run([f'artjax {mode}', *argv, f'--mode={mode}'])


def _usage(mode):
  return (
    f'usage: artjax {mode} --config=NAME[:VARIANT]|FILE.py --workdir=FOLDER '
    '[--config.FIELD=VALUE ...]\n\n'
    f'Configurations: {", ".join(config_files.names())}.\n'
    'Fields: artjax/config.py says what each is for.\n'
  )


def run(argv: list[str] | None = None) -> None:
  """Entry point: expected errors end in one line and exit code 1."""
  logging.set_verbosity(logging.INFO)
  logging.use_absl_handler()
  logging.get_absl_handler().addFilter(is_told)
  sys.excepthook = tell
  try:
    app.run(main, argv, flags_parser=parse_flags)
  except (ValueError, FileNotFoundError, loop.DivergedError) as e:
    watch.leave(e, f'artjax: {e}')
    if FLAGS.is_parsed() and logging.get_verbosity() >= logging.DEBUG:
      raise
    sys.exit(f'artjax: {e}')
  except KeyboardInterrupt as e:  # before or after the loop, which saves first
    watch.leave(e, 'artjax: interrupted')
    print('artjax: interrupted', file=sys.stderr)
    sys.exit(130)
  except Exception as e:
    watch.leave(e, traceback.format_exc())
    raise


def is_told(record: pylogging.LogRecord) -> bool:
  """Whether a line of the log is shown, at this verbosity.

  Orbax tells thirty lines a checkpoint, and hundreds when it cannot write one.
  What they mean is raised, and told in one line.
  """
  return (
    'orbax' not in record.pathname or logging.get_verbosity() >= logging.DEBUG
  )


def tell(
  kind: type[BaseException],
  error: BaseException,
  trace: types.TracebackType | None,
) -> None:
  """Prints an error that nobody has caught; the `sys.excepthook`.

  Left out are those of writes that Orbax abandons after one has failed, as on a
  full disk: dozens for one checkpoint. That it failed is told in one line.
  """
  if not (kind is RuntimeError and str(error) == 'Event loop is closed'):
    sys.__excepthook__(kind, error, trace)


if __name__ == '__main__':
  run()
