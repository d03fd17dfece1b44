/** Names after an interruption, in which changes of profiles are missed. */

import { expect, test } from 'vitest';
import { advance, setUpMessenger } from './setup.ts';

const setup = setUpMessenger();

test('when the connection is back, the users on the screen are asked for again', async () => {
  const { gateway, session } = setup;
  const requests = () => gateway.calls.filter((call) => call.startsWith('GET /users'));
  session()
    .people.name(2)
    .subscribe(() => {});
  await advance(50);
  expect(requests()).toEqual(['GET /users?ids=2']);
  gateway.last.end(1006);
  await advance(5_000);
  expect(setup.messenger.state.get().phase).toBe('online');
  expect(requests()).toEqual(['GET /users?ids=2', 'GET /users?ids=2']);
});
