/** How much of an address is written down. Limits count the whole one, in memory alone. */
export const addressForms = ['full', 'short', 'none'] as const;
export type AddressForm = (typeof addressForms)[number];

/**
 * @param source as `transport/source.ts` gives it: IPv4 whole, IPv6 as its /64; anything else is no address
 * @returns short: the network, of IPv4 the /24, of IPv6 the /48; empty where nothing may be shown
 */
export function shownAddress(source: string, form: AddressForm): string {
  if (form === 'full') return source;
  if (form === 'none') return '';
  const [, three] = /^(\d{1,3}\.\d{1,3}\.\d{1,3})\.\d{1,3}$/.exec(source) ?? [];
  if (three !== undefined) return `${three}.0/24`;
  const [, site] = /^([0-9a-f]{1,4}(?::[0-9a-f]{1,4}){2}):[0-9a-f]{1,4}::\/64$/.exec(source) ?? [];
  return site === undefined ? '' : `${site}::/48`;
}
