/**
 * Noise over TCP that writes once a turn, and reads without traces of errors. libp2p hands the
 * length of a Noise frame and the frame to the socket as two writes, and so for every frame: as
 * many system calls, packets, and times that the process at the other end is woken.
 */
import type { Socket } from "node:net";
import type { ConnectionEncrypter, MessageStream } from "@libp2p/interface";
import { noise } from "@libp2p/noise";
import { noiseCrypto } from "./noiseCrypto.ts";

/** Use it in the place of `noise()`. */
export function corkedNoise(): (
  components: Parameters<ReturnType<typeof noise>>[0],
) => ConnectionEncrypter {
  const create = noise({ crypto: noiseCrypto() });
  return (components) => {
    const encrypter = create(components);
    const { secureInbound, secureOutbound } = encrypter;
    encrypter.secureInbound = async (connection, options) =>
      withoutTraces(await secureInbound.call(encrypter, corked(connection), options));
    encrypter.secureOutbound = async (connection, options) =>
      withoutTraces(await secureOutbound.call(encrypter, corked(connection), options));
    return encrypter;
  };
}

interface Decoder {
  lengthDecoder(data: { readonly length: number }): number;
}

const LENGTH_BYTES = 2;
const MORE_IS_NEEDED = new RangeError("there is no whole frame yet");

/**
 * Whenever all frames of a chunk have been read, libp2p asks for the length of one more and is told
 * by an error that there is none. Its trace takes longer than a frame: here it is always the same.
 */
function withoutTraces<T extends { readonly connection: object }>(secured: T): T {
  const { decoder } = secured.connection as { decoder?: Partial<Decoder> };
  const decode = decoder?.lengthDecoder;
  if (decoder === undefined || decode === undefined) return secured;
  decoder.lengthDecoder = (data) => {
    if (data.length < LENGTH_BYTES) throw MORE_IS_NEEDED;
    return decode(data);
  };
  return secured;
}

/** What is sent in one turn of the event loop leaves together at its end. */
export function corked<T extends MessageStream>(connection: T): T {
  const { socket } = connection as { socket?: Socket };
  if (socket === undefined) return connection;
  const send = connection.send.bind(connection);
  let isCorked = false;
  const uncork = (): void => {
    isCorked = false;
    socket.uncork();
  };
  connection.send = (data) => {
    if (!isCorked) {
      isCorked = true;
      socket.cork();
      process.nextTick(uncork);
    }
    return send(data);
  };
  return connection;
}
