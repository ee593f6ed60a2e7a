"""Measuring digits: the classifier learns them, the figures hold."""

from conftest import drawn_digits
import numpy as np
import pytest

from artjax.data.sources import mnist
from artjax.evaluation import digit_scores


@pytest.fixture(scope='module')
def classifier(tmp_path_factory):
  folder = drawn_digits(tmp_path_factory.mktemp('digits'), train=3_000)
  return str(folder), digit_scores.train(*mnist.load(str(folder), 'train'))


def test_it_knows_digits_it_never_saw(classifier):
  folder, params = classifier
  pictures, labels = mnist.load(folder, 'test')
  seen = digit_scores.look(params, pictures)
  assert np.mean(seen.probabilities.argmax(1) == labels) >= 0.9
  np.testing.assert_allclose(seen.probabilities.sum(1), 1, rtol=1e-5)


def test_the_same_digits_make_the_same_classifier(classifier):
  folder, _ = classifier
  pictures, labels = (x[:130] for x in mnist.load(folder, 'train'))
  one, two = (
    digit_scores.look(digit_scores.train(pictures, labels), pictures[:5])
    for _ in range(2)
  )
  np.testing.assert_array_equal(one.probabilities, two.probabilities)


def test_noise_is_far_from_digits(classifier):
  folder, params = classifier
  pictures, _ = mnist.load(folder, 'train')
  noise = (
    np.random.default_rng(0).integers(0, 256, pictures.shape).astype(np.uint8)
  )
  real = digit_scores.look(params, pictures[:1000])
  near = digit_scores.measure(
    digit_scores.look(params, pictures[1000:2000]), real
  )
  far = digit_scores.measure(digit_scores.look(params, noise[:1000]), real)
  assert near['frechet'] * 20 < far['frechet']
  assert far['entropy'] < near['entropy']
  assert near['entropy'] == pytest.approx(np.log(10), abs=0.05)


def test_confidence_and_entropy_by_hand():
  probabilities = np.full([4, 10], 0.01)
  probabilities[[0, 1, 2, 3], [3, 3, 3, 7]] = 0.91
  probabilities[3, 7], probabilities[3, 6] = 0.8, 0.12
  seen = digit_scores.Seen(probabilities, np.zeros([4, 2]))
  found = digit_scores.measure(seen, seen)
  assert found['confident'] == 0.75
  assert found['entropy'] == pytest.approx(
    -0.75 * np.log(0.75) - 0.25 * np.log(0.25)
  )
  assert found['frechet'] == 0


def test_frechet_of_normal_distributions():
  # Diagonal covariances: (mean difference)^2 + sum (sigma - sigma')^2.
  rng = np.random.default_rng(0)
  a = rng.standard_normal([100_000, 2]) * [1, 2]
  b = rng.standard_normal([100_000, 2]) * [3, 2] + [0, 5]
  assert digit_scores.frechet(a, b) == pytest.approx(25 + 4, rel=0.01)
  assert digit_scores.frechet(a, a) == pytest.approx(0, abs=1e-6)
