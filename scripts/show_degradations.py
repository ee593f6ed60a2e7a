"""Draws a contact sheet: every degradation and preset at three severities.

  python scripts/show_degradations.py PICTURE --output=degradations.jpg

Without a PICTURE, one bundled with scikit-image is used. The last line of
stdout is one JSON object, {"output": path, "degradations": N}.
"""

import functools
import json
import os

from absl import app
from absl import flags
import cv2
import numpy as np

from artjax import atomic_files
from artjax import registry

SEVERITIES = (('light', 0.25), ('medium', 0.55), ('heavy', 1.0))
GROUPS = 3  # columns of degradations, each three pictures wide
LABEL, GAP, HEAD = 20, 4, 26  # px
# Looks so different that one row would not do.
VARIANTS = {
  'craquelure': [
    {'pattern': 'mesh'},
    {'pattern': 'brick'},
    {'pattern': 'walks'},
  ],
  'paint_losses': [
    {'kind': 'flakes'},
    {'kind': 'islands'},
    {'kind': 'patches'},
  ],
}

_OUTPUT = flags.DEFINE_string('output', 'degradations.jpg', 'The sheet.')
_SIDE = flags.DEFINE_integer('side', 240, 'Of one picture, px.', 32)
_SEED = flags.DEFINE_integer('seed', 5, 'Of all random draws.')
_MASKS = flags.DEFINE_string('masks', '', 'A folder of masks to show too.')


def rows(masks=''):
  """[(name, label, factory)] of all that can be shown."""
  found = []
  for group in ('presets', 'global_', 'local'):
    package = f'artjax.data.degradations.{group}'
    for name, factory in registry.ops(package).items():
      label = name.replace('_', ' ')
      if name == 'masks_from':  # it needs a folder
        if masks:
          found.append((name, label, functools.partial(factory, masks)))
        continue
      for variant in VARIANTS.get(name, [{}]):
        found.append(
          (
            name,
            ' '.join([label, *variant.values()]),
            functools.partial(factory, **variant),
          )
        )
  return found


def sheet(picture, shown, seed):
  """u8[S, S, 3] -> u8[H, W, 3]: `GROUPS` columns of rows of three."""
  side = picture.shape[0]
  per_group = -(-len(shown) // GROUPS)
  width = 3 * (side + GAP) + 4 * GAP
  canvas = np.full(
    (HEAD + per_group * (side + LABEL + GAP), GROUPS * width, 3), 250, np.uint8
  )
  for index, (name, label, factory) in enumerate(shown):
    group, row = divmod(index, per_group)
    left, top = 2 * GAP + group * width, HEAD + row * (side + LABEL + GAP)
    _write(canvas, label, left, top + LABEL - 6, (20, 20, 20))
    for column, (_, severity) in enumerate(SEVERITIES):
      # The same draws at each severity show what severity itself does.
      example = factory(severity=severity)(
        {'image': picture, 'name': name}, np.random.default_rng([seed, index])
      )
      x, y = left + column * (side + GAP), top + LABEL
      canvas[y : y + side, x : x + side] = np.rint(
        np.clip(example['image'], 0, 1) * 255
      )
  for group in range(GROUPS):
    for column, (label, severity) in enumerate(SEVERITIES):
      left = 2 * GAP + group * width + column * (side + GAP)
      _write(canvas, f'{label} ({severity:g})', left, 18, (120, 120, 120))
  return canvas


def load(path, side):
  """A picture's middle square, u8[side, side, 3] RGB."""
  if not path:
    from skimage import data

    picture = data.astronaut()
  else:
    if not os.path.exists(path):
      raise app.UsageError(f'no picture {path!r}')
    picture = cv2.imread(path, cv2.IMREAD_COLOR_RGB)
    if picture is None:
      raise app.UsageError(f'cannot read {path!r} as a picture')
  height, width = picture.shape[:2]
  short = min(height, width)
  top, left = (height - short) // 2, (width - short) // 2
  return cv2.resize(
    picture[top : top + short, left : left + short],
    (side, side),
    interpolation=cv2.INTER_AREA,
  )


def main(argv):
  if len(argv) > 2:
    raise app.UsageError('expected one picture')
  picture = load(argv[1] if len(argv) == 2 else '', _SIDE.value)
  shown = rows(_MASKS.value)
  output = _OUTPUT.value
  if os.path.splitext(output)[1].lower() not in ('.jpg', '.jpeg', '.png'):
    raise app.UsageError(f'--output={output}: expected a .jpg or .png file')
  drawn = sheet(picture, shown, _SEED.value)
  # Noise costs bytes: a page that shows it is better sent at a lower quality.
  _, data = cv2.imencode(
    os.path.splitext(output)[1],
    drawn[..., ::-1],
    [cv2.IMWRITE_JPEG_QUALITY, 78],
  )
  atomic_files.write_bytes(output, data.tobytes())
  names = {name for name, _, _ in shown}
  print(json.dumps({'output': output, 'degradations': len(names)}))


def _write(canvas, text, x, y, colour):
  cv2.putText(
    canvas, text, (x, y), cv2.FONT_HERSHEY_SIMPLEX, 0.5, colour, 1, cv2.LINE_AA
  )


if __name__ == '__main__':
  app.run(main)
