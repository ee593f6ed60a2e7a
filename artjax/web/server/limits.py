"""Limits of the server, in total and for each session."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Limits:
  """Bytes, pixels, seconds and counts; requests beyond them are refused."""

  upload: int = 1 << 30  # bytes of a picture file
  pixels: int = 120_000_000  # of an uploaded picture, by its header
  result_pixels: int = 400_000_000
  side: int = 40_000  # px
  queue: int = 16  # jobs that wait, of everybody
  sessions: int = 256
  uploads: int = 4  # at a time
  quota: int = 16 << 30  # bytes on disk, of everybody
  ttl: float = 3600.0  # s that files are kept after the last use of a session
  leave: float = 4.0  # s without its page after which a job is cancelled
  decode_memory: int = 2 << 30  # bytes
  decode_time: float = 180.0  # s
  run_memory: int = 8 << 30  # bytes
  stall_time: float = 900.0  # s without a finished tile
