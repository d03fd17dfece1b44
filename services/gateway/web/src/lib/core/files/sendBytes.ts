/** The port through which bytes of uploads leave, and its implementation by XMLHttpRequest. */

import { offlineError, unansweredError } from '../contract/failure.ts';

export interface BytesRequest {
  method: string;
  url: string;
  headers: Record<string, string>;
  body: Blob | null;
  signal: AbortSignal;
  /** Called with the number of bytes of the body that are sent. */
  onProgress: (sent: number) => void;
}

export interface BytesAnswer {
  status: number;
  text: string;
  header: (name: string) => string | null;
}

/** Resolves to any answer, and rejects with MessengerError if there is none. */
export type SendBytes = (request: BytesRequest) => Promise<BytesAnswer>;

/** A request is given up if no byte leaves and no answer comes for this time. */
const STALL_MS = 45_000;

/** `fetch` tells no progress of what it sends. */
export const sendByXhr: SendBytes = ({ method, url, headers, body, signal, onProgress }) =>
  new Promise((resolve, reject) => {
    const xhr = new XMLHttpRequest();
    let stall: ReturnType<typeof setTimeout>;
    const abort = () => xhr.abort();
    const watch = () => {
      clearTimeout(stall);
      stall = setTimeout(() => {
        reject(unansweredError('The upload stands still'));
        xhr.abort();
      }, STALL_MS);
    };
    xhr.onload = () =>
      resolve({
        status: xhr.status,
        text: xhr.responseText,
        header: (name) => xhr.getResponseHeader(name),
      });
    xhr.onerror = () => reject(offlineError());
    xhr.onabort = () => reject(offlineError());
    xhr.onloadend = () => {
      clearTimeout(stall);
      signal.removeEventListener('abort', abort);
    };
    xhr.upload.onprogress = ({ loaded }) => {
      watch();
      onProgress(loaded);
    };
    xhr.open(method, url);
    for (const [name, value] of Object.entries(headers)) xhr.setRequestHeader(name, value);
    if (signal.aborted) return reject(offlineError());
    signal.addEventListener('abort', abort);
    watch();
    xhr.send(body);
  });
