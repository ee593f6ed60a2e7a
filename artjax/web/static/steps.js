// The form: what can be done and how, as the server declares it.
import {control, getValue, hasControl, setValue} from '/options.js';
import {$, line} from '/talk.js';
import {t} from '/text.js';
import {Weights} from '/weights.js';

const titled = ({name}) => t(`ability.${name}.title`);

export class Steps {
  weights = new Weights();

  // Of the answer to /api/abilities.
  fill({abilities, options, presets}) {
    this.can = Object.fromEntries(abilities.map(ability => [ability.name, ability]));
    this.options = options;
    // Finding and filling share a line: what is found is filled.
    $('abilities').replaceChildren(...abilities.filter(({name}) => name !== 'detect')
        .map(ability => this.row(ability)));
    for (const option of options.filter(hasControl))
      $(option.name === 'threshold' ? 'threshold-control' : 'options').append(control(option));
    this.weights.fill(abilities, () => this.tell());
    this.presets = presets.filter(({available}) => available);
    $('preset').replaceChildren(
        ...this.presets.map(({name}) => line('option', t(`preset.${name}.title`), {value: name})),
        line('option', t('kind.own'), {value: ''}));
    $('preset-label').hidden = !this.presets.length;
    this.tell();
  }

  // The options with a row; the threshold is that of a mask.
  get settings() {
    return this.options.filter(option => hasControl(option) && option.name !== 'threshold');
  }

  // Sets all that a preset says; what it does not say is as usual.
  choose(name) {
    const preset = this.presets.find(preset => preset.name === name);
    if (preset) {
      for (const box of document.querySelectorAll('[name=step]'))
        box.checked = preset.steps.includes(box.value);
      for (const option of this.settings)
        setValue(option, preset.options[option.name] ?? option.default);
      this.weights.reset();
    }
    this.tell();
  }

  // Says which preset the form stands at; none if something else was chosen.
  tell() {
    const chosen = this.chosen.join();
    const same = this.presets.find(({steps, options}) => steps.join() === chosen &&
        !this.weights.value(steps) &&
        this.settings.every(option =>
          getValue(option) === (options[option.name] ?? option.default)));
    $('preset').value = same?.name || '';
    $('preset-about').textContent = same ? t(`preset.${same.name}.about`) : '';
  }

  row(ability) {
    const {can} = this;
    const parts = ability.name === 'fill' ? [can.detect, ability] : [ability];
    const any = parts.some(part => part.available);
    const title = parts[1] ? t('fill.both') : titled(ability);
    const box = line(any ? 'div' : 'details', '');
    if (any) {
      const label = line('label', '');
      const input = line('input', '', {type: 'checkbox', value: ability.name, name: 'step',
        checked: ability.default && ability.available});
      input.setAttribute('aria-describedby', `about-${ability.name}`);
      label.append(input, title);
      const about = line('details', '', {className: 'hint'});
      about.append(line('summary', t(`ability.${ability.name}.about`), {id: `about-${ability.name}`}),
                   ...parts.map(({name}) => line('p', t(`ability.${name}.more`))));
      box.append(label, about);
    } else {
      box.className = 'missing';
      box.append(line('summary', t('missing', {title})));
    }
    for (const part of parts.filter(part => !part.available)) {
      const train = line('p', t('missing.train', {title: titled(part)}), {className: 'hint'});
      train.append(' ', line('code', part.train));
      box.append(train);
    }
    if (parts[1]) box.append($('damage'));
    if (ability.name === 'colorize') box.append($('hints'));
    return box;
  }

  get chosen() { return new FormData($('form')).getAll('step'); }

  // Shows the options that what is chosen uses.
  refresh() {
    if (!this.options) return;
    for (const option of this.settings)
      $(`row-${option.name}`).hidden = !this.uses(this.chosen, option);
    this.weights.refresh(this.chosen);
  }

  // Whether steps use an option: all of them must see flips for an ensemble.
  // Where there is one choice there is nothing to choose.
  uses(steps, {name, stages, choices}) {
    return choices.length !== 1 && (!stages.length || steps.some(step => stages.includes(this.can[step].stage))) &&
        !(name === 'self_ensemble' && steps.includes('colorize'));
  }

  // {name: value} of what steps use. kinds: of all kinds of damage those wanted, or
  // null for the usual ones.
  values(steps, kinds) {
    const found = {};
    for (const option of this.options.filter(option => this.uses(steps, option))) {
      const {name, several, choices, default: usual} = option;
      found[name] = !several ? getValue(option)
          : kinds ? kinds(choices).join() : usual;
    }
    return {...found, format: $('format').value, weights: this.weights.value(steps)};
  }
}
