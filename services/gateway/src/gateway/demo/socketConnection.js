/** Keeps a WebSocket open: connects, matches answers by `ref`, detects silence, reconnects. No DOM. */

import { describeClose, parseCloseReason, reconnectsAfter } from './closeCodes.js';

const PATH = '/api/v1/messenger/ws';
const CONNECTED_TIMEOUT_MS = 10_000;
const ANSWER_TIMEOUT_MS = 10_000;
const STABLE_MS = 5_000;
const FIRST_DELAY_MS = 1_000;
const MAX_DELAY_MS = 30_000;

/** Full jitter, with a floor so that a server that closes at once isn't flooded with attempts. */
function retryDelay(attempt) {
  return 200 + Math.random() * Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** attempt);
}

function parse(text) {
  try {
    const frame = JSON.parse(text);
    return typeof frame === 'object' && frame !== null ? frame : null;
  } catch {
    return null;
  }
}

export class SocketConnection {
  #token;
  #callbacks;
  #userId = null;
  #live = null; // the socket that was welcomed
  #next = null; // the socket that is not welcomed yet
  #generation = 0; // number of the latest attempt; an older attempt stops once its token arrives
  #attempt = 0;
  #refs = 0;
  #pendingCommands = new Map(); // ref → a command that has no answer yet
  #lastReceivedAt = 0;
  #timers = {};

  /** `token(userId)` gives a token or throws; `callbacks` has state, sent, frame, closed and unanswered. */
  constructor(token, callbacks) {
    this.#token = token;
    this.#callbacks = callbacks;
  }

  get connected() {
    return this.#live !== null;
  }

  connect(userId) {
    this.#closeSockets();
    this.#userId = userId;
    this.#attempt = 0;
    this.#open();
  }

  disconnect() {
    this.#closeSockets();
    this.#userId = null;
    this.#callbacks.state({ name: 'idle', text: 'Disconnected' });
  }

  /** The network is back, so reconnect without waiting for the delay. */
  hurry() {
    if (this.#timers.retry && !this.#live) this.#open();
  }

  /** Sends a command with a `ref`; resolves to its answer, or to null after an error or without an answer. */
  ask(command) {
    const frame = { ...command, ref: `c${++this.#refs}` };
    if (!this.#live) {
      this.#callbacks.unanswered(frame, 'not connected');
      return Promise.resolve(null);
    }
    return new Promise((resolve) => {
      const expire = () => this.#failCommand(frame.ref, `no answer within ${ANSWER_TIMEOUT_MS / 1000} s`);
      const timer = setTimeout(expire, ANSWER_TIMEOUT_MS);
      this.#pendingCommands.set(frame.ref, { frame, resolve, timer, since: performance.now() });
      this.sendText(JSON.stringify(frame));
    });
  }

  sendText(text) {
    if (!this.#live) return false;
    this.#live.send(text);
    this.#callbacks.sent(text);
    return true;
  }

  /** Checks that the server is alive. A page can't see WebSocket pings, so it sends a `ping` frame. */
  async check() {
    const asked = this.#live;
    if (!asked) return;
    const since = performance.now();
    await this.ask({ type: 'ping', ts: Date.now() });
    if (asked === this.#live && this.#lastReceivedAt < since) this.#socketEnded(asked, 1006, 'silent');
  }

  #closeSockets() {
    this.#generation += 1;
    for (const timer of Object.values(this.#timers)) clearTimeout(timer);
    this.#timers = {};
    const sockets = [this.#live, this.#next];
    this.#live = this.#next = null;
    for (const socket of sockets) socket?.close(1000);
    this.#failAllCommands('disconnected');
  }

  async #open() {
    const generation = ++this.#generation;
    this.#stopTimer('retry');
    this.#showConnecting();
    try {
      const token = await this.#token(this.#userId);
      if (generation === this.#generation) this.#openSocket(token);
    } catch (error) {
      if (generation !== this.#generation) return;
      if (error.retryable) this.#scheduleRetry(error.message);
      else this.#stayClosed(error.message);
    }
  }

  #showConnecting() {
    if (!this.#live) this.#callbacks.state({ name: 'connecting', text: `Connecting as user ${this.#userId}…` });
  }

  #openSocket(token) {
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
    const url = `${scheme}://${location.host}${PATH}/${this.#userId}`;
    const socket = new WebSocket(url, ['messenger.v1', `bearer.${token}`]);
    this.#next?.close(1000);
    this.#next = socket;
    socket.onmessage = (event) => this.#received(socket, event.data);
    socket.onclose = (event) => this.#socketEnded(socket, event.code, event.reason);
    this.#startTimer('welcome', CONNECTED_TIMEOUT_MS, () => this.#socketEnded(socket, 1006, 'no welcome'));
  }

  #received(socket, text) {
    if (socket !== this.#live && socket !== this.#next) return;
    this.#lastReceivedAt = performance.now();
    const frame = parse(text);
    const asked = frame?.ref ? this.#takeAnswered(frame) : null;
    const welcome = frame?.type === 'system' && frame.event === 'connected';
    if (welcome && socket === this.#next) this.#becameLive(socket, frame);
    if (frame?.type === 'system' && frame.event === 'draining') this.#reconnectAfter(frame.reconnect_after_ms ?? 0);
    this.#callbacks.frame(frame, text, asked);
    asked?.resolve(frame.type === 'error' ? null : frame);
  }

  #becameLive(socket, frame) {
    const old = this.#live;
    this.#live = socket;
    this.#next = null;
    this.#stopTimer('welcome');
    if (old) {
      this.#failAllCommands('the socket was replaced');
      old.close(1000);
    }
    this.#startTimer('steady', STABLE_MS, () => { this.#attempt = 0; });
    this.#watchForSilence(frame.heartbeat_ms ?? 25_000);
    this.#callbacks.state({ name: 'connected', text: `Connected as user ${frame.user_id}`, session: frame.session_id });
  }

  /** `draining` gives this socket's slot: open another one then, and close this one once the other is welcomed. */
  #reconnectAfter(delay) {
    this.#startTimer('retry', delay, () => this.#open());
  }

  #watchForSilence(heartbeat) {
    this.#startTimer('watch', heartbeat, async () => {
      if (performance.now() - this.#lastReceivedAt >= heartbeat) await this.check();
      if (this.#live) this.#watchForSilence(heartbeat);
    });
  }

  #socketEnded(socket, code, text) {
    const current = socket === this.#live || socket === this.#next;
    this.#callbacks.closed(code, text, current);
    if (!current) return;
    this.#dropSocket(socket);
    if (this.#next) this.#showConnecting();
    if (this.#next || (this.#live && !reconnectsAfter(code))) return;
    const reason = parseCloseReason(text);
    const words = describeClose(code, reason);
    if (reconnectsAfter(code)) this.#scheduleRetry(words, reason.retry_after_ms);
    else this.#stayClosed(words);
  }

  #dropSocket(socket) {
    if (socket === this.#next) {
      this.#next = null;
      this.#stopTimer('welcome');
    } else {
      this.#live = null;
      this.#stopTimer('steady');
      this.#stopTimer('watch');
      this.#failAllCommands('the socket closed first');
    }
    socket.onclose = null;
    socket.close();
  }

  #scheduleRetry(why, atLeast = 0) {
    const delay = Math.max(atLeast, retryDelay(this.#attempt));
    this.#attempt += 1;
    this.#startTimer('retry', delay, () => this.#open());
    if (this.#live) return;
    const text = `Closed: ${why}. Coming back, attempt ${this.#attempt}`;
    this.#callbacks.state({ name: 'waiting', text, until: performance.now() + delay });
  }

  #stayClosed(why) {
    this.#closeSockets();
    this.#callbacks.state({ name: 'closed', text: `Closed: ${why}. Not coming back by itself` });
  }

  #takeAnswered(frame) {
    const asked = this.#pendingCommands.get(frame.ref);
    if (!asked) return null;
    this.#pendingCommands.delete(frame.ref);
    clearTimeout(asked.timer);
    asked.took = performance.now() - asked.since;
    return asked;
  }

  #failCommand(ref, why) {
    const asked = this.#pendingCommands.get(ref);
    this.#pendingCommands.delete(ref);
    clearTimeout(asked.timer);
    this.#callbacks.unanswered(asked.frame, why);
    asked.resolve(null);
  }

  #failAllCommands(why) {
    for (const ref of [...this.#pendingCommands.keys()]) this.#failCommand(ref, why);
  }

  #startTimer(name, delay, action) {
    clearTimeout(this.#timers[name]);
    this.#timers[name] = setTimeout(() => {
      delete this.#timers[name];
      action();
    }, delay);
  }

  #stopTimer(name) {
    clearTimeout(this.#timers[name]);
    delete this.#timers[name];
  }
}
