/** Owns the line of people in the open conversation: their role, who is online, and who is typing. */

import { arrange, byId, clock, node, tint } from './dom.js';

function describe(user, role, presence, me) {
  const words = [role, presence?.status ?? 'presence unknown'];
  const seen = presence?.status === 'online' ? null : presence?.last_seen_at;
  if (seen) words.push(`seen ${clock(new Date(seen))}`);
  if (user === me) words.unshift('you');
  return words.filter(Boolean).join(', ');
}

function chip(user, role, presence, me) {
  const status = presence?.status ?? 'unknown';
  const item = node(
    'li',
    { 'data-status': status, 'data-testid': `person-${user}` },
    node('span', { class: 'dot' }),
    node('b', {}, String(user)),
    node('span', { class: 'quiet' }, describe(user, role, presence, me)),
  );
  return tint(item, user);
}

/** Whoever the server named as a member, and whoever was heard of in it. */
function known(conversation) {
  const heard = [...conversation.messages.values()].map((message) => message.sender_id);
  const users = conversation.people.size ? conversation.people.keys() : [...heard, ...conversation.typists.keys()];
  return [...new Set(users)].sort((a, b) => a - b);
}

export class People {
  #timer = null;

  render(store, conversation) {
    const users = conversation ? known(conversation) : [];
    const chips = users.map((user) => chip(user, conversation.people.get(user), store.presence.get(user), store.me));
    arrange(byId('people'), chips);
    byId('people').hidden = chips.length === 0;
    this.#typing(store, conversation);
  }

  /** A typist who goes silent runs out by itself, so the line looks again at that moment. */
  #typing(store, conversation) {
    clearTimeout(this.#timer);
    const { users, next } = conversation ? store.typing(conversation, performance.now()) : { users: [], next: null };
    const text = users.length ? `${users.join(', ')} ${users.length > 1 ? 'are' : 'is'} typing…` : '';
    if (byId('typing').textContent !== text) byId('typing').textContent = text;
    if (next) this.#timer = setTimeout(() => this.#typing(store, conversation), next - performance.now() + 20);
  }
}
