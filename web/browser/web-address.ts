/** An address that came from outside may be of any scheme: only the web's are ever made a link. */
export const isWeb = (address: string | null): address is string =>
  address !== null && /^https?:\/\//i.test(address) && URL.canParse(address)
