"""Datasets prepared by TensorFlow Datasets: `tfds:NAME[@DATA_DIR][:SPLIT]`.

Of the name ImageFolder they are plain folders, see image_folder.py.
"""

import os
import re

from artjax.data.sources import image_folder
from artjax.data.sources import provenance
from artjax.data.sources import scan

FORM = 'tfds:NAME[@DATA_DIR][:SPLIT]'
_SPEC = re.compile(  # NAME[/CONFIG][:VERSION][@DATA_DIR][:SPLIT]
  r'(?P<name>[\w./-]+(:[\d*][\d.*]*)?)(@(?P<dir>.+?))?'
  r'(:(?P<split>[A-Za-z][\w+%:\[\]-]*))?'
)


def find(rest: str, check: scan.Scan) -> scan.Found:
  """The pictures of a split, in order of index.

  Args:
    rest: NAME[/CONFIG][:VERSION][@DATA_DIR][:SPLIT].
    check: decodes each picture once.

  Returns:
    What was found; 'label', an int, is read too where the dataset has classes.

  Raises:
    ValueError: not of that form, TFDS not installed, no such dataset, not
      prepared as array_record, or without a feature 'image'; or what
      `image_folder.find` raises.
  """
  spec = f'tfds:{rest}'
  match = _SPEC.fullmatch(rest)
  if not match:
    raise ValueError(f'{spec!r} is not of the form {FORM}')
  name, part = match['name'], match['split'] or 'train'
  if name in image_folder.NAMES:
    if not match['dir']:
      raise ValueError(f'{spec}: which folder? tfds:ImageFolder@PATH[:SPLIT]')
    return image_folder.find(match['dir'], part, check)
  try:
    import tensorflow_datasets as tfds  # heavy: it brings TensorFlow
  except ImportError as error:
    raise ValueError(f'{spec}: needs tensorflow-datasets ({error})') from error
  folder = os.path.expanduser(match['dir'] or tfds.core.constants.DATA_DIR)
  builder = _builder(tfds, spec, name, folder)
  features = builder.info.features
  data = _data(tfds, builder, spec, part, _advice(name, folder))
  read_bytes = lambda i: data[i]['image']
  items = [(f'{name}/{part}/{i:07d}', i) for i in range(len(data))]
  entries, rejected = check(items, read_bytes, f'{builder.data_path}/{part}')
  read = picture = check.reader(read_bytes)
  if 'label' in features and isinstance(
    features['label'], tfds.features.ClassLabel
  ):
    read = lambda i: {**picture(i), 'label': int(data[i]['label'])}
  described = provenance.read(folder_of(rest))
  return scan.Found(entries, read, rejected, described)


def folder_of(rest: str) -> str:
  """The folder of a dataset, '' if `rest` names none in a DATA_DIR."""
  match = _SPEC.fullmatch(rest)
  if not match or not match['dir']:
    return ''
  return os.path.join(os.path.expanduser(match['dir']), match['name'])


def _advice(name, folder):
  return (
    f'prepare it with: tfds build {name} '
    f'--file_format=array_record --data_dir={folder}'
  )


def _builder(tfds, spec, name, folder):
  """The builder of a dataset that is prepared and has pictures."""
  try:
    builder = tfds.builder(name, data_dir=folder)
  except Exception as error:  # of many types, with pages of names
    raise ValueError(
      f'{spec}: no dataset {name!r} in {folder} and none in the '
      f'catalogue ({type(error).__name__})'
    ) from error
  if not builder.info.splits:
    raise ValueError(
      f'{spec}: not prepared in {folder}; {_advice(name, folder)}'
    )
  features = builder.info.features
  if not (
    'image' in features and isinstance(features['image'], tfds.features.Image)
  ):
    raise ValueError(
      f"{spec}: has no picture called 'image' among its "
      f'features {", ".join(features)}'
    )
  return builder


def _data(tfds, builder, spec, part, advice):
  """Random access to the undecoded examples of a split."""
  try:
    return builder.as_data_source(
      part, decoders={'image': tfds.decode.SkipDecoding()}
    )
  except NotImplementedError as error:
    raise ValueError(
      f'{spec}: prepared in a format without random access; {advice}'
    ) from error
  except ValueError as error:
    raise ValueError(f'{spec}: {error}') from error
