"""What all tests share: strict JAX settings and the shared data, if there."""

import gc
import gzip
import importlib.util
import os
import pathlib
import re
import runpy
import signal
import subprocess
import sys
from unittest import mock

# Before JAX starts: several devices, so that parallel steps are really tested;
# and the older code generator of XLA, which takes half the time.
os.environ.setdefault(
  'XLA_FLAGS',
  '--xla_force_host_platform_device_count=4 '
  '--xla_cpu_use_fusion_emitters=false',
)
os.environ.setdefault('JAX_PLATFORMS', 'cpu')
# Results name the time at which they were made: one and the same in tests.
os.environ.setdefault('SOURCE_DATE_EPOCH', '1700000000')
# Tests compile hundreds of small networks: all are kept for the next run, and
# for the other process of this one (JAX_COMPILATION_CACHE_DIR in the Makefile).
os.environ.setdefault('JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS', '0')
# XLA leaves most optimizations out: half the time, where little is run.
os.environ.setdefault('JAX_DISABLE_MOST_OPTIMIZATIONS', '1')

import cv2
import jax
import numpy as np
import pytest

# Tracing makes garbage by the million, hardly any of it in cycles.
gc.set_threshold(10_000, 10, 10)

# A shell's background job ignores Ctrl-C, and so would the programs under test.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
  signal.signal(signal.SIGINT, signal.default_int_handler)

jax.config.update('jax_numpy_rank_promotion', 'raise')

ROOT = pathlib.Path(__file__).parent.parent
# Commands that tests start find this tree, whatever is installed.
os.environ['PYTHONPATH'] = os.pathsep.join(
  filter(None, [str(ROOT), os.environ.get('PYTHONPATH')])
)


def shared(path):
  """A file or folder of the shared data; the test is skipped without it."""
  found = ROOT.parent / 'shared' / 'data' / path
  if not found.exists():
    pytest.skip(f'needs {path} of the shared data, which is not here')
  return found


def environment(devices, **more):
  """That of a command that has so many devices, for `subprocess`."""
  flags = os.environ['XLA_FLAGS']
  flags = re.sub(r'device_count=\d+', f'device_count={devices}', flags)
  return {**os.environ, 'XLA_FLAGS': flags, **more}


def loaded_by(code, *names):
  """Which of the modules `names` Python code loads, in a process of its own."""
  code = f'import sys\n{code}\nprint(*(sys.modules.keys() & {set(names)}))'
  out = subprocess.run(
    [sys.executable, '-c', code], check=True, capture_output=True, text=True
  )
  return set(out.stdout.splitlines()[-1].split())


def script(name):
  """The module scripts/<name>.py, which is no part of a package."""
  spec = importlib.util.spec_from_file_location(
    name, ROOT / 'scripts' / f'{name}.py'
  )
  module = importlib.util.module_from_spec(spec)
  spec.loader.exec_module(module)
  return module


def pytest_sessionfinish():
  """What is covered is saved now: xdist may kill a worker that ends slowly."""
  coverage = sys.modules.get('coverage')  # only where it measures
  measured = coverage and coverage.Coverage.current()
  if measured:
    measured.save()


@pytest.fixture
def run_script(capsys):
  """Runs scripts/<name> as `python scripts/NAME ARGUMENTS`, in this process.

  A process of its own takes seconds to start; that each script starts in one is
  what tests/e2e/test_scripts.py::test_help is for.
  """

  def run(name, *args):
    args, status = [name, *map(str, args)], None
    capsys.readouterr()
    with mock.patch.object(sys, 'argv', args), mock.patch.dict(os.environ):
      try:
        runpy.run_path(str(ROOT / 'scripts' / name), run_name='__main__')
      except SystemExit as end:
        status = end.code
    out, err = capsys.readouterr()
    if isinstance(status, str):  # as Python does with what is no number
      status, err = 1, f'{err}{status}\n'
    return subprocess.CompletedProcess(args, status or 0, out, err)

  return run


def tiny_config(**overrides):
  """configs/unet.py shrunk until a step takes milliseconds, unlocked."""
  from artjax.configs import unet

  config = unet.get_config('plain_quick').copy_and_resolve_references()
  config.unlock()
  config.model.args.features = (8, 16)
  config.model.args.blocks = (1, 1)
  config.data.ops = (
    'random_crop(32)|flip|copy("image", "target")'
    '|gaussian_noise((0.2, 0.8))|keep("image", "target")'
  )
  config.data.loader = 'threads'
  config.data.workers = 1
  config.eval.ops = 'fit(64)|copy("image", "target")|gaussian_noise(0.5)'
  config.eval.max_pictures = 2
  config.steps = 4
  config.log_every = config.eval_every = config.checkpoint_every = 2
  config.update_from_flattened_dict(overrides)
  return config


def smallest_config(**overrides):
  """`tiny_config` with a network that compiles in no time."""
  config = tiny_config(**{'losses.ssim': 0.0})
  config.model.name = 'srvgg.SRVGGNetCompact'
  config.model.args = {'features': 4, 'convs': 1, 'scale': 1}
  config.update_from_flattened_dict(overrides)
  return config


def random_params(model, spread, channels=3):
  """Parameters away from the start, without compiling `model.init`.

  Networks here start as the identity: their last kernels are zero. Those stay
  small, or the result would be black and white.
  """
  from artjax.interop import safetensors_io

  shapes = jax.eval_shape(
    model.init, jax.random.key(0), np.zeros([1, 32, 32, channels], np.float32)
  )
  rng = np.random.default_rng(0)

  def draw(path, shape):
    noise = rng.standard_normal(shape.shape).astype(np.float32)
    name = path[-1].key
    if name == 'kernel' and path[0].key not in ('colour', 'stem_out', 'ending'):
      return noise * np.float32(spread + np.prod(shape.shape[:-1]) ** -0.5)
    return noise * np.float32(spread) + (name in ('scale', 'var'))

  return jax.tree_util.tree_map_with_path(draw, safetensors_io.merge(shapes))


def detector():
  """(config, weights) of a tiny one that finds something in every picture."""
  from artjax import registry
  from artjax.interop import safetensors_io

  config = tiny_config(task='detect')
  config.model = {
    'name': 'detector.Detector',
    'args': {'features': (8, 8, 8), 'blocks': (1, 1, 1)},
  }
  rng = np.random.default_rng(1)

  def draw(path, shape):
    noise, name = rng.standard_normal(shape.shape), path[-1].key
    if name == 'kernel':
      return np.float32(noise * np.prod(shape.shape[:-1]) ** -0.5)
    return np.float32(0.1 * noise + (name in ('scale', 'var')))

  return config, jax.tree_util.tree_map_with_path(
    draw, safetensors_io.merge(registry.variables(config))
  )


def vivid_colours():
  """(config, weights) that colorize, strongly: many colours leave the gamut."""
  from artjax import registry
  from artjax.configs import colorize
  from artjax.interop import safetensors_io

  config = colorize.get_config('quick').unlock()
  config.model.args.features, config.model.args.blocks = (8, 8), (1, 1)
  rng = np.random.default_rng(0)
  params = jax.tree.map(
    lambda x: np.float32(0.12 * rng.standard_normal(x.shape)),
    registry.variables(config, 4)['params'],
  )
  params['likely']['kernel'] *= 3
  return config, safetensors_io.merge({'params': params})


def drawn_digits(folder, train=60, test=20):
  """Writes four idx.gz files of drawn digits, as MNIST's, into `folder`."""
  folder.mkdir(parents=True, exist_ok=True)
  rng = np.random.default_rng(0)
  for prefix, count in (('train', train), ('t10k', test)):
    labels = (np.arange(count) % 10).astype(np.uint8)
    pictures = np.zeros([count, 28, 28], np.uint8)
    for picture, label in zip(pictures, labels):
      place = int(rng.integers(4, 10)), int(rng.integers(20, 26))
      cv2.putText(
        picture, str(label), place, cv2.FONT_HERSHEY_SIMPLEX, 0.7, 255, 2
      )
    write_idx(folder / f'{prefix}-images-idx3-ubyte.gz', pictures)
    write_idx(folder / f'{prefix}-labels-idx1-ubyte.gz', labels)
  return folder


def write_idx(path, array):
  """Writes u8[...] as a gzipped idx file."""
  head = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, '>u4').tobytes()
  path.write_bytes(gzip.compress(head + array.tobytes(), 1))


def confident_config():
  """A NAFNet of milliseconds that predicts its errors."""
  config = tiny_config()
  config.model.name = 'nafnet.NAFNet'
  config.model.args = {
    'width': 4,
    'enc_blocks': (1,),
    'middle_blocks': 1,
    'dec_blocks': (1,),
    'stem': 2,
    'confidence': True,
  }
  return config
