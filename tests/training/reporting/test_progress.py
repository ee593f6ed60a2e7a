"""Progress and profiles: traces where asked for, nothing without clu."""

import sys

from conftest import tiny_config
import jax
import jax.numpy as jnp
import pytest

from artjax.training.reporting import progress


@pytest.mark.parametrize(
  'text, steps', [('', None), ('2-3', (2, 3)), ('4', (4, 4)), ('1-4', (1, 4))]
)
def test_the_steps_of_a_profile(text, steps):
  assert progress.profiled(tiny_config(profile_steps=text)) == steps


@pytest.mark.parametrize('text', ['3-2', '0-2', '2-5', 'all', '2-', '-1'])
def test_other_steps_are_refused(text):
  with pytest.raises(ValueError, match=f'profile_steps={text!r}.* the 4 of'):
    progress.profiled(tiny_config(profile_steps=text))


def traces(folder):
  return list(folder.glob('plugins/profile/*/*.xplane.pb'))


@pytest.mark.parametrize('end', [4, 2], ids=['whole', 'broken_off'])
def test_a_trace_is_written(tmp_path, end):
  config = tiny_config(profile_steps='2-3')
  report = progress.Progress(config, str(tmp_path), 0)
  double = jax.jit(lambda x: 2 * x)
  for step in range(1, end + 1):
    report(step, double(jnp.ones(3)))
    assert bool(traces(tmp_path)) == (step >= 3)
  report.close()
  assert len(traces(tmp_path)) == 1


def test_a_run_that_goes_on_behind_the_steps_writes_none(tmp_path):
  config = tiny_config(profile_steps='2-3')
  report = progress.Progress(config, str(tmp_path), 3)
  report(4, jnp.ones(3))
  report.close()
  assert not traces(tmp_path)


def test_without_clu_nothing_is_reported_and_a_profile_refused(
  tmp_path, monkeypatch
):
  monkeypatch.setitem(sys.modules, 'clu', None)  # What a missing one does.
  report = progress.Progress(tiny_config(), str(tmp_path), 0)
  with report.timed('evaluation'):
    report(1, jnp.ones(3))
  report.close()
  with pytest.raises(ValueError, match='profile_steps needs clu'):
    progress.Progress(tiny_config(profile_steps='2'), str(tmp_path), 0)


def test_other_processes_report_nothing(tmp_path):
  config = tiny_config(profile_steps='1-2')
  report = progress.Progress(config, str(tmp_path), 0, primary=False)
  for step in (1, 2):
    report(step, jnp.ones(3))
  report.close()
  assert not traces(tmp_path)


def test_the_time_of_evaluations_is_reported(tmp_path, monkeypatch):
  from clu import periodic_actions

  notes = []
  unit = type('Unit', (), {'set_notes': lambda self, note: notes.append(note)})
  monkeypatch.setattr(periodic_actions.platform, 'work_unit', lambda: unit())
  report = progress.Progress(tiny_config(), str(tmp_path), 0)
  for step in range(1, 5):
    report(step, jnp.ones(3))
    with report.timed('evaluation'):
      pass
  assert len(notes) == 1 and '100.0% (4/4)' in notes[0]
  assert 'evaluation' in notes[0]
