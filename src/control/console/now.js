// The page for phones: the numbers that everybody in the hall can see, asked for again every few seconds.

const $ = (id) => document.getElementById(id);
const EVERY_MS = 4000;
const KEY = 'moiso.mine';

let about = { counters: [], lanes: [], time_zone: undefined };
let view = null;
let failures = 0;

function clock(date, seconds) {
  const options = { hour: '2-digit', minute: '2-digit', second: seconds ? '2-digit' : undefined };
  try {
    return new Intl.DateTimeFormat('vi', { ...options, timeZone: about.time_zone }).format(date);
  } catch (error) {
    return new Intl.DateTimeFormat('vi', options).format(date);
  }
}

function place(counter) {
  const known = view.counters.find((c) => c.counter === counter);
  return `${known ? known.noun : 'Quầy'} ${counter}`;
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

function show() {
  const spot = view.spotlight[0] || null;
  $('hero').hidden = spot === null;
  if (spot) {
    if ($('number').textContent !== spot.ticket) $('number').textContent = spot.ticket;
    $('place').textContent = '→ ' + place(spot.counter);
    const lane = about.lanes.find((l) => l.id === spot.lane);
    $('kind').textContent = lane && spot.lane !== 'regular' ? lane.name : '';
  }
  $('closed').hidden = view.open;
  if (!view.open) $('closed').textContent = closedWords();
  const rest = view.spotlight.slice(1).map((s) => row(s.ticket, place(s.counter), ''));
  const recent = rest.concat(view.recent.slice(0, 6).map((c) => row(c.ticket, place(c.counter), clock(new Date(c.at)))));
  $('recent').replaceChildren(...recent);
  $('recent-part').hidden = recent.length === 0;
  const serving = view.counters.filter((c) => c.ticket || c.state === 'paused');
  $('counters').replaceChildren(...serving.map((c) => row(c.ticket || '—', place(c.counter), side(c))));
  $('counters-part').hidden = serving.length === 0;
  showMine();
}

function side(counter) {
  if (counter.state === 'paused') return counter.reopens ? `nghỉ đến ${counter.reopens}` : 'tạm nghỉ';
  return counter.state === 'closed' ? 'đóng' : '';
}

function closedWords() {
  const opens = view.closed && view.closed.opens;
  if (!opens) return 'Sảnh đang nghỉ.';
  const [year, month, day] = opens.date.split('-');
  const when = opens.in_days === 0 ? 'hôm nay' : opens.in_days === 1 ? 'ngày mai' : `ngày ${day}/${month}/${year}`;
  return `Sảnh đang nghỉ. Mở cửa lại lúc ${opens.time} ${when}.`;
}

// Says only what the board knows: a ticket that is called, missed or in a list of those who are next.
function showMine() {
  const mine = $('ticket').value.trim().toUpperCase().normalize('NFC');
  let answer = '';
  let more = '';
  if (mine) {
    const called = view.spotlight.find((s) => s.ticket === mine);
    const served = view.counters.find((c) => c.ticket === mine);
    const past = view.recent.find((c) => c.ticket === mine);
    const queue = view.queues.find((q) => q.next.includes(mine));
    if (called) answer = `Mời bạn đến ${place(called.counter)}`;
    else if (served) answer = `Đã gọi bạn đến ${place(served.counter)}`;
    else if (view.missed.some((c) => c.ticket === mine)) {
      answer = 'Số của bạn đã được gọi';
      more = 'Xin đến quầy hướng dẫn để được giúp.';
    } else if (past) answer = `Đã gọi bạn đến ${place(past.counter)} lúc ${clock(new Date(past.at))}`;
    else if (queue) {
      const ahead = queue.next.indexOf(mine);
      answer = ahead === 0 ? 'Bạn là người tiếp theo' : `Còn ${ahead} người trước bạn`;
      more = [queue.wait_minutes ? `thời gian chờ khoảng ${queue.wait_minutes} phút` : '', queue.label || ''].filter(Boolean).join(' · ');
    } else {
      answer = 'Chưa đến lượt';
      more = 'Trang tự làm mới, xin giữ trang mở và chú ý nghe gọi số.';
    }
  }
  if ($('answer').textContent !== answer) $('answer').textContent = answer;
  $('more').textContent = more;
}

async function read(path) {
  const answer = await fetch(path, { cache: 'no-cache' });
  if (!answer.ok) throw new Error(String(answer.status));
  return answer.json();
}

async function refresh() {
  if (!document.hidden) {
    try {
      if (!about.title) {
        about = await read('/api/about');
        $('title').textContent = about.title;
      }
      view = await read('/api/view');
      failures = 0;
      show();
      const stale = view.link.stale ? ' · có thể đã cũ' : ' · tự làm mới';
      $('state').textContent = `Cập nhật ${clock(new Date(), true)}${stale}`;
      $('state').classList.toggle('bad', view.link.stale);
    } catch (error) {
      failures += 1;
      if (failures > 1) {
        $('state').textContent = 'Mất kết nối, đang thử lại. Xin xem màn hình trong sảnh.';
        $('state').classList.add('bad');
      }
    }
  }
  setTimeout(refresh, EVERY_MS * Math.min(1 + failures, 5) * (0.9 + Math.random() / 5));
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
    if (view) showMine();
  });
  refresh();
}

begin();
