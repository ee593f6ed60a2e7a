// The pictures of this session: which is shown, which are ticked, how far each is.
import {$, line, on} from '/talk.js';
import {t} from '/text.js';

export class Tray {
  // caption: of a picture; show, remove: what is done with one.
  constructor({caption, show, remove, onTick}) {
    Object.assign(this, {caption, show, remove, onTick});
    this.ticked = new Set();  // ids of those that are worked on together
    this.states = new Map();  // id -> how far it is, for a person
    this.pictures = [];
    on('tick', 'click', () => {
      const sources = this.sources();
      const all = sources.every(({id}) => this.ticked.has(id));
      for (const {id} of sources) this.tick(id, !all);
      this.draw(this.pictures, this.shown);
      this.onTick();
    });
  }

  // Those that were uploaded.
  sources() { return this.pictures.filter(({origin}) => !origin); }

  tick(id, yes = true) { this.ticked[yes ? 'add' : 'delete'](id); }

  forget({id}) {
    this.ticked.delete(id);
    this.states.delete(id);
  }

  draw(pictures, shown) {
    const another = shown !== this.shown;
    Object.assign(this, {pictures, shown});
    $('history').hidden = pictures.length < 2;
    $('tick').hidden = this.sources().length < 2;
    const made = pictures.filter(({origin}) => origin).length;
    $('get-all').hidden = made < 2;
    $('get-all').textContent = t('results', {n: made});
    const place = $('strip').scrollLeft;
    $('strip').replaceChildren(...pictures.map(picture => this.item(picture)));
    $('strip').scrollLeft = place;
    if (another && shown) this.reach($('strip').children[pictures.indexOf(shown)]);
  }

  // Scrolls the strip, and nothing else, until an item of it is in sight.
  reach({offsetLeft, offsetWidth}) {
    const {scrollLeft, clientWidth} = $('strip');
    $('strip').scrollLeft = Math.min(offsetLeft, Math.max(scrollLeft, offsetLeft + offsetWidth - clientWidth));
  }

  item(picture) {
    const {id, name, origin} = picture;
    const item = line('li', '');
    const pick = line('button', '', {className: 'quiet pick', title: name});
    const state = this.states.get(id) || '';
    pick.append(
        line('img', '', {src: `/api/pictures/${id}/tiles/picture/0/0_0.png`, alt: '', loading: 'lazy'}),
        line('span', this.caption(picture)),
        line('span', state || (origin ? t('state.result') : ' '), {className: 'state', title: state}));
    if (picture === this.shown) pick.setAttribute('aria-current', 'true');
    pick.addEventListener('click', () => this.show(picture));
    const remove = line('button', '×', {className: 'quiet remove', ariaLabel: t('remove', {name})});
    remove.addEventListener('click', () => this.remove(picture));
    item.append(pick, remove);
    if (!origin && !$('tick').hidden) {
      const box = line('input', '', {type: 'checkbox', className: 'tick',
        ariaLabel: t('tick', {name}), checked: this.ticked.has(id)});
      box.addEventListener('change', () => {
        this.tick(id, box.checked);
        this.onTick();
      });
      item.append(box);
    }
    return item;
  }

  // How far one picture is, without drawing the others anew.
  tell(id, text) {
    this.states.set(id, text);
    const at = this.pictures.findIndex(picture => picture.id === id);
    const place = $('strip').children[at]?.querySelector('.state');
    if (place) place.textContent = place.title = text || ' ';
  }
}
