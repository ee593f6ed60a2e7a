"""What needs no network, measured beside what does."""

import json

from conftest import script
import cv2
import numpy as np

sketch_baselines = script('sketch_baselines')


def linear_pairs(count, seed=0):
  """Photographs that are a linear function of their sketches, 32 x 32 px."""
  rng = np.random.default_rng(seed)
  basis = np.random.default_rng(9).uniform(-1, 1, (6, 4, 4))
  coefficients = rng.uniform(-1, 1, (count, 6))
  grey = np.einsum('nk,khw->nhw', coefficients, basis)
  grey = 128 + 20 * np.kron(grey, np.ones([8, 8]))
  sketches = grey[..., None].repeat(3, -1)
  photographs = np.stack([grey, 255 - grey, 0.5 * grey + 20], -1)
  return tuple(np.rint(x).astype(np.uint8) for x in (sketches, photographs))


def test_ridge_learns_what_is_linear():
  train, (sketches, photographs) = linear_pairs(30), linear_pairs(4, 1)
  ridge = sketch_baselines.Ridge(*train, 1e-4)
  for sketch, photograph in zip(sketches, photographs):
    made = ridge(sketch)
    assert made.dtype == np.uint8
    assert np.abs(made.astype(int) - photograph).max() <= 3
  heavy = sketch_baselines.Ridge(*train, 1e6)(sketches[0]).astype(int)
  assert np.abs(heavy - train[1].mean(0)).max() <= 1


def test_nearest_gives_the_photograph_of_the_most_similar_sketch():
  sketches, photographs = linear_pairs(10)
  nearest = sketch_baselines.Nearest(sketches, photographs)
  noise = np.random.default_rng(0).integers(0, 3, sketches[7].shape)
  np.testing.assert_array_equal(
    nearest((sketches[7] + noise).astype(np.uint8)), photographs[7]
  )


def write(folder, pair):
  for kind, pictures in zip(('sketch', 'photo'), pair):
    (folder / kind).mkdir(parents=True)
    for i, picture in enumerate(pictures):
      cv2.imwrite(str(folder / kind / f'{i}.png'), picture[..., ::-1])
  return f'pairs:{folder}/photo,{folder}/sketch'


def test_the_table(run_script, tmp_path):
  train = write(tmp_path / 'train', linear_pairs(12))
  val = write(tmp_path / 'val', linear_pairs(3, 1))
  out = run_script(
    'sketch_baselines.py',
    f'--train={train}',
    f'--val={val}',
    f'--output={tmp_path / "out"}',
  )
  assert out.returncode == 0, out.stderr[-2000:]
  result = json.loads(out.stdout.strip().splitlines()[-1])
  assert [row['name'] for row in result['rows']] == [
    'sketch',
    'nearest pair',
    'PCA ridge',
  ]
  assert set(result['rows'][0]) == {'name', *sketch_baselines.METRICS}
  assert '| PCA ridge |' in (tmp_path / 'out' / 'table.md').read_text()
  panels = cv2.imread(str(tmp_path / 'out' / 'panels.jpg'))
  assert panels.shape[0] == 3 * 32


def test_mistakes_are_one_line(run_script, tmp_path):
  train = write(tmp_path / 'train', linear_pairs(2))
  out = run_script('sketch_baselines.py', f'--train={train}', '--val=sample')
  assert out.returncode == 1 and 'sample: name pairs:' in out.stderr
  assert 'Traceback' not in out.stderr
