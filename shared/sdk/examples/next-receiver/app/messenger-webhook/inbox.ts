/**
 * Keeps the newest state of all messages. The maps stand for tables: in a database, the id of an event and what the
 * event changes are written in one transaction, so that a crash neither loses an event nor takes one twice.
 */

export interface Message {
  id: string;
  conversation_id: string;
  pos: number;
  sender_id: number;
  content: string | null;
}

export interface Event {
  type: string;
  timestamp: string;
  data: { conversation_id: string; pos: number; data?: unknown };
}

export const messages = new Map<string, Message>();
/** The `webhook-id` of each event that was taken. */
export const taken = new Set<string>();

const MESSAGES = ['message.new', 'message.edited', 'message.deleted'];

/** An event may come again, always with the same id. Then it changes nothing. */
export function take(id: string, { type, data }: Event): void {
  if (taken.has(id)) return;
  taken.add(id);
  if (!MESSAGES.includes(type)) return;
  const message = data.data as Message;
  messages.set(message.id, message);
}
