"""Runs `artjax restore` in the process of a test."""

import json
import pathlib

from artjax.restoration import command


def run(capsys, *args):
  """(exit status, the JSON of the last line, stderr)."""
  status = command.main([str(arg) for arg in args])
  out, err = capsys.readouterr()
  return status, json.loads(out.splitlines()[-1]), err


def listed(path):
  return sorted(
    str(p.relative_to(path))
    for p in pathlib.Path(path).rglob('*')
    if p.is_file()
  )


# Of programs that run the command without a network: what stands for a chain.
FAKE_CHAIN = """
class FakeChain:
  finds = fills = makes_picture = True
  predicts_errors = False
  def __init__(self, weights): pass
  def check(self, *args): pass
  def notices(self, *args): return []
  def describe(self): return []
"""
