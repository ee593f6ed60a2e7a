// The controls of the options, as the server declares them.
import {$, line} from '/talk.js';
import {percent, t} from '/text.js';

// Kinds of damage are chosen in the legend of the mask.
export const hasControl = ({choices}) => !choices.length;

// Gives the control of an option a value.
export function setValue({name, type}, value) {
  const input = $(name);
  if (type === 'bool') input.checked = value;
  else input.value = Math.round(100 * value);
  input.dispatchEvent(new Event('input', {bubbles: true}));
}

// A row of the form: label, control and hint.
export function control({name, type, least, most, exclusive, default: value}) {
  const label = t(`option.${name}.label`);
  const row = line('div', '', {id: `row-${name}`});
  const title = line('label', label, {htmlFor: name});
  const hint = line('p', t(`option.${name}.help`), {className: 'hint', id: `about-${name}`});
  const input = line('input', '', {id: name, name: `option-${name}`});
  input.setAttribute('aria-describedby', hint.id);
  if (type === 'bool') {
    Object.assign(input, {type: 'checkbox', checked: value});
    title.textContent = '';
    title.append(input, ` ${label}`);
    row.append(title, hint);
  } else {  // a share, shown in per cent
    const inside = exclusive ? 1 : 0;
    Object.assign(input, {type: 'range', min: 100 * least + inside, max: 100 * most - inside});
    input.value = 100 * value;
    const output = line('output', percent(input.value / 100), {id: `${name}-value`, htmlFor: name});
    input.addEventListener('input', () => { output.value = percent(input.value / 100); });
    const bar = line('div', '', {className: 'row'});
    bar.append(title, output, input);
    row.append(bar, hint);
  }
  return row;
}
