"""artjax restore: folders of good and bad files, and every count right."""

import json
import os
import subprocess
import sys
import time

from conftest import loaded_by
from conftest import ROOT
from conftest import vivid_colours
import cv2
import numpy as np
import pytest
from restore_command import listed
from restore_command import run

from artjax import atomic_files
from artjax.image_io import formats
from artjax.inference import loading
from artjax.interop import safetensors_io
from artjax.restoration import command
from artjax.restoration import options
from artjax.restoration import presets
from artjax.restoration.batch import arguments
from artjax.restoration.batch import finding


def test_good_ones_are_done_and_bad_ones_are_named(
  tmp_path, folder, tiny, capsys
):
  out = tmp_path / 'out'
  status, result, err = run(
    capsys, folder, '-o', out, f'--weights={tiny}', '--recursive', '--report'
  )
  assert status == 1
  assert (result['pictures'], result['done'], result['failed']) == (6, 4, 2)
  assert listed(out) == sorted(
    [
      name + end
      for name in ('a.png', 'b.jpg', 'c c.png', 'sub/a.png')
      for end in ('', '.json')
    ]
    + ['restore.jsonl']
  )
  assert 'broken.png: not a picture' in err
  assert 'empty.tif: the file is empty' in err
  assert '1 other files' in err
  log = [
    json.loads(line)
    for line in (out / 'restore.jsonl').read_text().splitlines()
  ]
  assert [entry['status'] for entry in log].count('failed') == 2
  assert len(log) == 6


def test_resume_does_what_is_left(tmp_path, folder, tiny, capsys):
  out = tmp_path / 'out'
  args = (folder, '-o', out, f'--weights={tiny}', '--resume')
  run(capsys, *args)
  stamp = (out / 'a.png').stat().st_mtime_ns
  os.remove(out / 'b.jpg')
  with open(out / 'restore.jsonl', 'a') as log:
    log.write('{"status": "done", "key": "torn')  # killed while writing
  _, result, _ = run(capsys, *args)
  assert (result['done'], result['skipped'], result['failed']) == (1, 2, 2)
  assert (out / 'a.png').stat().st_mtime_ns == stamp
  # Other settings or another content are another job.
  _, result, _ = run(capsys, *args, '--strength=0.5')
  assert (result['done'], result['skipped']) == (3, 0)
  atomic_files.write_picture(
    str(folder / 'a.png'), np.zeros([9, 9, 3], np.uint8)
  )
  _, result, _ = run(capsys, *args, '--strength=0.5')
  assert (result['done'], result['skipped']) == (1, 2)


def test_fail_fast_stops(tmp_path, folder, tiny, capsys):
  out = tmp_path / 'out'
  status, result, _ = run(
    capsys,
    folder / 'a.png',
    folder / 'broken.png',
    folder / 'b.jpg',
    '-o',
    out,
    f'--weights={tiny}',
    '--fail_fast',
  )
  assert status == 1
  assert (result['done'], result['failed'], result['not_tried']) == (1, 1, 1)
  assert listed(out) == ['a.png', 'restore.jsonl']


def test_dry_run_writes_nothing(tmp_path, folder, tiny, capsys):
  status = command.main(
    [str(folder), '-o', str(tmp_path / 'out'), f'--weights={tiny}', '--dry_run']
  )
  out = capsys.readouterr().out
  assert status == 0 and not (tmp_path / 'out').exists()
  assert f'{folder}/a.png -> {tmp_path}/out/a.png' in out


def test_sources_are_never_overwritten(tmp_path, folder, tiny, capsys):
  before = {p: (folder / p).read_bytes() for p in listed(folder)}
  status, result, err = run(
    capsys,
    folder / 'a.png',
    folder / 'b.jpg',
    '-o',
    folder,
    f'--weights={tiny}',
  )
  assert status == 1 and result['failed'] == 2
  assert 'would overwrite' in err
  for path, content in before.items():
    assert (folder / path).read_bytes() == content
  status, result, _ = run(
    capsys,
    folder / 'a.png',
    '-o',
    folder,
    f'--weights={tiny}',
    '--name={stem}_{weights}{suffix}',
  )
  assert status == 0 and (folder / 'a_tiny.safetensors.png').exists()


def test_outputs_that_collide_are_not_lost(tmp_path, folder, tiny, capsys):
  status, result, err = run(
    capsys,
    folder / 'a.png',
    folder / 'sub' / 'a.png',
    '-o',
    tmp_path / 'out',
    f'--weights={tiny}',
  )
  assert status == 1
  assert (result['done'], result['failed']) == (1, 1)
  assert 'choose another --name' in err


def test_patterns_and_missing_files(tmp_path, folder, tiny, capsys):
  status, result, err = run(
    capsys,
    folder / '?.*',
    folder / 'x*.png',
    folder / 'gone.png',
    '-o',
    tmp_path / 'out',
    f'--weights={tiny}',
  )
  assert (result['done'], result['failed']) == (2, 2)
  assert 'x*.png: nothing matches' in err
  assert 'gone.png: No such file' in err


def test_presets_give_way_to_what_is_said():
  args, given = arguments.parse(['a.png', '-o', 'out', '--preset=print'])
  assert args.weights == 'structure,tone' and given.structure == 0.65
  args, given = arguments.parse(
    ['a.png', '-o', 'out', '--structure=1', '--weights=unet', '--preset=print']
  )
  assert args.weights == 'unet' and given.structure == 1
  for preset in presets.PRESETS:
    options.Options(**preset.options)


def test_no_tensorflow_on_this_path(tmp_path, folder, tiny):
  code = (
    'import sys; sys.modules.update(dict.fromkeys('
    '["tensorflow", "clu", "tensorboard"]))\n'
    'from artjax.restoration import command\n'
    f'sys.exit(command.main({[str(folder / "a.png")]!r} + ["-o", '
    f'{str(tmp_path / "out")!r}, "--weights={tiny}"]))'
  )
  done = subprocess.run(
    [sys.executable, '-c', code], cwd=ROOT, text=True, capture_output=True
  )
  assert done.returncode == 0, done.stderr
  assert json.loads(done.stdout.splitlines()[-1])['done'] == 1


def test_killed_in_the_middle_and_resumed(tmp_path, tiny):
  # A folder of many, 5 % of it broken; ARTJAX_RESUME_PICTURES=500 for more.
  count = int(os.environ.get('ARTJAX_RESUME_PICTURES', 40))
  folder, out = tmp_path / 'in', tmp_path / 'out'
  folder.mkdir()
  for i in range(count):
    picture = np.random.default_rng(i).integers(
      0, 256, [16, 20, 3], dtype=np.uint8
    )
    data = atomic_files.encode(picture, '.png')
    (folder / f'{i:04d}.png').write_bytes(data[:90] if i % 20 == 7 else data)
  broken = sum(i % 20 == 7 for i in range(count))
  command = [
    sys.executable,
    'scripts/restore.py',
    str(folder),
    '-o',
    str(out),
    f'--weights={tiny}',
    '--resume',
  ]
  log = out / 'restore.jsonl'
  lines = lambda: log.read_text().splitlines() if log.exists() else []
  with subprocess.Popen(
    command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
  ) as process:
    deadline = time.monotonic() + 200
    while len(lines()) < count // 2 and time.monotonic() < deadline:
      time.sleep(0.005)
    process.kill()
  before = len(lines())
  assert count // 2 <= before < count
  done = subprocess.run(command, cwd=ROOT, text=True, capture_output=True)
  assert done.returncode == 1
  result = json.loads(done.stdout.splitlines()[-1])
  assert result['done'] + result['skipped'] == count - broken
  assert result['failed'] == broken and result['skipped'] > 0
  assert len(list(out.glob('*.png'))) == count - broken
  entries = [json.loads(line) for line in lines()]
  finished = [e['source'] for e in entries if e['status'] == 'done']
  # The one it was killed in may have been finished but not yet in the log.
  assert count - broken == len(set(finished)) == len(finished)
  failed = {e['source'] for e in entries if e['status'] == 'failed'}
  assert len(failed) == broken
  assert not list(out.glob('*.part'))


def test_a_folder_that_cannot_be_read_is_a_failure(folder, monkeypatch):
  scan = os.scandir

  def refuse(path):
    if str(path).endswith('sub'):
      raise PermissionError(13, 'Permission denied', str(path))
    return scan(path)

  monkeypatch.setattr(os, 'scandir', refuse)
  items, _ = finding.find([str(folder)], True, formats.SUFFIXES)
  assert [item.problem for item in items if item.problem] == [
    f'{folder / "sub"}: Permission denied'
  ]


def test_a_blend_is_on_record(tmp_path, folder, tiny, capsys):
  blend, out = f'{tiny}:0.25+{tiny}:0.75', tmp_path / 'out'
  status, _, _ = run(
    capsys,
    folder / 'a.png',
    '-o',
    out,
    '--report',
    f'--weights={blend}',
    '--name={stem}_{weights}{suffix}',
  )
  assert status == 0
  name = 'a_tiny.safetensors_0.25+tiny.safetensors_0.75.png'
  (record,) = json.loads((out / f'{name}.json').read_text())['weights']
  assert record['name'] == blend
  assert record['params_sha256'] == safetensors_io.sha256(
    loading.load(blend)[1]
  )


def test_colours_with_hints_by_name(tmp_path, capsys):
  path = str(tmp_path / 'colorize.safetensors')
  config, params = vivid_colours()
  safetensors_io.save(path, params, config)
  scans, hints, out = (tmp_path / name for name in ('in', 'hints', 'out'))
  for folder in (scans, hints):
    folder.mkdir()
  for name in ('a', 'b', 'c'):
    assert cv2.imwrite(
      str(scans / f'{name}.png'), np.full([40, 50], 128, np.uint8)
    )
  sheet = np.zeros([40, 50, 4], np.uint8)
  sheet[5:30, 5:30] = 60, 110, 150, 255
  for name in ('a.png', 'b-hints.png'):
    assert cv2.imwrite(str(hints / name), sheet)
  args = (
    scans,
    '-o',
    out,
    f'--weights={path}',
    f'--hints={hints}',
    '--report',
    '--resume',
  )
  status, result, err = run(capsys, *args)
  assert status == 1 and (result['done'], result['failed']) == (2, 1)
  assert f'{scans}/c.png: {hints} holds no hints of the name c' in err
  assert listed(out) == [
    'a.png',
    'a.png.json',
    'b.png',
    'b.png.json',
    'restore.jsonl',
  ]
  record = json.loads((out / 'b.png.json').read_text())
  assert record['hints'] == str(hints / 'b-hints.png')
  assert record['options']['saturation'] == 1
  assert cv2.imread(str(out / 'b.png'), cv2.IMREAD_UNCHANGED).shape == (
    40,
    50,
    3,
  )
  # Other hints are another job.
  sheet[5:30, 5:30, 0] = 200
  assert cv2.imwrite(str(hints / 'a.png'), sheet)
  _, result, _ = run(capsys, *args)
  assert (result['done'], result['skipped']) == (1, 1)
  with pytest.raises(SystemExit):
    command.main([*map(str, args), '--self_ensemble'])
  assert 'cannot use self_ensemble' in capsys.readouterr().err


def test_a_run_into_a_file_says_how_far_it_is(tmp_path, folder, tiny, capsys):
  _, _, err = run(capsys, folder, '-o', tmp_path / 'out', f'--weights={tiny}')
  lines = [line for line in err.splitlines() if line.startswith('[')]
  assert lines == [
    '[1/5] a.png: done',
    '[2/5] b.jpg: done',
    '[3/5] broken.png: failed',
    '[4/5] c c.png: done',
    '[5/5] empty.tif: failed',
  ]


def test_help_is_fast_for_it_imports_nothing_heavy():
  code = (
    'from artjax.restoration import command\n'
    'try:\n  command.main(["--help"])\nexcept SystemExit:\n  pass'
  )
  assert not loaded_by(code, 'jax', 'numpy', 'cv2', 'pyvips', 'tqdm')
