"""Runs of the command that end badly, with a chain that copies pictures."""

import errno
import io
import json
import os
import shutil
import signal
import sys
import tempfile
import time

import pytest

from artjax.image_io import vips
from artjax.restoration import chain as chain_lib
from artjax.restoration import command
from artjax.restoration import restore_file
from artjax.restoration.batch import journal

PNG = b'\x89PNG\r\n\x1a\n'


class Copies:
  """What the command asks of a chain."""

  finds = fills = makes_picture = True
  predicts_errors = False

  def __init__(self, weights):
    self.weights = weights

  def check(self, options, mask, hints):
    pass

  def notices(self, options, map_is_saved=False):
    return []

  def describe(self):
    return [{'name': self.weights}]


@pytest.fixture(name='calls', autouse=True)
def calls_fixture(monkeypatch):
  """Names of the pictures that were restored, in their order."""
  calls = []

  def copy(source, chain, outputs, *more):
    more[-1].opened(1)
    more[-1].write()
    calls.append(os.path.basename(source))
    for path in outputs.paths():
      os.makedirs(os.path.dirname(path), exist_ok=True)
      shutil.copyfile(source, path)
    return {'notices': [], 'tiling': []}

  monkeypatch.setattr(chain_lib, 'Chain', Copies)
  monkeypatch.setattr(restore_file, 'restore_file', copy)
  return calls


@pytest.fixture(name='folder')
def folder_fixture(tmp_path):
  for name in ('a.png', 'b.png', 'c.png'):
    (tmp_path / 'in').mkdir(exist_ok=True)
    (tmp_path / 'in' / name).write_bytes(PNG + name.encode())
  return tmp_path / 'in'


@pytest.fixture(name='run')
def run_fixture(capsys):
  def run(*args):
    """(exit status, the JSON of the last line, stderr)."""
    status = command.main([*map(str, args)])
    out, err = capsys.readouterr()
    return status, json.loads(out.splitlines()[-1]), err

  return run


def breaks(monkeypatch, on, error):
  """Restoring the picture of a name raises `error()`, when it is written."""
  restore = restore_file.restore_file

  def wrapped(source, *args):
    if os.path.basename(source) == on:
      args[-1].opened(1)
      args[-1].write()
      raise error()
    return restore(source, *args)

  monkeypatch.setattr(restore_file, 'restore_file', wrapped)


def test_resume_makes_what_is_newly_wanted(tmp_path, folder, run, calls):
  args = (folder, '-o', tmp_path / 'out', '--resume')
  assert run(*args)[1]['done'] == 3
  for more in ('--report', '--change_map', '--save_mask'):
    assert run(*args, more)[1]['done'] == 3
    assert run(*args, more)[1]['skipped'] == 3
  os.remove(tmp_path / 'out' / 'b.change.png')
  calls.clear()
  assert run(*args, '--change_map')[1]['skipped'] == 2
  assert calls == ['b.png']


def test_resume_reads_only_what_has_other_times(
  tmp_path, folder, run, calls, monkeypatch
):
  later, key, read = time.time() + 60, journal.key, []

  def noted(settings, *paths):
    read.append(os.path.basename(paths[0]))
    return key(settings, *paths)

  monkeypatch.setattr(journal.time, 'time', lambda: later)
  monkeypatch.setattr(journal, 'key', noted)
  args = (folder, '-o', tmp_path / 'out', '--resume')
  assert run(*args)[1]['done'] == 3
  os.utime(folder / 'b.png')
  (folder / 'c.png').write_bytes(PNG + b'other')
  calls.clear()
  read.clear()
  result = run(*args)[1]
  assert (result['done'], result['skipped']) == (1, 2)
  assert read == ['b.png', 'c.png'] and calls == ['c.png']
  # Other settings make everything again.
  assert run(*args, '--strength=0.5')[1]['done'] == 3


def test_resume_knows_copies_apart(tmp_path, folder, run):
  shutil.copyfile(folder / 'a.png', folder / 'd.png')
  args = (folder, '-o', tmp_path / 'out', '--resume')
  assert run(*args)[1]['done'] == 4
  assert run(*args)[1]['skipped'] == 4


def test_resume_knows_what_was_written_over(tmp_path, folder, run, calls):
  args = (folder / 'a.png', '-o', tmp_path / 'out', '--resume')
  for strength in ('1', '0.5', '1'):
    assert run(*args, f'--strength={strength}')[1]['done'] == 1
  assert run(*args, '--strength=1')[1]['skipped'] == 1


def test_results_below_the_folder_are_not_restored_again(folder, run, calls):
  args = (folder, '-o', folder / 'out', '--recursive')
  again = [*args, '--resume']
  for wanted, counts in ((again, (3, 0)), (again, (0, 3)), (args, (3, 0))):
    status, result, _ = run(*wanted)
    assert status == 0 and result['pictures'] == 3
    assert (result['done'], result['skipped']) == counts


def test_results_beside_their_sources_are_not_restored_again(folder, run):
  args = (folder, '-o', folder, '--name={stem}_new{suffix}')
  for _ in range(2):
    status, result, _ = run(*args)
    assert status == 0 and result['done'] == 3


@pytest.fixture
def hearing():
  """Signals act as in a terminal: jobs in the background ignore some."""
  usual = {
    signal.SIGINT: signal.default_int_handler,
    signal.SIGTERM: signal.SIG_DFL,
  }
  before = {number: signal.signal(number, usual[number]) for number in usual}
  yield
  for number, handler in before.items():
    signal.signal(number, handler)


@pytest.mark.parametrize(
  'number, status', [(signal.SIGINT, 130), (signal.SIGTERM, 143)]
)
def test_an_interrupted_run_ends_in_order(
  tmp_path, folder, run, monkeypatch, hearing, number, status
):
  before, restore = signal.getsignal(number), restore_file.restore_file

  def slow(source, *args):
    if source.endswith('b.png'):
      args[-1].opened(1)
      args[-1].write()
      os.kill(os.getpid(), number)
      while True:  # as a network that tells which tiles are done
        args[-1].tiles(lambda done, total: time.sleep(0.01), 0, 1)
    return restore(source, *args)

  monkeypatch.setattr(restore_file, 'restore_file', slow)
  have, result, err = run(folder, '-o', tmp_path / 'out')
  assert have == status and 'Traceback' not in err
  assert (result['done'], result['failed'], result['not_tried']) == (1, 0, 2)
  assert result['stopped'] == signal.Signals(number).name
  assert '--resume does what is left' in err
  assert signal.getsignal(number) is before


def test_a_picture_that_is_being_written_is_done_after_a_signal(
  tmp_path, folder, run, monkeypatch, hearing
):
  def last(source, chain, outputs, *more):
    more[-1].opened(1)
    more[-1].write()
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(0.5)  # in which the run hears of it
    shutil.copyfile(source, outputs.picture)
    return {'notices': [], 'tiling': []}

  monkeypatch.setattr(restore_file, 'restore_file', last)
  status, result, _ = run(folder, '-o', tmp_path / 'out')
  assert status == 130
  assert (result['done'], result['not_tried']) == (1, 2)


def test_ctrl_c_before_the_first_picture(tmp_path, folder, run, monkeypatch):
  def interrupted(weights):
    raise KeyboardInterrupt

  monkeypatch.setattr(chain_lib, 'Chain', interrupted)
  status, result, _ = run(folder, '-o', tmp_path / 'out')
  assert status == 130 and result['pictures'] == 0
  assert not (tmp_path / 'out').exists()


@pytest.mark.parametrize(
  'error',
  [
    lambda: vips.DiskFull('out/b.png: cannot be written: the disk is full'),
    lambda: OSError(errno.ENOSPC, 'No space left on device', 'out/b.png.json'),
  ],
)
def test_a_full_disk_ends_the_run(tmp_path, folder, run, monkeypatch, error):
  breaks(monkeypatch, 'b.png', error)
  status, result, err = run(folder, '-o', tmp_path / 'out')
  assert status == 1 and result['stopped'] == 'the disk is full'
  assert (result['done'], result['failed'], result['not_tried']) == (1, 1, 1)
  assert 'b.png' in err and 'stopped: the disk is full' in err


@pytest.mark.parametrize(
  'error, reason',
  [
    (lambda: PermissionError(13, 'Permission denied', 'out/b'), 'out/b: Perm'),
    (lambda: vips.temporary_files_are_full('b.png'), 'temporary files'),
    (lambda: MemoryError(), 'not enough memory'),
    (lambda: KeyError('x'), "failed unexpectedly (KeyError: 'x')"),
  ],
)
def test_after_any_other_failure_the_rest_goes_on(
  tmp_path, folder, run, monkeypatch, error, reason
):
  breaks(monkeypatch, 'b.png', error)
  status, result, err = run(folder, '-o', tmp_path / 'out')
  assert status == 1 and reason in err and 'Traceback' not in err
  assert (result['done'], result['failed'], result['stopped']) == (2, 1, '')


def test_a_journal_that_finds_no_room_ends_the_run(
  tmp_path, folder, run, monkeypatch
):
  def full(self, entry, files):
    raise OSError(errno.ENOSPC, 'No space left on device', self.path)

  monkeypatch.setattr('artjax.restoration.batch.journal.Journal.write', full)
  status, result, _ = run(folder, '-o', tmp_path / 'out')
  assert status == 1 and 'restore.jsonl: No space left' in result['stopped']
  assert (result['done'], result['not_tried']) == (1, 2)


def test_an_output_that_cannot_be_is_wrong_use(tmp_path, folder, capsys):
  (tmp_path / 'file').touch()
  for out in (tmp_path / 'file', tmp_path / 'file' / 'out'):
    with pytest.raises(SystemExit) as e:
      command.main([str(folder), '-o', str(out)])
    assert e.value.code == 2
    assert 'file is a file, not a folder' in capsys.readouterr().err
  (tmp_path / 'out' / 'restore.jsonl').mkdir(parents=True)
  with pytest.raises(SystemExit) as e:
    command.main([str(folder), '-o', str(tmp_path / 'out')])
  assert e.value.code == 2
  assert 'restore.jsonl: Is a directory' in capsys.readouterr().err


def test_names_that_are_not_unicode(tmp_path, folder, monkeypatch):
  name = os.fsdecode(b'\xff.png')
  (folder / name).write_bytes(PNG)
  streams = [io.BytesIO(), io.BytesIO()]
  for where, stream in zip(('stdout', 'stderr'), streams):
    text = io.TextIOWrapper(stream, 'ascii', errors='strict')
    monkeypatch.setattr(sys, where, text)
  args = [str(folder), '-o', str(tmp_path / 'out')]
  assert command.main([*args, '--dry_run']) == command.main(args) == 0
  sys.stdout.flush()
  assert b'\\udcff.png' in streams[0].getvalue()
  assert (tmp_path / 'out' / name).exists()


def test_stdin_is_a_picture(tmp_path, run, monkeypatch):
  monkeypatch.setattr(sys, 'stdin', io.TextIOWrapper(io.BytesIO(PNG + b'x')))
  (tmp_path / 'temporary').mkdir()
  monkeypatch.setattr(tempfile, 'tempdir', str(tmp_path / 'temporary'))
  status, result, _ = run('-', '-o', tmp_path / 'out')
  assert status == 0 and result['done'] == 1
  assert (tmp_path / 'out' / 'stdin.png').read_bytes() == PNG + b'x'
  assert not os.listdir(tmp_path / 'temporary')


def test_verbose_names_what_is_left_alone(tmp_path, folder, run):
  (folder / 'notes.txt').touch()
  _, _, err = run(folder, '-o', tmp_path / 'out', '--dry_run')
  assert '1 other files' in err and 'notes.txt' not in err
  _, _, err = run(folder, '-o', tmp_path / 'out', '--dry_run', '--verbose')
  assert f'{folder}/notes.txt: not named as a picture' in err
