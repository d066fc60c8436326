// The loudspeakers of the hall: what was called last, to be heard here; volume, silence and a test there.

import { hall, may, nameOf } from '/assets/hall.js';
import { freshId } from '/assets/link.js';
import { listenToCall } from '/assets/listen.js';
import { $, busyWhile, clock, make, pill, replace, span, tell } from '/assets/show.js';

const SHOWN = 5;

function line(call, when) {
  return make('li', {}, make('b', {}, call.ticket), make('span', {}, nameOf(call.counter)), make('small', {}, when),
    make('button', {
      type: 'button', className: 'small', 'aria-label': `Nghe ${call.ticket}, ${nameOf(call.counter)}`,
      'data-spot': `listen/${call.ticket}/${call.counter}`, onclick: (event) => listenToCall(call, event.currentTarget),
    }, 'Nghe'));
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
  const words = { ok: 'có tiếng', lost: 'mất loa', muted: 'đang tắt tiếng', off: 'máy này không đọc' };
  const kind = { ok: 'good', lost: 'bad', muted: 'warn', off: 'wait' }[screen.audio] || 'wait';
  const waiting = screen.backlog_s ? ` · chờ lâu nhất ${span(screen.backlog_s)}` : '';
  pill($('sound-state'), kind, (words[screen.audio] || screen.audio) + waiting);
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
