// The loudspeakers of the hall: what was called last, to be heard here; volume, silence and a test there.

import { hall, may, nameOf, whose } from '/assets/hall.js';
import { freshId } from '/assets/link.js';
import { listenToCall } from '/assets/listen.js';
import { $, badge, busyWhile, clock, make, pill, replace, span, tell } from '/assets/show.js';

const SHOWN = 5;
const STATES = {
  ok: ['good', 'có tiếng'], lost: ['bad', 'mất loa'], muted: ['warn', 'đang tắt tiếng'], off: ['wait', 'máy này không đọc'],
};

function line(call, when, place) {
  const words = [nameOf(call.counter), whose(call)].filter(Boolean).join(' · ');
  return make('li', {}, make('b', {}, call.ticket), make('span', {}, words), make('small', {}, when),
    make('button', {
      type: 'button', className: 'small', 'aria-label': `Nghe ${call.ticket}, ${nameOf(call.counter)}`,
      'data-spot': `${place || 'listen'}/${call.ticket}/${call.counter}`,
      onclick: (event) => listenToCall(call, event.currentTarget),
    }, 'Nghe'));
}

// --- what is said and what waits -----------------------------------------------------------------------------------

function spoken(said, zone, when) {
  if (said.ticket) return line(said, when, `speech/${zone}`);
  const what = said.recorded ? 'Lời nhắn' : 'Thông báo';
  return make('li', { className: 'said' }, make('b', {}, what), make('span', {}, said.text), make('small', {}, when));
}

function waited(said) {
  return Math.max(0, Math.round((Date.now() - new Date(said.since)) / 1000));
}

function zoneOf({ zone, running, waiting, more }) {
  const lines = waiting.map((said) => spoken(said, zone, `chờ ${span(waited(said))}`));
  if (running) lines.unshift(spoken(running, zone, badge('warn', 'đang đọc')));
  if (more) lines.push(make('li', { className: 'said' }, make('span', {}, `và ${more} lượt nữa`)));
  const name = hall.speech.length > 1 ? `Khu ${zone}` : 'Đang đọc và chờ đọc';
  return make('div', {}, make('h3', {}, name), make('ul', { className: 'sound', 'aria-label': name }, ...lines));
}

export function showSpeech() {
  const busy = hall.speech.filter((zone) => zone.running || zone.waiting.length > 0);
  // With several zones each is named, also where only one is busy.
  replace('speech', busy.map(zoneOf));
  $('no-speech').hidden = busy.length > 0 || hall.speech.length === 0;
  showState();
}

// Whether it can be heard, how many wait and for how long.
function showState() {
  const { health, speech } = hall;
  if (!health || !health.detail.screen) return;
  const { audio } = health.detail.screen;
  const [kind, words] = STATES[audio] || ['wait', audio];
  const waiting = speech.flatMap((zone) => zone.waiting);
  const count = speech.reduce((sum, zone) => sum + zone.more, waiting.length);
  const wait = count ? ` · còn ${count} lượt · chờ lâu nhất ${span(Math.max(...waiting.map(waited)))}` : '';
  pill($('sound-state'), kind, words + wait);
}

export function showSound() {
  if (!hall.view) return;
  const now = hall.view.spotlight.map((call) => line(call, 'đang mời'));
  const before = hall.view.recent.filter((call) => !hall.view.spotlight.some((s) => s.ticket === call.ticket));
  const all = now.concat(before.map((call) => line(call, clock(call.at)))).slice(0, SHOWN);
  replace('sound-calls', all);
  $('no-sound-calls').hidden = all.length > 0;
  const { health } = hall;
  if (!health || !health.detail.screen) return;
  const { screen, volume_percent: volume } = health.detail;
  showState();
  $('sound-orders').hidden = !may('technician') || screen.audio === 'off';
  $('mute').textContent = screen.audio === 'muted' ? 'Bật tiếng' : 'Tắt tiếng';
  if (Number.isInteger(volume) && document.activeElement !== $('volume')) setVolume(volume);
}

function setVolume(percent) {
  $('volume').value = percent;
  $('volume-now').textContent = `${percent} %`;
}

async function order(fields, words) {
  try {
    await hall.link.ask({ type: 'command', id: freshId(), ...fields });
    tell('sound-done', words);
  } catch (error) {
    tell('sound-done', error.message);
  }
}

export function beginSound() {
  // Those who wait, wait longer.
  setInterval(() => {
    if (hall.page === 'sanh' && hall.speech.some((zone) => zone.waiting.length > 0)) showSpeech();
  }, 1000);
  $('volume').addEventListener('input', () => setVolume(Number($('volume').value)));
  $('volume').addEventListener('change', () => {
    const value = Number($('volume').value);
    order({ do: 'volume', value }, `Âm lượng sảnh ${value} %.`);
  });
  $('mute').addEventListener('click', (event) => busyWhile([event.currentTarget], () => {
    const muted = hall.health.detail.screen.audio === 'muted';
    return order({ do: muted ? 'unmute' : 'mute' }, muted ? 'Đã bật tiếng.' : 'Đã tắt tiếng; lượt gọi chỉ còn hiện trên bảng.');
  }));
  $('test-call').addEventListener('click', (event) => busyWhile([event.currentTarget],
    () => order({ do: 'test-call' }, 'Loa sảnh đang đọc câu thử.')));
}
