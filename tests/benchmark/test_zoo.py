"""All weights on the same pictures: which run, and what is printed."""

import json

from conftest import random_params
from conftest import smallest_config
import cv2
import numpy as np
import pytest

from artjax import registry
from artjax.benchmark import command
from artjax.interop import safetensors_io


@pytest.fixture
def folder(tmp_path, monkeypatch):
  """A user's weights: one that restores, one that enlarges, one for tones."""
  folder = tmp_path / 'weights'
  folder.mkdir()
  monkeypatch.setenv('ARTJAX_WEIGHTS', str(folder))
  for name, fields in {
    'mine': {},
    'twice': {'model.args.scale': 2},
    'tones': {'task': 'tone'},
  }.items():
    config = smallest_config(**fields)
    params = random_params(registry.model(config), 0.1)
    safetensors_io.save(folder / f'{name}.safetensors', params, config)
  rng = np.random.default_rng(0)
  (tmp_path / 'pictures').mkdir()
  for i in range(2):
    noise = rng.integers(0, 256, [8, 8, 3], np.uint8)
    picture = cv2.resize(noise, (64, 64), interpolation=cv2.INTER_CUBIC)
    cv2.imwrite(str(tmp_path / 'pictures' / f'{i}.png'), picture)
  return folder


def run(tmp_path, *args):
  return command.main(['zoo', f'--source=folder:{tmp_path}/pictures', *args])


def test_each_scale_has_its_input_and_each_network_a_row(
  folder, tmp_path, capsys
):
  ops = 'copy("image", "target")|gaussian_noise(0.3)'
  assert run(tmp_path, 'mine', '--pictures=1', f'--ops={ops}') == 0
  head, rule, given, mine, line = capsys.readouterr().out.splitlines()
  assert head.startswith('| weights | scale | parameters | psnr_rgb')
  assert set(rule) <= set('|- ')
  cells = [cell.strip() for cell in mine.strip('|').split('|')]
  assert cells[:2] == ['mine', '×1'] and cells[-1] == 'not stated'
  assert given.startswith('| the input | ×1 | – |')
  rows = json.loads(line)['weights']
  assert [row['weights'] for row in rows] == ['the input', 'mine']
  assert rows[1]['seconds'] > 0 and rows[1]['resident_mb'] > 100
  assert cells[3] == f'{rows[1]["psnr_rgb"]:.2f}'
  assert rows[0]['psnr_rgb'] != rows[1]['psnr_rgb']


@pytest.mark.parametrize(
  'args, says',
  [
    (['gone'], "no weights 'gone' that restore; there are .*mine, twice"),
    (['tones'], "no weights 'tones' that restore"),
    (['mine', '--scale=2'], 'no weights of scale 2'),
    (['mine', '--ops=blurr(0.3)'], 'mine: .*blurr'),
  ],
)
def test_what_cannot_run_is_one_line(folder, tmp_path, args, says):
  with pytest.raises(SystemExit, match=f'^benchmark: {says}'):
    run(tmp_path, *args)
