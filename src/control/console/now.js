// The page for phones: the numbers that everybody in the hall can see, asked for again every few seconds while somebody
// looks. It sends no number anywhere: one's own ticket is looked up on the phone itself.

const $ = (id) => document.getElementById(id);
const EVERY_MS = 5000;
const ANSWER_MS = 6000;
const KEY = 'moiso.mine';

let now = null;
let failures = 0;
let timer = 0;
let told = '';

function clock(date, seconds) {
  const options = { hour: '2-digit', minute: '2-digit', second: seconds ? '2-digit' : undefined, hourCycle: 'h23' };
  try {
    return new Intl.DateTimeFormat('vi', { ...options, timeZone: now.time_zone }).format(date);
  } catch (error) {
    return new Intl.DateTimeFormat('vi', options).format(date);
  }
}

function place(counter) {
  const known = now.counters.find((c) => c.counter === counter);
  return `${known ? known.noun : 'Quầy'} ${counter}`;
}

function set(id, words) {
  if ($(id).textContent !== words) $(id).textContent = words;
}

function row(number, words, side) {
  const item = document.createElement('li');
  const cells = ['b', 'span', 'i'].map((tag) => document.createElement(tag));
  cells[0].textContent = number;
  cells[1].textContent = words;
  cells[2].textContent = side;
  item.append(...cells);
  return item;
}

function list(id, items) {
  $(id).replaceChildren(...items);
  $(id + '-part').hidden = items.length === 0;
}

function show() {
  set('title', now.title);
  showHero();
  const rest = now.called.slice(1).map((call) => row(call.ticket, place(call.counter), 'đang mời'));
  const before = now.recent.filter((c) => !now.called.some((s) => s.ticket === c.ticket && s.counter === c.counter));
  list('recent', rest.concat(before.slice(0, 6).map((c) => row(c.ticket, place(c.counter), clock(new Date(c.at))))));
  const serving = now.counters.filter((c) => c.ticket || c.state === 'paused');
  list('counters', serving.map((c) => row(c.ticket || '—', place(c.counter), side(c))));
  list('notices', now.notices.map((notice) => {
    const item = document.createElement('li');
    item.className = notice.level;
    item.textContent = notice.text;
    return item;
  }));
  placeNotices();
  showMine();
}

// Who opens the page looks for a number; only an emergency comes before it.
function placeNotices() {
  const part = $('notices-part');
  const main = part.parentElement;
  const first = now.notices.some((notice) => notice.level === 'emergency');
  if (first === (main.firstElementChild === part)) return;
  if (first) main.prepend(part);
  else $('recent-part').after(part);
}

function showHero() {
  const [spot] = now.called;
  document.querySelector('.hero').classList.toggle('shut', !spot);
  set('hero-head', spot ? 'Mời số' : now.open ? 'Chưa mời số nào' : 'Sảnh đang nghỉ');
  set('number', spot ? spot.ticket : now.open ? 'Xin đợi trong giây lát' : opening());
  set('place', spot ? '→ ' + place(spot.counter) : '');
  set('kind', spot ? [spot.lane, spot.slot && `hẹn ${spot.slot}`].filter(Boolean).join(' · ') : '');
}

function side(counter) {
  if (counter.state === 'paused') return counter.reopens ? `nghỉ đến ${counter.reopens}` : 'tạm nghỉ';
  return counter.state === 'closed' ? 'đóng' : '';
}

function opening() {
  const opens = now.closed && now.closed.opens;
  if (!opens) return 'Xin xem giờ làm việc tại sảnh';
  const [year, month, day] = opens.date.split('-');
  const when = opens.in_days === 0 ? 'hôm nay' : opens.in_days === 1 ? 'ngày mai' : `ngày ${day}/${month}/${year}`;
  return `Mở cửa lại lúc ${opens.time} ${when}`;
}

function words(queue) {
  return queue.label ? `lĩnh vực ${queue.label.toLowerCase()}` : `loạt số ${queue.series}`;
}

// The queue that a ticket belongs to by its letters; with one queue only, that.
function queueOf(mine) {
  const letters = /^\D*/.exec(mine)[0];
  return now.queues.find((q) => letters && q.series.toUpperCase() === letters)
    || (now.queues.length === 1 && !letters ? now.queues[0] : undefined);
}

// The latest number of the same letters that has been called, or none.
function latestLike(mine) {
  const letters = /^\D*/.exec(mine)[0];
  const all = now.called.concat(now.recent);
  const like = all.find((c) => /^\D*\d+$/.test(c.ticket) && /^\D*/.exec(c.ticket)[0] === letters);
  return like ? like.ticket : '';
}

// [answer, more, whether it is this ticket's turn]. It says what the queue system has told, and nothing that would only be
// guessed: between two numbers of one series there may be fewer people than numbers.
function answer(mine) {
  const called = now.called.find((s) => s.ticket === mine);
  if (called) return [`Mời bạn đến ${place(called.counter)}`, 'Đang mời số của bạn.', true];
  // The counter may still show the number of who did not come.
  const missed = 'Xin đến quầy hướng dẫn để được giúp.';
  if (now.missed.includes(mine)) return ['Số của bạn đã được gọi', missed, false];
  const served = now.counters.find((c) => c.ticket === mine);
  if (served) return [`Đã gọi bạn đến ${place(served.counter)}`, 'Nếu chưa đến, xin đến quầy ngay.', true];
  const past = now.recent.find((c) => c.ticket === mine);
  if (past) return [`Đã gọi bạn đến ${place(past.counter)} lúc ${clock(new Date(past.at))}`, missed, false];
  const next = now.queues.find((q) => q.next.includes(mine));
  if (next) {
    const ahead = next.next.indexOf(mine);
    const wait = next.wait_minutes ? `chờ khoảng ${next.wait_minutes} phút` : '';
    return [ahead === 0 ? 'Bạn là người tiếp theo' : `Còn ${ahead} người trước bạn`,
      [wait, words(next)].filter(Boolean).join(' · '), false];
  }
  const queue = queueOf(mine);
  const facts = [];
  // With a list that does not have this number, at least all of the list comes before it.
  if (queue && queue.next.length > 0) facts.push(`ít nhất ${queue.next.length} người trước bạn`);
  else if (queue) facts.push(`${queue.waiting} người đang chờ ở ${words(queue)}`);
  const latest = latestLike(mine);
  if (latest) facts.push(`số gần nhất đã gọi: ${latest}`);
  return ['Chưa đến lượt', facts.join(' · ') || 'Xin giữ trang này mở và chú ý nghe gọi số.', false];
}

function showMine() {
  const mine = $('ticket').value.trim().toUpperCase().normalize('NFC');
  const [words1, more, turn] = mine ? answer(mine) : ['', 'Nhập số trên phiếu để biết còn mấy người trước bạn.', false];
  set('answer', words1);
  set('more', more);
  $('mine').classList.toggle('now', turn);
  document.title = turn ? `${words1} · ${now.title}` : `Đang gọi · ${now.title}`;
  const touched = navigator.userActivation && navigator.userActivation.hasBeenActive;
  if (turn && told !== mine + words1 && touched && navigator.vibrate) navigator.vibrate([300, 150, 300]);
  told = turn ? mine + words1 : '';
}

function showState() {
  const stale = now.stale
    ? `Sảnh mất liên lạc với hệ thống${now.last_news ? ' từ ' + clock(new Date(now.last_news)) : ''}, số có thể đã cũ`
    : `Cập nhật ${clock(new Date(), true)} · tự làm mới`;
  set('state', stale);
  $('state').classList.toggle('bad', now.stale);
}

async function refresh() {
  clearTimeout(timer);
  if (document.hidden) return;
  // A connection that died without a word would be waited for in vain.
  const patience = new AbortController();
  const giveUp = setTimeout(() => patience.abort(), ANSWER_MS);
  try {
    const reply = await fetch('/api/now', { cache: 'no-cache', signal: patience.signal });
    if (!reply.ok) throw new Error(String(reply.status));
    now = await reply.json();
    failures = 0;
    show();
    showState();
  } catch (error) {
    failures += 1;
    // One that breaks may be chance; one that nobody answers is none.
    if (failures > 1 || error.name === 'AbortError') {
      set('state', 'Mất kết nối, đang thử lại. Xin xem màn hình trong sảnh.');
      $('state').classList.add('bad');
    }
  }
  clearTimeout(giveUp);
  clearTimeout(timer);
  // Phones that began together do not stay together.
  timer = setTimeout(refresh, EVERY_MS * Math.min(1 + failures, 3) * (0.85 + Math.random() * 0.3));
}

function begin() {
  try {
    $('ticket').value = sessionStorage.getItem(KEY) || '';
  } catch (error) {
    // Without storage the number is only forgotten on reload.
  }
  $('ticket').addEventListener('input', () => {
    try {
      sessionStorage.setItem(KEY, $('ticket').value);
    } catch (error) {
      // As above.
    }
    if (now) showMine();
  });
  document.addEventListener('visibilitychange', refresh);
  refresh();
}

begin();
