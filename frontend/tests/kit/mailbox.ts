import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { expect } from '@playwright/test';

/** A mail server on this machine that keeps what it is sent: as much of SMTP as handing a mail over takes. */
export class Mailbox {
  readonly #letters: { to: string; text: string }[] = [];
  readonly #server: Server = createServer((socket) => this.#talk(socket));

  /** Starts it, and answers the flags by which a server sends its mail there. */
  async start(): Promise<string[]> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    const address = this.#server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    return ['--smtp-url', `smtp://127.0.0.1:${port}`, '--mail-from', 'no-reply@example.test'];
  }

  stop() {
    this.#server.close();
  }

  /** The link in the only mail of this subject to somebody that has not been read yet, once it is there. */
  async link(to: string, subject: string): Promise<string> {
    let found: string | undefined;
    await expect
      .poll(
        () => {
          const at = this.#letters.findIndex((one) => one.to === to && one.text.includes(`Subject: ${subject}`));
          if (at >= 0) found = this.#letters.splice(at, 1)[0]?.text.match(/https?:\/\/\S+#token=[\w-]{43}/)?.[0];
          return found;
        },
        { timeout: 30_000 },
      )
      .toBeDefined();
    return found ?? '';
  }

  #talk(socket: Socket) {
    const say = (line: string) => socket.write(`${line}\r\n`);
    let [heard, to, letter]: [string, string, string[] | undefined] = ['', '', undefined];
    socket.on('error', () => socket.destroy());
    socket.on('data', (data) => {
      heard += data.toString('utf8');
      for (let end = heard.indexOf('\r\n'); end >= 0; end = heard.indexOf('\r\n')) {
        const line = heard.slice(0, end);
        heard = heard.slice(end + 2);
        if (letter === undefined) {
          if (/^DATA/i.test(line)) {
            letter = [];
            say('354 go on');
          } else if (/^QUIT/i.test(line)) socket.end('221 bye\r\n');
          else {
            to = line.match(/^RCPT TO:<([^>]+)>/i)?.[1] ?? to;
            say('250 well');
          }
        } else if (line === '.') {
          // Lines that quoted-printable has cut are whole again, and what it has written in numbers is read.
          const text = letter
            .join('\n')
            .replace(/=\n/g, '')
            .replace(/=([0-9A-F]{2})/g, (_, code) => String.fromCharCode(Number.parseInt(code, 16)));
          this.#letters.push({ to, text });
          letter = undefined;
          say('250 kept');
        } else letter.push(line.startsWith('.') ? line.slice(1) : line);
      }
    });
    say('220 mailbox');
  }
}
