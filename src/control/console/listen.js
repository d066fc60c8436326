// Listening on this computer to what the loudspeakers of the hall say; the hall hears nothing of it.

import { hall } from '/assets/hall.js';
import { $ } from '/assets/show.js';

const player = new Audio();
let playing = null;

function stop() {
  player.pause();
  if (player.src) URL.revokeObjectURL(player.src);
  player.removeAttribute('src');
  if (playing) playing.removeAttribute('aria-pressed');
  playing = null;
}

// Plays one announcement, or stops it when its button is pressed again.
export async function listen(query, button) {
  const again = playing === button;
  stop();
  if (again) return say('');
  playing = button;
  button.setAttribute('aria-pressed', 'true');
  say('Đang chuẩn bị…');
  try {
    const answer = await fetch('/api/announcement?' + new URLSearchParams({ repeats: '1', ...query }), {
      headers: { Authorization: 'Bearer ' + hall.token }, cache: 'no-store',
    });
    if (!answer.ok) throw new Error((await answer.json()).error.message);
    const text = decodeURIComponent(answer.headers.get('x-announcement-text') || '');
    const missing = decodeURIComponent(answer.headers.get('x-announcement-missing') || '');
    const sound = await answer.blob();
    if (playing !== button) return;
    player.src = URL.createObjectURL(sound);
    player.onended = () => {
      stop();
      say('');
    };
    say(`Loa đọc: “${text}”` + (missing ? ` Chưa có bản thu cho: ${missing}.` : ''));
    await player.play();
  } catch (error) {
    if (playing === button) stop();
    say('Không nghe được: ' + error.message);
  }
}

function say(words) {
  $('listen-words').textContent = words;
}

export function listenToCall(call, button) {
  const query = { ticket: call.ticket, counter: call.counter };
  if (call.lane) query.lane = call.lane;
  if (call.kind === 'recall') query.kind = 'recall';
  return listen(query, button);
}
