"""docs/tour.ipynb runs from its first to its last cell."""

import json

from conftest import ROOT
import cv2
import numpy as np

NOTEBOOK = ROOT / 'docs' / 'tour.ipynb'


def cells():
  """The code of each cell, in order."""
  notebook = json.loads(NOTEBOOK.read_text(encoding='utf-8'))
  return [c for c in notebook['cells'] if c['cell_type'] == 'code']


def detail_error(picture, painting):
  """Mean absolute error but for tones, which a network may well correct."""
  error = np.float32(picture) - painting
  return np.abs(error - cv2.blur(error, (15, 15))).mean()


def test_notebook_has_no_stored_outputs():
  assert all(not cell['outputs'] for cell in cells())


def test_cells_run_in_order(monkeypatch, tmp_path):
  monkeypatch.chdir(NOTEBOOK.parent)
  monkeypatch.setattr('tempfile.tempdir', str(tmp_path))
  names = {'__name__': 'tour'}
  for i, cell in enumerate(cells()):
    code = ''.join(cell['source'])
    exec(compile(code, f'{NOTEBOOK.name}, cell {i}', 'exec'), names)

  damaged = detail_error(names['damaged'], names['painting'])
  assert detail_error(names['restored'], names['painting']) < damaged
  assert detail_error(names['filled'], names['painting']) < 0.9 * damaged
  assert names['mask'].any() and not names['mask'].all()
  assert names['run']['step'] == 20
  assert set(names['figures']['output']) == {'psnr_rgb', 'ssim_rgb'}
  assert (tmp_path / names['weights'].parent.name / 'tiny.safetensors').exists()
