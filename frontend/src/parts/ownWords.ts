/** Whose password it is to be, and for what. */
export type Context = { name: string; email: string; brand: string };

/** The shortest word that counts, in characters: initials stand in every other word. */
const least = 3;

const separators = /[^\p{L}\p{Nd}]+/gu;

const characters = (text: string) => [...text].length;
const bytes = (text: string) => new TextEncoder().encode(text).length;

/**
 * Whether a password is mostly made of its person's name and address and the name of the product, so that it is refused.
 * It is the server's own rule (account.PasswordRules), and server/account/testdata/own_words.json holds both to it: what
 * is ticked off while it is typed must not be called wrong when it is sent.
 */
export function mostlyOwnWords(password: string, context: Context): boolean {
  const words = ownWords(context);
  return readings(fold(password)).some((reading) => mostly(reading, words));
}

/** The words, folded and the longest first, that somebody who aims at this person tries. */
export function ownWords({ name, email, brand }: Context): string[] {
  const [local = '', domain = ''] = fold(email).split(/@(.*)/s);
  const labels = domain.split('.');
  if (labels.length > 1) labels.pop(); // "org" tells nothing
  const words = new Set(['secondstep', local]);
  for (const source of [...labels, local, fold(name), fold(brand)]) {
    const parts = source.split(separators);
    for (const word of [parts.join(''), ...parts]) words.add(word);
  }
  return [...words].filter((word) => characters(word) >= least).sort((a, b) => bytes(b) - bytes(a) || (a < b ? -1 : 1));
}

/** At least half of the characters are in words, whatever stands between the letters. */
function mostly(text: string, words: string[]): boolean {
  const plain = text.replace(separators, '');
  // What a word leaves stands apart, so that its ends don't make a new word.
  const rest = words.reduce((left, word) => left.replaceAll(word, '\0'), plain).replaceAll('\0', '');
  return 2 * (characters(plain) - characters(rest)) >= characters(text);
}

const signs: Record<string, string> = { '0': 'o', '!': 'i', '3': 'e', '4': 'a', '@': 'a', '5': 's', $: 's', '7': 't' };

/** What a folded text can be read as; a 1 is an i as often as an l. */
function readings(folded: string): string[] {
  const read = (one: string) => [...folded].map((sign) => (sign === '1' ? one : (signs[sign] ?? sign))).join('');
  return [folded, read('i'), read('l')];
}

/** The form in which texts are compared: Unicode's case folding, which is that of each character by itself. */
function fold(text: string): string {
  const folded = [...text.normalize('NFKC')].map((letter) =>
    // The dotless i is the one letter whose capital is another letter's too.
    letter === 'ı' ? letter : letter.toLowerCase().toUpperCase().toLowerCase().replace('ς', 'σ'),
  );
  return folded.join('').normalize('NFKC');
}
