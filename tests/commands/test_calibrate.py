"""`artjax calibrate`: fits, tests and keeps; and what ships holds."""

import json

from conftest import confident_config
from conftest import random_params
from conftest import shared
import pytest

from artjax import registry
from artjax.commands import calibrate
from artjax.inference import loading
from artjax.inference import weights as weights_lib
from artjax.interop import manifest
from artjax.interop import safetensors_io


def saved(folder, **fields):
  config = confident_config()
  config.model.args.update(fields)
  path = str(folder / 'a.safetensors')
  safetensors_io.save(path, random_params(registry.model(config), 0.1), config)
  manifest.write(path, task='restore', note='kept')
  return path


def test_fits_tests_and_keeps(tmp_path, capsys):
  path = saved(tmp_path)
  argv = [f'--weights={path}', '--pictures=sample', '--test=sample']
  argv += ['--max_pictures=2', '--side=96']
  assert calibrate.main(argv) == 0
  found = json.loads(capsys.readouterr().out.splitlines()[-1])['test']
  assert set(found) == {'mild', 'heavy', 'held_out'}
  # On the pictures it was fitted to it holds, all damage taken together.
  shares = [figures['within_80'] for figures in found.values()]
  assert sum(shares) / 3 == pytest.approx(0.8, abs=0.03)
  assert manifest.entry(path)['note'] == 'kept'
  assert loading.restorer(path).calibration is not None  # its sha256 fits
  again = calibrate.main([f'--weights={path}', *argv[2:]])
  assert again == 0
  assert json.loads(capsys.readouterr().out.splitlines()[-1])['test'] == found


def test_what_cannot_be_calibrated_is_named(tmp_path):
  path = saved(tmp_path, confidence=False)
  with pytest.raises(SystemExit, match='predicts nothing'):
    calibrate.main([f'--weights={path}', '--pictures=sample'])
  path = saved(tmp_path)
  with pytest.raises(SystemExit, match='is not calibrated'):
    calibrate.main([f'--weights={path}', '--test=sample'])
  with pytest.raises(SystemExit, match='artjax export'):
    calibrate.main([f'--weights={tmp_path}', '--test=sample'])


def test_what_ships_is_calibrated(capsys):
  path = weights_lib.pretrained_folder() / 'structure.safetensors'
  if not path.exists():
    pytest.skip('no weights of structure are shipped')
  if loading.restorer(str(path)).calibration is None:
    pytest.skip('the shipped weights of structure predict no errors')
  pictures = shared('paintings/val')
  calibrate.main(
    [f'--weights={path}', f'--test=folder:{pictures}', '--max_pictures=12']
  )
  found = json.loads(capsys.readouterr().out.splitlines()[-1])['test']
  for damage, figures in found.items():
    assert 0.75 <= figures['within_80'] <= 0.85, damage
    assert figures['right'] == pytest.approx(
      figures['right_expected'], abs=0.08
    ), damage
