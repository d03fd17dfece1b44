/** Draws the user's conversations: a button for each, with its unread count and last message. */

import { byId, node, setChildren } from './dom.js';
import { stripBidiControls, truncate } from './text.js';

const PREVIEW_CHARS = 120;

function preview({ last_message: last }) {
  if (!last) return ['nothing said yet'];
  const text = last.deleted_at ? 'deleted' : last.content ?? stripBidiControls(last.file_name ?? 'file');
  return [`${last.sender_id}: `, node('bdi', {}, truncate(text, PREVIEW_CHARS))];
}

function subscribedDot() {
  return node('span', { class: 'dot', title: 'subscribed' }, node('span', { class: 'sr' }, 'subscribed'));
}

function render(conversation, isOpen) {
  const { info } = conversation;
  const facts = [info.type, conversation.id.slice(0, 8), `seq ${info.last_seq ?? 0}`];
  const head = node(
    'span',
    { class: 'chat-head' },
    node('span', { class: 'chat-title', dir: 'auto' }, conversation.title),
    conversation.isSubscribed ? subscribedDot() : null,
    info.unread ? node('span', { class: 'badge', title: 'unread' }, String(info.unread)) : null,
  );
  const foot = node('span', { class: 'chat-foot mono' }, facts.filter(Boolean).join(' · '));
  const attributes = { type: 'button', class: 'chat', 'data-id': conversation.id, 'aria-current': isOpen && 'true' };
  return node('button', attributes, head, node('span', { class: 'chat-last' }, ...preview(info)), foot);
}

export class ConversationList {
  #list = byId('conversations');
  #rows = new Map(); // id → {item, fingerprint}: a row is only drawn again when its fingerprint changes

  constructor(onOpen) {
    this.#list.addEventListener('click', (event) => {
      const id = event.target.closest('[data-id]')?.dataset.id;
      if (id) onOpen(id);
    });
  }

  render(store, openId) {
    const rows = store.sortedConversations();
    const items = rows.map((conversation) => this.#item(conversation, conversation.id === openId));
    const shown = new Set(rows.map(({ id }) => id));
    for (const id of this.#rows.keys()) if (!shown.has(id)) this.#rows.delete(id);
    setChildren(this.#list, items.length ? items : [node('li', { class: 'empty' }, 'None yet.')]);
    byId('more-conversations').hidden = !store.nextCursor;
    const unread = rows.reduce((sum, { info }) => sum + (info.unread ?? 0), 0);
    byId('unread-total').hidden = unread === 0;
    byId('unread-total').textContent = String(unread);
  }

  #item(conversation, isOpen) {
    const { info, isSubscribed } = conversation;
    const last = info.last_message;
    const fingerprint = [isOpen, isSubscribed, info.unread, info.last_seq, info.title, last?.id, last?.pos].join(' ');
    const known = this.#rows.get(conversation.id);
    if (known?.fingerprint === fingerprint) return known.item;
    const item = known?.item ?? node('li');
    const hadFocus = item.contains(document.activeElement);
    setChildren(item, [render(conversation, isOpen)]);
    if (hadFocus) item.firstElementChild.focus();
    this.#rows.set(conversation.id, { item, fingerprint });
    return item;
  }
}

/** The ids in a typed list, separated by commas, semicolons or spaces: `1, 2 3`. */
export function parseIds(text) {
  return text.split(/[\s,;]+/).filter(Boolean).map(Number);
}
