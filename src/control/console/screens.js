// The screens of the hall, as each tells of itself.

import { badge, make, moment, replace, span, table } from '/assets/show.js';

const AUDIO = { ok: ['good', 'có tiếng'], lost: ['bad', 'mất loa'], muted: ['warn', 'tắt tiếng'], off: ['wait', 'không đọc'] };
const PRESENT = { surface: 'GPU', software: 'CPU', headless: 'không có màn hình' };
const HEADS = ['Màn hình', 'Trạng thái', 'Hình', 'Loa', 'Máy chủ', 'Đồng hồ', 'Chờ đọc', 'Đã gọi', 'Phiên bản'];

function state(screen) {
  if (!screen.online) return badge('bad', `đã tắt từ ${moment(screen.heard_at)}`);
  if (screen.silent) return badge('bad', `không trả lời từ ${moment(screen.heard_at)}`);
  return badge('good', `hoạt động, ${moment(screen.heard_at, true)}`);
}

function skew(ms) {
  if (ms === undefined) return '';
  return Math.abs(ms) < 1000 ? 'khớp' : `lệch ${span(Math.abs(ms) / 1000)}`;
}

// For which zones it speaks; several screens of a zone have one voice.
function voice(screen) {
  if ((screen.speaks || []).length) return ` đang đọc khu ${screen.speaks.join(', ')}`;
  return (screen.audible || []).length ? ' dự phòng' : '';
}

function row(screen) {
  const name = make('span', {}, make('b', {}, screen.screen), screen.own ? ' (máy này)' : '');
  const [kind, words] = AUDIO[screen.audio] || ['wait', ''];
  if (!screen.online) return [name, state(screen), '', '', '', '', '', '', screen.version || ''];
  const rebuilding = (screen.gpu || '').startsWith('rebuilding');
  return [
    name, state(screen),
    rebuilding ? badge('bad', 'đang dựng lại hình') : PRESENT[screen.present] || screen.present || '',
    words ? make('span', {}, badge(kind, words), voice(screen)) : '', screen.link || '',
    skew(screen.skew_ms),
    screen.backlog_s ? span(screen.backlog_s) : 'không',
    screen.shown === undefined ? '' : `${screen.shown} hiện, ${screen.spoken} đọc`, screen.version || '',
  ];
}

export function showScreens(screens) {
  const unwell = screens.filter((s) => !s.online || s.silent || s.audio === 'lost').length;
  replace('screens-sum', unwell ? [badge('bad', `${unwell} màn hình cần kiểm tra`)] : []);
  table('screens-table', HEADS, screens.map(row),
    'Chưa có màn hình nào báo về. Danh sách này cần máy chủ MQTT cho đọc chủ đề screen/+/status.');
}
