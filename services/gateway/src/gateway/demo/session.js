/** Joins socket, REST calls, store and log, and calls `changed` when there is something to draw. */

import { Api, ApiError } from './api.js';
import { SocketConnection } from './socketConnection.js';
import { showErrorFrame, showFailedCall, showNotice } from './notices.js';

const RELOAD_LIST_MS = 150; // several reasons within this time cause one reload
const RESUBSCRIBE_MS = 2_000;

export class Session {
  #store;
  #log;
  #callbacks;
  #api;
  #connection;
  #reload = null;

  /**
   * `callbacks` has state, changed, newMessage, welcomed, roundTrip, participantsChanged, needsToken, and pastedToken,
   * which returns the text of the token field (it may be empty).
   */
  constructor(store, log, callbacks) {
    this.#store = store;
    this.#log = log;
    this.#callbacks = callbacks;
    this.#api = new Api((call) => this.#logCall(call));
    this.#connection = new SocketConnection((userId) => this.#token(userId), {
      state: (state) => this.#stateChanged(state),
      sent: (text) => this.#logSent(text),
      frame: (frame, text, asked) => this.#received(frame, text, asked),
      closed: (code, reason, current) => this.#logClosed(code, reason, current),
      unanswered: (frame, why) => showNotice(`${frame.type} got no answer: ${why}`, { ref: frame.ref }),
    });
  }

  connect(userId) {
    this.#store.start(userId);
    this.#connection.connect(userId);
  }

  disconnect = () => this.#connection.disconnect();
  hurry = () => this.#connection.hurry();
  check = () => this.#connection.check();
  ask = (command) => this.#connection.ask(command);

  async sendText(text, placeholder) {
    const needsToken = text.includes(placeholder);
    const token = needsToken ? await this.#tryCall(() => this.#token(this.#store.me), true) : '';
    if (token !== undefined) this.#connection.sendText(text.replaceAll(placeholder, token));
  }

  /** Subscribes. If the conversation is loaded, it asks for a replay of what came after its `pos`. */
  subscribe(id) {
    const { isLoaded, pos } = this.#store.find(id) ?? {};
    return this.ask({ type: 'subscribe', conversation_id: id, ...(isLoaded ? { after_pos: pos } : {}) });
  }

  unsubscribe(id) {
    return this.ask({ type: 'unsubscribe', conversation_id: id });
  }

  async create(body) {
    const made = await this.#tryCall(() => this.#api.createConversation(body), true);
    if (made) this.#store.addListPage({ items: [made], next_cursor: this.#store.nextCursor }, false);
    return made;
  }

  async loadList(cursor) {
    const page = await this.#tryCall(() => this.#api.conversations(cursor), true);
    if (page) this.#store.addListPage(page, !cursor);
    this.#callbacks.changed();
  }

  async loadHistory(id, beforeSeq) {
    const page = await this.#tryCall(() => this.#api.messages(id, beforeSeq), true);
    if (page) this.#store.addHistoryPage(id, page, beforeSeq === undefined);
    this.#callbacks.changed();
  }

  /** A failure needs no notice: the page still knows senders and typists, and the log shows the failed call. */
  async loadParticipants(id) {
    const found = await this.#tryCall(() => this.#api.conversation(id), false);
    if (found?.participants) this.#store.setParticipants(id, found.participants);
    this.#callbacks.changed();
  }

  /** The answer; undefined if the call failed, or if the page now belongs to another user, who must not see it. */
  async #tryCall(call, showsFailure) {
    const me = this.#store.me;
    try {
      const answer = await call();
      return me === this.#store.me ? answer : undefined;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (showsFailure) showFailedCall(error);
      return undefined;
    }
  }

  async #token(userId) {
    const token = this.#callbacks.pastedToken() || (await this.#requestToken(userId));
    this.#api.setToken(token);
    return token;
  }

  async #requestToken(userId) {
    try {
      return await this.#api.mintToken(userId);
    } catch (error) {
      if (error.status !== 404) throw error;
      this.#callbacks.needsToken();
      throw new ApiError('this server mints no tokens, paste one above', 404);
    }
  }

  #stateChanged(state) {
    if (state.name !== 'connected') this.#store.socketEnded();
    this.#callbacks.state(state);
    this.#callbacks.changed();
  }

  #logSent(text) {
    const frame = parseJson(text);
    this.#log.add('out', frame?.type ?? 'not a frame', frame ?? text);
  }

  #logCall({ method, path, body, status, answer, took }) {
    const entry = { ...(body === undefined ? {} : { request: body }), status, answer };
    const note = `${status || 'failed'} in ${took.toFixed(0)} ms`;
    this.#log.add('rest', `${method} ${path}`, entry, { note, isError: status === 0 || status >= 400 });
  }

  #logClosed(code, reason, current) {
    const note = current ? '' : 'of a socket that was left';
    this.#log.add('socket', `closed ${code}`, reason || 'no reason given', { note, isError: current && code !== 1000 });
  }

  #received(frame, text, asked) {
    const effects = frame ? this.#store.apply(frame) : {};
    const isError = frame?.type === 'error';
    const note = this.#note(frame, effects, asked);
    this.#log.add('in', frame?.type ?? 'not a frame', frame ?? text, { note, isError });
    if (isError) this.#errorReceived(frame, asked?.frame);
    if (frame?.type === 'system' && frame.event === 'connected') this.#welcomed();
    if (frame?.type === 'pong' && asked) this.#callbacks.roundTrip(asked.took);
    this.#applyEffects(effects, frame);
    this.#callbacks.changed();
  }

  #note(frame, effects, asked) {
    if (effects.repeat) return 'repeat, dropped';
    if (frame?.replay) return 'replay';
    return asked ? `answers ${asked.frame.type} in ${asked.took.toFixed(1)} ms` : '';
  }

  #errorReceived(frame, command) {
    showErrorFrame(frame, command?.type);
    if (command?.type !== 'subscribe') return;
    const conversation = this.#store.find(command.conversation_id);
    if (!conversation?.wantsSubscription) return;
    if (frame.retryable) setTimeout(() => this.#resubscribe(conversation), frame.retry_after_ms ?? RESUBSCRIBE_MS);
    else conversation.wantsSubscription = false;
  }

  #resubscribe(conversation) {
    const { id, wantsSubscription, isSubscribed } = conversation;
    if (this.#connection.connected && wantsSubscription && !isSubscribed) this.subscribe(id);
  }

  /** A new socket has no subscriptions, even when it replaces one that was still open. */
  #welcomed() {
    this.#store.socketEnded();
    for (const conversation of this.#store.conversations.values()) {
      if (conversation.wantsSubscription) this.subscribe(conversation.id);
    }
    this.loadList();
    this.#callbacks.welcomed();
  }

  #applyEffects(effects, frame) {
    if (effects.history) this.loadHistory(effects.history);
    if (effects.participants) this.#callbacks.participantsChanged(effects.participants);
    if (effects.list) this.#reloadList();
    if (effects.newMessage && !frame.replay) this.#callbacks.newMessage(effects.newMessage);
  }

  #reloadList() {
    this.#reload ??= setTimeout(() => {
      this.#reload = null;
      this.loadList();
    }, RELOAD_LIST_MS);
  }
}

function parseJson(text) {
  try {
    const value = JSON.parse(text);
    return typeof value === 'object' ? value : null;
  } catch {
    return null;
  }
}
