// The page: uploads, jobs, the view. It talks to its own server only.
import {Damage} from '/damage.js';
import {control, hasControl} from '/options.js';
import {$, api, attempt, complain, line, on, say} from '/talk.js';
import {Viewer} from '/view.js';

const LEGENDS = {change: ['none', '12.75 CIEDE2000'],
                 uncertainty: ['none', '25/255 and more']};
const viewer = new Viewer($('frame'), $('canvas'), $('split'), zoom => {
  $('zoom').value = `${Math.round(zoom * 100)} %`;
});
let limits = null;
let pictures = [];  // of this session, oldest first
let shown = null;  // the one that is looked at
let job = null;  // the one that runs
let events = null;  // of it
let can = {};  // abilities by their names
let options = [];  // as the server declares them

const count = new Intl.NumberFormat('en');
function bytes(number) {
  const units = ['B', 'kB', 'MB', 'GB'];
  const power = Math.min(3, Math.floor(Math.log10(Math.max(1, number)) / 3));
  return `${(number / 1000 ** power).toPrecision(3)} ${units[power]}`;
}
function duration(seconds) {
  return seconds < 90 ? `${Math.max(1, Math.round(seconds))} s`
      : `${Math.round(seconds / 60)} min`;
}

// Pictures in.

const take = attempt(async file => {
  if (!file) return;
  if (limits && file.size > limits.upload)
    throw new Error(`${file.name}: ${bytes(file.size)} are more than the limit of ${bytes(limits.upload)}.`);
  say(`Reading ${file.name}`);
  document.body.classList.add('busy');
  $('name').textContent = `Reading ${file.name} …`;
  $('facts').textContent = bytes(file.size);
  $('notices').replaceChildren();
  $('about').hidden = false;
  $('downloads').hidden = true;
  try {
    const picture = await api(`pictures?name=${encodeURIComponent(file.name.slice(-200))}`,
                              {method: 'POST', body: file});
    pictures.push(picture);
    show(picture);
    say(`${picture.name} is loaded`);
  } catch (error) {
    describe();
    throw error;
  } finally {
    document.body.classList.remove('busy');
  }
});

for (const input of document.querySelectorAll('.file:not(#mask-file)'))
  input.addEventListener('change', async () => {
    await take(input.files[0]);
    input.value = '';
  });
on('example', 'click', attempt(async () => {
  const answer = await fetch('/example.jpg');
  await take(new File([await answer.blob()], 'example.jpg'));
}));
document.addEventListener('paste', event => {
  const file = [...event.clipboardData.files][0];
  if (file) take(file);
  else if (!event.target.closest('input, textarea'))
    complain('There is no picture in the clipboard.');
});
document.addEventListener('dragover', event => {
  event.preventDefault();
  document.body.classList.add('over');
});
document.addEventListener('dragleave', event => {
  if (!event.relatedTarget) document.body.classList.remove('over');
});
document.addEventListener('drop', event => {
  event.preventDefault();
  document.body.classList.remove('over');
  take(event.dataTransfer.files[0]);
});

// What is shown.

const find = id => pictures.find(picture => picture.id === id);

function steps(made) {
  const titles = made.steps.map(step =>
    document.querySelector(`[data-step=${step}]`)?.dataset.title || step);
  return `${titles.join(', then ')}, ${Math.round(made.strength * 100)} %${
      made.self_ensemble ? ', self-ensemble' : ''}`;
}

function show(picture) {
  shown = picture;
  $('empty').hidden = Boolean(picture);
  $('viewer').hidden = $('another').hidden = !picture;
  describe();
  history();
  ready();
  if (!picture) return;
  const origin = find(picture.origin);
  for (const id of ['tag-before', 'tag-after', 'hold']) $(id).hidden = !origin;
  $('canvas').setAttribute('aria-label', origin
      ? `${origin.name} before and after: ${steps(picture.made)}` : picture.name);
  overlays(origin ? picture.layers : []);
  viewer.resize();
  viewer.show(origin || picture, origin ? picture : null);
  damage.refresh();
}

function describe() {
  $('about').hidden = !shown;
  const made = Boolean(shown && shown.made.steps);
  $('downloads').hidden = !made;
  const origin = shown && find(shown.origin);
  $('input').hidden = !origin;
  if (origin) $('origin-name').textContent = origin.name;
  if (!shown) return;
  $('name').textContent = shown.name;
  const facts = [`${shown.width} × ${shown.height} px`, `${shown.bits} bits`,
                 shown.channels, shown.format, bytes(shown.bytes)];
  $('facts').textContent = facts.join(' · ');
  const notices = [...shown.notices, ...(shown.tiling || [])];
  if (made) {
    notices.unshift(`${steps(shown.made)}: pixels changed by ${
        shown.change_mean_ciede2000.toFixed(2)} CIEDE2000 on average, ${
        shown.change_max_ciede2000.toFixed(1)} at most. It took ${duration(shown.seconds)}.`);
    if (shown.confidence) notices.splice(1, 0, sentence(shown.confidence.sentence));
    $('file-facts').textContent = `Lossless ${shown.format} of ${
        shown.bits} bits with profile and metadata, ${bytes(shown.bytes)}.`;
    for (const part of ['file', 'report', 'mask', 'change', 'uncertainty']) {
      $(`get-${part}`).href = `/api/pictures/${shown.id}/${part}`;
      $(`get-${part}`).hidden = part in LEGENDS ? !shown.layers.includes(part)
          : part === 'mask' && !shown.mask;
    }
  }
  $('notices').replaceChildren(...notices.map(text => line('li', text)));
}

function sentence(text) {
  return `${text[0].toUpperCase()}${text.slice(1)}.`;
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

function original(held) {
  viewer.original = held;
  $('tag-after').hidden = held || !viewer.after;
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

function history() {
  $('history').hidden = !pictures.length;
  $('strip').replaceChildren(...pictures.map(picture => {
    const item = line('li', '');
    const pick = line('button', '', {className: 'quiet pick'});
    pick.append(
        line('img', '', {src: `/api/pictures/${picture.id}/tiles/picture/0/0_0.png`, alt: ''}),
        line('span', picture.made.steps
            ? `${steps(picture.made)} of ${find(picture.origin)?.name || 'a removed picture'}`
            : picture.name));
    if (picture === shown) pick.setAttribute('aria-current', 'true');
    pick.addEventListener('click', () => { complain(); show(picture); });
    const remove = line('button', 'Remove', {
      className: 'remove', ariaLabel: `Remove ${picture.name}`});
    remove.addEventListener('click', attempt(async () => {
      await api(`pictures/${picture.id}`, {method: 'DELETE'});
      pictures = pictures.filter(other => other !== picture);
      damage.forget(picture);
      show(shown === picture ? pictures.at(-1) || null : shown);
      say(`${picture.name} is removed`);
    }));
    item.append(pick, remove);
    return item;
  }));
}

// Steps and options.

function abilities(list) {
  can = Object.fromEntries(list.map(ability => [ability.name, ability]));
  // Finding and filling share a line: what is found is filled.
  $('abilities').replaceChildren(...list.filter(a => a.name !== 'detect').map(ability => {
    const parts = ability.name === 'fill' ? [can.detect, ability] : [ability];
    const any = parts.some(part => part.available);
    const box = line(any ? 'div' : 'details', '');
    box.dataset.step = ability.name;
    const title = box.dataset.title = parts[1] ? 'Find and fill damage' : ability.title;
    if (any) {
      const label = line('label', '');
      const input = line('input', '', {
        type: 'checkbox', value: ability.name, name: 'step',
        checked: ability.default && ability.available});
      input.setAttribute('aria-describedby', `about-${ability.name}`);
      label.append(input, title);
      box.append(label);
    } else {
      box.append(line('summary', `${title}: not available`));
    }
    box.append(line('p', parts.filter(part => part.available || !any).map(part => part.about)
        .join(' '), {id: `about-${ability.name}`, className: 'hint'}));
    for (const part of parts.filter(part => !part.available)) {
      const train = line('p', `${part.title}: its weights are not installed here. To train them: `,
                         {className: 'hint'});
      train.append(line('code', part.train));
      box.append(train);
    }
    return box;
  }));
}

const chosen = () => new FormData($('form')).getAll('step');

// The picture to work on: the one shown, or the one that it was made from.
function target() {
  const origin = shown && find(shown.origin);
  return origin && $('origin').checked ? origin : shown;
}

// The mask of that picture; idle unless filling was chosen.
const damage = new Damage(viewer, () => chosen().includes('fill') ? target() : null, ready);

function ready() {
  const mask = damage.mask;
  const why = !shown ? 'Choose a picture first.'
      : !chosen().length ? 'Choose what to do.'
      : !mask ? ''
      : !can.fill.available ? 'The weights that fill are not installed here. Damage can be found and the mask saved.'
      : mask.area || (can.detect.available && !mask.touched) ? ''
      : 'The mask is empty: draw over what is to be filled, or open a mask file.';
  $('why').textContent = job ? '' : why;
  $('run').disabled = Boolean(job || why);
  $('run').textContent = chosen().join() === 'fill' ? 'Fill' : 'Start';
  $('find').disabled = Boolean(job);
  for (const option of options.filter(hasControl))
    $(`row-${option.name}`).hidden = option.name !== 'threshold' && !used(option, chosen());
}
on('form', 'change', () => { damage.refresh(); ready(); });

// Controls of the options; that of masks stands with the mask.
function controls(list) {
  options = list;
  for (const option of list.filter(hasControl))
    $(option.name === 'threshold' ? 'threshold-control' : 'options').append(control(option));
}

// Whether some steps use an option: all of them must see flips for an ensemble.
const used = ({name, stages}, steps) =>
  (!stages.length || steps.some(step => stages.includes(can[step].stage))) &&
  !(name === 'self_ensemble' && steps.includes('colorize'));
const value = ({name, type, choices, default: usual}) => {
  if (choices.length) return damage.mask ? damage.kinds(choices).join() : usual;
  return type === 'bool' ? $(name).checked : $(name).value / 100;
};

on('form', 'submit', event => {
  event.preventDefault();
  if (!$('run').disabled) start(chosen());
});
on('find', 'click', () => start(['detect']));
const start = attempt(async steps => {
  const query = new URLSearchParams({steps: steps.join(), picture: target().id, tied: true});
  for (const option of options.filter(option => used(option, steps)))
    query.set(option.name, value(option));
  const drawn = steps.includes('fill') && damage.mask.touched;
  $('run').disabled = $('find').disabled = true;
  try {
    follow(await api(`jobs?${query}`, {
      method: 'POST', body: drawn ? await damage.mask.png() : undefined}));
  } finally {
    ready();
  }
});

// Progress.

function follow(next) {
  job = next;
  sessionStorage.setItem('job', job.id);
  progress();
  events = new EventSource(`/api/jobs/${job.id}/events`);
  events.onmessage = event => {
    const state = job.state;
    job = JSON.parse(event.data);
    progress();
    if (job.state !== state) say($('progress').textContent);
    if (['done', 'failed', 'cancelled'].includes(job.state)) finish();
  };
  events.onerror = () => {
    if (events.readyState === EventSource.CLOSED) {
      finish();
      complain('The job no longer exists: the server was restarted, or the session expired.');
    }  // else the browser connects again by itself
  };
}

function progress() {
  $('job').hidden = !job;
  if (!job) return;
  const texts = {
    queued: `Waiting in the queue: place ${job.place}`,
    preparing: job.cold ? 'Loading and compiling the network: the first picture of a size takes longer'
        : 'Starting',
    running: `Tile ${job.done} of ${job.total}${
        job.eta === null ? '' : `, about ${duration(job.eta)} left`}`,
    finishing: 'Writing the files and the preview',
    done: 'Done', cancelled: 'Cancelled', failed: 'Failed'};
  $('progress').textContent = job.stopping ? 'Stopping after this tile' : texts[job.state];
  if (job.total) { $('bar').max = job.total; $('bar').value = job.done; }
  else $('bar').removeAttribute('value');
  $('cancel').disabled = job.stopping;
}

const finish = attempt(async () => {
  const ended = job;
  events.close();
  sessionStorage.removeItem('job');
  job = null;
  progress();
  ready();
  if (ended.state === 'failed') throw new Error(`It did not work: ${ended.reason}.`);
  if (ended.state !== 'done') return say('Cancelled');
  if (!ended.mask && ['detect', 'fill'].includes(ended.steps[0])) {
    // Damage that was found belongs to the picture it was found in.
    Object.assign(find(ended.picture) || {}, await api(`pictures/${ended.picture}`));
    damage.forget({id: ended.picture}, true);
  }
  if (ended.steps[0] === 'detect') return damage.refresh();
  pictures.push(ended.result);
  $('origin').checked = true;
  show(ended.result);
  $('stage').scrollIntoView({block: 'nearest'});
  say(`Done: ${ended.result.name}. The slider compares before and after.`);
});
on('cancel', 'click', attempt(async () => {
  if (job) await api(`jobs/${job.id}/cancel`, {method: 'POST'});
}));

// The start: what can be done, and what this session had before a reload.

attempt(async () => {
  const [table, mine] = await Promise.all([api('abilities'), api('pictures')]);
  limits = table.limits;
  $('limits').textContent = `, up to ${count.format(limits.pixels / 1e6)} million pixels and ${bytes(limits.upload)}`;
  $('kept').textContent = `Deleted from this server ${
      duration(limits.minutes * 60)} after the last use, or when the server stops.`;
  abilities(table.abilities);
  controls(table.options);
  damage.finds = can.detect.available;
  damage.found = table.found;
  pictures = mine;
  show(pictures.at(-1) || null);
  const id = sessionStorage.getItem('job');
  if (id) {
    const last = await api(`jobs/${id}`).catch(() => null);
    sessionStorage.removeItem('job');
    if (last && !['done', 'failed', 'cancelled'].includes(last.state)) follow(last);
  }
})();
