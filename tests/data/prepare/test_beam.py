"""Apache Beam makes the same dataset, byte for byte.

Beam does not go with the versions of requirements/lock.txt: `make beam-setup`
makes an environment of its own, in which these tests run.
"""

import json
import sys

from drawn_pictures import write
import pytest

from artjax.commands import prepare_data
from artjax.data.prepare import beam
from artjax.data.prepare import dataset
from artjax.data.prepare import subimages
from artjax.data.prepare import writer

# Beam's, TensorFlow's and TFDS' own.
pytestmark = pytest.mark.filterwarnings('ignore')
SETTINGS = subimages.Settings(48, 24, min_size=24)


@pytest.fixture
def runner():
  pytest.importorskip('apache_beam', reason='make beam-setup installs it')
  return beam.Runner('DirectRunner')


@pytest.fixture
def photos(tmp_path):
  for i in range(9):
    write(tmp_path / 'photos' / f'{i}.png', i, 60 + i, 80)
  (tmp_path / 'photos' / 'cut.png').write_bytes(b'\x89PNG\r\n\x1a\n')
  (tmp_path / 'photos' / 'pictures.jsonl').write_text(
    ''.join(
      json.dumps({'file': f'{i}.png', 'licence': f'https://x/{i % 2}/'}) + '\n'
      for i in range(9)
    )
  )
  return tmp_path / 'photos'


def listed(path):
  return {
    str(p.relative_to(path)): p.read_bytes()
    for p in path.rglob('*')
    if p.is_file()
  }


def test_the_same_bytes_of_200_pictures(runner, photos, tmp_path, monkeypatch):
  for i in range(9, 200):
    write(photos / f'{i}.png', i, 60 + i % 30, 80)
  monkeypatch.setattr(writer, 'SHARD', 10**6)  # several files
  make = lambda name, **way: dataset.prepare(
    photos, tmp_path / name, 'art', SETTINGS, **way
  )
  one = make('local', workers=1)
  other = make('beam', runner=runner)
  assert one == other and one['pictures'] == 200 and one['rejected'] == 1
  assert listed(tmp_path / 'local') == listed(tmp_path / 'beam')
  assert len(listed(tmp_path / 'local')) > 8
  assert [p.name for p in (tmp_path / 'beam').iterdir()] == ['art']


def test_a_failure_of_a_worker_is_one_line(runner, photos, tmp_path):
  runner.results = str(tmp_path / 'results')
  with pytest.raises(ValueError, match='--beam=DirectRunner: .*nowhere'):
    runner.map(
      beam.cut,
      [beam.Cut('/nowhere/x.png', b'', str(tmp_path / 'part'), SETTINGS)],
    )


def test_an_unknown_runner_is_one_line(runner):
  with pytest.raises(ValueError, match='--beam=NoRunner: '):
    beam.Runner('NoRunner')


def test_without_beam_it_says_what_to_do(photos, tmp_path, monkeypatch):
  monkeypatch.setitem(sys.modules, 'apache_beam', None)
  with pytest.raises(SystemExit, match='needs Apache Beam: make beam-setup'):
    prepare_data.main(
      [str(photos), f'--output={tmp_path}', '--name=art', '--beam=DirectRunner']
    )


def test_files_are_divided_as_the_writer_does(photos, tmp_path, monkeypatch):
  """Without Beam: a runner that maps here."""

  class Here:
    def map(self, function, items):
      return [json.loads(json.dumps(function(item))) for item in items]

  monkeypatch.setattr(writer, 'SHARD', 30_000)
  modules = writer.import_tfds('art')
  parts = []
  for i in range(9):
    part = str(tmp_path / 'parts' / str(i))
    path = photos / f'{i}.png'
    digest = dataset.hashlib.sha256(path.read_bytes()).digest()
    beam.cut(beam.Cut(str(path), digest, part, SETTINGS))
    parts.append((path.name, part))
  numbers = {
    'train': sum(subimages.read_summary(part)['kept'] for _, part in parts)
  }
  one = writer.write(
    modules, str(tmp_path / 'one'), 'art', numbers, {'train': parts}
  )
  other = beam.write(Here(), str(tmp_path / 'two'), 'art', {'train': parts})
  assert one == other and len(one['train']) > 5
  assert listed(tmp_path / 'one') == listed(tmp_path / 'two')
