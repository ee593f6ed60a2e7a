"""Deep Image Prior beside classical fills: figures, curve and time limit."""

import json

import conftest
import cv2
import pytest

from artjax.inference import deep_image_prior


@pytest.fixture(name='script')
def script_fixture():
  return conftest.script('measure_prior')


def restore(
  picture, *, mask, steps, optimizer, learning_rate, smooth, on_report
):
  """As `deep_image_prior.restore`, which fills with 0.5 at once."""
  del optimizer, learning_rate, smooth
  assert not picture[mask].any()  # It may not see what it is measured by.
  filled = picture.copy()
  filled[mask] = 0.5
  done = 0
  try:
    for done in range(20, steps + 1, 20):
      on_report(deep_image_prior.Report(done, 0.1, lambda: filled))
  except KeyboardInterrupt:
    pass
  return deep_image_prior.Result(filled, done, 'steps', 0.1, 0)


@pytest.mark.parametrize('minutes,steps', [('10', 60), ('0', 20)])
def test_figures(script, tmp_path, monkeypatch, capsys, minutes, steps):
  monkeypatch.setattr(deep_image_prior, 'restore', restore)
  monkeypatch.setattr(
    'sys.argv',
    [
      'measure_prior',
      f'--output={tmp_path}',
      '--pictures=2',
      '--size=48',
      '--steps=60',
      f'--minutes={minutes}',
    ],
  )
  script.main()
  result = json.loads(capsys.readouterr().out.splitlines()[-1])
  found = json.loads((tmp_path / 'figures.json').read_text())
  assert result['pictures'] == 2 and len(found['rows']) == 2
  for row in found['rows']:
    assert 0.01 < row['missing'] < 0.5 and row['steps'] == steps
    assert len(row['curve']) == steps // 20
    # One grey is worse than any fill from around.
    assert row['telea'] > row['deep_image_prior'] == row['curve'][-1][-1]
  assert cv2.imread(str(tmp_path / 'panels.jpg')).shape[0] == 96
  assert (tmp_path / 'curves.png').stat().st_size > 1000
