internal import SandboxModel

/// Some of the options of one command line.
struct OptionBits: Sendable {
    private var words: SIMD4<UInt64> = .zero

    func contains(_ id: Int) -> Bool { words[id >> 6] & (1 << UInt64(id & 63)) != 0 }
    mutating func insert(_ id: Int) { words[id >> 6] |= 1 << UInt64(id & 63) }
    mutating func remove(_ id: Int) { words[id >> 6] &= ~(1 << UInt64(id & 63)) }
    func isDisjoint(with other: OptionBits) -> Bool { (words & other.words) == .zero }
}

/// Arguments sorted into subcommands, options with their values, and operands, as the program would.
///
/// Where that is in doubt (an option that the catalogue does not know may or may not take the next word) the doubt is kept:
/// what may be there counts for an intent, only what is there for certain counts against one.
struct Scan {
    /// The value of an option.
    struct Occurrence {
        let option: Int
        /// The argument that holds the value, and where in it.
        let argument: Int
        let start: Int
        /// The argument after the last that belongs to it.
        let end: Int
        let isSure: Bool
    }

    private(set) var path: [Level]
    private(set) var possible = OptionBits()
    private(set) var certain = OptionBits()
    private(set) var values: [Occurrence] = []
    private(set) var operands: [Int] = []
    /// `NAME=value`, where that is none of them.
    private(set) var assigned: [Int] = []
    /// How many operands there were before `--`.
    private(set) var dashes: Int?
    let arguments: [[UInt8]]
    let start: Int
    let end: Int

    private var level: Level
    /// Words since the level began that are no options.
    private var words = 0
    private var seeksCommand: Bool
    private var optionsEnded = false
    /// The argument before this one was an option that is not known, so that this one may be its value.
    private var isDoubtful = false

    private init(_ level: Level, _ arguments: [[UInt8]], start: Int, end: Int) {
        self.level = level
        self.start = start
        self.arguments = arguments
        self.end = end
        path = [level]
        seeksCommand = level.hasCommands
    }

    /// The ways in which the arguments may be read: one, but for words of which it cannot be told whether they are the
    /// subcommand, or the program that is started, or the value of an option that is not known.
    static func readings(
        of level: Level, _ arguments: [[UInt8]], from start: Int, to end: Int, command: [UInt8]?, _ body: (Scan) -> Void
    ) {
        var scan = Scan(level, arguments, start: start, end: end)
        if let command { _ = scan.enter(command[...]) }
        var at = start
        var open: [(scan: Scan, at: Int)] = []
        var done = 0
        while true {
            while at < end {
                if let doubt = scan.step(&at), done + open.count + 1 < maximumReadings { open.append(doubt) }
            }
            scan.finish()
            body(scan)
            done += 1
            guard let next = open.popLast() else { return }
            (scan, at) = next
        }
    }
    private static let maximumReadings = 8

    /// Takes the next argument, and what belongs to it. Returns the other way of reading it, where there is one.
    private mutating func step(_ at: inout Int) -> (scan: Scan, at: Int)? {
        let word = arguments[at]
        if !optionsEnded {
            if word.count > 1, word[0] == UInt8(ascii: "-") {
                option(word, &at)
                return nil
            }
            if at == start, level.style.contains(.bundleFirst), !word.isEmpty {
                bundle(word, from: 0, &at)
                return nil
            }
            if level.style.contains(.plusOptions), operands.isEmpty, word.first == UInt8(ascii: "+") {
                // `+O extglob`
                let option = word.last.flatMap { $0 < 128 ? level.options.short[Int($0)] : nil }
                if case .required? = option?.argument { at += 1 }
                at = min(at + 1, end)
                return nil
            }
        }
        if level.style.contains(.assignments), operands.isEmpty, Self.isAssignment(word) {
            assigned.append(at)
            at += 1
            return nil
        }
        at += 1
        return operand(word[...], at - 1)
    }

    private mutating func operand(_ word: ArraySlice<UInt8>, _ argument: Int) -> (scan: Scan, at: Int)? {
        let wasDoubtful = isDoubtful
        isDoubtful = false
        // The word may also be the value of the option before it.
        var other: Scan?
        if wasDoubtful, seeksCommand || level.startsOperand, !optionsEnded { other = self }
        guard seeksCommand else {
            operands.append(argument)
            count()
            return other.map { ($0, argument + 1) }
        }
        if !enter(word) {
            operands.append(argument)
            seeksCommand = wasDoubtful
            count()
        }
        return other.map { ($0, argument + 1) }
    }

    private mutating func count() {
        words += 1
        if words == level.stop { optionsEnded = true }
    }

    /// The subcommand of that name, if there is one.
    private mutating func enter(_ word: ArraySlice<UInt8>) -> Bool {
        let word = level.style.contains(.ignoreCase) ? word.map(Self.lower)[...] : word
        guard let command = level.commands[word] ?? level.command(like: word) else { return false }
        count()
        guard case .level(let next) = command else { return true }
        path.append(next)
        level = next
        words = 0
        seeksCommand = next.hasCommands
        // One that says where its options end has options of its own.
        if let stop = next.stop { optionsEnded = stop == 0 || dashes != nil }
        return true
    }

    private mutating func finish() {
        if seeksCommand, operands.isEmpty, let bare = level.bare { path.append(bare) }
    }

    // MARK: Options

    private mutating func option(_ word: [UInt8], _ at: inout Int) {
        if word.count == 2, word[1] == UInt8(ascii: "-") {
            optionsEnded = true
            isDoubtful = false
            dashes = operands.count
            at += 1
        } else if word[1] == UInt8(ascii: "-") || level.style.contains(.singleDash) {
            long(word, &at)
        } else {
            bundle(word, from: 1, &at)
        }
    }

    private mutating func long(_ word: [UInt8], _ at: inout Int) {
        let equals = word.firstIndex(of: UInt8(ascii: "="))
        var name = word[..<(equals ?? word.count)]
        if level.style.contains(.singleDash), name.count > 1, name[1] == UInt8(ascii: "-") { name = name.dropFirst() }
        if level.style.contains(.underscores) { name = name.map { $0 == UInt8(ascii: "_") ? UInt8(ascii: "-") : $0 }[...] }
        let isSure = !isDoubtful
        isDoubtful = false
        if let option = level.options.names[name] {
            see(option, isSure: isSure, value: equals.map { $0 + 1 }, word, &at)
            return
        }
        at += 1
        if level.style.contains(.negations), name.starts(with: "--no-".utf8),
            let option = level.options.names[(Array("--".utf8) + name.dropFirst(5))[...]]
        {
            takeBack(option.id, isSure: isSure)
            return
        }
        let meant = name.count > 2 ? level.options.names.values(beginning: name) : []
        guard let first = meant.first, level.style.contains(.abbreviations) else {
            // The program may know the option, may read it as the beginning of another, or refuse it.
            for option in meant where name.count > 3 {
                possible.insert(option.id)
                if let equals, case .required = option.argument {
                    values.append(Occurrence(option: option.id, argument: at - 1, start: equals + 1, end: at, isSure: false))
                }
            }
            isDoubtful = equals == nil
            return
        }
        at -= 1
        // Several: the program would refuse it, or knows fewer of them than the catalogue.
        let isOne = meant.allSatisfy { $0.id == first.id }
        for option in meant.dropFirst() where option.id != first.id { possible.insert(option.id) }
        see(first, isSure: isSure && isOne, value: equals.map { $0 + 1 }, word, &at)
    }

    private mutating func bundle(_ word: [UInt8], from: Int, _ at: inout Int) {
        var isSure = !isDoubtful
        isDoubtful = false
        for i in from..<word.count {
            guard word[i] < 128, let option = level.options.short[Int(word[i])] else {
                // It may take the rest of the word, or the next one.
                isSure = false
                isDoubtful = true
                continue
            }
            if case .none = option.argument {
                set(option.id, isSure: isSure)
                isDoubtful = isDoubtful && i + 1 < word.count
                continue
            }
            isDoubtful = false
            let rest = i + 1 < word.count && word[i + 1] == UInt8(ascii: "=") ? i + 2 : i + 1
            return see(option, isSure: isSure, value: i + 1 < word.count ? rest : nil, word, &at)
        }
        at += 1
    }

    /// An option of which the name is known: its value stands in the same argument, or in the next one.
    private mutating func see(_ option: Option, isSure: Bool, value: Int?, _ word: [UInt8], _ at: inout Int) {
        defer { at += 1 }
        if case .none = option.argument {
            if let value, Self.isNo(word[value...]) { return takeBack(option.id, isSure: isSure) }
            return set(option.id, isSure: isSure)
        }
        set(option.id, isSure: isSure)
        if case .last = option.argument { optionsEnded = true }
        if let value {
            // `--dry-run=none` is none, but `--in-place=no` is a suffix.
            if case .attached = option.argument, Self.isNo(word[value...]) { certain.remove(option.id) }
            values.append(Occurrence(option: option.id, argument: at, start: value, end: past(option, at + 1), isSure: isSure))
        } else if case .attached = option.argument {
            return
        } else if at + 1 < end {
            let first = at + 1
            at = first
            if case .command = option.argument { at = endOfCommand(from: first) }
            if case .several(let count) = option.argument { at = min(first + count, end) - 1 }
            let past = past(option, max(at, first + 1))
            values.append(Occurrence(option: option.id, argument: first, start: 0, end: past, isSure: isSure))
        }
    }

    /// What comes after the last of all options belongs to it.
    private func past(_ option: Option, _ next: Int) -> Int {
        if case .last = option.argument { end } else { next }
    }

    /// find(1): `;` ends it, and so does `+` after `{}`.
    private func endOfCommand(from first: Int) -> Int {
        var i = first
        while i < end {
            let word = arguments[i]
            if word.count == 1 {
                if word[0] == UInt8(ascii: ";") { return i }
                if word[0] == UInt8(ascii: "+"), i > first, arguments[i - 1] == Array("{}".utf8) { return i }
            }
            i += 1
        }
        return i
    }

    private mutating func set(_ id: Int, isSure: Bool) {
        possible.insert(id)
        if isSure { certain.insert(id) }
    }

    private mutating func takeBack(_ id: Int, isSure: Bool) {
        certain.remove(id)
        if isSure { possible.remove(id) }
    }

    // MARK: Words

    static func lower(_ byte: UInt8) -> UInt8 { (0x41...0x5a).contains(byte) ? byte | 0x20 : byte }

    private static let noes: [[UInt8]] = ["false", "0", "no", "off", "f", "n", "F", "False", "FALSE", "none"].map { Array($0.utf8) }
    private static func isNo(_ text: ArraySlice<UInt8>) -> Bool { text.count <= 5 && noes.contains { $0[...] == text } }

    private static func isAssignment(_ word: [UInt8]) -> Bool {
        guard let equals = word.firstIndex(of: UInt8(ascii: "=")) else { return false }
        return equals > 0 && !word[..<equals].contains(UInt8(ascii: "/"))
    }
}
