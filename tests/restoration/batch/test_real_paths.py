"""Real paths, each folder resolved once."""

import os

from artjax.restoration.batch import real_paths


def test_they_are_those_of_the_library(tmp_path, monkeypatch):
  monkeypatch.chdir(tmp_path)
  os.makedirs('a/b')
  os.symlink('a/b', 'link')
  os.symlink('../a/x.png', 'a/y.png')
  os.symlink('nowhere', 'dangling')
  real = real_paths.RealPaths()
  paths = ['a/b/c.png', 'link/c.png', 'link/../c.png', 'a/y.png', 'a/z.png']
  paths += ['dangling', 'dangling/x', 'link', 'a/.', 'a/..', 'a/', '', 'x.png']
  paths += [str(tmp_path / 'link' / 'd.png'), './a//b/c.png', '/']
  for path in paths * 2:
    assert real(path) == os.path.realpath(path), path


def test_a_folder_is_resolved_once(tmp_path, monkeypatch):
  resolved, resolve = [], os.path.realpath
  monkeypatch.setattr(
    os.path, 'realpath', lambda path: resolved.append(path) or resolve(path)
  )
  real = real_paths.RealPaths()
  for i in range(5):
    real(tmp_path / f'{i}.png')
  assert resolved == [str(tmp_path)]
