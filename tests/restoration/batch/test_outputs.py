"""All files of a run are planned together: none is written over another."""

import os

import pytest

from artjax.image_io import formats
from artjax.restoration.batch import finding
from artjax.restoration.batch import outputs

ALL = outputs.Wanted(
  change_map=True, uncertainty=True, report=True, mask=True, damage_map=True
)


def planned(tmp_path, names, wanted=ALL, template='{stem}{suffix}', **more):
  """{name: item} of files in tmp_path/in, that are there or made empty."""
  folder = tmp_path / 'in'
  items = []
  for name in names:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    items.append(finding.Item(str(path), name))
  out = str(tmp_path / 'out')
  outputs.plan(items, out, template, 'unet', wanted, **more)
  return {item.below: item for item in items}


def names(item):
  return {k: os.path.basename(path) for k, path in item.outputs.items()}


def test_files_beside_a_result_are_named_after_its_stem(tmp_path):
  (item,) = planned(tmp_path, ['a.tif']).values()
  assert names(item) == {
    'picture': 'a.tif',
    'damage_map': 'a.damage.png',
    'mask': 'a.mask.png',
    'change_map': 'a.change.png',
    'uncertainty': 'a.uncertainty.png',
    'report': 'a.tif.json',
  }


def test_where_stems_are_shared_after_its_whole_name(tmp_path):
  pictures = ['a.change.png', 'a.jpg', 'a.png', 'b.jpg', 'b.mask.png']
  items = planned(tmp_path, pictures)
  assert not any(item.problem for item in items.values())
  assert names(items['a.jpg'])['change_map'] == 'a.jpg.change.png'
  assert names(items['a.png'])['mask'] == 'a.png.mask.png'
  # The name of a picture comes before that of a map of another.
  assert names(items['a.change.png'])['picture'] == 'a.change.png'
  assert names(items['b.jpg'])['mask'] == 'b.jpg.mask.png'
  written = [p for item in items.values() for p in item.outputs.values()]
  assert len(written) == len(set(written)) == 6 * len(pictures)


def test_maps_alone_do_not_collide_either(tmp_path):
  wanted = outputs.Wanted(picture=False, damage_map=True)
  items = planned(tmp_path, ['a.jpg', 'a.png', 'b.png'], wanted)
  assert [os.path.basename(item.output) for item in items.values()] == [
    'a.jpg.damage.png',
    'a.png.damage.png',
    'b.damage.png',
  ]


def test_what_is_brought_or_somebodys_own_is_not_written_over(tmp_path):
  out = tmp_path / 'out'
  item = finding.Item(str(tmp_path / 'a.jpg'), 'a.jpg')
  item.brought['mask'] = str(out / 'a.mask.png')
  kept = [str(out / 'a.jpg.change.png')]
  wanted = outputs.Wanted(mask=True)
  outputs.plan([item], str(out), '{stem}{suffix}', '', wanted, kept)
  assert names(item)['mask'] == 'a.jpg.mask.png'
  wanted = outputs.Wanted(mask=True, change_map=True)
  outputs.plan([item], str(out), '{stem}{suffix}', '', wanted, kept)
  assert item.problem.endswith('choose another --name') and not item.outputs


def test_two_results_of_one_name_are_refused(tmp_path):
  items = planned(tmp_path, ['a.jpg', 'a.png'], template='{stem}.tif')
  assert not items['a.jpg'].problem
  assert 'a.tif is that of, or is, ' in items['a.png'].problem
  assert not items['a.png'].outputs


@pytest.mark.parametrize(
  'content, name, result',
  [
    ('png', 'a.jpg', 'a.png'),
    ('tif', 'a.dng', 'a.tif'),
    ('tif', 'a.TIFF', 'a.TIFF'),
    ('jpg', 'a.jfif', 'a.jfif'),
    ('jpg', 'a', 'a.jpg'),
    ('avif', 'a.heic', 'a.avif'),
  ],
)
def test_a_result_is_named_as_what_its_source_is(
  tmp_path, content, name, result
):
  head = {
    'png': b'\x89PNG\r\n\x1a\n',
    'tif': b'II*\0',
    'jpg': b'\xff\xd8\xff',
    'avif': b'\0\0\0\0ftypheic',
  }[content]
  (tmp_path / 'in').mkdir()
  (tmp_path / 'in' / name).write_bytes(head)
  (item,) = planned(tmp_path, [name], outputs.Wanted()).values()
  assert os.path.basename(item.output) == result
  assert len(item.notices) == (name not in (result, 'a'))
  (item,) = planned(tmp_path, [name], outputs.Wanted(), '{stem}.tif').values()
  assert os.path.basename(item.output) == 'a.tif' and not item.notices


def test_a_format_may_be_asked_for(tmp_path):
  wanted = outputs.Wanted(report=True)
  items = planned(tmp_path, ['a.jpg', 'b.dng'], wanted, form='tif')
  assert [names(item)['report'] for item in items.values()] == [
    'a.tif.json',
    'b.tif.json',
  ]
  assert not any(item.notices for item in items.values())
  assert {f'.{name}' for name in outputs.FORMATS} == {
    formats.suffix_of(f'a.{name}') for name in outputs.FORMATS
  }
  for name in outputs.FORMATS:
    formats.saver(f'a.{name}')


@pytest.mark.parametrize(
  'name, template, problem',
  [
    ('a.png', '{stem}.bmp', "cannot be written as '.bmp'"),
    ('a.txt', '{stem}{suffix}', 'not a picture'),
    ('a.png', 'x' * 251 + '{suffix}', ''),
    ('a.png', 'x' * 252 + '{suffix}', 'longer than 255 bytes'),
    ('a.png', 'ü' * 126 + '{suffix}', 'longer than 255 bytes'),
    ('a.png', 'folder.png', 'is a folder'),
  ],
)
def test_what_cannot_be_written_is_known_before(
  tmp_path, name, template, problem
):
  (tmp_path / 'out' / 'folder.png').mkdir(parents=True)
  (tmp_path / 'in').mkdir()
  (tmp_path / 'in' / 'a.png').write_bytes(b'\x89PNG\r\n\x1a\n')
  wanted = outputs.Wanted()
  (item,) = planned(tmp_path, [name], wanted, template).values()
  assert problem in item.problem and bool(item.problem) == bool(problem)


def test_a_map_of_a_long_name_is_refused_too(tmp_path):
  (item,) = planned(tmp_path, [f'{"x" * 250}.png']).values()
  assert 'longer than 255 bytes' in item.problem and not item.outputs


def test_a_folder_that_cannot_be_one_is_refused(tmp_path, monkeypatch):
  outputs.check_folder(str(tmp_path / 'new' / 'er'))
  (tmp_path / 'file').touch()
  with pytest.raises(ValueError, match='file is a file, not a folder'):
    outputs.check_folder(str(tmp_path / 'file' / 'out'))
  monkeypatch.setattr(os, 'access', lambda path, mode: False)
  with pytest.raises(ValueError, match='cannot be written to'):
    outputs.check_folder(str(tmp_path / 'new'))
