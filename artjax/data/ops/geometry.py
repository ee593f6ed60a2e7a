"""Geometry and housekeeping of examples: crops, flips, scales, copies.

Each function here makes an op, `fn(example, rng) -> example`, and is a name
for an ops string (see artjax/registry.py). An example is a dict of 'name' and
of pictures [H, W, 3] under 'image' (what the network sees), 'target' (the clean
picture) and 'mask' (255 = damaged). Geometry acts on all of them alike, but not
on 'context', a thumbnail of what 'image' was before it was cropped. An op never
writes into the arrays it was given: a source may hand them out again.

In pairs for super-resolution 'image' is a whole factor smaller than the others.
Sizes are in px of the others then, and must be multiples of the factor.
"""

import cv2
import numpy as np

from artjax import damage_classes
from artjax import resampling
from artjax.data.degradations import decorators

# 'real' is what a discriminator sees in place of 'target', where it differs.
# 'hints' are RGBA: colours that are told, and 255 where they are.
PICTURES = ('image', 'target', 'mask', 'real', 'hints')
KEYS = PICTURES + ('context', 'kind')  # what an example may give to a batch
_TURNS = (
  None,
  cv2.ROTATE_90_COUNTERCLOCKWISE,
  cv2.ROTATE_180,
  cv2.ROTATE_90_CLOCKWISE,
)


def random_crop(size):
  """A random `size` x `size` px window; small pictures grow by reflection."""
  return _crop(size, lambda space, rng: int(rng.integers(space + 1)))


def center_crop(size):
  """The middle `size` x `size` px; small pictures grow by reflection."""
  return _crop(size, lambda space, rng: space // 2)


def random_scale_crop(size, min_scale=0.25):
  """A random square window, shrunk to `size` x `size` px.

  A network of crops alone never sees a composition, only its texture; here the
  window may cover most of a picture.

  Args:
    size: side of the result, px.
    min_scale: the strongest shrinking, in [0, 1]. The scale is log-uniform
      between 1 (a plain crop) and the larger of `min_scale` and what takes in
      the whole short side; 0 leaves the picture as the only limit.

  Returns:
    The op. Shrinking averages areas, of which a mask keeps the majority; a
    picture smaller than `size` grows by reflection, as in `random_crop`.
  """
  _positive('size', size)
  if not 0 <= min_scale <= 1:
    raise ValueError(f'min_scale must be in [0, 1], got {min_scale}')

  def fn(example, rng):
    height, width = _same_extent(example)
    smallest = max(min_scale, size / max(size, min(height, width)))
    side = int(round(size * smallest ** -rng.uniform()))
    side = max(size, min(side, max(size, min(height, width))))
    top = int(rng.integers(max(0, height - side) + 1))
    left = int(rng.integers(max(0, width - side) + 1))
    window = lambda x, _: _pad(x[top : top + side, left : left + side], side)
    # Slicing first keeps the cost that of the window, not of the picture.
    return _each(
      example, window, then=lambda x, key: _shrink(x, (size, size), key)
    )

  return fn


def scale(factor):
  """Shrinks the whole picture by `factor` in (0, 1], averaging areas."""
  if not 0 < factor <= 1:
    raise ValueError(f'factor must be in (0, 1], got {factor}')

  def fn(example, rng):
    del rng
    height, width = _same_extent(example)
    new = max(1, round(height * factor)), max(1, round(width * factor))
    return _each(example, then=lambda x, key: _shrink(x, new, key))

  return fn


def fit(long_side):
  """Shrinks pictures of a longer side than `long_side` px down to it."""
  _positive('long_side', long_side)

  def fn(example, rng):
    factor = min(1.0, long_side / max(_same_extent(example)))
    return scale(factor)(example, rng)

  return fn


def mod_crop(multiple):
  """Cuts right and bottom so that both sides are multiples, in px."""
  _positive('multiple', multiple)

  def fn(example, rng):
    del rng
    height, width, factor = _extent(example)
    _multiple('multiple', multiple, factor)
    height, width = height - height % multiple, width - width % multiple
    if not height or not width:
      raise ValueError(f'smaller than {multiple} px')
    return _each(example, lambda x, unit: x[: height // unit, : width // unit])

  return fn


def flip():
  """Mirrors left and right in half of the examples."""

  def fn(example, rng):
    if rng.integers(2):
      return _each(example, lambda x, _: cv2.flip(x, 1))
    return example

  return fn


def rotate90():
  """Turns by a random multiple of 90 degrees."""

  def fn(example, rng):
    turn = _TURNS[rng.integers(4)]
    if turn is None:
      return example
    return _each(example, lambda x, _: cv2.rotate(x, turn))

  return fn


def place(size, *, turn=0.0, stretch=0.0, shift=0.0):
  """Lays the picture top left on `size` x `size` px, mirrored beyond its edges.

  As `inference` shows a picture that is smaller than a tile. Aligned pictures
  (faces) stay aligned, but for a random slight move that teaches more than a
  few hundred of them can.

  Args:
    size: side of the result, px.
    turn: at most by so many degrees either way, about the middle.
    stretch: at most by this share larger or smaller.
    shift: at most by so many px in each direction.

  Returns:
    The op. Shrinking is slight, so pixels are interpolated, not averaged.
  """
  _positive('size', size)
  limits = np.float64([turn, stretch, shift, shift])
  if limits.min() < 0 or stretch >= 1:
    raise ValueError(
      'turn, stretch and shift must not be negative, nor '
      f'stretch 1 or more: {turn}, {stretch}, {shift}'
    )

  def fn(example, rng):
    height, width = _same_extent(example)
    if max(height, width) > size:
      raise ValueError(
        f'{width} x {height} px is larger than {size}: put fit({size}) before'
      )
    angle, factor, right, down = rng.uniform(-limits, limits)
    middle = (width - 1) / 2, (height - 1) / 2
    matrix = cv2.getRotationMatrix2D(middle, angle, 1 + factor)
    matrix[:, 2] += right, down

    def lay(x, key):
      if not limits.any():
        return cv2.copyMakeBorder(
          x, 0, size - height, 0, size - width, cv2.BORDER_REFLECT
        )
      how = cv2.INTER_NEAREST if key == 'mask' else cv2.INTER_LINEAR
      return cv2.warpAffine(
        x, matrix, (size, size), flags=how, borderMode=cv2.BORDER_REFLECT
      )

    return _each(example, then=lay)

  return fn


def downscale(factor):
  """Shrinks 'image' alone, `factor` times, by MATLAB's bicubic kernel.

  The low-resolution input of super-resolution benchmarks. 'target' stays as it
  is, so geometry comes before; both sides must be multiples of `factor` (see
  `mod_crop`). A u8 image stays u8, rounded; a float one is clipped to [0, 1].
  """
  _positive('factor', factor)

  def fn(example, rng):
    del rng
    image = example['image']
    height, width = image.shape[:2]
    if height % factor or width % factor:
      raise ValueError(
        f'{width} x {height} px is no multiple of {factor}: put '
        f'mod_crop({factor}) before'
      )
    small = resampling.imresize(image, 1 / factor)
    if small.dtype != np.uint8:
      small = np.clip(small, 0, 1)
    return {**example, 'image': small}

  return fn


def thumbnail(size):
  """'context' becomes the present 'image', shrunk to `size` x `size` px.

  Put before the crop, it tells a network of tiles of the picture they are from.
  """
  _positive('size', size)

  def fn(example, rng):
    del rng
    return {**example, 'context': resampling.thumbnail(example['image'], size)}

  return fn


def copy(source, destination):
  """`destination` becomes the present `source`: copy("image", "target")."""

  def fn(example, rng):
    del rng
    if source not in example:
      raise ValueError(f'no {source!r} among {", ".join(example)}')
    return {**example, destination: example[source]}  # arrays never change

  return fn


def difference_mask(part='crack', least=decorators.VISIBLE):
  """'mask' gets, as its `part`, what differs between 'image' and 'target'.

  For pairs of a damaged and an undamaged picture, where nobody drew a mask.

  Args:
    part: one of `damage_classes.CLASSES`.
    least: in [0, 1); where a channel differs by more.
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
    mask = _mask(example).copy()
    mask[..., channel] |= np.uint8(255) * (
      np.abs(image - target).max(-1) > least
    )
    return {**example, 'mask': mask}

  return fn


def mask_target():
  """'target' becomes the mask, all zero where nothing was drawn.

  A mask is a picture of three channels, so what learns to find damage learns
  as all others do.
  """

  def fn(example, rng):
    del rng
    return {**example, 'target': _mask(example)}

  return fn


def kind():
  """'kind' is the example's label, u8[]: what a generator is to draw."""

  def fn(example, rng):
    del rng
    label = example.get('label')
    if label is None or not 0 <= label <= 255:
      raise ValueError(
        'no label in [0, 255]: leave the op kind out, or take '
        'idx:DIR or tfds:mnist'
      )
    return {**example, 'kind': np.uint8(label)}

  return fn


def keep(*names):
  """Drops all pictures but these; a 'mask' that nothing drew is all zero."""
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
        kept['mask'] = _mask(example)
      elif name not in kept:
        raise ValueError(f'no {name!r} among {", ".join(example)}')
    return kept

  return fn


def _mask(example):
  """The mask; severity 0 damages nothing and so leaves none."""
  if 'mask' in example:
    return example['mask']
  height, width, _ = _extent(example)
  return np.zeros([height, width, 3], np.uint8)


def _crop(size, place):
  """An op that cuts a window; place(space, rng) is its offset in px."""
  _positive('size', size)

  def fn(example, rng):
    height, width, factor = _extent(example)
    _multiple('size', size, factor)
    # In px of the smallest picture: windows of the others begin at its edges.
    top, left = (
      place(max(0, side - size) // factor, rng) * factor
      for side in (height, width)
    )

    def window(x, unit):
      rows = slice(top // unit, (top + size) // unit)
      columns = slice(left // unit, (left + size) // unit)
      return _pad(x[rows, columns], size // unit, factor // unit, factor)

    return _each(example, window)

  return fn


def _extent(example):
  """(height, width, factor): of 'target' and 'mask'; 'image' is smaller."""
  extents = {key: example[key].shape[:2] for key in PICTURES if key in example}
  height, width = max(extents.values())
  factor = height // extents['image'][0]
  expected = {
    **dict.fromkeys(extents, (height, width)),
    'image': (height / factor, width / factor),
  }
  if extents != expected:
    raise ValueError(
      f'pictures of different sizes {extents}: geometry comes '
      'before ops that resize one of them'
    )
  return height, width, factor


def _same_extent(example):
  """(height, width) where there is no factor."""
  height, width, factor = _extent(example)
  if factor > 1:
    raise ValueError(
      f"'image' is {factor} times smaller than 'target', and this op is for "
      'pictures of one size: use random_crop, center_crop or mod_crop'
    )
  return height, width


def _each(example, view=lambda x, unit: x, then=None):
  """Applies a geometry to all pictures; what was copied stays shared.

  view(array, unit) is told how many px of 'target' are one of the array.
  """
  _, _, factor = _extent(example)
  done, result = {}, dict(example)
  for key in PICTURES:
    if key not in example:
      continue
    # 'image' and 'target' are often one array still: the work is done once.
    identity = id(example[key]), key == 'mask'
    if identity not in done:
      # A contiguous copy lets go of the whole picture behind a window.
      array = view(example[key], factor if key == 'image' else 1)
      done[identity] = (
        np.ascontiguousarray(array) if then is None else then(array, key)
      )
    result[key] = done[identity]
  return result


def _pad(array, size, step=1, factor=1):
  """[h, w, C] -> at least [size, size, C], reflected about its edges.

  `step` is the number of its px in one of the smallest picture, `factor` that
  of the largest.
  """
  height, width = array.shape[:2]
  down, right = max(0, size - height), max(0, size - width)
  if not down and not right:
    return array
  top, left = down // step // 2 * step, right // step // 2 * step
  # About the centre of the outermost pixel; pictures of two sizes only share
  # the outer edge of it.
  border = cv2.BORDER_REFLECT_101 if factor == 1 else cv2.BORDER_REFLECT
  return cv2.copyMakeBorder(array, top, down - top, left, right - left, border)


def _shrink(array, extent, key):
  """[H, W, C] -> [*extent, C] by averaging areas; masks stay 0 or 255."""
  if array.shape[:2] == tuple(extent):
    return np.ascontiguousarray(array)
  if key == 'hints':  # No mean of a colour that is told and none that is not.
    return cv2.resize(array, extent[::-1], interpolation=cv2.INTER_NEAREST)
  small = cv2.resize(array, extent[::-1], interpolation=cv2.INTER_AREA)
  if key == 'mask':
    return np.where(small >= 128, np.uint8(255), np.uint8(0))
  return small


def _positive(name, value):
  if not isinstance(value, int) or value < 1:
    raise ValueError(f'{name} must be a whole number above 0, got {value!r}')


def _multiple(name, value, factor):
  if value % factor:
    raise ValueError(
      f'{name} {value} is no multiple of {factor}, by which '
      "'target' is larger than 'image'"
    )
