// Draws what a viewer shows: pictures by their tiles, maps and sheets over them,
// the brush, and the lens.
import {TILE, sizes} from '/tiles.js';

const LENS = 110;  // px of the screen, half its width
const LARGER = 3;  // times what is around it, and at least 200 %
const MOST = 16;

export function draw(viewer) {
  const {canvas, context, hover, lens, brush} = viewer;
  context.clearRect(0, 0, canvas.width, canvas.height);
  for (const pane of viewer.panes())
    scene(viewer, pane, place(viewer, pane), [pane.from, 0, pane.to, canvas.height]);
  if (!hover) return;
  if (lens) glass(viewer);
  else if (brush) ring(context, hover, Math.max(3, viewer.reach()), 2);
}

// [r, g, b] of the pictures alone at a place of the canvas.
export function sample(viewer, [x, y]) {
  for (const pane of viewer.panes())
    if (x >= pane.from && x < pane.to)
      side(viewer, pane.picture, 'picture', place(viewer, pane),
           [pane.from, 0, pane.to, viewer.canvas.height]);
  const [r, g, b, alpha] = viewer.context.getImageData(x, y, 1, 1).data;
  return alpha ? [r, g, b] : null;
}

// Where a pane has its picture: device px to a px of the largest, and its corner.
function place({zoom, x, y, canvas}, {middle}) {
  return {zoom, left: middle - x * zoom, top: canvas.height / 2 - y * zoom};
}

// All that a pane shows, within a box of the canvas.
function scene(viewer, pane, at, box) {
  const {after, overlay, sheet, original} = viewer;
  if (box[0] >= box[2]) return;
  side(viewer, pane.picture, 'picture', at, box);
  if (pane.picture === after && overlay && after.layers.includes(overlay))
    side(viewer, after, overlay, at, box);
  if (sheet && !original) cover(viewer, at, box);
}

// What is under the pointer, larger; on a touch screen above the finger.
function glass(viewer) {
  const {canvas, context, frame} = viewer;
  const ratio = canvas.width / frame.clientWidth;
  const radius = Math.min(LENS * ratio, canvas.width / 3, canvas.height / 3);
  const [x, y] = viewer.hover;
  const top = viewer.touching ? Math.max(radius, y - 1.5 * radius) : y;
  const panes = viewer.panes();
  const under = panes.find(({to}) => x < to) || panes.at(-1);
  const at = place(viewer, under);
  const zoom = Math.min(MOST, Math.max(2, LARGER * at.zoom));
  const larger = {zoom, left: x - (x - at.left) / at.zoom * zoom,
                  top: top - (y - at.top) / at.zoom * zoom};
  context.save();
  context.beginPath();
  context.arc(x, top, radius, 0, 7);
  context.clip();
  context.clearRect(x - radius, top - radius, 2 * radius, 2 * radius);
  context.fillStyle = getComputedStyle(frame).backgroundColor;
  context.fillRect(x - radius, top - radius, 2 * radius, 2 * radius);
  for (const pane of panes)  // the slider's border goes through it
    if (pane.middle === under.middle)
      scene(viewer, pane, larger, [Math.max(pane.from, x - radius), top - radius,
                                   Math.min(pane.to, x + radius), top + radius]);
  context.restore();
  ring(context, [x, top], radius, 3 * ratio);
}

function ring(context, [x, y], radius, width) {
  for (const [colour, line] of [['#000', 2 * width], ['#fff', width]]) {
    context.beginPath();
    context.arc(x, y, radius, 0, 7);
    context.strokeStyle = colour;
    context.lineWidth = line;
    context.stroke();
  }
}

function clip(context, [left, top, right, bottom]) {
  context.save();
  context.beginPath();
  context.rect(left, top, right - left, bottom - top);
  context.clip();
}

// The sheet over a picture: both have the same place.
function cover({context, sheet, size: [width, height]}, {zoom, left, top}, box) {
  clip(context, box);
  context.globalAlpha = sheet.opacity;
  context.imageSmoothingEnabled = zoom * width / sheet.width < 2;
  context.drawImage(sheet.canvas, left, top, width * zoom, height * zoom);
  context.restore();
}

// One picture, or a map of it.
function side(viewer, picture, layer, {zoom, left, top}, box) {
  const {context} = viewer;
  const scale = zoom * viewer.size[0] / picture.width;  // device px to its own px
  const levels = sizes(picture.width, picture.height);
  let level = levels.length - 1;
  while (level && levels[level - 1][0] / picture.width >= scale) level--;
  clip(context, box);
  context.imageSmoothingEnabled = scale < 2;  // pixels, where they are large
  context.imageSmoothingQuality = 'high';
  const patches = depth => found(viewer.tiles, picture, layer, depth, levels, scale, left, top, box);
  // Overlays are transparent: two zooms of them would add up.
  const all = patches(level);
  if (layer === 'picture' && level && all.some(patch => !patch.image)) paint(context, patches(0));
  paint(context, all);
  context.restore();
}

function found(tiles, picture, layer, level, levels, scale, left, top, box) {
  const [width, height] = levels[level];
  const px = scale * picture.width / width;  // device px to a px of the level
  const py = scale * picture.height / height;
  const span = (size, start, p, low, high) => [
    Math.max(0, Math.floor((low - start) / p / TILE)),
    Math.min(Math.ceil(size / TILE) - 1, Math.floor((high - start) / p / TILE))];
  const [c0, c1] = span(width, left, px, box[0], box[2] - 1);
  const [r0, r1] = span(height, top, py, box[1], box[3] - 1);
  const patches = [];
  for (let row = r0; row <= r1; row++)
    for (let column = c0; column <= c1; column++) {
      const edge = (index, size, start, p) => Math.round(start + Math.min(index * TILE, size) * p);
      const x = edge(column, width, left, px), y = edge(row, height, top, py);
      patches.push({image: tiles.get(picture, layer, level, column, row), x, y,
                    w: edge(column + 1, width, left, px) - x,
                    h: edge(row + 1, height, top, py) - y});
    }
  return patches;
}

function paint(context, patches) {
  for (const {image, x, y, w, h} of patches)
    if (image) context.drawImage(image, x, y, w, h);
}
