/**
 * Brings the bytes of one file to where the gateway says: by offset (the core protocol of tus), in one request, or in
 * parts that have URLs of their own. Each continues what an earlier try has begun.
 */

import { MessengerError } from '../contract/failure.ts';
import type { BytesAnswer, BytesRequest, SendBytes } from './sendBytes.ts';
import type { UploadTarget } from './upload.ts';

/** Proxies limit how long a request may be, and what they take before a cut. */
const CHUNK_BYTES = 16 * 2 ** 20;
const OFFSET = 'Upload-Offset';
const CONFLICT = 409;
const TOO_LARGE = 413;
const TEMPORARY = [408, 425, 429];
/** What a proxy answers for a gateway that is away. */
const UNAVAILABLE = [502, 503, 504];
const GONE = [403, 404, 410];

export interface Transfer {
  blob: Blob;
  target: UploadTarget;
  /** Whether nothing can be there yet. */
  isNew: boolean;
  /** The gateway's REST address, which paths are relative to. */
  base: string;
  send: SendBytes;
  signal: AbortSignal;
  onProgress: (sent: number) => void;
}

/** `url` is absolute. It is the URL's own authority whether it may be used: no token of the user is sent. */
interface Part {
  number: number;
  offset: number;
  size: number;
  url: string;
  headers?: Record<string, string>;
}

/** The upload does not exist any more, or its URL has ended: begin another one. */
export const uploadGoneError = () =>
  new MessengerError({ code: 'upload_gone', message: 'The upload has ended', retryable: true });

/** Resolves when all bytes are there. Rejects with MessengerError. */
export function transferBytes(transfer: Transfer): Promise<void> {
  const { method, part_bytes: partBytes } = transfer.target;
  if (method === 'PATCH') return sendByOffset(transfer);
  return partBytes ? sendParts(transfer) : sendWhole(transfer);
}

async function sendByOffset(transfer: Transfer): Promise<void> {
  const { blob, target, onProgress } = transfer;
  let offset = transfer.isNew ? 0 : await offsetOf(transfer);
  while (offset < blob.size) {
    const body = blob.slice(offset, offset + CHUNK_BYTES);
    const from = offset;
    onProgress(from);
    const answer = await request(transfer, {
      method: target.method,
      url: target.url,
      headers: { ...target.headers, [OFFSET]: String(from) },
      body,
      onProgress: (sent) => onProgress(from + sent),
    });
    offset = readOffset(answer) ?? from + body.size;
  }
  onProgress(offset);
}

async function offsetOf(transfer: Transfer): Promise<number> {
  const { url, headers } = transfer.target;
  const answer = await request(transfer, { method: 'HEAD', url, headers });
  return readOffset(answer) ?? 0;
}

/** A header that a proxy or another origin hides is null. */
function readOffset(answer: BytesAnswer): number | null {
  const text = answer.header(OFFSET);
  return text !== null && /^\d+$/.test(text) ? Number(text) : null;
}

async function sendWhole(transfer: Transfer): Promise<void> {
  const { blob: body, target, onProgress } = transfer;
  await request(transfer, { ...target, body, onProgress });
}

async function sendParts(transfer: Transfer): Promise<void> {
  const { blob, onProgress } = transfer;
  for (let parts = await missingParts(transfer); parts.length > 0; parts = await missingParts(transfer)) {
    for (const { url, offset, size, headers = {} } of parts) {
      onProgress(offset);
      const body = blob.slice(offset, offset + size);
      await request(transfer, {
        method: 'PUT',
        url,
        headers,
        body,
        onProgress: (sent) => onProgress(offset + sent),
      }).catch((error: MessengerError) => {
        // The URL of a part has ended. The next list has another one.
        if (error.code !== 'upload_gone') throw error;
        throw new MessengerError({ ...error, message: error.message, code: 'part_refused' });
      });
    }
  }
  onProgress(blob.size);
}

async function missingParts(transfer: Transfer): Promise<Part[]> {
  const { url, headers } = transfer.target;
  const { text } = await request(transfer, { method: 'GET', url, headers });
  const { parts } = parseObject(text) as { parts?: Part[] };
  // A network may answer in the gateway's place.
  if (!Array.isArray(parts)) throw badAnswerError();
  return parts.sort((one, other) => one.offset - other.offset);
}

type Asked = Pick<BytesRequest, 'method' | 'url' | 'headers'> &
  Partial<Pick<BytesRequest, 'body' | 'onProgress'>>;

async function request({ base, send, signal }: Transfer, asked: Asked): Promise<BytesAnswer> {
  const { method, headers, body = null, onProgress = () => undefined } = asked;
  const url = new URL(asked.url, base).href;
  const answer = await send({ method, url, headers, body, signal, onProgress });
  if (answer.status >= 200 && answer.status < 300) return answer;
  throw errorOf(answer);
}

interface Problem {
  code?: string;
  detail?: string;
  retryable?: boolean;
}

const badAnswerError = () =>
  new MessengerError({ code: 'bad_answer', message: 'The parts were not listed', retryable: true });

function errorOf({ status, text, header }: BytesAnswer): MessengerError {
  const { code, detail, retryable } = parseObject(text) as Problem;
  if (GONE.includes(status)) return uploadGoneError();
  const wait = Number(header('Retry-After'));
  const isTemporary = status === CONFLICT || status >= 500 || TEMPORARY.includes(status);
  return new MessengerError({
    code: code ?? codeOf(status),
    message: detail ?? `The upload was answered with ${status}`,
    retryable: isTemporary || (retryable ?? false),
    ...(wait > 0 ? { retryAfterMs: wait * 1000 } : {}),
  });
}

function codeOf(status: number): string {
  if (status === TOO_LARGE) return 'file_too_large';
  return UNAVAILABLE.includes(status) ? 'unavailable' : `http_${status}`;
}

/** Stores answer in XML, and proxies in HTML. */
function parseObject(text: string): object {
  try {
    const found: unknown = JSON.parse(text);
    return typeof found === 'object' && found !== null ? found : {};
  } catch {
    return {};
  }
}
