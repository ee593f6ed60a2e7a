"""Memory and compilations of a long run over pictures of many sizes.

  python tests/memory_restore.py --pictures=500 --sizes=60 --weights=unet

Restores drawn pictures one after the other in one process, as `artjax restore`
does. Resident memory may grow by 10 % at most after the tenth picture, and a
size that was seen before may compile nothing. The last line of stdout is JSON.
"""

import argparse
import json
import os
import pathlib
import sys
import tempfile
import time

import jax
import numpy as np

from artjax import atomic_files
from artjax.image_io import vips
from artjax.restoration import chain as chain_lib
from artjax.restoration import restore_file

_COMPILED = '/jax/core/compile/backend_compile_duration'


def resident():
  """MiB that this process has in memory now."""
  status = pathlib.Path('/proc/self/statm').read_text().split()
  return int(status[1]) * os.sysconf('SC_PAGE_SIZE') / 2**20


def main():
  """Restores the pictures; the exit status is 1 where a limit is broken."""
  parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
  )
  parser.add_argument('--pictures', type=int, default=500)
  parser.add_argument('--sizes', type=int, default=60)
  parser.add_argument('--most', type=int, default=400, help='px a side')
  parser.add_argument('--weights', default='unet')
  args = parser.parse_args()
  compiled = []
  jax.monitoring.register_event_duration_secs_listener(
    lambda name, seconds, **_: name == _COMPILED and compiled.append(seconds)
  )
  rng = np.random.default_rng(0)
  sizes = rng.integers(40, args.most + 1, [args.sizes, 2])  # height, width
  vips.forget_files()
  chain = chain_lib.Chain(args.weights)
  memory, new, start = [], [], time.monotonic()
  with tempfile.TemporaryDirectory() as folder:
    source, target = (os.path.join(folder, f'{name}.png') for name in 'ab')
    for i in range(args.pictures):
      height, width = sizes[i % args.sizes]
      picture = rng.integers(0, 256, [height, width, 3], dtype=np.uint8)
      atomic_files.write_picture(source, picture)
      before = len(compiled)
      restore_file.restore_file(source, chain, restore_file.Outputs(target))
      memory.append(resident())
      new.append(len(compiled) - before)
      print(
        f'\r{i + 1}/{args.pictures}: {memory[-1]:.0f} MiB, '
        f'{len(compiled)} compilations',
        end='',
        file=sys.stderr,
        flush=True,
      )
  print(file=sys.stderr)
  tenth = memory[min(9, len(memory) - 1)]
  again = sum(new[args.sizes :])
  found = {
    'pictures': args.pictures,
    'sizes': args.sizes,
    'weights': args.weights,
    'compilations': len(compiled),
    'compilations_of_sizes_seen_before': again,
    'resident_mib': {
      'after_the_tenth': round(tenth),
      'least_since': round(min(memory[9:])),
      'most_since': round(max(memory[9:])),
      'last': round(memory[-1]),
    },
    'seconds': round(time.monotonic() - start, 1),
  }
  print(json.dumps(found))
  flat = max(memory[9:]) <= 1.1 * tenth
  sys.exit(not flat or again > 0)


if __name__ == '__main__':
  main()
