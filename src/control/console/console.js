// The operators' page. Everything that comes from the server is shown as text, never as markup.

import { Link, freshId } from '/assets/link.js';

const $ = (id) => document.getElementById(id);
const KEY = 'moiso.token';
const TEXT_MAX = 500;
const LEVELS = { info: 'Thông tin', important: 'Quan trọng', emergency: 'Khẩn cấp' };
const STATES = { open: 'đang mở', paused: 'tạm nghỉ', closed: 'đóng' };
const DONE = { call: 'Đã gọi', recall: 'Đã gọi lại', absent: 'Đã ghi vắng', cancel: 'Đã hủy', serving: 'Đang phục vụ' };
const TEMPLATES = [
  ['Gửi xe miễn phí', 'Công dân được gửi xe miễn phí, nước uống miễn phí, hướng dẫn kê khai miễn phí.'],
  ['Quầy tạm nghỉ', 'Quầy … tạm nghỉ đến … giờ, mời công dân đến quầy ….'],
  ['Hết số hôm nay', 'Hôm nay đã hết số. Mời công dân lấy số cho ngày làm việc tiếp theo.'],
  ['Lấy số qua iHanoi', 'Công dân có thể lấy số trực tuyến qua ứng dụng iHanoi để biết trước khung giờ phục vụ.'],
];

let about = { counters: [], lanes: [], time_zone: undefined };
let view = null;
let me = null;

// --- small helpers -------------------------------------------------------------------------------------------------

function make(tag, properties, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties || {})) {
    if (name.includes('-')) element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...children);
  return element;
}

function pill(element, kind, words) {
  element.className = 'pill ' + kind;
  if (element.textContent !== words) element.textContent = words;
}

function capital(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function clock(text) {
  const options = { hour: '2-digit', minute: '2-digit' };
  try {
    return new Intl.DateTimeFormat('vi', { ...options, timeZone: about.time_zone }).format(new Date(text));
  } catch (error) {
    return new Intl.DateTimeFormat('vi', options).format(new Date(text));
  }
}

function day(text) {
  const options = { day: '2-digit', month: '2-digit' };
  try {
    return new Intl.DateTimeFormat('vi', { ...options, timeZone: about.time_zone }).format(new Date(text));
  } catch (error) {
    return new Intl.DateTimeFormat('vi', options).format(new Date(text));
  }
}

function moment(text) {
  return day(text) === day(new Date()) ? clock(text) : clock(text) + ' ngày ' + day(text);
}

function tell(place, words) {
  $(place).textContent = words;
  clearTimeout(tell[place]);
  tell[place] = setTimeout(() => { $(place).textContent = ''; }, 6000);
}

// Marks the field that the server named and says why.
function complain(place, fields, error) {
  for (const id of Object.values(fields)) $(id).removeAttribute('aria-invalid');
  $(place).textContent = error ? error.message : '';
  const id = error && fields[error.field];
  if (id) {
    $(id).setAttribute('aria-invalid', 'true');
    $(id).focus();
  }
}

async function busyWhile(buttons, work) {
  buttons.forEach((button) => { button.disabled = true; });
  try {
    await work();
  } finally {
    buttons.forEach((button) => { button.disabled = false; });
  }
}

// --- the picture ---------------------------------------------------------------------------------------------------

const picture = { shown: 0, loading: false, again: false, tag: null, address: null };

async function loadPicture() {
  if (picture.loading) {
    picture.again = true;
    return;
  }
  picture.loading = true;
  try {
    const answer = await fetch('/board.png', { cache: 'no-cache' });
    if (!answer.ok) throw new Error(String(answer.status));
    const tag = answer.headers.get('etag');
    if (!tag || tag !== picture.tag) await showPicture(await answer.blob(), tag);
    picture.shown = Date.now();
    $('no-picture').hidden = true;
  } catch (error) {
    if (!picture.address) $('no-picture').hidden = false;
  }
  picture.loading = false;
  showAge();
  if (picture.again) {
    picture.again = false;
    setTimeout(loadPicture, 400);
  }
}

// Decodes beside the page before it is shown, so that nothing flickers or moves.
async function showPicture(blob, tag) {
  const address = URL.createObjectURL(blob);
  const ahead = new Image();
  ahead.src = address;
  try {
    await ahead.decode();
  } catch (error) {
    URL.revokeObjectURL(address);
    throw error;
  }
  $('picture').src = address;
  if (picture.address) URL.revokeObjectURL(picture.address);
  picture.address = address;
  picture.tag = tag;
}

function showAge() {
  if (!picture.shown) return;
  const seconds = Math.round((Date.now() - picture.shown) / 1000);
  if (seconds < 12) pill($('age'), 'good', seconds < 2 ? 'vừa cập nhật' : `cập nhật ${seconds} giây trước`);
  else pill($('age'), 'warn', `hình cũ ${seconds} giây`);
}

// --- the state of the hall -----------------------------------------------------------------------------------------

function nameOf(counter) {
  const known = (view ? view.counters : []).find((c) => c.counter === counter)
    || about.counters.find((c) => c.id === counter);
  return `${(known && known.noun) || 'Quầy'} ${counter}`;
}

function laneName(id) {
  const lane = about.lanes.find((l) => l.id === id);
  return lane && id !== 'regular' ? lane.name : '';
}

function showView(next) {
  const changed = !view || view.revision !== next.revision;
  view = next;
  if (changed) loadPicture();
  const now = view.spotlight.map((s) => `${s.ticket} đến ${nameOf(s.counter)}`).join(', ');
  $('summary').textContent = now ? `Đang mời: ${now}.` : '';
  $('picture').alt = now ? `Ảnh màn hình sảnh hiện tại: mời số ${now}` : 'Ảnh màn hình sảnh hiện tại';
  const phase = $('phase');
  phase.hidden = view.open && !view.link.stale;
  if (!view.open) pill(phase, 'warn', 'Ngoài giờ làm việc');
  else if (view.link.stale) pill(phase, 'bad', 'Màn hình mất liên lạc với hệ thống xếp hàng');
  showCounters();
}

function showCounters() {
  const cells = view.counters.map(cell);
  const focused = document.activeElement && document.activeElement.dataset.spot;
  $('pad').replaceChildren(...cells);
  if (focused) {
    const again = document.querySelector(`[data-spot="${CSS.escape(focused)}"]`);
    if (again) again.focus();
  }
  fillCounters();
}

function cell(counter) {
  const open = counter.state === 'open';
  const state = open && !counter.known ? 'chưa mở' : STATES[counter.state];
  const back = counter.reopens ? ` đến ${counter.reopens}` : '';
  const what = [counter.label, laneName(counter.lane)].filter(Boolean).join(' · ');
  const item = make('li', { className: counter.called ? 'called' : open && counter.known ? '' : 'off' },
    make('div', { className: 'top' }, make('span', {}, nameOf(counter.counter)), make('span', {}, state + back)),
    make('div', { className: 'ticket' }, counter.ticket || '—'),
    make('div', { className: 'what', title: what }, what));
  if (me && me.role !== 'viewer') {
    const act = (kind, words, spoken) => make('button', {
      type: 'button', className: 'small', disabled: !counter.ticket,
      'aria-label': `${spoken} ${counter.ticket || ''}, ${nameOf(counter.counter)}`,
      'data-spot': `${counter.counter}/${kind}`,
      onclick: (event) => busyWhile([event.currentTarget], () => call(kind, counter.ticket, counter.counter, counter.lane)),
    }, words);
    item.append(make('div', { className: 'row' }, act('recall', 'Gọi lại', 'Gọi lại'), act('absent', 'Vắng', 'Vắng mặt')));
  }
  return item;
}

function fillCounters() {
  const select = $('counter');
  const ids = view ? view.counters.map((c) => c.counter) : about.counters.map((c) => c.id);
  const held = Array.from(select.options, (option) => option.value);
  if (ids.length + 1 === held.length && ids.every((id, i) => id === held[i + 1])) return;
  const chosen = select.value;
  const label = (id) => {
    const known = about.counters.find((c) => c.id === id);
    return known && known.label ? `${nameOf(id)} · ${known.label}` : nameOf(id);
  };
  select.replaceChildren(make('option', { value: '' }, 'Chọn quầy'),
    ...ids.map((id) => make('option', { value: id }, label(id))));
  select.value = ids.includes(chosen) ? chosen : '';
}

// --- calls ---------------------------------------------------------------------------------------------------------

const CALL_FIELDS = { ticket: 'ticket', counter: 'counter', lane: 'lane' };

async function call(kind, ticket, counter, lane) {
  complain('call-error', CALL_FIELDS, null);
  try {
    await link.ask({ type: 'call', id: freshId(), kind, ticket, counter, lane });
    tell('call-done', `${DONE[kind]} ${ticket}, ${nameOf(counter)}.`);
    return true;
  } catch (error) {
    complain('call-error', CALL_FIELDS, error);
    return false;
  }
}

function submitCall(kind) {
  const ticket = $('ticket').value.trim().toUpperCase();
  const counter = $('counter').value;
  if (!ticket) return complain('call-error', CALL_FIELDS, { field: 'ticket', message: 'Chưa nhập số thứ tự.' });
  if (!counter) return complain('call-error', CALL_FIELDS, { field: 'counter', message: 'Chưa chọn quầy.' });
  const buttons = Array.from($('call-form').querySelectorAll('button'));
  return busyWhile(buttons, async () => {
    if (await call(kind, ticket, counter, $('lane').value) && kind === 'call') {
      // The next citizen is somebody else; the counter is likely the same.
      $('ticket').value = '';
      $('lane').value = 'regular';
      $('ticket').focus();
    }
  });
}

// --- notices -------------------------------------------------------------------------------------------------------

const NOTICE_FIELDS = { text: 'text', level: 'level', until: 'until', for_s: 'span' };

function oneLine(text) {
  return text.replace(/\s+/g, ' ').trim().normalize('NFC');
}

// Also as people write it: 9h, 16h30, 8:05.
function timeOfDay(text) {
  const match = /^(\d{1,2})\s*(?:[:hg.]\s*(\d{2})?)?$/.exec(text.trim().toLowerCase());
  return match ? `${match[1].padStart(2, '0')}:${match[2] || '00'}` : '';
}

function countText() {
  const length = Array.from(oneLine($('text').value)).length;
  $('text-count').textContent = `${length} / ${TEXT_MAX}`;
  $('text-count').classList.toggle('over', length > TEXT_MAX);
  $('preview').textContent = oneLine($('text').value);
}

async function putNotice() {
  complain('notice-error', NOTICE_FIELDS, null);
  const text = oneLine($('text').value);
  const level = $('level').value;
  if (!text) return complain('notice-error', NOTICE_FIELDS, { field: 'text', message: 'Chưa nhập nội dung.' });
  if (Array.from(text).length > TEXT_MAX) {
    return complain('notice-error', NOTICE_FIELDS, { field: 'text', message: `Nội dung dài quá ${TEXT_MAX} ký tự.` });
  }
  if (level === 'emergency' && !confirm('Thông báo khẩn cấp chiếm toàn bộ màn hình sảnh. Phát ngay?')) return;
  const request = { type: 'notice.put', id: freshId(), text: { vi: text }, level, speak: $('speak').checked };
  const span = $('span').value;
  if (span === 'until') {
    request.until = timeOfDay($('until').value);
    if (!request.until) return complain('notice-error', NOTICE_FIELDS, { field: 'until', message: 'Giờ kết thúc phải có dạng 16:30.' });
  } else if (span) {
    request.for_s = Number(span);
  }
  try {
    await link.ask(request);
    $('text').value = '';
    $('speak').checked = false;
    $('level').value = 'info';
    $('span').value = '';
    $('until-part').hidden = true;
    countText();
    tell('notice-done', 'Đã phát thông báo.');
  } catch (error) {
    complain('notice-error', NOTICE_FIELDS, error);
  }
}

async function endNotice(id) {
  try {
    await link.ask({ type: 'notice.delete', id });
    tell('notice-done', 'Đã kết thúc thông báo.');
  } catch (error) {
    if (error.code === 'not-found') tell('notice-done', 'Thông báo đã kết thúc từ trước.');
    else complain('notice-error', NOTICE_FIELDS, error);
  }
}

function showNotices(notices) {
  $('no-notices').hidden = notices.length > 0;
  const count = $('notice-count');
  count.hidden = notices.length === 0;
  pill(count, 'wait', `${notices.length} đang phát`);
  $('notice-list').replaceChildren(...notices.map(noticeItem));
}

function noticeItem(notice) {
  const starts = notice.from && new Date(notice.from) > new Date() ? `từ ${moment(notice.from)}` : '';
  const ends = notice.until ? `đến ${moment(notice.until)}` : 'đến khi kết thúc';
  const facts = [starts, ends, notice.speak ? 'đọc qua loa' : '', notice.author || '', moment(notice.at)];
  const item = make('li', {},
    make('span', { className: 'pill ' + notice.level }, LEVELS[notice.level] || notice.level),
    make('div', {}, make('p', {}, notice.text.vi), make('small', {}, facts.filter(Boolean).join(' · '))));
  if (me && me.role !== 'viewer') {
    item.append(make('button', {
      type: 'button', className: 'small', 'aria-label': `Kết thúc thông báo: ${notice.text.vi}`,
      onclick: (event) => busyWhile([event.currentTarget], () => endNotice(notice.id)),
    }, 'Kết thúc'));
  }
  return item;
}

// --- signing in and out --------------------------------------------------------------------------------------------

const link = new Link({
  state: (kind, words) => pill($('link'), kind, words),
  signedIn: async (reply, token) => {
    me = reply;
    sessionStorage.setItem(KEY, token);
    $('who').textContent = `${reply.name} · ${reply.role_vi}`;
    for (const form of document.querySelectorAll('.operator')) form.hidden = reply.role === 'viewer';
    arrange();
    try {
      await link.ask({ type: 'subscribe', topics: ['view', 'notices', 'health'] });
    } catch (error) {
      pill($('link'), 'bad', error.message);
    }
  },
  refused: (error) => {
    leave(error.message);
  },
  event: (message) => {
    if (message.event === 'view') showView(message.view);
    else if (message.event === 'notice') showNotices(message.notices);
    else if (message.event === 'health') {
      if (message.ready) pill($('link'), 'good', '● Đang hoạt động');
      else pill($('link'), 'warn', '● Cần kiểm tra hệ thống');
    }
  },
});

function leave(words) {
  me = null;
  sessionStorage.removeItem(KEY);
  $('who').textContent = '';
  $('sign-in-error').textContent = words || '';
  pill($('link'), 'wait', 'Chưa đăng nhập');
  arrange();
  readAbout();
}

function arrange() {
  $('sign-in').hidden = me !== null;
  $('notices').hidden = me === null;
  $('calls').hidden = me === null;
  $('sign-out').hidden = me === null;
  if (view) showCounters();
}

async function readAbout() {
  try {
    about = await (await fetch('/api/about', { cache: 'no-store' })).json();
  } catch (error) {
    setTimeout(readAbout, 3000);
    return;
  }
  $('title').textContent = about.title;
  document.title = about.title + ' · trang quản lý';
  $('version').textContent = 'moiso ' + about.version + ' ·';
  $('no-tokens').hidden = about.has_tokens;
  $('board').style.aspectRatio = `${about.screen.width} / ${about.screen.height}`;
  $('lane').replaceChildren(...about.lanes.map((lane) => make('option', { value: lane.id }, capital(lane.name))));
  fillCounters();
}

// A token in the address is taken out of it before anything else, so that it is not kept, shared or shown.
function tokenFromAddress() {
  const match = /^#token=(.+)$/.exec(location.hash);
  if (location.hash) history.replaceState(null, '', location.pathname);
  return match ? decodeURIComponent(match[1]) : null;
}

function begin() {
  const token = tokenFromAddress() || sessionStorage.getItem(KEY);
  readAbout();
  loadPicture();
  setInterval(() => {
    showAge();
    if (!document.hidden && Date.now() - picture.shown > 5000) loadPicture();
  }, 1000);
  for (const [name, text] of TEMPLATES) {
    $('templates').append(make('button', {
      type: 'button', className: 'small',
      onclick: () => { $('text').value = text; countText(); $('text').focus(); },
    }, name));
  }
  $('text').addEventListener('input', countText);
  $('span').addEventListener('change', () => { $('until-part').hidden = $('span').value !== 'until'; });
  $('notice-form').addEventListener('submit', (event) => {
    event.preventDefault();
    busyWhile([event.submitter || event.target.querySelector('.main')], putNotice);
  });
  $('call-form').addEventListener('submit', (event) => { event.preventDefault(); submitCall('call'); });
  for (const button of $('call-form').querySelectorAll('button[type=button]')) {
    button.addEventListener('click', () => submitCall(button.dataset.kind));
  }
  $('sign-in-form').addEventListener('submit', (event) => {
    event.preventDefault();
    const given = $('token').value.trim();
    $('token').value = '';
    $('sign-in-error').textContent = '';
    if (given) link.signIn(given);
  });
  $('sign-out').addEventListener('click', () => { link.signOut(); leave(''); });
  window.addEventListener('hashchange', () => {
    const again = tokenFromAddress();
    if (again) link.signIn(again);
  });
  if (token) link.signIn(token);
  else leave('');
}

begin();
