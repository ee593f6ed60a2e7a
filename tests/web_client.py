"""What the tests of the web page share: an application, pictures, waiting."""

import contextlib
import pathlib
import re
import signal
import subprocess
import sys
import time

from conftest import random_params
from conftest import ROOT
from conftest import tiny_config
from conftest import vivid_colours
import cv2
from fastapi import testclient
import jax
import numpy as np

from artjax import atomic_files
from artjax import registry
from artjax import tasks
from artjax.configs import detect
from artjax.configs import inpaint
from artjax.configs import tone
from artjax.interop import safetensors_io
from artjax.web.server import app as web
from artjax.web.server import limits as limits_lib

HOST = 'http://127.0.0.1:8080'


def save_weights(folder, name='unet'):
  """Weights of a tiny network, under the name of the shipped ones."""
  config = tiny_config()
  safetensors_io.save(
    str(folder / f'{name}.safetensors'),
    random_params(registry.model(config), 0.01),
    config,
  )
  return str(folder)


def save_tone_weights(folder):
  """The same of a network that corrects tones."""
  config = tone.get_config('quick')
  params = random_params(registry.model(config), 0.01)
  safetensors_io.save(str(folder / 'tone.safetensors'), params, config)
  return str(folder)


def save_colour_weights(folder):
  """The same of a network that colorizes, strongly."""
  config, params = vivid_colours()
  safetensors_io.save(str(folder / 'colorize.safetensors'), params, config)
  return str(folder)


def save_damage_weights(folder):
  """The same of networks that find and fill damage, away from their start."""
  for name, config in (
    ('detect', detect.get_config('quick')),
    ('inpaint', inpaint.get_config('quick')),
  ):
    channels = tasks.get(config.task).channels
    params = random_params(registry.model(config), 0.1, channels)
    # Probabilities of damage of all sizes, and fills neither black nor white.
    params['stem_out']['kernel'] *= np.float32(6e-3)
    params['stem_out']['bias'] -= np.float32(2.8)
    stats = registry.variables(config, channels).get('batch_stats', {})
    params = safetensors_io.merge(
      {
        'params': params,
        'batch_stats': jax.tree.map(
          lambda x: np.ones(x.shape, np.float32), stats
        ),
      }
    )
    safetensors_io.save(str(folder / f'{name}.safetensors'), params, config)
  return str(folder)


@contextlib.contextmanager
def client(folder='nowhere', token='', warm=False, own_weights='', **limits):
  """A client of an application of its own, with limits as given."""
  app = web.create_app(
    limits_lib.Limits(**limits),
    folder,
    token=token,
    warm=warm,
    own_weights=own_weights,
  )
  with testclient.TestClient(app, HOST, raise_server_exceptions=False) as found:
    yield found


@contextlib.contextmanager
def serving(folder):
  """The address of a server of its own, with weights of a folder."""
  process = subprocess.Popen(
    [sys.executable, 'scripts/serve.py', '--port=0', f'--weights={folder}'],
    cwd=ROOT,
    stdout=subprocess.PIPE,
    text=True,
  )
  try:
    yield re.search(r'http://\S+', process.stdout.readline())[0]
  finally:
    process.send_signal(signal.SIGINT)
    try:
      out, _ = process.communicate(timeout=60)
    finally:
      process.kill()
  assert out.splitlines()[-1].startswith('{"port"')


def another(first):
  """A client without cookies of the same application."""
  other = testclient.TestClient(first.app, HOST, raise_server_exceptions=False)
  other.portal = first.portal  # the same event loop
  return other


def picture(height=20, width=30, seed=0, suffix='.png'):
  """The bytes of a picture of noise."""
  values = np.random.default_rng(seed).integers(
    0, 256, [height, width, 3], dtype=np.uint8
  )
  return atomic_files.encode(values, suffix)


def soft_picture(height=60, width=90, seed=0):
  """The same, blurred: what the networks above find in it has areas."""
  values = np.random.default_rng(seed).integers(
    0, 256, [height, width, 3], dtype=np.uint8
  )
  values = cv2.GaussianBlur(values, (0, 0), 1)
  return atomic_files.encode(
    cv2.normalize(values, None, 0, 255, cv2.NORM_MINMAX), '.png'
  )


def wait(found, job, timeout=120):
  """The job when it is over."""
  deadline = time.monotonic() + timeout
  while time.monotonic() < deadline:
    state = found.get(f'/api/jobs/{job["id"]}').json()
    if state['state'] in ('done', 'failed', 'cancelled'):
      return state
    time.sleep(0.02)
  raise AssertionError(f'not over after {timeout} s: {state}')


def on_disk(found):
  """Names of all files that an application has."""
  root = pathlib.Path(found.app.state.store.root)
  return sorted(p.name for p in root.rglob('*') if p.is_file())
