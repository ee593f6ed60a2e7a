"""One declaration: flags, query, record and form say the same."""

import argparse
import dataclasses
import json

from conftest import loaded_by
import pytest

from artjax.image_io import reader
from artjax.restoration import options


def parsed(*argv):
  parser = argparse.ArgumentParser()
  options.add_arguments(parser)
  return options.from_arguments(parser.parse_args(argv))


def test_nothing_said_is_the_defaults_by_every_way():
  assert parsed() == options.Options() == options.from_query({})
  assert options.Options().changed() == []
  assert options.Options().max_pixels == reader.MAX_PIXELS


def test_flags_and_query_make_the_same_options():
  flags = parsed(
    '--strength=0.5',
    '--self_ensemble',
    '--mask_threshold=0.25',
    '--saturation=2',
  )
  query = options.from_query(
    {
      'strength': '0.5',
      'self_ensemble': 'true',
      'threshold': '.25',
      'saturation': '2',
      'steps': 'restore',
    }
  )
  assert flags == query
  assert flags.changed() == [
    'strength',
    'self_ensemble',
    'mask_threshold',
    'saturation',
  ]


def test_every_field_is_a_flag_and_on_record():
  record = parsed('--region=1,2,3,4', '--tile=64', '--strip_metadata').as_json()
  assert json.loads(json.dumps(record)) == record
  assert record == {
    'strength': 1.0,
    'structure': 1.0,
    'tone': 1.0,
    'noise': 15.0,
    'jpeg_quality': 0.0,
    'self_ensemble': False,
    'tile': 64,
    'engine': 'jax',
    'least_change': 0.0,
    'strip_metadata': True,
    'max_pixels': 400_000_000,
    'confidence_map': False,
    'saturation': 1.0,
    'mask': {
      'threshold': 0.5,
      'min_area': 12,
      'dilate': 2,
      'feather': 0,
      'kinds': ['thin', 'opaque'],
      'region': [1, 2, 3, 4],
    },
  }
  assert len(record) - 1 + len(record['mask']) == len(
    dataclasses.fields(options.Options)
  )


@pytest.mark.parametrize(
  'flag, message',
  [
    ('--strength=2', '--strength=2.0 is not in [0, 1]'),
    ('--strength=nan', '--strength=nan is not in [0, 1]'),
    ('--saturation=-1', '--saturation=-1.0 is not in [0, 2]'),
    ('--mask_threshold=1', '--mask_threshold=1.0 is not between 0 and 1'),
    ('--mask_dilate=-1', '--mask_dilate=-1 is less than 0'),
    ('--tile=-8', '--tile=-8 is less than 0'),
  ],
)
def test_what_is_out_of_range_is_named(flag, message):
  with pytest.raises(ValueError) as e:
    parsed(flag)
  assert str(e.value) == message


def test_kinds_are_also_called_by_the_classes_of_damage(capsys):
  assert parsed('--kinds=stain,loss').kinds == ('opaque', 'translucent')
  assert options.from_query({'kinds': 'thin'}) == parsed('--kinds=crack')
  with pytest.raises(SystemExit):
    parsed('--kinds=thin,dents')
  message = "'dents' is no kind of damage: there are thin (crack), opaque"
  assert message in capsys.readouterr().err
  with pytest.raises(ValueError, match="kinds='dents': 'dents' is no kind"):
    options.from_query({'kinds': 'dents'})
  with pytest.raises(
    ValueError, match='kinds=dents is not one of thin, opaque'
  ):
    options.Options(kinds=('dents',))


@pytest.mark.parametrize('region', ['1,2,3', 'a,b,c,d', '1,2,3,4.5'])
def test_a_region_is_four_whole_numbers(region, capsys):
  with pytest.raises(SystemExit):
    parsed(f'--region={region}')
  assert f'{region!r} is not X,Y,W,H in whole pixels' in capsys.readouterr().err


@pytest.mark.parametrize(
  'query, message',
  [
    ({'strength': 'much'}, "strength='much' is not a number"),
    ({'strength': '7'}, 'strength=7.0 is not in [0, 1]'),
    ({'threshold': '0'}, 'threshold=0.0 is not between 0 and 1'),
    (
      {'engine': 'tpu'},
      'engine=tpu is not one of jax, onnx, openvino, openvino-bf16, auto',
    ),
    ({'self_ensemble': '2'}, "self_ensemble='2' is neither true nor false"),
  ],
)
def test_a_query_is_refused_by_its_own_names(query, message):
  with pytest.raises(ValueError) as e:
    options.from_query(query)
  assert str(e.value) == message


def test_the_form_has_what_a_query_has():
  form = options.describe()
  assert json.loads(json.dumps(form)) == form
  names = options.query_names()
  assert [entry['name'] for entry in form] == list(names)
  assert names['threshold'] == 'mask_threshold'
  for entry in form:
    assert entry['label'] and '%(' not in entry['help']
    assert set(entry['stages']) <= set(options.STAGES)
    value = str(entry['default'])
    assert options.from_query({entry['name']: value}) == options.Options()


def test_the_form_offers_the_engines_that_are_installed(monkeypatch):
  offered = lambda: next(
    entry['choices']
    for entry in options.describe()
    if entry['name'] == 'engine'
  )
  monkeypatch.setattr(options.engine_names, 'installed', lambda: ('jax',))
  assert offered() == ['jax']
  monkeypatch.setattr(
    options.engine_names, 'installed', lambda: ('jax', 'onnx')
  )
  assert offered() == ['jax', 'onnx', 'auto']


def test_it_is_read_without_anything_heavy():
  code = 'import artjax.restoration.options'
  assert not loaded_by(code, 'jax', 'numpy', 'pyvips')
