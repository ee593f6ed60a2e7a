"""The command `artjax collect`, from arguments to the JSON line."""

import json
import signal
import sys

from museum_server import Clock
from museum_server import Museum
import museums
import pytest

from artjax.commands import collect as command
from artjax.data import collections
from artjax.data.collections import collect
from artjax.data.collections import web as web_lib


@pytest.fixture
def museum(monkeypatch):
  with Museum() as server:
    loopback = lambda pause: server.transport(pause)
    monkeypatch.setattr(web_lib.transport_lib, 'Transport', loopback)
    yield server


def arguments(folder, *more):
  return [
    'met',
    'pears',
    f'--output={folder}',
    '--limit=2',
    '--contact=me@example.org',
    *more,
  ]


def test_the_last_line_is_json(museum, tmp_path, capsys):
  museums.met(museum)
  assert command.main(arguments(tmp_path, '--filter', 'departmentId=11')) == 0
  result = json.loads(capsys.readouterr().out.splitlines()[-1])
  assert result['pictures'] == result['new'] == 2
  assert result['source'] == f'folder:{tmp_path}'
  assert museum.asked('search')[0].query['departmentId'] == '11'


def test_failures_are_the_status(museum, tmp_path, capsys):
  museums.met(museum)
  museum.answers.pop(0)  # the pictures
  assert command.main(arguments(tmp_path)) == 1
  result = json.loads(capsys.readouterr().out.splitlines()[-1])
  assert result['failed'] == 3


@pytest.mark.parametrize(
  'wrong, message',
  [
    ('--contact=nobody', 'neither a mail address nor a web page'),
    ('--licence=gpl', '--licence=gpl: give some of cc0, pdm'),
    ('--filter=x', '--filter=x is not of the form NAME=VALUE'),
    ('--limit=0', 'limit=0 must be above 0'),
    ('--max_megapixels=500', 'at most 1.78e'),
  ],
)
def test_wrong_use_is_one_line(museum, tmp_path, wrong, message):
  with pytest.raises(SystemExit, match=message) as error:
    command.main(arguments(tmp_path / 'new', wrong))
  assert str(error.value).startswith('artjax collect: ')
  assert '\n' not in str(error.value)
  assert not museum.requests and not (tmp_path / 'new').exists()


def test_contact_is_required(tmp_path, capsys):
  with pytest.raises(SystemExit):
    command.main(['met', 'x', f'--output={tmp_path}', '--limit=1'])
  assert '--contact' in capsys.readouterr().err


def test_a_missing_key_is_one_line(museum, tmp_path, monkeypatch, capsys):
  monkeypatch.delenv('SMITHSONIAN_API_KEY', raising=False)
  wanted = arguments(tmp_path / 'new')
  wanted[0] = 'smithsonian'
  with pytest.raises(SystemExit) as error:
    command.main(wanted)
  assert str(error.value) == (
    'artjax collect: smithsonian needs an API key: set SMITHSONIAN_API_KEY or '
    'pass --key; one is free at https://api.data.gov/signup/'
  )
  assert not museum.requests and not (tmp_path / 'new').exists()
  museums.smithsonian(museum, 1)
  monkeypatch.setenv('SMITHSONIAN_API_KEY', 'mine')
  assert command.main(wanted) == 0
  assert museum.requests[0].query['api_key'] == 'mine'


def test_ctrl_c_ends_cleanly(museum, tmp_path, capsys, monkeypatch):
  museums.met(museum, 3)

  def interrupt(seconds):
    if museum.asked('original/1'):
      signal.raise_signal(signal.SIGINT)

  clock = Clock()
  clock.sleep = interrupt
  monkeypatch.setattr(
    web_lib.transport_lib, 'Transport', lambda pause: museum.transport(1, clock)
  )
  assert command.main(arguments(tmp_path)) == 130
  out, err = capsys.readouterr()
  assert not out and err.splitlines()[-1].startswith(
    'artjax collect: interrupted; what is fetched is kept'
  )
  names = {path.name for path in tmp_path.iterdir()}
  assert names == {'met_1.jpg', 'pictures.jsonl', '.collect'}


def test_without_httpx_it_says_what_to_install(tmp_path, monkeypatch):
  for name in 'collect', 'web', 'transport':
    monkeypatch.delitem(
      sys.modules, f'artjax.data.collections.{name}', raising=False
    )
    monkeypatch.delattr(collections, name, raising=False)
  monkeypatch.setitem(sys.modules, 'httpx2', None)
  with pytest.raises(SystemExit, match=r'pip install "artjax\[collect\]"'):
    command.main(arguments(tmp_path))


def test_a_full_disk_is_one_line(museum, tmp_path, monkeypatch):
  museums.met(museum)

  def full(path, data):
    raise OSError(28, 'No space left on device', path)

  monkeypatch.setattr(collect.atomic_files, 'write_bytes', full)
  with pytest.raises(SystemExit, match='No space left on device') as error:
    command.main(arguments(tmp_path))
  assert '\n' not in str(error.value)
