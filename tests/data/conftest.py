"""Pictures for the input pipeline, and the ways to load them."""

import cv2
import numpy as np
import pytest


def _write(path, seed, height=40, width=56):
  picture = np.random.default_rng(seed).integers(
    0, 256, (height, width, 3), np.uint8
  )
  path.write_bytes(cv2.imencode('.png', picture)[1].tobytes())


@pytest.fixture
def folder(tmp_path):
  """13 pictures of different sizes."""
  root = tmp_path / 'pictures'
  root.mkdir()
  for i in range(13):
    _write(root / f'{i:02d}.png', i, 40 + i)
  return root


@pytest.fixture(params=['threads', 'tf', 'processes'])
def loader(request):
  return request.param
