"""Several sets of pictures, each under its name."""

from conftest import tiny_config
import pytest

from artjax.evaluation import runner
from artjax.training import preflight


def config(**overrides):
  fields = {
    'eval.sets': ('others=sample', 'again=sample'),
    'eval.metrics': ('mae',),
    'eval.panels': 0,
    'eval.worst': 1,
  }
  return tiny_config(**(fields | overrides))


def half(picture):
  return picture // 2


def test_each_set_has_figures_of_its_own(tmp_path):
  evaluator = runner.evaluator(config())
  assert evaluator.figures == dict.fromkeys(
    ('mae', 'others/mae', 'again/mae'), 'min'
  )
  found = runner.evaluate(evaluator, [half])
  alone = runner.evaluate(
    runner.evaluator(config(**{'eval.sets': (), 'eval.source': 'sample'})),
    [half],
  )
  figures = found.figures()
  assert figures['others/mae'] == figures['again/mae'] == alone.figures()['mae']
  assert figures['mae'] != figures['others/mae']
  assert found.scalars()['others/eval/mae'] == figures['others/mae']
  assert found.as_json()['sets']['again']['pictures'] == 2
  assert '**others**' in found.table()
  assert {len(images) for images in found.images().values()} == {1}
  found.write(str(tmp_path), {'seed': 0})
  assert '- set: `again`' in (tmp_path / 'again' / 'report.md').read_text()
  assert (tmp_path / 'report.md').exists()


def test_the_best_may_be_that_of_a_set():
  chosen = runner.with_best(config(best_metric='others/mae'))
  while_training = runner.while_training(chosen)
  assert 'others/mae' in runner.evaluator(while_training).figures
  with pytest.raises(ValueError, match="'other/mae' is not measured"):
    runner.with_best(config(best_metric='other/mae'))


@pytest.mark.parametrize(
  'sets', [('films',), ('=sample',), ('a=sample', 'a=sample'), ('a/b=sample',)]
)
def test_a_set_needs_a_name_and_a_source(sets):
  with pytest.raises(ValueError, match='eval.sets: .* is not NAME=SOURCE'):
    runner.evaluator(config(**{'eval.sets': sets}))


def test_every_set_is_tried_before_the_first_step(tmp_path):
  chosen = runner.with_best(config(**{'eval.sets': (f'a=folder:{tmp_path}',)}))
  with pytest.raises((ValueError, OSError), match=str(tmp_path)):
    preflight.check_evaluation(chosen, runner.evaluator(chosen))
