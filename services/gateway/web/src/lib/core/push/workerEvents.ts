/**
 * What a service worker does with a push, with a click on a notification, and with a subscription that the browser has
 * ended. The worker itself is behind a port.
 */

import { type MessagePush, parsePush, type ReadPush, type TestPush } from './payload.ts';

/** What a notification keeps, so that a later push or click knows what it is about. */
export interface NotificationData {
  conversation_id: string;
  seq: number;
}

export interface NotificationContent {
  title: string;
  body: string;
}

export interface NotificationRequest extends NotificationContent {
  /** A notification replaces the one with the same tag. */
  tag: string;
  data: NotificationData | null;
  /** Whether the user is alerted although it replaces another. */
  renotify: boolean;
  silent: boolean;
}

export interface ShownNotification extends NotificationContent {
  data: NotificationData | null;
  close(): void;
}

export interface ClientWindow {
  isFocused: boolean;
  isVisible: boolean;
  focus(): Promise<void>;
  tell(message: WorkerMessage): void;
  /** Lets the page open a conversation. False if it does not answer soon, because it is just starting. */
  opens(conversationId: string): Promise<boolean>;
  /** Asks the page whether it shows a conversation. False if it does not answer soon. */
  shows(conversationId: string): Promise<boolean>;
}

/**
 * What the worker tells the pages: to open a conversation, or to store the browser's new subscription. A page answers
 * `messenger.open` with true and `messenger.shows` with true or false, at the port that comes with it.
 */
export type WorkerMessage =
  | { type: 'messenger.open'; conversation_id: string }
  | { type: 'messenger.shows'; conversation_id: string }
  | { type: 'messenger.subscription' };

export interface WorkerPort {
  show(request: NotificationRequest): Promise<void>;
  shown(tag: string): Promise<ShownNotification[]>;
  windows(): Promise<ClientWindow[]>;
  /** Null opens the list of conversations. */
  openWindow(conversationId: string | null): Promise<void>;
  setBadge(count: number): Promise<void>;
  describe(push: MessagePush | TestPush): Promise<NotificationContent>;
}

/** A page starts for some seconds, and each try takes as long as `opens` waits. */
const OPEN_TRIES = 20;
const TEST_TAG = 'messenger test';

/** `text` is the decrypted push. What this version does not know is ignored. */
export async function receivePush(port: WorkerPort, text: string | undefined): Promise<void> {
  const push = parsePush(text);
  if (!push) return;
  const badge = port.setBadge(push.badge);
  if (push.type === 'message') await notify(port, push);
  else if (push.type === 'read') await dismiss(port, push);
  else await showTest(port, push);
  await badge;
}

/** Shows the conversation where the user has a window already. Otherwise it opens one. */
export async function openConversation(port: WorkerPort, data: NotificationData | null): Promise<void> {
  const id = data?.conversation_id ?? null;
  const windows = await port.windows();
  const best =
    windows.find((window) => window.isFocused) ?? windows.find((window) => window.isVisible) ?? windows[0];
  if (!best) return port.openWindow(id);
  // A window that the browser does not let come forward shows the conversation all the same.
  await best.focus().catch(() => undefined);
  for (let tries = 0; id !== null && tries < OPEN_TRIES; tries++) if (await best.opens(id)) return;
}

/** The worker has no token. The pages store the new subscription, now or when the next one starts. */
export async function tellOfSubscription(port: WorkerPort): Promise<void> {
  for (const window of await port.windows()) window.tell({ type: 'messenger.subscription' });
}

/**
 * Shows nothing where the user sees the conversation: browsers want a notification for each push only while no window
 * of the site is visible. Elsewhere in the client they get it without a sound.
 */
async function notify(port: WorkerPort, push: MessagePush): Promise<void> {
  const { conversation_id, seq } = push;
  const [windows, shown] = await Promise.all([port.windows(), port.shown(conversation_id)]);
  const focused = windows.filter((window) => window.isFocused);
  if ((await Promise.all(focused.map((window) => window.shows(conversation_id)))).includes(true)) return;
  // A page has shown this message already, or a newer push has overtaken this one.
  if (shown.some(({ data }) => data !== null && data.seq >= seq)) return;
  const isThere = focused.length > 0;
  await port.show({
    ...(await port.describe(push)),
    tag: conversation_id,
    data: { conversation_id, seq },
    renotify: !isThere,
    silent: isThere,
  });
}

async function dismiss(port: WorkerPort, { conversation_id, seq }: ReadPush): Promise<void> {
  const shown = await port.shown(conversation_id);
  const read = shown.filter(({ data }) => data !== null && data.seq <= seq);
  const [first] = read;
  if (first && !(await port.windows()).some((window) => window.isVisible)) await showAgain(port, first);
  for (const each of await port.shown(conversation_id)) if ((each.data?.seq ?? 0) <= seq) each.close();
}

/**
 * Safari ends a subscription after a few pushes that show nothing. So the notification replaces itself, which nobody
 * sees or hears, before it closes.
 */
async function showAgain(port: WorkerPort, { title, body, data }: ShownNotification): Promise<void> {
  if (data) await port.show({ title, body, data, tag: data.conversation_id, renotify: false, silent: true });
}

async function showTest(port: WorkerPort, push: TestPush): Promise<void> {
  const request = { tag: TEST_TAG, data: null, renotify: true, silent: false };
  await port.show({ ...(await port.describe(push)), ...request });
}
