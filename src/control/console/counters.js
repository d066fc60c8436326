// The counters: calling by hand, calling again, sending on, marking who did not come, pausing and opening.

import { hall, may, nameOf, whose } from '/assets/hall.js';
import { freshId } from '/assets/link.js';
import { listen } from '/assets/listen.js';
import { $, action, busyWhile, capital, complain, confirmed, make, replace, tell, timeOfDay } from '/assets/show.js';

const STATES = { open: 'đang mở', paused: 'tạm nghỉ', closed: 'đóng' };
const DONE = {
  call: 'Đã gọi', recall: 'Đã gọi lại', transfer: 'Đã chuyển', absent: 'Đã ghi vắng', cancel: 'Đã hủy',
};
const FIELDS = { ticket: 'ticket', counter: 'counter', lane: 'lane' };

let chosen = '';

export function counterOf(id) {
  return hall.view ? hall.view.counters.find((c) => c.counter === id) : undefined;
}

// What is typed for each counter: its number, or for one with a name the next number that no counter has.
export function keysOf() {
  const isNumber = (id) => /^\d+$/.test(id);
  const ids = hall.view ? hall.view.counters.map((c) => c.counter) : [];
  const keys = new Map();
  let next = 0;
  for (const id of ids) {
    if (!isNumber(id)) {
      do next += 1; while (ids.includes(String(next)));
    }
    keys.set(id, isNumber(id) ? id : String(next));
  }
  return keys;
}

// --- the cells -----------------------------------------------------------------------------------------------------

export function showCounters() {
  const keys = keysOf();
  replace('pad', hall.view.counters.map((counter) => cell(counter, keys.get(counter.counter))));
  fillCounters();
}

// Marks the counter that the keyboard has chosen.
export function choose(id) {
  chosen = id;
  for (const item of $('pad').children) item.classList.toggle('chosen', item.dataset.counter === id);
  const item = $('pad').querySelector('.chosen');
  if (item) item.scrollIntoView({ block: 'nearest' });
}

function cell(counter, key) {
  const open = counter.state === 'open';
  const state = open && !counter.known ? 'chưa mở' : STATES[counter.state];
  // What changes comes first: a cell on a phone has no room for all.
  const back = counter.reopens ? `mở lại lúc ${counter.reopens}` : '';
  const what = [capital(back || whose(counter)), counter.label].filter(Boolean).join(' · ');
  const name = make('span', {}, nameOf(counter.counter));
  if (key !== counter.counter && may('operator')) name.prepend(make('kbd', { title: `Gõ ${key} để chọn quầy này` }, key), ' ');
  const kinds = [counter.called ? 'called' : open && counter.known ? '' : 'off', counter.counter === chosen ? 'chosen' : ''];
  const item = make('li', { className: kinds.join(' ').trim(), 'data-counter': counter.counter },
    make('div', { className: 'top' }, name, make('span', {}, state)),
    make('div', { className: 'ticket' }, counter.ticket || '—'),
    make('div', { className: 'what', title: what }, what));
  if (may('operator')) item.append(buttons(counter));
  return item;
}

function buttons(counter) {
  const name = nameOf(counter.counter);
  const spot = (kind) => `${counter.counter}/${kind}`;
  const shut = counter.state !== 'open';
  const row = make('div', { className: 'acts' },
    action('Gọi', `Gọi số tiếp theo, ${name}`, spot('next'), () => prepare('call', counter.counter)),
    action('Gọi lại', `Gọi lại ${counter.ticket || ''}, ${name}`, spot('recall'), () => repeat('recall', counter)),
    action('Vắng', `Vắng mặt ${counter.ticket || ''}, ${name}`, spot('absent'), () => repeat('absent', counter)),
    action(shut ? 'Mở' : 'Nghỉ', `${shut ? 'Mở' : 'Tạm nghỉ'} ${name}`, spot('state'), () => toggle(counter)));
  for (const kind of ['recall', 'absent']) {
    if (!counter.ticket) row.querySelector(`[data-spot="${CSS.escape(spot(kind))}"]`).disabled = true;
  }
  return row;
}

function fillCounters() {
  const select = $('counter');
  const { view, about } = hall;
  const ids = view ? view.counters.map((c) => c.counter) : about.counters.map((c) => c.id);
  const held = Array.from(select.options, (option) => option.value);
  if (ids.length + 1 === held.length && ids.every((id, i) => id === held[i + 1])) return;
  const before = select.value;
  const label = (id) => {
    const known = about.counters.find((c) => c.id === id);
    return known && known.label ? `${nameOf(id)} · ${known.label}` : nameOf(id);
  };
  select.replaceChildren(make('option', { value: '' }, 'Chọn quầy'),
    ...ids.map((id) => make('option', { value: id }, label(id))));
  select.value = ids.includes(before) ? before : '';
}

// --- what a counter does -------------------------------------------------------------------------------------------

// The number that most likely comes next at a counter; a suggestion, to be typed over.
export function suggestion(counter) {
  const match = /^(\D*)(\d+)$/.exec((counter && counter.ticket) || '');
  if (!match) return '';
  const queue = hall.view.queues.find((q) => q.series === match[1] && q.next.length > 0);
  if (queue) return queue.next[0];
  return match[1] + String(Number(match[2]) + 1).padStart(match[2].length, '0');
}

// Fills the form for one counter and goes there; what is called is still for the operator to say.
export function prepare(kind, id) {
  const counter = counterOf(id);
  complain('call-error', FIELDS, null);
  $('lane').value = kind === 'call' ? 'regular' : (counter && counter.lane) || 'regular';
  $('ticket').value = kind === 'call' ? suggestion(counter) : (counter && counter.ticket) || '';
  $('counter').value = kind === 'transfer' ? '' : id;
  $('call-note').textContent = kind === 'transfer'
    ? `Chọn quầy nhận ${$('ticket').value}, rồi bấm Chuyển.`
    : `Gõ số cho ${nameOf(id)} rồi bấm Enter để gọi.`;
  const field = $(kind === 'transfer' ? 'counter' : 'ticket');
  field.focus();
  if (field.select) field.select();
}

export async function repeat(kind, counter) {
  if (counter.ticket) await call(kind, counter.ticket, counter.counter, counter.lane);
}

// Opens a counter at once; before a pause it asks until when.
export async function toggle(counter) {
  const name = nameOf(counter.counter);
  if (counter.state !== 'open') return change(counter, 'open', '', `Đã mở ${name}.`);
  const until = await confirmed({
    title: `Tạm nghỉ ${name}`, words: 'Bảng sẽ ghi quầy tạm nghỉ; số đang phục vụ vẫn giữ.',
    field: 'Mở lại lúc (có thể bỏ trống)', done: 'Tạm nghỉ',
  });
  if (until === null) return undefined;
  const time = timeOfDay(until);
  if (until && !time) {
    $('call-error').textContent = 'Giờ mở lại phải có dạng 10:00.';
    return undefined;
  }
  return change(counter, 'paused', time, `${name} tạm nghỉ${time ? ' đến ' + time : ''}.`);
}

async function change(counter, state, reopens, words) {
  complain('call-error', FIELDS, null);
  tell('call-done', '');
  const request = { type: 'counter', counter: counter.counter, state };
  if (reopens) request.reopens = reopens;
  try {
    await hall.link.ask(request);
    tell('call-done', words);
  } catch (error) {
    complain('call-error', FIELDS, error);
  }
}

export async function call(kind, ticket, counter, lane) {
  complain('call-error', FIELDS, null);
  tell('call-done', '');
  try {
    await hall.link.ask({ type: 'call', id: freshId(), kind, ticket, counter, lane: lane || 'regular' });
    tell('call-done', `${DONE[kind]} ${ticket}, ${nameOf(counter)}.`);
    return true;
  } catch (error) {
    complain('call-error', FIELDS, error);
    return false;
  }
}

// --- the form ------------------------------------------------------------------------------------------------------

function typed() {
  return $('ticket').value.trim().toUpperCase();
}

function isWhole() {
  if (!typed()) complain('call-error', FIELDS, { field: 'ticket', message: 'Chưa nhập số thứ tự.' });
  else if (!$('counter').value) complain('call-error', FIELDS, { field: 'counter', message: 'Chưa chọn quầy.' });
  else return true;
  return false;
}

function submit(kind) {
  if (!isWhole()) return undefined;
  return busyWhile(Array.from($('call-form').querySelectorAll('button')), async () => {
    if (!await call(kind, typed(), $('counter').value, $('lane').value)) return;
    $('call-note').textContent = '';
    if (kind === 'call') {
      // The next citizen is somebody else; the counter is likely the same.
      $('ticket').value = '';
      $('lane').value = 'regular';
      $('ticket').focus();
    }
  });
}

export function beginCounters() {
  $('call-form').addEventListener('submit', (event) => { event.preventDefault(); submit('call'); });
  for (const button of $('call-form').querySelectorAll('button[data-kind]')) {
    if (button.type === 'button') button.addEventListener('click', () => submit(button.dataset.kind));
  }
  $('call-listen').addEventListener('click', (event) => {
    if (!isWhole()) return;
    complain('call-error', FIELDS, null);
    listen({ ticket: typed(), counter: $('counter').value, lane: $('lane').value }, event.currentTarget);
  });
}
