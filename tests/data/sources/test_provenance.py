"""What is known of pictures goes with them: folders, datasets, runs."""

import json
import os

from conftest import tiny_config
from drawn_pictures import write
import pytest

from artjax.data import sources
from artjax.data.prepare import dataset
from artjax.data.prepare import subimages
from artjax.data.sources import provenance
from artjax.training import workdir

CC0 = 'https://creativecommons.org/publicdomain/zero/1.0/'
PDM = 'https://creativecommons.org/publicdomain/mark/1.0/'


def describe(folder, **licences):
  """Writes pictures, and the lines about them."""
  for i, name in enumerate(licences):
    write(folder / f'{name}.png', i + len(str(folder)))
  lines = [
    json.dumps(
      {
        'file': f'{name}.png',
        'licence': licence,
        'credit': f'Gift of {name.upper()}',
      }
    )
    for name, licence in licences.items()
    if licence
  ]
  text = '\n'.join(['{"file": "gone.png", "licence": "x"}', *lines])
  (folder / 'pictures.jsonl').write_text(text + '\n{"file": "hal')
  return folder


def test_a_folder_says_where_its_pictures_are_from(tmp_path):
  describe(tmp_path / 'met', a=CC0, b=PDM, c='')
  describe(tmp_path / 'artic', d=CC0)
  source = sources.load(f'folder:{tmp_path}')
  assert not source.rejected  # the descriptions are no broken pictures
  assert {k: v['licence'] for k, v in source.provenance.items()} == {
    'met/a.png': CC0,
    'met/b.png': PDM,
    'artic/d.png': CC0,
  }
  assert source.subset([0]).provenance == source.provenance
  one, two = f'{tmp_path}/met', f'{tmp_path}/artic/'
  source = sources.load(f'folder:{one},{two}')
  assert sorted(source.provenance) == [
    f'{tmp_path}/artic/d.png',
    f'{tmp_path}/met/a.png',
    f'{tmp_path}/met/b.png',
  ]
  assert set(source.provenance) <= {entry.name for entry in source.entries}


def test_a_summary_for_a_run(tmp_path):
  describe(tmp_path / 'met', a=CC0, b=PDM, c='', e=CC0)
  spec = f'folder:{tmp_path}/met'
  assert sources.provenance_of(spec) == {
    'source': spec,
    'licences': {CC0: 2, PDM: 1},
    'credits': ['Gift of A', 'Gift of B', 'Gift of E'],
  }
  write(tmp_path / 'own' / 'x.png')
  for spec in f'folder:{tmp_path}/own', 'sample', 'tfds:x', 'folder:nowhere':
    assert sources.provenance_of(spec) == {}


def test_the_last_line_counts(tmp_path):
  (tmp_path / 'pictures.jsonl').write_text(
    '{"file": "a", "licence": "1"}\n[]\n{"file": "a", "licence": "2"}\n{}\n'
  )
  assert provenance.read(tmp_path) == {'a': {'file': 'a', 'licence': '2'}}


@pytest.mark.filterwarnings('ignore')  # TensorFlow's and TFDS' own
def test_a_dataset_keeps_it(tmp_path):
  photos = describe(tmp_path / 'photos', a=CC0, b=PDM, c='', d=CC0)
  result = dataset.prepare(
    photos, tmp_path / 'out', 'art', subimages.Settings(48, 48), validation=0
  )
  assert (result['pictures'], result['rejected']) == (4, 0)
  spec = f'tfds:art@{tmp_path}/out'
  source = sources.load(spec)
  assert {k: v['licence'] for k, v in source.provenance.items()} == {
    'a.png': CC0,
    'b.png': PDM,
    'd.png': CC0,
  }
  assert sources.provenance_of(f'{spec}:train')['licences'] == {CC0: 2, PDM: 1}
  info = tmp_path / 'out' / 'art' / '1.0.0' / 'dataset_info.json'
  assert f'{CC0}, {PDM}' in info.read_text()


def test_a_run_keeps_it(tmp_path):
  describe(tmp_path / 'met', a=CC0)
  config = tiny_config(**{'data.source': f'folder:{tmp_path}/met'})
  workdir.write_pictures(config, str(tmp_path))
  assert workdir.read_pictures(str(tmp_path))['licences'] == {CC0: 1}
  config = tiny_config(**{'data.source': 'sample'})
  os.makedirs(tmp_path / 'run')
  workdir.write_pictures(config, str(tmp_path / 'run'))
  assert not os.listdir(tmp_path / 'run')
  assert workdir.read_pictures(str(tmp_path / 'run')) == {}
