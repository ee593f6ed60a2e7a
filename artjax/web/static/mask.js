// The mask of what is to be filled: damage that was found, and what is drawn.
//
// Probabilities of damage come from the server once; another threshold is applied
// here, as artjax/restoration/masks/damage_map.py does. What is drawn overrides them.

import {drawn, stroke} from '/stroke.js';

export const CLASSES = ['crack', 'loss', 'stain', 'drawn'];
// Told apart by all eyes (Okabe and Ito), and unlike old paint.
const COLOURS = [[0, 0, 0, 0], [86, 180, 233, 255], [213, 94, 0, 255],
                 [240, 228, 66, 255], [204, 90, 180, 255]];
const KEPT = 128e6;  // bytes of what can be undone
const EDIT = {NONE: 0, FILL: 1, LEAVE: 2};

export const colour = label => `rgb(${COLOURS[1 + CLASSES.indexOf(label)].slice(0, 3)})`;

export class Mask {
  // found: smallest area in px of what is found, and px added around it;
  // onChange: gets true where what is to be kept has changed.
  constructor(picture, found, onChange) {
    const [width, height] = picture.drawing;
    const scale = width / picture.width;
    Object.assign(this, {picture, width, height, scale, onChange});
    this.least = found.min_area * scale ** 2;
    this.reach = Math.round(found.dilate * scale);
    this.edits = new Uint8Array(width * height);  // of EDIT
    this.found = new Uint8Array(width * height);  // 0, or 1 + index of CLASSES
    this.labels = new Uint8Array(width * height);  // both together
    this.counts = [width * height, 0, 0, 0, 0];  // of the labels
    this.probabilities = null;  // RGBA: crack, loss, stain
    this.using = false;  // whether what was found counts
    this.again = false;  // whether it was kept from before a reload
    this.opacity = .65;
    this.threshold = found.threshold;
    this.wanted = [true, true, false];  // paint shows through stains
    [this.past, this.future] = [[], []];
    this.canvas = document.createElement('canvas');
    Object.assign(this.canvas, {width, height});
    this.context = this.canvas.getContext('2d');
    this.image = new ImageData(width, height);
    this.pixels = new Uint32Array(this.image.data.buffer);
    this.colours = new Uint32Array(new Uint8Array(COLOURS.flat()).buffer);
  }

  get touched() { return Boolean(this.probabilities || this.past.length || this.again); }
  get area() { return 1 - this.counts[0] / this.labels.length; }
  share(label) { return this.counts[1 + CLASSES.indexOf(label)] / this.labels.length; }

  // What a network found: RGBA of width x height.
  find(probabilities) {
    this.probabilities = probabilities;
    if (!this.again) this.change(() => { this.using = true; });
    this.look();
  }

  // Another threshold, or other classes.
  set(values) {
    Object.assign(this, values);
    if (!this.probabilities) return this.onChange();
    if (!this.using) this.change(() => { this.using = true; });
    this.look();
    this.onChange(true);
  }

  look() {
    this.found = labelled(this.probabilities, this.width, this.height, {
      level: this.threshold * 255 - 1e-4, wanted: this.wanted,
      least: this.least, reach: this.reach});
    this.compose();
  }

  invert() {
    this.change(() => {
      this.edits = this.labels.map(label => label ? EDIT.LEAVE : EDIT.FILL);
      this.using = false;
    });
  }

  clear() {
    this.change(() => { this.edits.fill(EDIT.NONE); this.using = false; });
  }

  // An ImageBitmap in place of what is there: white is filled, or what is transparent.
  load(image) {
    const {context} = drawn(image, this.width, this.height);
    const {data} = context.getImageData(0, 0, this.width, this.height);
    const hole = isHole(data);
    this.change(() => {
      this.using = false;
      for (let i = 0; i < this.edits.length; i++)
        this.edits[i] = hole ? data[4 * i + 3] < 128
            : Math.min(Math.max(data[4 * i], data[4 * i + 1], data[4 * i + 2]),
                       data[4 * i + 3]) > 127;
    });
  }

  // What outlives a reload; what was found is on the server.
  pack() {
    const {edits, using, threshold, wanted} = this;
    return {edits, using, threshold, wanted};
  }

  unpack(kept) {
    Object.assign(this, kept, {again: true});
    this.compose();
  }

  // A PNG, white where to fill.
  png() {
    const image = new ImageData(this.width, this.height);
    const pixels = new Uint32Array(image.data.buffer);
    this.labels.forEach((label, i) => { pixels[i] = label ? 0xffffffff : 0xff000000; });
    const {canvas, context} = drawn(null, this.width, this.height);
    context.putImageData(image, 0, 0);
    return new Promise(done => canvas.toBlob(done, 'image/png'));
  }

  // Strokes: begin, then line after line in px of the mask, then end or cancel.

  begin() { this.saved = this.state(); }
  state() { return {edits: this.edits.slice(), using: this.using}; }

  line(x0, y0, x1, y1, radius, erase) {
    const value = erase ? EDIT.LEAVE : EDIT.FILL;
    const box = stroke(this, x0, y0, x1, y1, radius, i => { this.edits[i] = value; });
    this.compose(box);
  }

  end() {
    this.past.push(this.saved);
    this.past.splice(0, this.past.length - Math.ceil(KEPT / this.edits.length));
    this.future = [];
    this.saved = null;
    this.onChange(true);
  }

  cancel() {
    Object.assign(this, this.saved, {saved: null});
    this.compose();
  }

  change(action) {
    this.begin();
    action();
    this.end();
    this.compose();
  }

  undo() { this.swap(this.past, this.future); }
  redo() { this.swap(this.future, this.past); }

  swap(from, to) {
    if (!from.length || this.saved) return;
    to.push(this.state());
    Object.assign(this, from.pop());
    this.compose();
    this.onChange(true);
  }

  // Labels and their colours anew, all or within a box.
  compose(box = [0, 0, this.width, this.height]) {
    const {edits, found, labels, counts, pixels, colours, using} = this;
    for (let y = box[1]; y < box[3]; y++)
      for (let i = y * this.width + box[0], end = i + box[2] - box[0]; i < end; i++) {
        const edit = edits[i];
        const label = edit === EDIT.LEAVE ? 0 : using && found[i] ? found[i]
            : edit === EDIT.FILL ? 4 : 0;
        if (label === labels[i]) continue;
        counts[labels[i]]--;
        counts[label]++;
        labels[i] = label;
        pixels[i] = colours[label];
      }
    this.context.putImageData(this.image, 0, 0, box[0], box[1],
                              box[2] - box[0], box[3] - box[1]);
    this.onChange();
  }
}

// Whether RGBA is transparent where to fill, as restoration/masks/user_inputs.py decides it.
export function isHole(data) {
  const colours = new Set();
  let opaque = 0;
  for (let i = 0; i < data.length; i += 4) {
    if (data[i + 3] < 128) continue;
    opaque += 4;
    colours.add(data[i] >> 3 << 10 | data[i + 1] >> 3 << 5 | data[i + 2] >> 3);
  }
  if (!opaque || opaque === data.length) return false;
  return opaque > data.length / 2 || colours.size > 64 || (colours.size === 1 && colours.has(0));
}

// Probabilities -> labels: from a level on, pieces that are large enough, grown.
export function labelled(probabilities, width, height, {level, wanted, least, reach}) {
  const bits = new Uint8Array(width * height);
  const [crack, loss, stain] = wanted.map(yes => yes ? level : 256);
  for (let i = 0, j = 0; i < bits.length; i++, j += 4)
    bits[i] = (probabilities[j] >= crack) | (probabilities[j + 1] >= loss) << 1 |
        (probabilities[j + 2] >= stain) << 2;
  // Pieces, by joining the runs of each row with those of the row above.
  const runs = [];  // row, start and end of each
  const parent = [], area = [];
  const root = i => {
    while (parent[i] !== i) i = parent[i] = parent[parent[i]];
    return i;
  };
  let above = 0;  // the first run of the row above
  for (let y = 0; y < height; y++) {
    const here = parent.length;
    for (let x = 0, row = y * width; x < width; x++) {
      if (!bits[row + x]) continue;
      const start = x;
      while (x < width && bits[row + x]) x++;
      const run = parent.length;
      runs.push(y, start, x);
      parent.push(run);
      area.push(x - start);
      while (above < here && runs[3 * above + 2] < start) above++;
      for (let i = above; i < here && runs[3 * i + 1] <= x; i++) {
        const [a, b] = [root(i), root(run)];
        if (a !== b) { parent[b] = a; area[a] += area[b]; }
      }
    }
    above = here;
  }
  const disc = [];  // half its width in each row
  for (let dy = -reach; dy <= reach; dy++)
    disc.push(Math.round(Math.sqrt(reach * reach - dy * dy)));
  const labels = new Uint8Array(width * height);
  for (const index of [2, 1, 0])  // cracks, the thinnest, last
    for (let run = 0; run < parent.length; run++) {
      if (area[root(run)] < least) continue;
      const y = runs[3 * run], from = runs[3 * run + 1], to = runs[3 * run + 2];
      for (let x = from; x < to; x++) {
        if (!(bits[y * width + x] >> index & 1)) continue;
        const start = x;
        while (x < to && bits[y * width + x] >> index & 1) x++;
        disc.forEach((half, i) => {
          const row = y + i - reach;
          if (row < 0 || row >= height) return;
          labels.fill(index + 1, row * width + Math.max(0, start - half),
                      row * width + Math.min(width, x + half));
        });
      }
    }
  return labels;
}
