// The WebSocket: signs in, repeats nothing that is not safe to repeat, and comes back by itself.

const ANSWER_MS = 10000;
// Requests that carry their own id may be sent again after a lost connection, for so long.
const REPEAT_MS = 20000;
// A cable that is pulled out closes nothing: after that long in silence the server is asked whether it is there.
const SILENT_MS = 10000;
const LOOK_MS = 2000;

export class Refusal extends Error {
  constructor(error) {
    super(error.message);
    this.code = error.code;
    this.field = error.field;
  }
}

export class Link {
  // `on` has: state(name, words), signedIn(reply), refused(error), event(message).
  constructor(on) {
    this.on = on;
    this.token = null;
    this.socket = null;
    this.next = 1;
    this.waiting = new Map();
    this.failures = 0;
    this.timer = 0;
    this.ready = false;
    this.heard = 0;
    this.probed = 0;
    // What the server said when it would not let anybody in for now.
    this.why = '';
    setInterval(() => this.watch(), LOOK_MS);
    window.addEventListener('online', () => this.hurry());
    document.addEventListener('visibilitychange', () => { if (!document.hidden) this.hurry(); });
  }

  signIn(token) {
    this.token = token;
    this.failures = 0;
    this.why = '';
    this.open();
  }

  signOut() {
    this.token = null;
    clearTimeout(this.timer);
    this.drop(new Refusal({ code: 'signed-out', message: 'Đã đăng xuất.' }));
    if (this.socket) this.socket.close(1000);
  }

  hurry() {
    if (this.token && !this.socket) {
      clearTimeout(this.timer);
      this.open();
    }
  }

  open() {
    if (this.socket) this.socket.close(1000);
    const address = (location.protocol === 'https:' ? 'wss://' : 'ws://') + location.host + '/ws';
    const socket = new WebSocket(address);
    this.socket = socket;
    this.ready = false;
    this.heard = Date.now();
    this.probed = 0;
    this.on.state('wait', this.failures ? 'Đang kết nối lại…' : 'Đang kết nối…');
    socket.onopen = () => this.hello(socket);
    socket.onmessage = (event) => { if (socket === this.socket) this.hear(JSON.parse(event.data)); };
    socket.onclose = () => { if (socket === this.socket) this.closed(); };
  }

  async hello(socket) {
    if (socket !== this.socket) return;
    try {
      const reply = await this.send({ type: 'hello', token: this.token }, true);
      this.ready = true;
      this.failures = 0;
      this.why = '';
      if (reply.session) this.token = reply.session;
      this.on.state('good', '● Đang hoạt động');
      this.on.signedIn(reply, this.token);
      this.repeat();
    } catch (error) {
      // Busy and stopping pass by themselves; anything else is the token's fault.
      if (!(error instanceof Refusal) || ['busy', 'stopping', 'lost', 'late'].includes(error.code)) {
        if (error.code === 'busy') this.why = error.message;
        return;
      }
      this.token = null;
      this.on.refused(error);
    }
  }

  // Sends one request; resolves with the reply, rejects with a Refusal.
  ask(request) {
    return this.send(request, false);
  }

  send(request, now) {
    const req = this.next++;
    return new Promise((resolve, reject) => {
      const entry = { request, resolve, reject, since: Date.now() };
      entry.timer = setTimeout(() => {
        this.waiting.delete(req);
        const message = 'Máy chủ chưa trả lời. Hãy kiểm tra màn hình sảnh trước khi gửi lại.';
        reject(new Refusal({ code: 'late', message }));
      }, now || !request.id ? ANSWER_MS : REPEAT_MS);
      this.waiting.set(req, entry);
      if (now || this.ready) this.put(req, entry);
      else if (!request.id) this.fail(req, entry);
    });
  }

  put(req, entry) {
    this.socket.send(JSON.stringify({ req, ...entry.request }));
  }

  fail(req, entry) {
    clearTimeout(entry.timer);
    this.waiting.delete(req);
    entry.reject(new Refusal({ code: 'lost', message: 'Mất kết nối với máy chủ.' }));
  }

  repeat() {
    for (const [req, entry] of this.waiting) this.put(req, entry);
  }

  // A connection that neither opens nor answers is given up; waiting for TCP to notice would take minutes.
  watch() {
    if (!this.socket || Date.now() - this.heard < SILENT_MS) return;
    if (this.ready && !this.probed) {
      this.probed = Date.now();
      this.ask({ type: 'notice.list' }).catch(() => {});
    }
    if (this.probed && Date.now() - this.probed < SILENT_MS) return;
    const dead = this.socket;
    this.closed();
    dead.close();
  }

  hear(message) {
    this.heard = Date.now();
    this.probed = 0;
    if (message.event) return this.on.event(message);
    const entry = this.waiting.get(message.re);
    if (!entry) return;
    clearTimeout(entry.timer);
    this.waiting.delete(message.re);
    if (message.ok) entry.resolve(message);
    else entry.reject(new Refusal(message.error));
  }

  closed() {
    this.socket = null;
    this.ready = false;
    for (const [req, entry] of this.waiting) {
      if (!entry.request.id || entry.request.type === 'hello') this.fail(req, entry);
    }
    if (!this.token) return;
    this.failures += 1;
    const wait = Math.min(15000, 500 * 2 ** Math.min(this.failures, 5)) * (0.75 + Math.random() / 2);
    this.on.state('bad', this.why || 'Mất kết nối, đang thử lại…');
    this.timer = setTimeout(() => this.open(), wait);
  }

  drop(error) {
    for (const entry of this.waiting.values()) {
      clearTimeout(entry.timer);
      entry.reject(error);
    }
    this.waiting.clear();
  }
}

// An id that makes a request safe to repeat.
export function freshId() {
  const bytes = crypto.getRandomValues(new Uint8Array(8));
  return 'console-' + Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('');
}
