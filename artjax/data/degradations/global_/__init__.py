"""Degradations of the whole picture: sharpness, noise, tones, reproduction.

Plain functions of float32 [H, W, 3] in [0, 1], turned into ops by `tonal` (see
artjax/data/degradations/decorators.py): `jpeg(severity=(0.1, 0.5))`. Severity 1
is the strongest found in archives and in the literature. At lower severities
the same random draws give proportionally smaller amounts. Blur, noise and JPEG
blocks have sizes in px, as cameras and files make them; light and stains scale
with the picture. Ranges are close to those of Real-ESRGAN
(https://arxiv.org/abs/2107.10833), BSRGAN (https://arxiv.org/abs/2103.14006)
and Bringing Old Photos Back to Life (https://arxiv.org/abs/2004.09484).
"""
