/** Removes what the browser shows of a user who leaves: the notifications, and the badge of an installed app. */

/** Never rejects: not every browser has these, and some refuse them. */
export async function removeShown(): Promise<void> {
  const closeAll = async () => {
    const worker = await navigator.serviceWorker?.getRegistration();
    for (const shown of (await worker?.getNotifications()) ?? []) shown.close();
  };
  await Promise.allSettled([closeAll(), navigator.clearAppBadge?.()]);
}
