"""What the server says to a person, as texts that can be translated.

A `Message` is its English text; `describe` gives a page the key and the values
with which it finds the same in its own language.
"""

from typing import Any

TEXTS = {
  'too_large': 'the file has {size}, more than the limit of {limit}',
  'interrupted': 'the upload was interrupted',
  'stalled': 'no data arrived for {seconds} s',
  'empty': '{name}: the body is empty',
  'no_picture': (
    '{name}: not a picture of a format that can be read '
    '(JPEG, PNG, TIFF, WebP, AVIF)'
  ),
  'gone': 'there is no such picture, or no longer',
  'job_gone': 'there is no such job, or no longer',
  'in_use': 'a job works on this picture; cancel it first',
  'queue_full': (
    '{jobs} jobs wait already, which is the most; try again in a minute'
  ),
  'disk_full': (
    'the disk space of this page is used up; remove pictures from the history, '
    'or try again later'
  ),
  'crowded': 'too many people use this page at once; try again later',
  'fault': 'something went wrong on the server',
  'slow': 'it took longer than {seconds} s',
  'process_ended': (
    'the process that worked on it ended, perhaps for want of memory; other '
    'jobs go on'
  ),
}


class Message(str):
  """English text that knows its key in `TEXTS` and its values."""

  key: str
  values: dict[str, Any]

  def __new__(cls, key: str, **values: Any) -> 'Message':
    """The text `key` with its values filled in."""
    found = super().__new__(cls, TEXTS[key].format(**values))
    found.key, found.values = key, values
    return found


def describe(text: str) -> dict[str, Any]:
  """{'key', 'values'} of a message; {} of any other text."""
  if not isinstance(text, Message):
    return {}
  return {'key': text.key, 'values': text.values}
