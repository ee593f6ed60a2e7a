"""The journal of a folder, also after a kill."""

import pytest

from artjax.data.collections import journal as journal_lib
from artjax.data.collections import progress
from artjax.data.collections.collect import file_name


def add(journal, id):
  data = id.encode()
  journal.add_picture({'id': id, 'file': f'{id}.jpg', 'bytes': len(data)})
  return data


def test_what_is_entered_is_read(tmp_path):
  with journal_lib.Journal(str(tmp_path), 'met') as journal:
    (tmp_path / 'a.jpg').write_bytes(add(journal, 'a'))
    (tmp_path / 'b.jpg').write_bytes(b'half, or another one')
    add(journal, 'b')
    add(journal, 'c')  # whose file is gone
    journal.add_item('1', 'done', pictures=['a'], refused=['by'])
    journal.add_item('2', 'done', pictures=['a', 'c'], refused=[])
    journal.add_item('3', 'failed', pictures=[], refused=[])
    journal.add_item('4', 'refused', pictures=[], refused=[''])
  with journal_lib.Journal(str(tmp_path), 'met') as journal:
    assert [*journal.pictures] == ['a']
    finished = lambda accepted: [
      item for item in '12345' if journal.finished(item, accepted)
    ]
    assert finished(('cc0',)) == ['1', '4']
    assert finished(('cc0', 'by')) == ['4']
  with journal_lib.Journal(str(tmp_path), 'artic') as journal:
    assert not journal.pictures and not journal.items


def test_half_a_line_spoils_no_other(tmp_path):
  with journal_lib.Journal(str(tmp_path), 'met') as journal:
    (tmp_path / 'a.jpg').write_bytes(add(journal, 'a'))
  path = tmp_path / 'pictures.jsonl'
  whole = path.read_bytes()
  for cut in range(1, len(whole) - 1):
    path.write_bytes(whole + whole[:cut].replace(b'"a"', b'"b"'))
    with journal_lib.Journal(str(tmp_path), 'met') as journal:
      (tmp_path / 'c.jpg').write_bytes(add(journal, 'c'))
    with journal_lib.Journal(str(tmp_path), 'met') as journal:
      assert {'a', 'c'} <= set(journal.pictures)


def test_what_a_kill_left_is_removed(tmp_path):
  (tmp_path / 'met_1.jpg.123-456.part').write_bytes(b'half')
  (tmp_path / 'mine.part').write_bytes(b'x')
  with journal_lib.Journal(str(tmp_path), 'met'):
    pass
  names = {path.name for path in tmp_path.iterdir()}
  assert names == {'mine.part', 'pictures.jsonl', '.collect'}


def test_one_run_at_a_time(tmp_path):
  with journal_lib.Journal(str(tmp_path), 'met'):
    with pytest.raises(ValueError, match='another run collects into'):
      journal_lib.Journal(str(tmp_path), 'artic')
  journal_lib.Journal(str(tmp_path), 'artic').__exit__()


def test_names_of_others_are_not_followed(tmp_path):
  (tmp_path / 'in').mkdir()
  (tmp_path / 'x.jpg').write_bytes(b'x')
  (tmp_path / 'in' / 'pictures.jsonl').write_text(
    '{"file": "../x.jpg", "bytes": 1}\n{"file": 3}\n[1]\n'
  )
  assert journal_lib.read_pictures(tmp_path / 'in') == []


@pytest.mark.parametrize(
  'id, name',
  [
    ('1234', 'met_1234'),
    ('edanmdm-a.b', 'met_edanmdm-a.b'),
    ('../../etc/passwd', 'met_etc_passwd-'),
    ('/90/obj', 'met_90_obj-'),
    ('ä', 'met_-'),
    ('x' * 300, 'met_' + 'x' * 80 + '-'),
  ],
)
def test_file_names(id, name):
  assert file_name('met', id).startswith(name)
  assert len(file_name('met', id)) == len(name) + 10 * name.endswith('-')


def test_different_ids_have_different_files():
  ids = ['a/b', 'a_b', 'a:b', 'a b', 'a_b.', '.a_b', 'A_b']
  # Also where the file system does not tell A from a.
  assert len({file_name('met', id).lower() for id in ids}) == len(ids)


@pytest.mark.parametrize(
  'seconds, text',
  [(3, '3 s'), (90, '2 min'), (3599, '1 h 00 min'), (7500, '2 h 05 min')],
)
def test_durations(seconds, text):
  assert progress.duration(seconds) == text


def test_progress_tells_the_time_that_is_left(capsys, monkeypatch):
  now = [0.0]
  monkeypatch.setattr(progress.time, 'monotonic', lambda: now[0])
  with progress.Progress(100) as shown:
    for i in range(1, 21):
      now[0] = float(i)
      shown.show(100 + i, 400, 0)
    now[0] = 50.0
    shown.show(150, None, 2)
  assert capsys.readouterr().err.splitlines() == [
    '110 of 400 pictures, 5 min left',
    '120 of 400 pictures, 5 min left',
    '150 pictures, 2 failed',
  ]
