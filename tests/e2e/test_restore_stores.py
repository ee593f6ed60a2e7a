"""`artjax restore` with pictures and results in object stores."""

import json
import sys

import fsspec
import pytest
from restore_command import listed
from restore_command import run

from artjax.restoration import command
from artjax.restoration.batch import arguments
from artjax.restoration.batch.storage import parts


@pytest.fixture
def store(folder):
  """A store with the files of `folder` in memory://in/."""
  memory = fsspec.filesystem('memory')
  memory.store.clear()
  for name in listed(folder):
    memory.pipe_file(f'memory://in/{name}', (folder / name).read_bytes())
  yield memory
  memory.store.clear()


def below(store, top):
  """Files of a folder of the store, without the names of journals."""
  names = [name.removeprefix(f'/{top}/') for name in store.find(f'/{top}')]
  return sorted('JOURNAL' if n.endswith('.jsonl') else n for n in names)


def test_results_are_those_of_local_files(
  tmp_path, folder, store, tiny, capsys
):
  args = '--recursive', '--report', f'--weights={tiny}'
  run(capsys, folder, '-o', tmp_path / 'out', *args)
  status, result, err = run(capsys, 'memory://in/', '-o', 'memory://out', *args)
  assert status == 1  # of the broken ones
  assert (result['done'], result['failed']) == (4, 2)
  assert 'memory://in/broken.png' in err and '/artjax_' not in err
  names = [n for n in listed(tmp_path / 'out') if n != 'restore.jsonl']
  assert below(store, 'out') == sorted(['JOURNAL', *names])
  for name in names:
    if not name.endswith('.json'):
      expected = (tmp_path / 'out' / name).read_bytes()
      assert store.cat_file(f'/out/{name}') == expected, name
  report = json.loads(store.cat_file('/out/sub/a.png.json'))
  assert report['source'] == 'memory://in/sub/a.png'
  assert report['output'] == 'memory://out/sub/a.png'
  assert '/artjax_' not in json.dumps(report)
  journal = b''.join(map(store.cat_file, store.glob('/out/*.jsonl'))).decode()
  assert len(journal.splitlines()) == 6 and '/artjax_' not in journal


def test_between_a_store_and_this_machine(
  tmp_path, folder, store, tiny, capsys
):
  expected = ['JOURNAL', 'a.png', 'b.jpg', 'c c.png']
  args = f'--weights={tiny}', '--resume'
  _, result, _ = run(capsys, folder, '-o', 'memory://out', *args)
  assert result['done'] == 3 and below(store, 'out') == expected
  _, result, _ = run(capsys, 'memory://in', '-o', tmp_path / 'out', *args)
  assert result['done'] == 3
  assert listed(tmp_path / 'out') == [*expected[1:], 'restore.jsonl']
  # The content is the same, so what the other run has made is known.
  _, result, _ = run(capsys, 'memory://in', '-o', 'memory://out', *args)
  assert (result['done'], result['skipped']) == (0, 3)


def test_resume_fetches_only_what_has_changed(store, tiny, capsys, monkeypatch):
  args = 'memory://in', '-o', 'memory://in/out', f'--weights={tiny}', '--resume'
  args += ('--recursive',)
  assert run(capsys, *args)[1]['done'] == 4
  fetched, looked_at = [], []
  get_file, cat_file = type(store).get_file, type(store).cat_file
  monkeypatch.setattr(
    type(store),
    'get_file',
    lambda self, *args: fetched.append(args[0]) or get_file(self, *args),
  )
  monkeypatch.setattr(
    type(store),
    'cat_file',
    lambda self, *args: looked_at.append(args[0]) or cat_file(self, *args),
  )
  _, result, _ = run(capsys, *args)
  assert (result['done'], result['skipped'], result['pictures']) == (0, 4, 6)
  broken = {'memory://in/broken.png', 'memory://in/empty.tif'}
  assert {*fetched} == broken
  assert {p for p in looked_at if not p.endswith('.jsonl')} == broken
  fetched.clear()
  store.rm_file('/in/out/a.png')
  store.pipe_file('/in/b.jpg', store.cat_file('/in/a.png'))
  _, result, _ = run(capsys, *args)
  # A PNG that is called b.jpg has another name for its result.
  assert (result['done'], result['skipped']) == (2, 2)
  assert {'memory://in/a.png', 'memory://in/b.jpg'} < {*fetched}
  assert store.exists('/in/out/b.png')


def test_shards_share_a_store(store, tiny, capsys):
  done = []
  for index in range(2):
    args = (
      'memory://in',
      '-o',
      'memory://out',
      f'--weights={tiny}',
      '--recursive',
    )
    _, result, _ = run(capsys, *args, f'--shard={index}/2')
    done.append(result['done'])
  assert sum(done) == 4 and min(done) > 0
  names = store.glob('/out/*.jsonl')
  assert len(names) == 2 and 'shard-0-of-2' in ''.join(names)
  _, result, _ = run(capsys, *args, '--resume')
  assert result['skipped'] == 4
  with pytest.raises(SystemExit):
    command.main(['memory://out/a', '-o', 'memory://out', '--shard=0/2'])
  assert 'where other shards write' in capsys.readouterr().err


@pytest.mark.parametrize(
  'args, message',
  [
    (['ftp://host/in'], 'ftp:// is no store that is known'),
    (['s3://key:secret@bucket/in'], 'a URL holds no credentials'),
    (['s3://'], 'no bucket is named'),
    (['memory://in', '--mask=memory://masks'], '--mask cannot be'),
    (['memory://in', '--pages=all'], '--pages=all cannot be used'),
    (['memory://in', '--runner=ray'], 'by one process only'),
  ],
)
def test_wrong_use_is_one_line(args, message, capsys, monkeypatch):
  monkeypatch.setattr(arguments.importlib.util, 'find_spec', lambda name: name)
  with pytest.raises(SystemExit) as end:
    command.main([*args, '-o', 'out'])
  err = capsys.readouterr().err
  assert end.value.code == 2
  assert message in err.splitlines()[-1] and 'secret' not in err


def test_a_package_that_is_missing_is_named(capsys, monkeypatch):
  monkeypatch.setitem(sys.modules, 'gcsfs', None)
  with pytest.raises(SystemExit) as end:
    command.main(['in', '-o', 'gs://bucket/out'])
  err = capsys.readouterr().err.splitlines()[-1]
  assert end.value.code == 2
  assert err.endswith(
    "gs://bucket/out: gcsfs is not installed: 'artjax[storage]' has it"
  )


def test_what_a_store_refuses_costs_one_picture(
  store, tiny, capsys, monkeypatch
):
  put_file = type(store).put_file

  def put(self, path, url):
    if url.endswith('a.png'):
      raise PermissionError(f'denied, token=abc, {path}')
    if url.endswith('b.jpg'):
      raise ConnectionResetError('by peer')
    put_file(self, path, url)

  monkeypatch.setattr(type(store), 'put_file', put)
  args = 'memory://in', '-o', 'memory://out', f'--weights={tiny}', '--resume'
  status, result, err = run(capsys, *args)
  assert status == 1 and (result['done'], result['failed']) == (1, 4)
  assert 'memory://out/a.png: access is refused: check the credentials' in err
  assert 'memory://out/b.jpg: the store cannot be reached' in err
  assert 'token' not in err
  monkeypatch.undo()
  _, result, _ = run(capsys, *args)
  assert (result['done'], result['skipped']) == (2, 1)


def test_a_picture_that_changes_while_it_is_fetched(
  store, tiny, capsys, monkeypatch
):
  get_file = type(store).get_file
  changes = [1, 9]  # how often each of two pictures changes

  def get(self, url, path):
    get_file(self, url, path)
    index = 0 if url.endswith('a.png') else 1
    if changes[index]:
      changes[index] -= 1
      self.pipe_file(url, self.cat_file(url))

  monkeypatch.setattr(type(store), 'get_file', get)
  args = 'memory://in/a.png', 'memory://in/b.jpg', '-o', 'memory://out'
  _, result, err = run(capsys, *args, f'--weights={tiny}')
  assert (result['done'], result['failed']) == (1, 1)
  assert 'memory://in/b.jpg: it changes while it is fetched' in err


@pytest.mark.parametrize('every, left', [(0, 4), (30, 0)])
def test_a_journal_that_cannot_be_written_ends_the_run(
  store, tiny, capsys, monkeypatch, every, left
):
  pipe_file = type(store).pipe_file
  monkeypatch.setattr(parts, 'EVERY', every)

  def pipe(self, url, data):
    if data:
      raise ConnectionResetError('by peer')
    pipe_file(self, url, data)

  monkeypatch.setattr(type(store), 'pipe_file', pipe)
  args = 'memory://in', '-o', 'memory://out', f'--weights={tiny}'
  status, result, err = run(capsys, *args)
  assert status == 1 and result['not_tried'] == left
  assert 'stopped: memory://out/restore.' in err
  assert 'the store cannot be reached (ConnectionResetError)' in err
