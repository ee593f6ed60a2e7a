// Which weights do a step: of those that are there one, or a blend of two.
import {$, line} from '/talk.js';
import {percent, t} from '/text.js';

export class Weights {
  // Of the answer to /api/abilities: a row for each step with a choice.
  fill(abilities, onChange) {
    this.steps = abilities.filter(({choices}) => choices.length > 1);
    $('weights').replaceChildren(...this.steps.map(ability => this.row(ability)));
    $('weights').addEventListener('input', () => {
      for (const ability of this.steps) this.offer(ability);
      onChange();
    });
    this.reset();
  }

  row({name, choices}) {
    const row = line('div', '', {id: `weights-${name}`});
    const label = (text, control, id) => {
      const found = line('label', '', {className: 'row', id});
      found.append(line('span', text), control);
      return found;
    };
    const pick = line('select', '', {id: `weights-${name}-first`});
    pick.append(...choices.map(choice => line('option', t('weights.line', {
      name: choice.name, scale: choice.scale, licence: choice.licence || t('weights.unknown')}),
      {value: choice.name})));
    const share = line('input', '', {type: 'range', min: 1, max: 99, value: 50,
                                     id: `weights-${name}-share`});
    row.append(label(t('weights', {title: t(`ability.${name}.title`)}), pick),
               label(t('weights.blend'), line('select', '', {id: `weights-${name}-second`}),
                     `blend-${name}`),
               label('', share, `share-${name}`));
    return row;
  }

  // Those that the first can be blended with, and how much there is of it.
  offer({name, choices}) {
    const at = part => $(`weights-${name}-${part}`);
    const {network} = choices.find(choice => choice.name === at('first').value);
    const others = choices.filter(choice =>
      choice.network === network && choice.name !== at('first').value);
    const last = at('second').value;
    at('second').replaceChildren(line('option', t('weights.alone'), {value: ''}),
        ...others.map(choice => line('option', choice.name, {value: choice.name})));
    at('second').value = others.some(choice => choice.name === last) ? last : '';
    $(`blend-${name}`).hidden = !others.length;
    $(`share-${name}`).hidden = !at('second').value;
    $(`share-${name}`).firstElementChild.textContent =
        t('weights.share', {name: at('first').value, share: percent(at('share').value / 100)});
  }

  // The usual ones.
  reset() {
    for (const ability of this.steps) {
      $(`weights-${ability.name}-first`).value = ability.weights;
      $(`weights-${ability.name}-second`).replaceChildren();
      this.offer(ability);
    }
  }

  // Shows those of the steps that are chosen; what is filled or lightened is found before.
  refresh(steps) {
    for (const {name} of this.steps || [])
      $(`weights-${name}`).hidden = !this.used(name, steps);
  }

  used(name, steps) {
    return steps.includes(name) || (name === 'detect' && ['fill', 'stains'].some(step => steps.includes(step)));
  }

  // As a job wants them, '' for the usual.
  value(steps) {
    return this.steps.filter(({name}) => this.used(name, steps)).map(({name, weights}) => {
      const [first, second, share] = ['first', 'second', 'share'].map(part =>
        $(`weights-${name}-${part}`).value);
      if (second) return `${first}:${(share / 100).toString()}+${second}:${((100 - share) / 100).toString()}`;
      return first === weights ? '' : first;
    }).filter(Boolean).join();
  }
}
