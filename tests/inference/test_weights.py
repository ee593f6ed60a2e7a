"""How weights are named."""

import os

from conftest import loaded_by
import pytest

from artjax.inference import weights

Source = weights.Source


@pytest.mark.parametrize(
  'text, sources, shares',
  [
    ('unet', [Source('unet')], (1,)),
    ('runs/x.safetensors', [Source('runs/x.safetensors')], (1,)),
    ('detect:fine', [Source('detect', 'fine')], (1,)),
    ('a:0.3+b:.7', [Source('a'), Source('b')], (0.3, 0.7)),
    ('a:1', [Source('a')], (1,)),
    (
      'd:fine:0.5+e:coarse:0.5',
      [Source('d', 'fine'), Source('e', 'coarse')],
      (0.5, 0.5),
    ),
    ('C:\\w:0.5+D:/w:0.5', [Source('C:\\w'), Source('D:/w')], (0.5, 0.5)),
    ('\'a,b\':0.5+"c+d":0.5', [Source('a,b'), Source('c+d')], (0.5, 0.5)),
    ('deep_image_prior', [Source('deep_image_prior')], (1,)),
  ],
)
def test_one_network(text, sources, shares):
  (found,) = weights.chain(text)
  assert found == weights.single(text)
  assert found.sources == tuple(sources) and found.shares == shares
  assert found.is_prior == (text == 'deep_image_prior')
  assert str(found) == text


def test_a_chain_is_read_link_by_link():
  links = weights.chain('unet,a:0.25+b:0.75,detect:fine')
  assert [str(link) for link in links] == [
    'unet',
    'a:0.25+b:0.75',
    'detect:fine',
  ]
  assert weights.chain(['x', 'y:fine']) == (
    weights.single('x'),
    weights.single('y:fine'),
  )


def test_shares_are_of_a_whole_as_far_as_they_are_written_out():
  assert sum(weights.single('a:.333+b:.333+c:.333').shares) == pytest.approx(1)


@pytest.mark.parametrize(
  'text, at, problem',
  [
    ('', 0, 'a name of weights is missing'),
    ('unet,', 5, 'a name of weights is missing'),
    ('unet,,esrgan', 5, 'a name of weights is missing'),
    ('a:0.5+b', 7, 'a share is missing'),
    ('runs/a+b', 6, 'what is blended needs a share'),
    ('unet,a:x', 7, 'after a colon stands a share'),
    ('a:fine:coarse', 7, 'after a colon stands a share'),
    ('unet,a:0.3+b:0.6', 5, 'sum to 1; these sum to 0.9'),
    ('a:1.5+b:-0.5', 0, 'shares must be in'),
    ("unet,'a", 5, 'the quote is not closed'),
    ("''", 0, 'no name in the quotes'),
    ("'a'b", 3, 'a comma or the end was expected'),
  ],
)
def test_what_is_wrong_is_shown_where_it_is(text, at, problem):
  with pytest.raises(weights.BadWeights) as e:
    weights.chain(text)
  first, shown, caret = str(e.value).split('\n')
  assert first.startswith(f'weights {text!r}: ') and problem in first
  assert shown == f'  {text}' and caret == '  ' + ' ' * at + '^'
  assert e.value.position == at


def test_a_chain_is_not_one_network():
  with pytest.raises(weights.BadWeights, match='one network is wanted here'):
    weights.single('unet,esrgan')


def test_what_exists_is_taken_as_it_is(tmp_path, monkeypatch):
  monkeypatch.chdir(tmp_path)
  names = ['a:0.5+b:0.5', 'v2+x.st', 'w,v', 'p:fine', "q'uote", "'r,s'"]
  for name in names:
    (tmp_path / name).touch()
    assert weights.single(name).sources == (Source(name),)
  # Within longer ones, the longest that exists.
  text = f'{",".join(names)},w,v:0.5+v2+x.st:0.5,w'
  links = weights.chain(text)
  assert [link.sources[0].where for link in links] == [*names, 'w,v', 'w']
  assert links[-2].shares == (0.5, 0.5)
  # A part of a file in a folder whose name has a comma.
  os.mkdir('runs,1')
  (tmp_path / 'runs,1' / 'x').touch()
  assert weights.single('runs,1/x:coarse').sources == (
    Source('runs,1/x', 'coarse'),
  )


def test_shipped_weights_are_found_installed_or_in_the_repository(
  tmp_path, monkeypatch
):
  assert (weights.pretrained_folder() / 'manifest.json').is_file()
  assert weights.find('unet') == str(
    weights.pretrained_folder() / 'unet.safetensors'
  )
  package = tmp_path / 'artjax'
  (package / 'inference').mkdir(parents=True)
  monkeypatch.setattr(
    weights, '__file__', str(package / 'inference' / 'weights.py')
  )
  assert weights.pretrained_folder() == tmp_path / 'pretrained'
  with pytest.raises(FileNotFoundError, match=r'unet: no such .*\(none here\)'):
    weights.find('unet')
  (package / 'pretrained').mkdir()
  assert weights.pretrained_folder() == package / 'pretrained'
  (package / 'pretrained' / 'mine.safetensors').touch()
  with pytest.raises(FileNotFoundError, match='or one of: mine$'):
    weights.find('unet')
  assert weights.find('mine').startswith(str(package))


def test_names_of_weights_are_read_without_anything_heavy():
  assert not loaded_by('import artjax.inference.weights', 'jax', 'numpy')
