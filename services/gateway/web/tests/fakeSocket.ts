/** A fake WebSocket that leads to a gateway in memory. */

export type Json = Record<string, unknown> & { type: string; ref?: string };

/** What a socket needs of the gateway that it leads to. */
export interface SocketPeer {
  readonly sockets: FakeSocket[];
  readonly live: Set<FakeSocket>;
  opened(socket: FakeSocket): void;
  handle(socket: FakeSocket, frame: Json): void;
  transmit(arrive: () => void, isLive?: boolean, inOrder?: (delay: number) => number): void;
}

export class FakeSocket {
  static readonly OPEN = 1;
  readonly OPEN = 1;
  readyState = 1;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;
  readonly url: string;
  readonly protocols: string[];
  closedWith: number | null = null;
  readonly sent: Json[] = [];
  #gateway: SocketPeer;
  #arrival = 0;

  constructor(gateway: SocketPeer, url: string, protocols: string[]) {
    this.#gateway = gateway;
    this.url = url;
    this.protocols = protocols;
    gateway.sockets.push(this);
    gateway.opened(this);
  }

  get token(): string {
    return (this.protocols[1] ?? '').slice('bearer.'.length);
  }

  send(text: string): void {
    const frame = JSON.parse(text) as Json;
    this.sent.push(frame);
    this.#gateway.transmit(() => this.readyState === 1 && this.#gateway.handle(this, frame));
  }

  close(code: number): void {
    this.closedWith = code;
    this.readyState = 3;
    this.#gateway.live.delete(this);
  }

  /** The gateway sends a frame. */
  deliver(frame: Json): void {
    const data = JSON.stringify(frame);
    const arrive = () => this.readyState === 1 && this.onmessage?.({ data });
    const isLive = frame.pos !== undefined && frame.replay === undefined;
    if (isLive) return this.#gateway.transmit(arrive, isLive);
    // A replay and its answer are sent one after the other, and a socket keeps that order.
    this.#gateway.transmit(arrive, isLive, (delay) => {
      this.#arrival = Math.max(this.#arrival, Date.now() + delay);
      return this.#arrival - Date.now();
    });
  }

  /** The gateway or the network ends the socket. */
  end(code: number, reason = ''): void {
    if (this.readyState === 3) return;
    this.readyState = 3;
    this.#gateway.live.delete(this);
    this.onclose?.({ code, reason });
  }
}
