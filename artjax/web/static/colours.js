// The controls of colour hints: a colour, the picture's own ones, files.
import {Hints, palette} from '/hints.js';
import {forget, keep, kept} from '/keep.js';
import {offer, opened} from '/sheet_file.js';
import {drawn} from '/stroke.js';
import {$, attempt, complain, line, on, say} from '/talk.js';
import {percent, t} from '/text.js';

const SMALL = 128;  // px, the side at which colours of a picture are counted

const hex = colour => `#${colour.map(value => value.toString(16).padStart(2, '0')).join('')}`;
const rgb = text => [1, 3, 5].map(at => parseInt(text.slice(at, at + 2), 16));

export class Colours {
  // target: gives the picture that is colorized, or null to rest.
  constructor(viewer, tools, target, onChange) {
    Object.assign(this, {viewer, tools, target, onChange});
    this.all = new Map();  // Hints by the ids of pictures
    on('ink', 'input', () => this.choose(rgb($('ink').value)));
    on('hints-file', 'change', attempt(() => this.open()));
    on('hints-save', 'click', attempt(async () =>
      offer(await this.hints.png(), this.target(), 'hints')));
  }

  get hints() {
    const picture = this.target();
    return picture && this.of(picture);
  }

  of(picture) {
    const {id} = picture;
    if (!this.all.has(id)) {
      const hints = new Hints(picture, whole => {
        this.tell();
        if (!whole) return;
        this.swatches();
        keep('hints', id, () => hints.png(), () => complain(t('sheet.unkept')));
      });
      this.all.set(id, hints);
    }
    return this.all.get(id);
  }

  // What was drawn before the page was loaded anew.
  async restore(pictures) {
    const found = await kept('hints', pictures.map(({id}) => id));
    for (const picture of pictures) {
      if (!found.has(picture.id)) continue;
      const how = {colorSpaceConversion: 'none', premultiplyAlpha: 'none'};
      this.of(picture).restore(await createImageBitmap(found.get(picture.id), how));
    }
  }

  // The hints of a picture as a file, or nothing if there are none.
  async file(picture) {
    const hints = this.all.get(picture.id);
    return hints?.count ? hints.png() : undefined;
  }

  forget({id}) {
    this.all.delete(id);
    forget('hints', id);
  }

  // Another picture, tool or step was chosen.
  refresh() {
    const {hints} = this;
    const open = Boolean(hints) && $('hints').open;
    $('hints').hidden = !hints;
    this.tools.use(this, open ? hints : null);
    if (!hints) return;
    $('ink').value = hex(hints.colour);
    this.tell();
    if (open) this.swatches();
  }

  // The colours of the picture that is seen, and those that were drawn with.
  async swatches() {
    const picture = this.viewer.after || this.target();
    if (this.swatched !== picture.id) {
      const answer = await fetch(`/api/pictures/${picture.id}/tiles/picture/0/0_0.png`);
      if (!answer.ok) return;
      const image = await createImageBitmap(await answer.blob());
      const {context} = drawn(image, SMALL, SMALL);
      this.own = palette(context.getImageData(0, 0, SMALL, SMALL).data);
      this.swatched = picture.id;
    }
    const known = new Map([...this.own, ...(this.hints?.used || [])].map(c => [hex(c), c]));
    $('palette').replaceChildren(...[...known].map(([name, colour]) => {
      const swatch = line('button', '', {type: 'button', className: 'swatch',
        title: name, ariaLabel: t('hints.use', {colour: name})});
      swatch.style.background = name;
      swatch.addEventListener('click', () => this.choose(colour));
      return swatch;
    }));
    $('palette-none').hidden = known.size > 0;
  }

  // A colour to draw with from now on.
  choose(colour) {
    if (!colour || !this.hints) return;
    this.hints.colour = colour;
    $('ink').value = hex(colour);
    if (this.tools.tool !== 'brush') {
      this.tools.tool = 'brush';
      this.tools.refresh();
    }
  }

  tell() {
    const {hints} = this;
    if (!hints) return;
    const share = hints.area < .001 ? t('share.below', {share: percent(.001, 1)})
        : percent(hints.area, 1);
    $('hints-state').textContent = hints.count ? t('hints.share', {share}) : t('hints.none');
    $('hints-save').disabled = !hints.count;
    this.tools.tell();
    this.onChange();
  }

  announce() { say($('hints-state').textContent); }

  async open() {
    const image = await opened($('hints-file'), this.target());
    if (!image) return;
    const {name} = image;
    const {width, height} = this.hints;
    const {data} = drawn(image, width, height).context.getImageData(0, 0, width, height);
    let [least, most] = [255, 0];
    for (let i = 3; i < data.length; i += 4)
      [least, most] = [Math.min(least, data[i]), Math.max(most, data[i])];
    if (least === 255) throw new Error(t('hints.opaque', {name}));
    if (most < 9) throw new Error(t('hints.empty', {name}));
    this.hints.load(image);
    this.announce();
  }
}
