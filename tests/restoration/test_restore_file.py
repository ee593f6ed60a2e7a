"""One picture file: restored, measured, recorded, and nothing half done."""

import json
import os

from conftest import random_params
from conftest import tiny_config
import numpy as np
import pytest
import pyvips

from artjax import registry
from artjax.image_io import jpeg_blocks
from artjax.image_io import vips
from artjax.image_io import writer as image_writer
from artjax.inference import tiling
from artjax.interop import safetensors_io
from artjax.restoration import chain as chain_lib
from artjax.restoration import restore_file
from artjax.restoration.options import Options


@pytest.fixture(scope='module')
def chain(tmp_path_factory):
  path = str(tmp_path_factory.mktemp('weights') / 'tiny.safetensors')
  config = tiny_config()
  safetensors_io.save(path, random_params(registry.model(config), 0.01), config)
  return chain_lib.Chain(path)


def written(path, size=(60, 90), dtype=np.uint8):
  rng = np.random.default_rng(0)
  values = rng.integers(0, np.iinfo(dtype).max, (*size, 3), dtype)
  vips.image(values).copy(
    interpretation='srgb' if dtype == np.uint8 else 'rgb16'
  ).write_to_file(str(path))
  return values


def pixels(path):
  return pyvips.Image.new_from_file(str(path), revalidate=True).numpy()


def test_file_is_the_restored_array(tmp_path, chain):
  values = written(tmp_path / 'a.png')
  outputs = restore_file.Outputs(str(tmp_path / 'out' / 'a.png'))
  steps = []
  record = restore_file.restore_file(
    str(tmp_path / 'a.png'),
    chain,
    outputs,
    on_tiles=lambda done, total: steps.append((done, total)),
  )
  out = pixels(outputs.picture)
  want = chain.restorers[0](values)
  assert np.abs(out.astype(int) - want).max() <= 1
  assert np.abs(out.astype(int) - values).max() > 5
  assert steps[-1] == (record['tiles'], record['tiles'])
  assert os.listdir(tmp_path / 'out') == ['a.png']


def test_a_picture_that_needs_nothing_is_left_as_it_is(tmp_path, chain):
  written(tmp_path / 'a.png')
  source, made = str(tmp_path / 'a.png'), str(tmp_path / 'b.png')
  outputs = restore_file.Outputs(made, str(tmp_path / 'change.png'))
  run = lambda least: restore_file.restore_file(
    source, chain, outputs, Options(least_change=least)
  )
  before = run(0)['change_mean_ciede2000']
  assert before > 1 and pixels(tmp_path / 'change.png').any()
  assert run(0.9 * before)['change_mean_ciede2000'] == before
  record = run(1.1 * before)
  assert (tmp_path / 'a.png').read_bytes() == (tmp_path / 'b.png').read_bytes()
  assert record['change_mean_ciede2000'] == record['change_max_ciede2000'] == 0
  assert record['notices'] == [
    f'the change would be only {before:.2f} CIEDE2000: the picture is copied '
    'unchanged'
  ]
  assert not pixels(tmp_path / 'change.png').any()
  # Another format is written, and what is to be stripped is stripped.
  outputs = restore_file.Outputs(str(tmp_path / 'b.tif'))
  assert run(1.1 * before)['change_mean_ciede2000'] == before


def test_record_says_what_was_done(tmp_path, chain):
  written(tmp_path / 'a.png')
  outputs = restore_file.Outputs(
    *(
      str(tmp_path / name)
      for name in ('o.png', 'change.png', 'spread.png', 'o.json')
    )
  )
  options = Options(strength=0.5, self_ensemble=True)
  record = restore_file.restore_file(
    str(tmp_path / 'a.png'), chain, outputs, options
  )
  assert json.loads((tmp_path / 'o.json').read_text()) == record
  assert record['source_sha256'] == safetensors_io.file_sha256(
    tmp_path / 'a.png'
  )
  assert record['output_sha256'] == safetensors_io.file_sha256(
    tmp_path / 'o.png'
  )
  assert record['weights'][0]['params_sha256'] == safetensors_io.sha256(
    chain.restorers[0].params
  )
  assert record['size'] == [90, 60] and record['bits'] == 8
  for map_name, name in (
    ('change.png', 'change_mean_ciede2000'),
    ('spread.png', 'uncertainty_mean'),
  ):
    step = 0.05 if map_name == 'change.png' else 0.1 / 255
    grey = pixels(tmp_path / map_name)
    assert grey.shape == (60, 90)
    if grey.max() < 255:
      assert grey.mean() * step == pytest.approx(record[name], rel=0.1)
    assert record[name] > 0
  assert 0 < record['change_mean_ciede2000'] < record['change_max_ciede2000']


@pytest.mark.parametrize('kept', [False, True])
def test_of_lossy_files_the_report_says_what_was_written(
  tmp_path, chain, monkeypatch, kept
):
  if kept and not jpeg_blocks.available():
    pytest.skip("needs jpeglib: pip install '.[formats]'")
  monkeypatch.setattr(jpeg_blocks, 'available', lambda: kept)
  source, result = str(tmp_path / 'a.jpg'), str(tmp_path / 'o.jpg')
  rng = np.random.default_rng(0)
  vips.image(rng.integers(0, 256, (60, 90, 3), np.uint8)).jpegsave(source, Q=60)
  outputs = restore_file.Outputs(result, str(tmp_path / 'change.png'))
  record = restore_file.restore_file(
    source, chain, outputs, Options(strength=0.0)
  )
  moved = (pixels(source) != pixels(result)).any(-1)
  assert moved.any() == (record['change_max_ciede2000'] > 0) == (not kept)
  assert pixels(tmp_path / 'change.png').any() == (not kept)
  assert (image_writer.LOSSY in record['notices']) == (not kept)
  assert (image_writer.LOSSY_IN_PART in record['notices']) == kept
  assert record.get('jpeg_blocks_kept') == (1 if kept else None)
  # A copy is none that was encoded.
  record = restore_file.restore_file(
    source, chain, outputs, Options(least_change=1000)
  )
  assert record['change_max_ciede2000'] == 0
  assert image_writer.LOSSY not in record['notices']
  assert image_writer.LOSSY_IN_PART not in record['notices']
  assert 'jpeg_blocks_kept' not in record


@pytest.mark.parametrize('dtype', [np.uint8, np.uint16])
def test_strength_zero_is_the_picture(tmp_path, chain, dtype):
  values = written(tmp_path / 'a.tif', dtype=dtype)
  record = restore_file.restore_file(
    str(tmp_path / 'a.tif'),
    chain,
    restore_file.Outputs(str(tmp_path / 'o.tif')),
    Options(strength=0.0),
  )
  np.testing.assert_array_equal(pixels(tmp_path / 'o.tif'), values)
  assert record['change_max_ciede2000'] == 0


def test_a_chain_is_one_after_the_other(tmp_path, chain):
  values = written(tmp_path / 'a.png')
  name = chain.names[0]
  twice = chain_lib.Chain(f'{name},{name}')
  record = restore_file.restore_file(
    str(tmp_path / 'a.png'),
    twice,
    restore_file.Outputs(str(tmp_path / 'o.png')),
  )
  run = chain.restorers[0]
  want = run(run(values.astype(np.uint16) * 257)) / 257
  assert np.abs(pixels(tmp_path / 'o.png') - want).max() <= 1.5
  assert len(record['weights']) == 2
  assert record['tiles'] == 2 * run.tiles(60, 90)


def test_short_of_memory_is_said(tmp_path, chain, monkeypatch):
  values = written(tmp_path / 'a.png', (200, 300))
  restorer = chain.restorers[0]
  jax_network = restorer.network('jax')
  honest = jax_network._run

  def narrow(params, tiles, context):
    if tiles.shape[1] > 200:
      raise MemoryError('too much')
    return honest(params, tiles, context)

  monkeypatch.setattr(jax_network, '_run', narrow)
  run = lambda: restore_file.restore_file(
    str(tmp_path / 'a.png'),
    chain,
    restore_file.Outputs(str(tmp_path / 'o.png')),
  )
  record = run()
  assert record['tiling'] and 'short of memory' in record['tiling'][0]
  monkeypatch.setattr(jax_network, '_run', honest)
  want = restorer(values).astype(int)
  assert np.abs(pixels(tmp_path / 'o.png') - want).max() <= 1

  def none(*unused):
    raise MemoryError('too much')

  monkeypatch.setattr(jax_network, '_run', none)
  os.remove(tmp_path / 'o.png')
  with pytest.raises(tiling.OutOfMemory):
    run()
  assert os.listdir(tmp_path) == ['a.png']  # never the input as a result


def test_the_source_is_never_overwritten(tmp_path, chain):
  written(tmp_path / 'a.png')
  os.symlink(tmp_path / 'a.png', tmp_path / 'b.png')
  before = (tmp_path / 'a.png').read_bytes()
  for name in ('a.png', 'b.png'):
    with pytest.raises(ValueError, match='overwrite the source'):
      restore_file.restore_file(
        str(tmp_path / 'a.png'),
        chain,
        restore_file.Outputs(str(tmp_path / name)),
      )
  assert (tmp_path / 'a.png').read_bytes() == before


def test_no_weights_are_named():
  with pytest.raises(ValueError, match='a name of weights is missing'):
    chain_lib.Chain(',')
  with pytest.raises(FileNotFoundError, match='nonsense: no such weights'):
    chain_lib.Chain('nonsense')


def test_what_is_fitted_to_a_picture_is_not_turned():
  chain = chain_lib.Chain('deep_image_prior')
  chain.check(Options(), mask='mask.png')
  with pytest.raises(ValueError, match='cannot use self_ensemble'):
    chain.check(Options(self_ensemble=True), mask='mask.png')
