"""The command `artjax`: hands on to its subcommands, and is light."""

import importlib.util
import pathlib
import sys
import types

from conftest import loaded_by
import pytest

import artjax
from artjax import cli


@pytest.mark.parametrize('name', cli.COMMANDS)
def test_every_command_is_there(name):
  module, _, function = cli.COMMANDS[name][0].partition(':')
  spec = importlib.util.find_spec(module)
  assert f'def {function}(argv' in pathlib.Path(spec.origin).read_text()


def test_help_lists_every_command(capsys):
  assert cli.main([]) == cli.main(['--help']) == 0
  out = capsys.readouterr().out
  for name, (_, text) in cli.COMMANDS.items():
    assert name in out and text in out


def test_version(capsys):
  assert cli.main(['--version']) == 0
  assert capsys.readouterr().out == f'artjax {artjax.__version__}\n'


def test_an_unknown_command_names_a_close_one(capsys):
  assert cli.main(['restor', 'a.png']) == 2
  out = capsys.readouterr()
  assert out.out == '' and len(out.err.splitlines()) == 1
  assert "no command 'restor'; did you mean restore?" in out.err


@pytest.mark.parametrize('status, expected', [(0, 0), (3, 3), (None, 0)])
def test_arguments_and_status_are_handed_on(monkeypatch, status, expected):
  seen = []

  def main(argv):
    seen.append((argv, list(sys.argv)))
    return status

  module = types.SimpleNamespace(main=main)
  monkeypatch.setitem(sys.modules, 'a_command', module)
  monkeypatch.setitem(cli.COMMANDS, 'try', ('a_command:main', 'tries'))
  monkeypatch.setattr(sys, 'argv', ['/usr/bin/artjax', 'try'])
  assert cli.main(['try', 'a', '--b=c']) == expected
  assert seen == [(['a', '--b=c'], ['artjax try', 'a', '--b=c'])]


def test_ctrl_c_while_a_command_starts_is_one_line(monkeypatch, capsys):
  def main(argv):
    raise KeyboardInterrupt

  module = types.SimpleNamespace(main=main)
  monkeypatch.setitem(sys.modules, 'a_command', module)
  monkeypatch.setitem(cli.COMMANDS, 'try', ('a_command:main', 'tries'))
  monkeypatch.setattr(sys, 'argv', ['/usr/bin/artjax'])
  assert cli.main(['try']) == 130
  assert capsys.readouterr().err == 'artjax try: interrupted\n'


def test_the_dispatcher_imports_nothing_heavy():
  heavy = 'jax', 'numpy', 'cv2', 'absl', 'pyvips', 'argparse'
  assert not loaded_by('import artjax.cli', *heavy)
