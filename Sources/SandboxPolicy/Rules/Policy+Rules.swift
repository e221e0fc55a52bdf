package import SandboxModel

extension Policy {
    /// What the rules say; the lists (`judge…`) have a say of their own, and the stricter of the two holds. Rules that count
    /// note the operation in `counters`; without them they count this operation alone (`explain`).
    package func decide(_ facts: borrowing Facts, counters: Counters?) -> Verdict { Verdict() }

    /// Whether any rule could have something to say: where it is false, nobody need collect facts.
    package func rulesMayMatter(for operation: Operation, _ access: FileAccess = []) -> Bool { false }

    /// The names behind the bits of `Facts.carries`.
    package var dataClasses: [String] { [] }
    /// The classes of a file by its resolved path, as bits.
    package func classes(ofFile path: Span<UInt8>) -> UInt64 { 0 }
}
