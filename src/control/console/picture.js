// The live picture of the board: fetched when the board changes, and now and then for its clock.

import { $, pill } from '/assets/show.js';

// A picture that takes longer is asked for anew: a connection that died without a word would be waited for in vain.
const ANSWER_MS = 8000;

const picture = { shown: 0, loading: false, again: false, tag: null, address: null };

export async function loadPicture() {
  if (picture.loading) {
    picture.again = true;
    return;
  }
  picture.loading = true;
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(), ANSWER_MS);
  try {
    const answer = await fetch('/board.png', { cache: 'no-cache', signal: patience.signal });
    if (!answer.ok) throw new Error(String(answer.status));
    const tag = answer.headers.get('etag');
    if (!tag || tag !== picture.tag) await showPicture(await answer.blob(), tag);
    picture.shown = Date.now();
    $('no-picture').hidden = true;
  } catch (error) {
    if (!picture.address) $('no-picture').hidden = false;
  }
  clearTimeout(timer);
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

export function beginPicture() {
  loadPicture();
  setInterval(() => {
    showAge();
    const seen = !document.hidden && !$('board-part').hidden;
    if (seen && Date.now() - picture.shown > 5000) loadPicture();
  }, 1000);
}
