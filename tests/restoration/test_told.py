"""`--noise` and `--jpeg_quality`: what networks are told of a picture."""

import json

import cv2
import numpy as np
import published_networks
import pytest
import restore_command

from artjax.interop import safetensors_io


@pytest.fixture(scope='module', name='weights')
def weights_fixture(tmp_path_factory):
  """Path of a network that finds the quality of a JPEG."""
  fields = {'features': (4, 4, 4, 8), 'blocks': 1}
  config, params = published_networks.weights('fbcnn.FBCNN', fields)
  path = tmp_path_factory.mktemp('weights') / 'fbcnn.safetensors'
  safetensors_io.save(str(path), params, config)
  return path


def test_quality_is_told_or_estimated_and_on_record(tmp_path, weights, capsys):
  picture = tmp_path / 'a.png'
  rng = np.random.default_rng(0)
  cv2.imwrite(str(picture), rng.integers(0, 255, (20, 30, 3), np.uint8))
  run = lambda folder, *args: restore_command.run(
    capsys,
    picture,
    f'--weights={weights}',
    f'--output={tmp_path / folder}',
    '--report',
    *args,
  )
  assert run('found')[0] == run('told', '--jpeg_quality=40')[0] == 0
  status, _, err = run('noise', '--noise=30')
  assert status == 0 and 'noise' in err  # a notice: it is not told that
  read = lambda folder: json.loads(
    next((tmp_path / folder).glob('*.json')).read_text()
  )
  found = read('found')
  assert 0 <= found['estimated_jpeg_quality'] <= 100
  assert found['options']['jpeg_quality'] == 0
  told = read('told')
  assert 'estimated_jpeg_quality' not in told
  assert told['options']['jpeg_quality'] == 40
  with pytest.raises(SystemExit):
    run('wrong', '--jpeg_quality=101')
  assert 'jpeg_quality=101' in capsys.readouterr().err
