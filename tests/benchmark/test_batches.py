"""Pictures a second with and without overlap."""

import json

from conftest import random_params
from conftest import smallest_config
import cv2
import numpy as np

from artjax import registry
from artjax.benchmark import command
from artjax.interop import safetensors_io


def test_both_ways_are_measured_in_turn(tmp_path, capsys):
  config = smallest_config()
  path = str(tmp_path / 'small.safetensors')
  safetensors_io.save(path, random_params(registry.model(config), 0.1), config)
  rng = np.random.default_rng(0)
  picture = rng.integers(0, 256, [40, 50, 3], np.uint8)
  cv2.imwrite(str(tmp_path / 'a.png'), picture)
  status = command.main(
    [
      'batch',
      f'--picture={tmp_path}/a.png',
      f'--weights={path}',
      '--pictures=3',
      '--megapixels=0.004',
      '--rounds=2',
    ]
  )
  lines = capsys.readouterr().out.splitlines()
  found = json.loads(lines[-1])
  assert status == 0 and len(lines) == 3 and len(found['ratios']) == 2
  assert set(found['pictures_per_second']) == {'one_by_one', 'overlapping'}
  assert min(found['pictures_per_second'].values()) > 0
