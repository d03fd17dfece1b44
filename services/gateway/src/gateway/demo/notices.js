/** Owns the bar of errors: what the server or the network refused, until somebody dismisses it. */

import { byId, node } from './dom.js';

const KEPT = 3;

function facts({ code, retryable, retryAfterMs, command, ref }) {
  const parts = [code, command && `to ${command}`, ref && `ref ${ref}`];
  if (retryable !== undefined) parts.push(retryable ? 'retryable' : 'not retryable');
  if (retryAfterMs !== undefined) parts.push(`retry after ${retryAfterMs} ms`);
  return parts.filter(Boolean).join(' · ');
}

function detailLines(details) {
  if (typeof details !== 'object' || details === null) return null;
  const line = ([field, texts]) => node('li', {}, `${field}: ${[texts].flat().join(' ')}`);
  return node('ul', {}, ...Object.entries(details).map(line));
}

export function notice(message, about = {}) {
  const dismiss = node('button', { type: 'button', class: 'small' }, 'Dismiss');
  const body = node('div', {}, node('strong', {}, message), ' ', node('span', { class: 'mono' }, facts(about)));
  const lines = detailLines(about.details);
  if (lines) body.append(lines);
  const box = node('div', { class: 'notice', 'data-testid': 'notice' }, body, dismiss);
  dismiss.addEventListener('click', () => box.remove());
  const bar = byId('notices');
  bar.append(box);
  while (bar.childElementCount > KEPT) bar.firstElementChild.remove();
}

export function errorFrame(frame, command) {
  notice(frame.message ?? 'Error', {
    code: frame.code,
    retryable: frame.retryable,
    retryAfterMs: frame.retry_after_ms,
    details: frame.details,
    ref: frame.ref,
    command,
  });
}

export function failedCall(error) {
  const { code, retryable, details } = error;
  notice(error.message, { code, retryable, details });
}
