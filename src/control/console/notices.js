// Notices: writing with a preview of how they run, changing, putting in order, ending, and who did what.

import { hall, may, zonesOf } from '/assets/hall.js';
import { freshId } from '/assets/link.js';
import { listen } from '/assets/listen.js';
import { beginRecording, holdRecording, recordingId } from '/assets/recording.js';
import {
  $, action, badge, busyWhile, complain, confirmed, make, moment, pill, replace, span, table, tell, timeOfSomeDay,
} from '/assets/show.js';

const TEXT_MAX = 500;
const LEVELS = { info: 'Thông tin', important: 'Quan trọng', emergency: 'Khẩn cấp' };
const FIELDS = {
  text: 'text', 'text.en': 'text-en', level: 'level', from: 'from', until: 'until', for_s: 'span', qr: 'qr', zones: 'zones',
  recording: 'recording-choose',
};
const WEEK_MS = 7 * 24 * 3600 * 1000;

// The words of the usual ones; a function fills in what the board knows.
const TEMPLATES = [
  ['Gửi xe miễn phí', () => 'Công dân được gửi xe miễn phí, nước uống miễn phí, hướng dẫn kê khai miễn phí.'],
  ['Quầy tạm nghỉ', pausedCounter],
  ['Hết số hôm nay', () => 'Hôm nay đã hết số. Mời công dân lấy số cho ngày làm việc tiếp theo.'],
  ['Nghỉ trưa', () => 'Bộ phận một cửa nghỉ trưa, làm việc lại lúc 13 giờ 30.'],
  ['Lấy số qua iHanoi', () => 'Công dân có thể lấy số trực tuyến qua ứng dụng iHanoi để biết trước khung giờ phục vụ.'],
  ['Hệ thống gián đoạn', () => 'Hệ thống đang gián đoạn, mong công dân thông cảm. Số thứ tự vẫn được giữ nguyên.'],
  ['Sơ tán', () => 'Đề nghị mọi người bình tĩnh rời khỏi sảnh theo lối thoát hiểm gần nhất.', 'emergency'],
];

// The notice that is being changed, or null.
let edited = null;

function pausedCounter() {
  const paused = hall.view && hall.view.counters.find((c) => c.state === 'paused');
  const name = paused ? paused.counter : '…';
  const match = /^0?(\d+):(\d+)$/.exec((paused && paused.reopens) || '');
  const until = match ? `${match[1]} giờ${match[2] === '00' ? '' : ' ' + match[2]}` : '… giờ';
  return `Quầy ${name} tạm nghỉ đến ${until}, mời công dân đến quầy ….`;
}

function oneLine(text) {
  return text.replace(/\s+/g, ' ').trim().normalize('NFC');
}

// --- how it will run -----------------------------------------------------------------------------------------------

const ruler = document.createElement('canvas').getContext('2d');

// Pixels of a text on a board of 1080 lines.
function width(text, size, weight) {
  ruler.font = `${weight} ${size}px Text, system-ui, sans-serif`;
  return ruler.measureText(text).width;
}

function lengthOf(text, level) {
  const sign = level === 'info' ? 0 : 56;
  return sign + width(text, 38, level === 'info' ? 600 : 700) + 86;
}

// What the ticker will do with this text among those that run already.
function running(text, level) {
  if (!text) return '';
  if (level === 'emergency') return 'Chiếm toàn màn hình cho đến khi kết thúc; luôn được phát qua loa.';
  const { screen, ticker } = hall.about;
  const board = screen.width * 1080 / Math.min(screen.width, screen.height);
  const strip = board - Math.min(board * 0.4, width(ticker.title, 32, 700) + 68);
  const now = Date.now();
  const others = hall.notices.filter((n) => n.id !== (edited && edited.id)
    && n.level !== 'emergency' && !(n.from && new Date(n.from) > now));
  const own = lengthOf(text, level);
  const loop = own + others.reduce((sum, n) => sum + lengthOf(n.text.vi, n.level), 0);
  if (loop - 46 <= strip) return 'Vừa một dòng, đứng yên trên màn hình.';
  const seconds = (pixels) => Math.max(1, Math.round(pixels / ticker.px_s));
  return `Chạy qua màn hình trong ${span(seconds(strip + own))}; cứ ${span(seconds(loop))} lại hiện một lần.`;
}

export function preview() {
  const text = oneLine($('text').value);
  const level = $('level').value;
  const length = Array.from(text).length;
  $('text-count').textContent = `${length} / ${TEXT_MAX}`;
  $('text-count').classList.toggle('over', length > TEXT_MAX);
  $('preview').textContent = text || 'Nội dung hiện ở đây';
  $('preview').classList.toggle('empty', !text);
  $('preview-level').textContent = LEVELS[level];
  $('preview-time').textContent = running(text, level);
  $('speak-words').textContent = recordingId() ? 'Phát qua loa' : 'Đọc qua loa';
  $('speak').disabled = level === 'emergency';
  if (level === 'emergency') $('speak').checked = true;
}

// --- the form ------------------------------------------------------------------------------------------------------

function emptyForm() {
  edited = null;
  $('notice-form').reset();
  holdRecording('');
  $('notice-head').textContent = 'Soạn thông báo';
  $('notice-send').textContent = 'Phát thông báo';
  $('notice-stop-edit').hidden = true;
  complain('notice-error', FIELDS, null);
  arrange();
}

function arrange() {
  $('from-part').hidden = $('start').value !== 'from';
  $('until-part').hidden = $('span').value !== 'until';
  preview();
}

function wanted() {
  const text = oneLine($('text').value);
  const wrong = (field, message) => { throw Object.assign(new Error(message), { field }); };
  if (!text) wrong('text', 'Chưa nhập nội dung.');
  if (Array.from(text).length > TEXT_MAX) wrong('text', `Nội dung dài quá ${TEXT_MAX} ký tự.`);
  const request = {
    type: 'notice.put', id: edited ? edited.id : freshId(), text: { vi: text }, level: $('level').value,
    speak: $('speak').checked,
  };
  if (recordingId()) request.recording = recordingId();
  const english = oneLine($('text-en').value);
  if (english) request.text.en = english;
  if ($('qr').value.trim()) request.qr = $('qr').value.trim();
  const boxes = Array.from($('zones').querySelectorAll('input'));
  const zones = boxes.filter((box) => box.checked).map((box) => box.value);
  if (boxes.length > 1 && zones.length === 0) wrong('zones', 'Chưa chọn khu nào.');
  if (boxes.length > 1 && zones.length < boxes.length) request.zones = zones;
  for (const [field, asked, words] of [['from', $('start').value === 'from', 'bắt đầu'], ['until', $('span').value === 'until', 'kết thúc']]) {
    if (!asked) continue;
    request[field] = timeOfSomeDay($(field).value);
    if (!request[field]) wrong(field, `Giờ ${words} phải có dạng 16:30, hoặc 16:30 25/11 cho ngày khác.`);
  }
  if ($('span').value && $('span').value !== 'until') request.for_s = Number($('span').value);
  return request;
}

// What is told anew is heard no more: whether one of these still waits for the loudspeakers.
function waits(ids) {
  const spoken = hall.notices.filter((notice) => notice.speak && ids.includes(notice.id)).map((notice) => notice.id);
  return spoken.length > 0
    && hall.speech.some((zone) => zone.more > 0 || zone.waiting.some((said) => spoken.includes(said.notice)));
}

// A notice that is told anew runs last of its level; those that stood behind it are told after it, and it keeps its place.
async function putInPlace(request) {
  const { id, level } = request;
  const index = hall.notices.findIndex((notice) => notice.id === id && notice.level === level);
  const behind = index < 0 ? [] : hall.notices.slice(index + 1).filter((notice) => notice.level === level);
  await hall.link.ask(request);
  const ids = behind.map((notice) => notice.id);
  if (ids.length && level !== 'emergency' && !waits(ids)) await hall.link.ask({ type: 'notice.order', ids });
}

async function put() {
  complain('notice-error', FIELDS, null);
  tell('notice-done', '');
  try {
    const request = wanted();
    if (request.level === 'emergency') {
      const sure = await confirmed({
        title: 'Phát thông báo khẩn cấp?',
        words: `Thông báo chiếm toàn bộ màn hình sảnh và được đọc qua loa: “${request.text.vi}”`, done: 'Phát ngay',
      });
      if (sure === null) return;
    }
    await putInPlace(request);
    tell('notice-done', edited ? 'Đã sửa thông báo.' : 'Đã phát thông báo.');
    emptyForm();
    showPast();
  } catch (error) {
    complain('notice-error', FIELDS, error);
  }
}

function edit(notice) {
  emptyForm();
  edited = notice;
  $('text').value = notice.text.vi;
  $('text-en').value = notice.text.en || '';
  $('level').value = notice.level;
  $('qr').value = notice.qr || '';
  holdRecording(notice.recording || '');
  $('speak').checked = false;
  $('more').open = Boolean(notice.text.en || notice.qr);
  for (const box of $('zones').querySelectorAll('input')) {
    box.checked = notice.zones ? notice.zones.includes(box.value) : true;
  }
  for (const [field, select] of [['from', 'start'], ['until', 'span']]) {
    if (!notice[field] || (field === 'from' && new Date(notice.from) <= new Date())) continue;
    $(select).value = field;
    $(field).value = moment(notice[field]).replace(' ngày', '');
  }
  $('notice-head').textContent = 'Sửa thông báo';
  $('notice-send').textContent = 'Lưu thay đổi';
  $('notice-stop-edit').hidden = false;
  arrange();
  $('text').focus();
}

async function end(id) {
  try {
    await hall.link.ask({ type: 'notice.delete', id });
    tell('notice-done', 'Đã kết thúc thông báo.');
  } catch (error) {
    if (error.code === 'not-found') tell('notice-done', 'Thông báo đã kết thúc từ trước.');
    else complain('notice-error', FIELDS, error);
  }
  if (edited && edited.id === id) emptyForm();
  showPast();
}

// --- what runs -----------------------------------------------------------------------------------------------------

export function showNotices() {
  const { notices } = hall;
  $('no-notices').hidden = notices.length > 0;
  pill($('notice-count'), 'wait', `${notices.length} đang phát`);
  replace('notice-list', notices.map(item));
  preview();
}

function item(notice, index) {
  const starts = notice.from && new Date(notice.from) > new Date() ? `từ ${moment(notice.from)}` : '';
  const ends = notice.until ? `đến ${moment(notice.until)}` : 'đến khi kết thúc';
  const zones = notice.zones ? 'khu ' + notice.zones.join(', ') : '';
  const facts = [starts, ends, zones, notice.recording ? 'có ghi âm' : '', notice.speak ? 'phát qua loa' : '', notice.qr ? 'có mã QR' : '', notice.author || '', moment(notice.at)];
  const words = make('div', {}, make('p', {}, notice.text.vi), make('small', {}, facts.filter(Boolean).join(' · ')));
  const line = make('li', {}, badge(notice.level, LEVELS[notice.level] || notice.level), words);
  if (may('operator')) line.append(acts(notice, index));
  return line;
}

function acts(notice, index) {
  const text = notice.text.vi;
  const spot = (kind) => `${notice.id}/${kind}`;
  const row = make('div', { className: 'acts' });
  for (const [kind, words, by] of [['up', 'Lên', -1], ['down', 'Xuống', 1]]) {
    const other = hall.notices[index + by];
    if (other && other.level === notice.level && notice.level !== 'emergency') {
      row.append(action(words, `Đưa ${words.toLowerCase()}: ${text}`, spot(kind), () => move(index, by)));
    }
  }
  if (notice.recording && notice.level !== 'emergency') {
    row.append(action('Phát lại', `Phát lại lời nhắn: ${text}`, spot('again'), () => again(notice)));
  }
  row.append(
    action('Sửa', `Sửa thông báo: ${text}`, spot('edit'), () => edit(notice)),
    action('Kết thúc', `Kết thúc thông báo: ${text}`, spot('end'), () => end(notice.id)));
  return row;
}

// Heard once more in the hall: the same notice, told anew.
async function again({ author, at, ...notice }) {
  try {
    await putInPlace({ type: 'notice.put', ...notice, speak: true });
    tell('notice-done', 'Lời nhắn được phát khi không còn lượt gọi nào chờ.');
  } catch (error) {
    complain('notice-error', FIELDS, error);
  }
}

async function move(index, by) {
  complain('notice-error', FIELDS, null);
  const ids = hall.notices.map((notice) => notice.id);
  [ids[index], ids[index + by]] = [ids[index + by], ids[index]];
  const { level } = hall.notices[index];
  const same = ids.filter((id) => hall.notices.find((n) => n.id === id).level === level);
  if (waits(same)) {
    complain('notice-error', FIELDS, { message: 'Có lời nhắn đang chờ phát qua loa, xếp lại thì mất. Hãy đợi phát xong.' });
    return;
  }
  try {
    await hall.link.ask({ type: 'notice.order', ids: same });
  } catch (error) {
    complain('notice-error', FIELDS, error);
  }
}

// --- who did what --------------------------------------------------------------------------------------------------

export async function showPast() {
  if (!may('operator') || hall.page !== 'thong-bao') return;
  try {
    const since = new Date(Date.now() - WEEK_MS).toISOString();
    const { deeds } = await hall.link.ask({ type: 'audit', about: 'notice', since, limit: 100 });
    const rows = deeds.slice(0, 30).map((deed, index) => {
      const earlier = deeds.slice(index + 1).filter((d) => d.topic === deed.topic);
      const before = earlier.find((d) => d.said);
      const said = deed.said || (before && before.said);
      return [moment(deed.at), deed.who, what(deed, earlier[0]), said ? said.text.vi : deed.topic.replace('notice/', '')];
    });
    table('notice-past', ['Lúc', 'Ai', 'Việc', 'Nội dung'], rows, 'Bảy ngày qua chưa có thông báo nào.');
  } catch (error) {
    replace('notice-past', [make('p', { className: 'note' }, error.message)]);
  }
}

// What somebody did with a notice, by what it was before; an end says nothing.
function what({ said, at }, before) {
  if (!said) return 'kết thúc';
  if (!before || !before.said) return 'phát';
  const kept = ({ at: when, author, speak, ...rest }) => JSON.stringify(rest);
  if (kept(said) !== kept(before.said)) return 'sửa';
  // One that is still to come keeps its voice when it is only moved.
  const heard = said.speak && !(new Date(said.from) > new Date(at));
  return heard ? 'phát lại' : 'xếp lại';
}

// --- the beginning -------------------------------------------------------------------------------------------------

// One box a zone, where there are several.
export function fillZones() {
  const zones = zonesOf();
  const boxes = Array.from($('zones').querySelectorAll('input'));
  if (zones.length === boxes.length && zones.every((zone, index) => zone === boxes[index].value)) return;
  // Where all were chosen, a zone that is new is one of all.
  const all = boxes.every((box) => box.checked);
  const chosen = (zone) => (boxes.find((box) => box.value === zone) || { checked: all }).checked;
  $('zones').hidden = zones.length < 2;
  $('zone-boxes').replaceChildren(...zones.map((zone) => make('label', { className: 'check' },
    make('input', { type: 'checkbox', value: zone, defaultChecked: true, checked: chosen(zone) }), ' ' + zone)));
}

function useTemplate(words, level) {
  $('text').value = words();
  if (level) $('level').value = level;
  preview();
  const gap = $('text').value.indexOf('…');
  $('text').focus();
  if (gap >= 0) $('text').setSelectionRange(gap, gap + 1);
}

export function beginNotices() {
  for (const [name, words, level] of TEMPLATES) {
    $('templates').append(make('button', { type: 'button', className: level === 'emergency' ? 'small danger' : 'small', onclick: () => useTemplate(words, level) }, name));
  }
  for (const id of ['text', 'text-en']) $(id).addEventListener('input', preview);
  for (const id of ['level', 'start', 'span']) $(id).addEventListener('change', arrange);
  $('notice-form').addEventListener('submit', (event) => {
    event.preventDefault();
    busyWhile([$('notice-send')], put);
  });
  $('notice-stop-edit').addEventListener('click', emptyForm);
  beginRecording(() => {
    // Who records wants to be heard; a notice that is being changed is heard again only when somebody says so.
    if (recordingId() && recordingId() !== (edited && edited.recording)) $('speak').checked = true;
    preview();
  });
  $('notice-listen').addEventListener('click', (event) => {
    const text = oneLine($('text').value);
    const query = { notice: text, level: $('level').value };
    if (recordingId()) query.recording = recordingId();
    if (text) listen(query, event.currentTarget);
    else complain('notice-error', FIELDS, { field: 'text', message: 'Chưa nhập nội dung.' });
  });
  if (document.fonts) document.fonts.ready.then(preview);
  arrange();
}
