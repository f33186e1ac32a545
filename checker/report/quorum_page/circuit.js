// Whether nodes that are up contain a quorum: the circuit of the verifier, evaluated.

const ALWAYS = -2; // instead of a part: what a node asks for is nothing

class Quorum {
  /** Thresholds with weights that are no exact numbers here come as texts, and are added as big integers. */
  constructor(quorums) {
    this.always = quorums.always;
    this.slices = quorums.slices;
    this.bare = new Set(quorums.bare);
    this.parts = quorums.parts.map((part) => {
      if (typeof part === "number") return part;
      const [needed, weights, members] = part;
      const big = typeof needed === "string";
      return { needed: big ? BigInt(needed) : needed, weights: big ? weights.map(BigInt) : weights, members, zero: big ? 0n : 0 };
    });
  }

  /** `down` is a set of nodes. */
  within(down) {
    if (this.slices) return this.federated(down);
    if (!this.parts.length) return this.always;
    return this.held((node) => !down.has(node))[this.parts.length - 1] === 1;
  }

  /** For each part, whether nodes that are up make it. */
  held(isUp) {
    const held = new Uint8Array(this.parts.length);
    this.parts.forEach((part, k) => {
      if (typeof part === "number") {
        held[k] = isUp(part) ? 1 : 0;
        return;
      }
      let sum = part.zero;
      for (let m = 0; m < part.members.length; m += 1) if (held[part.members[m]]) sum += part.weights[m];
      held[k] = sum >= part.needed ? 1 : 0;
    });
    return held;
  }

  /** Nodes that those left do not convince leave, until all are convinced: what is left is the greatest quorum. */
  federated(down) {
    let left = new Set(this.slices.keys());
    for (const node of down) left.delete(node);
    for (;;) {
      const held = this.held((node) => left.has(node));
      const kept = [...left].filter((node) => this.slices[node] === ALWAYS || held[this.slices[node]] === 1);
      if (kept.length === left.size) return kept.some((node) => !this.bare.has(node));
      left = new Set(kept);
    }
  }

  /** How much it takes to evaluate it once. */
  get size() {
    return this.parts.reduce((sum, part) => sum + (typeof part === "number" ? 1 : part.members.length), 1);
  }
}
