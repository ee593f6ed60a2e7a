// A result as a page to print: pictures, figures, settings, weights, fingerprints.
import {$, api, attempt, line, on} from '/talk.js';

const id = new URLSearchParams(location.search).get('picture') || '';
const FIGURES = {
  change_mean_ciede2000: 'Mean change, CIEDE2000',
  change_max_ciede2000: 'Largest change, CIEDE2000',
  change_outside_mask_max_ciede2000: 'Largest change outside the mask, CIEDE2000',
  filled: 'Share of the picture that was filled',
  uncertainty_mean: 'Mean disagreement of 8 views, of 1',
  uncertainty_max: 'Largest disagreement of 8 views, of 1',
  consistency_psnr: 'Agreement of the enlarged picture with the original, dB',
  seconds: 'Seconds',
};

function table(title, rows) {
  const found = line('table', '');
  found.append(line('caption', title));
  for (const [name, value] of rows) {
    const row = line('tr', '');
    row.append(line('th', name, {scope: 'row'}), line('td', text(value)));
    found.append(row);
  }
  if (rows.length) $('tables').append(found);
}

// Values as a person reads them: [1, 2] as '1, 2', {a: 1} as 'a: 1'.
function text(value) {
  if (Array.isArray(value)) return value.map(text).join(', ') || 'none';
  if (value && typeof value === 'object')
    return Object.entries(value).map(([name, part]) => `${name}: ${text(part)}`).join('; ');
  return value === null || value === '' ? 'none' : String(value);
}

function figure(src, caption) {
  const found = line('figure', '');
  found.append(line('img', '', {src, alt: caption}), line('figcaption', caption));
  $('figures').append(found);
}

attempt(async () => {
  const base = `pictures/${encodeURIComponent(id)}`;
  const [picture, record] = await Promise.all([api(base), api(`${base}/report`)]);
  document.title = $('name').textContent = `Report: ${record.output}`;
  $('json').href = `/api/${base}/report`;
  $('json').hidden = false;
  $('summary').textContent = `${record.source}, ${record.size.join(' × ')} px, ${record.bits} bits: ${
      record.steps.join(', then ')}, ${record.date}.`;
  const preview = (key, layer) => `/api/pictures/${key}/tiles/${layer}/0/0_0.png`;
  if (await api(`pictures/${picture.origin}`).catch(() => null))
    figure(preview(picture.origin, 'picture'), 'Before');
  figure(preview(id, 'picture'), 'After');
  if (picture.layers.includes('change'))
    figure(preview(id, 'change'), 'How far each pixel was changed: from clear, nothing, to bright, 12.75 CIEDE2000');
  if (picture.layers.includes('uncertainty'))
    figure(preview(id, 'uncertainty'), 'Where 8 flips and turns of the picture disagree: to bright, 25/255');
  if (picture.mask) figure(`/api/${base}/mask`, 'What was filled, white: it is invented');
  table('Figures', [
    ...Object.entries(FIGURES).filter(([key]) => key in record)
        .map(([key, name]) => [name, record[key]]),
    ...(record.confidence ? [['Expected accuracy', record.confidence.sentence]] : []),
    ...(record.damage ? [['Damage found', record.damage]] : []),
    ...(record.conjectural ? [['Nobody has ever seen', record.conjectural]] : []),
  ]);
  table('Notes', [...record.notices, ...record.tiling].map((note, i) => [i + 1, note]));
  table('Settings', Object.entries(record.options));
  table('Weights', record.weights.map(({name, task, params_sha256: hash}) =>
    [name, `${task}, SHA-256 of its parameters ${hash}`]));
  table('Fingerprints', [['SHA-256 of the original', record.source_sha256],
                         ['SHA-256 of the result', record.output_sha256]]);
  table('Made with', [...Object.entries(record.versions), ['device', record.device]]);
  document.body.dataset.ready = 'yes';
})();
on('print', 'click', () => print());
