/** Shows the frame log: a bounded list of frames, REST calls and socket events, with filter, copy and clear. */

import { byId, formatTime, node, setChildren, stickToEnd } from './dom.js';
import { escapeBidiControls, fold, truncate } from './text.js';

const MAX_ENTRIES = 500;
const PREVIEW_CHARS = 200;
const KIND_SYMBOLS = { in: '←', out: '→', rest: '⇄', socket: '●' };
const KIND_NAMES = { in: 'received', out: 'sent', rest: 'REST call', socket: 'socket' };
const SECRET_FIELDS = new Set(['token', 'ticket']);

/** Hides tokens and tickets, since people copy the log into bug reports. */
function hideSecrets(key, value) {
  return SECRET_FIELDS.has(key) && typeof value === 'string' ? `${value.slice(0, 6)}… (hidden)` : value;
}

function format(value, indent) {
  return escapeBidiControls(typeof value === 'string' ? value : JSON.stringify(value, hideSecrets, indent));
}

/** An entry matches if it has every word, and none of the words after a minus. */
function matcher(kind, text) {
  const words = fold(text).split(/\s+/).filter(Boolean);
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
  #scrollToEnd = stickToEnd(byId('log-scroll'), byId('log'));

  constructor() {
    const refilter = () => this.#filter(matcher(byId('log-kind').value, byId('log-filter').value));
    byId('log-kind').addEventListener('change', refilter);
    byId('log-filter').addEventListener('input', refilter);
    byId('clear-log').addEventListener('click', () => this.#clear());
    byId('copy-log').addEventListener('click', () => this.#copy());
    this.#showCount();
  }

  /** `value` is shown when the entry is unfolded; `note` says what the page did with it. */
  add(kind, name, value, { note = '', isError = false } = {}) {
    const text = format(value);
    const haystack = fold(`${kind} ${KIND_NAMES[kind]} ${name} ${note} ${text}`);
    const entry = { kind, name, value, note, isError, text, haystack, at: new Date() };
    entry.node = this.#render(entry);
    entry.node.hidden = !this.#matches(entry);
    this.#entries.push(entry);
    this.#list.append(entry.node);
    if (this.#entries.length > MAX_ENTRIES) this.#entries.shift().node.remove();
    this.#showCount();
  }

  #render(entry) {
    const summary = node(
      'summary',
      {},
      node('time', { datetime: entry.at.toISOString() }, formatTime(entry.at, true)),
      node('span', { class: 'sign', title: KIND_NAMES[entry.kind] }, KIND_SYMBOLS[entry.kind]),
      node('b', { dir: 'ltr' }, entry.name),
      entry.note ? node('span', { class: 'note' }, entry.note) : null,
      node('span', { class: 'preview' }, truncate(entry.text, PREVIEW_CHARS)),
    );
    const details = node('details', {}, summary);
    details.addEventListener('toggle', () => this.#unfold(details, entry), { once: true });
    return node('li', { 'data-testid': 'log-entry', 'data-kind': entry.kind, 'data-error': entry.isError }, details);
  }

  /** Frames are pretty-printed only when unfolded: 500 of them would be a lot of nodes. */
  #unfold(details, entry) {
    details.append(node('pre', {}, format(entry.value, 2)));
  }

  #filter(matches) {
    this.#matches = matches;
    for (const entry of this.#entries) entry.node.hidden = !matches(entry);
    this.#scrollToEnd();
    this.#showCount();
  }

  #clear() {
    this.#entries = [];
    setChildren(this.#list, []);
    this.#showCount();
  }

  #showCount() {
    const shown = this.#entries.filter((entry) => !entry.node.hidden).length;
    const all = this.#entries.length;
    byId('log-count').textContent = shown === all ? `${all} of at most ${MAX_ENTRIES}` : `${shown} of ${all} shown`;
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
