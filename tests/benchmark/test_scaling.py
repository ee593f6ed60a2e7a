"""The estimate for many devices: what is counted, and the ring's formula."""

import argparse
import json
import pathlib
import subprocess

import pytest

from artjax.benchmark import command
from artjax.benchmark import scaling

PROGRAM = """
  %a = f32[3,3,8]{2,1,0} all-reduce(%x), replica_groups={{0,1}}
  %b = (f32[10]{0}, bf16[4,2]{1,0}, f32[]) all-reduce(%y, %z, %w), to_apply=%sum
  %c = f32[99]{0} add(%a, %b), metadata={op_name="all-reduce(of words)"}
"""


def network(**fields):
  known = {'machine': 8, 'machine_gb_s': 100, 'network_gb_s': 10}
  return argparse.Namespace(**(known | {'latency_us': 0} | fields))


def test_bytes_of_all_reduces_are_counted():
  assert scaling.exchanged_bytes(PROGRAM) == 4 * 72 + 4 * 10 + 2 * 8 + 4
  assert scaling.exchanged_bytes('%a = f32[2] add(%b, %c)') == 0


def test_one_device_exchanges_nothing():
  found = scaling.on(1, 0.1, 1e9, network(latency_us=20))
  assert found['efficiency'] == found['speed_up'] == 1
  assert found['exchange_s'] == 0


def test_a_ring_within_a_machine_and_one_among_machines():
  eight = scaling.on(8, 0.1, 1e9, network())
  assert eight['exchange_s'] == pytest.approx(2 * 7 / 8 * 1e9 / 100e9)
  many = scaling.on(64, 0.1, 1e9, network())
  assert many['exchange_s'] == pytest.approx(2 * 7 / 8 * (1 / 100 + 1 / 10))
  assert many['speed_up'] == pytest.approx(64 * 0.1 / many['step_s'], rel=1e-3)
  late = scaling.on(64, 0.1, 0, network(latency_us=10))
  assert late['exchange_s'] == pytest.approx(2 * 14 * 10e-6)


def test_a_run_that_fails_is_one_line(monkeypatch):
  def failing(command, **_):
    assert '--config.log_every=0' in command
    return subprocess.CompletedProcess(command, 1, '', 'I am\nartjax: not so')

  monkeypatch.setattr(subprocess, 'run', failing)
  args = argparse.Namespace(
    config='unet:quick',
    override=['--config.log_every=0'],
    step_s=0.1,
    devices=[1],
  )
  with pytest.raises(ValueError, match='^the run failed: artjax: not so$'):
    scaling.estimate(args)


def test_what_is_measured_and_what_is_assumed(monkeypatch, capsys):
  def trained(command, env, **_):
    fields = dict(part.split('=', 1) for part in command if '=' in part)
    if fields['--config.steps'] == '1':  # two devices, for the program
      flags = dict(
        f.split('=', 1) for f in env['XLA_FLAGS'].split() if '=' in f
      )
      dump = pathlib.Path(flags['--xla_dump_to'])
      dump.mkdir()
      (dump / 'a.after_optimizations.txt').write_text(PROGRAM)
    else:
      workdir = pathlib.Path(fields['--workdir'])
      workdir.mkdir()
      lines = [json.dumps({'steps_per_s': rate}) for rate in (1, 2, 4, 5, 4)]
      (workdir / 'metrics.jsonl').write_text('\n'.join(lines))
    return subprocess.CompletedProcess(command, 0, '', '')

  monkeypatch.setattr(subprocess, 'run', trained)
  options = ['scale', '--config=unet:quick', '--devices', '1', '64']
  assert command.main(options) == 0
  *table, line = capsys.readouterr().out.splitlines()
  found = json.loads(line)
  assert found['measured'] == {'exchanged_bytes': 348, 'step_s': 0.25}
  assert found['assumed']['devices_a_machine'] == 8
  assert len(table) == 4 and table[-1].startswith('| 64 | ')
  command.main([*options, '--step_s=0.5'])
  found = json.loads(capsys.readouterr().out.splitlines()[-1])
  assert found['assumed']['step_s'] == 0.5
  assert 'step_s' not in found['measured']
