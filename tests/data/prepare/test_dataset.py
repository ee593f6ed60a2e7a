"""Folders of pictures become datasets: whole, the same, or not at all."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

from absl import logging as absl_logging
from conftest import ROOT
from conftest import tiny_config
import cv2
import numpy as np
import pytest

from artjax.data import pipeline
from artjax.data import run_lock
from artjax.data import sources
from artjax.data.prepare import dataset
from artjax.data.prepare import subimages
from artjax.data.prepare import writer
from artjax.data.sources import decode

# TensorFlow's and TFDS' own.
pytestmark = pytest.mark.filterwarnings('ignore')
SETTINGS = subimages.Settings(48, 24, scales=(0.5,), min_size=24)


def write(path, seed, height=70, width=80):
  path.parent.mkdir(parents=True, exist_ok=True)
  picture = np.random.default_rng(seed).integers(
    0, 256, (height, width, 3), np.uint8
  )
  path.write_bytes(cv2.imencode(path.suffix, picture)[1].tobytes())


@pytest.fixture
def folder(tmp_path):
  """12 pictures, and four files that cannot be used."""
  root = tmp_path / 'photos'
  for i in range(12):
    write(root / ('sub' if i % 3 else '.') / f'{i}.png', i, 60 + i)
  write(root / 'small.png', 20, height=20)
  shutil.copy(root / '0.png', root / 'twice.png')
  data = (root / '3.png').read_bytes()
  (root / 'cut.png').write_bytes(data[:-100])
  (root / 'notes.txt').write_text('captions, no picture')
  return root


@pytest.fixture
def warned(monkeypatch):
  lines = []
  monkeypatch.setattr(
    absl_logging, 'warning', lambda text, *args: lines.append(text % args)
  )
  return lines


def command(photos, output, *arguments):
  return subprocess.run(
    [
      sys.executable,
      ROOT / 'scripts' / 'prepare_data.py',
      photos,
      f'--output={output}',
      '--name=paintings',
      '--crop=48',
      '--step=24',
      *arguments,
    ],
    capture_output=True,
    text=True,
    timeout=240,
  )


def listed(path):
  """{path below: bytes} of all files."""
  return {
    str(p.relative_to(path)): p.read_bytes()
    for p in pathlib.Path(path).rglob('*')
    if p.is_file()
  }


def test_pictures_become_a_dataset_that_sources_read(folder, tmp_path, warned):
  result = dataset.prepare(
    folder, tmp_path / 'out', 'paintings', SETTINGS, workers=2
  )
  assert result['pictures'] == 12 and result['rejected'] == 4
  assert not result['unchanged'] and result['dropped'] == 0
  text = '\n'.join(warned)
  assert 'left out 4 of 16 files' in text
  for line in (
    'small.png: too small: 80 x 20 px, min_size is 24',
    'twice.png: same content as 0.png',
    'cut.png: truncated PNG',
    f'notes.txt: {decode.NOT_A_PICTURE}',
  ):
    assert line in text
  # Splits follow the pictures, by the rule of sources.
  whole = sources.load(f'folder:{folder}', min_size=24)
  for part, number in result['sub_images'].items():
    expected = {}
    split = sources.split(whole, part, 0.2)
    for i, entry in enumerate(split.entries):
      kept, _ = subimages.cut(split[i]['image'], SETTINGS)
      if entry.name != 'twice.png':
        expected.update((f'{entry.name}@{k}', v) for k, v in kept)
    source = sources.load(f'tfds:paintings@{tmp_path}/out:{part}', min_size=24)
    assert len(source) == len(expected) == number and not source.rejected
    pixels = {window.tobytes() for window in expected.values()}
    assert {source[i]['image'].tobytes() for i in range(number)} == pixels
    assert set(dataset_names(tmp_path / 'out', part)) == set(expected)
  # Nothing is left beside it, and nothing in it tells where it was made.
  assert os.listdir(tmp_path / 'out') == ['paintings']
  for data in listed(tmp_path / 'out').values():
    assert str(tmp_path).encode() not in data


def dataset_names(output, part):
  import tensorflow_datasets as tfds

  data = tfds.data_source(
    'paintings',
    data_dir=output,
    split=part,
    decoders={'image': tfds.decode.SkipDecoding()},
  )
  return [data[i]['name'].decode() for i in range(len(data))]


def test_the_same_bytes_whatever_the_workers(folder, tmp_path, monkeypatch):
  dataset.prepare(folder, tmp_path / 'out0', 'paintings', SETTINGS, workers=1)
  # In another process, where hashes differ.
  command(
    folder, tmp_path / 'out1', '--scales', '0.5', '--min_size=24', '--workers=3'
  )
  one, other = listed(tmp_path / 'out0'), listed(tmp_path / 'out1')
  assert one == other and len(one) == 5
  # Also in files of a few records, all of which are found again.
  monkeypatch.setattr(writer, 'SHARD', 30_000)
  result = dataset.prepare(folder, tmp_path / 'out2', 'paintings', SETTINGS)
  assert len(listed(tmp_path / 'out2')) > 10
  for part in dataset.PARTS:
    names = dataset_names(tmp_path / 'out2', part)
    assert names == dataset_names(tmp_path / 'out0', part)
    assert len(names) == result['sub_images'][part]


def test_a_second_run_does_nothing_and_another_is_refused(
  folder, tmp_path, monkeypatch
):
  out = tmp_path / 'out'
  first = dataset.prepare(folder, out, 'paintings', SETTINGS)
  before = {path: path.stat().st_mtime_ns for path in out.rglob('*')}
  with monkeypatch.context() as patch:
    patch.setattr(writer, 'import_tfds', None)  # not even asked for
    again = dataset.prepare(folder, out, 'paintings', SETTINGS)
    assert again == {**first, 'unchanged': True}
    other = subimages.Settings(40, 24, scales=(0.5,), min_size=24)
    for settings, validation, difference in (
      (other, 0.2, 'made with crop=48: choose another --name or pass --over'),
      (SETTINGS, 0.3, r'made with validation=0\.2:'),
    ):
      with pytest.raises(ValueError, match=difference):
        dataset.prepare(
          folder, out, 'paintings', settings, validation=validation
        )
    (folder / 'sub' / '1.png').unlink()
    with pytest.raises(ValueError, match='made of other pictures:'):
      dataset.prepare(folder, out, 'paintings', SETTINGS)
  assert before == {path: path.stat().st_mtime_ns for path in out.rglob('*')}
  result = dataset.prepare(folder, out, 'paintings', other, overwrite=True)
  assert result['pictures'] == 11 and os.listdir(out) == ['paintings']
  assert dataset.prepare(folder, out, 'paintings', other)['unchanged']


def test_what_is_not_ours_is_left_alone(folder, tmp_path):
  (tmp_path / 'out' / 'paintings').mkdir(parents=True)
  note = tmp_path / 'out' / 'paintings' / 'note'
  note.write_text('mine')
  for overwrite in False, True:
    with pytest.raises(ValueError, match='was not made by this command'):
      dataset.prepare(
        folder, tmp_path / 'out', 'paintings', SETTINGS, overwrite=overwrite
      )
  assert note.read_text() == 'mine'


def test_what_cannot_be_is_one_clear_line(folder, tmp_path):
  def fails(message, name='paintings', pictures=folder, **arguments):
    with pytest.raises((ValueError, OSError), match=message) as error:
      dataset.prepare(pictures, tmp_path / 'out', name, **arguments)
    assert '\n' not in str(error.value)

  fails('must be lower-case letters', 'Paintings')
  fails('must be lower-case letters', '../x')
  fails('is that of a dataset of the TFDS catalogue', 'mnist')
  fails(r'validation=1 is not in \[0, 1\)', validation=1)
  fails('nowhere does not exist', pictures=tmp_path / 'nowhere')
  fails(
    'no usable picture; left out 16 files',
    settings=subimages.Settings(500, min_size=300),
  )
  fails(
    'every sub-image is flat; lower --min_std',
    settings=subimages.Settings(48, 24, min_std=200),
  )
  fails(
    'none of 12 pictures gives to the train part at --validation=0.999',
    validation=0.999,
  )
  fails(
    'none of 12 pictures gives to the validation part .* raise it',
    validation=1e-9,
  )
  (tmp_path / 'empty').mkdir()
  fails('no usable picture; left out 0 files', pictures=tmp_path / 'empty')
  assert not (tmp_path / 'out' / 'paintings').exists()
  result = dataset.prepare(folder, tmp_path / 'out', 'paintings', validation=0)
  assert list(result['sub_images']) == ['train']


def test_flat_ones_are_counted(folder, tmp_path):
  cv2.imwrite(str(folder / 'flat.png'), np.full((96, 96, 3), 9, np.uint8))
  settings = subimages.Settings(48, 48, min_std=2)
  result = dataset.prepare(folder, tmp_path / 'out', 'paintings', settings)
  assert result['dropped'] == 4 and result['pictures'] == 13


def test_only_one_run_at_a_time(folder, tmp_path):
  with run_lock.held(str(tmp_path / 'out' / '.paintings.parts'), 'held'):
    with pytest.raises(ValueError, match='another run is at work'):
      dataset.prepare(folder, tmp_path / 'out', 'paintings', SETTINGS)
  dataset.prepare(folder, tmp_path / 'out', 'paintings', SETTINGS)


def test_missing_packages_are_one_line(folder, tmp_path, monkeypatch):
  for name in 'tensorflow_datasets', 'array_record.python':
    with monkeypatch.context() as patch:
      patch.setitem(sys.modules, name, None)
      with pytest.raises(ValueError, match='needs tensorflow-da') as error:
        dataset.prepare(folder, tmp_path / 'out', 'paintings', SETTINGS)
      assert '\n' not in str(error.value)


def test_workers_import_no_framework():
  code = (
    'import sys; import artjax.data.prepare.dataset; print([m for m in '
    '("jax", "tensorflow", "tensorflow_datasets", "flax") '
    'if m in sys.modules])'
  )
  out = subprocess.run(
    [sys.executable, '-W', 'error', '-c', code],
    cwd=ROOT,
    check=True,
    capture_output=True,
    text=True,
  )
  assert out.stdout.strip() == '[]'


# The command, with nothing to import before it cuts, and which waits to be
# interrupted where all is cut before the test has looked.
# In the background of a script a process is born deaf to interrupts.
COMMAND = f"""
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.path.insert(0, {str(ROOT)!r})
from artjax.commands import prepare_data
from artjax.data.prepare import writer
writer.import_tfds = lambda name: None
writer.write = lambda *arguments: time.sleep(60)
sys.exit(prepare_data.main())
"""


@pytest.mark.skipif(not hasattr(os, 'killpg'), reason='needs process groups')
@pytest.mark.parametrize('sign', [signal.SIGKILL, signal.SIGINT])
def test_an_interrupted_run_goes_on(tmp_path, monkeypatch, sign):
  photos, out = tmp_path / 'photos', tmp_path / 'out'
  photos.mkdir()
  for i in range(24):  # slow to cut, quick to write
    cv2.imwrite(str(photos / f'{i}.png'), np.full((960, 960, 3), i))
  settings = subimages.Settings(160, 80)
  process = subprocess.Popen(
    [
      sys.executable,
      '-c',
      COMMAND,
      photos,
      f'--output={out}',
      '--name=art',
      '--crop=160',
      '--step=80',
      '--workers=2',
    ],
    start_new_session=True,
    stdout=subprocess.PIPE,
    stderr=subprocess.PIPE,
    text=True,
  )
  parts = lambda: [
    p for p in (out / '.art.parts').glob('*/*') if not p.name.endswith('.part')
  ]
  deadline = time.time() + 60
  while not parts() and time.time() < deadline:
    time.sleep(0.01)
  if sign == signal.SIGINT:
    os.killpg(process.pid, sign)  # as a terminal does
  else:
    process.kill()
  try:
    # Workers hold the pipes too, so this waits for their end as well.
    output, errors = process.communicate(timeout=60)
  except subprocess.TimeoutExpired:
    os.killpg(process.pid, signal.SIGKILL)
    raise AssertionError('workers outlive their parent') from None
  assert not output and 'Traceback' not in errors
  if sign == signal.SIGINT:
    assert process.returncode == 130 and 'goes on from there' in errors
  assert os.listdir(out) == ['.art.parts']  # no half of a dataset
  done = {p: p.stat().st_mtime_ns for p in parts()}
  assert done
  real, seen = writer.write, {}

  def write_dataset(*arguments):
    seen.update({p: p.stat().st_mtime_ns for p in parts()})
    return real(*arguments)

  monkeypatch.setattr(writer, 'write', write_dataset)
  dataset.prepare(photos, out, 'art', settings, workers=2)
  assert len(seen) == 24 and done.items() <= seen.items()  # none made anew
  if sign == signal.SIGKILL:
    dataset.prepare(photos, tmp_path / 'fresh', 'art', settings, workers=2)
    assert listed(out) == listed(tmp_path / 'fresh')


def test_a_worker_that_dies_is_one_line(folder, tmp_path, monkeypatch):
  monkeypatch.setattr(subimages, 'start_worker', os.abort)
  monkeypatch.setattr(writer, 'import_tfds', lambda name: None)
  with pytest.raises(ValueError, match='fewer --workers'):
    dataset.prepare(folder, tmp_path / 'out', 'paintings', SETTINGS, workers=1)


def test_a_dataset_makes_batches_and_pictures(folder, tmp_path):
  dataset.prepare(folder, tmp_path / 'out', 'paintings', SETTINGS)
  source = f'tfds:paintings@{tmp_path}/out'
  config = tiny_config(
    **{
      'data.source': f'{source}:train',
      'data.validation': 0.0,
      'eval.source': f'{source}:validation',
      'data.min_size': 24,
    }
  )
  batches = pipeline.batches(config, num_devices=1)
  assert next(batches)['image'].shape[2:] == (32, 32, 3)
  batches.close()
  assert len(list(pipeline.pictures(config))) == config.eval.max_pictures


def test_the_command_prints_json_last(folder, tmp_path):
  run = lambda *scales: command(
    folder, tmp_path / 'out', '--min_std=1', '--scales', *scales
  )
  out = run('0.5', '0.75')
  result = json.loads(out.stdout.splitlines()[-1])
  assert result['pictures'] == 12 and result['rejected'] == 4
  assert result['output'] == f'{tmp_path}/out/paintings'
  assert result['source'] == f'tfds:paintings@{tmp_path}/out:train'
  assert result['eval_source'] == f'tfds:paintings@{tmp_path}/out:validation'
  assert 'Dropped 0 flat' in out.stderr and 'cut.png: trunc' in out.stderr
  again = run('0.5', '0.75')
  assert again.returncode == 0 and 'Nothing to do' in again.stderr
  assert json.loads(again.stdout)['unchanged']
  other = run('0.5')
  assert other.returncode == 1 and not other.stdout
  assert other.stderr.startswith('artjax prepare-data: ')
  assert len(other.stderr.splitlines()) == 1
