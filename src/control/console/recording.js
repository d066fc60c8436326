// A recorded message of the notice that is being written: from the microphone as plain samples, so that no codec of the
// browser matters, or from a file. The server makes it even and says what is wrong with it.

import { hall } from '/assets/hall.js';
import { $, busyWhile } from '/assets/show.js';

const SECONDS_MAX = 60;
const FILE_MAX = 10 * 1024 * 1024;
// From here on somebody who is called meanwhile waits noticeably.
const LONG = 20;
const NO_MICROPHONE = 'Trình duyệt chỉ cho ghi âm khi mở trang ngay trên máy này hoặc qua HTTPS. Vẫn chọn được tệp có sẵn.';
const REFUSED = {
  NotAllowedError: 'Chưa được phép dùng micrô. Hãy cho phép trong trình duyệt, hoặc chọn tệp có sẵn.',
  NotFoundError: 'Máy này không có micrô. Hãy cắm micrô, hoặc chọn tệp có sẵn.',
  NotReadableError: 'Micrô đang được chương trình khác dùng.',
};

// The id of what was recorded, or ''; and what runs while the microphone is on.
let held = '';
let running = null;
let changed = () => {};

export function recordingId() {
  return held;
}

function say(words) {
  $('recording-note').textContent = words;
}

// Takes a recording over from a notice that is being changed; '' forgets the one that is held.
export function holdRecording(id, words) {
  stopMicrophone();
  held = id;
  say(words || (id ? 'Thông báo này có lời nhắn ghi âm.' : ''));
  arrange();
  changed();
}

function arrange() {
  const on = running !== null;
  $('record').textContent = on ? '■ Dừng ghi' : held ? '● Ghi lại' : '● Ghi âm';
  $('record').setAttribute('aria-pressed', String(on));
  $('recording-level').hidden = !on;
  $('recording-choose').hidden = on;
  $('recording-drop').hidden = on || !held;
}

// --- the microphone ------------------------------------------------------------------------------------------------

async function startMicrophone() {
  const stream = await navigator.mediaDevices.getUserMedia({
    // The voice as it is: how loud the message becomes, the server sees to.
    audio: { channelCount: 1, echoCancellation: false, noiseSuppression: false, autoGainControl: false },
  });
  const context = new AudioContext();
  running = { stream, context, pieces: [], frames: 0 };
  const mine = running;
  await context.audioWorklet.addModule('/assets/recorder.js');
  const recorder = new AudioWorkletNode(context, 'recorder');
  recorder.port.onmessage = ({ data }) => take(mine, data);
  // What leads nowhere is not run; it puts out nothing.
  context.createMediaStreamSource(stream).connect(recorder).connect(context.destination);
  arrange();
}

function take(mine, piece) {
  if (running !== mine) return;
  mine.pieces.push(piece);
  mine.frames += piece.length;
  const seconds = mine.frames / mine.context.sampleRate;
  $('recording-level').value = piece.reduce((peak, sample) => Math.max(peak, Math.abs(sample)), 0);
  say(`Đang ghi: ${Math.floor(seconds)} / ${SECONDS_MAX} giây.`);
  // What is a blink too long would be refused.
  if (seconds >= SECONDS_MAX - 0.5) finish();
}

function stopMicrophone() {
  if (!running) return null;
  const { stream, context, pieces, frames } = running;
  running = null;
  stream.getTracks().forEach((track) => track.stop());
  context.close();
  return { pieces, frames, rate: context.sampleRate };
}

function finish() {
  const recorded = stopMicrophone();
  arrange();
  if (recorded) send(wav(recorded));
}

// 16 bits, one channel.
function wav({ pieces, frames, rate }) {
  const view = new DataView(new ArrayBuffer(44 + frames * 2));
  const text = (at, words) => Array.from(words).forEach((c, i) => view.setUint8(at + i, c.charCodeAt(0)));
  text(0, 'RIFF');
  view.setUint32(4, 36 + frames * 2, true);
  text(8, 'WAVEfmt ');
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, rate, true);
  view.setUint32(28, rate * 2, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  text(36, 'data');
  view.setUint32(40, frames * 2, true);
  let at = 44;
  for (const piece of pieces) {
    for (const sample of piece) {
      view.setInt16(at, Math.max(-1, Math.min(1, sample)) * 32767, true);
      at += 2;
    }
  }
  return new Blob([view], { type: 'audio/wav' });
}

// --- to the server -------------------------------------------------------------------------------------------------

async function send(sound) {
  if (sound.size > FILE_MAX) return say('Tệp lớn quá 10 MB.');
  say('Đang lưu bản ghi…');
  try {
    const answer = await fetch('/api/recording', {
      method: 'POST', headers: { Authorization: 'Bearer ' + hall.token }, body: sound, cache: 'no-store',
    });
    const reply = await answer.json();
    if (!answer.ok) throw new Error(reply.error.message);
    const seconds = String(reply.seconds).replace('.', ',');
    const long = reply.seconds > LONG ? ' Lượt gọi đến trong lúc phát phải chờ hết lời nhắn.' : '';
    return holdRecording(reply.recording, `Bản ghi dài ${seconds} giây. Bấm “Nghe thử” để nghe như loa sảnh.${long}`);
  } catch (error) {
    return say(error instanceof TypeError ? 'Không gửi được bản ghi. Hãy kiểm tra kết nối rồi thử lại.' : error.message);
  }
}

async function record() {
  if (running) return finish();
  try {
    say('Đang mở micrô…');
    await startMicrophone();
  } catch (error) {
    stopMicrophone();
    arrange();
    say(REFUSED[error.name] || 'Không ghi âm được trên trình duyệt này. Hãy chọn tệp có sẵn.');
  }
  return undefined;
}

// `whenChanged` is told when there is another recording, or none.
export function beginRecording(whenChanged) {
  changed = whenChanged;
  const possible = window.isSecureContext && navigator.mediaDevices && window.AudioWorkletNode;
  $('record').hidden = !possible;
  $('no-microphone').textContent = possible ? '' : NO_MICROPHONE;
  $('record').addEventListener('click', () => busyWhile([$('record')], record));
  $('recording-choose').addEventListener('click', () => $('recording-file').click());
  $('recording-file').addEventListener('change', () => {
    const [file] = $('recording-file').files;
    $('recording-file').value = '';
    if (file) send(file);
  });
  $('recording-drop').addEventListener('click', () => {
    holdRecording('');
    $(possible ? 'record' : 'recording-choose').focus();
  });
  arrange();
}
