/** Makes this page's REST calls with the user's token, and turns each failure into an ApiError. */

const BASE = '/api/v1/messenger';
const DEADLINE_MS = 10_000;

export class ApiError extends Error {
  constructor(message, status, problem = {}) {
    super(message);
    this.status = status;
    this.code = problem.code ?? (status ? `http_${status}` : 'unreachable');
    this.retryable = problem.retryable ?? (status === 0 || status >= 500);
    this.details = problem.errors;
  }
}

export class Api {
  #token = null;
  #onCall;

  /** `onCall(call)` is called once for every finished call. */
  constructor(onCall) {
    this.#onCall = onCall;
  }

  setToken(token) {
    this.#token = token;
  }

  /** Only the embedded stack has this route; other servers answer 404. */
  async mintToken(userId) {
    return (await this.#call('POST', '/dev/token', { user_id: userId })).token;
  }

  conversations(cursor) {
    const query = new URLSearchParams({ limit: '50', ...(cursor ? { cursor } : {}) });
    return this.#call('GET', `/conversations?${query}`);
  }

  createConversation(body) {
    return this.#call('POST', '/conversations', body);
  }

  conversation(id) {
    return this.#call('GET', `/conversations/${encodeURIComponent(id)}`);
  }

  messages(id, beforeSeq) {
    const query = new URLSearchParams({ limit: '50', ...(beforeSeq ? { before_seq: String(beforeSeq) } : {}) });
    return this.#call('GET', `/conversations/${encodeURIComponent(id)}/messages?${query}`);
  }

  async #call(method, path, body) {
    const since = performance.now();
    const { status, answer } = await this.#fetch(method, path, body);
    this.#onCall({ method, path, body, status, answer, took: performance.now() - since });
    if (status >= 200 && status < 300) return answer;
    const problem = typeof answer === 'object' && answer !== null ? answer : {};
    throw new ApiError(problem.detail ?? problem.title ?? `HTTP ${status}`, status, problem);
  }

  async #fetch(method, path, body) {
    const headers = { Accept: 'application/json' };
    if (this.#token) headers.Authorization = `Bearer ${this.#token}`;
    if (body !== undefined) headers['Content-Type'] = 'application/json';
    const options = { method, headers, signal: AbortSignal.timeout(DEADLINE_MS), cache: 'no-store' };
    try {
      const response = await fetch(BASE + path, { ...options, body: body && JSON.stringify(body) });
      return { status: response.status, answer: parseBody(await response.text()) };
    } catch (error) {
      return { status: 0, answer: { title: `The server can't be reached (${error.name})` } };
    }
  }
}

function parseBody(text) {
  if (text === '') return null;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
