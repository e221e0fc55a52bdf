internal import SandboxModel

/// Asks a scan what the catalogue wants to know.
extension Scan {
    /// One of the options that make a command line harmless is there for certain.
    var isHarmless: Bool { path.contains { fails($0.harmless) } }

    private func fails(_ clause: Criterion.Clause) -> Bool {
        if clause.asksOnlyForOptions, clause.options.isDisjoint(with: possible) { return !clause.isNegated }
        return clause.tests.contains { holds($0, forCertain: clause.isNegated) } == clause.isNegated
    }

    /// The words of the condition that made it hold; nil where it does not.
    func witness(_ condition: Criterion) -> [String]? {
        if condition.lines.isEmpty { return [] }
        for line in condition.lines {
            if let words = witness(line) { return words }
        }
        return nil
    }

    func holds(_ condition: Criterion) -> Bool { witness(condition) != nil }

    private func witness(_ line: [Criterion.Clause]) -> [String]? {
        var words: [String] = []
        for clause in line where fails(clause) { return nil }
        for clause in line where !clause.isNegated {
            if let found = clause.tests.first(where: { holds($0, forCertain: false) }) { words.append(found.text) }
        }
        return words
    }

    private func holds(_ test: Test, forCertain: Bool) -> Bool {
        switch test.kind {
        case .option(let id): return forCertain ? certain.contains(id) : possible.contains(id)
        case .value(let id, let glob):
            guard possible.contains(id) else { return false }
            // The last one is what holds; any one may be what was meant.
            if forCertain {
                guard certain.contains(id), let last = values.last(where: { $0.option == id }), last.isSure else { return false }
                return matches(glob, last.argument, from: last.start, test)
            }
            for value in values where value.option == id && matches(glob, value.argument, from: value.start, test) { return true }
            return false
        case .anyOperand(let glob):
            for operand in operands where matches(glob, operand, test) { return true }
            return false
        case .operand(let n, let glob):
            guard n <= operands.count else { return false }
            return matches(glob, operands[n - 1], test)
        case .lastOperand(let glob):
            guard let last = operands.last else { return false }
            return matches(glob, last, test)
        case .remoteOperand(let n): return n <= operands.count && isRemote(operands[n - 1])
        case .remoteLast: return operands.last.map(isRemote) ?? false
        case .operandCount(let n): return operands.count >= n
        case .afterDashes: return dashes.map { operands.count > $0 } ?? false
        case .assigned(let glob): return !each(glob, of: assigned).isEmpty
        }
    }

    /// The arguments `NAME=value` with such a name, and where their values begin.
    private func each(_ name: ByteGlob, of assigned: [Int]) -> [(argument: Int, start: Int)] {
        assigned.compactMap { argument in
            guard let equals = arguments[argument].firstIndex(of: UInt8(ascii: "=")) else { return nil }
            let variable = arguments[argument][..<equals]
            return name.matches(variable.span) ? (argument, equals + 1) : nil
        }
    }

    private func isRemote(_ argument: Int) -> Bool { !HostText.read(arguments[argument][...], as: .remote).hosts.isEmpty }

    private func matches(_ glob: ByteGlob, _ argument: Int, from start: Int = 0, _ test: Test) -> Bool {
        let text = arguments[argument][start...]
        if test.isAnyCase {
            let lower = text.map(Self.lower)
            return glob.matches(lower.span)
        }
        return glob.matches(text.span)
    }

    /// The arguments at a place, and where in them it begins.
    func each(_ places: [Place], _ body: (_ argument: Int, _ start: Int, _ end: Int) -> Void) {
        for place in places {
            switch place {
            case .option(let id): for v in values where v.option == id { body(v.argument, v.start, v.end) }
            case .setting(let id, let glob, let isAnyCase):
                for v in values where v.option == id {
                    let text = arguments[v.argument][v.start...]
                    guard let equals = text.firstIndex(where: { "= ".utf8.contains($0) }) else { continue }
                    let name = text[..<equals]
                    if glob.matches((isAnyCase ? name.map(Self.lower)[...] : name).span) { body(v.argument, equals + 1, v.end) }
                }
            case .operand(let n): if n <= operands.count { body(operands[n - 1], 0, operands[n - 1] + 1) }
            case .operandsFrom(let n): for o in operands.dropFirst(n - 1) { body(o, 0, o + 1) }
            case .last: if let o = operands.last { body(o, 0, o + 1) }
            case .afterDashes: for o in operands.dropFirst(dashes ?? operands.count) { body(o, 0, o + 1) }
            case .assigned(let glob): for (argument, start) in each(glob, of: assigned) { body(argument, start, argument + 1) }
            case .after(let place, let mark):
                each([place]) { argument, start, end in
                    let text = arguments[argument][start...]
                    if text.lazy.map(Self.lower).starts(with: mark) { body(argument, start + mark.count, end) }
                }
            }
        }
    }

    func texts(_ places: [Place]) -> [ArraySlice<UInt8>] {
        var found: [ArraySlice<UInt8>] = []
        each(places) { argument, start, _ in found.append(arguments[argument][start...]) }
        return found
    }

    // MARK: What goes into the meaning

    func addTouches(of level: Level, to meaning: inout CommandMeaning) {
        for rule in level.files where holds(rule.condition) {
            // Where an option says which folder it is, the last operand is no folder.
            let places = rule.touch == .into ? rule.places.first { !texts([$0]).isEmpty }.map { [$0] } ?? [] : rule.places
            for path in texts(places) where !path.isEmpty { meaning.touches.append((rule.touch, Array(path))) }
        }
    }

    func addTarget(of level: Level, to meaning: inout CommandMeaning) {
        let port = level.ports.isEmpty ? nil : texts(level.ports).last.flatMap(HostText.port)
        for (shape, places) in level.hosts {
            for text in texts(places) {
                for host in HostText.read(text, as: shape).hosts { meaning.hosts.append((host.name, host.port ?? port)) }
            }
        }
        if meaning.database == nil, !level.databases.isEmpty {
            meaning.database = texts(level.databases).lazy.compactMap(HostText.database).first
        }
    }

    /// `inPlace`: the arguments are those of the process, so that a text can be rewritten where it stands.
    func addStatements(of level: Level, to meaning: inout CommandMeaning, inPlace: Bool, elsewhere: Bool) {
        for rule in level.statements {
            each(rule.text) { argument, start, _ in
                meaning.statements.append(
                    StatementSource(
                        .text(Array(arguments[argument][start...])), rule.dialect, argument: inPlace ? argument : nil, prefix: start,
                        isElsewhere: elsewhere))
            }
            for file in texts(rule.file) {
                let isInput = file.count == 1 && file.first == UInt8(ascii: "-") || file.elementsEqual("/dev/stdin".utf8)
                meaning.statements.append(
                    StatementSource(isInput ? .standardInput : .file(Array(file)), rule.dialect, isElsewhere: elsewhere))
            }
            if let condition = rule.standardInput, holds(condition) {
                meaning.statements.append(StatementSource(.standardInput, rule.dialect, isElsewhere: elsewhere))
            }
        }
    }
}
