// Colours that things are to have: strokes on a transparent sheet, as
// artjax/restoration/masks/user_inputs.py reads them.
import {drawn, stroke} from '/stroke.js';

const KEPT = 64e6;  // bytes of what can be undone
const BYTES = 4;  // of a px

export class Hints {
  constructor(picture, onChange) {
    const [width, height] = picture.drawing;
    Object.assign(this, {picture, width, height, scale: width / picture.width, onChange});
    this.opacity = .9;
    this.colour = [128, 128, 128];
    this.count = 0;  // px with a colour
    [this.past, this.future] = [[], []];  // {box, pixels}: what was there
    this.canvas = document.createElement('canvas');
    Object.assign(this.canvas, {width, height});
    this.context = this.canvas.getContext('2d');
    this.image = new ImageData(width, height);
    this.pixels = new Uint32Array(this.image.data.buffer);  // 0 where nothing is told
  }

  get area() { return this.count / this.pixels.length; }
  get whole() { return [0, 0, this.width, this.height]; }

  // The colours that are used, [r, g, b] each, the most frequent first.
  get used() {
    const counts = new Map();
    for (const value of this.pixels) if (value) counts.set(value, (counts.get(value) || 0) + 1);
    return [...counts].sort((a, b) => b[1] - a[1]).slice(0, 8)
        .map(([value]) => [value & 255, value >> 8 & 255, value >> 16 & 255]);
  }

  begin() { this.saved = {box: null, pixels: this.pixels.slice()}; }

  line(x0, y0, x1, y1, radius, erase) {
    const [r, g, b] = this.colour;
    const value = erase ? 0 : (255 << 24 | b << 16 | g << 8 | r) >>> 0;
    const box = stroke(this, x0, y0, x1, y1, radius, i => {
      this.count += Boolean(value) - Boolean(this.pixels[i]);
      this.pixels[i] = value;
    });
    this.saved.box = joined(this.saved.box, box);
    this.show(box);
  }

  end() {
    const {box, pixels} = this.saved;
    this.saved = null;
    this.past.push({box, pixels: this.cut(pixels, box)});
    let kept = this.past.reduce((sum, {pixels: {length}}) => sum + BYTES * length, 0);
    while (kept > KEPT && this.past.length > 1) kept -= BYTES * this.past.shift().pixels.length;
    this.future = [];
    this.onChange(true);
  }

  cancel() {
    this.put({box: this.whole, pixels: this.saved.pixels});
    this.saved = null;
  }

  change(action) {
    this.begin();
    this.saved.box = this.whole;
    action();
    this.count = this.pixels.reduce((sum, value) => sum + Boolean(value), 0);
    this.show(this.whole);
    this.end();
  }

  clear() { this.change(() => this.pixels.fill(0)); }

  // An ImageBitmap in place of what is there; the thinnest stroke is kept.
  load(image) {
    const smaller = image.width > this.width;
    const {data} = drawn(image, this.width, this.height, smaller).context
        .getImageData(0, 0, this.width, this.height);
    const pixels = new Uint32Array(data.buffer);
    this.change(() => {
      for (let i = 0; i < pixels.length; i++)
        this.pixels[i] = data[4 * i + 3] > (smaller ? 8 : 127) ? (pixels[i] | 0xff000000) >>> 0 : 0;
    });
  }

  // What another visit left, an ImageBitmap of its size.
  restore(image) {
    const {data} = drawn(image, this.width, this.height, false).context
        .getImageData(0, 0, this.width, this.height);
    this.pixels.set(new Uint32Array(data.buffer));
    this.count = this.pixels.reduce((sum, value) => sum + Boolean(value), 0);
    this.show(this.whole);
  }

  png() {
    return new Promise(done => this.canvas.toBlob(done, 'image/png'));
  }

  undo() { this.swap(this.past, this.future); }
  redo() { this.swap(this.future, this.past); }

  swap(from, to) {
    if (!from.length || this.saved) return;
    const {box, pixels} = from.pop();
    to.push({box, pixels: this.cut(this.pixels, box)});
    this.put({box, pixels});
    this.onChange(true);
  }

  // The px of a box, row after row.
  cut(pixels, [left, top, right, bottom]) {
    const width = right - left;
    const found = new Uint32Array(width * (bottom - top));
    for (let y = top; y < bottom; y++)
      found.set(pixels.subarray(y * this.width + left, y * this.width + right), (y - top) * width);
    return found;
  }

  put({box, pixels}) {
    const [left, top, right, bottom] = box;
    for (let y = top, i = 0; y < bottom; y++)
      for (let x = left; x < right; x++, i++) {
        const at = y * this.width + x;
        this.count += Boolean(pixels[i]) - Boolean(this.pixels[at]);
        this.pixels[at] = pixels[i];
      }
    this.show(box);
  }

  show([left, top, right, bottom]) {
    this.context.putImageData(this.image, 0, 0, left, top, right - left, bottom - top);
    this.onChange();
  }
}

const joined = (a, b) => a ? [Math.min(a[0], b[0]), Math.min(a[1], b[1]),
                              Math.max(a[2], b[2]), Math.max(a[3], b[3])] : b;

// The colours of RGBA data that are no greys, by hue: [[r, g, b]], at most 12.
export function palette(data) {
  const bins = new Map();
  for (let i = 0; i < data.length; i += 4) {
    const [r, g, b] = data.subarray(i, i + 3);
    const most = Math.max(r, g, b), chroma = most - Math.min(r, g, b);
    if (chroma < 16) continue;
    const hue = (most === r ? (g - b) / chroma + 6 : most === g ? (b - r) / chroma + 2
        : (r - g) / chroma + 4) % 6;
    const key = 10 * Math.floor(2 * hue) + Math.floor((r + g + b) / 192);
    const bin = bins.get(key) || [0, 0, 0, 0, hue];
    [r, g, b].forEach((value, j) => { bin[j] += value; });
    bin[3]++;
    bins.set(key, bin);
  }
  return [...bins.values()].filter(bin => bin[3] > data.length / 4 / 500)
      .sort((a, b) => b[3] - a[3]).slice(0, 12).sort((a, b) => a[4] - b[4])
      .map(([r, g, b, count]) => [r, g, b].map(value => Math.round(value / count)));
}
