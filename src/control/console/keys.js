// The counters by keyboard alone: a counter's number, or that which stands beside its name, then one letter. It can be
// turned off, for those whose keyboard or voice control sends letters by itself, and it never listens while somebody types
// into a field.

import { choose, counterOf, keysOf, prepare, repeat, toggle } from '/assets/counters.js';
import { hall, may, nameOf } from '/assets/hall.js';
import { $ } from '/assets/show.js';

const KEY = 'moiso.keys';
const ACTS = {
  KeyG: (counter) => prepare('call', counter.counter),
  KeyL: (counter) => repeat('recall', counter),
  KeyV: (counter) => repeat('absent', counter),
  KeyN: (counter) => toggle(counter),
  KeyC: (counter) => prepare('transfer', counter.counter),
};

let typed = '';

function say(words) {
  $('keys-now').textContent = words;
}

function reset() {
  typed = '';
  choose('');
  say('');
}

function digit(event) {
  const match = /^(?:Digit|Numpad)(\d)$/.exec(event.code);
  return match && !event.shiftKey ? match[1] : '';
}

// The counter that the typed number stands for.
function meant() {
  const found = Array.from(keysOf()).find(([, key]) => key === typed);
  return found ? counterOf(found[0]) : undefined;
}

function type(next) {
  const keys = Array.from(keysOf().values());
  const fits = (text) => keys.some((key) => key.startsWith(text));
  if (fits(typed + next)) typed += next;
  else if (fits(next)) typed = next;
  else {
    say(`Không có ${nameOf(typed + next)}.`);
    typed = '';
    choose('');
    return;
  }
  const counter = meant();
  choose(counter ? counter.counter : '');
  say(counter ? `Đã chọn ${nameOf(counter.counter)}.` : `${typed}…`);
}

// The counter whose number was typed, or else the one whose buttons have the focus.
function target() {
  const focused = document.activeElement && document.activeElement.closest('[data-counter]');
  return meant() || (focused ? counterOf(focused.dataset.counter) : undefined);
}

function press(event) {
  const busy = event.ctrlKey || event.altKey || event.metaKey || event.isComposing;
  const inField = event.target.closest && event.target.closest('input, textarea, select, dialog');
  if (event.key === 'Escape' && inField && event.target.closest('#call-form')) {
    event.target.blur();
    reset();
    return;
  }
  if (busy || inField || hall.page !== 'sanh' || !hall.view || !may('operator') || !$('keys-on').checked) return;
  if (event.key === 'Escape') return reset();
  const next = digit(event);
  if (next) {
    event.preventDefault();
    return type(next);
  }
  const act = ACTS[event.code];
  if (!act) return;
  const counter = target();
  if (!counter) return say('Gõ số quầy trước.');
  event.preventDefault();
  reset();
  act(counter);
}

export function beginKeys() {
  $('keys-on').checked = localStorage.getItem(KEY) !== 'off';
  $('keys-on').addEventListener('change', () => {
    localStorage.setItem(KEY, $('keys-on').checked ? 'on' : 'off');
    reset();
  });
  document.addEventListener('keydown', press);
}
