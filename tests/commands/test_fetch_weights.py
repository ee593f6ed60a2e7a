"""`artjax fetch-weights`, from a server on the loopback device."""

import hashlib
import json
import signal

from museum_server import Museum
from museum_server import Reply
import published_networks
import pytest
import torch_containers

from artjax.commands import fetch_weights as command
from artjax.commands import import_weights
from artjax.commands import weights as weights_command
from artjax.data.collections import download
from artjax.inference import weights
from artjax.interop import fetched
from artjax.interop import releases
from artjax.interop import safetensors_io

URL = 'https://files.example.org/release/tiny.pth'


@pytest.fixture
def folder(tmp_path, monkeypatch):
  monkeypatch.setenv('ARTJAX_WEIGHTS', str(tmp_path / 'own'))
  monkeypatch.setattr(weights, 'pretrained_folder', lambda: tmp_path / 'none')
  return tmp_path / 'own'


@pytest.fixture
def museum(monkeypatch):
  with Museum() as server:
    monkeypatch.setattr(download.transport_lib, 'Transport', server.transport)
    yield server


@pytest.fixture(scope='module')
def body(tmp_path_factory):
  """A published file of a small network."""
  path = tmp_path_factory.mktemp('published') / 'tiny.pth'
  tensors, _ = published_networks.golden('dncnn')
  torch_containers.write_zip(path, {'params': tensors})
  return path.read_bytes()


@pytest.fixture
def offer(museum, monkeypatch):
  """Puts a file on the server and into the table."""

  def put(content, licence='MIT', **fields):
    museum.on('files.example.org/release/tiny.pth', Reply(content))
    release = releases.Release(URL, 'DnCNN', 'noise', licence, **fields)
    monkeypatch.setattr(releases, 'RELEASES', {'tiny': release})

  return put


def digest(content):
  return hashlib.sha256(content).hexdigest()


def names(folder):
  """Files of weights and whatever was left over."""
  return {path.name for path in folder.iterdir()} - {'lock', fetched.NAME}


def fails(*args):
  """The message of a call that ends with one line."""
  with pytest.raises(SystemExit) as error:
    command.main(args)
  message = str(error.value)
  assert message.startswith('artjax fetch-weights: ') and '\n' not in message
  return message


def test_the_first_file_is_remembered_and_another_refused(
  museum, folder, offer, body, capsys
):
  offer(body)
  assert command.main(['tiny']) == 0
  out, err = capsys.readouterr()
  assert json.loads(out) == {
    'output': str(folder / 'tiny.pth'),
    'new': True,
    'url': URL,
    'licence': 'MIT',
    'sha256': digest(body),
  }
  assert URL in err and f'remembered: {digest(body)}' in err
  assert weights.find('tiny') == str(folder / 'tiny.pth')
  # Again: nothing is asked for.
  assert command.main(['tiny']) == 0
  assert json.loads(capsys.readouterr().out)['new'] is False
  assert len(museum.requests) == 1
  # Another file at the same address.
  offer(body + b'x')
  (folder / 'tiny.pth').unlink()
  assert 'not the file that was fetched before' in fails('tiny')
  assert names(folder) == set()
  (folder / 'tiny.pth').write_bytes(b'mine')
  assert 'is there already and has the sha256' in fails('tiny')
  assert (folder / 'tiny.pth').read_bytes() == b'mine'


def test_a_published_sha256_and_size_are_held_to(folder, offer, body):
  offer(body, sha256=digest(body), size=len(body))
  assert command.main(['tiny']) == 0
  (folder / 'tiny.pth').unlink()
  offer(body, sha256=digest(b'another'), size=len(body))
  assert 'not the file that was published' in fails('tiny')
  offer(body, sha256=digest(body), size=len(body) - 1)
  assert f'larger than {len(body) - 1:,} bytes' in fails('tiny')
  assert names(folder) == set()


def test_what_is_no_weights_is_not_trusted(folder, offer):
  offer(b'<html>Too many requests</html>')
  assert 'tiny.pth' in fails('tiny')
  assert names(folder) == set()
  assert not fetched.Fetched(folder).source('tiny.pth')


def test_a_file_of_unknown_origin_is_kept(folder, offer, body):
  offer(body)
  folder.mkdir()
  (folder / 'tiny.pth').write_bytes(body)
  assert 'was not fetched by this command; move it away' in fails('tiny')
  assert (folder / 'tiny.pth').read_bytes() == body


def test_a_licence_is_shown_and_accepted_once(
  museum, folder, offer, body, capsys
):
  offer(body, 'CC-BY-NC-SA-4.0')
  assert '--accept-licence' in fails('tiny')
  assert 'forbids commercial use' in capsys.readouterr().err
  assert not museum.requests
  assert command.main(['tiny', '--accept-licence']) == 0
  assert 'CC-BY-NC-SA-4.0' in capsys.readouterr().err
  (folder / 'tiny.pth').unlink()
  assert command.main(['tiny']) == 0
  assert 'forbids' not in capsys.readouterr().err
  offer(body, 'CC-BY-NC-4.0')
  assert '--accept-licence' in fails('tiny')


def test_the_licence_is_listed_and_imported(folder, offer, body, capsys):
  offer(body, 'CC-BY-4.0')
  command.main(['tiny'])
  capsys.readouterr()
  assert weights_command.main([]) == 0
  assert capsys.readouterr().out.splitlines()[1].endswith('CC-BY-4.0')
  import_weights.main([str(folder / 'tiny.pth')])
  header, _ = safetensors_io.describe(folder / 'tiny.safetensors')
  assert header['source']['licence'] == 'CC-BY-4.0'


def test_without_a_name_it_lists_them(folder, capsys):
  assert command.main([]) == 0
  rows = capsys.readouterr().out.splitlines()[1:]
  assert [row.split()[0] for row in rows] == list(releases.RELEASES)
  assert not folder.exists()


def test_wrong_use_and_damage_are_one_line(museum, folder, offer, body):
  message = fails('RealESRGAN_x4')
  assert 'did you mean RealESRGAN_x4plus' in message
  assert 'without a name the command lists them' in fails('x')
  offer(body)
  folder.mkdir(exist_ok=True)
  for damaged in ('{', '[]', '{"files": {"a": 1}}', '{"files": {"a": {}}}'):
    (folder / fetched.NAME).write_text(damaged)
    assert 'not a record of fetched weights' in fails('tiny')
    with pytest.raises(SystemExit, match='^artjax weights: .*not a record'):
      weights_command.main([])
  assert not museum.requests


def test_ctrl_c_leaves_nothing(museum, folder, offer, body, capsys):
  offer(body)

  def interrupt(request, match):
    signal.raise_signal(signal.SIGINT)
    return Reply(body, delay=0.2)

  museum.on('.*', interrupt)
  assert command.main(['tiny']) == 130
  assert 'interrupted; nothing was kept' in capsys.readouterr().err
  assert names(folder) == set()


def test_one_at_a_time(folder, offer, body):
  from artjax.data import run_lock

  offer(body)
  with run_lock.held(str(folder), ''):
    assert 'are being fetched into it already' in fails('tiny')


def test_the_table_is_sound():
  from artjax.interop import published

  titles = {family.title for family in published.FAMILIES}
  for name, release in releases.RELEASES.items():
    assert release.name == name and release.network in titles, name
    assert release.url.startswith('https://') and release.licence
    assert release.file.endswith(weights.SUFFIXES)
    assert len(release.sha256) in (0, 64) and bool(release.size) == bool(
      release.sha256
    )
