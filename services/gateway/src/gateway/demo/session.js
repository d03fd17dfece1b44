/** Owns the traffic: joins socket, REST calls, store and log, and tells `changed` when there is something to draw. */

import { Api, ApiError } from './api.js';
import { Link } from './link.js';
import { errorFrame, failedCall, notice } from './notices.js';

const RELOAD_LIST_MS = 150; // gathers several reasons for one reload
const SUBSCRIBE_AGAIN_MS = 2_000;

export class Session {
  #store;
  #log;
  #on;
  #api;
  #link;
  #reload = null;

  /**
   * `on` has state, changed, said, welcomed, roundTrip, peopleChanged, needsToken, and pastedToken, which gives the
   * text of that field (it may be empty).
   */
  constructor(store, log, on) {
    this.#store = store;
    this.#log = log;
    this.#on = on;
    this.#api = new Api((call) => this.#called(call));
    this.#link = new Link((userId) => this.#token(userId), {
      state: (state) => this.#state(state),
      sent: (text) => this.#sent(text),
      frame: (frame, text, asked) => this.#received(frame, text, asked),
      closed: (code, reason, current) => this.#closed(code, reason, current),
      unanswered: (frame, why) => notice(`${frame.type} got no answer: ${why}`, { ref: frame.ref }),
    });
  }

  connect(userId) {
    this.#store.start(userId);
    this.#link.connect(userId);
  }

  disconnect = () => this.#link.disconnect();
  hurry = () => this.#link.hurry();
  check = () => this.#link.check();
  ask = (command) => this.#link.ask(command);

  async sendText(text, placeholder) {
    const needsToken = text.includes(placeholder);
    const token = needsToken ? await this.#quietly(() => this.#token(this.#store.me), true) : '';
    if (token !== undefined) this.#link.sendText(text.replaceAll(placeholder, token));
  }

  /** A conversation of which something is held asks for what came after it. */
  subscribe(id) {
    const { loaded, pos } = this.#store.find(id) ?? {};
    return this.ask({ type: 'subscribe', conversation_id: id, ...(loaded ? { after_pos: pos } : {}) });
  }

  unsubscribe(id) {
    return this.ask({ type: 'unsubscribe', conversation_id: id });
  }

  async create(body) {
    const made = await this.#quietly(() => this.#api.createConversation(body), true);
    if (made) this.#store.list({ items: [made], next_cursor: this.#store.nextCursor }, false);
    return made;
  }

  async loadList(cursor) {
    const page = await this.#quietly(() => this.#api.conversations(cursor), true);
    if (page) this.#store.list(page, !cursor);
    this.#on.changed();
  }

  async loadHistory(id, beforeSeq) {
    const page = await this.#quietly(() => this.#api.messages(id, beforeSeq), true);
    if (page) this.#store.page(id, page, beforeSeq === undefined);
    this.#on.changed();
  }

  /** Nice to have: without it the page still knows who was heard of. The log shows a failed call anyway. */
  async loadPeople(id) {
    const found = await this.#quietly(() => this.#api.conversation(id), false);
    if (found?.participants) this.#store.members(id, found.participants);
    this.#on.changed();
  }

  /** The answer, unless the call failed or another user has come meanwhile, whose business it is not. */
  async #quietly(call, tells) {
    const me = this.#store.me;
    try {
      const answer = await call();
      return me === this.#store.me ? answer : undefined;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (tells) failedCall(error);
      return undefined;
    }
  }

  async #token(userId) {
    const token = this.#on.pastedToken() || (await this.#mint(userId));
    this.#api.use(token);
    return token;
  }

  async #mint(userId) {
    try {
      return await this.#api.mintToken(userId);
    } catch (error) {
      if (error.status !== 404) throw error;
      this.#on.needsToken();
      throw new ApiError('this server mints no tokens, paste one above', 404);
    }
  }

  #state(state) {
    if (state.name !== 'connected') this.#store.socketGone();
    this.#on.state(state);
    this.#on.changed();
  }

  #sent(text) {
    const frame = parsed(text);
    this.#log.add('out', frame?.type ?? 'not a frame', frame ?? text);
  }

  #called({ method, path, body, status, answer, took }) {
    const entry = { ...(body === undefined ? {} : { request: body }), status, answer };
    const note = `${status || 'failed'} in ${took.toFixed(0)} ms`;
    this.#log.add('rest', `${method} ${path}`, entry, { note, isError: status === 0 || status >= 400 });
  }

  #closed(code, reason, current) {
    const note = current ? '' : 'of a socket that was left';
    this.#log.add('socket', `closed ${code}`, reason || 'no reason given', { note, isError: current && code !== 1000 });
  }

  #received(frame, text, asked) {
    const effects = frame ? this.#store.apply(frame) : {};
    const isError = frame?.type === 'error';
    const note = this.#note(frame, effects, asked);
    this.#log.add('in', frame?.type ?? 'not a frame', frame ?? text, { note, isError });
    if (isError) this.#refused(frame, asked?.frame);
    if (frame?.type === 'system' && frame.event === 'connected') this.#welcomed();
    if (frame?.type === 'pong' && asked) this.#on.roundTrip(asked.took);
    this.#follow(effects, frame);
    this.#on.changed();
  }

  #note(frame, effects, asked) {
    if (effects.repeat) return 'repeat, dropped';
    if (frame?.replay) return 'replay';
    return asked ? `answers ${asked.frame.type} in ${asked.took.toFixed(1)} ms` : '';
  }

  #refused(frame, command) {
    errorFrame(frame, command?.type);
    if (command?.type !== 'subscribe') return;
    const conversation = this.#store.find(command.conversation_id);
    if (!conversation?.wanted) return;
    if (frame.retryable) setTimeout(() => this.#again(conversation), frame.retry_after_ms ?? SUBSCRIBE_AGAIN_MS);
    else conversation.wanted = false;
  }

  #again(conversation) {
    if (this.#link.connected && conversation.wanted && !conversation.subscribed) this.subscribe(conversation.id);
  }

  /** A new socket knows of no subscription, also when it takes over from one that still lived. */
  #welcomed() {
    this.#store.socketGone();
    for (const conversation of this.#store.conversations.values()) {
      if (conversation.wanted) this.subscribe(conversation.id);
    }
    this.loadList();
    this.#on.welcomed();
  }

  #follow(effects, frame) {
    if (effects.history) this.loadHistory(effects.history);
    if (effects.people) this.#on.peopleChanged(effects.people);
    if (effects.list) this.#reloadList();
    if (effects.said && !frame.replay) this.#on.said(effects.said);
  }

  #reloadList() {
    this.#reload ??= setTimeout(() => {
      this.#reload = null;
      this.loadList();
    }, RELOAD_LIST_MS);
  }
}

function parsed(text) {
  try {
    const value = JSON.parse(text);
    return typeof value === 'object' ? value : null;
  } catch {
    return null;
  }
}
