"""Tasks: the colour glue between batches and generators."""

import jax
import numpy as np
import pytest

from artjax import colour
from artjax.tasks import base


def test_restore_sees_the_degraded_picture_in_unit_range():
  batch = {'image': np.array([[[[0, 51, 255]]]], np.uint8)}
  x = base.get('restore').inputs(batch, None)
  np.testing.assert_allclose(x, [[[[0.0, 0.2, 1.0]]]], rtol=1e-6)
  assert base.get('restore').picture(batch, x) is x


def test_unknown_task_names_the_known_ones():
  with pytest.raises(ValueError, match="'retsore' is not one of restore"):
    base.get('retsore')


def test_detect_gives_chances_of_the_three_kinds_of_damage():
  picture = base.get('detect').picture({}, np.float32([[[[0, 40, -40]]]]))
  np.testing.assert_allclose(picture, [[[[0.5, 1, 0]]]], atol=1e-6)


def test_inpaint_sees_nothing_of_what_any_part_of_the_mask_covers():
  batch = {
    'image': np.array([[[[51, 51, 51], [255, 0, 51]]]], np.uint8),
    'mask': np.array([[[[0, 255, 0], [0, 0, 0]]]], np.uint8),
  }
  x = base.get('inpaint').inputs(batch, None)
  np.testing.assert_allclose(x, [[[[0, 0, 0, 1], [1, 0, 0.2, 0]]]], rtol=1e-6)
  assert x.shape[-1] == base.get('inpaint').channels


def test_generate_draws_a_latent_for_each_picture():
  batch = {'target': np.zeros([500, 28, 28, 3], np.uint8)}
  task = base.get('generate')
  x, y = (task.inputs(batch, jax.random.key(i)) for i in range(2))
  assert x.shape == (500, 1, 1, task.channels)
  assert abs(x.mean()) < 0.05 and abs(x.std() - 1) < 0.05
  assert abs((x * y).mean()) < 0.05  # another key, another draw
  assert not task.reads


def test_latents_are_of_the_kind_that_is_asked_for():
  kinds = np.arange(500, dtype=np.uint8) % base.KINDS
  batch = {'target': np.zeros([500, 28, 28, 3], np.uint8)}
  draw = base.get('generate').inputs
  x = np.asarray(draw(batch, jax.random.key(0)))
  of_kind = np.asarray(draw(batch | {'class_label': kinds}, jax.random.key(0)))
  np.testing.assert_array_equal(
    of_kind[:, 0, 0, : base.KINDS].argmax(-1), kinds
  )
  # The same numbers, two of them in each other's place.
  np.testing.assert_allclose(np.sort(x, -1), np.sort(of_kind, -1), atol=1e-6)
  assert ((x != of_kind).sum(-1) <= 2).all()


def test_sketches_are_seen_by_their_luma():
  batch = {'image': np.array([[[[255, 255, 255], [255, 0, 0]]]], np.uint8)}
  task = base.get('sketch2image')
  x = task.inputs(batch, None)
  np.testing.assert_allclose(x, [[[[1.0], [0.299]]]], rtol=1e-6)
  assert task.channels == 1 and task.picture(batch, x) is x


def test_colorize_gives_back_the_colours_it_is_told():
  rng = np.random.default_rng(0)
  target = rng.integers(0, 256, [1, 4, 5, 3], np.uint8)
  lab = colour.srgb_to_lab(target / np.float32(255))
  task = base.get('colorize')
  grey = lab * np.float32([1, 0, 0])
  image = np.uint8(np.rint(255 * np.clip(colour.lab_to_srgb(grey), 0, 1)))
  hints = np.zeros([1, 4, 5, 4], np.uint8)
  hints[:, 1:3, 2:4, :3], hints[:, 1:3, 2:4, 3] = target[:, 1:3, 2:4], 255
  x = np.asarray(task.inputs({'image': image, 'hints': hints}, None))
  assert x.shape[-1] == task.channels
  np.testing.assert_allclose(100 * (x[..., 0] + 0.5), lab[..., 0], atol=0.3)
  np.testing.assert_allclose(
    base.AB * x[:, 1:3, 2:4, 1:3], lab[:, 1:3, 2:4, 1:], atol=0.01
  )
  assert x[..., 3].sum() == 4 and not x[:, 0, :, 1:].any()
  # Without hints: zeros in their place.
  x = task.inputs({'image': image}, None)
  assert x.shape[-1] == task.channels and not np.asarray(x[..., 1:]).any()
  picture = task.picture({'image': image}, lab[..., 1:] / base.AB)
  np.testing.assert_allclose(picture, target / 255, atol=0.01)
