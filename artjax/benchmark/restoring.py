"""Speed and exactness of restoration, by picture size, tile size and depth."""

import argparse
import math
import os
import subprocess
import sys
import tempfile


def speed(args: argparse.Namespace) -> dict:
  """Seconds and memory of `artjax restore`, start included, by size."""
  import pyvips

  rows = []
  with tempfile.TemporaryDirectory() as folder:
    for megapixels in args.megapixels:
      source = os.path.join(folder, f'{megapixels:g}.tif')
      side = math.isqrt(round(megapixels * 1e6))
      image = pyvips.Image.new_from_file(args.picture)[:3]
      image = image.replicate(-(-side // image.width), -(-side // image.height))
      image.crop(0, 0, side, side).tiffsave(source)
      # A small process of its own, so that its children's memory is theirs.
      timed = (
        'import resource, subprocess, sys, time; start = time.time(); '
        'done = subprocess.run(sys.argv[1:]); '
        'print(time.time() - start, resource.getrusage('
        'resource.RUSAGE_CHILDREN).ru_maxrss); '
        'sys.exit(done.returncode)'
      )
      out = subprocess.run(
        [
          sys.executable,
          '-c',
          timed,
          sys.executable,
          '-m',
          'artjax.cli',
          'restore',
          source,
          f'--weights={args.weights}',
          f'--output={folder}/out',
        ],
        capture_output=True,
        text=True,
        check=False,
      )
      if out.returncode:
        sys.exit(
          f'artjax restore failed: {out.stderr.strip().splitlines()[-1:]}'
        )
      seconds, kib = map(float, out.stdout.split()[-2:])
      rows.append(
        {
          'megapixels': megapixels,
          'side': side,
          'seconds': round(seconds, 2),
          'resident_mb': round(kib / 1024),
        }
      )
      print(
        f'{megapixels:6g} Mpx  {seconds:8.1f} s  {kib / 1024:6.0f} MiB',
        flush=True,
      )
      os.remove(source)
      os.remove(os.path.join(folder, 'out', os.path.basename(source)))
  return {'weights': args.weights, 'sizes': rows}


def tile_differences(args: argparse.Namespace) -> dict:
  """Differences between tiled results and those of the whole picture, in 1/255.

  Networks that fill holes get holes of all kinds, of a tenth of the picture and
  more.
  """
  import numpy as np

  from artjax.data import sources
  from artjax.data.degradations import inpainting_masks
  from artjax.inference import network

  restorer = network.Restorer.load(args.weights)
  pictures = sources.load(args.source)
  worst = dict.fromkeys(args.tiles, 0)
  differing = dict.fromkeys(args.tiles, 0.0)
  for i in range(len(pictures)):
    example = {'image': pictures[i]['image'], 'target': pictures[i]['image']}
    given = [example['image']]
    if restorer.fills:
      example = inpainting_masks.missing((0.1, 0.3))(
        example, np.random.default_rng(i)
      )
      given = [example['image'], example['mask'].any(-1)]
    whole = restorer(*given, tile=max(given[0].shape)).astype(int)
    for tile in args.tiles:
      difference = np.abs(restorer(*given, tile=tile) - whole)
      worst[tile] = max(worst[tile], int(difference.max()))
      differing[tile] += float((difference > 0).mean()) / len(pictures)
    print(f'{i + 1}/{len(pictures)}: {worst}', flush=True)
  return {
    'weights': args.weights,
    'source': args.source,
    'pictures': len(pictures),
    'max_difference': worst,
    'share_of_values_that_differ': differing,
  }


def ramp_levels(args: argparse.Namespace) -> dict:
  """How many levels of a 16-bit ramp with a P3 profile are preserved.

  The ramp has 4096 x 256 px, 16 for each level, in order along the rows,
  between a black and a white bar. It passes through `restoration` as a TIFF
  file.
  """
  import numpy as np
  import pyvips

  from artjax.image_io import vips
  from artjax.restoration import chain as chain_lib
  from artjax.restoration import restore_file
  from artjax.restoration.options import Options

  ramp = np.repeat(np.arange(2**16, dtype=np.uint16), 16).reshape(256, 4096)
  bar = np.zeros([64, 4096], np.uint16)
  values = np.concatenate([bar, ramp, bar + 65535])[..., None].repeat(3, -1)
  chain = chain_lib.Chain(args.weights)
  result = {'weights': args.weights}
  with tempfile.TemporaryDirectory() as folder:
    source = os.path.join(folder, 'ramp.tif')
    vips.image(values).copy(interpretation='rgb16').tiffsave(
      source, profile='p3'
    )
    for strength in (0.0, 1.0):
      path = os.path.join(folder, f'{strength}.tif')
      record = restore_file.restore_file(
        source, chain, restore_file.Outputs(path), Options(strength=strength)
      )
      image = pyvips.Image.new_from_file(path)
      out = image.numpy()
      black, white = out[:32].astype(int), out[-32:].astype(int)
      found = {
        'levels': int(np.unique(out[64:-64, :, 1]).size),
        'identical': bool((out == values).all()),
        'profile_kept': image.get('icc-profile-data')
        == pyvips.Image.new_from_file(source).get('icc-profile-data'),
        'black_off_255ths': round(float(black.max()) / 257, 2),
        'white_off_255ths': round(float((65535 - white).max()) / 257, 2),
        'seconds': record['seconds'],
      }
      print(f'strength {strength:g}: {found}', flush=True)
      result[f'strength_{strength:g}'] = found
  return result
