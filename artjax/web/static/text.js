// The words of the page, in the language of the browser or the one chosen. What
// numbers look like is left to Intl.

export const LANGUAGES = {en: 'English', de: 'Deutsch', fr: 'Français', es: 'Español',
                          it: 'Italiano', ja: '日本語', hi: 'हिन्दी'};

function chosen() {
  try { return localStorage.getItem('language'); } catch { return null; }  // none may be kept
}

const wanted = [chosen(), ...navigator.languages].filter(Boolean);
export const language = wanted.map(tag => tag.split('-')[0]).find(tag => tag in LANGUAGES) || 'en';
const locale = navigator.languages.find(tag => tag.split('-')[0] === language) || language;
const rules = new Intl.PluralRules(language);
const plain = new Intl.NumberFormat(locale);
const table = await (await fetch(`/strings/${language}.json`)).json();

// A text, its {names} filled in; of several forms that for the number n.
export function t(key, values = {}) {
  let text = table[key];
  if (text && typeof text === 'object') text = text[rules.select(values.n)] ?? text.other;
  if (text === undefined) throw new Error(`no text ${key}`);
  const filled = text.replace(/\{(\w+)\}/g, (_, name) =>
    typeof values[name] === 'number' ? plain.format(values[name]) : values[name]);
  return filled.replace(/(?<!\.)\.\.$/, '.');  // A unit such as 'Sek.' may end a sentence.
}

export const known = key => key in table;

export function number(value, digits = 0) {
  return new Intl.NumberFormat(locale, {
    minimumFractionDigits: digits, maximumFractionDigits: digits}).format(value);
}

export function percent(share, digits = 0) {
  return new Intl.NumberFormat(locale, {style: 'percent',
    minimumFractionDigits: digits, maximumFractionDigits: digits}).format(share);
}

const unit = (value, name, more) => new Intl.NumberFormat(locale, {
  style: 'unit', unit: name, unitDisplay: 'short', ...more}).format(value);

export function bytes(count) {
  const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte'];
  const power = Math.min(3, Math.floor(Math.log10(Math.max(1, count)) / 3));
  return unit(count / 1000 ** power, units[power], {maximumSignificantDigits: 3});
}

export function duration(seconds) {
  return seconds < 90 ? unit(Math.max(1, Math.round(seconds)), 'second')
      : unit(Math.round(seconds / 60), 'minute');
}

export function list(parts) {
  return new Intl.ListFormat(locale, {type: 'unit', style: 'short'}).format(parts);
}

export function date(text) {
  return new Intl.DateTimeFormat(locale, {dateStyle: 'long', timeStyle: 'short'})
      .format(new Date(text));
}

// What the server refuses: in this language where it is one of its messages.
export const told = ({key, values} = {}) => known(`message.${key}`) ? t(`message.${key}`, values) : '';

// Fills in what the page itself says.
export function dress(root = document) {
  document.documentElement.lang = language;
  document.documentElement.dir = t('dir');
  for (const element of root.querySelectorAll('[data-t]'))
    element.textContent = t(element.dataset.t);
  for (const element of root.querySelectorAll('[data-label]'))
    element.setAttribute('aria-label', t(element.dataset.label));
}

// The menu of languages; the page is loaded anew in the one that is chosen.
export function menu(select) {
  for (const [tag, name] of Object.entries(LANGUAGES))
    select.append(Object.assign(document.createElement('option'),
                                {value: tag, textContent: name, lang: tag}));
  select.value = language;
  select.addEventListener('change', () => {
    try { localStorage.setItem('language', select.value); } catch { /* for now */ }
    location.reload();
  });
}

dress();
