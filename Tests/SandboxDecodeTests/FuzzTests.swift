import SandboxDecode
import SandboxModel
import Testing

/// Registers are whatever a program puts there.
@Suite struct DecodeFuzzTests {
    private struct Random: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {  // splitmix64
            state &+= 0x9e37_79b9_7f4a_7c15
            var z = state
            z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
            z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
            return z ^ z >> 31
        }
        /// What is met at the edges of every width.
        mutating func register() -> UInt64 {
            let edges: [UInt64] = [
                0, 1, .max, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 0x1_0000_0000, 1 << 63, .max >> 1, ~0xfff, 0xffff_ff9c,
            ]
            return next() % 3 == 0 ? edges[Int(next() % UInt64(edges.count))] : next() >> (next() % 64)
        }
    }

    /// Decoding traps on nothing, and says the same twice: a decision made on it is the one that is recorded.
    @Test(arguments: 1...8 as ClosedRange<UInt64>) func randomRegisters(seed: UInt64) {
        var random = Random(state: seed)
        for round in 0..<20_000 {
            let number = round % 2 == 0 ? Int32(random.next() % 512) : Int32(truncatingIfNeeded: random.next())
            let call = RawCall(
                number: number,
                arguments: [
                    random.register(), random.register(), random.register(), random.register(), random.register(), random.register(),
                ])
            let meaning = call.decoded
            if round % 20 == 0 { #expect("\(meaning)" == "\(call.decoded)") }
        }
    }

    /// What has no row is refused.
    @Test func unknownNumbers() {
        for number in [-1, Int32.min, Int32.max, 0x4000_0002, 512, 100_000] {
            guard case .unknown = RawCall(number: number, arguments: [0, 0, 0, 0, 0, 0]).decoded else {
                Issue.record("\(number) has a meaning")
                continue
            }
        }
    }
}
