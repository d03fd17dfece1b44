/** Remembers that the user has decided on push in this browser, so that the offer never comes again. */

import { readPreference, savePreference } from '../parts/preferences.ts';

const KEY = 'push offer';

export const hasAnsweredOffer = () => readPreference(KEY) !== null;

export const saveOfferAnswered = () => savePreference(KEY, 'answered');
