// What pointers, the wheel and keys do to a viewer: move, zoom, draw, pick.
import {sample} from '/draw.js';

export class Gestures {
  constructor(viewer) {
    this.viewer = viewer;
    this.pointers = new Map();
    this.last = null;  // of a stroke, in px of the sheet
    const {canvas, frame} = viewer;
    canvas.addEventListener('keydown', event => this.key(event));
    frame.addEventListener('wheel', event => {
      event.preventDefault();
      const [x, y] = this.place(event);
      viewer.zoomBy(Math.exp(-event.deltaY * (event.ctrlKey ? .01 : .0015)), x, y);
    }, {passive: false});
    canvas.addEventListener('pointerdown', event => this.down(event));
    canvas.addEventListener('pointermove', event => this.drag(event));
    for (const end of ['pointerup', 'pointercancel'])
      canvas.addEventListener(end, event => {
        this.pointers.delete(event.pointerId);
        this.lift(end === 'pointerup' ? 'end' : 'cancel');
        if (event.pointerType === 'touch') this.point(null);
      });
    canvas.addEventListener('pointerleave', () => this.point(null));
  }

  place(event) {
    const {canvas} = this.viewer;
    const box = canvas.getBoundingClientRect();
    const ratio = canvas.width / box.width;
    return [(event.clientX - box.left) * ratio, (event.clientY - box.top) * ratio];
  }

  // Where the pointer is, if what is drawn depends on it.
  point(place, touching = false) {
    const {viewer} = this;
    if (!place && !viewer.hover) return;
    Object.assign(viewer, {hover: viewer.brush || viewer.lens ? place : null, touching});
    viewer.draw();
  }

  // Px of the sheet under a place of the canvas.
  spot([x, y]) {
    const {viewer} = this;
    const {width, height} = viewer.brush.sheet;
    const size = viewer.size;
    return [((x - viewer.middle(x)) / viewer.zoom + viewer.x) * width / size[0],
            ((y - viewer.canvas.height / 2) / viewer.zoom + viewer.y) * height / size[1]];
  }

  down(event) {
    const {viewer} = this;
    const touching = event.pointerType === 'touch';
    viewer.canvas.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, this.place(event));
    this.point(this.place(event), touching);
    if (this.last) this.lift('cancel');  // a second finger: it is a pinch
    else if (viewer.brush && !event.button && this.pointers.size === 1)
      this.press(this.place(event));
  }

  press(place) {
    const {brush} = this.viewer;
    if (brush.tool === 'pick') return brush.pick(sample(this.viewer, place));
    this.last = this.spot(place);
    brush.sheet.begin();
    this.stroke(place);
  }

  stroke(place) {
    const {sheet, radius, tool} = this.viewer.brush;
    const now = this.spot(place);
    sheet.line(...this.last, ...now, radius, tool === 'eraser');
    this.last = now;
  }

  lift(how) {
    if (!this.last) return;
    this.last = null;
    this.viewer.brush.sheet[how]();
  }

  drag(event) {
    const {viewer} = this;
    const now = this.place(event);
    const touching = event.pointerType === 'touch';
    this.point(now, touching);
    if (!this.pointers.has(event.pointerId)) return;
    const last = this.pointers.get(event.pointerId);
    this.pointers.set(event.pointerId, now);
    if (this.last) return this.stroke(now);
    if (this.pointers.size === 2) {
      const other = [...this.pointers].find(([id]) => id !== event.pointerId)[1];
      const span = p => Math.hypot(p[0] - other[0], p[1] - other[1]);
      viewer.zoomBy(span(now) / Math.max(1, span(last)),
                    (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
    } else if (!(viewer.lens && touching)) {  // there the finger moves the lens
      viewer.set(viewer.zoom, viewer.x - (now[0] - last[0]) / viewer.zoom,
                 viewer.y - (now[1] - last[1]) / viewer.zoom);
    }
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const {viewer} = this;
    const middle = [viewer.panes()[0].middle, viewer.canvas.height / 2];
    // Dabs of the brush in the middle shall touch.
    const step = (viewer.brush ? Math.max(1, viewer.reach()) : 60) / viewer.zoom;
    const moves = {ArrowLeft: [-step, 0], ArrowRight: [step, 0],
                   ArrowUp: [0, -step], ArrowDown: [0, step]};
    if (moves[event.key])
      viewer.set(viewer.zoom, viewer.x + moves[event.key][0], viewer.y + moves[event.key][1]);
    else if (event.key === '+' || event.key === '=') viewer.zoomBy(1.25);
    else if (event.key === '-') viewer.zoomBy(.8);
    else if (event.key === '0') viewer.fit();
    else if (event.key === '1' || event.key === '2') viewer.zoomTo(+event.key);
    else if (event.key === ' ' && viewer.brush) {
      this.press(middle);
      this.lift('end');
    }
    else return;
    event.preventDefault();
    this.point(middle);
  }
}
