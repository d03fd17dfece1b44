/**
 * Carries out the user's actions over REST. Each method resolves when the action is done, or rejects with
 * MessengerError.
 */

import type { RestClient } from '../connection/restClient.ts';
import { type MentionFields, wellFormedText } from '../contract/mentions.ts';
import type {
  ConversationRow,
  ConversationType,
  Message,
  MessageVersion,
  Participant,
  Position,
  Role,
  Settings,
  UserId,
} from '../contract/wire.ts';
import { NEW_ROW_DEFAULTS } from './room.ts';
import type { Store } from './store.ts';

export interface NewConversation {
  type: ConversationType;
  /** Direct conversations have no title. */
  title?: string;
  participant_ids: UserId[];
}

type CreatedConversation = Omit<ConversationRow, keyof typeof NEW_ROW_DEFAULTS> & {
  participants: Participant[];
};

export class Actions {
  #rest: RestClient;
  #store: Store;

  constructor(rest: RestClient, store: Store) {
    this.#rest = rest;
    this.#store = store;
  }

  /**
   * Returns the new conversation's id. If the two users already have a direct conversation, it returns the id
   * of that one.
   */
  async create(conversation: NewConversation): Promise<string> {
    const { participants, ...made } = await this.#rest.call<CreatedConversation>(
      'POST',
      '/conversations',
      conversation,
    );
    if (!this.#store.rooms.has(made.id)) {
      this.#store.add({ ...made, ...NEW_ROW_DEFAULTS }).participants.set(participants);
      // A direct conversation that the user had left has messages, which the answer does not contain.
      if (made.last_seq > 0) this.#store.fetchRequests.emit({ kind: 'list' });
    }
    return made.id;
  }

  async rename(id: string, title: string): Promise<void> {
    await this.#rest.call('PATCH', `/conversations/${id}`, { title });
  }

  /** Leaves a group. A direct conversation is only hidden until its next message. */
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
    const { muted, notify } = settings;
    this.#store.rooms.get(id)?.updateRow({ muted, notify });
    return settings;
  }

  /** Marks this message and all later ones as unread, for this user only, until they read again. */
  async markUnread(message: Message): Promise<void> {
    const path = `/conversations/${message.conversation_id}/read`;
    const position = await this.#rest.call<Position>('PUT', path, { mark_unread_from: message.seq });
    const room = this.#store.rooms.get(message.conversation_id);
    if (room && position.read_seq >= room.row.get().read_seq)
      room.updateRow({ ...position, marked_unread_from: message.seq });
  }

  /**
   * Sends the version that the user saw, so that nobody else's edit is overwritten. The mentions replace those of the
   * message, so without any the message mentions nobody.
   */
  async edit(message: Message, content: string, mentioned: MentionFields = {}): Promise<void> {
    const body = { ...wellFormedText({ ...mentioned, content }), expected_version: message.version };
    const edited = await this.#rest.call<Message>('PUT', `/messages/${message.id}`, body);
    this.#store.rooms.get(edited.conversation_id)?.addMessages([edited]);
  }

  /** The deleted message arrives as an event, as it does for everyone else. */
  async remove(message: Message): Promise<void> {
    await this.#rest.call('DELETE', `/messages/${message.id}`);
  }

  versions(message: Message): Promise<MessageVersion[]> {
    return this.#rest.all(`/messages/${message.id}/history`);
  }
}
