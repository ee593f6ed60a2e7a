// Two pictures of one place, before and after, at any zoom: tiles on a canvas.
import {TILE, Tiles, sizes} from '/tiles.js';

const MOST = 8;  // 800 %
const THUMB = 44;  // px, the width of the slider's handle in style.css

export class Viewer {
  constructor(frame, canvas, slider, onZoom) {
    Object.assign(this, {frame, canvas, slider, onZoom});
    this.context = canvas.getContext('2d');
    this.tiles = new Tiles(() => this.draw());
    this.before = this.after = null;
    this.overlay = '';
    this.original = false;
    this.mode = 'slider';  // or 'side' by side, or one of them: 'before', 'after'
    this.mask = null;  // what is to be filled, see mask.js
    this.brush = null;  // what draws on it: {mask, radius, erase}
    this.last = null;  // of a stroke, in px of the mask
    this.hover = null;  // where the brush is, px of the canvas
    this.zoom = 1;  // device px to a px of the largest picture
    this.x = this.y = 0;  // its px in the middle of the frame
    this.pointers = new Map();
    new ResizeObserver(() => this.resize()).observe(frame);
    slider.addEventListener('input', () => this.moved());
    slider.addEventListener('keydown', event => this.slide(event));
    canvas.addEventListener('keydown', event => this.key(event));
    frame.addEventListener('wheel', event => {
      event.preventDefault();
      const [x, y] = this.place(event);
      this.zoomBy(Math.exp(-event.deltaY * (event.ctrlKey ? .01 : .0015)), x, y);
    }, {passive: false});
    canvas.addEventListener('pointerdown', event => {
      canvas.setPointerCapture(event.pointerId);
      this.pointers.set(event.pointerId, this.place(event));
      if (this.last) this.lift('cancel');  // a second finger: it is a pinch
      else if (this.brush && !event.button && this.pointers.size === 1)
        this.press(this.place(event));
    });
    canvas.addEventListener('pointermove', event => this.drag(event));
    for (const end of ['pointerup', 'pointercancel'])
      canvas.addEventListener(end, event => {
        this.pointers.delete(event.pointerId);
        this.lift(end === 'pointerup' ? 'end' : 'cancel');
        if (event.pointerType === 'touch') this.hover = null;
      });
    canvas.addEventListener('pointerleave', () => {
      this.hover = null;
      this.draw();
    });
  }

  // before: what it was; after: what it became, or null. As the API has them.
  show(before, after) {
    const same = this.before && before.id === this.before.id &&
        this.size()[0] === (after || before).width;
    Object.assign(this, {before, after});
    for (const picture of [before, after])
      if (picture) this.tiles.get(picture, 'picture', 0, 0, 0);
    this.look(this.mode);
    if (!same) this.fit();  // else stay at the place compared
    this.moved();
  }

  // Another way to compare, see `mode`.
  look(mode) {
    const {fitted} = this;
    this.mode = mode;
    this.slider.hidden = !this.after || mode !== 'slider';
    if (fitted) this.fit(); else this.draw();
  }

  // What is drawn: pictures between columns of the canvas, and where their
  // middle would be.
  panes() {
    const {before, after, mode, canvas: {width}} = this;
    const pane = (picture, from, to, middle = width / 2) =>
      ({picture: this.original ? before : picture, from, to, middle});
    if (!after || mode === 'before') return [pane(before, 0, width)];
    if (mode === 'after') return [pane(after, 0, width)];
    if (mode === 'side') {
      const half = Math.round(width / 2);
      return [pane(before, 0, half - 1, half / 2),
              pane(after, half + 1, width, (half + width) / 2)];
    }
    const border = this.border();
    return [pane(before, 0, border), pane(after, border, width)];
  }

  // The column of the canvas around which a place on it is zoomed and drawn.
  middle(x) {
    const panes = this.panes();
    return (panes.find(({to}) => x < to) || panes.at(-1)).middle;
  }

  size() {
    const largest = this.after || this.before;
    return [largest.width, largest.height];
  }

  resize() {
    const ratio = window.devicePixelRatio || 1;
    const fitted = this.fitted;
    for (const side of ['width', 'height']) {  // whole px, where a frame has parts of them
      const length = side === 'width' ? this.frame.clientWidth : this.frame.clientHeight;
      this.canvas.style[side] = `${length}px`;
      this.canvas[side] = Math.round(length * ratio);
    }
    if (this.before) fitted ? this.fit() : this.draw();
  }

  least() {
    const [width, height] = this.size();
    const room = this.canvas.width / (this.after && this.mode === 'side' ? 2 : 1);
    return Math.min(room / width, this.canvas.height / height);
  }

  fit() {
    const [width, height] = this.size();
    this.set(this.least(), width / 2, height / 2);
    this.fitted = true;
  }

  set(zoom, x, y) {
    const [width, height] = this.size();
    this.zoom = Math.min(MOST, Math.max(Math.min(this.least(), 1) / 2, zoom));
    this.x = Math.min(width, Math.max(0, x));
    this.y = Math.min(height, Math.max(0, y));
    this.fitted = false;
    this.onZoom(this.zoom);
    this.draw();
  }

  // Zooms so that what is under a place of the canvas stays there.
  zoomBy(factor, x = this.panes()[0].middle, y = this.canvas.height / 2) {
    const [dx, dy] = [x - this.middle(x), y - this.canvas.height / 2];
    const under = [this.x + dx / this.zoom, this.y + dy / this.zoom];
    const zoom = Math.min(MOST, Math.max(
        Math.min(this.least(), 1) / 2, this.zoom * factor));
    this.set(zoom, under[0] - dx / zoom, under[1] - dy / zoom);
  }

  zoomTo(zoom) { this.set(zoom, this.x, this.y); }

  place(event) {
    const box = this.canvas.getBoundingClientRect();
    const ratio = this.canvas.width / box.width;
    return [(event.clientX - box.left) * ratio, (event.clientY - box.top) * ratio];
  }

  // Px of the mask under a place of the canvas.
  spot([x, y]) {
    const {width, height} = this.brush.mask;
    const size = this.size();
    return [((x - this.middle(x)) / this.zoom + this.x) * width / size[0],
            ((y - this.canvas.height / 2) / this.zoom + this.y) * height / size[1]];
  }

  press(place) {
    this.last = this.spot(place);
    this.brush.mask.begin();
    this.stroke(place);
  }

  stroke(place) {
    const {mask, radius, erase} = this.brush;
    const now = this.spot(place);
    mask.line(...this.last, ...now, radius, erase);
    this.last = now;
  }

  lift(how) {
    if (!this.last) return;
    this.last = null;
    this.brush.mask[how]();
  }

  paintWith(brush) {
    this.lift('cancel');
    this.brush = brush;
    this.frame.classList.toggle('painting', Boolean(brush));
    this.draw();
  }

  drag(event) {
    const now = this.place(event);
    if (this.brush) {
      this.hover = now;
      this.draw();
    }
    if (!this.pointers.has(event.pointerId)) return;
    if (this.last) {
      this.stroke(now);
      this.pointers.set(event.pointerId, now);
      return;
    }
    const last = this.pointers.get(event.pointerId);
    if (this.pointers.size === 2) {
      const other = [...this.pointers].find(([id]) => id !== event.pointerId)[1];
      const span = p => Math.hypot(p[0] - other[0], p[1] - other[1]);
      this.zoomBy(span(now) / Math.max(1, span(last)),
                  (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
    } else {
      this.set(this.zoom, this.x - (now[0] - last[0]) / this.zoom,
               this.y - (now[1] - last[1]) / this.zoom);
    }
    this.pointers.set(event.pointerId, now);
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const middle = [this.panes()[0].middle, this.canvas.height / 2];
    // Dabs of the brush in the middle shall touch.
    const step = this.brush ? Math.max(1, this.reach()) / this.zoom : 60 / this.zoom;
    const moves = {ArrowLeft: [-step, 0], ArrowRight: [step, 0],
                   ArrowUp: [0, -step], ArrowDown: [0, step]};
    if (moves[event.key])
      this.set(this.zoom, this.x + moves[event.key][0], this.y + moves[event.key][1]);
    else if (event.key === '+' || event.key === '=') this.zoomBy(1.25);
    else if (event.key === '-') this.zoomBy(.8);
    else if (event.key === '0') this.fit();
    else if (event.key === '1' || event.key === '2') this.zoomTo(+event.key);
    else if (event.key === ' ' && this.brush) {
      this.press(middle);
      this.lift('end');
    }
    else return;
    event.preventDefault();
    if (this.brush) this.hover = middle;
  }

  slide(event) {
    const steps = {ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1,
                   PageDown: -10, PageUp: 10};
    if (!(event.key in steps)) return;  // Home and End are the browser's own
    event.preventDefault();
    this.slider.value = +this.slider.value + steps[event.key];
    this.moved();
  }

  moved() {
    this.slider.setAttribute('aria-valuetext', `${
        Math.round(this.slider.value)} % of the width shows before`);
    this.draw();
  }

  // px of the canvas from its left to the border.
  border() {
    const width = this.frame.clientWidth;
    const css = THUMB / 2 + this.slider.value / 100 * (width - THUMB);
    return Math.round(css * this.canvas.width / width);
  }

  draw() {
    if (this.drawing || !this.before) return;
    this.drawing = true;
    requestAnimationFrame(() => {
      this.drawing = false;
      const {width, height} = this.canvas;
      this.context.clearRect(0, 0, width, height);
      for (const pane of this.panes()) {
        if (pane.from >= pane.to) continue;
        this.side(pane, 'picture');
        if (pane.picture === this.after && this.overlay &&
            this.after.layers.includes(this.overlay))
          this.side(pane, this.overlay);
        if (this.mask && !this.original) this.cover(pane);
      }
      if (this.brush && this.hover) this.ring();
    });
  }

  // The mask over a picture: both have the same place.
  cover({from, to, middle}) {
    const {context, canvas, mask, zoom} = this;
    const [width, height] = this.size();
    this.clip(from, to);
    context.globalAlpha = .65;
    context.imageSmoothingEnabled = zoom * width / mask.width < 2;
    context.drawImage(mask.canvas, middle - this.x * zoom,
                      canvas.height / 2 - this.y * zoom, width * zoom, height * zoom);
    context.restore();
  }

  // Half of the brush's width, px of the canvas.
  reach() {
    const {mask, radius} = this.brush;
    return radius * this.size()[0] / mask.width * this.zoom;
  }

  ring() {
    for (const [colour, width] of [['#000', 4], ['#fff', 2]]) {
      this.context.beginPath();
      this.context.arc(...this.hover, Math.max(3, this.reach()), 0, 7);
      this.context.strokeStyle = colour;
      this.context.lineWidth = width;
      this.context.stroke();
    }
  }

  clip(from, to) {
    this.context.save();
    this.context.beginPath();
    this.context.rect(from, 0, to - from, this.canvas.height);
    this.context.clip();
  }

  // One picture, or a map of it, in its pane.
  side({picture, from, to, middle}, layer) {
    const {context, canvas} = this;
    const ratio = this.size()[0] / picture.width;
    const scale = this.zoom * ratio;  // device px to its own px
    const left = middle - this.x * this.zoom;
    const top = canvas.height / 2 - this.y * this.zoom;
    const levels = sizes(picture.width, picture.height);
    let level = levels.length - 1;
    while (level && levels[level - 1][0] / picture.width >= scale) level--;
    this.clip(from, to);
    context.imageSmoothingEnabled = scale < 2;  // pixels, where they are large
    context.imageSmoothingQuality = 'high';
    // Overlays are transparent: two zooms of them would add up.
    const all = this.patches(picture, layer, level, levels, scale, left, top, from, to);
    if (layer === 'picture' && level && all.some(patch => !patch.image))
      this.paint(this.patches(picture, layer, 0, levels, scale, left, top, from, to));
    this.paint(all);
    context.restore();
  }

  patches(picture, layer, level, levels, scale, left, top, from, to) {
    const [width, height] = levels[level];
    const px = scale * picture.width / width;  // device px to a px of the level
    const py = scale * picture.height / height;
    const span = (size, start, p, low, high) => [
      Math.max(0, Math.floor((low - start) / p / TILE)),
      Math.min(Math.ceil(size / TILE) - 1, Math.floor((high - start) / p / TILE))];
    const [c0, c1] = span(width, left, px, from, to - 1);
    const [r0, r1] = span(height, top, py, 0, this.canvas.height - 1);
    const found = [];
    for (let row = r0; row <= r1; row++)
      for (let column = c0; column <= c1; column++) {
        const edge = (index, size, start, p) =>
            Math.round(start + Math.min(index * TILE, size) * p);
        const x = edge(column, width, left, px), y = edge(row, height, top, py);
        found.push({image: this.tiles.get(picture, layer, level, column, row), x, y,
                    w: edge(column + 1, width, left, px) - x,
                    h: edge(row + 1, height, top, py) - y});
      }
    return found;
  }

  paint(patches) {
    for (const {image, x, y, w, h} of patches)
      if (image) this.context.drawImage(image, x, y, w, h);
  }
}
