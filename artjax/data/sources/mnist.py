"""MNIST digits in the four published gzipped idx files: `idx:DIR[:test]`.

  train-images-idx3-ubyte.gz  train-labels-idx1-ubyte.gz
  t10k-images-idx3-ubyte.gz   t10k-labels-idx1-ubyte.gz

A file begins with two zero bytes, its type (8: unsigned bytes) and its number
of axes, then the length of each axis as a big-endian u32, then the bytes.
http://yann.lecun.com/exdb/mnist/
"""

import gzip
import hashlib
import os
import zlib

import numpy as np

from artjax.data.sources import scan

PARTS = {'train': 'train', 'test': 't10k'}
_UNSIGNED_BYTES = 8
_AXES = {'images': 3, 'labels': 1}


def find(rest: str, check: scan.Scan) -> scan.Found:
  """The digits of a folder, in order of index, grey as RGB, with 'label'.

  Args:
    rest: DIR, or DIR:train or DIR:test.
    check: gives the smallest size.

  Returns:
    What was found.

  Raises:
    FileNotFoundError, ValueError: as `load` does; digits that are too small.
  """
  folder, _, part = rest.rpartition(':')
  if not folder or part not in PARTS:
    folder, part = rest, 'train'
  pictures, labels = load(os.path.expanduser(folder), part)
  height, width = pictures.shape[1:]
  if min(height, width) < check.min_size:
    raise ValueError(
      f'idx:{rest}: digits of {width} x {height} px, the least is '
      f'{check.min_size}: lower data.min_size or eval.min_size'
    )
  entries = [
    scan.Entry(f'{part}/{i:07d}', hashlib.sha256(picture).digest(), i)
    for i, picture in enumerate(pictures)
  ]

  def read(i):
    image = pictures[i, ..., None].repeat(3, -1)
    image.flags.writeable = False
    return {'image': image, 'label': int(labels[i])}

  return scan.Found(entries, read, [])


def load(folder: str, part: str) -> tuple[np.ndarray, np.ndarray]:
  """The digits of a folder.

  Args:
    folder: with all four files.
    part: 'train' or 'test'.

  Returns:
    (pictures u8[N, H, W], labels u8[N]).

  Raises:
    FileNotFoundError: one of the four files is not there.
    ValueError: one of them is damaged, too short or too long, or stands under
      the name of another.
  """
  paths = {
    (part, kind): os.path.join(folder, f'{prefix}-{kind}-idx{axes}-ubyte.gz')
    for part, prefix in PARTS.items()
    for kind, axes in _AXES.items()
  }
  for path in paths.values():
    if not os.path.isfile(path):
      raise FileNotFoundError(
        f'{path}: no such file; idx:DIR needs all four idx.gz files in DIR'
      )
  shapes = {
    key: _read(path, key[1], header_only=True) for key, path in paths.items()
  }
  for part_ in PARTS:
    images, labels = (shapes[part_, kind][0] for kind in _AXES)
    if images != labels:
      raise ValueError(
        f'{paths[part_, "images"]} has {images} pictures, but '
        f'{paths[part_, "labels"]} has {labels} labels: are files of train '
        'and t10k swapped?'
      )
  if shapes['train', 'images'][0] < shapes['test', 'images'][0]:
    raise ValueError(
      f'{folder}: more digits in t10k than in train: are their files swapped?'
    )
  return tuple(_read(paths[part, kind], kind) for kind in _AXES)


def _read(path, kind, header_only=False):
  """The array of an idx file, or only its shape."""
  axes = _AXES[kind]
  try:
    with gzip.open(path) as file:
      head = file.read(4)
      if len(head) < 4 or head[:3] != bytes([0, 0, _UNSIGNED_BYTES]):
        raise ValueError(f'{path}: not an idx file of bytes')
      if head[3] != axes:
        found = {n: name for name, n in _AXES.items()}.get(head[3])
        raise ValueError(
          f'{path}: holds {found}, not {kind}: are files swapped?'
          if found
          else f'{path}: holds {head[3]} axes, {kind} have {axes}'
        )
      lengths = file.read(4 * axes)
      if len(lengths) < 4 * axes:
        raise ValueError(f'{path}: truncated in its header')
      shape = tuple(np.frombuffer(lengths, '>u4').tolist())
      if not all(shape):
        raise ValueError(f'{path}: empty, its header says {shape}')
      if header_only:
        return shape
      size = int(np.prod(shape, dtype=np.float64))
      data = b''.join(_chunks(file, size + 1))
  except (EOFError, zlib.error) as error:
    raise ValueError(f'{path}: truncated or damaged ({error})') from error
  except gzip.BadGzipFile as error:
    raise ValueError(
      f'{path}: not a gzip file, or damaged ({error})'
    ) from error
  if len(data) != size:
    much = 'truncated' if len(data) < size else 'too long'
    raise ValueError(f'{path}: {much}: its header says {shape}')
  return np.frombuffer(data, np.uint8).reshape(shape)


def _chunks(file, size):
  """At most `size` bytes: a header that lies must not take their memory."""
  while size > 0 and (chunk := file.read(min(size, 2**24))):
    size -= len(chunk)
    yield chunk
