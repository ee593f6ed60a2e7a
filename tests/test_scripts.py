"""The scripts as a user runs them: help, results, one line for a mistake."""
import json
import subprocess
import sys

from conftest import ROOT
from conftest import tiny_config
import numpy as np
import pytest

from artjax import files
from artjax import inference
from artjax import train

SCRIPTS = sorted(p.name for p in (ROOT / 'scripts').glob('*.py'))


def run(script, *args):
  return subprocess.run(
      [sys.executable, str(ROOT / 'scripts' / script), *map(str, args)],
      cwd=ROOT, capture_output=True, text=True, timeout=240)


def last(out):
  assert out.returncode == 0, out.stderr[-2000:]
  return json.loads(out.stdout.strip().splitlines()[-1])


@pytest.fixture(scope='module')
def workdir(tmp_path_factory):
  folder = str(tmp_path_factory.mktemp('run'))
  train.train_and_evaluate(tiny_config(steps=2, eval_every=0), folder)
  return folder


@pytest.mark.parametrize('script', SCRIPTS)
def test_help(script):
  out = run(script, '--help')
  assert ('usage' in (out.stdout + out.stderr).lower()
          or '--output' in out.stdout)
  assert 'Traceback' not in out.stderr


def test_export_writes_weights_and_manifest(workdir, tmp_path):
  figures = tmp_path / 'figures.txt'
  figures.write_text('| a table |\n{"output": {"psnr_rgb": 25.0}}\n')
  path = tmp_path / 'out' / 'tiny.safetensors'
  result = last(run('export.py', f'--workdir={workdir}', f'--output={path}',
                    '--dtype=float16', '--training_set=noise',
                    f'--figures={figures}'))
  manifest = json.loads((path.parent / 'manifest.json').read_text())
  entry = manifest['tiny.safetensors']
  assert entry['sha256'] == result['sha256']
  assert entry['bytes'] == path.stat().st_size
  assert entry['training_set'] == 'noise'
  assert entry['figures'] == [{'output': {'psnr_rgb': 25.0}}]
  assert inference.Restorer.load(str(path)).config.model.name == 'unet.UNet'


def test_export_of_nothing_is_one_line(tmp_path):
  out = run('export.py', f'--workdir={tmp_path}',
            f'--output={tmp_path / "x.safetensors"}')
  assert out.returncode == 1
  assert 'no checkpoints here' in out.stderr and 'Traceback' not in out.stderr


def test_plot_draws_a_run(workdir, tmp_path):
  path = tmp_path / 'curve.png'
  result = last(run('plot.py', workdir, '--metrics=loss,grad_norm',
                    f'--output={path}'))
  assert result['points'] == 2 and path.stat().st_size > 5000
  out = run('plot.py', tmp_path / 'nowhere', f'--output={path}')
  assert out.returncode == 1 and 'nowhere' in out.stderr
  assert 'Traceback' not in out.stderr


def test_benchmarks_count_what_they_do(tmp_path):
  result = last(run(
      'benchmark.py', 'pipeline', '--loader=threads', '--batches=2',
      '--warmup=0', '--repeats=1', '--batch=2'))
  assert result['examples_per_s'] > 0 and result['resident_mb'] > 50
  peer = tmp_path / 'peer.py'
  peer.write_text('print("noise"); print(\'{"peer": "p", "median_s": 2.0}\')')
  result = last(run(
      'benchmark.py', 'step', '--fields={"features": (4, 8), "blocks": (1, 1)}',
      '--size=32x32', '--batch=1', '--repeats=2', '--rounds=1',
      f'--peer={sys.executable} {peer}'))
  assert result['ratio'] == pytest.approx(result['median_s'] / 2, abs=1e-3)
  files.write_picture(str(tmp_path / 'a.png'), np.zeros([9, 9, 3], np.uint8))
  result = last(run('benchmark.py', 'restore', f'--picture={tmp_path}/a.png',
                    '--megapixels', '0.01'))
  assert result['sizes'][0]['resident_mb'] > 100
  out = run('benchmark.py', 'step', '--model=unet.Unet')
  assert out.returncode == 1 and 'did you mean unet.UNet' in out.stderr


def test_measured_damage_is_that_of_colour_where_it_is():
  ops = 'fit(96)|copy("image", "target")|'
  tint = last(run('measure_damage.py', f'--ops={ops}fading(0.5)'))
  noise = last(run('measure_damage.py', f'--ops={ops}gaussian_noise(0.5)'))
  gain = lambda r: r['best colours']['psnr_rgb'] - r['degraded']['psnr_rgb']
  assert gain(tint) > 10 and 0 < gain(noise) < 3
  out = run('measure_damage.py', '--ops=nonsense')
  assert out.returncode == 1 and 'nonsense' in out.stderr
  assert 'Traceback' not in out.stderr
