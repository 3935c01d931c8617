import { once } from 'node:events';
import { Agent, createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * A reverse proxy in front of several instances, which gives every request to another one than the last. An instance
 * that is not there is passed over, as any proxy does before it has sent anything.
 */
export class Switching {
  /** `host:port` of each instance. */
  instances: string[] = [];
  /** Requests answered, by instance. */
  readonly served = new Map<string, number>();
  #server: Server;
  #turn = 0;
  #agent = new Agent({ keepAlive: false });

  constructor() {
    this.#server = createServer((incoming, outgoing) => {
      const body: Buffer[] = [];
      incoming.on('data', (piece: Buffer) => body.push(piece));
      incoming.on('end', () => this.#forward(incoming, outgoing, Buffer.concat(body), this.instances.length));
    });
  }

  async start(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  #forward(incoming: IncomingMessage, outgoing: ServerResponse, body: Buffer, tries: number) {
    const instance = this.instances[this.#turn++ % this.instances.length];
    if (instance === undefined || tries === 0) {
      outgoing.writeHead(502).end();
      return;
    }
    const [host, port] = instance.split(':');
    const headers = { ...incoming.headers, 'x-forwarded-for': incoming.socket.remoteAddress };
    const { method, url: path } = incoming;
    const forwarded = request({ host, port, method, path, headers, agent: this.#agent }, (answer) => {
      this.served.set(instance, (this.served.get(instance) ?? 0) + 1);
      outgoing.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
      answer.pipe(outgoing);
    });
    forwarded.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED') this.#forward(incoming, outgoing, body, tries - 1);
      else if (outgoing.headersSent) outgoing.destroy();
      else outgoing.writeHead(502).end();
    });
    forwarded.end(body);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
