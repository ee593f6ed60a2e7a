"""Folders in the layout of TFDS's ImageFolder: splits, classes, mistakes."""

from drawn_pictures import write
import pytest

from artjax.data import sources


@pytest.fixture
def root(tmp_path):
  """Cats and dogs for training, cats and an ape to test, and a stray file."""
  for i, name in enumerate(
    ('train/cat/a', 'train/dog/b', 'test/cat/c', 'test/ape/d', 'train/stray')
  ):
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    write(tmp_path / f'{name}.png', i, 40 + i, 50)
  (tmp_path / '.git').mkdir()
  return tmp_path


def load(root, rest=''):
  return sources.load(f'tfds:ImageFolder@{root}{rest}')


def test_a_split_has_pictures_and_the_labels_of_all_classes(root):
  source = load(root)
  assert [entry.name for entry in source.entries] == [
    'train/cat/a.png',
    'train/dog/b.png',
  ]
  # ape, cat, dog
  assert [source[i]['label'] for i in range(2)] == [1, 2]
  assert source[1]['image'].shape == (41, 50, 3)
  assert source.rejected == [('train/stray.png', 'in no folder of a class')]


def test_splits_are_named_alone_or_together(root):
  tested = load(root, ':test')
  assert [tested[i]['label'] for i in range(2)] == [0, 1]
  assert len(load(root, ':train+test')) == 4


@pytest.mark.parametrize(
  'spec, error, says',
  [
    ('@{}:valid', ValueError, "no split 'valid'; it has the folders test, tr"),
    ('@{}/train/cat', ValueError, "no split 'train'.*folder:PATH"),
    ('@{}/none', FileNotFoundError, 'none does not exist'),
    ('', ValueError, 'which folder'),
  ],
)
def test_mistakes_are_one_line(root, spec, error, says):
  with pytest.raises(error, match=says) as found:
    sources.load(f'tfds:ImageFolder{spec.format(root)}')
  assert '\n' not in str(found.value)
