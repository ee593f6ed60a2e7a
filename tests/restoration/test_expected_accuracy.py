"""How right a result is expected to be, of a file and in words."""

import json
import os

from conftest import confident_config
from conftest import random_params
import numpy as np
import pytest
import pyvips

from artjax import registry
from artjax.image_io import vips
from artjax.inference import confidence
from artjax.interop import safetensors_io
from artjax.restoration import chain as chain_lib
from artjax.restoration import command
from artjax.restoration import expected_accuracy
from artjax.restoration import restore_file
from artjax.restoration.options import Options

# 90 % are right at a scale of .01, 10 % at .1.
CALIBRATION = confidence.Calibration(
  log_scale=(float(np.log(0.01)), float(np.log(0.1))),
  within=(4.0, 60.0),
  right=(0.9, 0.1),
  error=(2.0, 30.0),
  square=(10.0, 1000.0),
)


def predicted(scales):
  found = expected_accuracy.PredictedErrors(CALIBRATION, *np.shape(scales))
  rows = np.zeros([*np.shape(scales), 4], np.float32)
  rows[..., 3] = np.log(scales)
  strips = [(0, rows[:1]), (1, rows[1:])]
  assert [r.shape[-1] for _, r in found.taken_from(strips)] == [3, 3]
  return found


def test_expected_accuracy_is_the_mean_over_the_pixels():
  found = predicted([[0.01, 0.01], [0.01, 0.1]]).describe(None)
  assert found['right_within_5'] == pytest.approx(0.7, abs=0.01)
  assert found['mean_error'] == pytest.approx(9, rel=0.05)
  assert found['psnr'] == pytest.approx(confidence.psnr(257.5), abs=0.2)
  assert found['filled'] == 0
  assert found['sentence'] == (
    'about 70 % of the pixels are expected to be right to within 5 of 255 '
    'levels'
  )


def test_what_is_filled_counts_as_not_known(tmp_path):
  hole = np.array([[True, False], [False, False]])
  found = predicted([[0.01, 0.01], [0.01, 0.1]])
  said = found.describe(hole)
  assert said['right_within_5'] == pytest.approx(0.475, abs=0.01)
  assert said['filled'] == 0.25
  assert '25 % is filled in, which is conjecture' in said['sentence']
  found.save(str(tmp_path / 'map.png'), hole)
  grey = pyvips.Image.new_from_file(str(tmp_path / 'map.png')).numpy()
  np.testing.assert_allclose(grey, [[255, 4], [4, 60]], atol=1)
  all_of_it = found.describe(np.ones([2, 2], bool))
  assert 'all of it is filled' in all_of_it['sentence']


@pytest.fixture(scope='module')
def weights(tmp_path_factory):
  folder = tmp_path_factory.mktemp('weights')
  config = confident_config()
  with config.unlocked():
    config.update(CALIBRATION.as_json())
  params = random_params(registry.model(config), 0.05)
  path = str(folder / 'says.safetensors')
  safetensors_io.save(path, params, config)
  del params['confidence']
  config.model.args.confidence = False
  mute = str(folder / 'mute.safetensors')
  safetensors_io.save(mute, params, config)
  return path, mute


@pytest.fixture
def picture(tmp_path):
  values = np.random.default_rng(0).integers(0, 256, [60, 90, 3], np.uint8)
  path = str(tmp_path / 'a.png')
  vips.image(values).write_to_file(path)
  return path


def test_command_writes_map_record_and_sentence(
  tmp_path, picture, weights, capsys
):
  out = str(tmp_path / 'out')
  argv = [picture, '-o', out, f'--weights={weights[0]}', '--report']
  assert command.main([*argv, '--confidence_map']) == 0
  assert 'expected to be right to within 5 of 255' in capsys.readouterr().err
  with open(os.path.join(out, 'a.png.json')) as file:
    record = json.load(file)
  assert 0 < record['confidence']['right_within_5'] < 1
  assert record['options']['confidence_map'] is True
  grey = pyvips.Image.new_from_file(os.path.join(out, 'a.confidence.png'))
  assert (grey.height, grey.width, grey.bands) == (60, 90, 1)


def test_mute_weights_say_nothing_and_have_no_map(
  tmp_path, picture, weights, capsys
):
  out = str(tmp_path / 'out')
  argv = [picture, '-o', out, f'--weights={weights[1]}', '--report']
  assert command.main(argv) == 0
  assert 'expected' not in capsys.readouterr().err
  with open(os.path.join(out, 'a.png.json')) as file:
    assert 'confidence' not in json.load(file)
  with pytest.raises(SystemExit):
    command.main([*argv, '--confidence_map'])
  assert '--confidence_map needs calibrated weights' in capsys.readouterr().err


def test_half_the_strength_has_other_errors(tmp_path, picture, weights):
  chain = chain_lib.Chain(weights[0])
  outputs = restore_file.Outputs(str(tmp_path / 'o.png'))
  run = lambda **how: restore_file.restore_file(
    picture, chain, outputs, Options(**how)
  )
  assert 'confidence' not in run(strength=0.5)
  both = run(self_ensemble=True)
  assert 'confidence' in both and both['uncertainty_max'] > 0
  assert not chain_lib.Chain(weights[::-1] + weights[1:]).predicts_errors
  assert chain_lib.Chain(weights[::-1]).predicts_errors


def test_the_picture_is_that_of_mute_weights(tmp_path, picture, weights):
  made = []
  for path in weights:
    outputs = restore_file.Outputs(str(tmp_path / 'o.png'))
    restore_file.restore_file(picture, chain_lib.Chain(path), outputs)
    made.append(pyvips.Image.new_from_file(outputs.picture).numpy())
  np.testing.assert_allclose(made[0].astype(int), made[1], atol=1)
