"""The command `artjax collect`, from arguments to the JSON line."""

import json

from museum_server import Museum
import museums
import pytest

from artjax.commands import collect as command
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
