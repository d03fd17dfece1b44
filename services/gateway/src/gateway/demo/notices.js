/** Shows errors of the server and the network in a bar, until the user dismisses them. */

import { byId, node } from './dom.js';

const MAX_NOTICES = 3;

function facts({ code, retryable, retryAfterMs, command, ref }) {
  const parts = [code, command && `to ${command}`, ref && `ref ${ref}`];
  if (retryable !== undefined) parts.push(retryable ? 'retryable' : 'not retryable');
  if (retryAfterMs !== undefined) parts.push(`retry after ${retryAfterMs} ms`);
  return parts.filter(Boolean).join(' · ');
}

function detailLines(details) {
  if (typeof details !== 'object' || details === null) return null;
  const line = ([field, texts]) => node('li', {}, node('bdi', {}, field), ': ', node('bdi', {}, [texts].flat().join(' ')));
  return node('ul', {}, ...Object.entries(details).map(line));
}

export function showNotice(message, about = {}) {
  const dismiss = node('button', { type: 'button', class: 'small' }, 'Dismiss');
  const body = node('div', {}, node('strong', {}, node('bdi', {}, message)), ' ', node('span', { class: 'mono' }, facts(about)));
  const lines = detailLines(about.details);
  if (lines) body.append(lines);
  const box = node('div', { class: 'notice', 'data-testid': 'notice' }, body, dismiss);
  dismiss.addEventListener('click', () => box.remove());
  const bar = byId('notices');
  bar.append(box);
  while (bar.childElementCount > MAX_NOTICES) bar.firstElementChild.remove();
}

export function showErrorFrame(frame, command) {
  showNotice(frame.message ?? 'Error', {
    code: frame.code,
    retryable: frame.retryable,
    retryAfterMs: frame.retry_after_ms,
    details: frame.details,
    ref: frame.ref,
    command,
  });
}

export function showFailedCall(error) {
  const { code, retryable, details } = error;
  showNotice(error.message, { code, retryable, details });
}
