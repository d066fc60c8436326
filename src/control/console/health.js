// How this screen is: one line a part, what is wrong with it and what to do, for a technician at a glance.

import { hall, KINDS, may } from '/assets/hall.js';
import { freshId } from '/assets/link.js';
import { $, badge, busyWhile, confirmed, make, moment, pill, replace, span, table, tell } from '/assets/show.js';

const LINK = {
  'name-not-found': ['không tìm thấy tên máy chủ', 'Kiểm tra mqtt.brokers và máy chủ DNS của máy này.'],
  'nothing-listens': ['không có máy chủ ở địa chỉ này', 'Kiểm tra máy chủ MQTT có chạy không, địa chỉ mqtt.brokers, dây mạng và tường lửa.'],
  unreachable: ['không tới được máy chủ', 'Kiểm tra máy chủ MQTT có chạy không, địa chỉ mqtt.brokers, dây mạng và tường lửa.'],
  'timed-out': ['máy chủ không trả lời', 'Kiểm tra máy chủ MQTT có chạy không, địa chỉ mqtt.brokers, dây mạng và tường lửa.'],
  'wrong-password': ['sai tên hoặc mật khẩu', 'Kiểm tra mqtt.username và mqtt.password_file.'],
  'client-refused': ['máy chủ từ chối máy này', 'Kiểm tra mqtt.client_id và quyền của máy trạm trên máy chủ.'],
  tls: ['lỗi TLS', 'Kiểm tra mqtt.ca_file, chứng chỉ và tên của máy chủ, và đồng hồ của máy này.'],
  certificate: ['chứng chỉ và khóa không khớp', 'Dùng chứng chỉ được cấp cho khóa này.'],
  file: ['không đọc được tệp', 'Kiểm tra tệp có tồn tại và phần mềm có quyền đọc.'],
  'subscription-refused': ['máy chủ không cho đọc một chủ đề', 'Cho phép người dùng này đọc các chủ đề của sảnh.'],
  'too-large': ['máy chủ gửi bản tin quá lớn', 'Tìm bản tin ấy bằng mosquitto_sub và xóa nếu nó được lưu lại.'],
  'thrown-out': ['trùng mã máy trạm', 'Đặt screen.id (và do đó client_id) khác nhau cho mỗi màn hình.'],
};
const PRESENT = { surface: 'vẽ bằng GPU', software: 'vẽ bằng CPU', headless: 'không có màn hình' };
// What a screen says in place of a device's name.
const NO_GPU = 'none, the processor draws';
const SOUND = {
  ok: ['good', 'hoạt động', ''],
  lost: ['bad', 'mất card âm thanh', 'Kiểm tra dây loa và nguồn; máy tự tìm lại liên tục.'],
  muted: ['warn', 'đang tắt tiếng', 'Bật lại ở trang Sảnh, mục Loa.'],
  off: ['wait', 'không đọc', 'Máy này đặt audio.enabled = false, hoặc không có giọng đọc.'],
};

const REASONS = {
  'unknown-topic': 'chủ đề lạ', 'too-large': 'quá lớn', 'not-json': 'không phải JSON', 'not-an-object': 'không phải đối tượng',
  missing: 'thiếu', 'wrong-type': 'sai kiểu', empty: 'trống', 'too-long': 'quá dài', 'control-character': 'ký tự điều khiển',
  'unknown-word': 'giá trị lạ', 'bad-time': 'giờ không hợp lệ', 'out-of-range': 'ngoài giới hạn',
};
const STATES = { open: 'mở', paused: 'tạm nghỉ', closed: 'đóng' };
const ORDERS = {
  mute: 'tắt tiếng', unmute: 'bật tiếng', volume: 'âm lượng', identify: 'hiện tên màn hình', 'test-call': 'đọc thử',
  reload: 'khởi động lại', snapshot: 'lưu hình',
};

// [name, kind of pill, its words, what to do]
function parts(health) {
  const { detail } = health;
  const { screen } = detail;
  return [
    hub(health), link(detail, screen), picture(detail, screen), gpu(detail, screen),
    ['Loa', ...(SOUND[screen.audio] || ['wait', screen.audio, ''])], ...voice(detail),
    detail.journal_problem
      ? ['Nhật ký', 'warn', 'chưa ghi được xuống đĩa', `Đang giữ trong bộ nhớ và ghi lại sau: ${detail.journal_problem}`]
      : ['Nhật ký', 'good', 'ghi đều', ''],
    skew(screen), backlog(screen), ...panel(screen), ...unheard(detail), ...machine(detail),
    ['Bản tin bị từ chối', screen.rejected ? 'warn' : 'good', String(screen.rejected),
      screen.rejected ? 'Xem danh sách bên dưới.' : ''],
  ];
}

function hub(health) {
  return health.live
    ? ['Bộ điều phối', 'good', 'hoạt động', '']
    : ['Bộ điều phối', 'bad', 'không trả lời', 'Phần mềm bị treo; hãy khởi động lại dịch vụ moiso.'];
}

function link(detail, screen) {
  const problem = detail.link_problem;
  if (screen.link !== 'down') {
    const words = problem ? `${screen.link}, thiếu quyền đọc` : screen.link;
    return ['Máy chủ MQTT', problem ? 'warn' : 'good', words, problem ? problem.what : ''];
  }
  const [words, advice] = (problem && LINK[problem.code])
    || ['mất kết nối', problem ? `${problem.what}: ${problem.advice}` : 'Đang kết nối.'];
  return ['Máy chủ MQTT', 'bad', words, advice];
}

function picture(detail, screen) {
  const at = screen.frame_at ? `khung hình cuối ${moment(screen.frame_at, true)}` : 'chưa có khung hình nào';
  if (detail.stalled) {
    return ['Hình', 'bad', `đứng yên ${span(detail.unanswered_s)}`, 'Tivi có thể đã tắt hoặc ngủ; tiếng gọi vẫn đọc.'];
  }
  return ['Hình', screen.frame_at ? 'good' : 'bad', at, `${screen.frames} khung hình từ lúc khởi động`];
}

function panel(screen) {
  if (!screen.panel) return [];
  if (screen.panel === 'unknown') return [['Tivi', 'warn', 'không bật tắt được', 'Xem lý do trong nhật ký của dịch vụ.']];
  return [['Tivi', 'good', screen.panel === 'on' ? 'đang bật' : 'đã tắt ngoài giờ', '']];
}

// The PC itself, where it says so; the states are judged by the daemon.
function machine(detail) {
  const state = (name) => ({ failed: 'bad', degraded: 'warn' })[(detail.parts || []).find((p) => p.part === name)?.state] || 'good';
  const out = [];
  if (Number.isFinite(detail.free_bytes)) {
    const full = state('disk') !== 'good';
    out.push(['Ổ đĩa', state('disk'), `còn trống ${Math.round(detail.free_bytes / 1e6).toLocaleString('vi')} MB`,
      full ? 'Xóa bớt tệp trên ổ đĩa có thư mục paths.state, kẻo nhật ký không ghi được.' : '']);
  }
  if (Number.isFinite(detail.hottest_c)) {
    const hot = state('temperature') !== 'good';
    out.push(['Nhiệt độ', state('temperature'), `${detail.hottest_c} °C`, hot ? 'Lau bụi quạt và để máy nơi thoáng.' : '']);
  }
  return out;
}

function voice(detail) {
  const part = (detail.parts || []).find((p) => p.part === 'voice');
  if (!part) return [];
  if (part.state === 'failed') return [['Giọng đọc', 'bad', 'không dùng được giọng đã chọn', part.why]];
  if (part.state === 'degraded') return [['Giọng đọc', 'warn', 'có chỗ không đọc được', part.why]];
  return [['Giọng đọc', 'good', 'đọc được mọi thứ sảnh cần', '']];
}

function gpu(detail, screen) {
  const rebuilding = screen.gpu.startsWith('rebuilding');
  const again = detail.rebuilds ? `Đã dựng lại ${detail.rebuilds} lần.` : '';
  if (rebuilding) return ['GPU', 'bad', 'đang dựng lại', screen.gpu.replace('rebuilding: ', '')];
  const device = screen.gpu === NO_GPU ? 'Không dùng GPU, bộ xử lý tự vẽ.' : screen.gpu;
  return ['GPU', 'good', PRESENT[screen.present] || screen.present, [device, again].filter(Boolean).join(' · ')];
}

function skew(screen) {
  const off = Math.abs(screen.skew_ms) / 1000;
  const words = off < 1 ? 'khớp với hệ thống gọi số' : `lệch ${span(off)}`;
  return ['Đồng hồ', off > 30 ? 'warn' : 'good', words, off > 30 ? 'Chỉnh giờ máy này hoặc máy phát số; lượt gọi vẫn được tính đúng.' : ''];
}

function backlog(screen) {
  const late = screen.backlog_s > 30;
  const words = screen.backlog_s ? `chờ lâu nhất ${span(screen.backlog_s)}` : 'không có lượt nào chờ';
  return ['Hàng chờ đọc', late ? 'warn' : 'good', words,
    `${screen.shown} lượt đã hiện, ${screen.spoken} đã đọc, ${screen.expired} quá hạn`];
}

function unheard(detail) {
  const { unheard: recordings } = detail;
  if (!recordings || recordings.length === 0) return [];
  return [['Lời nhắn ghi âm', 'warn', `${recordings.length} lời nhắn không phát được ở máy này`,
    'Không màn hình nào đang chạy còn giữ bản ghi; chữ vẫn hiện trên bảng. Hãy ghi lại lời nhắn.']];
}

export function unwell(health) {
  return parts(health).filter(([, kind]) => kind === 'bad').map(([name, , words]) => `${name}: ${words}`);
}

export function showHealth() {
  const { health } = hall;
  if (!health || !health.detail.screen) return;
  const all = parts(health);
  const count = (wanted) => all.filter(([, kind]) => kind === wanted).length;
  if (count('bad')) pill($('health-sum'), 'bad', `${count('bad')} bộ phận cần xử lý`);
  else if (count('warn')) pill($('health-sum'), 'warn', `${count('warn')} bộ phận cần xem`);
  else pill($('health-sum'), 'good', 'mọi bộ phận đều tốt');
  replace('health-list', all.map(([name, kind, words, advice]) => make('li', { className: kind },
    make('b', {}, name), badge(kind, words), make('small', {}, advice || ''))));
}

// The program's own words, in English as in its log; what says no more than the reason is left out.
function inDetail({ reason, detail }) {
  return ['missing', 'empty'].includes(reason) || !detail ? '' : make('span', { lang: 'en' }, detail);
}

// What was refused, and what was done from pages and commands.
export async function showRejected() {
  if (!may('operator') || hall.page !== 'suc-khoe') return;
  const since = new Date(Date.now() - 24 * 3600 * 1000).toISOString();
  try {
    const { rejected } = await hall.link.ask({ type: 'rejected', since, limit: 30 });
    const rows = rejected.map((r) => [moment(r.at, true), r.topic, [r.field, REASONS[r.reason] || r.reason].filter(Boolean).join(': '), inDetail(r)]);
    table('rejected-table', ['Lúc', 'Chủ đề', 'Lý do', 'Chi tiết (tiếng Anh)'], rows, 'Một ngày qua không có bản tin nào bị từ chối.');
    const { deeds } = await hall.link.ask({ type: 'audit', since, limit: 50 });
    table('deeds-table', ['Lúc', 'Ai', 'Việc', 'Nội dung'], deeds.map(deed), 'Một ngày qua chưa ai làm gì từ trang này.');
  } catch (error) {
    replace('rejected-table', [make('p', { className: 'note' }, error.message)]);
  }
}

// An end says nothing of what it ends; what was put before it does.
function ended(done, earlier) {
  const put = earlier.find((before) => before.topic === done.topic && before.said);
  return put ? `kết thúc: ${put.said.text.vi}` : 'kết thúc';
}

function deed(done, index, all) {
  const { said } = done;
  const what = { call: 'gọi số', command: 'lệnh' }[done.topic] || done.topic.replace(/^notice\/.*/, 'thông báo')
    .replace(/^recording\/.*/, 'ghi âm lời nhắn').replace('counter/', 'quầy ').replace(/^screen\/(.*)\/command$/, 'lệnh cho $1');
  let words = '';
  if (said === '') words = ended(done, all.slice(index + 1));
  else if (done.topic === 'call') words = `${KINDS[said.kind] || said.kind} ${said.ticket}, quầy ${said.counter}`;
  else if (said && said.do) words = [ORDERS[said.do] || said.do, said.value].filter((w) => w !== undefined).join(' ');
  else if (said && said.seconds) words = `${said.seconds} giây`;
  else if (said && said.text) words = said.text.vi;
  else if (said && said.state) words = [STATES[said.state] || said.state, said.reopens && `đến ${said.reopens}`].filter(Boolean).join(' ');
  return [moment(done.at, true), done.who, what, words];
}

async function order(what, done) {
  try {
    await hall.link.ask({ type: 'command', id: freshId(), do: what });
    tell('order-done', done);
  } catch (error) {
    tell('order-done', error.message);
  }
}

export function beginHealth() {
  const on = (id, work) => $(id).addEventListener('click', (event) => busyWhile([event.currentTarget], work));
  on('order-identify', () => order('identify', 'Màn hình đang hiện tên của nó.'));
  on('order-snapshot', () => order('snapshot', 'Đã lưu hình vào thư mục pictures của máy màn hình.'));
  on('order-reload', async () => {
    const sure = await confirmed({
      title: 'Khởi động lại với cấu hình mới?',
      words: 'Câu đang đọc bị ngắt; lượt đang chờ chỉ còn hiện trên bảng. Nên làm khi vắng khách. Cấu hình sai thì giữ nguyên.',
      done: 'Khởi động lại',
    });
    if (sure !== null) await order('reload', 'Đang kiểm tra cấu hình và khởi động lại.');
  });
}
