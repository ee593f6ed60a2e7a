"""Several pictures in work: what overlaps, what waits, and what is the same."""

import collections
import functools
import io
import json
import os
import signal
import threading
import time

import numpy as np
import pytest
from restore_command import listed
from restore_command import run

from artjax.image_io import vips
from artjax.restoration import restore_file
from artjax.restoration.batch import finding
from artjax.restoration.batch import interrupts as interrupts_lib
from artjax.restoration.batch import journal
from artjax.restoration.batch import progress
from artjax.restoration.batch import running
from artjax.restoration.batch import steps
from artjax.restoration.batch import turns
from artjax.restoration.batch import worker as worker_lib

NAMES = [*'abcdefghi']
PATIENCE = 20.0  # s until a test that waits in vain fails


@pytest.fixture(name='line')
def line_fixture():
  with turns.Line() as line:
    yield line


def results(line, begun):
  """Of turns that are led one after the other."""
  found = []
  for turn in begun:
    line.lead(turn)
    line.wait_until(lambda turn=turn: turn.ended, lambda: None)
    found.append(turn.result())
  return found


def test_the_next_is_opened_while_a_network_runs(line):
  runs, opened, encoding, done = (threading.Event() for _ in range(4))

  def first(turn):
    turn.opened(1)
    with turn.network():
      runs.set()
      assert opened.wait(PATIENCE)
    encoding.set()
    assert done.wait(PATIENCE)
    turn.write()

  def second(turn):
    assert runs.wait(PATIENCE)
    turn.opened(1)
    opened.set()
    with turn.network():  # while the first is encoded
      assert encoding.wait(PATIENCE)
    done.set()
    turn.write()

  begun = [line.begin(first)]
  line.wait_until(line.has_room, lambda: None)
  results(line, [*begun, line.begin(second)])


def begin_all(line, restore, names):
  """Turns of `restore(name, turn)`, begun as soon as there is room."""
  begun = []
  for name in names:
    line.wait_until(line.has_room, lambda: None)
    begun.append(line.begin(functools.partial(restore, name)))
  return begun


def test_one_network_runs_at_a_time_that_of_the_first_that_waits(line):
  order, begun, seen, runs = [], [], [], threading.Event()

  def until(ready):
    end = time.monotonic() + PATIENCE
    while not ready():
      assert time.monotonic() < end
      time.sleep(0.001)

  def wanted(*names):
    return all(begun['abc'.index(name)].wants_network for name in names)

  def restore(name, turn):
    turn.opened(1)
    with turn.network():
      seen.append(name)
    until(lambda: len(begun) == 3 and (len(seen) == 3 or runs.is_set()))
    if name != 'a':
      assert runs.wait(PATIENCE)
    if name == 'b':
      until(lambda: wanted('c'))
    with turn.network():
      runs.set()
      if name == 'a':
        until(lambda: wanted('b', 'c'))
      order.append(name)

  begun += begin_all(line, restore, 'abc')
  results(line, begun)
  assert order == [*'abc']


def test_a_later_picture_leaves_the_network_to_an_earlier_one(line):
  wanted, taken = threading.Event(), threading.Event()

  def first(turn):
    turn.opened(1)
    with turn.network():  # so that the next is begun
      pass
    turn.wants_network = True
    wanted.set()
    was_taken = taken.wait(0.3)
    with turn.network():
      return was_taken

  def second(turn):
    assert wanted.wait(PATIENCE)
    with turn.network():
      taken.set()
      return taken.is_set()

  begun = [line.begin(first)]
  line.wait_until(line.has_room, lambda: None)
  begun.append(line.begin(second))
  assert results(line, begun) == [False, True]


def test_files_appear_in_order(line):
  written, ready = [], threading.Event()

  def restore(name, turn):
    turn.opened(1)
    with turn.network():
      pass
    if name == 'a':
      assert ready.wait(PATIENCE)
    else:
      ready.set()
    turn.write()
    written.append(name)
    return name

  assert results(line, begin_all(line, restore, 'abc')) == [*'abc']
  assert written == [*'abc']


class Slow:
  """A worker that notes which pictures are in work, and which are decoded."""

  def __init__(self, large='', fragile=''):
    self._large, self._fragile = large, fragile
    self._lock = threading.Lock()
    self._in_work, self._decoded = set(), set()
    self.most, self.beside_large = 0, set()
    self.tried = collections.Counter()

  def restore(self, item, last, on_tiles, turn):
    with self._lock:
      self.tried[item.source] += 1
      self._in_work.add(item.source)
      self.most = max(self.most, len(self._in_work))
    turn.opened(turns.MOST + (item.source == self._large))
    with self._lock:
      self._decoded.add(item.source)
      if self._large in self._decoded:
        self.beside_large |= self._decoded
    try:
      with turn.network():
        time.sleep(0.002)
      if item.source == self._fragile and self.tried[item.source] == 1:
        return worker_lib.failed(item, 'it was not alone')
      turn.write()
      return worker_lib.Result('done')
    finally:
      with self._lock:
        self._in_work.remove(item.source)
        self._decoded.discard(item.source)


@pytest.fixture(name='restored')
def restored_fixture(tmp_path):
  """Restores 9 pictures by a worker; what is printed, but for the places."""

  def restored(worker, before=None, at_once=turns.AT_ONCE):
    outcome, said = running.Outcome(), io.StringIO()
    with journal.Journal(str(tmp_path)) as log:
      running.Run(
        outcome,
        log,
        progress.Progress(9, said),
        interrupts_lib.Interrupts(),
        '',
        journal.Finished({}),
        [],
        steps=before,
      ).restore([finding.Item(name, name) for name in NAMES], worker, at_once)
    return [line.split('] ')[1] for line in said.getvalue().splitlines()]

  return restored


def test_few_pictures_are_in_work(restored):
  for at_once in (1, 2, 3):
    worker = Slow()
    assert restored(worker, at_once=at_once) == [f'{n}: done' for n in NAMES]
    assert worker.most == at_once


def test_a_large_picture_is_alone_in_memory(restored):
  worker = Slow('e')
  assert restored(worker) == [f'{name}: done' for name in NAMES]
  assert worker.beside_large == {'e'} and worker.most == 3


def test_what_fails_beside_others_is_tried_again_alone(restored):
  worker = Slow(fragile='d')
  assert restored(worker) == [f'{name}: done' for name in NAMES]
  assert worker.tried['d'] == 2 and worker.most == 3
  assert worker.tried['c'] == 1


def test_what_may_have_crashed_is_restored_alone(restored):
  before = steps.Steps()
  for name in NAMES:
    before.end(name, 'suspected')
  worker = Slow()
  restored(worker, before)
  assert worker.most == 1


def test_what_is_stopped_raises_in_every_wait(line):
  waits = threading.Event()

  def restore(name, turn):
    turn.opened(1)
    if name == 'a':
      turn.write()  # it never leads
    elif name == 'b':
      with turn.network():
        while True:
          turn.tiles(lambda done, total: None, 0, 1)
    else:
      waits.set()
      with turn.network():  # b does not leave it
        pass

  begun = begin_all(line, restore, 'abc')
  assert waits.wait(PATIENCE)
  line.stop()
  for turn in begun:
    assert turn.ended and not turn.is_done
    with pytest.raises(turns.Stopped):
      turn.result()


def test_a_signal_is_held_back_until_it_is_asked_for():
  before = signal.getsignal(signal.SIGTERM)
  with interrupts_lib.Interrupts() as interrupts:
    with interrupts.held():
      signal.raise_signal(signal.SIGTERM)
      with pytest.raises(KeyboardInterrupt):
        interrupts.check()
  assert signal.getsignal(signal.SIGTERM) is before


# Runs of the command with a small network.


@pytest.fixture(name='folder')
def folder_fixture(tmp_path):
  """Pictures of several formats and sizes, of which two are damaged."""
  rng = np.random.default_rng(0)
  (tmp_path / 'in').mkdir()
  for i, suffix in enumerate(('png', 'jpg', 'png', 'tif', 'jpg', 'png')):
    values = rng.integers(0, 256, [40 + 9 * i, 64, 3], np.uint8)
    path = tmp_path / 'in' / f'{i}.{suffix}'
    vips.image(values).copy(interpretation='srgb').write_to_file(str(path))
  for name in ('1b.png', '5.png'):
    data = (tmp_path / 'in' / '2.png').read_bytes()
    (tmp_path / 'in' / name).write_bytes(data[: len(data) // 2])
  return tmp_path / 'in'


def one_by_one(monkeypatch):
  restore = running.Run.restore
  monkeypatch.setattr(
    running.Run,
    'restore',
    lambda run, items, worker: restore(run, items, worker, 1),
  )


def entries(folder):
  """Its entries without times and the name of the folder."""
  found = []
  for line in (folder / 'restore.jsonl').read_text().splitlines():
    line = line.replace(str(folder), 'OUT')
    entry = json.loads(line)
    for field in ('seconds', 'date', 'written', 'stamp'):
      entry.pop(field, None)
    found.append(entry)
  return found


def test_results_are_those_of_one_after_the_other(
  tmp_path, folder, small_weights, capsys, monkeypatch
):
  args = [folder, f'--weights={small_weights}', '--report', '--change_map']
  both = tmp_path / 'both'
  status, result, said = run(capsys, *args, '-o', both)
  one_by_one(monkeypatch)
  one = tmp_path / 'one'
  assert run(capsys, *args, '-o', one)[::2] == (status, said)
  assert status == 1 and (result['done'], result['failed']) == (5, 2)
  names = listed(both)
  assert names == listed(one) and len(names) == 5 * 3 + 1
  for name in names:
    if not name.endswith(('.json', '.jsonl')):
      assert (both / name).read_bytes() == (one / name).read_bytes(), name
  assert entries(both) == entries(one)


def test_fail_fast_leaves_nothing_of_what_comes_later(
  tmp_path, folder, small_weights, capsys
):
  out = tmp_path / 'out'
  status, result, _ = run(
    capsys, folder, f'--weights={small_weights}', '-o', out, '--fail_fast'
  )
  assert status == 1 and result['failed'] == 1
  assert (result['done'], result['not_tried']) == (2, 4)
  assert listed(out) == ['0.png', '1.jpg', 'restore.jsonl']


def test_ctrl_c_leaves_whole_files_and_resume_the_rest(
  tmp_path, folder, small_weights, capsys, monkeypatch
):
  restore, out = restore_file.restore_file, tmp_path / 'out'
  before = signal.signal(signal.SIGINT, signal.default_int_handler)

  def interrupted(source, *args):
    if os.path.basename(source) == '2.png':
      args[-1].opened(1)
      args[-1].write()  # it leads
      os.kill(os.getpid(), signal.SIGINT)
      while True:
        args[-1].tiles(lambda done, total: time.sleep(0.01), 0, 1)
    return restore(source, *args)

  monkeypatch.setattr(restore_file, 'restore_file', interrupted)
  args = [folder, f'--weights={small_weights}', '-o', out, '--resume']
  try:
    status, result, _ = run(capsys, *args)
  finally:
    signal.signal(signal.SIGINT, before)
  assert status == 130
  assert (result['done'], result['failed'], result['not_tried']) == (2, 1, 4)
  assert listed(out) == ['0.png', '1.jpg', 'restore.jsonl']
  monkeypatch.setattr(restore_file, 'restore_file', restore)
  result = run(capsys, *args)[1]
  assert (result['done'], result['skipped']) == (3, 2)
