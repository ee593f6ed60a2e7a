// The controls of the options, as the server declares them.
import {$, line} from '/talk.js';
import {percent, t} from '/text.js';

// Kinds of damage are chosen in the legend of the mask.
export const hasControl = ({several}) => !several;

// Gives the control of an option a value.
export function setValue({name, type}, value) {
  const input = $(name);
  if (type === 'bool') input.checked = value;
  else if (type === 'str') input.value = value;
  else input.value = Math.round(100 * value);
  input.dispatchEvent(new Event('input', {bubbles: true}));
}

// The value of the control of an option.
export function getValue({name, type}) {
  const input = $(name);
  if (type === 'bool') return input.checked;
  return type === 'str' ? input.value : input.value / 100;
}

// A row of the form: label, control and hint.
export function control({name, type, least, most, exclusive, choices, default: value}) {
  const label = t(`option.${name}.label`);
  const row = line('div', '', {id: `row-${name}`});
  const title = line('label', label, {htmlFor: name});
  const hint = line('p', t(`option.${name}.help`), {className: 'hint', id: `about-${name}`});
  const input = line(type === 'str' ? 'select' : 'input', '', {id: name, name: `option-${name}`});
  input.setAttribute('aria-describedby', hint.id);
  if (type === 'bool') {
    Object.assign(input, {type: 'checkbox', checked: value});
    title.textContent = '';
    title.append(input, ` ${label}`);
    row.append(title, hint);
  } else if (type === 'str') {
    input.append(...choices.map(choice => line('option', choice, {value: choice})));
    input.value = value;
    row.append(title, input, hint);
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
