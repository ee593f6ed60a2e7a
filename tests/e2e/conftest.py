"""Weights of tiny networks and a folder of good and bad pictures."""

from conftest import detector
from conftest import random_params
from conftest import tiny_config
import numpy as np
import pytest

from artjax import atomic_files
from artjax import registry
from artjax.interop import safetensors_io


@pytest.fixture(scope='module')
def tiny(tmp_path_factory):
  path = str(tmp_path_factory.mktemp('weights') / 'tiny.safetensors')
  config = tiny_config()
  safetensors_io.save(path, random_params(registry.model(config), 0.01), config)
  return path


@pytest.fixture
def folder(tmp_path):
  """Four pictures, one of them below; two broken ones; a note."""
  top = tmp_path / "pictures 'of' ünd"
  for i, name in enumerate(('a.png', 'b.jpg', 'c c.png', 'sub/a.png')):
    picture = np.random.default_rng(i).integers(
      0, 256, [20 + i, 30, 3], dtype=np.uint8
    )
    atomic_files.write_picture(str(top / name), picture)
  (top / 'broken.png').write_text('no picture')
  (top / 'empty.tif').write_bytes(b'')
  (top / 'notes.txt').write_text('left alone')
  return top


@pytest.fixture(scope='module')
def detect(tmp_path_factory):
  """Weights of a tiny detector, which finds something in noise."""
  config, params = detector()
  path = str(tmp_path_factory.mktemp('weights') / 'finds.safetensors')
  safetensors_io.save(path, params, config)
  return path
