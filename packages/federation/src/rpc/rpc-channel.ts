/**
 * The calling side: every call has a deadline, the protocol version and message limits.
 *
 * @module
 */
import { type CallOptions, type ChannelCredentials, Client, Metadata, type ServiceError } from '@grpc/grpc-js';
import { SottoError } from '@sotto/core/errors';
import { type Method, maxResponseBytes, protocolVersion, versionKey } from './methods.ts';
import { fromStatus } from './status.ts';
import { windowBytes } from './tls.ts';

/** Options of one call. */
export interface CallLimits {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

const toBuffer = (data: Uint8Array): Buffer => Buffer.from(data.buffer, data.byteOffset, data.byteLength);
const asIs = (data: Buffer): Buffer => data;

/** One connection to one server. */
export class RpcChannel {
  readonly #client: Client;
  readonly #version: string;

  /** `version` is for tests of the handshake. */
  constructor(address: string, credentials: ChannelCredentials, version: number = protocolVersion) {
    this.#version = String(version);
    this.#client = new Client(address, credentials, {
      'grpc.max_receive_message_length': maxResponseBytes,
      'grpc.max_send_message_length': -1,
      'grpc.use_local_subchannel_pool': 1,
      'grpc.keepalive_time_ms': 20_000,
      'grpc.keepalive_timeout_ms': 20_000,
      'grpc.initial_reconnect_backoff_ms': 100,
      'grpc.max_reconnect_backoff_ms': 2_000,
      'grpc.enable_retries': 0,
      'grpc.enable_http_proxy': /^(127\.|localhost:|\[::1\])/.test(address) ? 0 : 1,
      'grpc-node.flow_control_window': windowBytes,
      // Identity is the SPIFFE id, not the host; an IP address is no valid server name in TLS.
      'grpc.ssl_target_name_override': 'sotto.invalid',
    });
  }

  /** One request, one answer. Throws the server's `SottoError`, or `unavailable`, `deadline-exceeded`, `cancelled`. */
  async unary<Q, A>(method: Method<Q, A>, request: Q, limits: CallLimits): Promise<A> {
    const answer = await this.#call(method.path, limits, (metadata, options, done) =>
      this.#client.makeUnaryRequest(method.path, toBuffer, asIs, method.request.encode(request), metadata, options, done),
    );
    return method.response.decode(answer);
  }

  /** Many requests, one answer; waits for the transport to take each part, so memory stays bounded. */
  async upload<Q, A>(method: Method<Q, A>, parts: Iterable<Q>, limits: CallLimits): Promise<A> {
    const answer = await this.#call(method.path, limits, (metadata, options, done) => {
      const call = this.#client.makeClientStreamRequest(method.path, toBuffer, asIs, metadata, options, done);
      const iterator = parts[Symbol.iterator]();
      let ended = false;
      const pump = (): void => {
        while (!ended) {
          const next = iterator.next();
          if (next.done === true) {
            ended = true;
            call.end();
            return;
          }
          if (!call.write(method.request.encode(next.value))) {
            call.once('drain', pump);
            return;
          }
        }
      };
      call.on('error', () => (ended = true));
      pump();
      return call;
    });
    return method.response.decode(answer);
  }

  close(): void {
    this.#client.close();
  }

  #call(
    path: string,
    limits: CallLimits,
    start: (
      metadata: Metadata,
      options: CallOptions,
      done: (error: ServiceError | null, answer?: Buffer) => void,
    ) => { cancel(): void },
  ): Promise<Buffer> {
    const { signal } = limits;
    if (signal?.aborted === true) return Promise.reject(SottoError.from(signal.reason, 'cancelled'));
    const metadata = new Metadata();
    metadata.set(versionKey, this.#version);
    const options: CallOptions = { deadline: Date.now() + limits.timeoutMs };
    return new Promise((resolve, reject) => {
      const call = start(metadata, options, (error, answer) => {
        signal?.removeEventListener('abort', cancel);
        if (signal?.aborted === true) reject(SottoError.from(signal.reason, 'cancelled'));
        else if (error !== null) reject(fromStatus(error, path));
        else if (answer === undefined) reject(new SottoError('unavailable', `${path} was answered without a message`));
        else resolve(answer);
      });
      const cancel = (): void => call.cancel();
      signal?.addEventListener('abort', cancel);
    });
  }
}
