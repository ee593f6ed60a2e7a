// Two pictures of one place, before and after, at any zoom, on a canvas.
import {draw} from '/draw.js';
import {Gestures} from '/gestures.js';
import {percent, t} from '/text.js';
import {Tiles} from '/tiles.js';

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
    this.sheet = null;  // what is drawn over them, see mask.js and hints.js
    this.brush = null;  // what draws: {sheet, radius, tool, pick}
    this.lens = false;
    this.hover = null;  // where the brush or the lens is, px of the canvas
    this.touching = false;  // whether that is a finger
    this.zoom = 1;  // device px to a px of the largest picture
    this.x = this.y = 0;  // its px in the middle of the frame
    new ResizeObserver(() => this.resize()).observe(frame);
    slider.addEventListener('input', () => this.moved());
    slider.addEventListener('keydown', event => this.slide(event));
    this.gestures = new Gestures(this);
  }

  // before: what it was; after: what it became, or null. As the API has them.
  show(before, after) {
    const same = this.before && before.id === this.before.id &&
        this.size[0] === (after || before).width;
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

  // [width, height] of the largest picture.
  get size() {
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
    const [width, height] = this.size;
    const room = this.canvas.width / (this.after && this.mode === 'side' ? 2 : 1);
    return Math.min(room / width, this.canvas.height / height);
  }

  fit() {
    const [width, height] = this.size;
    this.set(this.least(), width / 2, height / 2);
    this.fitted = true;
  }

  set(zoom, x, y) {
    const [width, height] = this.size;
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

  paintWith(brush) {
    this.gestures.lift('cancel');
    this.brush = brush;
    this.frame.classList.toggle('painting', Boolean(brush));
    this.draw();
  }

  // The lens is at the pointer, or in the middle until that comes.
  glass(on) {
    this.lens = on;
    this.hover = on ? this.hover || [this.panes()[0].middle, this.canvas.height / 2] : null;
    this.draw();
  }

  // Half of the brush's width, px of the canvas.
  reach() {
    const {sheet, radius} = this.brush;
    return radius * this.size[0] / sheet.width * this.zoom;
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
    this.slider.setAttribute('aria-valuetext',
                             t('divide.at', {share: percent(this.slider.value / 100)}));
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
      draw(this);
    });
  }
}
