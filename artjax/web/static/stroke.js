// A stroke of a round brush on a sheet of width x height px.

// Calls each(index of a px) for all within a radius of a line; gives their box:
// left, top, right, bottom.
export function stroke({width, height}, x0, y0, x1, y1, radius, each) {
  const most = Math.max(radius, .71);  // a dab has at least the px it is in
  const clip = (value, side) => Math.min(side, Math.max(0, Math.floor(value)));
  const box = [
    clip(Math.min(x0, x1) - most, width), clip(Math.min(y0, y1) - most, height),
    clip(Math.max(x0, x1) + most + 1, width), clip(Math.max(y0, y1) + most + 1, height)];
  const [dx, dy] = [x1 - x0, y1 - y0];
  const length = dx * dx + dy * dy;
  for (let y = box[1]; y < box[3]; y++)
    for (let x = box[0]; x < box[2]; x++) {
      const [px, py] = [x + .5 - x0, y + .5 - y0];
      const t = length ? Math.min(1, Math.max(0, (px * dx + py * dy) / length)) : 0;
      if ((px - t * dx) ** 2 + (py - t * dy) ** 2 < most * most) each(y * width + x);
    }
  return box;
}

// A canvas of a size with a picture on it, or none.
export function drawn(image, width, height, smooth = true) {
  const canvas = document.createElement('canvas');
  Object.assign(canvas, {width, height});
  const context = canvas.getContext('2d', {willReadFrequently: true});
  context.imageSmoothingEnabled = smooth;
  if (image) context.drawImage(image, 0, 0, width, height);
  return {canvas, context};
}
