import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What a QR reader makes of a picture of the screen. */
export function readQr(picture: Buffer): string {
  const folder = mkdtempSync(join(tmpdir(), 'secondstep-qr-'));
  try {
    const file = join(folder, 'screen.png');
    writeFileSync(file, picture);
    return execFileSync('zbarimg', ['--quiet', '--raw', '-Sdisable', '-Sqrcode.enable', file], {
      encoding: 'utf8',
      // It complains of a missing D-Bus on many machines; a failure carries what it said.
      stdio: ['ignore', 'pipe', 'pipe'],
    }).trim();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The app's entry out of the URI in a QR code. */
export function entryOf(uri: string): { secret: string; label: string } {
  const url = new URL(uri);
  return {
    secret: url.searchParams.get('secret') ?? '',
    // As the product writes it: issuer, colon, a space, account.
    label: decodeURIComponent(url.pathname.replace(/^\/+(totp\/)?/, '')).replace(/:\s*/, ': '),
  };
}
