"""A little of tests/fuzz_web.py, and errors that speak of other files."""

import fuzz_web

from artjax.web import worker


def test_damaged_uploads_and_nonsense_leave_nothing():
  result = fuzz_web.run(count=60, seed=1, calls=2)
  assert result['201'] > 5 and result['422'] > 5


def test_errors_name_no_path_of_the_server():
  request = {'path': '/tmp/root/id/picture.png', 'name': r'a\1.png'}
  text = worker.plain(
    ValueError(
      '/tmp/root/id/picture.png: damaged (/tmp/root/other/picture.tif: bad\n'
      'seek) /tmp/root/scratch/x'
    ),
    request,
  )
  assert text == r'a\1.png: damaged (a\1.png: bad seek) a\1.png'
