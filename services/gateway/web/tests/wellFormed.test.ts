import { afterEach, describe, expect, test, vi } from 'vitest';
import { wellFormed, wellFormedJson } from '../src/lib/core/base/wellFormed.ts';
import { advance, setUpMessenger } from './setup.ts';

const ILL_FORMED = 'a\u0000b\ud83dc\udc4bd👋';
const REPAIRED = 'ab\ufffdc\ufffdd👋';

describe('text that the gateway refuses', () => {
  const { toWellFormed } = String.prototype as { toWellFormed?: () => string };

  afterEach(() => {
    Object.assign(String.prototype, { toWellFormed });
  });

  test.each([
    ['as the browser does it', toWellFormed],
    ['in a browser that does not know how', undefined],
  ])('is mended %s', (_, how) => {
    Object.assign(String.prototype, { toWellFormed: how });
    expect(wellFormed(ILL_FORMED)).toBe(REPAIRED);
    expect(wellFormed('\ud83d\ud83d\udc4b')).toBe('\ufffd👋');
    expect(wellFormed('\u0000')).toBe('');
    expect(wellFormed('가나다 e\u0301 👨‍👩‍👧')).toBe('가나다 e\u0301 👨‍👩‍👧');
  });

  test('is mended wherever it stands', () => {
    const text = wellFormedJson({
      title: ILL_FORMED,
      list: [{ name: ILL_FORMED }],
      number: 1,
      nothing: null,
    });
    expect(JSON.parse(text)).toEqual({
      title: REPAIRED,
      list: [{ name: REPAIRED }],
      number: 1,
      nothing: null,
    });
  });
});

describe('on its way', () => {
  const setup = setUpMessenger();
  const bodies: unknown[] = [];

  const listen = () => {
    bodies.length = 0;
    const { fetch } = globalThis;
    vi.stubGlobal('fetch', (url: string, init: RequestInit) => {
      if (init.body) bodies.push(JSON.parse(String(init.body)));
      return fetch(url, init);
    });
  };

  test('a message is sent mended, and shown as it was sent', async () => {
    void setup.session().open(setup.gateway.conversation);
    await advance(50);
    setup.session().send(setup.gateway.conversation, { content: ILL_FORMED, file_name: ILL_FORMED });
    expect(setup.texts()).toEqual([REPAIRED]);
    await advance(50);
    expect(setup.gateway.last.sent.at(-1)).toMatchObject({ content: REPAIRED, file_name: REPAIRED });
    expect(setup.statuses()).toEqual(['delivered']);
  });

  test('so are an edit, a title, and whatever else is said over REST', async () => {
    listen();
    const { actions } = setup.session();
    const id = setup.gateway.conversation;
    void actions.rename(id, ILL_FORMED);
    void actions.edit(setup.gateway.storeMessage('old'), ILL_FORMED);
    void actions.create({ type: 'group', title: ILL_FORMED, participant_ids: [2] });
    await advance(50);
    expect(bodies).toMatchObject([{ title: REPAIRED }, { content: REPAIRED }, { title: REPAIRED }]);
  });

  test('so is a command that somebody makes themselves', async () => {
    void setup.messenger.send({
      type: 'message.send',
      conversation_id: setup.gateway.conversation,
      content: ILL_FORMED,
      client_message_id: ILL_FORMED,
    });
    await advance(50);
    expect(setup.gateway.last.sent.at(-1)).toMatchObject({ content: REPAIRED, client_message_id: REPAIRED });
  });
});
