"""The scripts as a user runs them: help, results, one line for a mistake."""

import json
import subprocess
import sys

from conftest import random_params
from conftest import ROOT
from conftest import tiny_config
import jax
import ml_collections
import numpy as np
import pytest

from artjax import atomic_files
from artjax import registry
from artjax.inference import loading
from artjax.inference import network
from artjax.interop import safetensors_io
from artjax.training import loop

SCRIPTS = sorted(p.name for p in (ROOT / 'scripts').glob('*.py'))


def last(out):
  assert out.returncode == 0, out.stderr[-2000:]
  return json.loads(out.stdout.strip().splitlines()[-1])


@pytest.fixture(scope='module')
def workdir(tmp_path_factory):
  folder = str(tmp_path_factory.mktemp('run'))
  loop.train_and_evaluate(tiny_config(steps=2, eval_every=0), folder)
  return folder


@pytest.mark.parametrize('script', SCRIPTS)
def test_help(script):
  out = subprocess.run(
    [sys.executable, str(ROOT / 'scripts' / script), '--help'],
    cwd=ROOT,
    capture_output=True,
    text=True,
    timeout=240,
  )
  assert (
    'usage' in (out.stdout + out.stderr).lower() or '--output' in out.stdout
  )
  assert 'Traceback' not in out.stderr


def test_export_writes_weights_and_manifest(run_script, workdir, tmp_path):
  figures = tmp_path / 'figures.txt'
  figures.write_text('| a table |\n{"output": {"psnr_rgb": 25.0}}\n')
  path = tmp_path / 'out' / 'tiny.safetensors'
  result = last(
    run_script(
      'export.py',
      f'--workdir={workdir}',
      f'--output={path}',
      '--dtype=float16',
      '--training_set=noise',
      f'--figures={figures}',
    )
  )
  manifest = json.loads((path.parent / 'manifest.json').read_text())
  entry = manifest['tiny.safetensors']
  assert entry['sha256'] == result['sha256']
  assert entry['bytes'] == path.stat().st_size
  assert entry['training_set'] == 'noise'
  assert entry['figures'] == [{'output': {'psnr_rgb': 25.0}}]
  assert network.Restorer.load(str(path)).config.model.name == 'unet.UNet'


@pytest.fixture(scope='module')
def compact(tmp_path_factory):
  """A small super-resolution network of this project."""
  path = tmp_path_factory.mktemp('weights') / 'compact.safetensors'
  config = ml_collections.ConfigDict(
    {
      'task': 'restore',
      'model': {
        'name': 'srvgg.SRVGGNetCompact',
        'args': {'features': 6, 'convs': 2},
      },
    }
  )
  safetensors_io.save(
    str(path), random_params(registry.model(config), 0.02), config
  )
  return path


def test_export_of_two_detectors_tells_of_both(run_script, tmp_path):
  for name, blocks in (('fine', (1, 1)), ('coarse', (2, 1))):
    config = ml_collections.ConfigDict(
      {
        'task': 'detect',
        'model': {
          'name': 'detector.Detector',
          'args': {'features': (4, 4), 'blocks': blocks},
        },
      }
    )
    zeros = lambda x: np.zeros(x.shape, np.float32)
    safetensors_io.save(
      str(tmp_path / f'{name}.safetensors'),
      jax.tree.map(zeros, safetensors_io.merge(registry.variables(config))),
      config,
    )
  (tmp_path / 'manifest.json').write_text(
    json.dumps(
      {
        f'{name}.safetensors': {
          'data': {'batch_size': size},
          'sha256': safetensors_io.file_sha256(
            str(tmp_path / f'{name}.safetensors')
          ),
        }
        for name, size in (('fine', 3), ('coarse', 4))
      }
    )
  )
  path = tmp_path / 'both.safetensors'
  # The second time with a new fine one, that is, and the coarse one it has.
  for coarse in (tmp_path / 'coarse.safetensors', f'{path}:coarse'):
    last(
      run_script(
        'export.py',
        f'--weights={tmp_path}/fine.safetensors',
        f'--coarse={coarse}',
        f'--output={path}',
      )
    )
    entry = json.loads((tmp_path / 'manifest.json').read_text())[path.name]
    assert entry['model']['name'] == 'detector.CoarseToFine'
    assert entry['data'] == {'batch_size': 3}  # as their entries say
    assert entry['coarse'] == {'data': {'batch_size': 4}}
  config, _ = loading.load(f'{path}:coarse')
  assert list(config.model.args.blocks) == [2, 1]


def test_export_under_published_names_comes_back(run_script, compact, tmp_path):
  path, back = tmp_path / 'out' / 'x.safetensors', tmp_path / 'b.safetensors'
  result = last(
    run_script(
      'export.py',
      f'--weights={compact}',
      '--names=published',
      f'--output={path}',
    )
  )
  assert result['sha256'] == safetensors_io.file_sha256(path)
  assert [p.name for p in path.parent.iterdir()] == ['x.safetensors']
  last(run_script('import_weights.py', path, f'--output={back}'))
  assert safetensors_io.sha256(safetensors_io.load(str(back))[1]) == (
    safetensors_io.sha256(safetensors_io.load(str(compact))[1])
  )


def test_export_of_a_blend_has_an_entry_that_says_so(
  run_script, compact, tmp_path
):
  path, blend = tmp_path / 'x.safetensors', f'{compact}:0.5+{compact}:0.5'
  last(run_script('export.py', f'--weights={blend}', f'--output={path}'))
  entry = json.loads((tmp_path / 'manifest.json').read_text())[path.name]
  assert entry['source'] == blend and 'data' not in entry
  network.Restorer.load(str(path))


def test_export_to_onnx(run_script, compact, tmp_path):
  pytest.importorskip('jax2onnx', reason='needs jax2onnx (make export-setup)')
  onnx = pytest.importorskip('onnx')
  path = tmp_path / 'out' / 'x.onnx'
  result = last(
    run_script('export.py', f'--weights={compact}', f'--output={path}')
  )
  assert result['bytes'] == path.stat().st_size
  onnx.checker.check_model(str(path))
  assert [p.name for p in path.parent.iterdir()] == ['x.onnx']


@pytest.mark.parametrize(
  'args, said',
  [
    (
      ['--workdir={tmp}', '--output={tmp}/x.safetensors'],
      'no checkpoints here',
    ),
    (
      ['--weights=unet', '--output={tmp}/x.safetensors', '--names=published'],
      'unet.UNet has no published names',
    ),
    (['--weights=unet', '--output={tmp}/x.bin'], 'must end in'),
    (
      ['--weights=unet', '--output={tmp}/x.onnx', '--dtype=float16'],
      '--dtype and --names are for .safetensors',
    ),
    (
      ['--weights=unet', '--output={tmp}/x.onnx', '--figures=x'],
      'go with the manifest',
    ),
    (
      ['--weights=unet', '--output={tmp}/x.safetensors', '--step=3'],
      'unet is not a workdir',
    ),
    (
      ['--weights=unet', '--coarse=unet', '--output={tmp}/x.safetensors'],
      'the fine part must be a detector.Detector',
    ),
    (
      ['--weights=nonsense', '--output={tmp}/x.safetensors'],
      'nonsense: no such weights',
    ),
  ],
)
def test_export_of_nothing_is_one_line(run_script, tmp_path, args, said):
  out = run_script('export.py', *(arg.format(tmp=tmp_path) for arg in args))
  assert out.returncode == 1
  assert said in out.stderr and 'Traceback' not in out.stderr
  assert len(out.stderr.splitlines()) == 1
  assert not list(tmp_path.iterdir())


def test_plot_draws_a_run(run_script, workdir, tmp_path):
  path = tmp_path / 'curve.png'
  result = last(
    run_script(
      'plot.py', workdir, '--metrics=loss,grad_norm', f'--output={path}'
    )
  )
  assert result['points'] == 2 and path.stat().st_size > 5000
  low, high = result['ranges'][str(workdir)]['loss']
  assert 0 < low <= high
  result = last(
    run_script('plot.py', workdir, '--after=1000', f'--output={path}')
  )
  assert result['ranges'] == {}
  out = run_script('plot.py', tmp_path / 'nowhere', f'--output={path}')
  assert out.returncode == 1 and 'nowhere' in out.stderr
  assert 'Traceback' not in out.stderr


def test_benchmarks_count_what_they_do(run_script, tmp_path):
  result = last(
    run_script(
      'benchmark.py',
      'pipeline',
      '--loader=threads',
      '--batches=2',
      '--warmup=0',
      '--repeats=1',
      '--batch=2',
    )
  )
  assert result['examples_per_s'] > 0 and result['resident_mb'] > 50
  peer = tmp_path / 'peer.py'
  peer.write_text('print("noise"); print(\'{"peer": "p", "median_s": 2.0}\')')
  result = last(
    run_script(
      'benchmark.py',
      'step',
      '--fields={"features": (4, 8), "blocks": (1, 1)}',
      '--size=32x32',
      '--batch=1',
      '--repeats=2',
      '--rounds=1',
      f'--peer={sys.executable} {peer}',
    )
  )
  assert result['speed_to_peer']['ours'] == pytest.approx(
    2 / result['median_s'], rel=0.01
  )
  result = last(
    run_script(
      'benchmark.py',
      'step',
      '--model=detector.Detector',
      '--fields={"features": (4, 8), "blocks": (1, 1), "axis_name": None}',
      '--size=16x16',
      '--batch=2',
      '--repeats=1',
      '--warmup=0',
    )
  )
  assert result['parameters'] == 4180 and result['median_s'] > 0
  result = last(
    run_script(
      'benchmark.py',
      'infer',
      '--model=srvgg.SRVGGNetCompact',
      '--fields={"features": 4, "convs": 1}',
      '--size=8x8',
      '--batch=1',
      '--repeats=2',
    )
  )
  assert result['input'] == [1, 8, 8, 3] and result['median_s'] > 0
  atomic_files.write_picture(
    str(tmp_path / 'a.png'), np.zeros([9, 9, 3], np.uint8)
  )
  result = last(
    run_script(
      'benchmark.py',
      'restore',
      f'--picture={tmp_path}/a.png',
      '--megapixels',
      '0.01',
    )
  )
  assert result['sizes'][0]['resident_mb'] > 100
  out = run_script('benchmark.py', 'step', '--model=unet.Unet')
  assert out.returncode == 1 and 'did you mean unet.UNet' in out.stderr


def test_measured_damage_is_that_of_colour_where_it_is(run_script):
  ops = 'fit(96)|copy("image", "target")|'
  tint = last(run_script('measure_damage.py', f'--ops={ops}fading(0.5)'))
  noise = last(
    run_script('measure_damage.py', f'--ops={ops}gaussian_noise(0.5)')
  )
  gain = lambda r: r['best colours']['psnr_rgb'] - r['degraded']['psnr_rgb']
  assert gain(tint) > 10 and 0 < gain(noise) < 3
  out = run_script('measure_damage.py', '--ops=nonsense')
  assert out.returncode == 1 and 'nonsense' in out.stderr
  assert 'Traceback' not in out.stderr
