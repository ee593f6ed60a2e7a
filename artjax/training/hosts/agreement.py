"""Agreement of the processes of a run on when to stop."""

import jax

from artjax.training.hosts import watch

EVERY = 5  # steps; what one process was told, all know after at most so many
_TIMEOUT = 1800  # s, for the last of them to come to the same step


def stop(step: int, name: str | None) -> str | None:
  """Whether all processes stop after this step, and by which signal.

  A signal may reach only some of them. All get the same answer, so all save the
  same step.

  Args:
    step: number of steps so far.
    name: of the signal that this process got, or None.

  Raises:
    ValueError: a process did not come to this step in half an hour.
  """
  if jax.process_count() == 1:
    return name
  if step % EVERY:
    return None
  client = watch.client()
  if name:
    client.key_value_set(f'artjax/stop/{step}/{jax.process_index()}', name)
  # What was written before the barrier is read by all after it.
  barrier(f'step {step}')
  told = client.key_value_dir_get(f'artjax/stop/{step}/')
  return min(told)[1] if told else None


def barrier(name: str, timeout: float = _TIMEOUT) -> None:
  """Returns when all processes have called it; at once if there is only one.

  Raises:
    ValueError: some did not within `timeout` seconds; the message names them.
  """
  if jax.process_count() == 1:
    return
  try:
    watch.client().wait_at_barrier(f'artjax/{name}', int(timeout * 1000))
  except jax.errors.JaxRuntimeError as error:
    text = str(error)
    if 'DEADLINE_EXCEEDED' not in text:
      raise
    absent = text.partition('timed out task names:')[2].split('RPC')[0].split()
    raise ValueError(
      f'process {", ".join(absent)} did not come to {name} within {timeout:g} s'
    ) from error
