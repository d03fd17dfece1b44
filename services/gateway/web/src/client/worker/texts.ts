/** The texts of notifications. The worker has only these, so that it stays small. */

import type { Language } from '../i18n/language.tsx';

export interface WorkerTexts {
  app: string;
  user: string;
  system: string;
  message: string;
  mention: string;
  file: string;
  test: string;
}

const TEXTS: Record<Language, WorkerTexts> = {
  en: {
    app: 'Messenger',
    user: 'User',
    system: 'System',
    message: 'New message',
    mention: 'A new message mentions you',
    file: 'New file',
    test: 'Notifications reach this device.',
  },
  ko: {
    app: '메신저',
    user: '사용자',
    system: '시스템',
    message: '새 메시지',
    mention: '새 메시지에서 나를 멘션했습니다',
    file: '새 파일',
    test: '이 기기로 알림이 도착합니다.',
  },
};

/** `chosen` is the language of the last page; without one, it is the browser's. */
export function workerTexts(chosen: string | undefined, browser: readonly string[]): WorkerTexts {
  const wanted = chosen ? [chosen] : browser.map((tag) => tag.slice(0, 2));
  const found = wanted.find((tag) => tag in TEXTS) as Language | undefined;
  return TEXTS[found ?? 'en'];
}
