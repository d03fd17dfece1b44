/** Owns what a user does over REST: each resolves when it is done, or rejects with MessengerError. */

import type { Rest } from './rest.ts';
import type { Store } from './store.ts';
import type {
  ConversationRow,
  ConversationType,
  Message,
  MessageVersion,
  Participant,
  Role,
  Settings,
  UserId,
} from './wire.ts';

export interface NewConversation {
  type: ConversationType;
  /** Not for a direct one, which has none. */
  title?: string;
  participant_ids: UserId[];
}

type Made = Omit<ConversationRow, 'last_message' | 'read_seq' | 'unread' | 'muted'> & {
  participants: Participant[];
};

export class Actions {
  #rest: Rest;
  #store: Store;

  constructor(rest: Rest, store: Store) {
    this.#rest = rest;
    this.#store = store;
  }

  /** Gives its id; of a direct one that the two have already, that one's. */
  async create(conversation: NewConversation): Promise<string> {
    const { participants, ...made } = await this.#rest.call<Made>('POST', '/conversations', conversation);
    if (!this.#store.rooms.has(made.id)) {
      const row = { ...made, last_message: null, read_seq: 0, unread: 0, muted: false };
      this.#store.add(row).participants.set(participants);
      // One that was put away has messages that the answer doesn't tell.
      if (made.last_seq > 0) this.#store.wishes.tell({ kind: 'list' });
    }
    return made.id;
  }

  async rename(id: string, title: string): Promise<void> {
    await this.#rest.call('PATCH', `/conversations/${id}`, { title });
  }

  /** Leaves a group; a direct one is only put away until its next message. */
  async leave(id: string): Promise<void> {
    await this.#rest.call('DELETE', `/conversations/${id}`);
    this.#store.remove(id);
  }

  async addParticipants(id: string, userIds: UserId[], role: Role = 'member'): Promise<void> {
    await this.#rest.call('POST', `/conversations/${id}/participants`, { user_ids: userIds, role });
  }

  async removeParticipant(id: string, userId: UserId): Promise<void> {
    await this.#rest.call('DELETE', `/conversations/${id}/participants/${userId}`);
  }

  async setRole(id: string, userId: UserId, role: Role): Promise<void> {
    await this.#rest.call('PATCH', `/conversations/${id}/participants/${userId}`, { role });
  }

  settings(id: string): Promise<Settings> {
    return this.#rest.get(`/conversations/${id}/settings`);
  }

  async setSettings(id: string, change: Partial<Settings>): Promise<Settings> {
    const settings = await this.#rest.call<Settings>('PUT', `/conversations/${id}/settings`, change);
    this.#store.rooms.get(id)?.amend({ muted: settings.muted });
    return settings;
  }

  /** With the version that was seen, so that nobody's other edit is overwritten. */
  async edit(message: Message, content: string): Promise<void> {
    const body = { content, expected_version: message.version };
    const edited = await this.#rest.call<Message>('PUT', `/messages/${message.id}`, body);
    this.#store.rooms.get(edited.conversation_id)?.lay([edited]);
  }

  /** What it looks like then is told to all alike, by the line. */
  async remove(message: Message): Promise<void> {
    await this.#rest.call('DELETE', `/messages/${message.id}`);
  }

  versions(message: Message): Promise<MessageVersion[]> {
    return this.#rest.all(`/messages/${message.id}/history`);
  }
}
