"""The engine of a restoration: checked first, used, and on record."""

import numpy as np
import pytest
import pyvips

from artjax.image_io import vips
from artjax.inference.engines import names
from artjax.restoration import chain as chain_lib
from artjax.restoration import restore_file
from artjax.restoration.options import Options


def restored(folder, chain, engine):
  """(pixels of the result, its record)."""
  values = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
  source, result = str(folder / 'a.png'), str(folder / f'{engine}.png')
  vips.image(values).copy(interpretation='srgb').write_to_file(source)
  record = restore_file.restore_file(
    source, chain, restore_file.Outputs(result), Options(engine=engine)
  )
  return pyvips.Image.new_from_file(result).numpy().astype(int), record


@pytest.mark.parametrize('engine', names.ENGINES[1:])
def test_the_record_says_what_made_the_picture(tmp_path, small_chain, engine):
  if lacking := names.missing(engine):
    pytest.skip(f'needs {" and ".join(lacking)}')
  (weights,) = small_chain.names
  want, record = restored(tmp_path, small_chain, 'jax')
  assert record['engines'] == {weights: names.called('jax')}
  have, record = restored(tmp_path, small_chain, engine)
  assert record['engines'] == {weights: names.called(engine)}
  assert record['options']['engine'] == engine
  # Levels; of random weights the rounding to bfloat16 shows more.
  most = 8 if engine == names.OPENVINO_BF16 else 1
  assert np.abs(have - want).max() <= most


def test_what_auto_has_chosen_is_said(tmp_path, small_chain, monkeypatch):
  monkeypatch.setattr(names, 'installed', lambda: ('jax',))
  _, record = restored(tmp_path, chain_lib.Chain(small_chain.names), 'auto')
  assert record['engines'] == {small_chain.names[0]: names.called('jax')}
  (notice,) = record['notices']
  assert notice == (
    f'{small_chain.names[0]}: engine=auto: only JAX is installed; '
    'pip install "artjax[openvino]" adds another'
  )


def test_an_engine_that_is_missing_is_refused_at_once(small_chain, monkeypatch):
  monkeypatch.setattr(names, 'missing', lambda engine: ['onnx'])
  chain = chain_lib.Chain(small_chain.names)
  with pytest.raises(ValueError, match='engine=onnx needs onnx: pip install'):
    chain.check(Options(engine='onnx'))
  chain.check(Options(engine='jax'))


def test_what_runs_in_jax_only_is_refused(small_chain):
  chain = chain_lib.Chain('deep_image_prior')
  with pytest.raises(ValueError) as error:
    chain.check(Options(engine='onnx'), mask='holes.png')
  assert str(error.value) == 'engine=onnx: deep_image_prior runs in jax only'
  chain.check(Options(engine='auto'), mask='holes.png')
