// What is said of a picture and of a result, on the page and in the report.
import {duration, known, list, number, percent, t} from '/text.js';

// The steps and settings that it was made by.
export function made({steps, strength, self_ensemble: ensemble}) {
  return t(ensemble ? 'made.ensemble' : 'made', {
    steps: list(steps.map(name => t(`ability.${name}.title`))), strength: percent(strength)});
}

// 'grey + alpha', as the server has it.
export const channels = text => list(text.split(' + ').map(part => {
  const [more] = part.match(/^\d+(?= more$)/) || [];
  return more ? t('channel.more', {n: +more})
      : known(`channel.${part}`) ? t(`channel.${part}`) : part;
}));

// How far it was changed and how right it is expected to be: a sentence each.
export function outcome(result) {
  const said = [t('outcome', {
    mean: number(result.change_mean_ciede2000, 2), most: number(result.change_max_ciede2000, 1),
    time: duration(result.seconds)})];
  if (result.confidence) said.push(expected(result.confidence));
  return said;
}

export function expected({right_within_5: right, filled}) {
  if (right === undefined) return t('expected.none');
  return t(filled ? 'expected.filled' : 'expected', {
    share: percent(right), levels: 5,
    filled: filled < .01 ? t('share.below', {share: percent(.01)}) : percent(filled)});
}
