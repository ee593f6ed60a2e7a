"""What the tests of the web page share: an application, pictures, waiting."""
import contextlib
import time

from conftest import random_params
from conftest import tiny_config
from fastapi import testclient
import numpy as np

from artjax import files
from artjax import lookup
from artjax import weights
from artjax.web import app as web
from artjax.web import limits as limits_lib

HOST = 'http://127.0.0.1:8080'


def save_weights(folder, name='unet'):
  """Weights of a tiny network, under the name of the shipped ones."""
  config = tiny_config()
  weights.save(str(folder / f'{name}.safetensors'),
               random_params(lookup.model(config), 0.01), config)
  return str(folder)


@contextlib.contextmanager
def client(folder='nowhere', token='', **limits):
  """A client of an application of its own, with limits as given."""
  app = web.create_app(limits_lib.Limits(**limits), folder, token=token)
  with testclient.TestClient(app, HOST, raise_server_exceptions=False) as found:
    yield found


def another(first):
  """A client without cookies of the same application."""
  other = testclient.TestClient(first.app, HOST, raise_server_exceptions=False)
  other.portal = first.portal  # the same event loop
  return other


def picture(height=20, width=30, seed=0, suffix='.png'):
  """The bytes of a picture of noise."""
  values = np.random.default_rng(seed).integers(
      0, 256, [height, width, 3], dtype=np.uint8)
  return files.encode(values, suffix)


def wait(found, job, timeout=120):
  """The job when it is over."""
  deadline = time.monotonic() + timeout
  while time.monotonic() < deadline:
    state = found.get(f'/api/jobs/{job["id"]}').json()
    if state['state'] in ('done', 'failed', 'cancelled'):
      return state
    time.sleep(0.02)
  raise AssertionError(f'not over after {timeout} s: {state}')
