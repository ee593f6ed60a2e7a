"""artjax restore with weights that find damage, and options they cannot use."""

import cv2
import numpy as np
import pytest
from restore_command import listed
from restore_command import run

from artjax import atomic_files
from artjax.restoration import command


def test_what_only_finds_writes_its_map(tmp_path, folder, detect, capsys):
  out = tmp_path / 'found'
  args = (folder, '-o', out, f'--weights={detect}', '--resume')
  status, result, err = run(capsys, *args, '--strength=0.5')
  assert status == 1 and (result['done'], result['failed']) == (3, 2)
  names = ['a.damage.png', 'b.damage.png', 'c c.damage.png']
  assert listed(out) == [*names, 'restore.jsonl']
  assert cv2.imread(str(out / 'b.damage.png')).shape == (21, 30, 3)
  # What has no effect is said once.
  assert err.count(f'strength has no effect on {detect}') == 1
  _, result, _ = run(capsys, *args, '--strength=0.5')
  assert result['skipped'] == 3
  # With the mask that it is cut to.
  _, result, _ = run(capsys, *args, '--save_mask', '--recursive')
  assert listed(out / 'sub') == ['a.damage.png', 'a.mask.png']


def test_a_folder_of_maps_is_one_of_masks(tmp_path, folder, detect, capsys):
  found = tmp_path / 'found'
  run(capsys, folder / 'a.png', '-o', found, f'--weights={detect}')
  levels = cv2.imread(str(found / 'a.damage.png')).max(-1)
  threshold = float(np.median(levels) + 0.5) / 255
  out = tmp_path / 'out'
  status, _, _ = run(
    capsys,
    folder / 'a.png',
    '-o',
    out,
    f'--weights={detect}',
    f'--mask={found}',
    f'--mask_threshold={threshold}',
    '--mask_min_area=0',
    '--mask_dilate=0',
    '--kinds=thin,opaque,translucent',
    '--save_mask',
  )
  assert status == 0
  mask = cv2.imread(str(out / 'a.mask.png'), cv2.IMREAD_UNCHANGED)
  np.testing.assert_array_equal(mask > 0, levels > 255 * threshold)


def test_results_are_not_taken_for_pictures(tmp_path, folder, detect, capsys):
  folder = folder / 'sub'
  args = (f'--weights={detect}', '--save_mask', '-o', folder)
  _, result, _ = run(capsys, folder, *args)
  assert result['pictures'] == result['done'] == 1
  assert listed(folder) == [
    'a.damage.png',
    'a.mask.png',
    'a.png',
    'restore.jsonl',
  ]
  _, result, err = run(capsys, folder, *args)
  assert result['pictures'] == 1
  assert '3 other files in the folders are left alone' in err
  # A pattern names no file by itself either.
  _, result, err = run(
    capsys, folder / '*.png', '-o', tmp_path / 'o', args[0], '--dry_run'
  )
  assert result['pictures'] == 1
  assert '2 other files in the folders are left alone' in err
  # One that is named is meant.
  _, result, _ = run(
    capsys, folder / 'a.mask.png', '-o', tmp_path / 'o', args[0]
  )
  assert result['done'] == 1


def test_files_beside_results_of_one_stem_have_its_whole_name(
  tmp_path, folder, detect, capsys
):
  atomic_files.write_picture(
    str(folder / 'a.jpg'), np.zeros([20, 30, 3], np.uint8)
  )
  status, result, _ = run(
    capsys,
    folder / 'a.png',
    folder / 'a.jpg',
    '-o',
    tmp_path / 'out',
    f'--weights={detect}',
  )
  assert status == 0 and result['done'] == 2
  assert listed(tmp_path / 'out') == [
    'a.jpg.damage.png',
    'a.png.damage.png',
    'restore.jsonl',
  ]


@pytest.mark.parametrize('flag', ['--change_map', '--uncertainty'])
def test_there_are_no_maps_of_a_change_that_is_not_made(
  tmp_path, folder, detect, capsys, flag
):
  with pytest.raises(SystemExit) as e:
    command.main([str(folder), '-o', 'x', f'--weights={detect}', flag])
  assert e.value.code == 2
  assert 'finds damage and changes no picture' in capsys.readouterr().err


def test_a_find_that_nothing_uses_is_said(
  tmp_path, folder, tiny, detect, capsys
):
  args = (folder / 'a.png', '-o', tmp_path / 'out')
  weights = f'--weights={detect},{tiny}'
  status, _, err = run(capsys, *args, weights)
  assert status == 0 and err.count('finds is not used') == 1
  _, _, err = run(capsys, *args, weights, '--save_mask')
  assert 'finds is not used' not in err
