/**
 * A gRPC server that decides before it decodes: peer identity from the certificate, default-deny rule of the method,
 * protocol version, deadline; only then the request's bytes are looked at.
 *
 * @module
 */
import { X509Certificate } from 'node:crypto';
import type { EventEmitter } from 'node:events';
import type { Http2SecureServer } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import {
  type Metadata,
  Server,
  type ServerCredentials,
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
} from '@grpc/grpc-js';
import { utf8 } from '@sotto/core/bytes';
import { SottoError } from '@sotto/core/errors';
import { orAborted } from '../service/abort.ts';
import { type Logger, errorFields } from '../service/log.ts';
import { type Method, maxRequestBytes, protocolVersion, ruleOf, versionKey } from './methods.ts';
import { checkNotRevoked } from './revocation.ts';
import type { PeerIdentity } from './spiffe.ts';
import { identityOf } from './spiffe.ts';
import { toStatus } from './status.ts';
import { identityOnSocket } from './tls.ts';

/** What a handler knows of a call. */
export interface CallContext {
  /** The caller's certified id; empty where the rule admits anyone. */
  readonly id: string;
  /** Aborted, with a SottoError as reason, when the caller is gone, its deadline has passed or the server drains. */
  readonly signal: AbortSignal;
}

/** Sees what arrives before anything decodes it. */
export type Tap = (bytes: Uint8Array, about: { readonly peer: string; readonly method: string }) => void;

/** What a server is made of. */
export interface RpcServerOptions {
  readonly credentials: ServerCredentials;
  /** Peers of another trust domain are refused. */
  readonly trustDomain: string;
  /** Serials of revoked enrolments, hex; looked at in every call. Default none. */
  readonly revoked?: readonly string[] | undefined;
  readonly log: Logger;
  readonly nowMs: () => number;
  readonly onReceived?: Tap | undefined;
  /** A client's first connection came up, or its last one is gone. */
  readonly onPresence?: ((id: string, present: boolean) => void) | undefined;
}

type AnyCall =
  ServerUnaryCall<Buffer, Uint8Array> | ServerReadableStream<Buffer, Uint8Array> | ServerWritableStream<Buffer, Uint8Array>;

const asIs = (data: Buffer): Buffer => data;
const toBuffer = (data: Uint8Array): Buffer => Buffer.from(data.buffer, data.byteOffset, data.byteLength);

/** One listening server. */
export class RpcServer {
  readonly #server: Server;
  readonly #options: RpcServerOptions;
  readonly #draining: AbortController = new AbortController();
  readonly #connections: Map<string, number> = new Map();

  constructor(options: RpcServerOptions) {
    this.#options = options;
    this.#server = new Server({
      'grpc.max_receive_message_length': maxRequestBytes,
      'grpc.max_send_message_length': -1,
      'grpc.keepalive_time_ms': 20_000,
      'grpc.keepalive_timeout_ms': 20_000,
    });
    this.#watchConnections();
  }

  unary<Q, A>(method: Method<Q, A>, handle: (request: Q, context: CallContext) => Promise<A> | A): void {
    this.#register(method, (call: ServerUnaryCall<Buffer, Uint8Array>, answer: sendUnaryData<Uint8Array>) => {
      void this.#answer(method, call, answer, async (context) => {
        this.#tap(call.request, context.id, method.path);
        return await handle(method.request.decode(call.request), context);
      });
    });
  }

  clientStream<Q, A>(method: Method<Q, A>, handle: (parts: AsyncIterable<Q>, context: CallContext) => Promise<A>): void {
    this.#register(method, (call: ServerReadableStream<Buffer, Uint8Array>, answer: sendUnaryData<Uint8Array>) => {
      const decoded = async function* (this: RpcServer, id: string): AsyncGenerator<Q> {
        for await (const part of call as AsyncIterable<Buffer>) {
          this.#tap(part, id, method.path);
          yield method.request.decode(part);
        }
      }.bind(this);
      void this.#answer(method, call, answer, (context) => handle(decoded(context.id), context));
    });
  }

  serverStream<Q, A>(
    method: Method<Q, A>,
    handle: (request: Q, send: (answer: A) => void, context: CallContext) => Promise<void>,
  ): void {
    this.#register(method, (call: ServerWritableStream<Buffer, Uint8Array>) => {
      const finish: sendUnaryData<Uint8Array> = (error) => {
        if (error) call.emit('error', error);
        else call.end();
      };
      void this.#answer(method, call, finish, async (context) => {
        this.#tap(call.request, context.id, method.path);
        await handle(method.request.decode(call.request), (answer) => call.write(method.response.encode(answer)), context);
        return undefined;
      });
    });
  }

  /** Binds and returns the real `host:port`; throws `unavailable`. */
  async listen(address: string): Promise<string> {
    const port = await new Promise<number>((resolve, reject) => {
      this.#server.bindAsync(address, this.#options.credentials, (error, bound) => {
        if (error)
          reject(new SottoError('unavailable', `cannot listen on ${address}; choose another address or port`, { cause: error }));
        else resolve(bound);
      });
    });
    return `${address.slice(0, address.lastIndexOf(':'))}:${port}`;
  }

  /** Ids of clients with a connection. */
  isPresent(id: string): boolean {
    return (this.#connections.get(id) ?? 0) > 0;
  }

  /** Refuses new calls, ends the waiting ones with `unavailable`, and closes when all have been answered or after `graceMs`. */
  async drain(graceMs: number): Promise<void> {
    this.#draining.abort(new SottoError('unavailable', 'the service is stopping; try again later'));
    await new Promise<void>((resolve) => {
      const force = setTimeout(() => {
        this.#server.forceShutdown();
        resolve();
      }, graceMs);
      this.#server.tryShutdown(() => {
        clearTimeout(force);
        resolve();
      });
    });
  }

  /** Cuts all connections at once. */
  abandon(): void {
    this.#draining.abort(new SottoError('unavailable', 'the service is gone'));
    this.#server.forceShutdown();
  }

  #register<Q, A>(method: Method<Q, A>, handler: unknown): void {
    if (ruleOf(method.path) === undefined) {
      throw new SottoError('internal', `${method.path} has no caller rule; add one to callerRules`);
    }
    const type = method.kind === 'unary' ? 'unary' : method.kind === 'client-stream' ? 'clientStream' : 'serverStream';
    this.#server.register(method.path, handler as never, toBuffer, asIs, type);
  }

  async #answer<Q, A>(
    method: Method<Q, A>,
    call: AnyCall,
    answer: sendUnaryData<Uint8Array>,
    handle: (context: CallContext) => Promise<A | undefined>,
  ): Promise<void> {
    const { log } = this.#options;
    const control = new AbortController();
    const giveUp = (code: 'cancelled' | 'deadline-exceeded', reason: string) => (): void =>
      control.abort(new SottoError(code, reason));
    const drained = (): void => control.abort(this.#draining.signal.reason);
    const timer = setTimeout(giveUp('deadline-exceeded', 'the deadline of the call has passed'), this.#timeLeftMs(method, call));
    timer.unref();
    (call as EventEmitter).on('cancelled', giveUp('cancelled', 'the caller has gone'));
    this.#draining.signal.addEventListener('abort', drained);
    let id = '';
    try {
      if (this.#draining.signal.aborted) throw this.#draining.signal.reason;
      id = this.#authorise(method.path, call);
      this.#tap(utf8(JSON.stringify(call.metadata.getMap())), id, method.path);
      const result = await orAborted(handle({ id, signal: control.signal }), control.signal);
      answer(null, result === undefined ? null : method.response.encode(result));
    } catch (reason) {
      const status = toStatus(reason);
      const fields = { method: method.path, peer: id, ...errorFields(reason) };
      if (reason instanceof SottoError && reason.code !== 'internal') log.debug('call.refused', fields);
      else log.error('call.failed', fields);
      answer(status);
    } finally {
      clearTimeout(timer);
      this.#draining.signal.removeEventListener('abort', drained);
    }
  }

  #timeLeftMs<Q, A>(method: Method<Q, A>, call: AnyCall): number {
    const deadline = call.getDeadline();
    const leftMs = (deadline instanceof Date ? deadline.getTime() : deadline) - Date.now();
    return Math.max(0, Math.min(leftMs, method.maxDurationMs));
  }

  #authorise(path: string, call: AnyCall): string {
    const rule = ruleOf(path);
    if (rule === undefined) throw new SottoError('permission-denied', `${path} has no caller rule`);
    if (rule === 'anyone') return '';
    const certificate = call.getAuthContext()?.sslPeerCertificate;
    if (certificate?.raw === undefined) throw new SottoError('unauthenticated', 'the caller shows no certificate; enrol first');
    // The handshake checked the validity; a connection may outlive it.
    if (this.#options.nowMs() > Date.parse(certificate.valid_to)) {
      throw new SottoError('unauthenticated', 'the certificate of the caller has expired; enrol again');
    }
    const peer: PeerIdentity = identityOf(certificate.raw);
    if (peer.trustDomain !== this.#options.trustDomain) {
      throw new SottoError('unauthenticated', `the caller belongs to the trust domain ${peer.trustDomain}`);
    }
    checkNotRevoked(this.#options.revoked ?? [], new X509Certificate(certificate.raw).serialNumber, peer.id);
    if (!rule.some((role) => role === peer.role)) {
      throw new SottoError('permission-denied', `${peer.id} has the role ${peer.role}; this call is for ${rule.join(', ')}`);
    }
    checkVersion(call.metadata);
    return peer.id;
  }

  #tap(data: Uint8Array, peer: string, method: string): void {
    this.#options.onReceived?.(data, { peer, method });
  }

  #watchConnections(): void {
    // grpc-js does not tell when a peer's connection ends. It builds each HTTP/2 server in this method (1.14.7, pinned).
    const inner = this.#server as unknown as { createHttp2Server(credentials: ServerCredentials): Http2SecureServer };
    const create = inner.createHttp2Server.bind(inner);
    inner.createHttp2Server = (credentials) => {
      const http2 = create(credentials);
      http2.on('secureConnection', (socket: TLSSocket) => this.#onConnection(socket));
      http2.on('session', (session) => session.setLocalWindowSize(8 * 1024 * 1024));
      return http2;
    };
  }

  #onConnection(socket: TLSSocket): void {
    const peer = identityOnSocket(socket);
    if (peer === undefined || peer.role !== 'client' || peer.trustDomain !== this.#options.trustDomain) return;
    const count = this.#connections.get(peer.id) ?? 0;
    this.#connections.set(peer.id, count + 1);
    if (count === 0) this.#options.onPresence?.(peer.id, true);
    socket.once('close', () => {
      const left = (this.#connections.get(peer.id) ?? 1) - 1;
      this.#connections.set(peer.id, left);
      if (left === 0) this.#options.onPresence?.(peer.id, false);
    });
  }
}

function checkVersion(metadata: Metadata): void {
  const version = metadata.get(versionKey)[0];
  if (version !== String(protocolVersion)) {
    const said = version === undefined ? 'none' : String(version).slice(0, 20);
    throw new SottoError(
      'unsupported',
      `the caller speaks protocol version ${said}, this service ${protocolVersion}; update the older side`,
    );
  }
}
