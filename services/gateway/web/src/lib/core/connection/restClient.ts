/**
 * Makes REST calls. It adds the token, tries once more with a fresh token after a 401, and turns failures
 * into MessengerError.
 */

import { wellFormed, wellFormedJson } from '../base/wellFormed.ts';
import { MessengerError, offlineError } from '../contract/failure.ts';
import type { User } from '../contract/wire.ts';
import type { Tokens } from './tokens.ts';

const TIMEOUT_MS = 15_000;
const UNAUTHORIZED = 401;
const NO_CONTENT = 204;

export interface Page<T> {
  items: T[];
  next_cursor: string | null;
}

export type Query = Record<string, string | number | null | undefined>;

interface Problem {
  code?: string;
  title?: string;
  detail?: string;
  retryable?: boolean;
  errors?: Record<string, string[]>;
}

export class RestClient {
  #base: string;
  #tokens: Tokens;
  #onUsers: (users: User[]) => void;

  /** `onUsers` gets the users that an answer names beside its items. */
  constructor(base: string, tokens: Tokens, onUsers: (users: User[]) => void) {
    this.#base = base;
    this.#tokens = tokens;
    this.#onUsers = onUsers;
  }

  /** When `signal` aborts, the request ends and rejects. */
  get<T>(path: string, query: Query = {}, signal?: AbortSignal): Promise<T> {
    const given = Object.entries(query).filter(([, value]) => value !== null && value !== undefined);
    const search = new URLSearchParams(
      given.map(([name, value]) => [name, wellFormed(String(value))]),
    ).toString();
    return this.call('GET', search ? `${path}?${search}` : path, undefined, signal);
  }

  /** Reads all pages of a list. Use it only for lists that are known to be short. */
  async all<T>(path: string, query: Query = {}): Promise<T[]> {
    const found: T[] = [];
    let cursor: string | null = null;
    do {
      const page: Page<T> = await this.get<Page<T>>(path, { limit: 100, ...query, cursor });
      found.push(...page.items);
      cursor = page.next_cursor;
    } while (cursor !== null);
    return found;
  }

  async call<T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
    const limit = AbortSignal.timeout(TIMEOUT_MS);
    const ended = new AbortController();
    const either = signal ? anyOf(signal, limit, ended.signal) : limit;
    try {
      return await this.#read<T>(await this.#ask((token) => this.#fetch(method, path, body, token, either)));
    } finally {
      ended.abort();
    }
  }

  /** Downloads bytes. Rejects with MessengerError, also if they take longer than `limitMs`. */
  async bytes(path: string, limitMs: number): Promise<Blob> {
    const signal = AbortSignal.timeout(limitMs);
    const response = await this.#ask((token) => this.#fetch('GET', path, undefined, token, signal));
    if (!response.ok) return parseResponse<never>(response);
    return response.blob().catch(() => {
      throw offlineError();
    });
  }

  async #ask(send: (token: string) => Promise<Response>): Promise<Response> {
    const token = await this.#tokens.current();
    const first = await send(token);
    if (first.status !== UNAUTHORIZED) return first;
    const fresh = await this.#tokens.replace(token);
    return fresh === token ? first : send(fresh);
  }

  async #read<T>(response: Response): Promise<T> {
    const answer = await parseResponse<T>(response);
    const users = (answer as { users?: Record<string, User> } | undefined)?.users;
    if (users) this.#onUsers(Object.values(users));
    return answer;
  }

  async #fetch(
    method: string,
    path: string,
    body: unknown,
    token: string,
    signal: AbortSignal,
  ): Promise<Response> {
    try {
      return await fetch(this.#base + path, {
        method,
        headers: {
          Authorization: `Bearer ${token}`,
          ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: wellFormedJson(body) }),
        credentials: 'omit',
        signal,
      });
    } catch {
      throw offlineError();
    }
  }
}

/**
 * Aborts with one or the other, until `ended` aborts. Browsers from before 2024 have no `AbortSignal.any`, and one of the
 * signals may be there for many requests.
 */
function anyOf(one: AbortSignal, other: AbortSignal, ended: AbortSignal): AbortSignal {
  const both = new AbortController();
  const abort = () => both.abort();
  for (const signal of [one, other]) {
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { signal: ended });
  }
  return both.signal;
}

async function parseResponse<T>(response: Response): Promise<T> {
  if (response.status === NO_CONTENT) return undefined as T;
  const body: unknown = await response.json().catch(() => null);
  const isObject = typeof body === 'object' && body !== null;
  if (response.ok && isObject) return body as T;
  throw errorFromResponse(response, isObject ? body : {});
}

function errorFromResponse(response: Response, problem: Problem): MessengerError {
  const wait = Number(response.headers.get('Retry-After'));
  return new MessengerError({
    code: problem.code ?? (response.ok ? 'bad_answer' : `http_${response.status}`),
    message: problem.detail ?? problem.title ?? response.statusText,
    // The gateway's own errors have a code. Any other error comes from something in between, such as a proxy,
    // and is temporary.
    retryable: problem.retryable ?? true,
    ...(wait > 0 ? { retryAfterMs: wait * 1000 } : {}),
    ...(problem.errors ? { details: problem.errors } : {}),
  });
}
