// The screens of the hall, as each tells of itself.

import { hall, may } from '/assets/hall.js';
import { freshId } from '/assets/link.js';
import { action, badge, confirmed, make, moment, replace, span, table, tell } from '/assets/show.js';

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

// --- what a technician asks of one -----------------------------------------------------------------------------------

async function order(screen, fields, words) {
  try {
    await hall.link.ask({ type: 'command', id: freshId(), screen, ...fields });
    tell('screens-done', `${screen}: ${words}`);
  } catch (error) {
    tell('screens-done', `${screen}: ${error.message}`);
  }
}

async function volume(screen) {
  const given = await confirmed({
    title: `Âm lượng của ${screen}`, words: 'Giữ đến lần đổi theo giờ hoặc lần khởi động sau.',
    field: 'Từ 0 đến 100', done: 'Đặt âm lượng',
  });
  if (given === null) return undefined;
  const value = Number(given);
  if (given === '' || !Number.isInteger(value) || value < 0 || value > 100) return tell('screens-done', 'Âm lượng phải từ 0 đến 100.');
  return order(screen, { do: 'volume', value }, `âm lượng ${value} %.`);
}

function orders({ screen, audio }) {
  const spot = (kind) => `${screen}/${kind}`;
  const row = make('div', { className: 'row wrap tight' },
    action('Hiện tên', `Hiện tên trên màn hình ${screen}`, spot('identify'), () => order(screen, { do: 'identify' }, 'đang hiện tên.')));
  if (audio === undefined || audio === 'off') return row;
  const muted = audio === 'muted';
  row.append(
    action(muted ? 'Bật tiếng' : 'Tắt tiếng', `${muted ? 'Bật' : 'Tắt'} tiếng màn hình ${screen}`, spot('mute'),
      () => order(screen, { do: muted ? 'unmute' : 'mute' }, muted ? 'đã bật tiếng.' : 'đã tắt tiếng.')),
    action('Âm lượng', `Đặt âm lượng màn hình ${screen}`, spot('volume'), () => volume(screen)),
    action('Đọc thử', `Đọc thử ở màn hình ${screen}`, spot('test'), () => order(screen, { do: 'test-call' }, 'đang đọc câu thử.')));
  return row;
}

export function showScreens(screens) {
  const unwell = screens.filter((s) => !s.online || s.silent || s.audio === 'lost').length;
  replace('screens-sum', unwell ? [badge('bad', `${unwell} màn hình cần kiểm tra`)] : []);
  const commands = may('technician');
  const cells = (screen) => row(screen).concat(commands ? [screen.online && !screen.silent ? orders(screen) : ''] : []);
  table('screens-table', commands ? HEADS.concat('Lệnh') : HEADS, screens.map(cells),
    'Chưa có màn hình nào báo về. Danh sách này cần máy chủ MQTT cho đọc chủ đề screen/+/status.');
}
