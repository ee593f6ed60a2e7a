"""Kills a training at random moments: it has to end with the same parameters.

  python tests/kill_training.py --kills=50
  python tests/kill_training.py --kills=20 --hosts=2

One run is left alone. The other is killed (SIGKILL, or SIGTERM or SIGINT in a
third of the cases), while it starts, steps, saves or evaluates. Of several
hosts one is picked at random, and the others have to end by themselves. The
same command then goes on. Both runs have to end with equal parameters, and each
evaluation has to be measured. The last line of stdout is JSON; the exit status
is 1 where they differ.
"""

import argparse
import contextlib
import json
import os
import pathlib
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).parent.parent
# The training command, without the seconds that TensorFlow takes to load. What
# runs in the background may have inherited that SIGINT is ignored.
COMMAND = (
  'import signal, sys\n'
  'signal.signal(signal.SIGINT, signal.SIG_DFL)\n'
  'sys.modules["tensorflow"] = sys.modules["clu"] = None\n'
  'from artjax import main\n'
  'main.run(["artjax", *sys.argv[1:]])\n'
)
FIELDS = (
  '--config=unet:plain_quick',
  '--config.model.args.features=(4,)',
  '--config.model.args.blocks=(1,)',
  '--config.losses.ssim=0.0',
  '--config.data.loader=threads',
  '--config.data.workers=1',
  '--config.batch_size=4',
  '--config.eval.training_pictures=2',
  "--config.eval.metrics=('mae','psnr_rgb')",
  '--config.log_every=1',
)
EVERY = 20  # steps; evaluations are twice as rare
GONE = 15  # s after which hosts take another for dead
LIMIT = 900  # s in which a host has to start, or to end


def main():
  """Runs both; see the module."""
  parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
  )
  parser.add_argument('--kills', type=int, default=50)
  parser.add_argument('--hosts', type=int, default=1)
  parser.add_argument('--steps', type=int, default=0, help='0: 20 a kill')
  parser.add_argument('--seed', type=int, default=0)
  args = parser.parse_args()
  args.steps = args.steps or EVERY * args.kills
  rng = random.Random(args.seed)
  start = time.monotonic()
  where = []
  with contextlib.ExitStack() as held:
    folder = held.enter_context(tempfile.TemporaryDirectory())
    start_run = lambda name: held.enter_context(
      Run(os.path.join(folder, name), args)
    )
    [want, *_] = start_run('whole').end()
    print(f'left alone: {want["params_sha256"][:12]}', file=sys.stderr)
    broken = start_run('broken')
    while len(where) < args.kills:
      where.append(broken.kill(rng, left=args.kills - len(where)))
      print(
        f'{len(where)}: {where[-1]["signal"]} at step {where[-1]["step"]}',
        file=sys.stderr,
      )
      broken = start_run('broken')
    [got, *_] = broken.end()
    evaluated = broken.evaluated()
  wanted = {*range(2 * EVERY, args.steps, 2 * EVERY), args.steps}
  same = got['params_sha256'] == want['params_sha256']
  print(
    json.dumps(
      {
        'hosts': args.hosts,
        'kills': len(where),
        'steps': args.steps,
        'same': same,
        'params_sha256': [want['params_sha256'], got['params_sha256']],
        'evaluations_missing': sorted(wanted - evaluated),
        'at': where,
        'seconds': round(time.monotonic() - start),
      }
    )
  )
  sys.exit(not same or not wanted <= evaluated)


class Run:
  """The processes of a run that was started, or goes on.

  A context: none of them is left at its end.
  """

  def __init__(self, workdir, args):
    self.workdir, self._steps = workdir, args.steps
    self._first = self.step()
    hosts = []
    if args.hosts > 1:
      with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        address = f'127.0.0.1:{free.getsockname()[1]}'
      hosts = [
        f'--coordinator={address}',
        f'--num_processes={args.hosts}',
        f'--process_timeout={GONE}',
      ]
    self._processes = [
      subprocess.Popen(
        [
          sys.executable,
          '-c',
          COMMAND,
          *FIELDS,
          f'--config.steps={args.steps}',
          f'--config.checkpoint_every={EVERY}',
          f'--config.eval_every={2 * EVERY}',
          f'--workdir={workdir}',
          *hosts,
          *([f'--process_id={i}'] if hosts else []),
        ],
        cwd=ROOT,
        env={**os.environ, 'PYTHONPATH': str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
      )
      for i in range(args.hosts)
    ]

  def __enter__(self):
    return self

  def __exit__(self, *exc):
    for process in self._processes:
      process.kill()
      process.wait()

  def _records(self, of_the_end=0):
    """Its reports; of the last bytes only, where a number of them is given."""
    try:
      with open(os.path.join(self.workdir, 'metrics.jsonl'), 'rb') as file:
        end = file.seek(0, os.SEEK_END)
        start = max(0, end - of_the_end) if of_the_end else 0
        file.seek(start)
        lines = file.read().splitlines(keepends=True)
    except FileNotFoundError:
      return []
    whole = lines[1:] if start else lines
    return [json.loads(line) for line in whole if line.endswith(b'\n')]

  def step(self):
    """The last step that was reported."""
    return max((r['step'] for r in self._records(2**14)), default=0)

  def evaluated(self):
    """The steps whose evaluation is in the curves."""
    return {r['step'] for r in self._records() if 'eval/mae' in r}

  def kill(self, rng, left):
    """Ends a host at random; waits for the others; says when it was."""
    number = rng.choice([signal.SIGKILL] * 4 + [signal.SIGTERM, signal.SIGINT])
    if rng.random() < 0.2:
      time.sleep(rng.uniform(0, 10))  # most likely while it starts
    else:
      ahead = max(1, 2 * (self._steps - self._first) // (left + 1))
      self._wait_for(min(self._first + rng.randint(1, ahead), self._steps - 1))
      time.sleep(rng.uniform(0, 0.3))
    hit = rng.choice(self._processes)
    hit.send_signal(number)
    found = self._communicate()
    # What is killed before it listens dies of any signal; the last step may be
    # over when the signal comes.
    for process, (_, err) in zip(self._processes, found):
      # Of several hosts the others say what they were in the middle of.
      assert len(found) > 1 or 'Traceback' not in err, err[-3000:]
      if process is hit and number == signal.SIGKILL:
        assert process.returncode in (-number, 0), err[-3000:]
    return {'signal': number.name, 'step': self.step()}

  def _wait_for(self, step):
    deadline = time.monotonic() + LIMIT
    while self.step() < step and time.monotonic() < deadline:
      if any(p.poll() is not None for p in self._processes):
        return
      time.sleep(0.02)

  def _communicate(self):
    return [process.communicate(timeout=LIMIT) for process in self._processes]

  def end(self):
    """What each host prints at the end of the run."""
    found = self._communicate()
    for process, (_, err) in zip(self._processes, found):
      assert process.returncode == 0, err[-3000:]
    lines = [line for out, _ in found for line in out.splitlines()]
    return [json.loads(line) for line in lines if line.startswith('{')]


if __name__ == '__main__':
  main()
