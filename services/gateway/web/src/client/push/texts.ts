/** The texts about push. They come with the parts that use them, so that the first load stays small. */

import { type Language, useLanguage } from '../i18n/language.tsx';

const en = {
  switch: 'Notify me also when Messenger is closed',
  asking: 'Please answer the browser’s question.',
  denied: 'Allow notifications for this page in the browser’s settings, then you can turn this on.',
  'obstacle.insecure': 'Notifications while Messenger is closed need a secure address (https).',
  'obstacle.embedded': 'Open Messenger in a tab of its own to get notifications while it is closed.',
  'obstacle.install':
    'To get notifications on this device, add Messenger to the home screen (Share, then “Add to Home Screen”) and open it from there.',
  'obstacle.browser': 'This browser cannot notify you while Messenger is closed.',
  failed: 'The browser could not set this up. Try again later.',
  test: 'Send a test notification',
  tested: 'Sent. It comes to all your devices in a moment.',
  quiet: 'Quiet hours',
  'quiet.start': 'From',
  'quiet.end': 'To',
  'quiet.about': 'Every day, on all your devices. Time zone: ',
  'quiet.failed': 'The quiet hours could not be loaded.',
  offer: 'Get notified when Messenger is closed?',
  'offer.yes': 'Turn on',
  'offer.no': 'No, thanks',
} as const;

export type PushTextKey = keyof typeof en;

const ko: Record<PushTextKey, string> = {
  switch: '메신저를 닫아도 알림 받기',
  asking: '브라우저의 질문에 답해 주세요.',
  denied: '브라우저 설정에서 이 페이지의 알림을 허용하면 켤 수 있습니다.',
  'obstacle.insecure': '메신저를 닫은 동안 알림을 받으려면 보안 주소(https)가 필요합니다.',
  'obstacle.embedded': '메신저를 닫은 동안 알림을 받으려면 메신저를 별도의 탭에서 여세요.',
  'obstacle.install':
    '이 기기에서 알림을 받으려면 메신저를 홈 화면에 추가한 뒤(공유 → “홈 화면에 추가”) 홈 화면에서 여세요.',
  'obstacle.browser': '이 브라우저에서는 메신저를 닫은 동안 알림을 받을 수 없습니다.',
  failed: '브라우저에서 설정하지 못했습니다. 나중에 다시 시도하세요.',
  test: '시험 알림 보내기',
  tested: '보냈습니다. 잠시 후 모든 기기에 도착합니다.',
  quiet: '방해 금지 시간',
  'quiet.start': '시작',
  'quiet.end': '끝',
  'quiet.about': '매일 모든 기기에 적용됩니다. 시간대: ',
  'quiet.failed': '방해 금지 시간을 불러오지 못했습니다.',
  offer: '메신저를 닫은 동안에도 알림을 받을까요?',
  'offer.yes': '켜기',
  'offer.no': '괜찮아요',
};

const TEXTS: Record<Language, Record<PushTextKey, string>> = { en, ko };

export function usePushText(): (key: PushTextKey) => string {
  const { language } = useLanguage();
  return (key) => TEXTS[language][key];
}
