/** Draws the open conversation's messages, and knows which one is selected. */

import { byId, formatDateTime, node, setChildren, setHue, stickToEnd } from './dom.js';
import { stripBidiControls } from './text.js';

function metaText(message, readers) {
  const parts = [`seq ${message.seq}`, `pos ${message.pos}`, formatDateTime(new Date(message.created_at))];
  if (message.version > 1) parts.push(`edited, v${message.version}`);
  if (message.deleted_at) parts.push('deleted');
  if (message.message_type !== 'text') parts.push(message.message_type);
  if (readers.length) parts.push(`read by ${readers.join(', ')}`);
  return parts.filter(Boolean).join(' · ');
}

function body(message) {
  if (message.deleted_at) return node('p', { class: 'placeholder' }, 'This message was deleted');
  return node('p', { class: 'message-text', dir: 'auto' }, message.content ?? '');
}

/** Shown as text, not as a link: a URL of any scheme is harmless. Without bidi controls a name shows its true end. */
function file({ file_url: url, file_name: name }) {
  if (!url) return null;
  const isolated = (text) => node('bdi', { dir: 'ltr' }, stripBidiControls(text));
  return node('p', { class: 'file mono' }, isolated(name ?? 'file'), ': ', isolated(url));
}

function quote(message, original) {
  if (!message.reply_to) return null;
  if (!original) return node('p', { class: 'quote' }, message.reply_to);
  return node('p', { class: 'quote' }, `${original.sender_id}: `, node('bdi', {}, original.content ?? 'deleted'));
}

function sender(userId) {
  return setHue(node('span', { class: 'sender', title: `sender_id ${userId}` }, String(userId)), userId);
}

export class MessageList {
  selectedId = null;
  #list = byId('messages');
  #box = byId('message-scroll');
  #scrollToEnd = stickToEnd(byId('message-scroll'), byId('messages'));
  #rows = new Map(); // id → {item, fingerprint}
  #shown = null; // the conversation on the screen
  #onSelect;

  constructor(onSelect) {
    this.#onSelect = onSelect;
    this.#list.addEventListener('click', (event) => {
      const id = event.target.closest('[role=option]')?.dataset.id;
      if (id) this.select(id === this.selectedId ? null : id);
    });
    this.#list.addEventListener('keydown', (event) => this.#handleKey(event));
  }

  select(id) {
    this.selectedId = id;
    for (const item of this.#list.children) this.#markSelected(item);
    this.#onSelect();
  }

  render(store, conversation) {
    if (conversation !== this.#shown) this.#switch(conversation);
    const messages = conversation?.ordered() ?? [];
    const items = messages.map((message) => this.#item(store, conversation, message));
    setChildren(this.#list, items);
    byId('older').hidden = !conversation?.hasOlder;
    this.#list.hidden = items.length === 0;
  }

  /** Runs `change`, which adds older messages above, without moving the messages in view. */
  keepScrollPosition(change) {
    const fromEnd = this.#box.scrollHeight - this.#box.scrollTop;
    change();
    this.#box.scrollTop = this.#box.scrollHeight - fromEnd;
  }

  #switch(conversation) {
    this.#shown = conversation;
    this.#rows.clear();
    setChildren(this.#list, []);
    this.#scrollToEnd();
    if (this.selectedId) this.select(null);
  }

  #item(store, conversation, message) {
    const readers = [...conversation.readPositions]
      .filter(([user, seq]) => seq === message.seq && user !== store.me)
      .map(([user]) => user);
    const original = message.reply_to && conversation.messages.get(message.reply_to);
    const fingerprint = [message.pos, readers, original?.pos].join(' ');
    const known = this.#rows.get(message.id);
    if (known?.fingerprint === fingerprint) return known.item;
    const item = known?.item ?? this.#row(store, message);
    const bubble = node(
      'div',
      { class: 'bubble' },
      quote(message, original),
      body(message),
      file(message),
      node('p', { class: 'meta mono', title: `${message.id}\n${message.created_at}` }, metaText(message, readers)),
    );
    setChildren(item, [sender(message.sender_id), bubble]);
    this.#rows.set(message.id, { item, fingerprint });
    return item;
  }

  #row(store, { id, sender_id: senderId }) {
    const item = node('li', { role: 'option', id: `m-${id}`, 'data-id': id, 'data-testid': 'message' });
    item.classList.toggle('mine', senderId === store.me);
    this.#markSelected(item);
    return item;
  }

  #markSelected(item) {
    const isSelected = item.dataset.id === this.selectedId;
    item.setAttribute('aria-selected', String(isSelected));
    if (isSelected) this.#list.setAttribute('aria-activedescendant', item.id);
    if (!this.selectedId) this.#list.removeAttribute('aria-activedescendant');
  }

  #handleKey(event) {
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
