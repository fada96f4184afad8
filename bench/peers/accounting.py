# Provenance: the project's shared peer scripts (accounting.py), unchanged below this line; it measures the installed dp-accounting.
"""CPU time of dp-accounting on six standard cases, by its RDP and its PLD accountant.

usage: accounting.py [--repeats N] [--discretization H] [--case NAME]
Prints one line of JSON per case and method: {case, method, epsilon, cpu_ms, ...}. cpu_ms is the median over the repeats of
the process' CPU time (all threads) for a fresh accountant: compose everything, then read epsilon (or calibrate). Imports
and the first, untimed call are not counted. Repeats of the two methods alternate.
"""
import os
os.environ.setdefault("OMP_NUM_THREADS", "1")
import argparse, importlib.metadata, json, logging, statistics, time, warnings
warnings.filterwarnings("ignore")
from absl import logging as absl_logging
import dp_accounting as dpa
from dp_accounting.pld import PLDAccountant
from dp_accounting.rdp import RdpAccountant

absl_logging.set_verbosity(absl_logging.FATAL)
logging.disable(logging.CRITICAL)


def sampled(q, sigma, steps):
    return dpa.SelfComposedDpEvent(dpa.PoissonSampledDpEvent(q, dpa.GaussianDpEvent(sigma)), steps)


# name: (segments of (sampling probability, noise multiplier, steps), delta); calibrate: (q, steps, epsilon, delta)
CASES = {
    "mnist": ([(256 / 60000, 1.1, 14000)], 1e-5),
    "cifar": ([(1024 / 50000, 3.0, 2500)], 1e-5),
    "heterogeneous": ([(0.01, 1.2, 2000), (0.02, 1.0, 500), (0.005, 0.8, 3000)], 1e-6),
    "many_steps": ([(0.001, 0.8, 100000)], 1e-6),
    "small_sigma": ([(0.01, 0.5, 1000)], 1e-5),
}
CALIBRATE = (0.01, 5000, 3.0, 1e-5)


def spend(fresh, segments, delta):
    a = fresh()
    for s in segments:
        a.compose(sampled(*s))
    return a.get_epsilon(delta)


def calibrate(fresh, q, steps, epsilon, delta):
    return dpa.calibrate_dp_mechanism(fresh, lambda s: sampled(q, s, steps), epsilon, delta,
                                      bracket_interval=dpa.ExplicitBracketInterval(0.3, 10.0), tol=1e-6)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--repeats", type=int, default=7)
    p.add_argument("--discretization", type=float, default=1e-4)
    p.add_argument("--case")
    a = p.parse_args()
    methods = {"rdp": RdpAccountant, "pld": lambda: PLDAccountant(value_discretization_interval=a.discretization)}
    jobs = {n: (lambda f, c=c: spend(f, *c)) for n, c in CASES.items()}
    jobs["calibrate_epsilon_3"] = lambda f: calibrate(f, *CALIBRATE)
    version = importlib.metadata.version("dp-accounting")
    for name, job in jobs.items():
        if a.case and a.case != name:
            continue
        value, times = {}, {m: [] for m in methods}
        for m, fresh in methods.items():
            value[m] = float(job(fresh))
        for _ in range(a.repeats):
            for m, fresh in methods.items():
                s = time.process_time()
                job(fresh)
                times[m].append((time.process_time() - s) * 1e3)
        for m in methods:
            line = {"case": name, "method": m, "epsilon": value[m], "cpu_ms": round(statistics.median(times[m]), 2),
                    "cpu_ms_min": round(min(times[m]), 2), "repeats": a.repeats}
            if name == "calibrate_epsilon_3":
                q, steps, eps, delta = CALIBRATE
                sigma = line.pop("epsilon")
                line = {"case": name, "method": m, "epsilon": float(spend(methods[m], [(q, sigma, steps)], delta)),
                        "noise_multiplier": sigma, **line, "target_epsilon": eps, "delta": delta, "q": q, "steps": steps, "tolerance": 1e-6}
            else:
                segments, delta = CASES[name]
                line |= {"segments": segments, "delta": delta}
            if m == "pld":
                line["discretization"] = a.discretization
            print(json.dumps(line | {"dp_accounting": version}), flush=True)


main()
