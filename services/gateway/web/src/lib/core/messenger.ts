/** Owns what a host application holds: a messenger that finds out who its user is, and serves that user. */

import { type Address, addressOf } from './address.ts';
import { backOff } from './backoff.ts';
import { Cell } from './cell.ts';
import { errorOf, type Failure, failureOf, MessengerError, offline } from './failure.ts';
import type { LinkState } from './link.ts';
import type { Directory } from './people.ts';
import { Session } from './session.ts';
import { Timers } from './timers.ts';
import { type GetToken, Tokens } from './tokens.ts';
import type { AnswerFrame, Command } from './wire.ts';

export interface MessengerOptions {
  /** Names of users; without it there are only their ids. */
  directory?: Directory;
}

export class Messenger {
  /** Null until the first token says who the user is. */
  readonly session = new Cell<Session | null>(null);
  readonly state = new Cell<LinkState>({ phase: 'idle' });
  readonly lastError = new Cell<Failure | null>(null);
  #url: string;
  #getToken: GetToken;
  #options: MessengerOptions;
  #timers = new Timers<'again'>();
  #turn = 0;
  #attempt = 0;

  /** `url` is the gateway's; nothing is done before `start`, so that it can be made on a server too. */
  constructor(url: string, getToken: GetToken, options: MessengerOptions = {}) {
    this.#url = url;
    this.#getToken = getToken;
    this.#options = options;
  }

  start(): void {
    this.stop();
    this.state.set({ phase: 'connecting' });
    void this.#begin(addressOf(this.#url), new Tokens(this.#getToken));
  }

  stop(): void {
    this.#turn += 1;
    this.#timers.stopAll();
    this.session.get()?.stop();
    this.session.set(null);
    this.state.set({ phase: 'idle' });
  }

  /** There is another token: comes back after having been told to stay away. */
  renew(): void {
    this.#attempt = 0;
    const session = this.session.get();
    if (session) session.line.hint('renew');
    else this.start();
  }

  /** Tries now what would be tried in a while. */
  hurry(): void {
    const session = this.session.get();
    if (session) session.line.hint('hurry');
    else if (this.#timers.has('again')) this.start();
  }

  /** Any command of the protocol; its answer, or a MessengerError that is `lastError` too. */
  async send(command: Command): Promise<AnswerFrame> {
    try {
      const session = this.session.get();
      if (!session) throw offline();
      return await session.line.ask(command);
    } catch (error) {
      this.lastError.set(failureOf(error));
      throw error;
    }
  }

  async #begin(address: Address, tokens: Tokens): Promise<void> {
    const turn = this.#turn;
    try {
      await tokens.current();
      if (turn === this.#turn) this.#serve(address, tokens);
    } catch (error) {
      if (turn === this.#turn) this.#noToken(error, address, tokens);
    }
  }

  #serve(address: Address, tokens: Tokens): void {
    this.#attempt = 0;
    const directory = this.#options.directory ?? null;
    const session = new Session({ address, tokens, me: tokens.userId, directory });
    session.line.state.watch((state) => this.state.set(state));
    session.line.told.on((told) => {
      // With a `ref` it answers whoever asked.
      if (told.type === 'error' && told.ref === undefined) this.lastError.set(failureOf(errorOf(told)));
    });
    session.start();
    this.session.set(session);
  }

  #noToken(error: unknown, address: Address, tokens: Tokens): void {
    const failure = failureOf(error);
    this.lastError.set(failure);
    const reason = { code: failure.code };
    if (error instanceof MessengerError && !error.retryable)
      return this.state.set({ phase: 'away', code: 0, reason });
    const delay = backOff(this.#attempt, failure.retryAfterMs);
    this.#attempt += 1;
    this.#timers.start('again', delay, () => void this.#begin(address, tokens));
    const until = Date.now() + delay;
    this.state.set({ phase: 'waiting', code: 0, reason, attempt: this.#attempt, until });
  }
}

/** A messenger that is started. `getToken` is asked whenever a token is needed, `fresh` when the last one won't do. */
export function connect(url: string, getToken: GetToken, options?: MessengerOptions): Messenger {
  const messenger = new Messenger(url, getToken, options);
  messenger.start();
  return messenger;
}
