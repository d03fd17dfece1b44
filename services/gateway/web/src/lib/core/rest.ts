/** Owns calls over REST: the token, one more try with a fresh one, and failures as typed errors. */

import { MessengerError, offline } from './failure.ts';
import type { Tokens } from './tokens.ts';

const LIMIT_MS = 15_000;
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

export class Rest {
  #base: string;
  #tokens: Tokens;

  constructor(base: string, tokens: Tokens) {
    this.#base = base;
    this.#tokens = tokens;
  }

  get<T>(path: string, query: Query = {}): Promise<T> {
    const given = Object.entries(query).filter(([, value]) => value !== null && value !== undefined);
    const search = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
    return this.call('GET', search ? `${path}?${search}` : path);
  }

  /** All pages of a list, for lists that are known to be short. */
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

  async call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const token = await this.#tokens.current();
    const first = await this.#fetch(method, path, body, token);
    if (first.status !== UNAUTHORIZED) return answerOf<T>(first);
    const fresh = await this.#tokens.insteadOf(token);
    return answerOf<T>(fresh === token ? first : await this.#fetch(method, path, body, fresh));
  }

  async #fetch(method: string, path: string, body: unknown, token: string): Promise<Response> {
    try {
      return await fetch(this.#base + path, {
        method,
        headers: {
          Authorization: `Bearer ${token}`,
          ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        credentials: 'omit',
        signal: AbortSignal.timeout(LIMIT_MS),
      });
    } catch {
      throw offline();
    }
  }
}

async function answerOf<T>(response: Response): Promise<T> {
  if (response.status === NO_CONTENT) return undefined as T;
  const body = await response.json().catch(() => null);
  if (response.ok && body !== null) return body as T;
  throw failed(response, body ?? {});
}

function failed(response: Response, problem: Problem): MessengerError {
  const wait = Number(response.headers.get('Retry-After'));
  return new MessengerError({
    code: problem.code ?? (response.ok ? 'bad_answer' : `http_${response.status}`),
    message: problem.detail ?? problem.title ?? response.statusText,
    retryable: problem.retryable ?? response.status >= 500,
    ...(wait > 0 ? { retryAfterMs: wait * 1000 } : {}),
    ...(problem.errors ? { details: problem.errors } : {}),
  });
}
