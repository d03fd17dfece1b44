import { beforeEach, expect, test } from 'vitest';
import { MessengerError, offlineError } from '../src/lib/core/contract/failure.ts';
import type { PushBrowser, SavedSubscription } from '../src/lib/core/push/pushBrowser.ts';
import { PushDevice } from '../src/lib/core/push/pushDevice.ts';
import type { PushRequests, StoredSubscription } from '../src/lib/core/push/pushRequests.ts';

const ME = 1;
const bytes = (text: string) => Uint8Array.from(text, (letter) => letter.charCodeAt(0)).buffer;
const keyText = (text: string) => btoa(text).replace(/=+$/, '');

/** One browser with its push service, and a gateway with one key at a time. */
class World implements PushBrowser {
  problem: ReturnType<PushBrowser['obstacle']> = null;
  answer: NotificationPermission = 'granted';
  given: NotificationPermission = 'default';
  asked = 0;
  kept: SavedSubscription | null = null;
  key = keyText('first');
  /** The gateway's devices: whose each endpoint is. */
  devices = new Map<string, StoredSubscription>();
  puts = 0;
  failure: Error | null = null;
  pushServiceFails = false;
  endingFails = false;
  subscription: { endpoint: string; options: { applicationServerKey: ArrayBuffer } } | null = null;
  #made = 0;

  obstacle = () => this.problem;
  permission = () => this.given;
  ask = async () => {
    this.asked += 1;
    this.given = this.answer;
    return this.given;
  };
  saved = () => this.kept;
  save = (saved: SavedSubscription | null) => {
    this.kept = saved;
  };
  pushManager = async () =>
    ({
      getSubscription: async () => this.subscription,
      subscribe: async ({ applicationServerKey }: { applicationServerKey: string }) => {
        if (this.pushServiceFails) throw new DOMException('push service error', 'AbortError');
        this.#made += 1;
        const endpoint = `https://push.test/${this.#made}`;
        this.subscription = Object.assign(
          { endpoint, options: { applicationServerKey: bytes(atob(applicationServerKey)) } },
          {
            toJSON: () => ({ endpoint, keys: { p256dh: 'p', auth: 'a' } }),
            unsubscribe: async () => {
              if (this.endingFails) throw new DOMException('not now', 'AbortError');
              this.subscription = null;
              return true;
            },
          },
        );
        return this.subscription;
      },
    }) as unknown as PushManager;

  requests = {
    key: async () => this.#orFail(this.key),
    subscribe: async (stored: StoredSubscription) => {
      this.#orFail(null);
      if (stored.application_server_key !== this.key)
        throw new MessengerError({
          code: 'invalid_frame',
          message: '',
          retryable: false,
          details: { application_server_key: ['unknown'] },
        });
      this.puts += 1;
      this.devices.set(stored.endpoint, stored);
    },
    unsubscribe: async (endpoint: string) => {
      this.#orFail(null);
      this.devices.delete(endpoint);
    },
  } as unknown as PushRequests;

  #orFail<T>(value: T): T {
    if (this.failure) throw this.failure;
    return value;
  }

  page = (me = ME) => new PushDevice(this.requests, me, this);
}

let world: World;
const status = (device: PushDevice) => device.state.get().status;
const endpoints = () => [...world.devices.keys()];

beforeEach(() => {
  world = new World();
});

test('nobody is asked before they press, and then once', async () => {
  const device = world.page();
  await device.check();
  expect([status(device), world.asked, endpoints()]).toEqual(['off', 0, []]);
  const turning = device.turnOn();
  expect([status(device), world.asked]).toEqual(['asking', 1]);
  await turning;
  expect([status(device), endpoints()]).toEqual(['on', ['https://push.test/1']]);
  await device.check();
  expect([world.asked, world.puts]).toEqual([1, 1]);
});

test('each start tells the gateway again, also without a connection in between', async () => {
  await world.page().turnOn();
  const next = world.page();
  world.failure = offlineError();
  await next.check();
  expect(status(next)).toBe('on');
  world.failure = null;
  await next.check();
  expect([world.puts, endpoints()]).toEqual([2, ['https://push.test/1']]);
});

test.each([
  ['the key was rotated', () => (world.key = keyText('second'))],
  ['the browser has dropped the subscription', () => (world.subscription = null)],
])('when %s it subscribes anew, and the old device goes', async (_, change) => {
  await world.page().turnOn();
  change();
  const next = world.page();
  await next.check();
  expect([status(next), endpoints()]).toEqual(['on', ['https://push.test/2']]);
  expect(world.asked).toBe(1);
});

test('a subscription that the browser changes under the page is stored', async () => {
  const device = world.page();
  await device.turnOn();
  world.subscription = null;
  await device.check();
  expect(world.puts).toBe(1);
  await device.check(true);
  expect(endpoints()).toEqual(['https://push.test/2']);
});

test('a key that is rotated at this very moment is asked for again', async () => {
  const { key } = world.requests;
  world.requests.key = async () => {
    const old = await key();
    world.requests.key = key;
    world.key = keyText('second');
    return old;
  };
  const device = world.page();
  await device.turnOn();
  expect([status(device), world.puts]).toEqual(['on', 1]);
});

test('turning off ends it here and at the gateway, and without a connection here', async () => {
  const device = world.page();
  await device.turnOn();
  await device.turnOff();
  expect([status(device), endpoints(), world.subscription, world.kept]).toEqual(['off', [], null, null]);
  await device.turnOn();
  world.failure = offlineError();
  await device.turnOff();
  expect([status(device), world.subscription, world.kept]).toEqual(['off', null, null]);
});

test('another user in this browser gets no pushes of the last one', async () => {
  await world.page().turnOn();
  const other = world.page(2);
  await other.check();
  expect([status(other), world.subscription, world.kept]).toEqual(['off', null, null]);
});

test('a subscription that the browser did not end is ended by the next start, whoever it is', async () => {
  const device = world.page();
  await device.turnOn();
  world.endingFails = true;
  await device.turnOff();
  expect([status(device), endpoints(), world.subscription]).toEqual(['off', [], expect.anything()]);
  await world.page().check();
  expect(world.subscription).not.toBeNull();
  world.endingFails = false;
  const next = world.page(2);
  await next.check();
  expect([status(next), world.subscription, world.kept]).toEqual(['off', null, null]);
});

test.each([
  ['denied', 'denied'],
  ['default', 'off'],
] as const)('a user who answers %s is told %s', async (answer, told) => {
  world.answer = answer;
  const device = world.page();
  await device.turnOn();
  expect([status(device), endpoints()]).toEqual([told, []]);
});

test('permission that is taken back in the browser ends it', async () => {
  const device = world.page();
  await device.turnOn();
  world.given = 'denied';
  await device.check();
  expect([status(device), endpoints(), world.kept]).toEqual(['denied', [], null]);
});

test('a push service that fails leaves it off, and says so', async () => {
  world.pushServiceFails = true;
  const device = world.page();
  await expect(device.turnOn()).rejects.toMatchObject({ code: 'push_failed' });
  expect([status(device), endpoints()]).toEqual(['off', []]);
  world.pushServiceFails = false;
  await device.turnOn();
  expect(status(device)).toBe('on');
});

test('where it cannot work nobody is asked', async () => {
  world.problem = 'install';
  const device = world.page();
  await device.turnOn();
  expect(device.state.get()).toEqual({ status: 'unsupported', obstacle: 'install' });
  expect(world.asked).toBe(0);
});
