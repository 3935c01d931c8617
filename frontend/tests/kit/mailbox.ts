import type { AddressInfo } from 'node:net';
import { createServer, type Server, type Socket } from 'node:net';
import { expect } from '@playwright/test';

/** A mail server of this machine's loopback that keeps what it is sent: as much SMTP as a sender needs (RFC 5321). */
export class Mailbox {
  readonly #server: Server;
  readonly #came: { to: string; text: string }[] = [];

  private constructor() {
    this.#server = createServer((socket) => this.#talk(socket));
  }

  static async open(): Promise<Mailbox> {
    const box = new Mailbox();
    await new Promise<void>((resolve) => box.#server.listen(0, '127.0.0.1', resolve));
    return box;
  }

  /** What `--smtp-url` takes. */
  get url(): string {
    return `smtp://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.close();
  }

  #talk(socket: Socket) {
    let [pending, to, data] = ['', '', false];
    const say = (line: string) => socket.write(`${line}\r\n`);
    socket.on('error', () => undefined);
    say('220 mailbox');
    socket.on('data', (chunk) => {
      pending += chunk.toString('latin1');
      for (;;) {
        const end = pending.indexOf(data ? '\r\n.\r\n' : '\r\n');
        if (end < 0) return;
        const line = pending.slice(0, end);
        pending = pending.slice(end + (data ? 5 : 2));
        if (data) {
          this.#came.push({ to, text: line });
          data = false;
          say('250 taken');
        } else if (/^RCPT TO:/i.test(line)) {
          to = line.match(/<(.*)>/)?.[1] ?? '';
          say('250 ok');
        } else if (/^DATA/i.test(line)) {
          data = true;
          say('354 go on');
        } else if (/^QUIT/i.test(line)) {
          say('221 bye');
          socket.end();
        } else say('250 ok');
      }
    });
  }

  /** The link to a page of the last mail to an address, once it has come: instances look for mail every few seconds. */
  async link(to: string, page: string): Promise<string> {
    let found: string | undefined;
    await expect(() => {
      for (const mail of this.#came.filter((one) => one.to === to)) {
        const text = mail.text.replace(/=\r\n/g, '').replace(/=3D/g, '=');
        found = text.match(new RegExp(`http\\S+${page}#token=[\\w-]{35,43}(?:&[\\w=-]+)?`))?.[0] ?? found;
      }
      expect(found, `a link to ${page} for ${to}`).toBeDefined();
    }).toPass({ timeout: 60_000, intervals: [100] });
    return found ?? '';
  }
}
