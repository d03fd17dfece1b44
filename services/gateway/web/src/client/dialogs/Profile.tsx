/** The own profile, as others see it. The host application sets it, so there is nothing to change here. */

import { type UserId, useOwnUser } from '@messenger/react';
import { useT } from '../i18n/language.tsx';
import { UserAvatar } from '../parts/UserAvatar.tsx';
import { UserName } from '../parts/UserName.tsx';

export function Profile({ id }: { id: UserId }) {
  const t = useT();
  const externalId = useOwnUser()?.external_id ?? null;
  return (
    <section className="profile" aria-label={t('profile')} data-testid="profile">
      <UserAvatar id={id} size="large" />
      <div className="profile-text">
        <p className="profile-name">
          <UserName id={id} />
        </p>
        <dl className="profile-ids">
          <dt>{t('profile.id')}</dt>
          <dd>{id}</dd>
          {externalId !== null && (
            <>
              <dt>{t('profile.externalId')}</dt>
              <dd dir="auto">{externalId}</dd>
            </>
          )}
        </dl>
        <p className="quiet">{t('profile.about')}</p>
      </div>
    </section>
  );
}
