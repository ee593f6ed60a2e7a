// The controls of a mask: finding damage, threshold, classes, brush, files.
import {CLASSES, Mask, colour, drawn} from '/mask.js';
import {$, attempt, line, on, say} from '/talk.js';

const NAMES = ['Cracks', 'Losses', 'Stains', 'Drawn by hand'];
const percent = share => share && share < .001 ? 'below 0.1 %' : `${(100 * share).toFixed(1)} %`;

export class Damage {
  // target: gives the picture that is worked on, or null to rest.
  constructor(viewer, target, onChange) {
    Object.assign(this, {viewer, target, onChange});
    this.finds = false;  // whether there are weights that find damage
    this.found = null;  // what of it counts, see Mask
    this.masks = new Map();  // by the ids of pictures
    $('classes').replaceChildren(...CLASSES.map((label, i) => this.legend(label, i)));
    let frame = 0;
    on('threshold-control', 'input', () => {
      const {mask} = this;
      if (!mask) return;
      mask.threshold = $('threshold').value / 100;
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(() => mask.set({}));
    });
    for (const type of ['input', 'change'])
      on('tools', type, () => this.refresh());
    for (const action of ['undo', 'redo', 'invert', 'clear'])
      on(action, 'click', () => {
        this.mask[action]();
        say($('mask-facts').textContent);
      });
    document.addEventListener('keydown', event => this.key(event));
    on('mask-file', 'change', attempt(() => this.open()));
    on('mask-save', 'click', attempt(() => this.save()));
    // What is drawn is nowhere else.
    addEventListener('beforeunload', event => {
      if ([...this.masks.values()].some(mask => mask.edits.some(Boolean)))
        event.preventDefault();
    });
  }

  get mask() {
    const picture = this.target();
    if (!picture) return null;
    if (!this.masks.has(picture.id))
      this.masks.set(picture.id, new Mask(picture, this.found, () => this.tell()));
    return this.masks.get(picture.id);
  }

  // All of a picture, or only what was found in it, which is then fetched anew.
  forget({id}, found = false) {
    if (!found) this.masks.delete(id);
    else if (this.masks.has(id)) this.masks.get(id).probabilities = null;
  }

  // Another picture, tool or step was chosen.
  refresh() {
    const {mask, viewer} = this;
    const open = Boolean(mask) && $('damage').open;
    $('damage').hidden = !mask;
    $('tools').hidden = $('mask-keys').hidden = !open;
    $('finding').hidden = !this.finds;
    const tool = document.querySelector('[name=tool]:checked').value;
    viewer.mask = open && $('see').checked ? mask : null;
    viewer.paintWith(open && tool
        ? {mask, radius: $('size').value / 2, erase: tool === 'eraser'} : null);
    if (!mask) return;
    $('threshold').value = Math.round(100 * mask.threshold);
    $('size-value').value = `${Math.round($('size').value / mask.scale)} px`;
    CLASSES.slice(0, 3).forEach((name, i) => { $(`class-${name}`).checked = mask.wanted[i]; });
    this.tell();
    if (open && this.target().damage.share && !mask.probabilities && !mask.coming) this.fetch(mask);
  }

  // What a network has found.
  fetch = attempt(async mask => {
    mask.coming = true;
    try {
      const answer = await fetch(`/api/pictures/${mask.picture.id}/damage/view`);
      if (!answer.ok) throw new Error('What was found could not be fetched.');
      const image = await createImageBitmap(await answer.blob(), {colorSpaceConversion: 'none'});
      const {context} = drawn(image, mask.width, mask.height);
      mask.find(context.getImageData(0, 0, mask.width, mask.height).data);
      say(`Found: ${CLASSES.slice(0, 3).map((name, i) =>
        `${NAMES[i]} ${percent(mask.share(name))}`).join(', ')} of the picture.`);
    } finally {
      mask.coming = false;
    }
  });

  // Of the kinds of damage, in the order of their classes, those that are filled.
  kinds(all) { return all.filter((kind, i) => this.mask.wanted[i]); }

  // A line of the legend.
  legend(name, i) {
    const label = line('label', '');
    if (name !== 'drawn') {
      const box = line('input', '', {type: 'checkbox', id: `class-${name}`});
      box.addEventListener('change', () => this.mask.set(
          {wanted: this.mask.wanted.map((yes, j) => j === i ? box.checked : yes)}));
      label.append(box);
    }
    const swatch = line('span', '', {className: 'swatch'});
    swatch.style.background = colour(name);
    label.append(swatch, NAMES[i], line('output', '', {id: `share-${name}`}));
    const item = line('li', '');
    item.append(label);
    return item;
  }

  // Says what the mask covers.
  tell() {
    const {mask} = this;
    if (!mask) return;
    for (const name of CLASSES) $(`share-${name}`).value = percent(mask.share(name));
    $('threshold-value').value = `${$('threshold').value} %`;
    $('mask-state').textContent = mask.touched ? `${percent(mask.area)} of the picture`
        : this.finds ? 'found at the start' : 'none yet';
    $('mask-facts').textContent = [
      mask.using && !mask.area ? 'No damage found at this threshold.' : '',
      mask.touched ? `The mask covers ${percent(mask.area)} of the picture.` : '',
      mask.scale < 1 ? `It is drawn at ${mask.width} × ${mask.height} px.` : '',
    ].join(' ').trim();
    $('undo').disabled = !mask.past.length;
    $('redo').disabled = !mask.future.length;
    this.onChange();
    this.viewer.draw();
  }

  key(event) {
    const {mask} = this;
    if (!mask || event.altKey || event.target.closest('select, textarea')) return;
    const key = event.key.toLowerCase();
    const size = +$('size').value;
    if (event.ctrlKey || event.metaKey) {
      if (key === 'z') mask[event.shiftKey ? 'redo' : 'undo']();
      else if (key === 'y') mask.redo();
      else return;
    } else if (key === '[' || key === ']') {
      $('size').value = key === '[' ? Math.min(size - 1, size / 1.25) : Math.max(size + 1, size * 1.25);
      this.refresh();
    } else return;
    event.preventDefault();
  }

  async open() {
    const [file] = $('mask-file').files;
    if (!file) return;
    const image = await createImageBitmap(file, {colorSpaceConversion: 'none'}).catch(() => {
      throw new Error(`${file.name}: this browser cannot read it as a picture; use a PNG.`);
    });
    $('mask-file').value = '';
    const {width, height} = this.target();
    if (Math.abs(image.width * height / (image.height * width) - 1) > .02)
      throw new Error(`${file.name}: ${image.width} × ${image.height} px; the picture has ${
          width} × ${height} px, so this is not a mask of it.`);
    this.mask.load(image);
    say($('mask-facts').textContent);
  }

  async save() {
    const link = line('a', '', {
      href: URL.createObjectURL(await this.mask.png()),
      download: `${this.target().name.replace(/\.[^.]*$/, '')}.mask.png`});
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }
}
