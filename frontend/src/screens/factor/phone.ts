/** Is this page read on a phone, and on which kind? Nothing on a computer: the phone is another device then. */
export function phone(agent = navigator.userAgent): 'iphone' | 'android' | undefined {
  if (/iPhone|iPod/.test(agent)) return 'iphone';
  if (/Android/.test(agent)) return 'android';
  return undefined;
}
