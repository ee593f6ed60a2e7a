"""The journal of results: what was made, by which key, last."""

import json
import os
import shutil
import time

import pytest

from artjax.restoration.batch import journal


def keys(folder):
  return {path: one.key for path, one in journal.read(str(folder)).items()}


def test_what_was_made_last_counts(tmp_path):
  out = str(tmp_path / 'out')
  a, b = (os.path.join(out, name) for name in ('a.png', 'a.change.png'))
  with journal.Journal(out) as log:
    log.write({'status': 'done', 'key': 'one'}, [a, b])
    log.write({'status': 'done', 'key': 'two'}, [a])
  assert keys(out) == {a: 'two', b: 'one'}
  # A picture that failed may have left some of its files.
  with journal.Journal(out) as log:
    log.write({'status': 'failed', 'reason': 'x'}, [b])
  assert keys(out) == {a: 'two'}
  # The folder may be moved.
  os.rename(out, f'{out}2')
  assert journal.results(f'{out}2') == {os.path.join(f'{out}2', 'a.png')}


def test_lines_of_earlier_versions_and_torn_ones(tmp_path):
  old = {'status': 'done', 'key': 'k', 'output': str(tmp_path / 'a.png')}
  path = tmp_path / journal.NAME
  path.write_text(f'{json.dumps(old)}\n[]\n{{"status": "done", "key": "torn')
  with journal.Journal(str(tmp_path)) as log:
    log.write({'status': 'done', 'key': 'l'}, [str(tmp_path / 'b.png')])
  assert keys(tmp_path) == {
    str(tmp_path / 'a.png'): 'k',
    str(tmp_path / 'b.png'): 'l',
  }
  assert keys(tmp_path / 'none') == {}


def test_only_the_start_of_a_line_is_parsed(tmp_path, monkeypatch):
  out = str(tmp_path / 'out')
  a, odd = (os.path.join(out, name) for name in ('a"é.png', '[a].png'))
  entry = {'status': 'done', 'key': 'k1', 'stamp': 's1', 'more': '\n}'}
  with journal.Journal(out) as log:
    log.write({**entry, 'files': ['no.png'], 'written': 'no'}, [a])
    log.write({**entry, 'key': 'k2'}, [odd])
  with open(log.path, 'ab') as file:  # torn
    start = (
      '{"status": "done", "key": "k3", "stamp": "s3", "files": ["a.png"], '
    )
    file.write(f'{start}"written": 1e9, "mo'.encode())
  parsed, loads = [], json.loads
  monkeypatch.setattr(
    journal.json, 'loads', lambda line: parsed.append(line) or loads(line)
  )
  expected = {a: journal.Made('k1', 's1'), odd: journal.Made('k2', 's1')}
  assert journal.read(out) == expected
  assert [b'more' in line for line in parsed] == [False, True, False]


def test_what_was_made_last_counts_over_all_journals(tmp_path, monkeypatch):
  out = str(tmp_path / '[out]')  # no pattern
  a, b = (os.path.join(out, name) for name in ('a.png', 'b.png'))
  now = [1000.0]
  monkeypatch.setattr(journal.time, 'time', lambda: now[0])

  def write(shard, key, files, status='done'):
    with journal.Journal(out, shard) as log:
      log.write({'status': status, 'key': key}, files)
    now[0] += 1

  write('1-of-2', 'one', [a, b])
  write('0-of-2', 'two', [a])
  assert keys(out) == {a: 'two', b: 'one'}
  write('', 'three', [a])
  assert keys(out) == {a: 'three', b: 'one'}
  write('0-of-3', 'four', [b], 'failed')
  assert keys(out) == {a: 'three'}
  now[0] = 900.0  # the clock is set back: a journal keeps its order
  write('', 'five', [a])
  assert keys(out) == {a: 'five'}
  assert [os.path.basename(path) for path in journal.paths(out)] == [
    'restore.jsonl',
    'restore.shard-0-of-2.jsonl',
    'restore.shard-0-of-3.jsonl',
    'restore.shard-1-of-2.jsonl',
  ]


def test_a_line_that_finds_no_room_leaves_nothing(tmp_path):
  with journal.Journal(str(tmp_path)) as log:
    log.write({'status': 'done', 'key': 'k'}, [str(tmp_path / 'a.png')])
    before = (tmp_path / journal.NAME).read_bytes()

    class Full:
      """A file of which half is written."""

      def __init__(self, file):
        self.file = file

      def __getattr__(self, name):
        return getattr(self.file, name)

      def write(self, data):
        return self.file.write(data[: len(data) // 2])

    log._file = Full(log._file)
    with pytest.raises(OSError, match='No space left'):
      log.write({'status': 'done', 'key': 'k'}, [str(tmp_path / 'b.png')])
  assert (tmp_path / journal.NAME).read_bytes() == before


def test_what_all_files_of_a_picture_were_made_of(tmp_path):
  a, b, c = (str(tmp_path / f'{name}.png') for name in 'abc')
  one, two = journal.Made('one', 's'), journal.Made('two', 's')
  finished = journal.Finished({a: one, b: one, c: two})
  assert finished([a, b]) == journal.NOTHING  # they do not exist
  for path in (a, b, c):
    open(path, 'w').close()
  assert finished([a, b]) == one and finished([c]) == two
  assert finished([a, c]) == finished([]) == journal.NOTHING
  assert finished([a, str(tmp_path / 'd.png')]) == journal.NOTHING
  assert journal.Finished({})([a]) == journal.NOTHING


def test_a_stamp_changes_with_the_file(tmp_path, monkeypatch):
  now = time.time()
  path = tmp_path / 'a.png'
  path.write_bytes(b'one')
  assert journal.stamp('', str(path)) == ''  # it may change at once
  monkeypatch.setattr(journal.time, 'time', lambda: now + 60)
  stamps = [journal.stamp('', str(path)), journal.stamp('x', str(path))]
  before = path.stat()
  time.sleep(0.02)  # s, more than a tick of the clock of files
  path.write_bytes(b'two')
  os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
  stamps.append(journal.stamp('', str(path)))
  os.utime(path, (0, 0))
  stamps.append(journal.stamp('', str(path)))
  other = shutil.copy2(path, tmp_path / 'b.png')
  stamps.append(journal.stamp('', str(other)))
  assert '' not in stamps and len({*stamps}) == len(stamps)
  assert journal.stamp('', str(other)) == stamps[-1]
