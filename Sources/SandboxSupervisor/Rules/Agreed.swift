internal import SandboxKernel
internal import SandboxModel
internal import SandboxPolicy

/// A program start that people have let go on. Where it was a wrapper's (`env`, `timeout`, the `env` in a script's first line), the
/// next start of the same process is what it wraps: whoever approved has read its words, and is not asked the same again.
struct Agreed {
    private let approval: String
    private let serial: UInt32
    private let words: [[UInt8]]
    private let rules: [RuleID]
    private let intents: IntentSet
    /// So many words at least are those of what is wrapped.
    let least: Int
    private var starts = 0

    init(_ approval: String, _ finding: Judged, _ words: [[UInt8]], _ caller: Caller, least: Int) {
        self.approval = approval
        self.least = least
        serial = caller.serial
        self.words = words
        rules = finding.judgementRules
        intents = finding.intents
    }

    /// One more program start of the process. False from the second on: this is about the first alone.
    mutating func goesOn(_ caller: Caller) -> Bool {
        starts += 1
        return starts == 1 && caller.serial == serial
    }

    /// The question's id, where this start is a part of what was shown, by the same rules, and means nothing else. `own`: the words of the
    /// program itself, or of the script that it interprets. The caller sees to it that nobody in the session could have made the program.
    func covers(_ finding: Judged, _ own: ArraySlice<[UInt8]>) -> String? {
        guard let name = own.first, own.count < words.count, own.count >= least, finding.judgementRules == rules,
            finding.intents.isSubset(of: intents),
            words.suffix(own.count - 1).elementsEqual(own.dropFirst())
        else { return nil }
        // A bare name was looked up in PATH, and a script's is written out.
        let said = words[words.count - own.count]
        return said == name || !said.contains(0x2f) && name.split(separator: 0x2f).last.map(Array.init) == said ? approval : nil
    }
}
