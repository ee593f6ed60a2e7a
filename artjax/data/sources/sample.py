"""The photographs that come with scikit-image: `sample`.

At the default validation share of 0.2, and at any share from 0.08 to 0.31,
chelsea and coffee are held out; astronaut, hubble_deep_field, ihc,
motorcycle_left, retina and rocket are trained on.
"""

import importlib.util
import pathlib

from artjax.data.sources import scan

PICTURES = (
  'astronaut.png',
  'chelsea.png',
  'coffee.png',
  'hubble_deep_field.jpg',
  'ihc.png',
  'motorcycle_left.png',
  'retina.jpg',
  'rocket.jpg',
)


def find(rest: str, check: scan.Scan) -> scan.Found:
  """The photographs, in order of names; `rest` is empty.

  Raises:
    ValueError: scikit-image is not installed.
  """
  del rest
  package = importlib.util.find_spec('skimage')
  if package is None or not package.submodule_search_locations:
    raise ValueError('sample: needs scikit-image; pip install scikit-image')
  root = pathlib.Path(package.submodule_search_locations[0], 'data')
  items = [(pathlib.Path(name).stem, root / name) for name in PICTURES]
  entries, rejected = check(items, scan.read_file, root)
  return scan.Found(entries, check.reader(scan.read_file), rejected)
