"""`artjax weights` and `artjax import-weights`: the user's own folder."""

import json
import re
import shutil

import cv2
import numpy as np
import published_networks
import pytest
import torch_containers

from artjax.commands import import_weights
from artjax.commands import weights as command
from artjax.inference import catalogue
from artjax.inference import loading
from artjax.inference import weights
from artjax.interop import safetensors_io
from artjax.restoration import command as restore


@pytest.fixture
def folder(tmp_path, monkeypatch):
  """The user's folder; no weights ship."""
  monkeypatch.setenv('ARTJAX_WEIGHTS', str(tmp_path / 'own'))
  empty = tmp_path / 'empty'
  monkeypatch.setattr(weights, 'pretrained_folder', lambda: empty)
  (tmp_path / 'own').mkdir()
  return tmp_path / 'own'


def published_file(path, name='dncnn'):
  tensors, _ = published_networks.golden(name)
  torch_containers.write_zip(path, {'params': tensors})
  return path


def listed(capsys, *args):
  status = command.main(args)
  return status, capsys.readouterr().out


def test_an_imported_file_has_its_source_and_a_name(folder, tmp_path, capsys):
  path = published_file(tmp_path / 'dncnn_tiny.pth')
  assert import_weights.main([str(path), '--licence=MIT']) == 0
  said = json.loads(capsys.readouterr().out)
  output = folder / 'dncnn_tiny.safetensors'
  assert said['output'] == str(output)
  header, _ = safetensors_io.describe(output)
  assert header['source'] == said['source']
  assert header['source'] == {
    'file': 'dncnn_tiny.pth',
    'sha256': safetensors_io.file_sha256(path),
    'licence': 'MIT',
  }
  config, params = loading.load_checked('dncnn_tiny')
  assert config.model.name == 'dncnn.DnCNN'
  assert safetensors_io.sha256(params) == safetensors_io.sha256(
    loading.load(str(path))[1]
  )
  status, text = listed(capsys)
  assert status == 0
  row = next(r for r in text.splitlines() if r.startswith('dncnn_tiny'))
  count = sum(v.size for v in safetensors_io.flatten(params).values())
  assert row.split() == [
    'dncnn_tiny',
    'restore',
    'x1',
    f'{count:,}',
    'dncnn.DnCNN',
    'MIT',
  ]
  assert str(folder) in text


def test_a_published_file_in_the_folder_has_a_name_too(folder, capsys):
  path = published_file(folder / 'scan.pth', 'esrgan_x2')
  assert weights.find('scan') == weights.find('scan.pth') == str(path)
  config, _ = loading.load_checked('scan')
  assert config.model.args.scale == 2
  _, text = listed(capsys, '--json')
  entry = json.loads(text)
  assert entry['scale'] == 2 and entry['licence'] == 'not stated'
  assert entry['model'] == 'rrdb.RRDBNet' and not entry['problem']
  # Its imported form counts before it.
  import_weights.main([str(path)])
  assert weights.find('scan') == str(folder / 'scan.safetensors')


def test_a_noise_level_is_no_parameter(folder, tmp_path, capsys):
  tensors, _ = published_networks.golden('ffdnet')
  torch_containers.write_zip(tmp_path / 'told.pth', {'params': tensors})
  import_weights.main([str(tmp_path / 'told.pth')])
  count = sum(value.size for value in tensors.values())
  assert json.loads(capsys.readouterr().out)['parameters'] == count
  assert [entry.parameters for entry in catalogue.entries()] == [count]


def test_what_cannot_be_used_is_said(folder, capsys):
  torch_containers.write_zip(
    folder / 'other.pth', {'fc.weight': np.zeros((2, 2), np.float32)}
  )
  (folder / 'broken.ckpt').write_bytes(b'nothing of the kind')
  (folder / 'notes.txt').write_text('no weights')
  status, text = listed(capsys)
  assert status == 1
  lines = text.splitlines()
  assert any(
    r.startswith('other') and 'unknown architecture' in r for r in lines
  )
  assert any(
    r.startswith('broken') and 'not a file of tensors' in r for r in lines
  )
  assert 'notes' not in text
  with pytest.raises(FileNotFoundError, match='one of: broken, other'):
    weights.find('nonsense')


def test_shipped_weights_are_listed_first_and_win(folder, capsys, monkeypatch):
  shipped = folder.parent / 'shipped'
  shipped.mkdir()
  for place in (shipped, folder):
    shutil.copy(published_file(folder.parent / 'a.pth'), place / 'a.pth')
  published_file(folder / 'b.pth')
  monkeypatch.setattr(weights, 'pretrained_folder', lambda: shipped)
  assert weights.find('a') == str(shipped / 'a.pth')
  entries = list(catalogue.entries())
  assert [(e.name, e.licence) for e in entries] == [
    ('a', 'Apache-2.0'),
    ('b', 'not stated'),
  ]


def test_the_folder_need_not_be_there(tmp_path, monkeypatch, capsys):
  monkeypatch.setenv('ARTJAX_WEIGHTS', str(tmp_path / 'gone'))
  assert list(weights.files(weights.user_folder())) == []
  monkeypatch.delenv('ARTJAX_WEIGHTS')
  monkeypatch.setenv('XDG_DATA_HOME', str(tmp_path))
  assert weights.user_folder() == tmp_path / 'artjax' / 'weights'


def test_a_file_is_not_written_over_itself(folder, capsys):
  from safetensors import numpy as safetensors

  tensors, _ = published_networks.golden('dncnn')
  path = folder / 'x.safetensors'
  safetensors.save_file(tensors, path)
  before = path.read_bytes()
  with pytest.raises(SystemExit, match='is the published file itself'):
    import_weights.main([str(path)])
  assert path.read_bytes() == before


def test_a_published_filler_is_used_by_its_file_and_by_its_name(
  folder, tmp_path, capsys
):
  path = published_file(tmp_path / 'big-lama.pt', 'lama_even')
  rng = np.random.default_rng(0)
  picture = rng.integers(0, 256, (40, 60, 3), np.uint8)
  hole = np.zeros((40, 60), np.uint8)
  hole[10:25, 20:50] = 255
  scan, mask = str(tmp_path / 'scan.png'), str(tmp_path / 'mask.png')
  cv2.imwrite(scan, picture)
  cv2.imwrite(mask, hole)
  assert import_weights.main([str(path), '--licence=Apache-2.0']) == 0
  found = []
  for name in (str(path), 'big-lama'):
    out = tmp_path / f'out{len(found)}'
    args = [scan, f'--weights={name}', f'--mask={mask}', f'--output={out}']
    assert restore.main(args) == 0
    found.append(cv2.imread(str(out / 'scan.png')))
  known = hole == 0
  np.testing.assert_array_equal(found[0], found[1])
  np.testing.assert_array_equal(found[0][known], picture[known])
  assert (found[0][~known] != picture[~known]).mean() > 0.9
  capsys.readouterr()
  status, text = listed(capsys)
  assert status == 0
  assert re.search(r'big-lama +inpaint +x1 .*lama.LaMa +Apache-2.0', text)
