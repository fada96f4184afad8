/**
 * The transparency log, the ledger of privacy spending, the privacy report and their offline verification. Pure: bytes in,
 * bytes out.
 *
 * @module
 */
export { emptyRoot, HASH_LENGTH, leafHash, nodeHash, type Sha256 } from './merkle/hash.ts';
export { MerkleTree } from './merkle/tree.ts';
export { CompactRange, merkleRoot } from './merkle/compact-range.ts';
export { type ConsistencyClaim, type InclusionClaim, verifyConsistency, verifyInclusion } from './merkle/verify.ts';
export {
  decodeVerifierKey,
  encodeVerifierKey,
  isNoteName,
  noteKeyId,
  type NoteSignature,
  type NoteSigner,
  type NoteVerifier,
  openNote,
  type OpenedNote,
  type ParsedNote,
  parseNote,
  signNote,
} from './log/note.ts';
export {
  type Checkpoint,
  decodeCheckpoint,
  encodeCheckpoint,
  type LogKey,
  logOrigin,
  openCheckpoint,
  signCheckpoint,
} from './log/checkpoint.ts';
export { acceptCheckpoint } from './log/witness.ts';
export {
  decodeEntryBundle,
  decodeHashTile,
  encodeEntryBundle,
  hashTile,
  MAX_ENTRY_BYTES,
  parseTilePath,
  TILE_WIDTH,
  type TileCoordinates,
  tilePath,
  tilesOf,
} from './log/tiles.ts';
export { decodeLogProof, encodeLogProof, type LogProof, verifyLogProof } from './log/proof-file.ts';
export { TransparencyLog } from './log/transparency-log.ts';
export type {
  AbortEntry,
  AccountEntry,
  Base64Text,
  CompleteEntry,
  ContributeEntry,
  EnrolEntry,
  HashText,
  LedgerEntry,
  LedgerEntryKind,
  ObserveEntry,
  PlanEntry,
  PlanParty,
  PlanTerms,
  PublishEntry,
  ReleaseEntry,
  ReservationEvidence,
  ReserveEntry,
  RoundStage,
  SurvivorRecord,
} from './ledger/entry.ts';
export { decodeEntry, encodeEntry, LEDGER_ENTRY_VERSION, validateEntry } from './ledger/codec.ts';
export { datasetCommitment, modelHash, planHash, topologyHash } from './ledger/hashes.ts';
export { type CohortThresholds, cohortThresholds } from './ledger/cohort.ts';
export { type LedgerFaultCode, ledgerFaultOf } from './ledger/faults.ts';
export {
  type AccountState,
  type LedgerState,
  type Placed,
  type ReservationState,
  type RunState,
  type SeenCheckpoint,
  spentEvents,
} from './ledger/state.ts';
export { foldLedger, LedgerFold } from './ledger/fold.ts';
export { Ledger, type PreparedEntry } from './ledger/ledger.ts';
export {
  encodeEvidence,
  evidenceToLogProof,
  type EvidenceExpectation,
  parseEvidence,
  reservationEvidence,
  verifyEvidence,
} from './ledger/evidence.ts';
export { type Accountant, accountSpending, type AccountSpending, epsilonToNano, NANO } from './ledger/accounting.ts';
export { exportPaths, ledgerFolder } from './run/files.ts';
export { decodeTrustFile, encodeTrustFile, type RunTrust } from './run/trust-file.ts';
export { type Manifest, openManifest, parseManifest, signManifest } from './run/manifest.ts';
export { type ExportedLedger, exportRun, type ExportRunInput, ledgerFiles } from './run/export-run.ts';
export { encodeReport } from './report/build-report.ts';
export { renderReportHtml } from './report/html.ts';
export { type ModelCardOptions, renderModelCard } from './report/model-card.ts';
export { encodePrivacyStatement, privacyStatementType } from './report/privacy-statement.ts';
export { reportSchema } from './report/schema.ts';
export type {
  CohortReport,
  EpsilonAtDelta,
  MechanismUse,
  PartyReport,
  PrivacyReport,
  ReportNumber,
  RoundReport,
  RoundSpending,
  Statement,
} from './report/report.ts';
export { type Finding, type FindingCode, formatFinding } from './verify/findings.ts';
export { type RunVerification, verifyRun, type VerifyRunOptions } from './verify/verify-run.ts';
export {
  elementCount,
  type ModelData,
  type NamedTensor,
  readSafetensors,
  type SafetensorsContent,
  splitWeights,
  type WeightSpec,
  writeSafetensors,
  writeTfjsModel,
} from './model-files.ts';
