"""artjax restore: wrong use is one line, exit status 2, and nothing written."""

import json
import pathlib
import re

import pytest

from artjax.interop import safetensors_io
from artjax.restoration import command
from artjax.restoration import default_chain
from artjax.restoration.batch import arguments


@pytest.mark.parametrize(
  'args, message',
  [
    (['--weights=nonsense'], 'nonsense: no such weights'),
    (['--weights=unet', '--strength=2'], r'--strength=2.0 is not in \[0, 1\]'),
    (['--weights=unet', '--name={nonsense}'], '--name'),
    (['--weights=unet', '--name=../{stem}'], 'must not name folders'),
    (['--format=tif', '--name={stem}.jpg'], 'has no {suffix} for it'),
    (
      ['--weights=unet', '--saturation=3'],
      r'--saturation=3.0 is not in \[0, 2\]',
    ),
    (
      ['--weights=unet', '--saturation=0.5'],
      'unet does not colorize: it cannot use hints',
    ),
    (['--weights=unet', '--hints=gone.png'], '--hints=gone.png: no such file'),
  ],
)
def test_wrong_use_is_one_line_and_2(tmp_path, folder, capsys, args, message):
  with pytest.raises(SystemExit) as e:
    command.main([str(folder), '-o', str(tmp_path / 'out'), *args])
  assert e.value.code == 2
  assert re.search(message, capsys.readouterr().err.splitlines()[-1])
  assert not (tmp_path / 'out').exists()


def test_the_default_chain_runs_unless_weights_are_named():
  args, _ = arguments.parse(['scan.png', '-o', 'out'])
  assert args.weights == default_chain.WEIGHTS
  args, _ = arguments.parse(['scan.png', '-o', 'out', '--weights=unet'])
  assert args.weights == 'unet'


def test_empty_folder_is_wrong_use(tmp_path, tiny, capsys):
  (tmp_path / 'empty').mkdir()
  with pytest.raises(SystemExit) as e:
    command.main([str(tmp_path / 'empty'), '-o', 'x', f'--weights={tiny}'])
  assert e.value.code == 2
  assert 'no picture in' in capsys.readouterr().err


def test_tampered_weights_are_refused(tmp_path, folder, tiny, capsys):
  data = bytearray(pathlib.Path(tiny).read_bytes())
  data[-1] ^= 1
  path = tmp_path / 'tiny.safetensors'
  path.write_bytes(data)
  (tmp_path / 'manifest.json').write_text(
    json.dumps(
      {'tiny.safetensors': {'sha256': safetensors_io.file_sha256(tiny)}}
    )
  )
  with pytest.raises(SystemExit) as e:
    command.main([str(folder), '-o', str(tmp_path / 'o'), f'--weights={path}'])
  assert e.value.code == 2
  assert 'sha256 differs from that' in capsys.readouterr().err


def test_dry_run_wants_weights_that_are_there(tmp_path, folder, capsys):
  for weights, message in (
    ('nonsense', 'nonsense: no such weights'),
    ('unet:0.3+esrgan', 'a share is missing'),
    ('inpaint', 'give a mask'),
  ):
    with pytest.raises(SystemExit) as e:
      command.main(
        [str(folder), '-o', 'x', f'--weights={weights}', '--dry_run']
      )
    assert e.value.code == 2
    assert message in capsys.readouterr().err


def test_what_is_wrong_in_weights_is_shown(folder, capsys):
  with pytest.raises(SystemExit):
    command.main([str(folder), '-o', 'x', '--weights=unet,a:0.3+b'])
  text, caret = capsys.readouterr().err.splitlines()[-2:]
  assert text == '  unet,a:0.3+b' and caret == '              ^'
