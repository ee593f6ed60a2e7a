"""Datasets of TFDS, read by index."""

import warnings

from drawn_pictures import write
import numpy as np
import pytest

from artjax.data import sources


def names(source):
  return [entry.name for entry in source.entries]


@pytest.fixture(scope='module')
def prepared(tmp_path_factory):
  """A folder with datasets `artjax_tiny` (array_record), `artjax_records`."""
  root = tmp_path_factory.mktemp('tfds')
  with warnings.catch_warnings():
    warnings.simplefilter('ignore')  # TensorFlow's and TFDS' own
    tfds = pytest.importorskip('tensorflow_datasets')

    class ArtjaxTiny(tfds.core.GeneratorBasedBuilder):
      VERSION = tfds.core.Version('1.0.0')

      def _info(self):
        return tfds.core.DatasetInfo(
          builder=self,
          features=tfds.features.FeaturesDict(
            {
              'image': tfds.features.Image(),
              'label': tfds.features.ClassLabel(names=['old', 'new']),
            }
          ),
        )

      def _split_generators(self, manager):
        del manager
        return {
          'train': self._generate_examples(0, 9),
          'test': self._generate_examples(9, 12),
        }

      def _generate_examples(self, start, stop):
        for i in range(start, stop):
          path = root / f'{i}.png'
          write(path, i, 40 + i, 50)
          yield i, {'image': str(path), 'label': i % 2}

    class ArtjaxRecords(ArtjaxTiny):
      pass

    ArtjaxTiny(data_dir=root, file_format='array_record').download_and_prepare()
    ArtjaxRecords(data_dir=root, file_format='tfrecord').download_and_prepare()
  return root


@pytest.mark.filterwarnings('ignore')
def test_tfds_is_read_by_index(prepared):
  source = sources.load(f'tfds:artjax_tiny@{prepared}')
  assert len(source) == 9 and len(set(names(source))) == 9
  images = {source[i]['image'].shape[0]: source[i]['image'] for i in range(9)}
  assert sorted(images) == list(range(40, 49))
  for height, image in images.items():
    np.testing.assert_array_equal(
      image,
      np.random.default_rng(height - 40).integers(
        0, 256, image.shape, np.uint8
      ),
    )
  # The same bytes fall on the same side wherever they are read from.
  assert {entry.digest for entry in source.entries} < {
    entry.digest for entry in sources.load(f'folder:{prepared}').entries
  }
  for part, size in (('test', 3), ('train[:4]', 4), ('train+test', 12)):
    spec = f'tfds:artjax_tiny:1.0.0@{prepared}:{part}'
    assert len(sources.load(spec)) == size


@pytest.mark.filterwarnings('ignore')
@pytest.mark.parametrize(
  'spec, message',
  [
    ('artjax_tiny@{}:valid', "Unknown split 'valid'"),
    ('artjax_records@{}', 'without random access; prepare it with: tfds build'),
    ('artjax_nothing@{}', "no dataset 'artjax_nothing' in"),
    ('mnist@{}', 'not prepared in .*file_format=array_record'),
    ('?', 'not of the form tfds:NAME'),
  ],
)
def test_tfds_errors_are_one_clear_line(prepared, spec, message):
  with pytest.raises(ValueError, match=message) as error:
    sources.load('tfds:' + spec.format(prepared))
  assert '\n' not in str(error.value)
