"""Examples: what makes an op, and sizes of pictures."""

from drawn_pictures import pair_of_places
from drawn_pictures import places
import numpy as np
import pytest

from artjax.data import examples


def test_an_op_says_that_it_is_one():
  @examples.op
  def nothing():
    return lambda example, rng: example

  assert nothing.makes_op and nothing.__name__ == 'nothing'


def test_extent_tells_by_how_much_the_image_is_smaller():
  assert examples.extent(places(20, 30)) == (20, 30, 1)
  assert examples.extent(pair_of_places(5, 6, 4)) == (20, 24, 4)
  with pytest.raises(ValueError, match='4 times smaller'):
    examples.same_extent(pair_of_places(5, 6, 4))


def test_each_keeps_what_was_shared():
  image = np.zeros([4, 6, 3], np.uint8)
  mask = np.zeros([4, 6, 3], np.uint8)
  example = {'image': image, 'target': image, 'mask': mask, 'name': 'a'}
  seen = []
  result = examples.each(
    example, then=lambda x, key: seen.append(key) or x[:2].copy()
  )
  assert seen == ['image', 'mask']
  assert result['image'] is result['target'] and result['name'] == 'a'
  assert result['mask'].shape == (2, 6, 3)


@pytest.mark.parametrize('value', [0, -3, 2.0, 'a'])
def test_what_is_no_whole_number_above_0_is_refused(value):
  with pytest.raises(ValueError, match='size must be a whole number above 0'):
    examples.positive('size', value)
