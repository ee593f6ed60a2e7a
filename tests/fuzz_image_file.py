"""Damaged picture files by the thousand, through artjax/image_io/reader.py.

  python tests/fuzz_image_file.py --count=5000

Each is a valid file of some format with seeded damage. It must come out as a
picture of the size its header gives, or as one line that names it; nothing may
crash, hang, or stay behind. tests/image_io/test_bad_files.py runs some of them.
"""

import argparse
import collections
import json
import os
import sys
import tempfile
import time

os.environ['VIPS_WARNING'] = '0'  # thousands of them

import numpy as np
import pyvips

from artjax.image_io import reader
from artjax.image_io import vips

SUFFIXES = ('.jpg', '.png', '.tif', '.webp', '.avif')
LIMIT = 2_000_000  # px; damage may make a header claim anything
_EDGES = (0, 1, 127, 128, 255)


def valid_files(folder):
  """[(suffix, bytes)]: every format, grey, RGB, alpha, deep, with metadata."""
  rng = np.random.default_rng(0)
  icc = (
    pyvips.Image.black(1, 1, bands=3)
    .copy(interpretation='srgb')
    .icc_transform('p3', input_profile='srgb')
    .get('icc-profile-data')
  )
  found = []
  for suffix in SUFFIXES:
    for bands in (1, 3, 4):
      for deep in (False, True):
        if (
          deep
          and suffix not in ('.png', '.tif')
          or (bands == 4 and suffix == '.jpg')
        ):
          continue
        full, dtype = (65535, np.uint16) if deep else (255, np.uint8)
        values = (full * rng.random([24, 31, bands])).astype(dtype)
        image = vips.image(values).copy(
          interpretation=(
            ('grey16' if deep else 'b-w')
            if bands == 1
            else ('rgb16' if deep else 'srgb')
          )
        )
        if bands == 3:
          image.set_type(pyvips.GValue.blob_type, 'icc-profile-data', icc)
          image.set_type(pyvips.GValue.blob_type, 'xmp-data', b'<x:xmpmeta/>')
        path = os.path.join(folder, f'valid{suffix}')
        image.write_to_file(path)
        with open(path, 'rb') as file:
          found.append((suffix, file.read()))
        os.remove(path)
  return found


def damaged(data, rng):
  """One file's bytes, wrong in one to a few ways."""
  data = bytearray(data)
  for _ in range(1 + rng.geometric(0.7) // 2):
    if not data:
      break
    # Often to the first bytes, where the sizes stand.
    reach = min(len(data), 64) if rng.random() < 0.2 else len(data)
    at = int(rng.integers(reach))
    kind = rng.choice(6, p=(0.35, 0.25, 0.1, 0.1, 0.1, 0.1))
    if kind == 0:
      data[at] ^= 1 << int(rng.integers(8))
    elif kind == 1:
      data[at] = _EDGES[rng.integers(len(_EDGES))]
    elif kind == 2:
      del data[int(rng.integers(len(data))) :]
    elif kind == 3:
      del data[at : at + int(rng.integers(1, 40))]
    elif kind == 4:
      data[at:at] = rng.bytes(int(rng.integers(1, 40)))
    else:
      length = int(rng.integers(1, 200))
      data[at : at + length] = rng.bytes(length)
  return bytes(data)


def check(source, target):
  """'restored' or 'refused'; raises AssertionError for anything else."""
  try:
    with reader.open_picture(source, max_pixels=LIMIT) as picture:
      size = picture.height, picture.width
      with picture.writer(target) as writer:
        for top in range(0, picture.height, 16):
          rows = min(16, picture.height - top)
          rgb = picture.read(top, 0, rows, picture.width)
          assert rgb.shape == (rows, picture.width, 3)
          writer.write(picture.merge(top, rgb)[0])
    result = pyvips.Image.new_from_file(target, revalidate=True)
    assert (result.height, result.width) == size, (result.height, size)
    outcome = 'restored'
  except reader.BadPicture as error:
    assert '\n' not in str(error) and source in str(error), str(error)
    assert not os.path.exists(target), 'a refused file left a result'
    outcome = 'refused'
  if os.path.exists(target):
    os.remove(target)
  return outcome


def main():
  """Runs the damaged files; the last line of stdout is JSON."""
  parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
  )
  parser.add_argument('--count', type=int, default=5000)
  parser.add_argument('--seed', type=int, default=0)
  args = parser.parse_args()
  outcomes, slowest = collections.Counter(), 0.0
  with tempfile.TemporaryDirectory() as folder:
    valid = valid_files(folder)
    for i in range(args.count):
      rng = np.random.default_rng((args.seed, i))
      suffix, data = valid[i % len(valid)]
      source = os.path.join(folder, f'in{i}{suffix}')
      with open(source, 'wb') as file:
        file.write(damaged(data, rng))
      # Should this one crash the process, the last line tells which it was.
      print(f'\r{i} {suffix}', end='', file=sys.stderr, flush=True)
      start = time.monotonic()
      try:
        outcomes[check(source, os.path.join(folder, f'out{suffix}'))] += 1
      except Exception as error:
        raise AssertionError(
          f'file {i} of seed {args.seed} ({suffix}): '
          f'{type(error).__name__}: {error}'
        ) from error
      seconds = time.monotonic() - start
      assert seconds < 20, f'file {i} of seed {args.seed}: {seconds:.1f} s'
      slowest = max(slowest, seconds)
      os.remove(source)
      assert not os.listdir(folder), os.listdir(folder)
  print(file=sys.stderr)
  print(
    json.dumps(
      {
        'files': args.count,
        'seed': args.seed,
        **outcomes,
        'slowest_s': round(slowest, 3),
      }
    )
  )


if __name__ == '__main__':
  main()
