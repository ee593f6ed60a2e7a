// The bar of tools: with it masks and colours are drawn, undone, cleared.
import {$, on} from '/talk.js';
import {t} from '/text.js';

export class Tools {
  // pick: gets a colour, [r, g, b], that was picked from the picture.
  constructor(viewer, pick) {
    Object.assign(this, {viewer, pick});
    this.sheet = null;  // what is drawn on
    this.owner = null;  // who has said so
    for (const type of ['input', 'change']) on('tools', type, () => this.refresh());
    for (const action of ['undo', 'redo', 'invert', 'clear'])
      on(action, 'click', () => {
        this.sheet[action]();
        this.owner.announce();
      });
    document.addEventListener('keydown', event => this.key(event));
  }

  // Draws on a sheet of an owner from now on, or on none of it.
  use(owner, sheet) {
    if (sheet) [this.owner, this.sheet] = [owner, sheet];
    else if (this.owner === owner) this.owner = this.sheet = null;
    this.refresh();
  }

  get tool() { return document.querySelector('[name=tool]:checked').value; }
  set tool(name) { document.querySelector(`[name=tool][value="${name}"]`).checked = true; }

  refresh() {
    const {sheet, viewer} = this;
    $('tools').hidden = $('draw-keys').hidden = !sheet;
    const colours = Boolean(sheet?.colour);
    $('invert').hidden = colours;
    $('ink-label').hidden = $('pick-label').hidden = !colours;
    if (!colours && this.tool === 'pick') this.tool = 'brush';
    viewer.sheet = sheet && $('see').checked ? sheet : null;
    viewer.paintWith(sheet && this.tool
        ? {sheet, radius: $('size').value / 2, tool: this.tool, pick: this.pick} : null);
    if (!sheet) return;
    $('see-label').textContent = t(colours ? 'see.hints' : 'see.mask');
    $('size-value').value = t('px', {n: Math.round($('size').value / sheet.scale)});
    this.tell();
  }

  // The sheet has changed.
  tell() {
    if (!this.sheet) return;
    $('undo').disabled = !this.sheet.past.length;
    $('redo').disabled = !this.sheet.future.length;
    this.viewer.draw();
  }

  key(event) {
    const {sheet} = this;
    if (!sheet || event.altKey || event.target.closest('select, textarea')) return;
    const key = event.key.toLowerCase();
    const size = +$('size').value;
    if (event.ctrlKey || event.metaKey) {
      if (key === 'z') sheet[event.shiftKey ? 'redo' : 'undo']();
      else if (key === 'y') sheet.redo();
      else return;
    } else if (key === '[' || key === ']') {
      $('size').value = key === '[' ? Math.min(size - 1, size / 1.25) : Math.max(size + 1, size * 1.25);
      this.refresh();
    } else return;
    event.preventDefault();
  }
}
