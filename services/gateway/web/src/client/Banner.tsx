/** The line that tells the user about the connection, and about messages that wait for it. */

import { type ConnectionState, useIsKept, useOutbox, useWebSocket } from '@messenger/react';
import { useEffect, useState } from 'react';
import type { Access } from './access/access.ts';
import type { TextKey } from './i18n/en.ts';
import { type Translate, useT } from './i18n/language.tsx';
import { useSocketBlocked } from './useSocketBlocked.ts';

/** A connection that opens in less time is not reported as missing. */
const CONNECTING_DELAY_MS = 600;
const RECONNECTED_SHOWN_MS = 2_500;
/** Sending is mentioned only if it takes longer. */
const SENDING_DELAY_MS = 2_500;

const AWAY_TEXTS: Record<number, TextKey> = {
  0: 'banner.unauthorised',
  1008: 'banner.unauthorised',
  4503: 'banner.revoked',
  4504: 'banner.sockets',
};

/** When one of these codes ends the session, the user is also told what happens to their unsent text. */
const SESSION_ENDED = new Set([0, 1008, 4503]);

type Away = Extract<ConnectionState, { phase: 'away' }>;
type Tone = 'busy' | 'bad' | 'good';

export function Banner({ access }: { access: Access }) {
  const t = useT();
  const { state, renew, hurry } = useWebSocket();
  const unsent = useOutbox().filter((entry) => entry.failure === null);
  const waiting = unsent.length;
  const isKept = useIsKept();
  // A message that waits for its files shows that itself.
  const isSendingSlow = useHasLasted(
    unsent.some((entry) => !entry.uploads?.length),
    SENDING_DELAY_MS,
  );
  const isConnectingLong = useHasLasted(
    state.phase === 'connecting' || state.phase === 'idle',
    CONNECTING_DELAY_MS,
  );
  const isReconnected = useIsReconnected(state.phase);
  const hasNetwork = useHasNetwork();
  const isBlocked = useSocketBlocked(state);
  const content = bannerContent(t, {
    state,
    waiting,
    isKept,
    isBlocked,
    isSendingSlow,
    isConnectingLong,
    isReconnected,
    hasNetwork,
  });
  const isAway = state.phase === 'away';
  return (
    <div className="banner" role="status" data-tone={content?.tone} data-phase={state.phase}>
      {content && <span>{content.text}</span>}
      {state.phase === 'waiting' && hasNetwork && <BannerButton label={t('banner.now')} onClick={hurry} />}
      {isAway && access.signIn && <BannerButton label={t('banner.signin')} onClick={access.signIn} />}
      {isAway && !access.signIn && <BannerButton label={t('banner.again')} onClick={renew} />}
    </div>
  );
}

function BannerButton({ label, onClick }: { label: string; onClick: () => void }) {
  return (
    <button type="button" className="button small" onClick={onClick}>
      {label}
    </button>
  );
}

interface BannerFacts {
  state: ConnectionState;
  waiting: number;
  /** Whether the waiting messages would outlive the page. */
  isKept: boolean;
  /** Whether the network blocks live connections. */
  isBlocked: boolean;
  isSendingSlow: boolean;
  isConnectingLong: boolean;
  isReconnected: boolean;
  hasNetwork: boolean;
}

function bannerContent(t: Translate, facts: BannerFacts): { tone: Tone; text: string } | null {
  const { state, waiting } = facts;
  const waitingText =
    waiting > 0 ? ` ${t(facts.isKept ? 'banner.outbox' : 'banner.unsaved', { count: waiting })}` : '';
  if (state.phase === 'away') return { tone: 'bad', text: awayText(t, state, facts) };
  if (!facts.hasNetwork) return { tone: 'bad', text: t('banner.offline') + waitingText };
  if (facts.isBlocked && state.phase !== 'online')
    return { tone: 'bad', text: t('banner.blocked') + waitingText };
  if (state.phase === 'waiting') return { tone: 'bad', text: t('banner.waiting') + waitingText };
  if (state.phase !== 'online')
    return facts.isConnectingLong ? { tone: 'busy', text: t('banner.connecting') + waitingText } : null;
  if (waiting && !facts.isKept) return { tone: 'bad', text: waitingText.trim() };
  if (facts.isSendingSlow && waiting) return { tone: 'busy', text: t('banner.sending', { count: waiting }) };
  return facts.isReconnected ? { tone: 'good', text: t('banner.back') } : null;
}

function awayText(t: Translate, { code, reason }: Away, { waiting, isKept }: BannerFacts): string {
  if (reason.code === 'no_storage') return t('banner.storage');
  const key = AWAY_TEXTS[code];
  if (!key) return t('banner.away', { code });
  if (waiting && !isKept) return `${t(key)} ${t('banner.unsaved', { count: waiting })}`;
  return SESSION_ENDED.has(code) ? `${t(key)} ${t('banner.saved')}` : t(key);
}

/** Returns true once `isSo` has been true for `afterMs`. */
function useHasLasted(isSo: boolean, afterMs: number): boolean {
  const [isLasting, setLasting] = useState(false);
  useEffect(() => {
    if (!isSo) return setLasting(false);
    const timer = setTimeout(() => setLasting(true), afterMs);
    return () => clearTimeout(timer);
  }, [isSo, afterMs]);
  return isSo && isLasting;
}

/** Returns true for a moment after a lost connection is back. */
function useIsReconnected(phase: ConnectionState['phase']): boolean {
  const [wasLost, setLost] = useState(false);
  useEffect(() => {
    if (phase === 'waiting' || phase === 'away') setLost(true);
    if (phase !== 'online') return;
    const timer = setTimeout(() => setLost(false), RECONNECTED_SHOWN_MS);
    return () => clearTimeout(timer);
  }, [phase]);
  return wasLost && phase === 'online';
}

function useHasNetwork(): boolean {
  const [isThere, setThere] = useState(navigator.onLine);
  useEffect(() => {
    const update = () => setThere(navigator.onLine);
    for (const event of ['online', 'offline']) window.addEventListener(event, update);
    return () => {
      for (const event of ['online', 'offline']) window.removeEventListener(event, update);
    };
  }, []);
  return isThere;
}
