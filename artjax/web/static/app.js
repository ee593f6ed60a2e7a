// The page: pictures come in, are shown, worked on and compared. It talks to its
// own server only.
import {Damage} from '/damage.js';
import {receive} from '/files.js';
import {Steps} from '/steps.js';
import {$, api, attempt, bytes, complain, duration, line, on, say} from '/talk.js';
import {Tray} from '/tray.js';
import {Viewer} from '/view.js';
import {Work} from '/work.js';

const LEGENDS = {change: ['none', '12.75 CIEDE2000'],
                 uncertainty: ['none', '25/255 and more']};
const count = new Intl.NumberFormat('en');
const viewer = new Viewer($('frame'), $('canvas'), $('split'), zoom => {
  $('zoom').value = `${Math.round(zoom * 100)} %`;
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
      last = await upload(file, files.length > 1 ? ` (${i + 1} of ${files.length})` : '');
      if (files.length > 1) tray.tick(last.id);
      show(last);
    } catch (error) {
      refused.push(error.message);
    }
  describe();
  if (last) say(files.length > 1 ? `${files.length - refused.length} pictures are loaded`
      : `${last.name} is loaded`);
  if (refused.length) throw new Error(refused.join(' '));
});
receive(take);

async function upload(file, which) {
  if (limits && file.size > limits.upload)
    throw new Error(`${file.name}: ${bytes(file.size)} are more than the limit of ${bytes(limits.upload)}.`);
  say(`Reading ${file.name}`);
  document.body.classList.add('busy');
  $('name').textContent = `Reading ${file.name}${which} …`;
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
  caption: picture => picture.made.steps
      ? `${form.describe(picture.made)} of ${find(picture.origin)?.name || 'a removed picture'}`
      : picture.name,
  show: picture => { complain(); show(picture); },
  remove: attempt(async picture => {
    await api(`pictures/${picture.id}`, {method: 'DELETE'});
    pictures = pictures.filter(other => other !== picture);
    damage.forget(picture);
    tray.forget(picture);
    show(shown === picture ? pictures.at(-1) || null : shown);
    say(`${picture.name} is removed`);
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
      ? `${origin.name} before and after: ${form.describe(picture.made)}` : picture.name);
  overlays(origin ? picture.layers : []);
  viewer.resize();
  viewer.show(origin || picture, origin ? picture : null);
  look($('view').value);
  damage.refresh();
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
    `${shown.width} × ${shown.height} px`, `${shown.bits} bits`, shown.channels,
    shown.format, bytes(shown.bytes)].join(' · ');
  const notices = [...shown.notices, ...(shown.tiling || [])];
  $('outcome').textContent = made ? outcome(shown) : '';
  if (made) {
    notices.unshift(`${form.describe(shown.made)}.`,
        `${['PNG', 'TIFF'].includes(shown.format) ? 'Lossless ' : ''}${shown.format} of ${
            shown.bits} bits with profile and metadata.`);
    $('get-sheet').href = `/report?picture=${shown.id}`;
    for (const part of ['file', 'report', 'mask', 'change', 'uncertainty']) {
      $(`get-${part}`).href = `/api/pictures/${shown.id}/${part}`;
      $(`get-${part}`).hidden = part in LEGENDS ? !shown.layers.includes(part)
          : part === 'mask' && !shown.mask;
    }
  }
  $('notes').hidden = !notices.length;
  $('notes').firstElementChild.textContent =
      notices.length === 1 ? '1 note' : `${notices.length} notes`;
  $('notices').replaceChildren(...notices.map(text => line('li', text)));
}

function outcome({confidence, seconds, ...result}) {
  const right = confidence ? ` ${confidence.sentence[0].toUpperCase()}${
      confidence.sentence.slice(1)}.` : '';
  return `Changed by ${result.change_mean_ciede2000.toFixed(2)} CIEDE2000 on average, ${
      result.change_max_ciede2000.toFixed(1)} at most, in ${duration(seconds)}.${right}`;
}

function overlays(layers) {
  $('overlay-label').hidden = !layers.length;
  for (const option of $('overlay').options)
    option.disabled = option.hidden = option.value !== '' && !layers.includes(option.value);
  if (!layers.includes($('overlay').value)) $('overlay').value = '';
  const layer = viewer.overlay = $('overlay').value;
  $('legend').hidden = !layer;
  if (layer) [$('legend-from').textContent, $('legend-to').textContent] = LEGENDS[layer];
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
on('hold', 'pointerdown', () => original(true));
for (const end of ['pointerup', 'pointerleave', 'pointercancel', 'blur'])
  on('hold', end, () => original(false));
for (const [type, held] of [['keydown', true], ['keyup', false]]) {
  on('hold', type, event => {
    if (event.key === ' ' || event.key === 'Enter') original(held);
  });
  document.addEventListener(type, event => {
    if (event.key.toLowerCase() === 'o' && !event.ctrlKey && !event.metaKey &&
        (viewer.after || viewer.mask) && !event.target.closest('select, textarea')) original(held);
  });
}
window.addEventListener('blur', () => original(false));
on('in', 'click', () => viewer.zoomBy(1.5));
on('out', 'click', () => viewer.zoomBy(1 / 1.5));
on('fit', 'click', () => viewer.fit());
on('full', 'click', () => viewer.zoomTo(1));
on('double', 'click', () => viewer.zoomTo(2));

// The work.

// The picture to work on: the one shown, or the one that it was made from.
function target() {
  const origin = shown && find(shown.origin);
  return origin && $('origin').checked ? origin : shown;
}

// The mask of that picture; idle unless filling was chosen.
const damage = new Damage(viewer, () => form.chosen.includes('fill') ? target() : null, ready);
on('damage', 'toggle', () => {
  // What is drawn on is seen: the picture that is filled, and not its result.
  if ($('damage').open && viewer.after)
    look(target() === viewer.after ? 'after' : 'before');
  damage.refresh();
});
on('form', 'change', event => {
  if (event.target.id === 'preset') form.choose($('preset').value);
  else form.tell();
  damage.refresh();
  ready();
});

const work = new Work(text => {
  work.show();
  ready();
  if (text) say(text);
  if (work.task && work.total > 1) tray.tell(work.task.picture.id, short(work.job));
}, (job, task) => ended(job, task).catch(complain));
const short = job => !job || !job.total ? 'starting'
    : `${Math.round(100 * job.done / job.total)} %`;

// Pictures that Start works on: those that are ticked, or the one shown.
function targets() {
  const ticked = pictures.filter(({id}) => tray.ticked.has(id));
  return ticked.length ? ticked : [target()];
}

function ready() {
  const {mask} = damage;
  const many = shown ? targets() : [];
  const why = !shown ? 'Choose a picture first.'
      : !form.chosen.length ? 'Choose what to do.'
      : !mask ? ''
      : !form.can.fill.available ? 'The weights that fill are not installed here. Damage can be found and the mask saved.'
      : mask.area || many.length > 1 || form.chosen.length > 1 || (form.can.detect.available && !mask.touched) ? ''
      : 'The mask is empty: draw over what is to be filled, or open a mask file.';
  $('why').textContent = work.busy ? '' : why;
  $('run').disabled = Boolean(work.busy || why);
  $('run').textContent = many.length > 1 || tray.ticked.size ? `Start: ${many.length} picture${many.length > 1 ? 's' : ''}`
      : form.chosen.join() === 'fill' ? 'Fill' : 'Start';
  $('find').disabled = work.busy;
  form.refresh();
}

on('form', 'submit', event => {
  event.preventDefault();
  if (!$('run').disabled) start(form.chosen, targets());
});
on('find', 'click', () => start(['detect'], [target()]));
on('cancel', 'click', attempt(() => work.cancel()));

const start = attempt(async (steps, sources) => {
  const values = form.values(steps, damage.mask && (all => damage.kinds(all)));
  const tasks = sources.map(picture => ({picture, send: async () => {
    const query = new URLSearchParams({...values, steps: steps.join(), picture: picture.id, tied: true});
    const mask = steps.includes('fill') && damage.masks.get(picture.id);
    return api(`jobs?${query}`, {
      method: 'POST', body: mask && mask.touched ? await mask.png() : undefined});
  }}));
  if (tasks.length > 1) for (const {picture} of tasks) tray.tell(picture.id, 'waiting');
  await work.add(tasks);
});

async function ended(job, {picture, many = work.total > 1}) {
  const fault = job.error?.message || (job.reason ? `It did not work: ${job.reason}.` : '');
  if (many) tray.tell(picture.id, fault ? `failed: ${fault}` : job.state);
  if (work.stopped) for (const [id, state] of tray.states) if (state === 'waiting') tray.tell(id, '');
  if (job.state === 'failed') throw new Error(many ? `${picture.name}: ${fault}` : fault);
  if (job.state !== 'done') return say('Cancelled');
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
  $('damage').open = false;
  if ($('view').value === 'before') $('view').value = 'slider';
  show(job.result);
  $('stage').scrollIntoView({block: 'nearest'});
  say(`Done: ${job.result.name}. The slider compares before and after.`);
}

// The start: what can be done, and what this session had before a reload.

attempt(async () => {
  const [table, mine] = await Promise.all([api('abilities'), api('pictures')]);
  limits = table.limits;
  $('limits').textContent = `, up to ${count.format(limits.pixels / 1e6)} million pixels and ${bytes(limits.upload)}`;
  $('kept').textContent = `Deleted ${duration(limits.minutes * 60)} after the last use.`;
  form.fill(table);
  damage.finds = form.can.detect.available;
  damage.found = table.found;
  pictures = mine;
  show(pictures.at(-1) || null);
  const id = sessionStorage.getItem('job');
  if (id) {
    const last = await api(`jobs/${id}`).catch(() => null);
    sessionStorage.removeItem('job');
    if (last && !['done', 'failed', 'cancelled'].includes(last.state))
      await work.add([{picture: find(last.picture) || {id: last.picture}, send: () => last}]);
  }
})();
