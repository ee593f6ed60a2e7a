"""`artjax benchmark engines`: a table of ratios."""

import json

import pytest

from artjax.benchmark import command
from artjax.inference.engines import names


def test_prints_a_row_for_each_network(capsys):
  engines = names.installed()
  asked = ['engines', 'ffdnet.FFDNet', '--size=16x24', '--rounds=2']
  assert command.main([*asked, '--processor_time']) == 0
  *_, head, line, row, last = capsys.readouterr().out.splitlines()
  assert head == f'| network | {" | ".join(["jax", *_ratios(engines)])} |'
  assert row.startswith('| ffdnet.FFDNet | ') and row.count('|') == 3 + len(
    engines[1:]
  )
  (found,) = json.loads(last)['networks']
  assert list(found['seconds']) == list(engines) and not found['cannot']
  assert found['ratio']['jax'] == 1 and min(found['ratio'].values()) > 0
  assert max(found['levels'].values()) <= 1


def _ratios(engines):
  return [f'{engine}, ratio' for engine in engines[1:]]


def test_what_runs_in_jax_only_is_refused():
  with pytest.raises(SystemExit) as end:
    command.main(['engines', 'tone'])
  assert str(end.value) == 'benchmark: tone runs in jax only'
