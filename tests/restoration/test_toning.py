"""Files through the stage of tones: its strength, its record, a chain."""

from conftest import random_params
from conftest import tiny_config
import cv2
import numpy as np
import pytest

from artjax import registry
from artjax.configs import tone as tone_config
from artjax.inference import toner
from artjax.interop import safetensors_io
from artjax.restoration import chain as chain_lib
from artjax.restoration import restore_file
from artjax.restoration.options import Options


@pytest.fixture(scope='module')
def names(tmp_path_factory):
  """Weights files of tiny networks: {name: path}."""
  folder, found = tmp_path_factory.mktemp('weights'), {}
  for name, config in (
    ('tone', tone_config.get_config('quick')),
    ('unet', tiny_config()),
  ):
    found[name] = str(folder / f'{name}.safetensors')
    params = random_params(registry.model(config), 0.05)
    safetensors_io.save(found[name], params, config)
  return found


@pytest.fixture
def source(tmp_path):
  path = str(tmp_path / 'in.png')
  rng = np.random.default_rng(0)
  small = rng.integers(0, 256, (9, 12, 3), np.uint8)
  cv2.imwrite(path, 64 + small.repeat(8, 0).repeat(8, 1) // 2)
  return path


def _run(source, weights, tmp_path, **options):
  out = str(tmp_path / 'out.png')
  record = restore_file.restore_file(
    source,
    chain_lib.Chain(weights),
    restore_file.Outputs(out),
    Options(**options),
  )
  return np.float32(cv2.imread(out)) - cv2.imread(source), record


def test_the_record_says_what_was_applied(names, source, tmp_path):
  change, record = _run(source, names['tone'], tmp_path)
  assert np.abs(change).max() > 5
  told = record['tone']
  assert 0 < told['share'] < toner.SHARE and record['options']['tone'] == 1
  assert len(told['curves']['red']) == 9 and len(told['matrix']) == 3
  assert np.diff(told['curves']['green']).min() > 0


def test_tone_has_a_strength_of_its_own(names, source, tmp_path):
  full, whole = _run(source, names['tone'], tmp_path)
  half, record = _run(source, names['tone'], tmp_path, tone=0.5)
  assert record['tone']['share'] == pytest.approx(
    whole['tone']['share'] / 2, abs=1e-3
  )
  inside = np.abs(full) < 60  # clipped nowhere
  np.testing.assert_allclose(half[inside], full[inside] / 2, atol=4)
  none, record = _run(source, names['tone'], tmp_path, tone=0.0)
  np.testing.assert_array_equal(none, 0)
  assert 'tone' not in record and record['tiles'] == 0


def test_in_a_chain_it_sees_what_was_made_before(names, source, tmp_path):
  both = [names['unet'], names['tone']]
  without, _ = _run(source, names['unet'], tmp_path)
  none, _ = _run(source, both, tmp_path, tone=0.0)
  np.testing.assert_allclose(none, without, atol=1)
  change, record = _run(source, both, tmp_path)
  assert np.abs(change - without).max() > 5 and record['tone']['share'] > 0


def test_useless_options_are_told(names, source, tmp_path):
  with pytest.raises(ValueError, match='cannot use self_ensemble'):
    chain_lib.Chain(names['tone']).check(Options(self_ensemble=True))
  _, record = _run(source, names['unet'], tmp_path, tone=0.5)
  assert any('tone has no effect' in line for line in record['notices'])


def test_structure_is_a_share_of_what_networks_change(source, names, tmp_path):
  full, _ = _run(source, names['unet'], tmp_path)
  half, record = _run(source, names['unet'], tmp_path, structure=0.5)
  assert record['options']['structure'] == 0.5
  assert np.abs(full).max() > 4
  np.testing.assert_allclose(half, full / 2, atol=1)
  # Tones are their own affair.
  toned, _ = _run(source, names['tone'], tmp_path)
  same, record = _run(source, names['tone'], tmp_path, structure=0)
  np.testing.assert_array_equal(same, toned)
  alone, _ = _run(
    source, f'{names["unet"]},{names["tone"]}', tmp_path, structure=0
  )
  np.testing.assert_allclose(alone, toned, atol=1)
