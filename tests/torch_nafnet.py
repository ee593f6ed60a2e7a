"""NAFNet in PyTorch, as a peer of `artjax benchmark`.

  python tests/torch_nafnet.py --mode=train --size=128x128 --batch=32 \
      --dtype=bfloat16 --compile

https://arxiv.org/abs/2204.04676; with the default fields 29,159,715 parameters,
as in artjax/models/nafnet.py. Weights are random, as only the time counts; the
layout is channels-last. The last line of stdout is JSON.
"""

import argparse
import json
import statistics
import time

import torch
from torch import nn
from torch.nn import functional


class Norm(nn.LayerNorm):
  """Normalizes the channels of each pixel."""

  def forward(self, x):
    return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


def gate(x):
  """One half of the channels times the other."""
  a, b = x.chunk(2, 1)
  return a * b


class Block(nn.Module):
  """A gated depthwise convolution with channel attention, then a gated MLP."""

  def __init__(self, width):
    super().__init__()
    self.norm1, self.norm2 = Norm(width), Norm(width)
    self.wide1, self.wide2 = (nn.Conv2d(width, 2 * width, 1) for _ in range(2))
    self.depthwise = nn.Conv2d(
      2 * width, 2 * width, 3, padding=1, groups=2 * width
    )
    self.attention = nn.Conv2d(width, width, 1)
    self.end1, self.end2 = (nn.Conv2d(width, width, 1) for _ in range(2))
    self.beta, self.gamma = (
      nn.Parameter(torch.zeros(1, width, 1, 1)) for _ in range(2)
    )

  def forward(self, x):
    y = gate(self.depthwise(self.wide1(self.norm1(x))))
    y = y * self.attention(y.mean((2, 3), keepdim=True))
    x = x + self.beta * self.end1(y)
    return x + self.gamma * self.end2(gate(self.wide2(self.norm2(x))))


class NAFNet(nn.Module):
  """[B, 3, H, W] -> the same shape; sides are multiples of 2^levels."""

  def __init__(self, width, enc_blocks, middle_blocks, dec_blocks):
    super().__init__()
    blocks = lambda count, w: nn.Sequential(*[Block(w) for _ in range(count)])
    widths = [width * 2**level for level in range(len(enc_blocks) + 1)]
    self.intro = nn.Conv2d(3, width, 3, padding=1)
    self.encoders = nn.ModuleList(map(blocks, enc_blocks, widths))
    self.downs = nn.ModuleList(
      nn.Conv2d(w, 2 * w, 2, stride=2) for w in widths[:-1]
    )
    self.middle = blocks(middle_blocks, widths[-1])
    self.ups = nn.ModuleList(
      nn.Conv2d(w, 2 * w, 1, bias=False) for w in widths[:0:-1]
    )
    self.decoders = nn.ModuleList(map(blocks, dec_blocks, widths[-2::-1]))
    self.ending = nn.Conv2d(width, 3, 3, padding=1)

  def forward(self, x):
    y, skips = self.intro(x), []
    for encoder, down in zip(self.encoders, self.downs):
      y = encoder(y)
      skips.append(y)
      y = down(y)
    y = self.middle(y)
    for up, decoder, skip in zip(self.ups, self.decoders, skips[::-1]):
      y = decoder(functional.pixel_shuffle(up(y), 2) + skip)
    return x + self.ending(y)


def main():
  """Measures; see the module."""
  parser = argparse.ArgumentParser()
  parser.add_argument('--width', type=int, default=32)
  parser.add_argument('--enc_blocks', type=json.loads, default=[2, 2, 4, 8])
  parser.add_argument('--middle_blocks', type=int, default=12)
  parser.add_argument('--dec_blocks', type=json.loads, default=[2, 2, 2, 2])
  parser.add_argument('--mode', choices=['infer', 'train'], default='infer')
  parser.add_argument('--size', default='128x128')
  parser.add_argument('--batch', type=int, default=1)
  parser.add_argument('--dtype', default='float32')
  parser.add_argument('--compile', action='store_true')
  parser.add_argument('--warmup', type=int, default=3)
  parser.add_argument('--repeats', type=int, default=10)
  args = parser.parse_args()
  device = torch.device('cuda' if torch.cuda.is_available() else 'cpu')
  torch.backends.cudnn.benchmark = True
  net = NAFNet(
    args.width, args.enc_blocks, args.middle_blocks, args.dec_blocks
  ).to(device, memory_format=torch.channels_last)
  shape = args.batch, 3, *map(int, args.size.split('x'))
  x, target = (
    torch.rand(shape, device=device).to(memory_format=torch.channels_last)
    for _ in range(2)
  )
  run = torch.compile(net) if args.compile else net
  adam = torch.optim.Adam(net.parameters(), 1e-4, fused=device.type == 'cuda')
  dtype = getattr(torch, args.dtype)
  cast = torch.autocast(device.type, dtype, enabled=dtype != torch.float32)

  def infer():
    with torch.inference_mode(), cast:
      run(x)

  def train():
    adam.zero_grad(set_to_none=True)
    with cast:
      y = run(x)
    (y.float() - target).abs().mean().backward()
    adam.step()

  seconds = []
  for _ in range(1 + args.warmup + args.repeats):
    start = time.perf_counter()
    train() if args.mode == 'train' else infer()
    if device.type == 'cuda':
      torch.cuda.synchronize()
    seconds.append(time.perf_counter() - start)
  print(
    json.dumps(
      {
        'peer': f'torch {torch.__version__}',
        'device': str(device),
        'parameters': sum(p.numel() for p in net.parameters()),
        'first_s': seconds[0],
        'median_s': statistics.median(seconds[1 + args.warmup :]),
      }
    )
  )


if __name__ == '__main__':
  main()
