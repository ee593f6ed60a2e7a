"""Pictures in folders of classes: `tfds:ImageFolder@PATH[:SPLIT]`.

The layout of `tfds.ImageFolder`, PATH/SPLIT/CLASS/picture.jpg. TFDS itself
reads it in order only; here a picture is read by its index, without TFDS.
"""

import pathlib

from artjax.data.sources import scan

NAMES = ('ImageFolder', 'image_folder')


def find(folder: str, part: str, check: scan.Scan) -> scan.Found:
  """The pictures of a split, in order of splits, then of names.

  Args:
    folder: PATH.
    part: a split, or several: 'train+test'.
    check: decodes each picture once.

  Returns:
    What was found; 'label' is the index of the class among the sorted names of
    all splits, as in TFDS.

  Raises:
    FileNotFoundError: no such folder.
    ValueError: no such split.
  """
  root = pathlib.Path(folder).expanduser()
  splits = _folders(root)
  items, rejected = [], []
  for split in part.split('+'):
    if split not in splits:
      raise ValueError(
        f'tfds:ImageFolder@{folder}: no split {split!r}; it has the folders '
        f'{", ".join(splits) or "(none)"}, and SPLIT/CLASS/picture.jpg is '
        'expected below it (folder:PATH reads pictures wherever they are)'
      )
    for name, path in scan.files(root / split):
      if '/' in name:
        items.append((f'{split}/{name}', path))
      else:
        rejected.append((f'{split}/{name}', 'in no folder of a class'))
  classes = sorted(
    {name for split in splits for name in _folders(root / split)}
  )
  entries, unusable = check(items, scan.read_file, root)
  picture = check.reader(scan.read_file)

  def read(path):
    return {
      **picture(path),
      'label': classes.index(path.relative_to(root).parts[1]),
    }

  return scan.Found(entries, read, rejected + unusable)


def _folders(root):
  """The names of the folders there, sorted, without hidden ones."""
  if not root.is_dir():
    raise FileNotFoundError(f'{root.absolute()} does not exist')
  return sorted(
    path.name
    for path in root.iterdir()
    if path.is_dir() and not path.name.startswith('.')
  )
