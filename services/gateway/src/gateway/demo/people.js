/** Draws the participants of the open conversation: role, presence, and who is typing. */

import { byId, formatDateTime, node, setChildren, setHue } from './dom.js';

function describe(user, role, presence, me) {
  const words = [role, presence?.status ?? 'presence unknown'];
  const seen = presence?.status === 'online' ? null : presence?.last_seen_at;
  if (seen) words.push(`seen ${formatDateTime(new Date(seen))}`);
  if (user === me) words.unshift('you');
  return words.filter(Boolean).join(', ');
}

function participantChip(user, role, presence, me) {
  const status = presence?.status ?? 'unknown';
  const item = node(
    'li',
    { 'data-status': status, 'data-testid': `person-${user}` },
    node('span', { class: 'dot' }),
    node('b', {}, String(user)),
    node('span', { class: 'quiet' }, describe(user, role, presence, me)),
  );
  return setHue(item, user);
}

/** The participants that the server named; without them, the senders and typists so far. */
function knownUsers(conversation) {
  const senders = [...conversation.messages.values()].map((message) => message.sender_id);
  const { participants, typists } = conversation;
  const users = participants.size ? participants.keys() : [...senders, ...typists.keys()];
  return [...new Set(users)].sort((a, b) => a - b);
}

export class People {
  #timer = null;

  render(store, conversation) {
    const users = conversation ? knownUsers(conversation) : [];
    const { participants } = conversation ?? {};
    const chipOf = (user) => participantChip(user, participants.get(user), store.presence.get(user), store.me);
    const chips = users.map(chipOf);
    setChildren(byId('people'), chips);
    byId('people').hidden = chips.length === 0;
    this.#typing(store, conversation);
  }

  /** Draws again when the next typist expires, since no frame says that a silent typist has stopped. */
  #typing(store, conversation) {
    clearTimeout(this.#timer);
    const { users, next } = conversation ? store.typing(conversation, performance.now()) : { users: [], next: null };
    const text = users.length ? `${users.join(', ')} ${users.length > 1 ? 'are' : 'is'} typing…` : '';
    if (byId('typing').textContent !== text) byId('typing').textContent = text;
    if (next) this.#timer = setTimeout(() => this.#typing(store, conversation), next - performance.now() + 20);
  }
}
