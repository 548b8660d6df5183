"""The failover model of `benches/sim.rs`, written as anybody would in simpy: the peer that our own engine is measured beside.

    python sim.py MODEL.json

prints the CPU seconds that the drills took, and the percentiles of the recovery time, as one JSON object.
"""

import json
import math
import random
import sys
import time

import simpy

Z95 = 1.6448536269514727


def sampler(spread):
    """A function that draws from a distribution."""
    kind = spread["is"]
    if kind == "fixed":
        value = spread["value"]
        return lambda: value
    if kind == "uniform":
        low, high = spread["from"], spread["to"]
        return lambda: random.uniform(low, high)
    if kind == "log-normal":
        mu, sigma = math.log(spread["p50"]), math.log(spread["p95"] / spread["p50"]) / Z95
        return lambda: random.lognormvariate(mu, sigma)
    mean = spread["mean"]
    return lambda: random.expovariate(1.0 / mean)


class Drill:
    """One drill: observers, a decider, steps and clients, each a process."""

    def __init__(self, model):
        self.model = model
        self.env = simpy.Environment()
        self.verdict = self.env.event()
        self.decided = self.env.event()
        self.published = self.env.event()
        self.held = []
        self.voters = 0
        self.outside = 0
        self.done = {}
        self.recovered = None
        self.served = 0

    def play(self):
        env, model = self.env, self.model
        detection = model["detection"]
        for outside in detection["outside"]:
            env.process(self.observer(detection, outside))
        env.process(self.decider(detection))
        self.done = {step["id"]: env.event() for step in model["steps"]}
        for step in model["steps"]:
            env.process(self.step(step))
        env.process(self.names())
        for _ in range(model["clients"]):
            env.process(self.client())
        env.run()
        return self.recovered

    def observer(self, detection, outside):
        probes = [self.env.process(self.probe(probe)) for probe in detection["probes"]]
        yield self.env.all_of(probes)
        self.voters += 1
        self.outside += outside
        if self.voters >= detection["quorum"] and self.outside and not self.held:
            self.held.append(self.env.now)

    def probe(self, probe):
        spacing = probe["interval"] * max(1, math.ceil(probe["look"] / probe["interval"]))
        yield self.env.timeout(random.random() * probe["interval"])
        for look in range(probe["trip"]):
            yield self.env.timeout(probe["look"])
            if look + 1 < probe["trip"]:
                yield self.env.timeout(spacing - probe["look"])

    def decider(self, detection):
        yield self.env.timeout(random.random() * detection["tick"])
        while not (self.held and self.env.now >= self.held[0] + detection["dwell"]):
            yield self.env.timeout(detection["tick"])
        self.verdict.succeed()
        yield self.env.timeout(self.model["draw_decision"]())
        self.decided.succeed()

    def step(self, step):
        yield self.decided
        if step["after"]:
            yield self.env.all_of([self.done[before] for before in step["after"]])
        pause = step["first_pause"]
        for attempt in range(1, step["attempts"] + 1):
            takes = step["draw"]()
            yield self.env.timeout(min(takes, step["timeout"]))
            if takes <= step["timeout"] and random.random() >= step["fails"]:
                self.done[step["id"]].succeed()
                return
            if attempt < step["attempts"]:
                yield self.env.timeout(min(pause, step["most_pause"]) * (1 - 0.5 * random.random()))
                pause *= 2

    def names(self):
        yield self.env.all_of([self.done[step] for step in self.model["moved_by"]])
        yield self.env.timeout(self.model["draw_publish"]())
        self.published.succeed()

    def client(self):
        yield self.published
        yield self.env.timeout(random.random() * self.model["ttl"])
        yield self.env.timeout(self.model["draw_reconnect"]())
        self.served += 1
        if self.served == self.model["clients"]:
            self.recovered = self.env.now


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        model = json.load(file)
    random.seed(1)
    for step in model["steps"]:
        step["draw"] = sampler(step["takes"])
    for name in ("decision", "publish", "reconnect"):
        model[f"draw_{name}"] = sampler(model[name])
    began = time.process_time()
    recovered = [Drill(model).play() for _ in range(model["drills"])]
    cpu = time.process_time() - began
    times = sorted(math.inf if at is None else at for at in recovered)
    result = {"cpu": cpu}
    for share in (50, 90, 95, 99):
        at = times[math.ceil(share / 100 * len(times)) - 1]
        result[f"p{share}"] = None if math.isinf(at) else at
    print(json.dumps(result))


if __name__ == "__main__":
    main()
