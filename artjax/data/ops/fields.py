"""Fields of examples: copied, kept, or computed from others."""

from absl import logging
import numpy as np

from artjax import damage_classes
from artjax import resampling
from artjax.data.degradations import decorators
from artjax.data.examples import KEYS
from artjax.data.examples import mask_of
from artjax.data.examples import Op
from artjax.data.examples import op
from artjax.data.examples import positive

_NEW_NAMES = {'kind': 'class_label'}  # old ones are accepted for one version


@op
def copy(source: str, destination: str) -> Op:
  """Copies the present `source` to `destination`: copy("image", "target")."""

  def fn(example, rng):
    del rng
    if source not in example:
      raise ValueError(f'no {source!r} among {", ".join(example)}')
    return {**example, destination: example[source]}  # arrays never change

  return fn


@op
def keep(*names: str) -> Op:
  """Drops all fields but these; a 'mask' that nothing drew is all zero."""
  for old, new in _NEW_NAMES.items():
    if old in names:
      logging.warning('keep: the field %r is called %r now', old, new)
  names = tuple(_NEW_NAMES.get(name, name) for name in names)
  unknown = sorted(set(names) - set(KEYS))
  if unknown or not names:
    raise ValueError(f'{unknown} are not among {", ".join(KEYS)}')

  def fn(example, rng):
    del rng
    kept = {
      key: value
      for key, value in example.items()
      if key in names or key not in KEYS
    }
    for name in names:
      if name == 'mask':
        kept['mask'] = mask_of(example)
      elif name not in kept:
        raise ValueError(f'no {name!r} among {", ".join(example)}')
    return kept

  return fn


@op
def thumbnail(size: int) -> Op:
  """Copies the present 'image' to 'context', shrunk to `size` x `size` px.

  Before a crop in an ops string, it shows a network the whole picture that the
  crop is from.
  """
  positive('size', size)

  def fn(example, rng):
    del rng
    return {**example, 'context': resampling.thumbnail(example['image'], size)}

  return fn


@op
def mask_target() -> Op:
  """Makes the mask the 'target'; it is zero where no damage was drawn.

  A mask is a picture of three channels, so a detector is trained like all other
  networks.
  """

  def fn(example, rng):
    del rng
    return {**example, 'target': mask_of(example)}

  return fn


@op
def mask_classes(*names: str) -> Op:
  """Keeps only these classes in 'mask': mask_classes("crack", "stain").

  A loss over damaged pixels then counts only pixels that can be restored, and
  not those that are lost.

  Raises:
    ValueError: no such class, or none is named.
  """
  if not names:
    raise ValueError(f'name some of {", ".join(damage_classes.CLASSES)}')
  chosen = [damage_classes.index(name) for name in names]

  def fn(example, rng):
    del rng
    mask = mask_of(example)
    kept = np.zeros_like(mask)
    kept[..., chosen] = mask[..., chosen]
    return {**example, 'mask': kept}

  return fn


@op
def difference_mask(
  part: str = 'crack', least: float = decorators.VISIBLE
) -> Op:
  """Marks in 'mask' where 'image' and 'target' differ.

  For pairs of a damaged and an undamaged picture that have no mask.

  Args:
    part: the class of damage, and so the channel, see damage_classes.py.
    least: in [0, 1); pixels are marked where a channel differs by more.

  Raises:
    ValueError: no such class, or `least` out of range.
  """
  channel = damage_classes.index(part)
  if not 0 <= least < 1:
    raise ValueError(f'least must be in [0, 1), got {least}')

  def fn(example, rng):
    del rng
    if 'target' not in example:
      raise ValueError('no target to differ from: take pairs:TARGETS,INPUTS')
    image, target = (
      decorators.as_float(example[key]) for key in ('image', 'target')
    )
    if image.shape != target.shape:
      raise ValueError(
        f'image {image.shape[:2]} and target {target.shape[:2]} '
        'differ in size: no mask can be made of them'
      )
    mask = mask_of(example).copy()
    mask[..., channel] |= np.uint8(255) * (
      np.abs(image - target).max(-1) > least
    )
    return {**example, 'mask': mask}

  return fn


@op
def class_label() -> Op:
  """Copies the source's label to 'class_label', u8[]: the class to generate."""

  def fn(example, rng):
    del rng
    label = example.get('label')
    if label is None or not 0 <= label <= 255:
      raise ValueError(
        'no label in [0, 255]: leave the op class_label out, or take '
        'idx:DIR or tfds:mnist'
      )
    return {**example, 'class_label': np.uint8(label)}

  return fn
