// The operators' page: signing in, the pages it has, and what the server tells of.

import { beginCounters, showCounters } from '/assets/counters.js';
import { hall, may, nameOf } from '/assets/hall.js';
import { beginHealth, showHealth, showRejected, unwell } from '/assets/health.js';
import { beginHistory, historyChanged, showHistory } from '/assets/history.js';
import { beginKeys } from '/assets/keys.js';
import { Link } from '/assets/link.js';
import { beginNotices, fillZones, showNotices, showPast } from '/assets/notices.js';
import { beginPicture, loadPicture } from '/assets/picture.js';
import { holdRecording } from '/assets/recording.js';
import { showScreens } from '/assets/screens.js';
import { $, capital, date, make, pill } from '/assets/show.js';
import { beginSound, showSound, showSpeech } from '/assets/sound.js';

const KEY = 'moiso.token';
const PAGES = ['sanh', 'thong-bao', 'lich-su', 'man-hinh', 'suc-khoe'];

// Until the page knows who looks and what there is to see, or has waited long enough, it shows nothing: what comes piece
// by piece would move under the hand.
const START_MS = 3000;

function started() {
  document.body.classList.remove('starting');
}

function startedWhenWhole() {
  if (hall.view && hall.health) started();
}

// --- what the server tells -----------------------------------------------------------------------------------------

function showView(next) {
  const changed = !hall.view || hall.view.revision !== next.revision;
  hall.view = next;
  if (changed) loadPicture();
  const now = next.spotlight.map((s) => `${s.ticket} đến ${nameOf(s.counter)}`).join(', ');
  $('summary').textContent = now ? `Đang mời: ${now}.` : 'Chưa mời số nào.';
  $('picture').alt = now ? `Ảnh màn hình sảnh hiện tại: mời số ${now}` : 'Ảnh màn hình sảnh hiện tại';
  const phase = $('phase');
  phase.hidden = next.open && !next.link.stale;
  if (!next.open) pill(phase, 'warn', 'Ngoài giờ làm việc');
  else if (next.link.stale) pill(phase, 'bad', 'Mất liên lạc với hệ thống xếp hàng');
  const resting = next.counters.filter((counter) => counter.state === 'paused').map((counter) => nameOf(counter.counter));
  $('resting').hidden = resting.length === 0;
  $('resting').textContent = resting.length === 1 ? `${resting[0]} tạm nghỉ` : `${resting.length} quầy tạm nghỉ`;
  showCounters();
  showSound();
  startedWhenWhole();
}

function showAll(health) {
  hall.health = health;
  const bad = health.detail.screen ? unwell(health) : [];
  if (health.ready && bad.length === 0) pill($('link'), 'good', '● Đang hoạt động');
  else pill($('link'), 'warn', '● ' + (bad.length === 1 ? bad[0] : 'Cần kiểm tra hệ thống'));
  showHealth();
  showSound();
  startedWhenWhole();
}

function hear(message) {
  switch (message.event) {
    case 'view': return showView(message.view);
    case 'notice': hall.notices = message.notices; return showNotices();
    case 'health': return showAll(message);
    case 'screens': hall.screens = message.screens; fillZones(); return showScreens(message.screens);
    case 'speech': hall.speech = message.zones; return showSpeech();
    case 'proof': return historyChanged();
    default: return undefined;
  }
}

// --- signing in and out --------------------------------------------------------------------------------------------

hall.link = new Link({
  state: (kind, words) => {
    pill($('link'), kind, words);
    if (kind !== 'bad') return;
    if (!hall.me) $('sign-in-error').textContent = words;
    started();
  },
  signedIn: async (reply, token) => {
    hall.me = reply;
    hall.token = token;
    sessionStorage.setItem(KEY, token);
    $('who').textContent = `${reply.name} · ${reply.role_vi}`;
    arrange();
    try {
      await hall.link.ask({ type: 'subscribe', topics: ['view', 'notices', 'health', 'proofs', 'screens', 'speech'] });
      entered();
    } catch (error) {
      pill($('link'), 'bad', error.message);
    }
  },
  refused: (error) => leave(error.message),
  event: hear,
});

function leave(words) {
  hall.me = null;
  hall.token = null;
  holdRecording('');
  sessionStorage.removeItem(KEY);
  $('who').textContent = '';
  $('sign-in-error').textContent = words || '';
  $('summary').textContent = '';
  $('phase').hidden = true;
  $('resting').hidden = true;
  pill($('link'), 'wait', 'Chưa đăng nhập');
  arrange();
  readAbout().then(started);
}

// --- the pages -----------------------------------------------------------------------------------------------------

// Shows the sections of the open page that this role may use.
function arrange() {
  hall.page = hall.me ? wantedPage() : 'dang-nhap';
  for (const part of document.querySelectorAll('[data-in], [data-role]')) {
    const { in: pages, role } = part.dataset;
    part.hidden = Boolean((pages && !pages.split(' ').includes(hall.page)) || (role && !may(role)));
  }
  for (const link of $('nav').querySelectorAll('a')) {
    if (link.hash === '#/' + hall.page) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  $('nav').hidden = hall.me === null;
  $('sign-out').hidden = hall.me === null;
  $('main').className = hall.page;
  const here = $('nav').querySelector('[aria-current]');
  const name = hall.about.title || 'moiso';
  // On a phone the open page may be at the end of a row that is wider than the screen.
  if (here) here.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  document.title = here ? `${here.textContent} · ${name}` : `${name} · trang quản lý`;
  if (hall.view) showCounters();
}

function wantedPage() {
  const open = (page) => PAGES.includes(page) && (page !== 'lich-su' || may('operator'));
  return [location.hash.replace(/^#\/?/, ''), hall.page, 'sanh'].find(open);
}

// What a page asks for when it is opened, and again after a lost connection.
function entered() {
  showPast();
  showHistory();
  showRejected();
}

// The hall's names and its clock. Nothing that the server tells is shown right without them.
async function readAbout() {
  try {
    hall.about = await (await fetch('/api/about', { cache: 'no-store' })).json();
  } catch (error) {
    await new Promise((resolve) => { setTimeout(resolve, 3000); });
    return readAbout();
  }
  const { about } = hall;
  $('title').textContent = about.title;
  $('version').textContent = 'moiso ' + about.version + ' ·';
  $('no-tokens').hidden = about.has_tokens;
  if (about.screen.width !== 1920 || about.screen.height !== 1080) {
    $('board').style.aspectRatio = `${about.screen.width} / ${about.screen.height}`;
  }
  $('lane').replaceChildren(...about.lanes.map((lane) => make('option', { value: lane.id }, capital(lane.name))));
  $('history-day').value = date(new Date());
  fillZones();
  arrange();
  return undefined;
}

// A token in the address is taken out of it before anything else, so that it is not kept, shared or shown.
function tokenFromAddress() {
  const match = /^#token=(.+)$/.exec(location.hash);
  if (match) history.replaceState(null, '', location.pathname);
  return match ? decodeURIComponent(match[1]) : null;
}

function begin() {
  const token = tokenFromAddress() || sessionStorage.getItem(KEY);
  for (const start of [beginPicture, beginCounters, beginKeys, beginNotices, beginHistory, beginHealth, beginSound]) start();
  setTimeout(started, START_MS);
  $('sign-in-form').addEventListener('submit', (event) => {
    event.preventDefault();
    const given = $('token').value.trim();
    $('token').value = '';
    $('sign-in-error').textContent = '';
    if (given) hall.link.signIn(given);
  });
  $('sign-out').addEventListener('click', () => { hall.link.signOut(); leave(''); });
  window.addEventListener('hashchange', () => {
    const again = tokenFromAddress();
    if (again) return hall.link.signIn(again);
    const before = hall.page;
    arrange();
    if (hall.page !== before && hall.me) {
      entered();
      $('main').focus({ preventScroll: true });
      window.scrollTo(0, 0);
    }
    return undefined;
  });
  $('dialog-form').addEventListener('submit', (event) => { event.preventDefault(); $('dialog').close('done'); });
  $('dialog-not').addEventListener('click', () => $('dialog').close(''));
  if (token) readAbout().then(() => hall.link.signIn(token));
  else leave('');
}

begin();
