"""The choice of an engine, where the server has several."""

from browser_page import upload
import numpy as np
import pytest

from artjax import atomic_files
from artjax.inference.engines import names

pytestmark = pytest.mark.skipif(
  bool(names.missing('onnx')), reason='needs onnx and onnxruntime'
)


def test_a_picture_is_restored_by_the_engine_that_is_chosen(page, tmp_path):
  path = str(tmp_path / 'a.png')
  atomic_files.write_picture(path, np.full([40, 60, 3], 128, np.uint8))
  upload(page, path)
  choice = page.locator('#engine')
  assert choice.input_value() == 'jax'
  assert choice.locator('option').all_text_contents() == list(names.offered())
  for box in page.locator('[name=step]').all():
    box.set_checked(box.get_attribute('value') == 'restore')
  page.click('#more > summary')
  choice.select_option('onnx')
  assert page.locator('#preset').input_value() == ''  # no preset any more
  with page.expect_request(lambda request: '/api/jobs?' in request.url) as sent:
    page.click('#run')
  assert 'engine=onnx' in sent.value.url
  page.wait_for_selector('#split:not([hidden])')
