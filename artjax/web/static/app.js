// The page: pictures come in, are shown, worked on and compared. It talks to its
// own server only.
import {Colours} from '/colours.js';
import {Damage} from '/damage.js';
import {receive} from '/files.js';
import {unkept} from '/keep.js';
import {channels, made as described, outcome} from '/result.js';
import {Steps} from '/steps.js';
import {$, api, attempt, complain, line, on, say} from '/talk.js';
import {bytes, duration, menu, number, percent, t, told} from '/text.js';
import {Tools} from '/tools.js';
import {Tray} from '/tray.js';
import {Viewer} from '/view.js';
import {Work} from '/work.js';

const LEGENDS = {change: number(12.75, 2), uncertainty: number(25)};  // where they end
const viewer = new Viewer($('frame'), $('canvas'), $('split'), zoom => {
  $('zoom').value = percent(zoom);
});
const form = new Steps();
let limits = null;
let pictures = [];  // of this session, oldest first
let shown = null;  // the one that is looked at

const find = id => pictures.find(picture => picture.id === id);

// Pictures in.

const take = attempt(async files => {
  const refused = [];
  let last = null;
  for (const [i, file] of files.entries())
    try {
      last = await upload(file, i + 1, files.length);
      if (files.length > 1) tray.tick(last.id);
      show(last);
    } catch (error) {
      refused.push(error);
    }
  describe();
  if (last) say(files.length > 1 ? t('loaded.many', {n: files.length - refused.length})
      : t('loaded', {name: last.name}));
  if (refused.length)
    throw Object.assign(new Error(refused.map(error => error.message).join(' ')),
                        {language: refused.every(error => error.language) ? 'en' : ''});
});
receive(take);

async function upload(file, i, n) {
  if (limits && file.size > limits.upload)
    throw new Error(t('too_large', {name: file.name, size: bytes(file.size),
                                    limit: bytes(limits.upload)}));
  const reading = t(n > 1 ? 'reading.many' : 'reading', {name: file.name, i, n});
  say(reading);
  document.body.classList.add('busy');
  $('name').textContent = reading;
  $('facts').textContent = bytes(file.size);
  $('outcome').textContent = '';
  $('notes').hidden = $('downloads').hidden = true;
  $('about').hidden = false;
  try {
    const picture = await api(`pictures?name=${encodeURIComponent(file.name.slice(-200))}`,
                              {method: 'POST', body: file});
    pictures.push(picture);
    return picture;
  } finally {
    document.body.classList.remove('busy');
  }
}

const tray = new Tray({
  caption: picture => {
    if (!picture.made.steps) return picture.name;
    const made = described(picture.made), name = find(picture.origin)?.name;
    return name ? t('made.of', {made, name}) : t('made.of_none', {made});
  },
  show: picture => { complain(); show(picture); },
  remove: attempt(async picture => {
    await api(`pictures/${picture.id}`, {method: 'DELETE'});
    pictures = pictures.filter(other => other !== picture);
    for (const part of [damage, colours, tray]) part.forget(picture);
    show(shown === picture ? pictures.at(-1) || null : shown);
    say(t('removed', {name: picture.name}));
  }),
  onTick: () => ready(),
});

// What is shown.

function show(picture) {
  shown = picture;
  $('empty').hidden = Boolean(picture);
  $('viewer').hidden = $('another').hidden = !picture;
  describe();
  tray.draw(pictures, shown);
  ready();
  if (!picture) return;
  const origin = find(picture.origin);
  $('compare').hidden = !origin;
  $('canvas').setAttribute('aria-label', origin
      ? t('compared', {name: origin.name, made: described(picture.made)}) : picture.name);
  overlays(origin ? picture.layers : []);
  viewer.resize();
  viewer.show(origin || picture, origin ? picture : null);
  look($('view').value);
  damage.refresh();
  colours.refresh();
}

function describe() {
  $('about').hidden = !shown;
  const made = Boolean(shown && shown.made.steps);
  $('downloads').hidden = $('get-file').hidden = !made;
  $('run').classList.toggle('quiet', made);
  const origin = shown && find(shown.origin);
  $('input').hidden = !origin;
  if (origin) $('origin-name').textContent = origin.name;
  if (!shown) return;
  $('name').textContent = shown.name;
  $('facts').textContent = [
    t('facts.size', shown), t('facts.bits', {n: shown.bits}), channels(shown.channels),
    shown.format, bytes(shown.bytes)].join(' · ');
  const notices = [...shown.notices, ...(shown.tiling || [])];  // as the record has them
  const mine = [];
  $('outcome').replaceChildren(...(made ? outcome(shown) : []).map(text => line('span', `${text} `)));
  if (made) {
    const lossless = ['PNG', 'TIFF'].includes(shown.format);
    mine.push(described(shown.made),
              t(lossless ? 'file.lossless' : 'file.lossy', {format: shown.format, n: shown.bits}));
    $('get-sheet').href = `/report?picture=${shown.id}`;
    for (const part of ['file', 'report', 'mask', 'change', 'uncertainty']) {
      $(`get-${part}`).href = `/api/pictures/${shown.id}/${part}`;
      $(`get-${part}`).hidden = part in LEGENDS ? !shown.layers.includes(part)
          : part === 'mask' && !shown.mask;
    }
  }
  $('notes').hidden = !(mine.length + notices.length);
  $('notes').firstElementChild.textContent = t('notes', {n: mine.length + notices.length});
  $('notices').replaceChildren(...mine.map(text => line('li', text)),
                               ...notices.map(text => line('li', text, {lang: 'en'})));
}

function overlays(layers) {
  $('overlay-label').hidden = !layers.length;
  for (const option of $('overlay').options)
    option.disabled = option.hidden = option.value !== '' && !layers.includes(option.value);
  if (!layers.includes($('overlay').value)) $('overlay').value = '';
  const layer = viewer.overlay = $('overlay').value;
  $('legend').hidden = !layer;
  if (layer) $('legend-to').textContent = t(`legend.${layer}`, {n: LEGENDS[layer]});
  viewer.draw();
}
on('overlay', 'change', () => overlays(shown.layers));

// How before and after are compared.
function look(mode) {
  $('view').value = mode;
  $('tag-before').hidden = !viewer.after || mode === 'after';
  $('tag-after').hidden = !viewer.after || mode === 'before';
  viewer.look(mode);
}
on('view', 'change', () => look($('view').value));

function original(held) {
  viewer.original = held;
  $('tag-after').hidden = held || !viewer.after || viewer.mode === 'before';
  viewer.draw();
}
const plain = event => !event.ctrlKey && !event.metaKey && !event.altKey &&
    !event.target.closest('select, textarea');
on('hold', 'pointerdown', () => original(true));
for (const end of ['pointerup', 'pointerleave', 'pointercancel', 'blur'])
  on('hold', end, () => original(false));
for (const [type, held] of [['keydown', true], ['keyup', false]]) {
  on('hold', type, event => {
    if (event.key === ' ' || event.key === 'Enter') original(held);
  });
  document.addEventListener(type, event => {
    if (held && !event.repeat && event.key.toLowerCase() === 'l' && plain(event) && viewer.before) lens();
    if (event.key.toLowerCase() === 'o' && plain(event) &&
        (viewer.after || viewer.sheet)) original(held);
  });
}
window.addEventListener('blur', () => original(false));

// What is under the pointer, larger.
function lens(on = !viewer.lens) {
  $('lens').setAttribute('aria-pressed', on);
  viewer.glass(on);
}
on('in', 'click', () => viewer.zoomBy(1.5));
on('out', 'click', () => viewer.zoomBy(1 / 1.5));
on('fit', 'click', () => viewer.fit());
for (const [id, zoom] of [['full', 1], ['double', 2]]) $(id).textContent = percent(zoom);
on('full', 'click', () => viewer.zoomTo(1));
on('double', 'click', () => viewer.zoomTo(2));
on('lens', 'click', () => lens());

// The work.

// The picture to work on: the one shown, or the one that it was made from.
function target() {
  const origin = shown && find(shown.origin);
  return origin && $('origin').checked ? origin : shown;
}

// The mask of that picture; idle unless filling was chosen.
const wants = step => () => form.chosen.includes(step) ? target() : null;
const tools = new Tools(viewer, colour => colours.choose(colour));
const damage = new Damage(tools, wants('fill'), ready);
// And the colours it is to have; idle unless colorizing was chosen.
const colours = new Colours(viewer, tools, wants('colorize'), ready);
for (const [id, owner] of [['damage', damage], ['hints', colours]])
  on(id, 'toggle', () => {
    // What is drawn on is seen: the picture that is worked on, and not its result.
    if ($(id).open && viewer.after) look(target() === viewer.after ? 'after' : 'before');
    owner.refresh();
  });
// What could not be kept is nowhere else.
addEventListener('beforeunload', event => { if (unkept()) event.preventDefault(); });
on('form', 'change', event => {
  if (event.target.id === 'preset') form.choose($('preset').value);
  else form.tell();
  damage.refresh();
  colours.refresh();
  ready();
});

const work = new Work(text => {
  work.show();
  if (!work.busy) for (const [id, state] of tray.states) if (state === t('state.waiting')) tray.tell(id, '');
  ready();
  if (text) say(text);
  if (work.task && work.total > 1) tray.tell(work.task.picture.id, short(work.job));
}, (job, task) => ended(job, task).catch(complain));
const short = job => !job || !job.total ? t('state.starting') : percent(job.done / job.total);

// Pictures that Start works on: those that are ticked, or the one shown.
function targets() {
  const ticked = pictures.filter(({id}) => tray.ticked.has(id));
  return ticked.length ? ticked : [target()];
}

function ready() {
  const {mask} = damage;
  const many = shown ? targets() : [];
  const why = !shown ? 'why.picture'
      : !form.chosen.length ? 'why.step'
      : !mask ? ''
      : !form.can.fill.available ? 'why.weights'
      : mask.area || many.length > 1 || form.chosen.length > 1 || (form.can.detect.available && !mask.touched) ? ''
      : 'why.mask';
  $('why').textContent = work.busy || !why ? '' : t(why);
  $('run').disabled = Boolean(work.busy || why);
  $('run').textContent = many.length > 1 || tray.ticked.size ? t('start.many', {n: many.length})
      : t(form.chosen.join() === 'fill' ? 'fill' : 'start');
  $('find').disabled = work.busy;
  $('language').disabled = work.busy;  // it loads the page anew
  form.refresh();
}

on('form', 'submit', event => {
  event.preventDefault();
  if (!$('run').disabled) start(form.chosen, targets());
});
on('find', 'click', () => start(['detect'], [target()]));
on('cancel', 'click', attempt(() => work.cancel()));
on('pause', 'click', () => work.pause());

const start = attempt(async (steps, sources) => {
  const values = form.values(steps, damage.mask && (all => damage.kinds(all)));
  const tasks = sources.map(picture => ({picture, send: async () => {
    const query = new URLSearchParams({...values, steps: steps.join(), picture: picture.id, tied: true});
    const hints = steps.includes('colorize') && await colours.file(picture);
    if (hints) {
      await api(`pictures/${picture.id}/hints?name=hints.png`, {method: 'PUT', body: hints});
      query.set('hints', true);
    }
    const mask = steps.includes('fill') ? await damage.file(picture) : undefined;
    return api(`jobs?${query}`, {method: 'POST', body: mask});
  }}));
  if (tasks.length > 1) for (const {picture} of tasks) tray.tell(picture.id, t('state.waiting'));
  await work.add(tasks);
});

async function ended(job, {picture, many = work.total > 1}) {
  const fault = job.error?.message ||
      (job.reason ? t('failed', {reason: told(job.message) || job.reason}) : '');
  if (many) tray.tell(picture.id, fault ? t('state.failed', {reason: fault}) : t(`state.${job.state}`));
  if (job.state === 'failed') throw new Error(many ? t('failed.of', {name: picture.name, reason: fault}) : fault);
  if (job.state !== 'done') return say(t('job.cancelled'));
  tray.tick(picture.id, false);
  if (!job.mask && ['detect', 'fill'].includes(job.steps[0])) {
    // Damage that was found belongs to the picture it was found in.
    Object.assign(picture, await api(`pictures/${picture.id}`));
    damage.forget(picture, true);
  }
  if (job.steps[0] === 'detect') return damage.refresh();
  pictures.push(job.result);
  // Of many only that of the picture which is looked at.
  if (many && shown !== picture) return tray.draw(pictures, shown);
  $('origin').checked = true;
  $('damage').open = $('hints').open = false;
  if ($('view').value === 'before') $('view').value = 'slider';
  show(job.result);
  scrollTo(0, 0);  // where the result is, and what is said of it
  say(t('finished', {name: job.result.name}));
}

// The start: what can be done, and what this session had before a reload.

menu($('language'));
attempt(async () => {
  const [table, mine] = await Promise.all([api('abilities'), api('pictures')]);
  limits = table.limits;
  $('limits').textContent = t('formats', {pixels: limits.pixels / 1e6, bytes: bytes(limits.upload)});
  $('kept').textContent = t('kept', {time: duration(limits.minutes * 60)});
  form.fill(table);
  damage.finds = form.can.detect.available;
  damage.found = table.found;
  pictures = mine;
  await Promise.all([damage.restore(mine), colours.restore(mine)]);
  show(pictures.at(-1) || null);
  const id = sessionStorage.getItem('job');
  if (id) {
    const last = await api(`jobs/${id}`).catch(() => null);
    sessionStorage.removeItem('job');
    if (last && !['done', 'failed', 'cancelled'].includes(last.state))
      await work.add([{picture: find(last.picture) || {id: last.picture}, send: () => last}]);
  }
})();
