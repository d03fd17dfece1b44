/** Owns the frame log: one bounded list of frames, REST calls and socket events, with filter, copy and clear. */

import { arrange, byId, clock, node, stickToEnd } from './dom.js';

const KEPT = 500;
const PREVIEW_CHARS = 200;
const SIGNS = { in: '←', out: '→', rest: '⇄', socket: '●' };
const NAMES = { in: 'received', out: 'sent', rest: 'REST call', socket: 'socket' };
const SECRETS = new Set(['token', 'ticket']);

/** A log is copied into tickets: what opens a door is not in it. */
function withoutSecrets(key, value) {
  return SECRETS.has(key) && typeof value === 'string' ? `${value.slice(0, 6)}… (hidden)` : value;
}

function show(value, indent) {
  return typeof value === 'string' ? value : JSON.stringify(value, withoutSecrets, indent);
}

/** Every word has to occur; a word after a minus must not. */
function matcher(kind, text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const holds = (haystack, word) =>
    word.length > 1 && word.startsWith('-') ? !haystack.includes(word.slice(1)) : haystack.includes(word);
  return (entry) => {
    const fits = kind === '' || entry.kind === kind || (kind === 'error' && entry.isError);
    return fits && words.every((word) => holds(entry.haystack, word));
  };
}

export class FrameLog {
  #entries = [];
  #matches = matcher('', '');
  #list = byId('log');
  #toEnd = stickToEnd(byId('log-scroll'), byId('log'));

  constructor() {
    const refilter = () => this.#filter(matcher(byId('log-kind').value, byId('log-filter').value));
    byId('log-kind').addEventListener('change', refilter);
    byId('log-filter').addEventListener('input', refilter);
    byId('clear-log').addEventListener('click', () => this.#clear());
    byId('copy-log').addEventListener('click', () => this.#copy());
    this.#count();
  }

  /** `value` is what the entry unfolds to; `note` says what the page made of it. */
  add(kind, name, value, { note = '', isError = false } = {}) {
    const text = show(value);
    const haystack = `${kind} ${NAMES[kind]} ${name} ${note} ${text}`.toLowerCase();
    const entry = { kind, name, value, note, isError, text, haystack, at: new Date() };
    entry.node = this.#render(entry);
    entry.node.hidden = !this.#matches(entry);
    this.#entries.push(entry);
    this.#list.append(entry.node);
    if (this.#entries.length > KEPT) this.#entries.shift().node.remove();
    this.#count();
  }

  #render(entry) {
    const summary = node(
      'summary',
      {},
      node('time', { datetime: entry.at.toISOString() }, clock(entry.at, true)),
      node('span', { class: 'sign', title: NAMES[entry.kind] }, SIGNS[entry.kind]),
      node('b', {}, entry.name),
      entry.note ? node('span', { class: 'note' }, entry.note) : null,
      node('span', { class: 'preview' }, entry.text.slice(0, PREVIEW_CHARS)),
    );
    const details = node('details', {}, summary);
    details.addEventListener('toggle', () => this.#unfold(details, entry), { once: true });
    return node('li', { 'data-testid': 'log-entry', 'data-kind': entry.kind, 'data-error': entry.isError }, details);
  }

  /** Five hundred pretty-printed frames would be a lot of nodes; they are made when somebody looks. */
  #unfold(details, entry) {
    details.append(node('pre', {}, show(entry.value, 2)));
  }

  #filter(matches) {
    this.#matches = matches;
    for (const entry of this.#entries) entry.node.hidden = !matches(entry);
    this.#toEnd();
    this.#count();
  }

  #clear() {
    this.#entries = [];
    arrange(this.#list, []);
    this.#count();
  }

  #count() {
    const shown = this.#entries.filter((entry) => !entry.node.hidden).length;
    const all = this.#entries.length;
    byId('log-count').textContent = shown === all ? `${all} of at most ${KEPT}` : `${shown} of ${all} shown`;
    byId('frame-total').textContent = all || '';
  }

  async #copy() {
    const shown = this.#entries.filter((entry) => !entry.node.hidden);
    const lines = shown.map(({ at, kind, name, note, text }) => [at.toISOString(), kind, name, note, text].join('\t'));
    const button = byId('copy-log');
    try {
      await navigator.clipboard.writeText(lines.join('\n'));
      button.textContent = `Copied ${lines.length}`;
    } catch {
      button.textContent = 'Copy needs https or localhost';
    }
    setTimeout(() => { button.textContent = 'Copy'; }, 2_000);
  }
}
