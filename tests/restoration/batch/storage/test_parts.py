"""Journals in object stores."""

import fsspec
import pytest

from artjax.restoration.batch import journal
from artjax.restoration.batch.storage import parts

OUT = 'memory://out'


@pytest.fixture
def store():
  memory = fsspec.filesystem('memory')
  memory.store.clear()
  yield memory
  memory.store.clear()


def keys(folder=OUT):
  return {path: one.key for path, one in journal.read(folder).items()}


def test_lines_are_kept_back_for_a_time(store, monkeypatch):
  now = [100.0]
  monkeypatch.setattr(parts.time, 'monotonic', lambda: now[0])
  log = journal.opened(OUT)
  a, b, c = (f'{OUT}/{name}' for name in ('a.png', 'sub/b.png', 'c.png'))
  log.write({'status': 'done', 'key': '1'}, [a])
  assert keys() == {}  # a run that is killed now makes it again
  now[0] += parts.EVERY
  log.write({'status': 'done', 'key': '2'}, [b])
  assert keys() == {a: '1', b: '2'}
  log.write({'status': 'done', 'key': '3'}, [c])
  log.flush()
  assert keys() == {a: '1', b: '2', c: '3'}
  assert len(store.find('/out')) == 1
  # Another run has a journal of its own; what was made last counts.
  with journal.opened(OUT, '0-of-2') as other:
    other.write({'status': 'failed'}, [a])
  assert len(store.find('/out')) == 2 and keys() == {b: '2', c: '3'}


def test_parts_are_not_endless_and_keep_their_order(store, monkeypatch):
  monkeypatch.setattr(parts, '_LARGEST', 300)
  with journal.opened(OUT) as log:
    for i in range(20):
      files = [f'{OUT}/a.png', f'{OUT}/{i}.png']
      log.write({'status': 'done', 'key': f'{i}'}, files)
  names = store.find('/out')
  assert 5 < len(names) <= 20
  assert keys() == {f'{OUT}/{i}.png': f'{i}' for i in range(20)} | {
    f'{OUT}/a.png': '19'
  }


def test_a_run_without_results_leaves_nothing(store):
  with journal.opened(OUT):
    assert len(store.find('/out')) == 1  # that it can be written has been seen
  assert store.find('/out') == []


def test_results_can_move_to_this_machine_and_back(store, tmp_path):
  with journal.opened(OUT) as log:
    log.write({'status': 'done', 'key': '1'}, [f'{OUT}/a.png'])
  store.get('/out', str(tmp_path), recursive=True)
  (folder,) = {p.parent for p in tmp_path.rglob('*.jsonl')}
  a = str(folder / 'a.png')
  assert keys(str(folder)) == {a: '1'}
  with journal.opened(str(folder)) as log:
    log.write({'status': 'done', 'key': '2'}, [a])
  store.put_file(log.path, f'{OUT}/restore.jsonl')
  assert keys() == {f'{OUT}/a.png': '2'}
