/**
 * Owns the WebSocket and its life: opening, silence, coming back, moving to another one without a gap.
 * One socket at a time is `live`; a newcomer replaces it once it is welcomed, and the old one is closed
 * when the newcomer has caught up.
 */

import { Asks } from './asks.ts';
import { backOff } from './backoff.ts';
import { Cell, Happening } from './cell.ts';
import { type CloseReason, reasonOf, verdictOn } from './closes.ts';
import { MessengerError, offline } from './failure.ts';
import { Timers } from './timers.ts';
import type { Tokens } from './tokens.ts';
import { type AnswerFrame, type Command, type Connected, type Frame, parseFrame } from './wire.ts';

export type LinkState =
  | { phase: 'idle' }
  | { phase: 'connecting' }
  | { phase: 'online'; connected: Connected }
  | { phase: 'waiting'; code: number; reason: CloseReason; attempt: number; until: number }
  | { phase: 'away'; code: number; reason: CloseReason };

export interface LinkOptions {
  url: string;
  tokens: Tokens;
  /** Brings a new socket to where its conversations stand; until then an old one is kept. */
  catchUp: () => Promise<void>;
  open?: (url: string, protocols: string[]) => WebSocket;
}

const WELCOME_MS = 10_000;
const ANSWER_MS = 10_000;
const PING_MS = 5_000;
const STEADY_MS = 5_000;
const HEARTBEAT_MS = 25_000;
const LOST = 1006;
const REFUSED = 1008;
const encoder = new TextEncoder();

export class Link {
  readonly state = new Cell<LinkState>({ phase: 'idle' });
  readonly frames = new Happening<Frame>();
  #options: LinkOptions;
  #asks = new Asks();
  #timers = new Timers<'retry' | 'welcome' | 'steady' | 'watch'>();
  #live: WebSocket | null = null;
  #next: WebSocket | null = null;
  #old: WebSocket | null = null;
  /** Makes an overtaken attempt recognisable when its token comes. */
  #turn = 0;
  #attempt = 0;
  #refusals = 0;
  #heard = 0;

  constructor(options: LinkOptions) {
    this.#options = options;
  }

  start(): void {
    this.stop();
    this.#attempt = this.#refusals = 0;
    void this.#open();
  }

  /** After having been told to stay away: with another token. */
  renew(): void {
    this.#options.tokens.forget();
    this.start();
  }

  stop(): void {
    this.#turn += 1;
    this.#timers.stopAll();
    for (const socket of [this.#live, this.#next, this.#old]) if (socket) this.#discard(socket);
    this.#live = this.#next = this.#old = null;
    this.state.set({ phase: 'idle' });
  }

  /** The network is back, or somebody looks: no reason to sit out the delay. */
  hurry(): void {
    if (this.state.get().phase === 'waiting') void this.#open();
  }

  /** The browser says that there is no network: waiting for a time-out would be a lie. */
  lost(): void {
    if (this.#live) this.#ended(this.#live, LOST, '');
  }

  /** Sends a command; resolves to its answer, rejects with MessengerError. */
  ask(command: Command, limitMs = ANSWER_MS): Promise<AnswerFrame> {
    const socket = this.#live;
    if (!socket || socket.readyState !== socket.OPEN) return Promise.reject(offline());
    const ref = this.#asks.newRef();
    const text = JSON.stringify({ ...command, ref });
    const tooLong = this.#tooLong(text);
    if (tooLong) return Promise.reject(tooLong);
    const answer = this.#asks.wait(ref, socket, limitMs);
    socket.send(text);
    return answer;
  }

  /** Is anybody there? A page sees no WebSocket pings, so silence is asked about with a frame. */
  async check(): Promise<void> {
    const socket = this.#live;
    if (!socket) return this.hurry();
    const since = Date.now();
    await this.ask({ type: 'ping' }, PING_MS).catch(() => null);
    if (socket === this.#live && this.#heard < since) this.#ended(socket, LOST, '');
  }

  /** A frame above the limit would end the socket, and with it everybody's. */
  #tooLong(text: string): MessengerError | null {
    const state = this.state.get();
    const limit = state.phase === 'online' ? state.connected.limits.frame_bytes : Number.POSITIVE_INFINITY;
    if (text.length * 3 <= limit || encoder.encode(text).length <= limit) return null;
    const message = `A frame holds at most ${limit} bytes`;
    return new MessengerError({ code: 'message_too_long', message, retryable: false });
  }

  async #open(): Promise<void> {
    this.#turn += 1;
    const turn = this.#turn;
    this.#timers.stop('retry');
    this.#connecting();
    try {
      const token = await this.#options.tokens.current();
      if (turn === this.#turn) this.#dial(token);
    } catch (error) {
      if (turn === this.#turn) this.#noToken(error);
    }
  }

  #connecting(): void {
    if (!this.#live) this.state.set({ phase: 'connecting' });
  }

  #noToken(error: unknown): void {
    const isFinal = error instanceof MessengerError && !error.retryable;
    if (isFinal) this.#stayAway(REFUSED, { code: error.code });
    else this.#comeBack(LOST, { code: 'no_token' });
  }

  #dial(token: string): void {
    const make = this.#options.open ?? ((url, protocols) => new WebSocket(url, protocols));
    if (this.#next) this.#discard(this.#next);
    const socket = make(this.#options.url, ['messenger.v1', `bearer.${token}`]);
    this.#next = socket;
    socket.onmessage = (event) => this.#received(socket, event.data);
    socket.onclose = (event) => this.#ended(socket, event.code, event.reason, token);
    this.#timers.start('welcome', WELCOME_MS, () => this.#ended(socket, LOST, ''));
  }

  #received(socket: WebSocket, text: unknown): void {
    if (socket !== this.#live && socket !== this.#next && socket !== this.#old) return;
    if (socket === this.#live) this.#heard = Date.now();
    const frame = parseFrame(text);
    if (!frame) return;
    if (frame.type === 'system') this.#system(socket, frame);
    this.frames.tell(frame);
    this.#asks.hear(frame);
  }

  #system(socket: WebSocket, frame: Extract<Frame, { type: 'system' }>): void {
    if (frame.event === 'connected' && socket === this.#next) this.#welcomed(socket, frame);
    // The slot is this socket's own, so that not everybody comes at once.
    if (frame.event === 'draining' && socket === this.#live) {
      this.#timers.start('retry', frame.reconnect_after_ms, () => void this.#open());
    }
  }

  #welcomed(socket: WebSocket, connected: Connected): void {
    this.#timers.stop('welcome');
    if (this.#old) this.#discard(this.#old);
    this.#old = this.#live;
    this.#live = socket;
    this.#next = null;
    this.#refusals = 0;
    this.#heard = Date.now();
    this.#timers.start('steady', STEADY_MS, () => {
      this.#attempt = 0;
    });
    this.#watch(connected.heartbeat_ms || HEARTBEAT_MS);
    this.state.set({ phase: 'online', connected });
    const retire = () => this.#retire(socket);
    void this.#options.catchUp().then(retire, retire);
  }

  /** The newcomer has all that the old one had. */
  #retire(newcomer: WebSocket): void {
    if (newcomer !== this.#live || !this.#old) return;
    this.#discard(this.#old);
    this.#old = null;
  }

  #watch(heartbeat: number): void {
    const quietFor = Date.now() - this.#heard;
    this.#timers.start('watch', heartbeat - quietFor, async () => {
      if (Date.now() - this.#heard >= heartbeat) await this.check();
      if (this.#live) this.#watch(heartbeat);
    });
  }

  #ended(socket: WebSocket, code: number, reasonText: string, token?: string): void {
    const wasNext = socket === this.#next;
    const wasLive = socket === this.#live;
    this.#discard(socket);
    if (socket === this.#old) this.#old = null;
    if (!wasNext && !wasLive) return;
    if (wasNext) this.#next = null;
    if (wasNext) this.#timers.stop('welcome');
    if (wasLive) this.#lostLive();
    // The other one is on its way already, or still serves.
    if (this.#next) return this.#connecting();
    this.#decide(code, reasonOf(reasonText), token);
  }

  #lostLive(): void {
    this.#live = null;
    this.#timers.stop('steady');
    this.#timers.stop('watch');
  }

  #decide(code: number, reason: CloseReason, token?: string): void {
    const verdict = verdictOn(code);
    if (verdict === 'stay') this.#stayAway(code, reason);
    else if (verdict === 'renew' && token !== undefined) void this.#renew(code, reason, token);
    else this.#comeBack(code, reason);
  }

  /** The token was refused or has ended: with another one we may come again, with the same one never. */
  async #renew(code: number, reason: CloseReason, refused: string): Promise<void> {
    this.#refusals += code === REFUSED ? 1 : 0;
    if (this.#refusals > 1) return this.#stayAway(code, reason);
    this.#turn += 1;
    const turn = this.#turn;
    this.#connecting();
    try {
      const token = await this.#options.tokens.insteadOf(refused);
      if (turn !== this.#turn) return;
      if (token === refused) this.#stayAway(code, reason);
      else this.#comeBack(code, reason);
    } catch (error) {
      if (turn === this.#turn) this.#noToken(error);
    }
  }

  #comeBack(code: number, reason: CloseReason): void {
    const delay = backOff(this.#attempt, reason.retryAfterMs);
    this.#attempt += 1;
    this.#timers.start('retry', delay, () => void this.#open());
    if (this.#live) return;
    this.state.set({ phase: 'waiting', code, reason, attempt: this.#attempt, until: Date.now() + delay });
  }

  #stayAway(code: number, reason: CloseReason): void {
    // Refused while an earlier socket still serves: its end will show whether that is final.
    if (this.#live) return;
    this.stop();
    this.state.set({ phase: 'away', code, reason });
  }

  #discard(socket: WebSocket): void {
    socket.onmessage = socket.onclose = null;
    this.#asks.ended(socket);
    socket.close(1000);
  }
}
