/** Owns the list of my conversations: one button each, with what is unread and what was said last. */

import { arrange, byId, node } from './dom.js';

function preview({ last_message: last }) {
  if (!last) return 'nothing said yet';
  return `${last.sender_id}: ${last.deleted_at ? 'deleted' : last.content}`;
}

function subscribedMark() {
  return node('span', { class: 'dot', title: 'subscribed' }, node('span', { class: 'sr' }, 'subscribed'));
}

function render(conversation, isOpen) {
  const { info } = conversation;
  const facts = [info.type, conversation.id.slice(0, 8), `seq ${info.last_seq ?? 0}`];
  const head = node(
    'span',
    { class: 'chat-head' },
    node('span', { class: 'chat-title' }, conversation.title),
    conversation.subscribed ? subscribedMark() : null,
    info.unread ? node('span', { class: 'badge', title: 'unread' }, String(info.unread)) : null,
  );
  const foot = node('span', { class: 'chat-foot mono' }, facts.filter(Boolean).join(' · '));
  const attributes = { type: 'button', class: 'chat', 'data-id': conversation.id, 'aria-current': isOpen && 'true' };
  return node('button', attributes, head, node('span', { class: 'chat-last' }, preview(info)), foot);
}

export class ConversationList {
  #list = byId('conversations');
  #rows = new Map(); // id → {item, stamp}: a row is only made again when it looks different

  constructor(onOpen) {
    this.#list.addEventListener('click', (event) => {
      const id = event.target.closest('[data-id]')?.dataset.id;
      if (id) onOpen(id);
    });
  }

  render(store, openId) {
    const rows = store.listed();
    const items = rows.map((conversation) => this.#item(conversation, conversation.id === openId));
    const shown = new Set(rows.map(({ id }) => id));
    for (const id of this.#rows.keys()) if (!shown.has(id)) this.#rows.delete(id);
    arrange(this.#list, items.length ? items : [node('li', { class: 'empty' }, 'None yet.')]);
    byId('more-conversations').hidden = !store.nextCursor;
    const unread = rows.reduce((sum, { info }) => sum + (info.unread ?? 0), 0);
    byId('unread-total').hidden = unread === 0;
    byId('unread-total').textContent = String(unread);
  }

  #item(conversation, isOpen) {
    const { info, subscribed } = conversation;
    const last = info.last_message;
    const stamp = [isOpen, subscribed, info.unread, info.last_seq, info.title, last?.id, last?.pos].join(' ');
    const known = this.#rows.get(conversation.id);
    if (known?.stamp === stamp) return known.item;
    const item = known?.item ?? node('li');
    const hadFocus = item.contains(document.activeElement);
    arrange(item, [render(conversation, isOpen)]);
    if (hadFocus) item.firstElementChild.focus();
    this.#rows.set(conversation.id, { item, stamp });
    return item;
  }
}

/** The two kinds of list `1, 2 3` that people type. */
export function idsIn(text) {
  return text.split(/[\s,;]+/).filter(Boolean).map(Number);
}
