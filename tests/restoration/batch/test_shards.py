"""Parts of a run, each restored by a process of its own."""

import collections
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
from PIL import Image
import pytest
from restore_command import FAKE_CHAIN
from restore_command import listed

from artjax.restoration import command
from artjax.restoration.batch import arguments
from artjax.restoration.batch import finding
from artjax.restoration.batch import journal
from artjax.restoration.batch import shards

# A run of the command that brightens pictures, or waits where it is told to.
CHILD = (
  FAKE_CHAIN
  + """
import os, sys, time
from PIL import Image
from artjax.restoration import chain, command, restore_file

def restore(source, chain, outputs, *more):
  more[-1].opened(1)
  while os.path.basename(source) == os.environ.get('WAITS_AT'):
    more[-1].tiles(lambda done, total: time.sleep(0.02), 0, 1)
  more[-1].write()
  picture = Image.open(source).point(lambda level: level + 9)
  for path in outputs.paths():
    os.makedirs(os.path.dirname(path), exist_ok=True)
    picture.save(path)
  return {'notices': [], 'tiling': [], 'output': outputs.picture}

chain.Chain, restore_file.restore_file = FakeChain, restore
sys.exit(command.main(sys.argv[1:]))
"""
)
SLURM, KUBERNETES = 'SLURM_ARRAY_TASK_', 'JOB_COMPLETION'


def task(id, first, last, count, step=1):
  """Variables of a task of a SLURM array."""
  values = {'ID': id, 'MIN': first, 'MAX': last, 'COUNT': count, 'STEP': step}
  return {f'{SLURM}{end}': str(value) for end, value in values.items()}


@pytest.fixture(name='folder')
def folder_fixture(tmp_path):
  """15 pictures in two folders, two of one stem, and a file that is none."""
  names = [f'{i}.png' for i in range(12)] + ['7.jpg', 'x/0.png', 'x/a b.jpg']
  for i, name in enumerate(names):
    path = tmp_path / 'in' / name
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full([8, 8, 3], 8 * i, np.uint8)).save(path)
  (tmp_path / 'in' / 'broken.png').write_bytes(b'no picture')
  return tmp_path / 'in'


@pytest.fixture(name='start')
def start_fixture(tmp_path, folder):
  """Starts a run on the folder in a process of its own."""
  running = []

  def start(out, *args, **environment):
    args = [folder, '--recursive', '--change_map', '-o', tmp_path / out, *args]
    process = subprocess.Popen(
      [sys.executable, '-c', CHILD, *map(str, args)],
      stdout=subprocess.PIPE,
      stderr=subprocess.PIPE,
      text=True,
      env=os.environ | environment,
    )
    running.append(process)
    return process

  yield start
  for process in running:
    process.kill()
    process.communicate()


def result(process):
  out, err = process.communicate(timeout=120)
  assert out, err
  return json.loads(out.splitlines()[-1])


def contents(folder):
  """{path: bytes} of the results in a folder."""
  return {
    path: (folder / path).read_bytes()
    for path in listed(folder)
    if not path.endswith('.jsonl')
  }


def records(folder):
  """What the journals of a folder say, without times and its own path."""
  entries = []
  for path in map(str, journal.paths(str(folder))):
    if os.path.exists(path):
      with open(path) as file:
        entries += map(json.loads, file)
  for entry in entries:
    assert entry.pop('written') > 0
    entry.pop('output', None)
  return sorted(entries, key=lambda entry: entry['source'])


def test_the_shard_of_a_path_never_changes():
  # So a run continues on another machine, and with another version.
  paths = ['a.png', 'x/a.png', 'é.jpg', 'b\udcff.png', 'a.page2.tif']
  assert [shards.of(path, 1000) for path in paths] == [672, 57, 284, 345, 766]


def test_shards_are_disjoint_and_complete():
  items = [finding.Item(f'in/{i}.png', f'{i % 7}/{i}.png') for i in range(300)]
  for count in (1, 2, 3, 40):
    parts = [shards.Shard(i, count).part(items) for i in range(count)]
    found = collections.Counter(item.source for part in parts for item in part)
    assert found == {item.source: 1 for item in items}
    if count < 40:
      assert min(map(len, parts)) > 0.8 * len(items) / count
  # Other pictures change nothing.
  few = {item.source for item in shards.Shard(1, 3).part(items[::5])}
  all_ = {item.source for item in shards.Shard(1, 3).part(items)}
  assert few == all_ & {item.source for item in items[::5]}


@pytest.mark.parametrize(
  'environment, shard',
  [
    (task(0, 0, 3, 4), (0, 4)),
    (task(4, 1, 4, 4), (3, 4)),
    (task(11, 9, 15, 4, step=2), (1, 4)),
    (task(5, 5, 5, 1, step=0), (0, 1)),
    ({f'{KUBERNETES}_INDEX': '2', f'{KUBERNETES}S': '3'}, (2, 3)),
  ],
)
def test_the_shard_of_a_job(environment, shard):
  assert shards.parse('auto', environment) == shards.Shard(*shard)


@pytest.mark.parametrize(
  'text, environment, message',
  [
    ('', {}, '--shard=: neither I/N, such as 0/4, nor auto'),
    ('3', {}, '--shard=3: neither I/N'),
    ('-1/4', {}, '--shard=-1/4: neither I/N'),
    ('1/4/2', {}, '--shard=1/4/2: neither I/N'),
    ('4/4', {}, '--shard=4/4: no shard 4 of 4: they count from 0 to 3'),
    ('0/0', {}, '--shard=0/0: there must be at least 1 shard'),
    ('auto', {}, f'neither {SLURM}ID nor {KUBERNETES}_INDEX is set'),
    ('auto', {f'{SLURM}ID': '1'}, f'{SLURM}MIN is not set'),
    ('auto', task('x', 0, 3, 4), f"{SLURM}ID is 'x', not a whole number"),
    ('auto', task(1, 1, 7, 3), 'the 3 tasks of the array, 1 to 7, are not'),
    ('auto', task(2, 1, 7, 4, step=2), 'are not consecutive; use --shard=I/N'),
    ('auto', task(9, 0, 3, 4), 'no shard 9 of 4'),
    (
      'auto',
      {f'{KUBERNETES}_INDEX': '0'},
      f'{KUBERNETES}S is not set; the job must set it to its completions',
    ),
    ('auto', {f'{KUBERNETES}_INDEX': '3', f'{KUBERNETES}S': '3'}, 'no shard 3'),
  ],
)
def test_a_wrong_shard_is_one_line(
  monkeypatch, capsys, text, environment, message
):
  for name in (*task(0, 0, 0, 0), f'{KUBERNETES}_INDEX', f'{KUBERNETES}S'):
    monkeypatch.delenv(name, raising=False)
  for name, value in environment.items():
    monkeypatch.setenv(name, value)
  with pytest.raises(SystemExit) as end:
    arguments.parse(['in', '-o', 'out', f'--shard={text}'])
  assert end.value.code == 2
  line = capsys.readouterr().err.splitlines()[-1]
  assert f'--shard={text}: ' in line and message in line


@pytest.mark.parametrize(
  'names, message',
  [
    (['-'], '- can be read by one process only'),
    (['in', '-o', 'in'], 'in is in --output=in, where other shards write'),
    (['*/a.png', '-o', 'in'], 'in/a.png is in --output=in'),
    (['in', '--mask=out'], 'out is in --output=out'),
  ],
)
def test_inputs_that_shards_cannot_share(
  tmp_path, monkeypatch, capsys, names, message
):
  monkeypatch.chdir(tmp_path)
  for folder in ('in', 'out'):
    os.mkdir(folder)
  Image.new('RGB', [8, 8]).save('in/a.png')
  with pytest.raises(SystemExit) as end:
    command.main(['-o', 'out', '--shard=0/2', *names])
  assert end.value.code == 2
  assert message in capsys.readouterr().err.splitlines()[-1]
  assert listed(tmp_path) == ['in/a.png']


def test_two_at_once_make_what_one_run_makes(tmp_path, start):
  one = start('one')
  both = [start('two', f'--shard={i}/2') for i in range(2)]
  whole, results = result(one), [*map(result, both)]
  assert [r['shard'] for r in (whole, *results)] == ['', '0/2', '1/2']
  assert whole['done'] == 15 and whole['failed'] == 1
  for name in ('pictures', 'done', 'failed'):
    assert sum(r[name] for r in results) == whole[name]
  assert all(r['done'] for r in results)
  made = contents(tmp_path / 'two')
  assert made == contents(tmp_path / 'one') and len(made) == 30
  # Both name their maps in full, although each is alone in its shard.
  assert shards.of('7.jpg', 2) != shards.of('7.png', 2)
  assert {'7.jpg.change.png', '7.png.change.png'} <= {*made}
  assert records(tmp_path / 'two') == records(tmp_path / 'one')
  logs = [path for path in listed(tmp_path / 'two') if path.endswith('.jsonl')]
  assert logs == ['restore.shard-0-of-2.jsonl', 'restore.shard-1-of-2.jsonl']
  # A run with another number of shards knows what is done.
  again = result(start('two', '--resume', '--shard=1/3'))
  assert again['skipped'] == again['pictures'] - again['failed'] > 0


def test_a_killed_shard_is_resumed(tmp_path, folder, start):
  names = sorted(listed(folder))
  mine = [name for name in names if not shards.of(name, 2)]
  stop = mine[len(mine) // 2]
  other = start('out', '--shard=1/2')
  killed = start('out', '--shard=0/2', WAITS_AT=os.path.basename(stop))
  log = tmp_path / 'out' / 'restore.shard-0-of-2.jsonl'
  end = time.monotonic() + 100
  while not log.exists() or log.read_bytes().count(b'\n') < len(mine) // 2:
    assert killed.poll() is None and time.monotonic() < end
    time.sleep(0.02)
  killed.send_signal(signal.SIGKILL)
  killed.wait()
  with open(log, 'a') as file:
    file.write('{"status": "done", "ke')  # as if killed while it wrote
  finished = result(other)['done']
  resumed = result(start('out', '--shard=0/2', '--resume'))
  assert resumed['skipped'] and resumed['done']
  assert resumed['skipped'] + resumed['done'] + finished == 15
  assert len(contents(tmp_path / 'out')) == 30
