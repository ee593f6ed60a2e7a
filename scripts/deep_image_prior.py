"""Restores one picture without trained weights: Deep Image Prior.

  python scripts/deep_image_prior.py PICTURE --mask=MASK --output=FILE
  python scripts/deep_image_prior.py PICTURE --task=denoise --output=FILE

The mask is a picture of the same size, white where something is missing. What
comes back has the depth, profile and metadata of the picture; with a mask,
pixels outside of it keep their values (in formats without loss: PNG, TIFF).
Ctrl-C ends the run with what there is by then. Fields of
configs/deep_image_prior.py are set as --config.steps=500. The last line of
stdout is a JSON object.
"""

import json
import logging
import math
import os
import sys
import time

from absl import app
from absl import flags
from ml_collections import config_flags

from artjax import config_files
from artjax import environment

ROWS = 512  # of the result that are merged at a time

_CONFIG = config_flags.DEFINE_config_file(
  'config',
  None,
  'Configuration; default configs/deep_image_prior.py.',
  lock_config=True,
)
_TASK = flags.DEFINE_string(
  'task', None, 'In place of --config.task: inpaint, denoise or x4.'
)
_MASK = flags.DEFINE_string(
  'mask', None, 'Picture, white where PICTURE is to be filled.'
)
_OUTPUT = flags.DEFINE_string('output', None, 'File of the result.')
_TARGET = flags.DEFINE_string(
  'target', None, 'The undamaged picture, to measure the result against.'
)
_SAVE_EVERY = flags.DEFINE_integer(
  'save_every',
  0,
  'Steps after which the result as it is by then is written '
  'to --output; 0 = only at the end.',
  0,
)
_STRIP = flags.DEFINE_bool(
  'strip_metadata', False, 'Leave out everything but the colour profile.'
)


def parse(argv):
  """Parses the flags; a mistake is one line."""
  if not any(arg.startswith('--config=') for arg in argv):
    # Not the flag's default, with which a mistyped field ends in a traceback.
    argv = [argv[0], '--config=deep_image_prior', *argv[1:]]
  try:
    return flags.FLAGS(config_files.resolve_flags(argv))
  except (flags.Error, AttributeError, KeyError, ValueError) as error:
    while error.args and isinstance(error.args[0], Exception):
      error = error.args[0]
    # The last line is what is wrong; above it may be where it was raised.
    sys.exit(f'deep_image_prior: {str(error.args[0]).splitlines()[-1]}')


def main(argv):
  """Restores the picture that the command line names; the exit status."""
  if len(argv) != 2:
    sys.exit(
      'deep_image_prior: name one PICTURE, got '
      f'{len(argv) - 1}: {" ".join(argv[1:])}'
    )
  if not _OUTPUT.value:
    sys.exit('deep_image_prior: --output=FILE is needed')
  logging.getLogger('pyvips').setLevel(logging.WARNING)  # it tells all it does
  from artjax.inference import deep_image_prior  # heavy, so not for --help

  try:
    result = run(argv[1])
  except (ValueError, OSError, deep_image_prior.DivergedError) as error:
    sys.exit('deep_image_prior: ' + ' '.join(str(error).split()))
  print(json.dumps(result))
  return 130 if result['stopped_by'] == 'interrupted' else 0


def run(source):
  """Restores a file: what was done and measured, a dict."""
  import tqdm

  from artjax.image_io import reader
  from artjax.inference import deep_image_prior

  options = _CONFIG.value.to_dict()
  if 'network' not in options:
    raise ValueError(
      '--config must be a variant of configs/deep_image_prior.py'
    )
  if _TASK.value:
    options['task'] = _TASK.value
  scale = 4 if options['task'] == 'x4' else 1
  for path in (source, _MASK.value, _TARGET.value):
    if path and os.path.realpath(path) == os.path.realpath(_OUTPUT.value):
      raise ValueError(f'{path}: the output would overwrite it')
  mask = read(_MASK.value)[..., :3].mean(-1) if _MASK.value else None

  start = time.time()
  with reader.open_picture(source) as picture:
    x = picture.read(0, 0, picture.height, picture.width)
    x = x[..., :1] if picture.bands == 1 else x
    target = read(_TARGET.value) if _TARGET.value else None
    shape = (picture.height * scale, picture.width * scale, 3)
    if target is not None and target.shape != shape:
      raise ValueError(
        f'{_TARGET.value}: {target.shape[1]} x '
        f'{target.shape[0]} px, but the result has {shape[1]} x '
        f'{shape[0]}'
      )
    # What cannot be written is found out now, not after the run.
    stem, suffix = os.path.splitext(_OUTPUT.value)
    write(picture, x, 1, f'{stem}.trial{suffix}')
    os.remove(f'{stem}.trial{suffix}')

    with tqdm.tqdm(total=options['steps'], unit='step', disable=None) as bar:
      saved = 0

      def on_report(report):
        nonlocal saved
        bar.set_postfix_str(f'loss {report.loss:.5f}')
        bar.update(report.step - bar.n)
        if _SAVE_EVERY.value and report.step - saved >= _SAVE_EVERY.value:
          saved = report.step
          write(picture, report.picture(), scale, _OUTPUT.value)

      result = deep_image_prior.restore(
        x,
        mask=mask,
        **options,
        on_report=on_report,
        on_notice=lambda text: bar.write(f'{source}: {text}', file=sys.stderr),
      )
    write(picture, result.picture, scale, _OUTPUT.value)
    for notice in picture.notices:
      print(f'{source}: {notice}', file=sys.stderr)
  seconds = time.time() - start
  done = {
    'output': _OUTPUT.value,
    'task': options['task'],
    'steps': result.steps,
    'stopped_by': result.stopped_by,
    'restarts': result.restarts,
    'loss': round(result.loss, 7),
    'seconds': round(seconds, 2),
  }
  if target is not None:
    error = (rounded(read(_OUTPUT.value)) - rounded(target)) ** 2
    done['psnr'] = psnr(error)
    if mask is not None:
      done['psnr_mask'] = psnr(error[mask > 0.5])
  return done


def read(path):
  """f32[H, W, 3] of sRGB in [0, 1]."""
  from artjax.image_io import reader

  with reader.open_picture(path) as picture:
    return picture.read(0, 0, picture.height, picture.width)


def write(picture, result, scale, path):
  """Writes f32[H * scale, W * scale, 1 or 3] as the file holds pictures."""
  with picture.writer(path, scale=scale, strip_metadata=_STRIP.value) as writer:
    for top in range(0, len(result), ROWS):
      rows = result[top : top + ROWS]
      if rows.shape[-1] == 1:
        rows = rows.repeat(3, -1)
      writer.write(picture.merge(top, rows, scale)[0])


def rounded(picture):
  """Rounded to 8 bit, as float."""
  return (picture * 255).round()


def psnr(error):
  """dB of squared errors of 8-bit values; None if there are none at all."""
  mean = float(error.mean(dtype='float64'))
  return round(10 * math.log10(255**2 / mean), 4) if mean else None


if __name__ == '__main__':
  environment.set_defaults()
  app.run(main, flags_parser=parse)
