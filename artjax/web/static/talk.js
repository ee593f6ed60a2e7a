// Requests to the server, and messages to the user.
import {t, told} from '/text.js';

export const $ = id => document.getElementById(id);
export const on = (id, type, action) => $(id).addEventListener(type, action);

// Every request of the page goes through here.
export async function api(path, options = {}) {
  let answer;
  try {
    answer = await fetch(`/api/${path}`, options);
  } catch {
    throw new Error(t('error.silent'));
  }
  if (answer.status === 204) return null;
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw Object.assign(fault(body), {status: answer.status});
  return body;

  function fault({error, message}) {
    const known = told(message);
    if (known || !error) return new Error(known || t('error.status', {status: answer.status}));
    return Object.assign(new Error(error), {language: 'en'});
  }
}

export function complain(error) {
  $('error').textContent = error ? error.message || String(error) : '';
  $('error').lang = error?.language || '';
  if (!$('error').lang) $('error').removeAttribute('lang');
  $('error').hidden = !error;
}

// Runs an action of the user; an error is shown to them.
export const attempt = action => async (...args) => {
  complain();
  try { await action(...args); } catch (error) { complain(error); }
};

export function say(text) { $('live').textContent = text; }

// An element with a text, or other properties.
export const line = (kind, text, more) =>
  Object.assign(document.createElement(kind), {textContent: text}, more);
