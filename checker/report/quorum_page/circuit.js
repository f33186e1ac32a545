// Whether nodes that are up contain a quorum: the circuit of the verifier, evaluated.

class Quorum {
  /** Thresholds with weights that are no exact numbers here come as texts, and are added as big integers. */
  constructor(quorums) {
    this.always = quorums.always;
    this.parts = quorums.parts.map((part) => {
      if (typeof part === "number") return part;
      const [needed, weights, members] = part;
      const big = typeof needed === "string";
      return { needed: big ? BigInt(needed) : needed, weights: big ? weights.map(BigInt) : weights, members, zero: big ? 0n : 0 };
    });
  }

  /** `down` is a set of nodes. */
  within(down) {
    if (!this.parts.length) return this.always;
    const held = new Uint8Array(this.parts.length);
    this.parts.forEach((part, k) => {
      if (typeof part === "number") {
        held[k] = down.has(part) ? 0 : 1;
        return;
      }
      let sum = part.zero;
      for (let m = 0; m < part.members.length; m += 1) if (held[part.members[m]]) sum += part.weights[m];
      held[k] = sum >= part.needed ? 1 : 0;
    });
    return held[held.length - 1] === 1;
  }

  /** How much it takes to evaluate it once. */
  get size() {
    return this.parts.reduce((sum, part) => sum + (typeof part === "number" ? 1 : part.members.length), 1);
  }
}
