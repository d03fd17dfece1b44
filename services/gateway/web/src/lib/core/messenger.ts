/**
 * The object that a host application holds. It finds out from the token who the user is, and runs a session
 * for that user.
 */

import { BackOff } from './base/backoff.ts';
import { Observable } from './base/observable.ts';
import { Timers } from './base/timers.ts';
import { type Address, parseAddress } from './connection/address.ts';
import type { ConnectionState } from './connection/socketConnection.ts';
import { type GetToken, Tokens } from './connection/tokens.ts';
import { errorFromFrame, type Failure, MessengerError, offlineError, toFailure } from './contract/failure.ts';
import type { AnswerFrame, Command } from './contract/wire.ts';
import type { Directory } from './conversations/names.ts';
import { Session } from './session.ts';

export interface MessengerOptions {
  /** Gives names of the host page's own. They replace those of the profiles. */
  directory?: Directory;
}

export class Messenger {
  /** Null until the first token tells who the user is. */
  readonly session = new Observable<Session | null>(null);
  readonly state = new Observable<ConnectionState>({ phase: 'idle' });
  readonly lastError = new Observable<Failure | null>(null);
  #url: string;
  #getToken: GetToken;
  #options: MessengerOptions;
  #timers = new Timers<'again'>();
  #generation = 0;
  #attempt = 0;
  #backOff = new BackOff();

  /**
   * `url` is the gateway's. Nothing happens before `start`, so that the object can be made on a server too.
   */
  constructor(url: string, getToken: GetToken, options: MessengerOptions = {}) {
    this.#url = url;
    this.#getToken = getToken;
    this.#options = options;
  }

  start(): void {
    this.stop();
    this.state.set({ phase: 'connecting' });
    void this.#begin(parseAddress(this.#url), new Tokens(this.#getToken));
  }

  stop(): void {
    this.#generation += 1;
    this.#timers.stopAll();
    this.session.get()?.stop();
    this.session.set(null);
    this.state.set({ phase: 'idle' });
  }

  /** Reconnects with a new token, also from `away`. */
  renew(): void {
    this.#attempt = 0;
    this.#backOff.reset();
    const session = this.session.get();
    if (session) session.connection.hint('renew');
    else this.start();
  }

  /** Ends the wait before the next try. */
  hurry(): void {
    const session = this.session.get();
    if (session) session.connection.hint('hurry');
    else if (this.#timers.has('again')) this.start();
  }

  /**
   * Sends any command of the protocol. Resolves to its answer, or rejects with a MessengerError, which is
   * also set as `lastError`.
   */
  async send(command: Command): Promise<AnswerFrame> {
    try {
      const session = this.session.get();
      if (!session) throw offlineError();
      return await session.connection.ask(command);
    } catch (error) {
      this.lastError.set(toFailure(error));
      throw error;
    }
  }

  async #begin(address: Address, tokens: Tokens): Promise<void> {
    const generation = this.#generation;
    try {
      await tokens.current();
      if (generation === this.#generation) this.#startSession(address, tokens);
    } catch (error) {
      if (generation === this.#generation) this.#tokenFailed(error, address, tokens);
    }
  }

  #startSession(address: Address, tokens: Tokens): void {
    this.#attempt = 0;
    this.#backOff.reset();
    const directory = this.#options.directory ?? null;
    const session = new Session({ address, tokens, me: tokens.userId, directory });
    session.connection.state.watch((state) => this.state.set(state));
    session.connection.events.on((event) => {
      // An error with a `ref` answers a command, so the sender of the command gets it.
      if (event.type === 'error' && event.ref === undefined)
        this.lastError.set(toFailure(errorFromFrame(event)));
    });
    session.start();
    this.session.set(session);
  }

  #tokenFailed(error: unknown, address: Address, tokens: Tokens): void {
    const failure = toFailure(error);
    this.lastError.set(failure);
    const reason = { code: failure.code };
    if (error instanceof MessengerError && !error.retryable)
      return this.state.set({ phase: 'away', code: 0, reason });
    const delay = this.#backOff.next(failure.retryAfterMs);
    this.#attempt += 1;
    this.#timers.start('again', delay, () => void this.#begin(address, tokens));
    const until = Date.now() + delay;
    this.state.set({ phase: 'waiting', code: 0, reason, attempt: this.#attempt, until });
  }
}

/**
 * Makes a messenger and starts it. `getToken` is called whenever a token is needed; `fresh` is true when the
 * last one cannot be used.
 */
export function connect(url: string, getToken: GetToken, options?: MessengerOptions): Messenger {
  const messenger = new Messenger(url, getToken, options);
  messenger.start();
  return messenger;
}
