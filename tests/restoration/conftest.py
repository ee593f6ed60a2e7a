"""A chain of a tiny network, for tests of files."""

from conftest import random_params
from conftest import smallest_config
import pytest

from artjax import registry
from artjax.interop import safetensors_io
from artjax.restoration import chain as chain_lib


@pytest.fixture(scope='session', name='small_weights')
def small_weights_fixture(tmp_path_factory):
  """Path of the weights of a network that takes milliseconds."""
  path = tmp_path_factory.mktemp('weights') / 'small.safetensors'
  config = smallest_config()
  params = random_params(registry.model(config), 0.1)
  safetensors_io.save(str(path), params, config)
  return str(path)


@pytest.fixture(scope='session', name='small_chain')
def small_chain_fixture(small_weights):
  """Restores a picture by a network of milliseconds."""
  return chain_lib.Chain(small_weights)
