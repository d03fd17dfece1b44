import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { Uploads } from '../src/lib/core/files/uploads.ts';
import type { Upload } from '../src/lib/core/index.ts';
import { FakeFiles } from './fakeFiles.ts';
import type { Json } from './fakeSocket.ts';
import { advance, setUpMessenger } from './setup.ts';

const setup = setUpMessenger();
let server: FakeFiles;
let sent: Json[];

const room = () => setup.gateway.conversation;
const uploads = () => setup.session().files.uploads.get() as Uploads;
const entries = () => setup.session().outbox.entries.get();
const file = (text: string, name = 'a.txt', type = 'text/plain') => new File([text], name, { type });
const until = (check: () => void) => vi.waitFor(check, { timeout: 30_000 });

function add(...files: File[]): string[] {
  uploads().add(room(), files);
  return uploads()
    .ofDraft(room())
    .map((upload: Upload) => upload.id);
}

const send = (content: string, ids: string[] = []) => setup.session().send(room(), { content, uploads: ids });
const contents = () => sent.map((frame) => frame.content);

beforeEach(async () => {
  await setup.session().files.load();
  server = new FakeFiles();
  server.install();
  sent = [];
  setup.gateway.isIgnored = (frame) => {
    if (frame.type === 'message.send') sent.push(frame);
    return false;
  };
});

describe('a message with files', () => {
  test('is visible at once, and sent when its uploads are complete', async () => {
    const open = server.hold();
    const ids = add(file('one', 'one.png', 'image/png'), file('two', 'two.png', 'image/png'));
    send('two pictures', ids);
    expect(uploads().ofDraft(room())).toEqual([]);
    const shown = setup.session().timeline(room())?.messages.get().at(-1);
    expect(shown).toMatchObject({ status: 'sending', message_type: 'image', content: 'two pictures' });
    expect(shown?.attachments?.map(({ name, kind }) => [name, kind])).toEqual([
      ['one.png', 'image'],
      ['two.png', 'image'],
    ]);
    await advance(1_000);
    expect(sent).toEqual([]);
    open();
    await until(() => expect(sent).toHaveLength(1));
    expect(sent[0]).toMatchObject({ content: 'two pictures', attachments: ['file-1', 'file-2'] });
    expect(sent[0]).not.toHaveProperty('uploads');
    await until(() => expect(entries()).toEqual([]));
    expect(uploads().all.get()).toEqual([]);
  });

  test('holds up no message without', async () => {
    const open = server.hold();
    send('slow', add(file('x')));
    send('quick');
    await until(() => expect(contents()).toEqual(['quick']));
    open();
    await until(() => expect(contents()).toEqual(['quick', 'slow']));
  });

  test('fails with its file, and is sent again with it', async () => {
    server.refusalOf = () => 'quota_exceeded';
    send('refused', add(file('x')));
    await until(() => expect(entries()[0]?.failure?.code).toBe('quota_exceeded'));
    server.refusalOf = () => null;
    setup.session().outbox.retry(entries()[0]?.client_message_id ?? '');
    await until(() => expect(contents()).toEqual(['refused']));
  });

  test('ends its uploads when it is discarded', async () => {
    const open = server.hold();
    send('not wanted', add(file('x')));
    setup.session().outbox.remove(entries()[0]?.client_message_id ?? '');
    expect(uploads().all.get()).toEqual([]);
    open();
    await advance(1_000);
    expect(sent).toEqual([]);
    expect(server.calls).not.toContain('POST /files/file-1/complete');
  });

  test('waits for the connection like any other', async () => {
    const ids = add(file('x'));
    await until(() => expect(uploads().all.get()[0]?.phase).toBe('ready'));
    setup.gateway.isUp = false;
    setup.gateway.last.end(1006);
    send('later', ids);
    await advance(5_000);
    expect(sent).toEqual([]);
    setup.gateway.isUp = true;
    await until(() => expect(sent[0]).toMatchObject({ content: 'later', attachments: ['file-1'] }));
  });
});

describe('the state of files', () => {
  const picture = { file_id: 'f', name: 'a.png', size: 9, mime: 'image/png', kind: 'image' as const };
  const states = () =>
    setup
      .session()
      .room(room())
      ?.history.get()
      .messages.map((message) => message.attachments?.[0]?.state);

  function publish(id: string, state: string, pos = setup.gateway.nextPos()): void {
    const attachments = [{ ...picture, state, width: 640, height: 480 }];
    const frame = { type: 'message.files', conversation_id: room(), message_id: id, pos, attachments };
    setup.gateway.publish(frame);
  }

  test('changes by an event, and never back', async () => {
    const stored = setup.gateway.storeMessage('a picture', 2);
    stored.attachments = [{ ...picture, state: 'pending' }];
    void setup.session().open(room());
    await advance(50);
    expect(states()).toEqual(['pending']);
    publish(stored.id, 'ready');
    await advance(50);
    expect(states()).toEqual(['ready']);
    expect(setup.session().room(room())?.row.get().last_message?.attachments?.[0]).toMatchObject({
      width: 640,
    });
    setup.gateway.storeMessage('next', 2);
    await advance(50);
    expect(states()).toEqual(['ready', undefined]);
  });

  test('is not taken from a page that was requested before', async () => {
    const stored = setup.gateway.storeMessage('a picture', 2);
    stored.attachments = [{ ...picture, state: 'pending' }];
    await advance(50);
    const opening = setup.session().open(room());
    publish(stored.id, 'rejected');
    await advance(50);
    await opening;
    expect(states()).toEqual(['rejected']);
  });
});
