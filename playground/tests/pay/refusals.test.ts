import { beforeAll, describe, expect, it, vi } from "vitest";

let afford: typeof import("../../src/pay/refusals").afford;
let wayOn: typeof import("../../src/pay/refusals").wayOn;
let Problem: typeof import("../../src/api/http").Problem;

beforeAll(async () => {
  vi.stubGlobal("document", { querySelector: () => null });
  ({ afford, wayOn } = await import("../../src/pay/refusals"));
  ({ Problem } = await import("../../src/api/http"));
});

describe("what an account holds against what an edit costs", () => {
  it("suffices to the last atomic unit", () => {
    expect(() => afford(2100n, "2100", "0xme")).not.toThrow();
    expect(() => afford(2099n, "2100", "0xme")).toThrow();
  });

  it.each([
    [0n, "2100", "$0.00", "$0.0021"],
    [1n, "1000000", "$0.000001", "$1.00"],
    [1_500_000n, "20000000", "$1.50", "$20.00"],
    [99_999_999n, "100000001", "$99.999999", "$100.000001"],
  ])("is said in dollars: %d of %s", (held, due, has, costs) => {
    expect(() => afford(held, due, "0xme")).toThrow(`This account holds ${has} in USDC and the edit costs ${costs}. Add USDC to 0xme`);
  });
});

describe("a refusal of the server's", () => {
  it("names a way on where it is about money, once", () => {
    const poor = new Problem("0xme holds $0.00; the price is $0.0021.", 402, "insufficient_funds");
    expect(wayOn(poor)).toMatch(/^0xme holds .* Add USDC to that account, or connect another one\. Nothing was charged\.$/);
    expect(wayOn(new Problem("Add USDC to 0xme.", 402, "insufficient_funds"))).toBe("Add USDC to 0xme.");
    expect(wayOn(new Problem("No unicorns here.", 400, "cannot_honour"))).toBe("No unicorns here.");
  });
});
