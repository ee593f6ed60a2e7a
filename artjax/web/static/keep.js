// What is drawn outlives a reload: masks and colours, in the browser's IndexedDB
// until their picture is gone from the server.
const STORE = 'sheets';
const waiting = new Map();  // key -> what gives the value that is to be kept
let busy = false;
let opened = null;

const done = request => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});

function database() {
  if (!opened) {
    const request = indexedDB.open('artjax', 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    opened = done(request);
  }
  return opened;
}

const store = async mode => (await database()).transaction(STORE, mode).objectStore(STORE);
const key = (kind, id) => `${kind} ${id}`;

// Whether something is not kept yet, or cannot be.
export const unkept = () => busy || waiting.size > 0;

// Keeps what pack() gives, or promises; of one key the latest. fail: told once of
// a browser that keeps nothing.
export async function keep(kind, id, pack, fail) {
  waiting.set(key(kind, id), pack);
  if (busy) return;
  busy = true;
  try {
    while (waiting.size) {
      const [[name, make]] = waiting;
      const value = await make();
      await done((await store('readwrite')).put(value, name));
      if (waiting.get(name) === make) waiting.delete(name);
    }
    busy = false;
  } catch {
    fail();  // and stays busy: nothing more is tried
  }
}

// {id: value} of a kind, for pictures that are still there; others are deleted.
export async function kept(kind, ids) {
  const found = new Map();
  try {
    for (const name of await done((await store('readonly')).getAllKeys())) {
      const [what, id] = name.split(' ');
      if (!ids.includes(id)) await done((await store('readwrite')).delete(name));
      else if (what === kind) found.set(id, await done((await store('readonly')).get(name)));
    }
  } catch { /* there is none */ }
  return found;
}

export async function forget(kind, id) {
  waiting.delete(key(kind, id));
  try { await done((await store('readwrite')).delete(key(kind, id))); } catch { /* nor any to forget */ }
}
