/** The core, for use without a framework. */

export type { NewConversation } from './actions.ts';
export type { Readable } from './cell.ts';
export { type Failure, MessengerError } from './failure.ts';
export type { History } from './history.ts';
export type { LinkState } from './link.ts';
export type { ListState } from './list.ts';
export { connect, Messenger, type MessengerOptions } from './messenger.ts';
export type { Draft, Entry } from './outbox.ts';
export type { Directory } from './people.ts';
export type { Session } from './session.ts';
export type { Incoming } from './store.ts';
export type { ChatMessage, MessageStatus } from './timeline.ts';
export type { GetToken } from './tokens.ts';
export type * from './wire.ts';
