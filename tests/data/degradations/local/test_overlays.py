"""What is laid over a picture: strokes, tape, labels, writing, grime."""

import cv2
import numpy as np
import pytest

from artjax.data.degradations.local import overlays

GREY = np.full((256, 256, 3), 0.5, np.float32)


def drawn(factory, seed, severity=1.0, image=GREY, **parameters):
  return factory(severity, **parameters)(
    {'image': image}, np.random.default_rng(seed)
  )


def striped(side=256):
  """Stripes of 16 px, light and dark, f32[side, side, 3]."""
  stripes = np.where(np.arange(side) // 16 % 2, 0.75, 0.25)
  return np.repeat(np.tile(stripes, (side, 1))[..., None], 3, 2).astype('f')


def test_strokes_are_as_wide_as_said():
  """Their middle survives erosion by half the least width, not by the most."""
  for seed in range(8):
    mask = drawn(overlays.wide_strokes, seed, count=1, width=(20.0, 24.0))
    loss = mask['mask'][..., 1]
    assert loss.any()
    depth = cv2.distanceTransform(loss, cv2.DIST_L2, 5)
    assert 6 < depth.max() < 22


def test_an_opaque_stroke_hides_and_a_thin_one_does_not():
  image = striped()

  def seen(opaque):
    """How much of the stripes is left within strokes."""
    left = []
    for seed in range(12):
      out = drawn(
        overlays.wide_strokes, seed, image=image, count=1, opaque=opaque
      )
      inside = cv2.erode(out['mask'][..., 1], np.ones((5, 5))) > 0
      if inside.sum() > 200:
        high, low = (image[..., 0] > 0.5) & inside, (image[..., 0] < 0.5)
        low = low & inside
        if high.any() and low.any():
          left.append(out['image'][high].mean() - out['image'][low].mean())
    return np.mean(left)

  assert seen(True) < 0.15 < 0.2 < seen(False) < 0.5


def test_tape_is_translucent_and_in_the_channel_of_stains():
  image = striped()
  for seed in range(8):
    out = drawn(overlays.tape, seed, image=image, count=1)
    assert out['mask'][..., 2].any() and not out['mask'][..., :2].any()
    inside = cv2.erode(out['mask'][..., 2], np.ones((9, 9))) > 0
    if inside.sum() < 500:
      continue
    grey = out['image'].mean(-1)
    light, dark = (image[..., 0] > 0.5) & inside, (image[..., 0] < 0.5) & inside
    if light.sum() > 50 and dark.sum() > 50:
      assert grey[light].mean() > grey[dark].mean() + 0.1


def test_tape_is_yellowed():
  out = [drawn(overlays.tape, seed) for seed in range(12)]
  inside = [example['mask'][..., 2] > 0 for example in out]
  red, blue = (
    np.mean([o['image'][i][:, c].mean() for o, i in zip(out, inside)])
    for c in (0, 2)
  )
  assert red > blue + 0.02


@pytest.mark.parametrize('kind', ['label', 'stamp'])
def test_labels_are_paper_with_print_on_it(kind):
  found = 0
  for seed in range(8):
    out = drawn(overlays.labels, seed, count=1, kind=kind)
    inside = out['mask'][..., 1] > 0
    assert inside.any()
    grey = out['image'].mean(-1)[inside]
    found += (grey > 0.6).mean() > 0.25 and (grey < 0.5).mean() > 0.02
  assert found >= 5


@pytest.mark.parametrize('kind', ['script', 'print', 'watermark'])
def test_writing_is_lines_of_ink_and_leaves_most_of_the_picture(kind):
  shares = []
  for seed in range(12):
    out = drawn(overlays.text_over, seed, kind=kind)
    loss = out['mask'][..., 1]
    shares.append((loss > 0).mean())
    # Nowhere a patch: strokes of letters alone.
    assert cv2.erode(loss, np.ones((21, 21))).max() == 0
  assert 0.005 < np.mean(shares) < 0.3


def test_grime_darkens_and_spares_some_places():
  spared = []
  for seed in range(12):
    out = drawn(overlays.grime, seed, image=np.full_like(GREY, 0.9))
    assert out['image'].max() <= 0.9 + 1e-6
    spared.append((out['mask'][..., 2] == 0).mean())
  assert 0.02 < np.mean(spared) < 0.8


@pytest.mark.parametrize(
  'factory, message',
  [
    (overlays.labels, "no kind 'nonsense' of labels; label, stamp"),
    (overlays.text_over, "no kind 'nonsense' of writing; script, print"),
  ],
)
def test_unknown_kinds_are_refused(factory, message):
  with pytest.raises(ValueError, match=message):
    drawn(factory, 0, kind='nonsense')
