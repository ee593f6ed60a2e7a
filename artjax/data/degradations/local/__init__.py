"""Local damage: lines, losses, stains, and things laid over the picture.

Plain functions of float32 [H, W, 3] in [0, 1] that return the picture and a
weight f32[H, W] that bounds the change. `local` turns them into ops with masks
(see artjax/data/degradations/decorators.py): `scratches(severity=(0.2, 0.8))`.
Widths of cracks and scratches are in px; folds and losses scale with the
picture. The number of lines grows with the picture, so that they always cover
the same share of it. Low severity means few, small and faint damage, severity 0
none.
"""
