// Building what is shown. Whatever comes from the server becomes text, never markup.

import { hall } from '/assets/hall.js';

export const $ = (id) => document.getElementById(id);

export function make(tag, properties, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties || {})) {
    if (value === undefined || value === null) continue;
    if (name.includes('-') || name === 'role') element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

export function pill(element, kind, words) {
  element.className = 'pill ' + kind;
  if (element.textContent !== words) element.textContent = words;
}

export function badge(kind, words) {
  return make('span', { className: 'pill ' + kind }, words);
}

export function capital(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function format(options, date) {
  try {
    return new Intl.DateTimeFormat('vi', { ...options, timeZone: hall.about.time_zone }).format(date);
  } catch (error) {
    return new Intl.DateTimeFormat('vi', options).format(date);
  }
}

export function clock(text, seconds) {
  const options = { hour: '2-digit', minute: '2-digit', second: seconds ? '2-digit' : undefined, hourCycle: 'h23' };
  return format(options, new Date(text));
}

export function day(text) {
  return format({ day: '2-digit', month: '2-digit' }, new Date(text)).replace('-', '/');
}

// The time, with the day where it is another one.
export function moment(text, seconds) {
  return day(text) === day(new Date()) ? clock(text, seconds) : `${clock(text, seconds)} ngày ${day(text)}`;
}

// YYYY-MM-DD of the hall's clock.
export function date(when) {
  const parts = { year: 'numeric', month: '2-digit', day: '2-digit' };
  try {
    return new Intl.DateTimeFormat('en-CA', { ...parts, timeZone: hall.about.time_zone }).format(when);
  } catch (error) {
    return new Intl.DateTimeFormat('en-CA', parts).format(when);
  }
}

export function span(seconds) {
  if (seconds < 90) return `${Math.round(seconds)} giây`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} phút`;
  return `${Math.round(seconds / 3600)} giờ`;
}

const told = {};

// A passing word of what has been done.
export function tell(place, words) {
  $(place).textContent = words;
  clearTimeout(told[place]);
  told[place] = setTimeout(() => { $(place).textContent = ''; }, 8000);
}

// Marks the field that the server named and says why.
export function complain(place, fields, error) {
  for (const id of Object.values(fields)) $(id).removeAttribute('aria-invalid');
  $(place).textContent = error ? error.message : '';
  const id = error && fields[error.field];
  if (id) {
    $(id).setAttribute('aria-invalid', 'true');
    $(id).focus();
  }
}

// A button that is at work stays in the order of the keyboard, and does nothing when it is pressed again.
export async function busyWhile(buttons, work) {
  if (buttons.some((button) => button.getAttribute('aria-disabled') === 'true')) return;
  buttons.forEach((button) => button.setAttribute('aria-disabled', 'true'));
  try {
    await work();
  } finally {
    buttons.forEach((button) => button.removeAttribute('aria-disabled'));
  }
}

export function action(words, spoken, spot, work) {
  return make('button', {
    type: 'button', className: 'small', 'aria-label': spoken, 'data-spot': spot,
    onclick: (event) => busyWhile([event.currentTarget], work),
  }, words);
}

// New content in an old place. Whoever was on a part of it is still on it; where that is gone, on what is left of the same
// thing (a spot is `thing/part`); where the thing is gone too, on the place, so that the keyboard goes on from there.
export function replace(place, items) {
  const whole = $(place);
  const { spot } = whole.contains(document.activeElement) ? document.activeElement.dataset : {};
  whole.replaceChildren(...items);
  if (!spot) return;
  const thing = spot.slice(0, spot.lastIndexOf('/') + 1);
  const left = [`="${CSS.escape(spot)}"`, `^="${CSS.escape(thing)}"`];
  const again = left.map((rest) => whole.querySelector(`[data-spot${rest}]:enabled`)).find(Boolean);
  if (!again) whole.tabIndex = -1;
  (again || whole).focus();
}

// A table that becomes a list of cards on a phone; the roles keep it a table for those who hear it.
export function table(place, heads, rows, empty) {
  const head = make('tr', { role: 'row' }, ...heads.map((words) => make('th', { role: 'columnheader', scope: 'col' }, words)));
  const body = rows.map((cells) => make('tr', { role: 'row' },
    ...cells.map((cell, index) => make('td', {
      role: 'cell', 'data-label': heads[index], className: cell === '' ? 'empty' : '',
    }, cell === '' ? '–' : cell))));
  const label = $(place).getAttribute('data-caption');
  const whole = make('table', { role: 'table', 'aria-label': label },
    make('thead', { role: 'rowgroup' }, head), make('tbody', { role: 'rowgroup' }, ...body));
  replace(place, rows.length ? [whole] : [make('p', { className: 'note' }, empty)]);
}

// Asks before something that cannot be taken back, or for one more word; resolves with the text, or null.
export function confirmed({ title, words, field, done }) {
  const dialog = $('dialog');
  $('dialog-title').textContent = title;
  $('dialog-words').textContent = words;
  $('dialog-field').hidden = !field;
  $('dialog-label').textContent = field || '';
  $('dialog-text').value = '';
  $('dialog-done').textContent = done;
  dialog.returnValue = '';
  dialog.showModal();
  if (field) $('dialog-text').focus();
  return new Promise((resolve) => {
    dialog.onclose = () => resolve(dialog.returnValue === 'done' ? $('dialog-text').value.trim() : null);
  });
}

// Also as people write it: 9h, 16h30, 8:05; empty where it is none.
export function timeOfDay(text) {
  const match = /^(\d{1,2})\s*(?:[:hg.]\s*(\d{2})?)?$/.exec(text.trim().toLowerCase());
  return match ? `${match[1].padStart(2, '0')}:${match[2] || '00'}` : '';
}

// The same with a day after it: 8h 25/11. What the server takes, or empty.
export function timeOfSomeDay(text) {
  const match = /^(\S+(?:\s*[hg:.]\s*\d{2})?)\s+(?:ngày\s+)?(\d{1,2})[/-](\d{1,2})(?:[/-](\d{4}))?$/.exec(text.trim().toLowerCase());
  if (!match) return timeOfDay(text);
  const time = timeOfDay(match[1]);
  const [thisYear, thisMonth] = date(new Date()).split('-').map(Number);
  const year = match[4] ? Number(match[4]) : thisYear + (Number(match[3]) < thisMonth ? 1 : 0);
  return time ? `${year}-${match[3].padStart(2, '0')}-${match[2].padStart(2, '0')}T${time}` : '';
}
