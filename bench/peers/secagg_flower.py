"""CPU time of Flower's SecAgg+ (the installed flwr), through the functions that its client modifier and its server workflow call.

usage: secagg_flower.py [--clients 10 100] [--dims 10000 100000 1000000] [--graphs all 2log2n] [--properties]
For each graph (all neighbours; about 2*log2(n) neighbours) the four stages of SecAggPlusWorkflow run in one process against n
calls of secaggplus_mod, with 10 % of the clients failing after the key shares are out; messages are copied, not sent. The
aggregate is compared with the weighted mean of the survivors. For n = 100 with all neighbours only one client's work and the
server's unmasking run in full (every client's shares would take minutes); no aggregate is checked there ("verified": null).

One line of JSON per graph and dimension. Times are CPU milliseconds of the process (all threads), medians over clients:
  setup_ms            client, stage 0: two P-384 key pairs, PEM
  key_agreement_ms    one ECDH + HKDF with its PEM parsing; a client does two for each neighbour
  share_keys_ms       client, stage 1: Shamir shares of the seed and of the private key, one ECDH and one Fernet box per neighbour
  create_shares_ms    the Shamir part of it
  mask_ms             client, stage 2: open the boxes, quantize, self mask, one pairwise mask per neighbour (training excluded)
  mask_prg_ms         the generator's part of it; mask_vectors: how many vectors of d were generated
  server_collect_ms   server, stage 2: parse and add the masked vectors
  server_unmask_ms    server, stage 3: combine all shares, regenerate and remove masks; of it combine_shares_ms and unmask_prg_ms
  upload_bytes        one client's masked vector as sent
--properties runs the checks of what the protocol does and does not enforce, one line each, instead of the timing.

Provenance: written for Sotto against flwr 1.41.0 (Python 3.11, numpy 2.4.6); calls the installed package and holds none of its code.
"""
import os
os.environ.setdefault("OMP_NUM_THREADS", "1")
import argparse, copy, importlib, importlib.metadata, io, json, logging, math, statistics, time
from types import SimpleNamespace
import numpy as np
from flwr.app import ConfigRecord, Context, Error, Message, RecordDict
from flwr.common import Code, FitIns, FitRes, Status, ndarrays_to_parameters, parameters_to_ndarrays
from flwr.common.secure_aggregation.secaggplus_constants import RECORD_KEY_CONFIGS, RECORD_KEY_STATE, Key, Stage
from flwr.compat.common import recorddict_compat as compat
from flwr.server.compat.legacy_context import LegacyContext
from flwr.server.strategy import FedAvg
from flwr.supercore.task_identity import TaskIdentity
from flwr.server.workflow.constant import MAIN_CONFIGS_RECORD, MAIN_PARAMS_RECORD
from flwr.server.workflow.constant import Key as WorkflowKey

# the package exports a function of the same name as the module
mod = importlib.import_module("flwr.client.mod.secure_aggregation.secaggplus_mod")
wf = importlib.import_module("flwr.server.workflow.secure_aggregation.secaggplus_workflow")
logging.disable(logging.ERROR)
STAGES = {"setup_stage": "setup", "share_keys_stage": "share_keys", "collect_masked_vectors_stage": "collect", "unmask_stage": "unmask"}
ms = lambda s: round(s * 1e3, 3)


class Clock:
    """CPU seconds spent in named functions of a module, by wrapping them."""

    def __init__(self):
        self.spent, self.calls = {}, {}

    def wrap(self, module, name, label):
        inner = getattr(module, name)

        def timed(*a, **k):
            s = time.process_time()
            try:
                return inner(*a, **k)
            finally:
                self.spent[label] = self.spent.get(label, 0) + time.process_time() - s
                self.calls[label] = self.calls.get(label, 0) + 1
        setattr(module, name, timed)

    def take(self):
        r = self.spent, self.calls
        self.spent, self.calls = {}, {}
        return r


class Client:
    def __init__(self, nid, vector, weight):
        self.vector, self.weight, self.training = vector, weight, 0.0
        self.context = Context(run_id=1, node_id=nid, node_config={}, state=RecordDict(), run_config={})

    def train(self, msg, _context):
        s = time.process_time()
        res = FitRes(Status(Code.OK, ""), ndarrays_to_parameters([self.vector]), self.weight, {"loss": 0.5})
        out = Message(compat.fitres_to_recorddict(res, False), reply_to=msg)
        self.training = time.process_time() - s
        return out


class LocalGrid:
    """Hands each message to a client in this process. drop: {stage: ids that answer with an error}."""

    def __init__(self, clients, drop, clock):
        self.clients, self.drop, self.clock = clients, drop, clock
        self.stage, self.away, self.times, self.parts, self.errors, self.bytes = None, 0.0, {}, {}, [], 0

    def send_and_receive(self, messages, *, timeout=None):
        start, replies = time.process_time(), []
        outer = self.clock.take()
        for m in messages:
            nid = m.metadata.dst_node_id
            if nid in self.drop.get(self.stage, ()):
                replies.append(Message(Error(0, "dropped out"), reply_to=m))
                continue
            m = Message(copy.deepcopy(m.content), dst_node_id=nid, message_type=m.metadata.message_type, group_id=m.metadata.group_id)
            c = self.clients[nid]
            c.training = 0.0
            s = time.process_time()
            try:
                r = mod.secaggplus_mod(m, c.context, c.train)
                self.times.setdefault(self.stage, []).append(time.process_time() - s - c.training)
                self.parts.setdefault(self.stage, []).append(self.clock.take())
                if self.stage == "collect":
                    self.bytes = sum(len(b) for b in r.content.config_records[RECORD_KEY_CONFIGS][Key.MASKED_PARAMETERS])
                replies.append(r)
            except Exception as e:  # what the runtime does with an exception of a client app: an error reply
                self.errors.append((self.stage, f"{type(e).__name__}: {e}"))
                replies.append(Message(Error(0, "client error"), reply_to=m))
        self.clock.spent, self.clock.calls = outer
        self.away += time.process_time() - start
        return replies


class OneRound(FedAvg):
    def __init__(self, ids, parameters):
        super().__init__()
        self.ids, self.parameters, self.result = ids, parameters, None

    def configure_fit(self, server_round, parameters, client_manager):
        return [(SimpleNamespace(node_id=i), FitIns(parameters, {})) for i in self.ids]

    def aggregate_fit(self, server_round, results, failures):
        self.result, self.seen = results[0][1].parameters, results
        return None, {}


def protocol(n, shares, threshold, d, drop, clock, seed=0):
    """One round of the real workflow against n real client modifiers."""
    rng = np.random.default_rng(seed)
    ids = [int(i) for i in rng.choice(2**62, n, replace=False)]
    clients = {i: Client(i, rng.uniform(-1, 1, d).astype(np.float32), int(rng.integers(50, 500))) for i in ids}
    drop = {s: {ids[j] for j in js} for s, js in drop.items()}
    clock.take()
    grid = LocalGrid(clients, drop, clock)
    zero = ndarrays_to_parameters([np.zeros(d, np.float32)])
    strategy = OneRound(ids, zero)
    context = LegacyContext(Context(1, 0, {}, RecordDict(), {}), strategy=strategy,
                            client_manager=SimpleNamespace(num_available=lambda: n))
    context.state.config_records[MAIN_CONFIGS_RECORD] = ConfigRecord({WorkflowKey.CURRENT_ROUND: 1})
    context.state.array_records[MAIN_PARAMS_RECORD] = compat.parameters_to_arrayrecord(zero, True)
    workflow, state, server, ok = wf.SecAggPlusWorkflow(shares, threshold), wf.WorkflowState(), {}, True
    for method, stage in STAGES.items():
        grid.stage, grid.away = stage, 0.0
        clock.take()
        s = time.process_time()
        ok = getattr(workflow, method)(grid, context, state)
        server[stage] = time.process_time() - s - grid.away
        server[stage + "_parts"] = clock.take()
        if not ok:
            break
    error = None
    if ok:
        gone = set().union(*(v for k, v in drop.items() if k != "unmask"))   # later, its vector is already in the sum
        alive = [c for i, c in clients.items() if i not in gone]
        want = sum(c.weight * c.vector.astype(np.float64) for c in alive) / sum(c.weight for c in alive)
        error = float(np.abs(parameters_to_ndarrays(strategy.result)[0] - want).max())
    return SimpleNamespace(ok=ok, server=server, grid=grid, error=error, state=state, clients=clients, ids=ids, strategy=strategy, context=context)


def time_protocol(n, shares, threshold, d, clock):
    drop = {"collect": range(max(1, n // 10))}
    r = protocol(n, shares, threshold, d, drop, clock)
    assert r.ok, r.grid.errors[:3]
    med = lambda xs: statistics.median(xs)
    part = lambda stage, label: med([p[0].get(label, 0) for p in r.grid.parts[stage]])
    up = r.server["unmask_parts"]
    agreements = [p[0]["ecdh"] / p[1]["ecdh"] for p in r.grid.parts["share_keys"]]
    return {"setup_ms": ms(med(r.grid.times["setup"])), "key_agreement_ms": ms(med(agreements)),
            "share_keys_ms": ms(med(r.grid.times["share_keys"])), "create_shares_ms": ms(part("share_keys", "create_shares")),
            "mask_ms": ms(med(r.grid.times["collect"])), "mask_prg_ms": ms(part("collect", "prg")),
            "mask_vectors": int(med([p[1]["prg"] for p in r.grid.parts["collect"]])),
            "server_collect_ms": ms(r.server["collect"]), "server_unmask_ms": ms(r.server["unmask"]),
            "combine_shares_ms": ms(up[0]["combine_shares"]), "unmask_prg_ms": ms(up[0]["server_prg"]), "unmask_vectors": up[1]["server_prg"],
            "upload_bytes": r.grid.bytes, "verified": r.error < 1e-3, "max_abs_error": r.error}


def time_full_graph(n, threshold, dims, clock):
    """n clients, all neighbours: one client's stages, and the server's unmasking of a random vector."""
    rng = np.random.default_rng(1)
    setup = {Key.SAMPLE_NUMBER: n, Key.SHARE_NUMBER: n, Key.THRESHOLD: threshold, Key.CLIPPING_RANGE: 8.0, Key.TARGET_RANGE: 1 << 22,
             Key.MOD_RANGE: 1 << 32, Key.MAX_WEIGHT: 1000.0}
    states, t_setup = {}, []
    for i in range(1, n + 1):
        s = time.process_time()
        st = mod.SecAggPlusState()
        st.nid = i
        mod._setup(st, setup)
        t_setup.append(time.process_time() - s)
        states[i] = st
    keys = {str(i): [s.pk1, s.pk2] for i, s in states.items()}
    clock.take()
    t_share, t_create, t_ecdh = [], [], []
    for i in (1, 2):
        s = time.process_time()
        mod._share_keys(states[i], keys)
        t_share.append(time.process_time() - s)
        p, c = clock.take()
        t_create.append(p["create_shares"]); t_ecdh.append(p["ecdh"] / c["ecdh"])
    me = states[1]
    ciphertexts, sources = [], []
    for i in range(2, n + 1):   # boxes of the real size for client 1
        ciphertexts.append(mod.encrypt(me.ss2_dict[i], mod.share_keys_plaintext_concat(i, 1, os.urandom(52), os.urandom(324))))
        sources.append(i)
    dead, alive = list(range(n - n // 10 + 1, n + 1)), list(range(1, n - n // 10 + 1))
    for i in alive:
        states[i].rd_seed = os.urandom(32)
    seed_shares = {i: mod.create_shares(states[i].rd_seed, threshold, n) for i in alive}
    key_shares = {i: mod.create_shares(states[i].sk1, threshold, n) for i in dead}
    combined, real_combine, t_combine = {}, wf.combine_shares, None
    for d in dims:
        vec = ndarrays_to_parameters([rng.uniform(-1, 1, d).astype(np.float32)])
        t_mask, prg = [], []
        for _ in range(3):
            clock.take()
            s = time.process_time()
            out = mod._collect_masked_vectors(me, {Key.CIPHERTEXT_LIST: ciphertexts, Key.SOURCE_LIST: sources}, 100, vec)
            t_mask.append(time.process_time() - s)
            p, c = clock.take()
            prg.append(p["prg"])
        st = wf.WorkflowState(sampled_node_ids=set(states), active_node_ids=set(alive), num_shares=n, threshold=threshold, clipping_range=8.0,
                              quantization_range=1 << 22, mod_range=1 << 32, max_weight=1000.0,
                              nid_to_neighbours={i: set(states) for i in states}, nid_to_publickeys={i: [s.pk1, s.pk2] for i, s in states.items()},
                              aggregate_ndarrays=[np.array([1]), rng.integers(0, 1 << 32, d)])
        replies = [SimpleNamespace(has_error=lambda: False, metadata=SimpleNamespace(src_node_id=i), content=SimpleNamespace(config_records={
            RECORD_KEY_CONFIGS: {Key.NODE_ID_LIST: alive + dead, Key.SHARE_LIST: [seed_shares[j][i - 1] for j in alive] + [key_shares[j][i - 1] for j in dead]}}))
            for i in alive]
        grid = SimpleNamespace(send_and_receive=lambda messages, timeout=None: replies)
        strategy = OneRound([], None)
        strategy.aggregate_fit = lambda *a: (None, {})
        context = LegacyContext(Context(1, 0, {}, RecordDict(), {}), strategy=strategy)
        context.state.config_records[MAIN_CONFIGS_RECORD] = ConfigRecord({WorkflowKey.CURRENT_ROUND: 1})
        if t_combine is not None:   # the shares cost the same at every d: combined once, the time carried over
            wf.combine_shares = lambda shares: combined[shares[0]]
        else:
            def remember(shares):
                combined[shares[0]] = real_combine(shares)
                return combined[shares[0]]
            wf.combine_shares = remember
        clock.take()
        s = time.process_time()
        ok = wf.SecAggPlusWorkflow(1.0, 2 / 3).unmask_stage(grid, context, st)
        total = time.process_time() - s
        assert ok
        p, c = clock.take()
        if t_combine is None:
            t_combine = p["combine_shares"]
        else:
            total += t_combine
        wf.combine_shares = real_combine
        yield d, {"setup_ms": ms(statistics.median(t_setup)), "key_agreement_ms": ms(statistics.median(t_ecdh)), "share_keys_ms": ms(statistics.median(t_share)),
                  "create_shares_ms": ms(statistics.median(t_create)), "mask_ms": ms(statistics.median(t_mask)), "mask_prg_ms": ms(statistics.median(prg)),
                  "mask_vectors": n, "server_collect_ms": None, "server_unmask_ms": ms(total), "combine_shares_ms": ms(t_combine),
                  "unmask_prg_ms": ms(p["server_prg"]), "unmask_vectors": c["server_prg"], "upload_bytes": sum(len(b) for b in out[Key.MASKED_PARAMETERS]),
                  "verified": None}


def timing(a, clock):
    version = importlib.metadata.version("flwr")
    for n in a.clients:
        sparse = 2 * math.ceil(math.log2(n)) + 1
        for graph, shares in (("all", n), ("2log2n", sparse)):
            if graph not in a.graphs:
                continue
            threshold = round(shares * 2 / 3)
            head = {"clients": n, "graph": graph, "neighbours": shares - 1, "threshold": threshold, "dropouts": max(1, n // 10)}
            if graph == "all" and n > 30:
                for d, r in time_full_graph(n, threshold, a.dims, clock):
                    print(json.dumps({**head, "d": d, **r, "flwr": version}), flush=True)
                continue
            for d in a.dims:
                r = time_protocol(n, 1.0 if graph == "all" else shares, threshold, d, clock)
                print(json.dumps({**head, "d": d, **r, "flwr": version}), flush=True)


def properties(clock):
    """Each check runs the installed code and reports what happened."""
    def say(name, **k):
        print(json.dumps({"property": name, **k, "flwr": importlib.metadata.version("flwr")}), flush=True)

    from flwr.common.secure_aggregation.secaggplus_utils import pseudo_rand_gen
    from flwr.common.secure_aggregation.crypto.symmetric_encryption import decrypt, encrypt, generate_shared_key
    from flwr.common.secure_aggregation.crypto.shamir import combine_shares, create_shares
    from flwr.supercore.primitives.asymmetric import bytes_to_private_key, bytes_to_public_key, generate_key_pairs, private_key_to_bytes, public_key_to_bytes

    # the mask generator
    a, b = bytes(range(32)), bytearray(range(32))
    b[0] ^= 0x55; b[4] ^= 0x55      # another 256-bit seed, same XOR of 32-bit words
    same = bool(np.array_equal(pseudo_rand_gen(a, 1 << 32, [(1000,)])[0], pseudo_rand_gen(bytes(b), 1 << 32, [(1000,)])[0]))
    word = 0
    for i in range(0, 32, 4):
        word ^= int.from_bytes(a[i:i + 4], "little")
    mt = bool(np.array_equal(pseudo_rand_gen(a, 1 << 32, [(1000,)])[0], np.random.RandomState(word).randint(0, (1 << 32) - 1, (1000,), dtype=np.int64)))
    say("the mask is MT19937 seeded with 32 bits (XOR of the seed's words)", where="common/secure_aggregation/secaggplus_utils.py pseudo_rand_gen",
        two_256_bit_seeds_give_the_same_mask=same, equals_numpy_RandomState_of_the_xor=mt)
    sk, _ = generate_key_pairs()
    top = 0
    for _ in range(300):
        k, w = generate_shared_key(sk, generate_key_pairs()[1]), 0
        for i in range(0, len(k), 4):
            w ^= int.from_bytes(k[i:i + 4], "little")
        top |= w & 0x80808080
    say("a pairwise seed has at most 28 bits: the key is base64 text, so the top bit of each byte of the XOR is 0",
        where="common/secure_aggregation/crypto/symmetric_encryption.py generate_shared_key + secaggplus_utils.py pseudo_rand_gen", top_bits_ever_set=bool(top), keys_tried=300)
    m = pseudo_rand_gen(os.urandom(32), 4, [(100000,)])[0]
    say("the highest residue is never drawn (randint(0, num_range-1) excludes its upper end)", where="secaggplus_utils.py pseudo_rand_gen", num_range=4, values_seen=sorted(set(m.tolist())))

    # a server that substitutes keys: client 1 talks to three forged neighbours
    setup = {Key.SAMPLE_NUMBER: 4, Key.SHARE_NUMBER: 4, Key.THRESHOLD: 2, Key.CLIPPING_RANGE: 8.0, Key.TARGET_RANGE: 1 << 22, Key.MOD_RANGE: 1 << 32, Key.MAX_WEIGHT: 1000.0}
    st = mod.SecAggPlusState(); st.nid = 1
    mod._setup(st, setup)
    forged = {i: (generate_key_pairs(), generate_key_pairs()) for i in (2, 3, 4)}
    out = mod._share_keys(st, {"1": [st.pk1, st.pk2], **{str(i): [public_key_to_bytes(p[0][1]), public_key_to_bytes(p[1][1])] for i, p in forged.items()}})
    shares = []
    for i, c in zip(out[Key.DESTINATION_LIST], out[Key.CIPHERTEXT_LIST]):
        shares.append(mod.share_keys_plaintext_separate(decrypt(generate_shared_key(forged[i][1][0], bytes_to_public_key(st.pk2)), c))[2:])
    seed, sk1 = combine_shares([s[0] for s in shares]), combine_shares([s[1] for s in shares])
    secret = np.random.default_rng(3).uniform(-1, 1, 1000)
    boxes = [encrypt(st.ss2_dict[i], mod.share_keys_plaintext_concat(i, 1, b"x" * 52, b"x" * 324)) for i in (2, 3, 4)]
    masked = [np.load(io.BytesIO(b)) for b in mod._collect_masked_vectors(st, {Key.CIPHERTEXT_LIST: boxes, Key.SOURCE_LIST: [2, 3, 4]}, 1000, ndarrays_to_parameters([secret]))[Key.MASKED_PARAMETERS]]
    dims = [x.shape for x in masked]
    v = [x - y for x, y in zip(masked, pseudo_rand_gen(seed, 1 << 32, dims))]
    for i in (2, 3, 4):    # client id 1 is the smallest: it subtracted each pairwise mask
        k = generate_shared_key(bytes_to_private_key(sk1), forged[i][0][1])
        v = [x + y for x, y in zip(v, pseudo_rand_gen(k, 1 << 32, dims))]
    got = (v[1] & 0xFFFFFFFF) * 16 / (1 << 22) - 8
    say("public keys are not signed or bound to identities: a server that substitutes the neighbours' keys reads one client's vector",
        where="client/mod/secure_aggregation/secaggplus_mod.py _share_keys (checks: own key present, keys distinct, count >= threshold)", client_accepted=True,
        recovered_seed=seed == st.rd_seed, recovered_private_key=sk1 == st.sk1, max_abs_error_of_the_recovered_vector=float(np.abs(got - secret).max()))

    # both kinds of share for one client
    st.rd_seed_share_dict.update({2: b"seed share"}); st.sk1_share_dict.update({2: b"key share"})
    r = mod._unmask(st, {Key.ACTIVE_NODE_ID_LIST: [1, 2], Key.DEAD_NODE_ID_LIST: [2, 1]})
    say("a client hands out both kinds of share of the same neighbour (and of itself) if it is listed as alive and as dead", where="secaggplus_mod.py _unmask",
        ids=r[Key.NODE_ID_LIST], both_kinds_of_client_2=r[Key.SHARE_LIST][1] == b"seed share" and r[Key.SHARE_LIST][2] == b"key share")
    r = mod._unmask(st, {Key.ACTIVE_NODE_ID_LIST: [2, 2], Key.DEAD_NODE_ID_LIST: []})
    say("the number of survivors that a client demands is the server's own threshold, and one id repeated counts twice", where="secaggplus_mod.py _setup, _unmask", accepted_active_list=[2, 2], answered=len(r[Key.SHARE_LIST]))
    low = mod.SecAggPlusState(); low.nid = 1
    mod._setup(low, {**setup, Key.THRESHOLD: 1, Key.SHARE_NUMBER: 100})
    say("a client accepts any threshold from the server: there is no lower bound", where="secaggplus_mod.py check_configs, _setup", threshold_accepted=low.threshold, share_number=low.share_num)
    say("no consistency round: clients neither sign nor compare the list of survivors", where="secaggplus_constants.py Stage", stages=list(Stage.all()))

    # dropouts by stage
    for stage in ("setup", "share_keys", "collect", "unmask"):
        p = protocol(10, 1.0, 6, 100, {stage: [0]}, clock)
        outcome, err = "completed" if p.ok else "halted", sorted(set(p.grid.errors))
        say(f"one client of 10 drops out in stage {stage}", threshold=6, outcome=outcome, client_errors=err[:1], max_abs_error=p.error,
            where="secaggplus_workflow.py unmask_stage asks for the key shares of every sampled client that is not active; _unmask has none of a client that left before it sent them" if not p.ok else "")
    p = protocol(10, 4, 3, 100, {}, clock)
    say("an even number of shares below n: clients are told the number before the server adds one to it", where="secaggplus_workflow.py setup_stage",
        num_shares=4, clients=10, outcome="completed" if p.ok else "halted", client_errors=sorted(set(p.grid.errors))[:1], max_abs_error=p.error)

    # what travels in the clear, what is kept
    p = protocol(5, 1.0, 3, 1000, {}, clock)
    seen = {q.node_id: f.num_examples for q, f in p.strategy.seen}
    say("the weight is masked, yet num_examples and metrics reach the server in the clear", where="secaggplus_mod.py secaggplus_mod (only array records are cleared)",
        server_saw_every_client_num_examples=seen == {i: c.weight for i, c in p.clients.items()},
        server_saw_every_client_metrics=all(f.metrics == {"loss": 0.5} for _, f in p.strategy.seen))
    kept = next(iter(p.clients.values())).context.state.config_records[RECORD_KEY_STATE]
    say("private keys, the mask seed and neighbours' shares stay in the client's context state after the round", where="secaggplus_mod.py secaggplus_mod, SecAggPlusState.to_dict",
        kept=[k for k in ("sk1", "sk2", "rd_seed", "rd_seed_share_dict:V", "sk1_share_dict:V") if kept.get(k)])
    say("a masked vector is sent as int64: 8 bytes per coordinate of a 32-bit modulus", where="secaggplus_mod.py _collect_masked_vectors", d=1000, upload_bytes=p.grid.bytes)
    try:
        mod.check_configs(Stage.UNMASK, ConfigRecord({Key.ACTIVE_NODE_ID_LIST: [0.0, 0.0], Key.DEAD_NODE_ID_LIST: []}))
        passed = True
    except TypeError:
        passed = False
    say("the type check of lists passes wrong types that are falsy (any(elm for ...) tests the element, not its type)", where="secaggplus_mod.py check_configs", list_of_zero_floats_accepted_as_ids=passed)
    s = create_shares(b"k" * 32, 3, 5)
    bad = [s[0], s[1], s[2][:4] + bytes([s[2][4] ^ 1]) + s[2][5:]]
    try:
        wrong = combine_shares(bad) != b"k" * 32
        how = "a wrong secret, no error" if wrong else "right secret"
    except ValueError as e:
        how = f"ValueError: {e}"
    say("shares are not verifiable: one altered share", where="common/secure_aggregation/crypto/shamir.py combine_shares", result=how)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--clients", type=int, nargs="+", default=[10, 100])
    p.add_argument("--dims", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    p.add_argument("--graphs", nargs="+", default=["all", "2log2n"])
    p.add_argument("--properties", action="store_true")
    a = p.parse_args()
    TaskIdentity.task_id, TaskIdentity.run_id, TaskIdentity.node_id = 1, 1, 1
    clock = Clock()
    clock.wrap(mod, "pseudo_rand_gen", "prg"); clock.wrap(mod, "generate_shared_key", "ecdh"); clock.wrap(mod, "create_shares", "create_shares")
    clock.wrap(wf, "pseudo_rand_gen", "server_prg"); clock.wrap(wf, "combine_shares", "combine_shares")
    properties(clock) if a.properties else timing(a, clock)


main()
