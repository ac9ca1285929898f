// The platform's WebSocket with a bad line: what it brings can be left out or altered.
import type {
  SocketConstructor,
  SocketEvent,
  SocketLike,
  SocketMessage,
} from "../../../sequencer/client/socketLink.ts";

export interface Line {
  /** Undefined: the message is lost. */
  filter: (text: string) => string | undefined;
}

export function lossySocket(line: Line): SocketConstructor {
  return class implements SocketLike {
    readonly #inner: WebSocket;
    constructor(url: string) {
      this.#inner = new WebSocket(url);
    }
    send(text: string): void {
      this.#inner.send(text);
    }
    close(): void {
      this.#inner.close();
    }
    addEventListener(type: SocketEvent, listener: (event: SocketMessage) => void): void {
      this.#inner.addEventListener(type, (event) => {
        if (type !== "message") return listener({ type });
        const data = line.filter(String((event as MessageEvent).data));
        if (data !== undefined) listener({ type, data });
      });
    }
  };
}
