// A result as a page to print: pictures, figures, settings, weights, fingerprints.
import {expected} from '/result.js';
import {$, api, attempt, line, on} from '/talk.js';
import {date, list, number, t} from '/text.js';

const id = new URLSearchParams(location.search).get('picture') || '';
// Of the record: what it is called here, and digits after the point.
const FIGURES = {
  change_mean_ciede2000: ['sheet.mean', 3],
  change_max_ciede2000: ['sheet.most', 2],
  change_outside_mask_max_ciede2000: ['sheet.outside', 2],
  filled: ['sheet.filled', 4],
  uncertainty_mean: ['sheet.uncertainty_mean', 5],
  uncertainty_max: ['sheet.uncertainty_most', 4],
  consistency_psnr: ['sheet.psnr', 2],
  seconds: ['sheet.seconds', 1],
};

// rows: [name, value], and true where the value is English, or 'all' of it.
function table(title, rows) {
  const found = line('table', '');
  found.append(line('caption', t(title)));
  for (const [name, value, english] of rows) {
    const row = line('tr', '', english === 'all' ? {lang: 'en'} : {});
    row.append(line('th', name, {scope: 'row'}),
               line('td', text(value), english ? {lang: 'en'} : {}));
    found.append(row);
  }
  if (rows.length) $('tables').append(found);
}

// Values as a person reads them: [1, 2] as '1, 2', {a: 1} as 'a: 1'.
function text(value) {
  if (Array.isArray(value)) return value.map(text).join(', ') || t('none');
  if (value && typeof value === 'object')
    return Object.entries(value).map(([name, part]) => `${name}: ${text(part)}`).join('; ');
  return value === null || value === '' ? t('none') : String(value);
}

function figure(src, caption) {
  const found = line('figure', '');
  found.append(line('img', '', {src, alt: t(caption)}), line('figcaption', t(caption)));
  $('figures').append(found);
}

attempt(async () => {
  const base = `pictures/${encodeURIComponent(id)}`;
  const [picture, record] = await Promise.all([api(base), api(`${base}/report`)]);
  document.title = $('name').textContent = t('sheet.report', {name: record.output});
  $('json').href = `/api/${base}/report`;
  $('json').hidden = false;
  $('summary').textContent = t('sheet.summary', {
    name: record.source, width: record.size[0], height: record.size[1], n: record.bits,
    steps: list(record.steps.map(name => t(`ability.${name}.title`))),
    date: date(record.date.replace(/(\d\d)$/, ':$1'))});
  const preview = (key, layer) => `/api/pictures/${key}/tiles/${layer}/0/0_0.png`;
  if (await api(`pictures/${picture.origin}`).catch(() => null))
    figure(preview(picture.origin, 'picture'), 'sheet.before');
  figure(preview(id, 'picture'), 'sheet.after');
  for (const layer of picture.layers) figure(preview(id, layer), `sheet.${layer}`);
  if (picture.mask) figure(`/api/${base}/mask`, 'sheet.mask');
  table('sheet.figures', [
    ...Object.entries(FIGURES).filter(([key]) => key in record)
        .map(([key, [name, digits]]) => [t(name), number(record[key], digits)]),
    ...(record.confidence ? [[t('sheet.expected'), expected(record.confidence)]] : []),
    ...(record.damage ? [[t('sheet.damage'), record.damage, true]] : []),
    ...(record.conjectural ? [[t('sheet.conjecture'), record.conjectural, true]] : []),
  ]);
  table('sheet.notes', [...record.notices, ...record.tiling]
      .map((note, i) => [number(i + 1), note, true]));
  table('sheet.settings', Object.entries(record.options).map(row => [...row, 'all']));
  table('sheet.weights', record.weights.map(({name, task, params_sha256: hash}) =>
    [name, t('sheet.hash', {task, hash})]));
  if (record.marks) table('sheet.marks', [
    [t('sheet.history'), t(record.marks.history ? 'sheet.history.yes' : 'sheet.history.no')],
    [t('sheet.c2pa'), t('sheet.c2pa.none')],
    [t('sheet.type'), record.marks.source_type.split('/').at(-1), true],
  ]);
  table('sheet.prints', [[t('sheet.sha_source'), record.source_sha256],
                         [t('sheet.sha_result'), record.output_sha256]]);
  table('sheet.versions', [...Object.entries(record.versions), [t('sheet.device'), record.device]]);
  document.body.dataset.ready = 'yes';
})();
on('print', 'click', () => print());
