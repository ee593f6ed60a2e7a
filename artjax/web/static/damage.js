// The controls of a mask: finding damage, threshold, classes, files.
import {forget, keep, kept} from '/keep.js';
import {CLASSES, Mask, colour} from '/mask.js';
import {offer, opened} from '/sheet_file.js';
import {drawn} from '/stroke.js';
import {$, attempt, complain, line, on, say} from '/talk.js';
import {list, percent, t} from '/text.js';

const part = share => share && share < .001
    ? t('share.below', {share: percent(.001, 1)}) : percent(share, 1);

export class Damage {
  // target: gives the picture that is worked on, or null to rest.
  constructor(tools, target, onChange) {
    Object.assign(this, {tools, target, onChange});
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
    on('mask-file', 'change', attempt(() => this.open()));
    on('mask-save', 'click', attempt(() => this.save()));
  }

  get mask() {
    const picture = this.target();
    return picture && this.of(picture);
  }

  of(picture) {
    const {id} = picture;
    if (!this.masks.has(id)) {
      const mask = new Mask(picture, this.found, whole => {
        this.tell();
        if (whole) keep('mask', id, () => mask.pack(), () => complain(t('sheet.unkept')));
      });
      this.masks.set(id, mask);
    }
    return this.masks.get(id);
  }

  // What was drawn before the page was loaded anew.
  async restore(pictures) {
    const found = await kept('mask', pictures.map(({id}) => id));
    for (const picture of pictures)
      if (found.has(picture.id)) this.of(picture).unpack(found.get(picture.id));
  }

  // The mask of a picture as a file, or nothing if there is none.
  async file(picture) {
    const mask = this.masks.get(picture.id);
    if (!mask?.touched) return undefined;
    if (mask.using && !mask.probabilities) await this.load(mask);
    return mask.png();
  }

  // All of a picture, or only what was found in it, which is then fetched anew.
  forget({id}, found = false) {
    if (found && this.masks.has(id)) this.masks.get(id).probabilities = null;
    if (found) return;
    this.masks.delete(id);
    forget('mask', id);
  }

  // Another picture, tool or step was chosen.
  refresh() {
    const {mask} = this;
    const open = Boolean(mask) && $('damage').open;
    $('damage').hidden = !mask;
    $('finding').hidden = !this.finds;
    this.tools.use(this, open ? mask : null);
    if (!mask) return;
    $('threshold').value = Math.round(100 * mask.threshold);
    CLASSES.slice(0, 3).forEach((name, i) => { $(`class-${name}`).checked = mask.wanted[i]; });
    this.tell();
    if (open && this.target().damage.share && !mask.probabilities && !mask.coming) this.fetch(mask);
  }

  fetch = attempt(async mask => {
    await this.load(mask);
    say(t('found', {list: list(CLASSES.slice(0, 3).map(name =>
      t('found.item', {name: t(`class.${name}`), share: part(mask.share(name))})))}));
  });

  // What a network has found.
  async load(mask) {
    mask.coming = true;
    try {
      const answer = await fetch(`/api/pictures/${mask.picture.id}/damage/view`);
      if (!answer.ok) throw new Error(t('found.failed'));
      const image = await createImageBitmap(await answer.blob(), {colorSpaceConversion: 'none'});
      const {context} = drawn(image, mask.width, mask.height);
      mask.find(context.getImageData(0, 0, mask.width, mask.height).data);
    } finally {
      mask.coming = false;
    }
  }

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
    label.append(swatch, t(`class.${name}`), line('output', '', {id: `share-${name}`}));
    const item = line('li', '');
    item.append(label);
    return item;
  }

  // Says what the mask covers.
  tell() {
    const {mask} = this;
    if (!mask) return;
    for (const name of CLASSES) $(`share-${name}`).value = mask.touched ? part(mask.share(name)) : '';
    $('threshold-value').value = percent($('threshold').value / 100);
    $('mask-state').textContent = mask.touched ? t('damage.share', {share: part(mask.area)})
        : t(this.finds ? 'damage.later' : 'damage.none');
    $('mask-facts').textContent = [
      mask.using && !mask.area ? t('mask.nothing') : '',
      mask.touched ? t('mask.covers', {share: part(mask.area)}) : '',
      mask.scale < 1 ? t('mask.size', mask) : '',
    ].join(' ').trim();
    this.tools.tell();
    this.onChange();
  }

  announce() { say($('mask-facts').textContent); }

  async open() {
    const image = await opened($('mask-file'), this.target());
    if (!image) return;
    this.mask.load(image);
    this.announce();
  }

  async save() { offer(await this.mask.png(), this.target(), 'mask'); }
}
