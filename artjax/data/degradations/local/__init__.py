"""Damage in places: lines, losses, stains, things laid over the picture.

Plain functions of float32 [H, W, 3] in [0, 1] that return the picture and a
weight f32[H, W] which bounds the change, lifted to ops with masks by `local`
(see artjax/data/degradations/decorators.py): `scratches(severity=(0.2, 0.8))`.
Widths of cracks and scratches are px; folds and losses follow the picture's
size; the number of lines grows so that the share of the picture they cover
stays the same. Low severity means few, small and faint; none of it at 0.
"""
