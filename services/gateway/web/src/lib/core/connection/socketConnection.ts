/**
 * Keeps one WebSocket to the gateway alive: it opens it, checks it when it is silent, reconnects, and moves
 * to a new socket without a gap. One socket at a time is `live`. A new socket becomes `live` when its
 * `connected` frame arrives. The old socket is closed when the new one has caught up.
 */

import { BackOff } from '../base/backoff.ts';
import { EventEmitter, Observable } from '../base/observable.ts';
import { Timers } from '../base/timers.ts';
import { wellFormedJson } from '../base/wellFormed.ts';
import { type CloseReason, parseCloseReason, reactionTo } from '../contract/closeCodes.ts';
import { MessengerError, offlineError, tooLongError } from '../contract/failure.ts';
import { type AnswerFrame, type Command, type Connected, type Frame, parseFrame } from '../contract/wire.ts';
import { PendingCommands } from './pendingCommands.ts';
import type { Tokens } from './tokens.ts';

export type ConnectionState =
  | { phase: 'idle' }
  | { phase: 'connecting' }
  | { phase: 'online'; connected: Connected }
  | { phase: 'waiting'; code: number; reason: CloseReason; attempt: number; until: number }
  | { phase: 'away'; code: number; reason: CloseReason };

export interface SocketOptions {
  url: string;
  tokens: Tokens;
  /** Brings a new socket up to date with its conversations. The old socket is kept until this is done. */
  catchUp: () => Promise<void>;
  open?: (url: string, protocols: string[]) => WebSocket;
}

const CONNECTED_TIMEOUT_MS = 10_000;
const ANSWER_TIMEOUT_MS = 10_000;
const PING_TIMEOUT_MS = 5_000;
const STABLE_MS = 5_000;
const DEFAULT_HEARTBEAT_MS = 25_000;
const CONNECTION_LOST = 1006;
const NOT_AUTHORISED = 1008;
const FRAME_TOO_LARGE = 1009;
const encoder = new TextEncoder();

export class SocketConnection {
  readonly state = new Observable<ConnectionState>({ phase: 'idle' });
  readonly frames = new EventEmitter<Frame>();
  #options: SocketOptions;
  #pending = new PendingCommands();
  #timers = new Timers<'retry' | 'welcome' | 'steady' | 'watch'>();
  #live: WebSocket | null = null;
  #next: WebSocket | null = null;
  #retiring: WebSocket | null = null;
  /** Grows with every attempt, so that an outdated attempt is recognised when its token arrives. */
  #generation = 0;
  #attempt = 0;
  #backOff = new BackOff();
  #refusals = 0;
  /**
   * The number of frames received on live sockets. A clock could not tell whether a frame arrived since a
   * given moment.
   */
  #framesReceived = 0;
  #heartbeat = DEFAULT_HEARTBEAT_MS;

  constructor(options: SocketOptions) {
    this.#options = options;
  }

  start(): void {
    this.stop();
    this.#attempt = this.#refusals = 0;
    this.#backOff.reset();
    void this.#open();
  }

  /** Starts again with a new token. This is the way out of `away`. */
  renew(): void {
    this.#options.tokens.forget();
    this.start();
  }

  stop(): void {
    this.#generation += 1;
    this.#timers.stopAll();
    for (const socket of [this.#live, this.#next, this.#retiring]) if (socket) this.#discard(socket);
    this.#live = this.#next = this.#retiring = null;
    this.state.set({ phase: 'idle' });
  }

  /** Ends the wait before the next try, because the network is back or the user looks at the page. */
  hurry(): void {
    if (this.state.get().phase === 'waiting') void this.#open();
  }

  /**
   * The browser reports that there is no network. The socket counts as lost now, without waiting for a
   * time-out.
   */
  lost(): void {
    if (this.#live) this.#socketEnded(this.#live, CONNECTION_LOST, '');
  }

  /** Sends a command. Resolves to its answer, or rejects with MessengerError. */
  ask(command: Command, limitMs = ANSWER_TIMEOUT_MS): Promise<AnswerFrame> {
    const socket = this.#live;
    if (!socket || socket.readyState !== socket.OPEN) return Promise.reject(offlineError());
    const ref = this.#pending.newRef();
    const text = wellFormedJson({ ...command, ref });
    const refusal = this.#checkFrameSize(text);
    if (refusal) return Promise.reject(refusal);
    const answer = this.#pending.wait(ref, socket, limitMs, text.length);
    socket.send(text);
    return answer;
  }

  /**
   * Checks whether the socket is alive. A page does not see WebSocket pings, so this sends a `ping` frame.
   */
  async check(): Promise<void> {
    const socket = this.#live;
    if (!socket) return this.hurry();
    const before = this.#framesReceived;
    await this.ask({ type: 'ping' }, PING_TIMEOUT_MS).catch(() => null);
    if (socket === this.#live && this.#framesReceived === before)
      this.#socketEnded(socket, CONNECTION_LOST, '');
  }

  /**
   * Returns an error for a frame above the size limit. Such a frame would end the socket, which all tabs
   * share.
   */
  #checkFrameSize(text: string): MessengerError | null {
    const state = this.state.get();
    const limit = state.phase === 'online' ? state.connected.limits.frame_bytes : Number.POSITIVE_INFINITY;
    if (text.length * 3 <= limit || encoder.encode(text).length <= limit) return null;
    return tooLongError(`A frame holds at most ${limit} bytes`);
  }

  async #open(): Promise<void> {
    this.#generation += 1;
    const generation = this.#generation;
    this.#timers.stop('retry');
    this.#showConnecting();
    try {
      const token = await this.#options.tokens.current();
      if (generation === this.#generation) this.#openSocket(token);
    } catch (error) {
      if (generation === this.#generation) this.#tokenFailed(error);
    }
  }

  #showConnecting(): void {
    if (!this.#live) this.state.set({ phase: 'connecting' });
  }

  #tokenFailed(error: unknown): void {
    const isFinal = error instanceof MessengerError && !error.retryable;
    if (isFinal) this.#stayAway(NOT_AUTHORISED, { code: error.code });
    else this.#scheduleRetry(CONNECTION_LOST, { code: 'no_token' });
  }

  #openSocket(token: string): void {
    const make = this.#options.open ?? ((url, protocols) => new WebSocket(url, protocols));
    if (this.#next) this.#discard(this.#next);
    const socket = make(this.#options.url, ['messenger.v1', `bearer.${token}`]);
    this.#next = socket;
    socket.onmessage = (event) => this.#received(socket, event.data);
    socket.onclose = (event) => this.#socketEnded(socket, event.code, event.reason, token);
    this.#timers.start('welcome', CONNECTED_TIMEOUT_MS, () => this.#socketEnded(socket, CONNECTION_LOST, ''));
  }

  #received(socket: WebSocket, text: unknown): void {
    if (socket !== this.#live && socket !== this.#next && socket !== this.#retiring) return;
    if (socket === this.#live) this.#restartSilenceTimer();
    const frame = parseFrame(text);
    if (!frame) return;
    this.#options.tokens.clock.learnFrom(frame);
    if (frame.type === 'system') this.#receivedSystem(socket, frame);
    this.frames.emit(frame);
    this.#pending.receive(frame);
  }

  #receivedSystem(socket: WebSocket, frame: Extract<Frame, { type: 'system' }>): void {
    if (frame.event === 'connected' && socket === this.#next) this.#becameLive(socket, frame);
    // The gateway gives each socket its own delay, so that clients do not all reconnect at the same time.
    if (frame.event === 'draining' && socket === this.#live) {
      this.#timers.start('retry', frame.reconnect_after_ms, () => void this.#open());
    }
  }

  #becameLive(socket: WebSocket, connected: Connected): void {
    this.#timers.stop('welcome');
    if (this.#retiring) this.#discard(this.#retiring);
    this.#retiring = this.#live;
    this.#live = socket;
    this.#next = null;
    this.#refusals = 0;
    this.#timers.start('steady', STABLE_MS, () => {
      this.#attempt = 0;
      this.#backOff.reset();
    });
    this.#heartbeat = connected.heartbeat_ms || DEFAULT_HEARTBEAT_MS;
    this.#restartSilenceTimer();
    this.state.set({ phase: 'online', connected });
    const retire = () => this.#closeRetiring(socket);
    void this.#options.catchUp().then(retire, retire);
  }

  /** Closes the old socket once the new one has caught up. */
  #closeRetiring(newcomer: WebSocket): void {
    if (newcomer !== this.#live || !this.#retiring) return;
    this.#discard(this.#retiring);
    this.#retiring = null;
  }

  /**
   * Restarts the silence timer: after one heartbeat without a frame the socket is checked. This is a timer
   * because it does not depend on how the clock is set.
   */
  #restartSilenceTimer(): void {
    this.#framesReceived += 1;
    this.#timers.start('watch', this.#heartbeat, () => void this.check());
  }

  #socketEnded(socket: WebSocket, code: number, reasonText: string, token?: string): void {
    const wasNext = socket === this.#next;
    const wasLive = socket === this.#live;
    if (code === FRAME_TOO_LARGE) this.#pending.frameTooLarge(socket);
    this.#discard(socket);
    if (socket === this.#retiring) this.#retiring = null;
    if (!wasNext && !wasLive) return;
    if (wasNext) this.#next = null;
    if (wasNext) this.#timers.stop('welcome');
    if (wasLive) this.#clearLive();
    // The other socket is already opening, or still serves.
    if (this.#next) return this.#showConnecting();
    this.#reactToClose(code, parseCloseReason(reasonText), token);
  }

  #clearLive(): void {
    this.#live = null;
    this.#timers.stop('steady');
    this.#timers.stop('watch');
  }

  #reactToClose(code: number, reason: CloseReason, token?: string): void {
    const reaction = reactionTo(code);
    if (reaction === 'stay_away') this.#stayAway(code, reason);
    else if (reaction === 'renew' && token !== undefined) void this.#renew(code, reason, token);
    else this.#scheduleRetry(code, reason);
  }

  /** The token was refused or has expired. A new token may be accepted; the same one never is. */
  async #renew(code: number, reason: CloseReason, refused: string): Promise<void> {
    this.#refusals += code === NOT_AUTHORISED ? 1 : 0;
    if (this.#refusals > 1) return this.#stayAway(code, reason);
    this.#generation += 1;
    const generation = this.#generation;
    this.#showConnecting();
    try {
      const token = await this.#options.tokens.replace(refused);
      if (generation !== this.#generation) return;
      if (token === refused) this.#stayAway(code, reason);
      else this.#scheduleRetry(code, reason);
    } catch (error) {
      if (generation === this.#generation) this.#tokenFailed(error);
    }
  }

  #scheduleRetry(code: number, reason: CloseReason): void {
    const delay = this.#backOff.next(reason.retryAfterMs);
    this.#attempt += 1;
    this.#timers.start('retry', delay, () => void this.#open());
    if (this.#live) return;
    this.state.set({ phase: 'waiting', code, reason, attempt: this.#attempt, until: Date.now() + delay });
  }

  #stayAway(code: number, reason: CloseReason): void {
    // A new socket was refused while an earlier one still serves. The end of the earlier one will show
    // whether the refusal is final.
    if (this.#live) return;
    this.stop();
    this.state.set({ phase: 'away', code, reason });
  }

  #discard(socket: WebSocket): void {
    socket.onmessage = socket.onclose = null;
    this.#pending.socketClosed(socket);
    socket.close(1000);
  }
}
