// Requests to the server, and messages to the user.

export const $ = id => document.getElementById(id);
export const on = (id, type, action) => $(id).addEventListener(type, action);

// Every request of the page goes through here.
export async function api(path, options = {}) {
  let answer;
  try {
    answer = await fetch(`/api/${path}`, options);
  } catch {
    throw new Error('The server does not answer. Is it still running?');
  }
  if (answer.status === 204) return null;
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok)
    throw Object.assign(new Error(body.error || `The server says ${answer.status}.`),
                        {status: answer.status});
  return body;
}

export function complain(error) {
  $('error').textContent = error ? error.message || String(error) : '';
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

export function bytes(number) {
  const units = ['B', 'kB', 'MB', 'GB'];
  const power = Math.min(3, Math.floor(Math.log10(Math.max(1, number)) / 3));
  return `${(number / 1000 ** power).toPrecision(3)} ${units[power]}`;
}

export function duration(seconds) {
  return seconds < 90 ? `${Math.max(1, Math.round(seconds))} s`
      : `${Math.round(seconds / 60)} min`;
}
