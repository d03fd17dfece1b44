/** Owns the open conversation's messages on the screen, and which of them is selected. */

import { arrange, byId, clock, node, stickToEnd, tint } from './dom.js';

function meta(message, readers) {
  const parts = [`seq ${message.seq}`, `pos ${message.pos}`, clock(new Date(message.created_at))];
  if (message.version > 1) parts.push(`edited, v${message.version}`);
  if (message.deleted_at) parts.push('deleted');
  if (message.message_type !== 'text') parts.push(message.message_type);
  if (readers.length) parts.push(`read by ${readers.join(', ')}`);
  return parts.filter(Boolean).join(' · ');
}

function body(message) {
  if (message.deleted_at) return node('p', { class: 'gone' }, 'This message was deleted');
  return node('p', { class: 'said', dir: 'auto' }, message.content ?? '');
}

/** Shown as text and never as a link: whatever scheme it has, nothing happens on a click. */
function file({ file_url: url, file_name: name }) {
  return url ? node('p', { class: 'file mono' }, `${name ?? 'file'}: ${url}`) : null;
}

function quote(message, original) {
  if (!message.reply_to) return null;
  const said = original ? `${original.sender_id}: ${original.content ?? 'deleted'}` : message.reply_to;
  return node('p', { class: 'quote' }, said);
}

function sender(userId) {
  return tint(node('span', { class: 'sender', title: `sender_id ${userId}` }, String(userId)), userId);
}

export class MessageList {
  selectedId = null;
  #list = byId('messages');
  #box = byId('message-scroll');
  #toEnd = stickToEnd(byId('message-scroll'), byId('messages'));
  #rows = new Map(); // id → {item, stamp}
  #shown = null; // the conversation on the screen
  #onSelect;

  constructor(onSelect) {
    this.#onSelect = onSelect;
    this.#list.addEventListener('click', (event) => {
      const id = event.target.closest('[role=option]')?.dataset.id;
      if (id) this.select(id === this.selectedId ? null : id);
    });
    this.#list.addEventListener('keydown', (event) => this.#key(event));
  }

  select(id) {
    this.selectedId = id;
    for (const item of this.#list.children) this.#mark(item);
    this.#onSelect();
  }

  render(store, conversation) {
    if (conversation !== this.#shown) this.#switch(conversation);
    const messages = conversation?.ordered() ?? [];
    const items = messages.map((message) => this.#item(store, conversation, message));
    arrange(this.#list, items);
    byId('older').hidden = !conversation?.older;
    this.#list.hidden = items.length === 0;
  }

  /** Add older messages above without moving what is being read. */
  keepingPlace(change) {
    const fromEnd = this.#box.scrollHeight - this.#box.scrollTop;
    change();
    this.#box.scrollTop = this.#box.scrollHeight - fromEnd;
  }

  #switch(conversation) {
    this.#shown = conversation;
    this.#rows.clear();
    arrange(this.#list, []);
    this.#toEnd();
    if (this.selectedId) this.select(null);
  }

  #item(store, conversation, message) {
    const readers = [...conversation.reads]
      .filter(([user, seq]) => seq === message.seq && user !== store.me)
      .map(([user]) => user);
    const original = message.reply_to && conversation.messages.get(message.reply_to);
    const stamp = [message.pos, readers, original?.pos].join(' ');
    const known = this.#rows.get(message.id);
    if (known?.stamp === stamp) return known.item;
    const item = known?.item ?? this.#row(store, message);
    const bubble = node(
      'div',
      { class: 'bubble' },
      quote(message, original),
      body(message),
      file(message),
      node('p', { class: 'meta mono', title: `${message.id}\n${message.created_at}` }, meta(message, readers)),
    );
    arrange(item, [sender(message.sender_id), bubble]);
    this.#rows.set(message.id, { item, stamp });
    return item;
  }

  #row(store, { id, sender_id: senderId }) {
    const item = node('li', { role: 'option', id: `m-${id}`, 'data-id': id, 'data-testid': 'message' });
    item.classList.toggle('mine', senderId === store.me);
    this.#mark(item);
    return item;
  }

  #mark(item) {
    const isSelected = item.dataset.id === this.selectedId;
    item.setAttribute('aria-selected', String(isSelected));
    if (isSelected) this.#list.setAttribute('aria-activedescendant', item.id);
    if (!this.selectedId) this.#list.removeAttribute('aria-activedescendant');
  }

  #key(event) {
    const items = [...this.#list.children];
    const at = items.findIndex((item) => item.dataset.id === this.selectedId);
    const target = {
      ArrowDown: at < 0 ? items.length - 1 : Math.min(at + 1, items.length - 1),
      ArrowUp: at < 0 ? items.length - 1 : Math.max(at - 1, 0),
      Home: 0,
      End: items.length - 1,
      Escape: null,
    }[event.key];
    if (target === undefined) return;
    event.preventDefault();
    this.select(target === null ? null : items[target]?.dataset.id ?? null);
    items[target]?.scrollIntoView({ block: 'nearest' });
  }
}
