"""Degradations of the whole picture: sharpness, noise, tones, reproduction.

Plain functions of float32 [H, W, 3] in [0, 1], lifted to ops by `tonal` (see
artjax/data/degradations/decorators.py): `jpeg(severity=(0.1, 0.5))`. At
severity 1 each is as strong as real archives and the literature know it; below,
every amount shrinks with severity, evenly and from the same draws. Blur, noise
and blocks are sized in px, as a camera and a file make them; light and stains
follow the picture. Ranges are near those of Real-ESRGAN
(https://arxiv.org/abs/2107.10833), BSRGAN (https://arxiv.org/abs/2103.14006)
and Bringing Old Photos Back to Life (https://arxiv.org/abs/2004.09484).
"""
