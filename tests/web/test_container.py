"""The Containerfile: its commands are those of this repository."""

import json
import re
import urllib.error

from conftest import ROOT
import pytest

from artjax.commands import serve

TEXT = (ROOT / 'Containerfile').read_text().replace('\\\n', '')


def command(name):
  """The command of an instruction, as a list."""
  return json.loads(re.search(rf'^{name}.*?(\[.*\])$', TEXT, re.M)[1])


def test_it_starts_with_a_token_alone(monkeypatch, capsys):
  program, subcommand, *args = command('ENTRYPOINT')
  assert (program, subcommand) == ('artjax', 'serve')
  monkeypatch.setenv('ARTJAX_TOKEN', '0123456789ab')
  _, parsed = serve.parse(args)
  assert parsed.host == '0.0.0.0' and parsed.port == 8080
  monkeypatch.delenv('ARTJAX_TOKEN')
  with pytest.raises(SystemExit):
    serve.parse(args)
  assert 'give a --token' in capsys.readouterr().err


def test_it_is_nobody_and_asks_for_its_health(monkeypatch):
  user = re.findall(r'^USER (\d+):(\d+)$', TEXT, re.M)
  assert user and '0' not in user[-1]
  python, flag, code = command('HEALTHCHECK')
  assert (python, flag) == ('python', '-c')
  monkeypatch.setenv('ARTJAX_TOKEN', '0123456789ab')
  asked = []

  def urlopen(request, timeout):
    asked.append((request.full_url, request.get_header('Authorization')))
    raise urllib.error.URLError('refused')

  monkeypatch.setattr('urllib.request.urlopen', urlopen)
  with pytest.raises(urllib.error.URLError):
    exec(code, {})
  assert asked == [('http://127.0.0.1:8080/metrics', 'Bearer 0123456789ab')]
