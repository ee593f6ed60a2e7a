"""What processes are joined by: flags, environment, launchers."""

import jax
import pytest

from artjax.training.hosts import joining
from artjax.training.hosts import watch

SLURM = {'SLURM_STEP_NUM_TASKS': '8', 'SLURM_STEP_NODELIST': 'gpu[1-2]'}
OPEN_MPI = {'OMPI_COMM_WORLD_SIZE': '2', 'OMPI_MCA_orte_hnp_uri': '1.0;tcp://h'}
POD = {'JOB_COMPLETION_INDEX': '1', 'KUBERNETES_SERVICE_HOST': '10.0.0.1'}


@pytest.fixture
def joined(monkeypatch):
  """The arguments by which JAX is joined; nothing of the environment."""
  calls = []
  monkeypatch.setattr(
    jax.distributed, 'initialize', lambda **given: calls.append(given)
  )
  monkeypatch.setattr(jax.distributed, 'is_initialized', lambda: bool(calls))
  monkeypatch.setattr(watch, 'start', lambda timeout: None)
  for name in ('COORDINATOR_ADDRESS', 'NUM_PROCESSES', 'PROCESS_ID'):
    monkeypatch.delenv(f'JAX_{name}', raising=False)
  return calls


def test_a_lone_process_joins_nobody(joined):
  joining.join()
  assert not joined


def test_flags_come_before_the_environment_and_once(
  joined, monkeypatch, caplog
):
  monkeypatch.setenv('JAX_COORDINATOR_ADDRESS', 'other:1')
  monkeypatch.setenv('JAX_NUM_PROCESSES', '4')
  monkeypatch.setenv('JAX_PROCESS_ID', '3')
  with caplog.at_level('INFO'):
    for _ in range(2):
      joining.join('host:9', process_id=2)
  [given] = joined
  assert given['coordinator_address'] == 'host:9'
  assert given['num_processes'] == 4 and given['process_id'] == 2
  assert given['cluster_detection_method'] == 'deactivate'
  [line] = [r.message for r in caplog.records if 'joined by' in r.message]
  assert 'joined by host:9' in line and 'devices here' in line


@pytest.mark.parametrize(
  'environment, says',
  [
    ({'JAX_COORDINATOR_ADDRESS': 'host:1'}, '--num_processes .*--process_id'),
    ({'JAX_NUM_PROCESSES': '2', 'JAX_PROCESS_ID': '0'}, '--coordinator'),
    ({'JAX_NUM_PROCESSES': 'two'}, "JAX_NUM_PROCESSES='two' is no whole"),
  ],
)
def test_what_is_incomplete_is_said(joined, monkeypatch, environment, says):
  for name, value in environment.items():
    monkeypatch.setenv(name, value)
  with pytest.raises(ValueError, match=says):
    joining.join()


def test_others_that_are_not_there_are_one_line(joined, monkeypatch):
  def fail(**given):
    raise ValueError('process_id must be smaller.\nMuch more text')

  monkeypatch.setattr(jax.distributed, 'initialize', fail)
  with pytest.raises(ValueError, match=r'cannot be joined: process_id.*\.$'):
    joining.join('host:1', 2, 2)


@pytest.mark.parametrize(
  'environment, by',
  [
    ({}, None),
    (SLURM, 'SLURM'),
    (SLURM | {'SLURM_STEP_NUM_TASKS': '1'}, None),
    ({'SLURM_NTASKS': '8', 'SLURM_PROCID': '0'}, None),  # sbatch without srun
    (OPEN_MPI, 'Open MPI'),
    (OPEN_MPI | {'OMPI_COMM_WORLD_SIZE': '1'}, None),
    ({'TPU_WORKER_HOSTNAMES': 'a,b'}, 'the TPU'),
    ({'TPU_WORKER_HOSTNAMES': 'a'}, None),
  ],
)
def test_launchers(environment, by):
  assert joining.launcher(environment) == by


def test_a_pod_without_the_client_of_kubernetes_is_told(monkeypatch, caplog):
  find = joining.importlib.util
  monkeypatch.setattr(find, 'find_spec', lambda name: None)
  assert joining.launcher(POD) is None
  assert 'JAX_COORDINATOR_ADDRESS' in caplog.text
  monkeypatch.setattr(find, 'find_spec', lambda name: name == 'kubernetes')
  assert joining.launcher(POD) == 'Kubernetes'


@pytest.mark.parametrize(
  'visible, tasks, devices',
  [
    ('0,1,2,3', '4(x2)', None),  # JAX takes that of the task's number
    ('0,1,2,3', '1(x2)', [0, 1, 2, 3]),
    ('0', '4(x2)', [0]),  # each task is shown its own
    ('', '1', None),
  ],
)
def test_a_task_of_slurm_has_all_gpus_that_are_its_own(
  joined, monkeypatch, visible, tasks, devices
):
  for name, value in SLURM.items():
    monkeypatch.setenv(name, value)
  monkeypatch.setenv('SLURM_STEP_TASKS_PER_NODE', tasks)
  monkeypatch.setenv('CUDA_VISIBLE_DEVICES', visible)
  joining.join()
  assert joined[0]['local_device_ids'] == devices
  assert joined[0]['cluster_detection_method'] is None
