"""What is done to a picture when nobody says how.

Damage is found, what is opaque or thin is filled, then noise, blur, stains and
what is left of cracks are removed, and at last the tones of the whole picture
are corrected. docs/experiments/structure.md has the trial of other orders.
"""

WEIGHTS = 'detect,inpaint,structure,tone'
# Mean CIEDE2000. A picture that would be changed by less, and of which nothing
# is filled, needs nothing: it is copied as it is.
LEAST_CHANGE = 0.5
