"""How far a command is, on a terminal and in a file."""

import io

from artjax.restoration.batch import progress


class Terminal(io.StringIO):
  """A stream that is shown to somebody."""

  def isatty(self):
    return True


def test_a_file_gets_a_line_for_each_picture():
  stream = io.StringIO()
  with progress.Progress(2, stream) as bar:
    bar.start('a.png')
    bar.tiles(1, 2)
    bar.write('a.png: toned')
    bar.finish('done')
    bar.start('b.png')
    bar.finish('failed')
  assert stream.getvalue().splitlines() == [
    'a.png: toned',
    '[1/2] a.png: done',
    '[2/2] b.png: failed',
  ]


def test_a_picture_that_takes_long_says_how_far_it_is(monkeypatch):
  now = [0.0]
  monkeypatch.setattr(progress.time, 'monotonic', lambda: now[0])
  stream = io.StringIO()
  with progress.Progress(1, stream) as bar:
    bar.start('a.png')
    for done in range(1, 101):
      now[0] += 0.3
      bar.tiles(done, 100)
    bar.finish('done')
  assert stream.getvalue().splitlines() == [
    '[1/1] a.png: 34%',
    '[1/1] a.png: 68%',
    '[1/1] a.png: done',
  ]


def test_a_terminal_gets_a_bar():
  stream = Terminal()
  with progress.Progress(2, stream) as bar:
    bar.start('a.png')
    bar.tiles(1, 2)
    bar.finish('done')
    bar.write('a.png: toned')
    bar.start('b.png')
    bar.finish('done')
  shown = stream.getvalue()
  assert '100%' in shown and 'b.png' in shown
  assert 'a.png: toned\n' in shown and '[1/2]' not in shown
