"""The folder of an evaluation: its page, its table, its panels."""

from conftest import tiny_config
import numpy as np

from artjax.evaluation import report


def test_page_table_and_panels(tmp_path):
  grey = np.full([40, 30, 3], 90, np.uint8)
  report.write(
    str(tmp_path),
    title='Trial',
    stated={'weights': 'w', 'seed': 0},
    text='| a |',
    rows=[['picture', 'psnr'], ['a, b', 20.5]],
    panels=[('a, b', grey, 'psnr 20.5'), ('c', grey, '')],
  )
  assert (tmp_path / 'report.md').read_text() == (
    '# Trial\n\n- weights: `w`\n- seed: `0`\n\n| a |\n\n'
    '## a, b\n\n![a, b](panels/000.jpg)\n\npsnr 20.5\n\n'
    '## c\n\n![c](panels/001.jpg)\n'
  )
  assert (tmp_path / 'per_picture.csv').read_text().splitlines() == [
    'picture,psnr',
    '"a, b",20.5',
  ]
  assert sorted(p.name for p in (tmp_path / 'panels').iterdir()) == [
    '000.jpg',
    '001.jpg',
  ]


def test_it_goes_into_the_working_directory_unless_a_folder_is_named(tmp_path):
  assert report.folder(str(tmp_path), None) == str(tmp_path / 'evaluation')
  assert report.folder(str(tmp_path), 'there') == 'there'
  assert report.folder('unet', None) is None  # a name, or a file


def test_it_states_what_was_measured_on():
  config = tiny_config(**{'data.source': 'sample', 'seed': 3})
  stated = report.settings(config, 'w', 'unet.UNet', damage='x')
  assert stated == {
    'weights': 'w',
    'model': 'unet.UNet',
    'source': 'held-out part of sample',
    'damage': 'x',
    'self_ensemble': False,
    'engine': 'jax',
    'seed': 3,
  }
  with config.unlocked():
    config.eval.source = 'folder:there'
  assert report.settings(config, 'w', 'm')['source'] == 'folder:there'


def test_panels_have_one_height_and_are_never_enlarged():
  large = np.zeros([640, 400, 3], np.uint8)
  small = large[:9, :8]
  assert report.shrink(large).shape == (320, 200, 3)
  assert report.shrink(small) is small


def test_panel_sets_pictures_side_by_side():
  black, grey = np.zeros([4, 5, 3], np.uint8), np.full([4, 6, 3], 9, np.uint8)
  row = report.side_by_side(black, grey, gap=2)
  assert row.shape == (4, 13, 3)
  assert (row[:, 5:7] == 255).all() and (row[:, 7:] == 9).all()


def test_pictures_of_any_width_go_below_each_other():
  black, grey = np.zeros([4, 5, 3], np.uint8), np.full([6, 3, 3], 9, np.uint8)
  found = report.below_each_other([black, grey])
  assert found.shape == (4 + report.GAP + 6, 5, 3)
  assert (found[4:-6] == 255).all() and (found[-6:, 3:] == 255).all()
  np.testing.assert_array_equal(found[-6:, :3], grey)


def test_thumbnails_are_one_batch():
  wide, high = np.zeros([10, 40, 3], np.uint8), np.zeros([90, 30, 3], np.uint8)
  batch = report.thumbnails('a | b', [(wide, high)] * 3, 32)['a | b']
  assert batch.shape == (3, 32, 64, 3)
  assert not batch[0, :8, :32].any() and (batch[0, 8:, :32] == 255).all()
  assert not batch[0, :, 32:42].any() and (batch[0, :, 43:] == 255).all()
  assert report.thumbnails('a', []) == {}
