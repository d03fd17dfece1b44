/** Owns the WebSocket and its life: opening, answers by `ref`, the watch over silence, coming back. No DOM. */

import { comesBack, meaningOf, reasonOf } from './closes.js';

const PATH = '/api/v1/messenger/ws';
const WELCOME_MS = 10_000;
const ANSWER_MS = 10_000;
const STEADY_MS = 5_000;
const FIRST_DELAY_MS = 1_000;
const LONGEST_DELAY_MS = 30_000;

/** Full jitter, with a floor so that a server which closes at once is never hammered. */
function backOff(attempt) {
  return 200 + Math.random() * Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** attempt);
}

function parse(text) {
  try {
    const frame = JSON.parse(text);
    return typeof frame === 'object' && frame !== null ? frame : null;
  } catch {
    return null;
  }
}

export class Link {
  #token;
  #on;
  #userId = null;
  #live = null; // the socket that was welcomed
  #next = null; // the socket on its way to a welcome
  #turn = 0; // makes an overtaken attempt to open recognisable after its token came
  #attempt = 0;
  #refs = 0;
  #waiting = new Map(); // ref → the command without an answer yet
  #heard = 0;
  #timers = {};

  /** `token(userId)` gives a token or throws; `on` has state, sent, frame, closed and unanswered. */
  constructor(token, on) {
    this.#token = token;
    this.#on = on;
  }

  get connected() {
    return this.#live !== null;
  }

  connect(userId) {
    this.#leave();
    this.#userId = userId;
    this.#attempt = 0;
    this.#open();
  }

  disconnect() {
    this.#leave();
    this.#userId = null;
    this.#on.state({ name: 'idle', text: 'Disconnected' });
  }

  /** The network is back: don't sit out the delay. */
  hurry() {
    if (this.#timers.retry && !this.#live) this.#open();
  }

  /** Send a command with a `ref`; resolves to its answer, or to null if none came. */
  ask(command) {
    const frame = { ...command, ref: `c${++this.#refs}` };
    if (!this.#live) {
      this.#on.unanswered(frame, 'not connected');
      return Promise.resolve(null);
    }
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#giveUp(frame.ref, `no answer within ${ANSWER_MS / 1000} s`), ANSWER_MS);
      this.#waiting.set(frame.ref, { frame, resolve, timer, since: performance.now() });
      this.sendText(JSON.stringify(frame));
    });
  }

  sendText(text) {
    if (!this.#live) return false;
    this.#live.send(text);
    this.#on.sent(text);
    return true;
  }

  /** Is anybody there? A page sees no WebSocket pings, so silence is asked about with a `ping` frame. */
  async check() {
    const asked = this.#live;
    if (!asked) return;
    const since = performance.now();
    await this.ask({ type: 'ping', ts: Date.now() });
    if (asked === this.#live && this.#heard < since) this.#ended(asked, 1006, 'silent');
  }

  #leave() {
    this.#turn += 1;
    for (const timer of Object.values(this.#timers)) clearTimeout(timer);
    this.#timers = {};
    const sockets = [this.#live, this.#next];
    this.#live = this.#next = null;
    for (const socket of sockets) socket?.close(1000);
    this.#giveUpAll('disconnected');
  }

  async #open() {
    const turn = ++this.#turn;
    this.#stop('retry');
    this.#connecting();
    try {
      const token = await this.#token(this.#userId);
      if (turn === this.#turn) this.#dial(token);
    } catch (error) {
      if (turn !== this.#turn) return;
      if (error.retryable) this.#retry(error.message);
      else this.#away(error.message);
    }
  }

  #connecting() {
    if (!this.#live) this.#on.state({ name: 'connecting', text: `Connecting as user ${this.#userId}…` });
  }

  #dial(token) {
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
    const url = `${scheme}://${location.host}${PATH}/${this.#userId}`;
    const socket = new WebSocket(url, ['messenger.v1', `bearer.${token}`]);
    this.#next?.close(1000);
    this.#next = socket;
    socket.onmessage = (event) => this.#received(socket, event.data);
    socket.onclose = (event) => this.#ended(socket, event.code, event.reason);
    this.#start('welcome', WELCOME_MS, () => this.#ended(socket, 1006, 'no welcome'));
  }

  #received(socket, text) {
    if (socket !== this.#live && socket !== this.#next) return;
    this.#heard = performance.now();
    const frame = parse(text);
    const asked = frame?.ref ? this.#answered(frame) : null;
    const welcome = frame?.type === 'system' && frame.event === 'connected';
    if (welcome && socket === this.#next) this.#welcomed(socket, frame);
    if (frame?.type === 'system' && frame.event === 'draining') this.#moveAfter(frame.reconnect_after_ms ?? 0);
    this.#on.frame(frame, text, asked);
    asked?.resolve(frame.type === 'error' ? null : frame);
  }

  #welcomed(socket, frame) {
    const old = this.#live;
    this.#live = socket;
    this.#next = null;
    this.#stop('welcome');
    if (old) {
      this.#giveUpAll('the socket was replaced');
      old.close(1000);
    }
    this.#start('steady', STEADY_MS, () => { this.#attempt = 0; });
    this.#watch(frame.heartbeat_ms ?? 25_000);
    this.#on.state({ name: 'connected', text: `Connected as user ${frame.user_id}`, session: frame.session_id });
  }

  /** `draining` names this socket's own slot: open another by then, and only close this one when that is welcomed. */
  #moveAfter(delay) {
    this.#start('retry', delay, () => this.#open());
  }

  #watch(heartbeat) {
    this.#start('watch', heartbeat, async () => {
      if (performance.now() - this.#heard >= heartbeat) await this.check();
      if (this.#live) this.#watch(heartbeat);
    });
  }

  #ended(socket, code, text) {
    const current = socket === this.#live || socket === this.#next;
    this.#on.closed(code, text, current);
    if (!current) return;
    this.#forget(socket);
    if (this.#next) this.#connecting();
    if (this.#next || (this.#live && !comesBack(code))) return;
    const reason = reasonOf(text);
    const words = meaningOf(code, reason);
    if (comesBack(code)) this.#retry(words, reason.retry_after_ms);
    else this.#away(words);
  }

  #forget(socket) {
    if (socket === this.#next) {
      this.#next = null;
      this.#stop('welcome');
    } else {
      this.#live = null;
      this.#stop('steady');
      this.#stop('watch');
      this.#giveUpAll('the socket closed first');
    }
    socket.onclose = null;
    socket.close();
  }

  #retry(why, atLeast = 0) {
    const delay = Math.max(atLeast, backOff(this.#attempt));
    this.#attempt += 1;
    this.#start('retry', delay, () => this.#open());
    if (this.#live) return;
    const text = `Closed: ${why}. Coming back, attempt ${this.#attempt}`;
    this.#on.state({ name: 'waiting', text, until: performance.now() + delay });
  }

  #away(why) {
    this.#leave();
    this.#on.state({ name: 'closed', text: `Closed: ${why}. Not coming back by itself` });
  }

  #answered(frame) {
    const asked = this.#waiting.get(frame.ref);
    if (!asked) return null;
    this.#waiting.delete(frame.ref);
    clearTimeout(asked.timer);
    asked.took = performance.now() - asked.since;
    return asked;
  }

  #giveUp(ref, why) {
    const asked = this.#waiting.get(ref);
    this.#waiting.delete(ref);
    clearTimeout(asked.timer);
    this.#on.unanswered(asked.frame, why);
    asked.resolve(null);
  }

  #giveUpAll(why) {
    for (const ref of [...this.#waiting.keys()]) this.#giveUp(ref, why);
  }

  #start(name, delay, action) {
    clearTimeout(this.#timers[name]);
    this.#timers[name] = setTimeout(() => {
      delete this.#timers[name];
      action();
    }, delay);
  }

  #stop(name) {
    clearTimeout(this.#timers[name]);
    delete this.#timers[name];
  }
}
