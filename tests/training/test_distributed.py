"""Several processes: what one of them gathers from all."""

import json
import socket
import subprocess
import sys

from conftest import ROOT
from conftest import tiny_config
import jax
import numpy as np

from artjax.evaluation import runner
from artjax.training import distributed

# Darkens pictures in the process of this index, and says what all measured.
PROCESS = """
import json, sys
sys.path.insert(0, 'tests')
import jax
index, address = int(sys.argv[1]), sys.argv[2]
jax.distributed.initialize(address, 2, index)
from conftest import tiny_config
from artjax.evaluation import runner
from artjax.training import distributed
seen = []
def restorer(picture):
  seen.append(picture)
  return picture // 2
config = tiny_config(**json.loads(sys.argv[3]))
found = runner.evaluate(
  runner.evaluator(config), [restorer], gather=distributed.gather)
print(json.dumps([len(seen), found.figures(), [r.name for r in found.records]]))
"""
FIELDS = {'eval.max_pictures': 5, 'eval.split': 'all', 'eval.metrics': ['mae']}


def test_one_process_gathers_its_own():
  assert distributed.gather({'a': 1}) == [{'a': 1}]


def test_a_run_of_several_is_joined_once_and_where_one_is_named(monkeypatch):
  joined = []
  join = lambda: joined.append(True)
  monkeypatch.setattr(jax.distributed, 'initialize', join)
  monkeypatch.setattr(jax.distributed, 'is_initialized', lambda: bool(joined))
  monkeypatch.delenv('JAX_COORDINATOR_ADDRESS', raising=False)
  distributed.start_processes()
  assert not joined
  monkeypatch.setenv('JAX_COORDINATOR_ADDRESS', 'localhost:1')
  for _ in range(2):
    distributed.start_processes()
  assert len(joined) == 1


def test_processes_share_an_evaluation_and_have_all_of_it():
  with socket.socket() as free:
    free.bind(('127.0.0.1', 0))
    address = f'127.0.0.1:{free.getsockname()[1]}'
  fields = json.dumps(FIELDS)
  processes = [
    subprocess.Popen(
      [sys.executable, '-c', PROCESS, str(i), address, fields],
      cwd=ROOT,
      stdout=subprocess.PIPE,
      stderr=subprocess.PIPE,
      text=True,
    )
    for i in range(2)
  ]
  results = []
  for process in processes:
    out, err = process.communicate(timeout=240)
    assert process.returncode == 0, err[-2000:]
    results.append(json.loads(out.splitlines()[-1]))
  alone = runner.evaluate(
    runner.evaluator(tiny_config(**FIELDS)), [lambda picture: picture // 2]
  )
  assert [seen for seen, _, _ in results] == [3, 2]
  for _, figures, names in results:
    assert names == [record.name for record in alone.records]
    np.testing.assert_equal(figures, alone.figures())
