"""The classes of damage and their channels."""

import pytest

from artjax import damage_classes


def test_each_class_has_its_channel():
  assert damage_classes.CLASSES == ('crack', 'loss', 'stain')
  assert [damage_classes.index(c) for c in damage_classes.CLASSES] == [0, 1, 2]


def test_an_unknown_class_is_refused_with_a_list_of_all():
  with pytest.raises(ValueError, match="'rust'.*crack, loss, stain"):
    damage_classes.index('rust')
