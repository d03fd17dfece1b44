/** What the library knows of users: their profiles, and where their names come from. */

import { expect, test, vi } from 'vitest';
import { combine, type Observable } from '../src/lib/core/base/observable.ts';
import type { RestClient } from '../src/lib/core/connection/restClient.ts';
import { MessengerError } from '../src/lib/core/contract/failure.ts';
import type { User } from '../src/lib/core/contract/wire.ts';
import type { Directory } from '../src/lib/core/conversations/names.ts';
import { People } from '../src/lib/core/conversations/people.ts';
import { Store } from '../src/lib/core/conversations/store.ts';

const user = (id: number, name: string | null, version = 1): User => ({
  id,
  name,
  avatar_url: null,
  version,
  deactivated: false,
});

function peopleWith(found: User[], directory: Directory | null = null) {
  const get = vi.fn(async () => ({ items: found, next_cursor: null }));
  return { get, people: new People({ get } as unknown as RestClient, new Store(1), directory) };
}

test('users that are asked for together are one request', async () => {
  const { get, people } = peopleWith([user(2, 'Ada'), user(3, 'Bo')]);
  const names = [people.name(2), people.name(3), people.name(2)];
  await vi.waitFor(() => expect(names.map((name) => name.get())).toEqual(['Ada', 'Bo', 'Ada']));
  expect(get.mock.calls).toEqual([['/users', { ids: '2,3' }]]);
});

test('a user that an answer named is not asked for', async () => {
  const { get, people } = peopleWith([]);
  people.learn([user(2, 'Ada')]);
  expect(people.name(2).get()).toBe('Ada');
  expect(people.user(2).get()).toEqual(user(2, 'Ada'));
  expect(get).not.toHaveBeenCalled();
});

test('a newer profile changes the name, and an older one does not', () => {
  const { people } = peopleWith([]);
  people.learn([user(2, 'Ada', 2)]);
  const name = people.name(2);
  people.learn([user(2, 'Old', 1)]);
  expect(name.get()).toBe('Ada');
  people.learn([user(2, 'Ada L.', 3)]);
  expect(name.get()).toBe('Ada L.');
});

test('a name that is invisible is none', () => {
  const { people } = peopleWith([]);
  people.learn([user(2, '\u200b')]);
  expect(people.name(2).get()).toBeNull();
});

test("the host page's name replaces the profile's, and where it has none the profile's stays", async () => {
  const { people } = peopleWith([user(2, 'Ada'), user(3, 'Bo')], () => ({ 2: 'Dr Lovelace' }));
  const names = [people.name(2), people.name(3)];
  await vi.waitFor(() => expect(names.map((name) => name.get())).toEqual(['Dr Lovelace', 'Bo']));
  people.learn([user(2, 'Ada L.', 2)]);
  expect(names[0]?.get()).toBe('Dr Lovelace');
});

test('a failed request is made again by itself', async () => {
  vi.spyOn(Math, 'random').mockReturnValue(0);
  const { get, people } = peopleWith([user(2, 'Ada')]);
  get.mockRejectedValueOnce(new Error('offline'));
  const name = people.name(2);
  await vi.waitFor(() => expect(name.get()).toBe('Ada'));
  expect(get).toHaveBeenCalledTimes(2);
});

const becomesFalse = (value: Observable<boolean>) => vi.waitFor(() => expect(value.get()).toBe(false));

test('a name loads until the gateway has answered, also if it does not know the user', async () => {
  const { people } = peopleWith([user(2, 'Ada'), user(3, null)]);
  const loading = [2, 3, 4].map((id) => people.isNameLoading(id));
  expect(loading.map((each) => each.get())).toEqual([true, true, true]);
  for (const each of loading) await becomesFalse(each);
  expect([2, 3, 4].map((id) => people.name(id).get())).toEqual(['Ada', null, null]);
});

test('a name still loads while no answer comes, and no longer after a refusal', async () => {
  vi.spyOn(Math, 'random').mockReturnValue(0);
  const { get, people } = peopleWith([]);
  const refusal = new MessengerError({ code: 'not_found', message: '', retryable: false });
  get.mockRejectedValueOnce(new Error('offline')).mockRejectedValueOnce(refusal);
  const isLoading = people.isNameLoading(2);
  await vi.waitFor(() => expect(get).toHaveBeenCalledTimes(1));
  expect(isLoading.get()).toBe(true);
  await becomesFalse(isLoading);
  expect(get).toHaveBeenCalledTimes(2);
});

test('a name loads until the directory has answered too', async () => {
  let answer = (_: Record<number, string>) => {};
  const { people } = peopleWith([user(2, null)], () => new Promise((resolve) => (answer = resolve)));
  const name = people.settledName(2);
  await vi.waitFor(() => expect(people.user(2).get()).not.toBeNull());
  expect(people.isNameLoading(2).get()).toBe(true);
  answer({ 2: 'Dr Lovelace' });
  expect(await name).toBe('Dr Lovelace');
  expect(people.isNameLoading(2).get()).toBe(false);
});

test('a directory that does not answer is not waited for, but its late answer counts', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  let answer = (_: Record<number, string>) => {};
  const { people } = peopleWith([user(2, null)], () => new Promise((resolve) => (answer = resolve)));
  const isLoading = people.isNameLoading(2);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(isLoading.get()).toBe(true);
  await vi.advanceTimersByTimeAsync(1_500);
  expect(isLoading.get()).toBe(false);
  answer({ 2: 'Dr Lovelace' });
  await vi.advanceTimersByTimeAsync(0);
  expect(people.name(2).get()).toBe('Dr Lovelace');
  vi.useRealTimers();
});

test('a directory that fails leaves the names of the profiles', async () => {
  const { people } = peopleWith([user(2, 'Ada'), user(3, null)], () => {
    throw new Error('broken');
  });
  await becomesFalse(people.isNameLoading(3));
  expect([2, 3].map((id) => people.name(id).get())).toEqual(['Ada', null]);
});

test('users are asked for again when they join, if they were not known', async () => {
  const { get, people } = peopleWith([user(3, 'Bo')]);
  const loading = [people.isNameLoading(2), people.isNameLoading(3)];
  for (const each of loading) await becomesFalse(each);
  get.mockResolvedValue({ items: [user(2, 'Ada')], next_cursor: null });
  const users = [2, 3].map((user_id) => ({ user_id, role: 'member' as const }));
  people.applyEvent({ type: 'participant.added', conversation_id: 'c', pos: 2, users });
  await vi.waitFor(() => expect(people.name(2).get()).toBe('Ada'));
  expect(get).toHaveBeenLastCalledWith('/users', { ids: '2' });
});

test('after an interruption the users in use are asked for, and the others when they are used', async () => {
  const { get, people } = peopleWith([user(2, 'Ada', 2)]);
  people.learn([user(2, 'Old'), user(3, 'Bo')]);
  const off = people.name(2).subscribe(() => {});
  people.refresh();
  await vi.waitFor(() => expect(people.name(2).get()).toBe('Ada'));
  expect(get.mock.calls).toEqual([['/users', { ids: '2' }]]);
  people.name(3);
  await vi.waitFor(() => expect(get).toHaveBeenLastCalledWith('/users', { ids: '3' }));
  off();
});

test('an answer that changes nothing causes no redraw', () => {
  const { people } = peopleWith([]);
  people.learn([user(2, 'Ada')]);
  const before = people.user(2).get();
  people.learn([user(2, 'Ada')]);
  expect(people.user(2).get()).toBe(before);
});

test('several users are one list, which is a new one only when a user changes', () => {
  const { people } = peopleWith([]);
  people.learn([user(2, 'Ada'), user(3, 'Bo')]);
  const both = combine([people.user(3), people.user(2)]);
  const before = both.get();
  expect(before.map((each) => each?.name)).toEqual(['Bo', 'Ada']);
  expect(both.get()).toBe(before);
  people.learn([user(2, 'Ada L.', 2)]);
  expect(both.get().map((each) => each?.name)).toEqual(['Bo', 'Ada L.']);
});

test('found users are known by name', async () => {
  const { get, people } = peopleWith([user(2, 'Ada')]);
  expect(await people.find('ad')).toEqual([user(2, 'Ada')]);
  expect(people.name(2).get()).toBe('Ada');
  expect(get.mock.calls).toEqual([['/users', { q: 'ad', limit: 20 }]]);
});

test('the own profile has the id of the host application, which others do not see', async () => {
  const { get, people } = peopleWith([]);
  const own = { ...user(1, 'Me'), external_id: 'alice' };
  get.mockResolvedValueOnce(own as never);
  expect(await people.me()).toEqual(own);
  expect(people.user(1).get()).toEqual(user(1, 'Me'));
});
