"""`artjax restore s3://...`, with a server of S3 on this machine."""

import os
import signal
import socket
import subprocess
import sys

from conftest import ROOT
import pytest
from restore_command import listed
from restore_command import run

from artjax.restoration import command

pytest.importorskip('moto.server', reason='needs moto[server]')
pytest.importorskip('s3fs', reason='needs the extra storage')

SECRET = 'seaZebraPiano7'


@pytest.fixture(scope='module')
def address():
  from moto.server import ThreadedMotoServer

  server = ThreadedMotoServer(ip_address='127.0.0.1', port=0, verbose=False)
  server.start()
  yield 'http://{}:{}'.format(*server.get_host_and_port())
  server.stop()


@pytest.fixture
def store(address, folder, monkeypatch):
  """A client of a server with the files of `folder` in s3://scans/in/."""
  import s3fs

  s3fs.S3FileSystem.clear_instance_cache()
  for name, value in {
    'AWS_ENDPOINT_URL': address,
    'AWS_ACCESS_KEY_ID': 'somebody',
    'AWS_SECRET_ACCESS_KEY': SECRET,
    'AWS_DEFAULT_REGION': 'us-east-1',
  }.items():
    monkeypatch.setenv(name, value)
  client = s3fs.S3FileSystem(use_listings_cache=False)
  client.mkdir('scans')
  for name in listed(folder):
    client.pipe_file(f'scans/in/{name}', (folder / name).read_bytes())
  yield client
  client.rm('scans', recursive=True)
  s3fs.S3FileSystem.clear_instance_cache()


def test_an_archive_is_restored_and_resumed(
  tmp_path, folder, store, tiny, capsys
):
  args = '--recursive', '--report', f'--weights={tiny}'
  run(capsys, folder, '-o', tmp_path / 'out', *args)
  args = 's3://scans/in', '-o', 's3://scans/in/out', '--resume', *args
  _, result, err = run(capsys, *args)
  assert (result['done'], result['failed']) == (4, 2)
  for name in listed(tmp_path / 'out'):
    if not name.endswith(('.json', '.jsonl')):
      expected = (tmp_path / 'out' / name).read_bytes()
      assert store.cat_file(f'scans/in/out/{name}') == expected, name
  _, result, more = run(capsys, *args)
  assert (result['done'], result['skipped']) == (0, 4)
  written = b''.join(map(store.cat_file, store.find('scans/in/out')))
  assert SECRET.encode() not in written and SECRET not in err + more


def test_a_run_that_is_killed_is_continued(store, tiny, capsys):
  code = 'import sys; from artjax.restoration import command; command.main()'
  args = ['s3://scans/in', '--recursive', '--output=s3://scans/out']
  args += [f'--weights={tiny}', '--resume']
  process = subprocess.Popen(
    [sys.executable, '-c', code, *args],
    env={**os.environ, 'PYTHONPATH': str(ROOT)},
    stderr=subprocess.PIPE,
    stdout=subprocess.DEVNULL,
    text=True,
  )
  for line in process.stderr:
    if ': done' in line:
      process.kill()
      break
  process.communicate()
  assert process.returncode == -signal.SIGKILL
  _, result, _ = run(capsys, *args)
  assert (result['pictures'], result['failed']) == (6, 2)
  names = [os.path.splitext(name) for name in store.find('scans/out')]
  assert sorted(end for _, end in names if end != '.jsonl') == [
    '.jpg',
    *3 * ['.png'],
  ]


def test_a_missing_bucket_is_one_line(store, tiny, capsys, folder):
  status, _, err = run(
    capsys, 's3://none/in', '-o', 's3://scans/out', f'--weights={tiny}'
  )
  assert status == 1
  assert 's3://none/in: there is no such bucket, folder or file' in err
  with pytest.raises(SystemExit) as end:
    command.main([str(folder), '-o', 's3://none/out', f'--weights={tiny}'])
  assert end.value.code == 2
  err = capsys.readouterr().err.splitlines()[-1]
  assert 's3://none/out' in err and 'there is no such bucket' in err


def test_a_store_out_of_reach_is_one_line(store, tiny, capsys, monkeypatch):
  import s3fs

  with socket.socket() as free:
    free.bind(('127.0.0.1', 0))
    port = free.getsockname()[1]
  monkeypatch.setenv('AWS_ENDPOINT_URL', f'http://127.0.0.1:{port}')
  monkeypatch.setenv('AWS_MAX_ATTEMPTS', '1')
  s3fs.S3FileSystem.clear_instance_cache()
  with pytest.raises(SystemExit) as end:
    command.main(['s3://scans/in', '-o', 's3://scans/out', f'--weights={tiny}'])
  assert end.value.code == 2
  err = capsys.readouterr().err.splitlines()[-1]
  assert 's3://scans/out: the store cannot be reached' in err
