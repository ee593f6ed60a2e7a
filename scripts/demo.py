"""The demo: a painting restored, a network trained, one picture of both.

  python scripts/demo.py

1. A painting is damaged in a known way and restored with shipped weights.
2. A small network learns for a minute to take noise off photographs that come
   with scikit-image, and restores two of them that it has not seen.

before_after.png shows both; everything else is in runs/demo. The last line of
stdout is a JSON object: `input` and `output` are the figures of the second
part, `painting` holds those of the first.

docs/images/piazza.jpg is a view of St Mark's Square in the public domain (file
CC0); no shipped weights were trained on it.
"""

import argparse
import json
import pathlib
import subprocess
import sys

import cv2
import numpy as np

from artjax import atomic_files
from artjax import registry
from artjax.evaluation import metrics
from artjax.restoration import default_chain

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAINTING = ROOT / 'docs' / 'images' / 'piazza.jpg'
DAMAGE = 'varnish(0.4)|scratches(0.6)|paint_losses(0.35)|gaussian_noise(0.25)'
SEED = 2
WEIGHTS = default_chain.WEIGHTS
THRESHOLD = 0.4  # of the probability of damage
TRAINING = ('--config=structure:demo', '--workdir=runs/demo')
OUTPUT = 'before_after.png'
GAP = 8  # px between panels


def main() -> None:
  """Runs both parts and prints the JSON object."""
  argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
  ).parse_args()
  folder = ROOT / 'runs' / 'demo'
  painting = read(PAINTING)
  damaged = damage(painting)
  atomic_files.write_picture(str(folder / 'damaged.png'), damaged)
  run(
    'restore',
    'runs/demo/damaged.png',
    '--output=runs/demo/restored',
    f'--mask_threshold={THRESHOLD}',
    '--save_mask',
  )
  restored = read(folder / 'restored' / 'damaged.png')
  mask = read(folder / 'restored' / 'damaged.mask.png')
  run('train', *TRAINING)
  result = run('evaluate', *TRAINING)
  learnt = read(folder / 'evaluation' / 'before_after.png')
  atomic_files.write_picture(
    OUTPUT, sheet(damaged, restored, mask, painting, learnt)
  )
  result['painting'] = {
    'input': measure(damaged, painting),
    'output': measure(restored, painting),
    'weights': WEIGHTS,
  }
  result['before_after'] = OUTPUT
  print(json.dumps(result))


def run(*arguments: str) -> dict:
  """Runs `artjax` in the repository and shows it; the JSON of its last line."""
  print('$ artjax', *arguments, flush=True)
  done = subprocess.run(
    [sys.executable, '-m', 'artjax.cli', *arguments],
    cwd=ROOT,
    stdout=subprocess.PIPE,
    text=True,
  )
  print(done.stdout, end='', flush=True)
  if done.returncode:
    sys.exit(done.returncode)
  return json.loads(done.stdout.splitlines()[-1])


def damage(painting: np.ndarray) -> np.ndarray:
  """u8[H, W, 3] -> the same with known damage, u8[H, W, 3]."""
  example = {'image': painting, 'name': PAINTING.name}
  example = registry.chain(DAMAGE)(example, np.random.default_rng(SEED))
  return np.uint8(np.rint(255 * np.clip(example['image'], 0, 1)))


def measure(picture: np.ndarray, painting: np.ndarray) -> dict[str, float]:
  """Two metrics of a u8 picture against the painting."""
  return {
    name: round(float(metric(picture[None], painting[None])[0]), 4)
    for name, metric in (
      ('psnr_rgb', metrics.psnr_rgb),
      ('ssim_rgb', metrics.ssim_rgb),
    )
  }


def read(path: pathlib.Path) -> np.ndarray:
  """u8[H, W, 3], RGB."""
  return np.ascontiguousarray(cv2.imread(str(path))[..., ::-1])


def sheet(
  damaged: np.ndarray,
  restored: np.ndarray,
  mask: np.ndarray,
  painting: np.ndarray,
  learnt: np.ndarray,
) -> np.ndarray:
  """The picture of the demo: all panels, captioned, u8[H, W, 3]."""
  # What was found, in red over the damaged painting.
  found = np.where(mask > 127, damaged // 2 + np.uint8([127, 0, 0]), damaged)
  rows = [
    side_by_side(
      captioned(damaged, 'damaged painting'),
      captioned(restored, f'restored ({WEIGHTS})'),
    ),
    side_by_side(
      captioned(found, 'damage that was found'), captioned(painting, 'original')
    ),
  ]
  width = rows[0].shape[1]
  height = round(learnt.shape[0] * width / learnt.shape[1])
  learnt = cv2.resize(learnt, (width, height), interpolation=cv2.INTER_AREA)
  text = 'a minute of training, held-out photographs: '
  rows.append(captioned(learnt, text + 'degraded, restored, original'))
  return np.concatenate(rows)


def captioned(picture: np.ndarray, text: str) -> np.ndarray:
  """The picture with a line of text below."""
  strip = np.full((30, picture.shape[1], 3), 255, np.uint8)
  cv2.putText(
    strip,
    text,
    (4, 20),
    cv2.FONT_HERSHEY_SIMPLEX,
    0.55,
    (0, 0, 0),
    1,
    cv2.LINE_AA,
  )
  return np.concatenate([picture, strip])


def side_by_side(left: np.ndarray, right: np.ndarray) -> np.ndarray:
  """Two pictures of one height with a gap."""
  gap = np.full((left.shape[0], GAP, 3), 255, np.uint8)
  return np.concatenate([left, gap, right], axis=1)


if __name__ == '__main__':
  main()
