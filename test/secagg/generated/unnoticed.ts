/** Mutants that no attack notices, with the reason for which none can: what they take out repeats another check, or only saves time. */
export const UNNOTICED: readonly { readonly reason: string; readonly mutants: readonly string[] }[] = [
  {
    reason: 'hashing the context checks it again',
    mutants: [
      'reed-solomon.ts findWrongShares: early < 0 ? dirty(redundancy) : early → dirty(redundancy)',
      'reed-solomon.ts findWrongShares: early < 0 → early <= 0',
      'reed-solomon.ts locate: syndromes.every((syndrome) => syndrome === 0) → false',
      'client/advertise.ts startClient: checkContext(context) → undefined',
      'server/machine.ts startServer: checkContext(setup.context) → undefined',
    ],
  },
  {
    reason: 'a sparse graph is looked at in more places than it must be, and the complete graph in the same',
    mutants: [
      'client/advertise.ts acceptRoster: holders.length === roster.length ? undefined : new Set(holders) → undefined',
      'client/advertise.ts acceptRoster: holders.length === roster.length ? undefined : new Set(holders) → new Set(holders)',
      'client/advertise.ts acceptRoster: known?.has(place) === false → false',
    ],
  },
  {
    reason: 'the roster was checked: keys are canonical, not of low order, and pass the modulus check; boxes have their form',
    mutants: [
      'client/input.ts derivePair.sent: made === undefined → false',
      'client/share.ts encapsulateFor: channel === undefined → false',
      'client/share.ts encapsulateFor: kem === undefined → false',
      'client/share.ts agreeWith: agreed === undefined → false',
      'server/recovery.ts pairKeysOf: agreed === undefined → false',
      'server/recovery.ts recoverKem: ciphertext === undefined → false',
      'server/recovery.ts recoverKem: made !== undefined → true',
      'server/recovery.ts recoverKem: made === undefined || !equalBytes(made.ciphertext, ciphertext) → !equalBytes(made.ciphertext, ciphertext)',
    ],
  },
  {
    reason: 'a message of that name that was taken before is met first, and each decoder looks at the type itself',
    mutants: [
      "client/machine.ts takeMessage: name === 'delivery' && state.phase === 'awaiting-delivery' → name === 'delivery'",
      'messages/wire.ts messageName: data[0] !== WIRE_VERSION → false',
      "client/machine.ts takeMessage: name === 'roster' && state.phase === 'awaiting-roster' → name === 'roster'",
      "client/machine.ts takeMessage: name === 'roster' && state.phase === 'awaiting-roster' → state.phase === 'awaiting-roster'",
      "client/machine.ts takeMessage: name === 'delivery' && state.phase === 'awaiting-delivery' → state.phase === 'awaiting-delivery'",
      "client/machine.ts takeMessage: name === 'survivors' && state.phase === 'awaiting-survivors' → state.phase === 'awaiting-survivors'",
      "client/machine.ts takeMessage: name === 'confirmations' && state.phase === 'awaiting-confirmations' → state.phase === 'awaiting-confirmations'",
      "client/machine.ts takeMessage: name === 'receipt' && state.phase === 'awaiting-receipt' → state.phase === 'awaiting-receipt'",
      "client/machine.ts seenDigest: name === 'roster' || name === 'delivery' || name === 'surviv … name === 'confirmations' → true",
      'client/machine.ts repeated: answered(setup, state) === name && state.sent !== undefined → answered(setup, state) === name',
    ],
  },
  {
    reason: 'wiped anyway, nothing to wipe, or nothing secret',
    mutants: [
      'client/input.ts openDelivery: secrets.channelKemSeed !== undefined → true',
      'client/input.ts openBox: wipe(plaintext) → undefined',
      "client/machine.ts secretsOf: state.phase === 'awaiting-receipt' → true",
      'client/share.ts sealFor: kem?.confirmation === undefined ? undefined : plaintext → plaintext',
      'client/unmask.ts acceptReceipt: state.sent === undefined ? [] : [state.sent] → [state.sent]',
      'server/recovery.ts Recovery: wipe(first) → undefined',
      'server/recovery.ts Recovery: wipe(second) → undefined',
    ],
  },
  {
    reason: 'a member of U2 is in U1 and in the roster, a lost one not in U2, and boxes are for others',
    mutants: [
      'server/share.ts takeShares: session.places.get(box.peer)! > place → session.places.get(box.peer)! >= place',
      'server/unmask.ts takeUnmask: dealerPlace !== undefined && state.shares.has(dealer) → state.shares.has(dealer)',
      'client/unmask.ts checkCertificate: place === undefined || !members.has(id) → !members.has(id)',
      'server/recovery.ts pairKeysOf: peer !== dealer && state.inputs.has(session.roster[peer]!.id) → state.inputs.has(session.roster[peer]!.id)',
    ],
  },
  {
    reason: 'saves time: the same comes out without it',
    mutants: [
      'client/unmask.ts checkCertificate: before !== undefined && equalBytes(before, signature) → false',
      'keys.ts isGoodX25519Key: LOW_ORDER_FIRST_BYTES.has(key[0]!) && LOW_ORDER_KEYS.has(toHex(key)) → LOW_ORDER_KEYS.has(toHex(key))',
      'masks.ts reduce: bits === 32 → false',
      'server/recovery.ts Recovery: factors === undefined → true',
      'server/recovery.ts Recovery: this.#coefficients.set(name, factors) → undefined',
      'server/recovery.ts Recovery: multipliers === undefined → true',
      'server/recovery.ts Recovery: this.#multipliers.set(name, multipliers) → undefined',
      'server/recovery.ts Recovery: good && opened.length === t → false',
      'server/recovery.ts Recovery: good && sharesAgree(field, points, this.#multipliersOf(field, points), shares, t) → false',
    ],
  },
  {
    reason: 'where the secret is not right nothing is returned, whatever its shares say of one another',
    mutants: [
      'server/recovery.ts Recovery: good && opened.length === t → opened.length === t',
      'server/recovery.ts Recovery: good && sharesAgree(field, points, this.#multipliersOf(field, points), shares, t) → sharesAgree(field, points, this.#multipliersOf(field, points), shares, t)',
      "server/recovery.ts Recovery: !sameKey || this.#setup.context.suite === 'x25519' → this.#setup.context.suite === 'x25519'",
      'server/recovery.ts Recovery: right.length >= t → right.length > t',
    ],
  },
  {
    reason: 't = ⌊(n + c)/2⌋ + 1 holds by the formula; the check stands for a formula that is changed (see the mutant of both)',
    mutants: [
      "graph.ts sharingGraph: context.mode === 'malicious' && 2 * t <= n + c → false",
      "graph.ts sharingGraph: context.mode === 'malicious' && 2 * t <= n + c → 2 * t <= n + c",
      'graph.ts sharingGraph: 2 * t <= n + c → 2 * t < n + c',
    ],
  },
  {
    reason: 'F is at least nMin, which is at least 3',
    mutants: [
      'parameters.ts roundParameters: 0 → (0 - 1)',
      'parameters.ts roundParameters: 0 → (0 + 1)',
      'parameters.ts roundParameters: n < rule.nMin → false',
    ],
  },
  {
    reason: 'the exact length is checked next, and a view copies nothing',
    mutants: [
      'messages/share.ts readBox: KEM_CIPHERTEXT_BYTES → 0',
      'messages/share.ts readBox: reader.view(SEALED_BYTES[1]!) → reader.view()',
      'messages/wire.ts openMessage: fixed(reader, HASH_BYTES) → reader.bytes()',
      'messages/wire.ts fixedView: reader.view(length) → reader.view()',
    ],
  },
  {
    reason: 'what is not there says the same as what is empty',
    mutants: [
      'server/blame.ts checkBlame: rosterMessage === undefined || sharesMessage === undefined → sharesMessage === undefined',
      'server/machine.ts finish: outcome === undefined ? [] : closed.recipients.map((to) => ( … recipient has one }, })) → closed.recipients.map((to) => ({ to, get message(): Uint8Arr … recipient has one }, }))',
      'abort.ts abortOf: reason instanceof SottoError → true',
      'roster.ts checkAdvert: setup.revokedSerials === undefined ? {} : { revokedSerials: setup.revokedSerials } → { revokedSerials: setup.revokedSerials }',
      "roster.ts checkPublicKeys: suite === 'x25519-mlkem768' && !advert.kemKeys.every(isGoodKemKey) → !advert.kemKeys.every(isGoodKemKey)",
      'server/machine.ts takeMessage: name === undefined ? undefined : STAGE_OF[name] → STAGE_OF[name]',
    ],
  },
  {
    reason: 'tells the shell whom to wait for; what comes from somebody who has left is refused',
    mutants: [
      'server/machine.ts stageStatus: !taken.has(id) && !state.left.has(id) → !taken.has(id)',
      'server/machine.ts stageStatus: !taken.has(id) && !state.left.has(id) → !state.left.has(id)',
    ],
  },
  {
    reason: 'the key agreement of round 1 refuses such a channel key by the same name',
    mutants: [
      'roster.ts checkPublicKeys: !isGoodX25519Key(advert.channelKey) || !isGoodX25519Key(advert.maskKey) → !isGoodX25519Key(advert.maskKey)',
    ],
  },
];
