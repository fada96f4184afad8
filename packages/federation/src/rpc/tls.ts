/**
 * Mutual TLS 1.3 for grpc-js. Its server accepts TLS 1.2 by default and has no option against it, so the minimum goes in
 * where it builds the options of the HTTP/2 server; its flow-control windows (64 KiB) go up at the same place.
 *
 * @module
 */
import type { SecureServerOptions } from 'node:http2';
import { type PeerCertificate, type TLSSocket, createSecureContext } from 'node:tls';
import { ChannelCredentials, ServerCredentials } from '@grpc/grpc-js';
import { type PeerIdentity, identityOf } from './spiffe.ts';

/** What a party shows in TLS, in PEM. */
export interface TlsIdentity {
  readonly privateKey: string;
  readonly certificate: string;
  /** The CA that peers must be certified by. */
  readonly caCertificate: string;
}

/** Bytes in flight on one stream and on one connection: a 64 KiB window caps an upload at 0.7 MB/s over 50 ms. */
export const windowBytes: number = 8 * 1024 * 1024;

/** Server credentials: TLS 1.3 only; with `mutual`, a client certificate under the CA is demanded in the handshake. */
export function serverCredentials(identity: TlsIdentity, mutual: boolean): ServerCredentials {
  const pair = { private_key: Buffer.from(identity.privateKey), cert_chain: Buffer.from(identity.certificate) };
  const credentials = ServerCredentials.createSsl(Buffer.from(identity.caCertificate), [pair], mutual);
  const options = credentials._getConstructorOptions();
  if (options === null) throw new TypeError('TLS credentials without options');
  const strict: SecureServerOptions = {
    ...options,
    minVersion: 'TLSv1.3',
    maxVersion: 'TLSv1.3',
    settings: { initialWindowSize: windowBytes, maxConcurrentStreams: 256 },
  };
  credentials._getConstructorOptions = () => strict;
  return credentials;
}

/** Decides whether the peer that TLS has verified is the one that was meant; throws to refuse. `serialNumber` is in hex. */
export type PeerCheck = (peer: PeerIdentity, serialNumber: string) => void;

/** Client credentials: TLS 1.3 only, the server's SPIFFE id checked in place of its host name. */
export function clientCredentials(identity: TlsIdentity, checkPeer: PeerCheck): ChannelCredentials {
  const context = createSecureContext({
    minVersion: 'TLSv1.3',
    maxVersion: 'TLSv1.3',
    key: identity.privateKey,
    cert: identity.certificate,
    ca: identity.caCertificate,
  });
  return ChannelCredentials.createFromSecureContext(context, { checkServerIdentity: peerIdentityCheck(checkPeer) });
}

/** Client credentials without a certificate of one's own, for enrolment: the server must be certified by this CA. */
export function pinnedCredentials(caCertificate: string, checkPeer: PeerCheck): ChannelCredentials {
  const context = createSecureContext({ minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3', ca: caCertificate });
  return ChannelCredentials.createFromSecureContext(context, { checkServerIdentity: peerIdentityCheck(checkPeer) });
}

/** Client credentials that believe any server: only to fetch a trust bundle whose fingerprint is compared afterwards. */
export function unverifiedCredentials(): ChannelCredentials {
  const context = createSecureContext({ minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3' });
  return ChannelCredentials.createFromSecureContext(context, { rejectUnauthorized: false, checkServerIdentity: () => undefined });
}

function peerIdentityCheck(checkPeer: PeerCheck): (host: string, certificate: PeerCertificate) => Error | undefined {
  return (_host, certificate) => {
    try {
      checkPeer(identityOf(certificate.raw), certificate.serialNumber);
      return undefined;
    } catch (reason) {
      return reason instanceof Error ? reason : new Error(String(reason));
    }
  };
}

/** The identity on a server's TLS socket, or `undefined` where it shows none. */
export function identityOnSocket(socket: TLSSocket): PeerIdentity | undefined {
  const { raw } = socket.getPeerCertificate();
  try {
    return raw === undefined ? undefined : identityOf(raw);
  } catch {
    return undefined;
  }
}
