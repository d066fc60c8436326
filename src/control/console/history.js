// What became of calls: when a ticket was called, drawn and spoken, here and on the hall's other screens.

import { hall, KINDS, may, nameOf } from '/assets/hall.js';
import { listenToCall } from '/assets/listen.js';
import { $, badge, busyWhile, clock, date, make, replace, table } from '/assets/show.js';

const OUTCOMES = {
  spoken: ['good', 'đã đọc'],
  shown: ['wait', 'chỉ hiện, không đọc'],
  expired: ['warn', 'quá hạn, không đọc'],
  superseded: ['wait', 'thay bằng lượt sau'],
  muted: ['warn', 'đang tắt tiếng'],
  'other-screen': ['wait', 'máy khác đọc'],
};
const HEADS = ['Gọi lúc', 'Số', 'Quầy', 'Việc', 'Kết quả', 'Đã hiện lúc', 'Đọc', 'Màn hình khác', 'Nghe'];
const LIMIT = 200;

// An instant of the hall's midnight that begins a day.
function midnight(day) {
  let offset = '+07:00';
  try {
    const parts = new Intl.DateTimeFormat('en', { timeZone: hall.about.time_zone, timeZoneName: 'longOffset' })
      .formatToParts(new Date(day + 'T00:00:00Z'));
    const name = parts.find((part) => part.type === 'timeZoneName').value.replace('GMT', '');
    offset = name || '+00:00';
  } catch (error) {
    // An old browser without offsets: that of the country is right.
  }
  return new Date(`${day}T00:00:00${offset}`);
}

function outcome(name) {
  const [kind, words] = OUTCOMES[name] || ['wait', 'chưa rõ'];
  return badge(kind, words);
}

// A call that came late, gave way or met a dark panel never stood large on this screen.
function shown(story) {
  return story.drawn ? clock(story.drawn, true) : make('span', { title: 'Số này chưa lần nào hiện lớn trên màn hình.' }, '–');
}

function begun({ again, speech_from: from, outcome: end }) {
  if (end === 'spoken') return again ? ' (đọc lại sau khi khởi động)' : '';
  return end !== 'other-screen' && (again || from) ? ' (đã bắt đầu đọc, có thể đã nghe thấy)' : '';
}

function row(story) {
  const spoken = story.speech_from
    ? clock(story.speech_from, true) + (story.speech_to ? '–' + clock(story.speech_to, true) : '') : '';
  const elsewhere = (story.elsewhere || []).map((proof) => {
    const [, words] = OUTCOMES[proof.outcome] || ['', proof.outcome];
    return `${proof.screen}: ${words}${proof.speech_from ? ' ' + clock(proof.speech_from, true) : ''}`;
  });
  const summons = ['call', 'recall', 'transfer'].includes(story.kind);
  const listen = make('button', {
    type: 'button', className: 'small', 'aria-label': `Nghe ${story.ticket}, ${nameOf(story.counter)}`,
    onclick: (event) => listenToCall(story, event.currentTarget),
  }, 'Nghe');
  return [
    clock(story.received, true), make('b', {}, story.ticket), nameOf(story.counter), KINDS[story.kind] || story.kind,
    summons ? outcome(story.outcome) : '', summons ? shown(story) : '',
    spoken + begun(story), elsewhere.join('; '), summons ? listen : '',
  ];
}

export async function showHistory() {
  if (!may('operator') || hall.page !== 'lich-su') return;
  const day = $('history-day').value || date(new Date());
  const since = midnight(day);
  const request = {
    type: 'history', since: since.toISOString(), until: new Date(since.getTime() + 24 * 3600 * 1000).toISOString(), limit: LIMIT,
  };
  const ticket = $('history-ticket').value.trim().toUpperCase();
  if (ticket) request.ticket = ticket;
  try {
    const { calls, more } = await hall.link.ask(request);
    $('history-error').textContent = '';
    table('history-table', HEADS, calls.map(row),
      ticket ? `Màn hình này không gọi số ${ticket} trong ngày ấy.` : 'Ngày ấy chưa có lượt gọi nào.');
    const words = more || calls.length === LIMIT ? `${calls.length} lượt gần nhất` : `${calls.length} lượt`;
    $('history-count').textContent = calls.length ? words : '';
  } catch (error) {
    $('history-error').textContent = error.message;
    replace('history-table', []);
  }
}

let due = 0;

// A burst of calls is one look.
export function historyChanged() {
  if (hall.page !== 'lich-su') return;
  clearTimeout(due);
  due = setTimeout(() => {
    const inTable = $('history-table').contains(document.activeElement);
    if (!inTable) showHistory();
  }, 1000);
}

export function beginHistory() {
  $('history-form').addEventListener('submit', (event) => {
    event.preventDefault();
    busyWhile([$('history-find')], showHistory);
  });
  $('history-day').addEventListener('change', showHistory);
}
