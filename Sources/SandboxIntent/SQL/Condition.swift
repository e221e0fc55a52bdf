/// A condition, as far as it takes to tell whether it leaves anything out.
indirect enum Condition: Hashable {
    enum Constant: Hashable {
        case null, bool(Bool), number(Double), text(String)
    }
    case constant(Constant)
    /// With what it is qualified by: `u.id`.
    case column(String)
    /// An operator, or a function by its name in small letters.
    case call(String, [Condition])
    case and([Condition]), or([Condition]), not(Condition)
    case isNull(Condition)
    /// One of these is the value.
    case choice([Condition])
    case opaque(readsColumns: Bool)

    /// What it says of the rows of a table.
    enum Truth {
        case always, never
        /// It depends on the row.
        case depends
        /// It says the same of every row, but what that is cannot be known: all of them, or none.
        case same
    }

    /// Whether every row may meet it.
    var leavesNothingOut: Bool { truth == .always || truth == .same }

    var truth: Truth {
        switch simplified {
        case .constant(.bool(true)): return .always
        case .constant(.number(let n)): return n != 0 ? .always : .never
        case .constant(.text(let text)): return Condition.isTrue(text)
        case .constant: return .never
        case .column: return .depends
        case .and(let parts): return Condition.all(parts.map(\.truth))
        case .or(let parts): return Condition.covers(parts) ? .always : Condition.any(parts.map(\.truth))
        case .not(.isNull(.column(let name))) where Condition.isKey(name): return .always
        case .not(let part): return part.complement?.truth ?? Condition.not(part.truth)
        case .choice(let parts):
            let truths = parts.map(\.truth)
            return truths.allSatisfy { $0 == .always } ? .always : truths.contains(.depends) ? .depends : .same
        case .opaque(let readsColumns): return readsColumns ? .depends : .same
        case .isNull(let part): return part.readsColumns ? .depends : .same
        case .call(let name, let operands):
            if Condition.isAlwaysMet(name, operands) { return .always }
            return Condition.isDrawn(name, operands) || operands.contains(where: \.readsColumns) ? .depends : .same
        }
    }

    /// CASE: which of the results it is. What does not depend on the row is the same for all of them.
    static func cases(_ cases: [(when: Condition, then: Condition)], otherwise: Condition) -> Condition {
        var results: [Condition] = [], isSettled = false, byRow = false
        for (when, then) in cases where !isSettled {
            let truth = when.truth
            if truth == .never { continue }
            results.append(then)
            isSettled = truth == .always
            byRow = byRow || truth == .depends
        }
        if !isSettled { results.append(otherwise) }
        if results.count == 1 { return results[0] }
        if !byRow { return .choice(results) }
        // All are true, but not the same value.
        if results.allSatisfy({ $0.truth == .always }) { return .or([.opaque(readsColumns: true), .choice(results)]) }
        return .opaque(readsColumns: true)
    }

    private static func isTrue(_ text: String) -> Truth {
        if let number = Double(text) { return number != 0 ? .always : .never }
        switch text.lowercased() {
        case "t", "true", "y", "yes", "on": return .always
        case "f", "false", "n", "no", "off": return .never
        default: return .same
        }
    }
    private static func all(_ truths: [Truth]) -> Truth {
        if truths.contains(.never) { return .never }
        return truths.contains(.depends) ? .depends : truths.contains(.same) ? .same : .always
    }
    private static func any(_ truths: [Truth]) -> Truth {
        if truths.contains(.always) { return .always }
        return truths.contains(.same) ? .same : truths.contains(.depends) ? .depends : .never
    }
    private static func not(_ truth: Truth) -> Truth { truth == .always ? .never : truth == .never ? .always : truth }

    var isColumn: Bool { if case .column = self { true } else { false } }

    var readsColumns: Bool {
        switch self {
        case .constant: false
        case .column: true
        case .call(_, let parts), .and(let parts), .or(let parts), .choice(let parts): parts.contains(where: \.readsColumns)
        case .not(let part), .isNull(let part): part.readsColumns
        case .opaque(let readsColumns): readsColumns
        }
    }

    /// Two that look the same are the same: nothing in it is opaque, or another value for each row.
    private var isTold: Bool {
        switch self {
        case .constant, .column: true
        case .call(let name, let parts): !Condition.chance.contains(name) && parts.allSatisfy(\.isTold)
        case .and(let parts), .or(let parts), .choice(let parts): parts.allSatisfy(\.isTold)
        case .not(let part), .isNull(let part): part.isTold
        case .opaque: false
        }
    }
    private static let chance: Set<String> = ["random", "rand", "random_normal", "gen_random_uuid", "uuid", "randomblob"]

    /// `random() < 0.1` draws some of the rows. What else is made of chance may be true of all of them: `random() <> 5`.
    private static func isDrawn(_ name: String, _ operands: [Condition]) -> Bool {
        guard operands.count == 2, let draw = operands.firstIndex(where: { $0 == .call("random", []) || $0 == .call("rand", []) }) else {
            return false
        }
        if name == "=" { return true }
        guard case .constant(.number(let share)) = operands[1 - draw] else { return false }
        return ["<", "<=", ">", ">="].contains(name) && share > 0 && share < 1
    }

    /// Rows of values are compared value by value.
    static func comparison(_ name: String, _ a: Condition, _ b: Condition) -> Condition {
        guard case .call("row", let x) = a, case .call("row", let y) = b, x.count == y.count, ["=", "<>"].contains(name) else {
            return .call(name, [a, b])
        }
        let parts = zip(x, y).map { Condition.call(name, [$0, $1]) }
        return name == "=" ? .and(parts) : .or(parts)
    }

    /// What is true where this is not (and not unknown), if that can be said as one.
    private var complement: Condition? {
        switch self {
        case .not(let part): return part
        case .and(let parts): return .or(parts.map { $0.complement ?? .not($0) })
        case .or(let parts): return .and(parts.map { $0.complement ?? .not($0) })
        case .call(let name, let operands):
            return Condition.opposites[name].map { .call($0, operands) }
        default: return nil
        }
    }
    private static let opposites = [
        "=": "<>", "<>": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">", "~~": "!~~", "!~~": "~~", "~~*": "!~~*", "!~~*": "~~*",
        "~": "!~", "!~": "~", "~*": "!~*", "!~*": "~*",
    ]
}

extension Condition {
    // MARK: Constants

    /// With everything computed that can be.
    var simplified: Condition {
        switch self {
        case .call(let name, let operands): return Condition.fold(name, operands.map(\.simplified))
        case .isNull(let part):
            guard case .constant(let value) = part.simplified else { return .isNull(part.simplified) }
            return .constant(.bool(value == .null))
        case .not(let part):
            switch part.simplified {
            case .constant(.bool(let value)): return .constant(.bool(!value))
            case .constant(.number(let value)): return .constant(.bool(value == 0))
            case .constant(.null): return .constant(.null)
            case .not(let inner): return inner
            case let other: return .not(other)
            }
        default: return self
        }
    }

    private static func fold(_ name: String, _ operands: [Condition]) -> Condition {
        let kept = Condition.call(name, operands)
        if operands.count == 1, name == "+" { return operands[0] }
        if operands.count == 1, name == "-", case .constant(.number(let n)) = operands[0] { return .constant(.number(-n)) }
        guard operands.count == 2 else { return kept }
        if let same = neutral(name, operands[0], operands[1]) { return same }
        guard case .constant(let a) = operands[0], case .constant(let b) = operands[1] else { return kept }
        if a == .null || b == .null {
            return ["is", "is not"].contains(name) ? .constant(.bool((a == b) == (name == "is"))) : .constant(.null)
        }
        if name == "||", case .text(let x) = a, case .text(let y) = b { return .constant(.text(x + y)) }
        guard let (x, y) = numbers(a, b) else { return compareTexts(name, a, b) ?? kept }
        switch name {
        case "=", "is", "<=>": return .constant(.bool(x == y))
        case "<>", "is not": return .constant(.bool(x != y))
        case "<": return .constant(.bool(x < y))
        case ">": return .constant(.bool(x > y))
        case "<=": return .constant(.bool(x <= y))
        case ">=": return .constant(.bool(x >= y))
        case "+": return .constant(.number(x + y))
        case "-": return .constant(.number(x - y))
        case "*": return .constant(.number(x * y))
        case "/" where y != 0: return .constant(.number(x / y))
        case "%" where y != 0: return .constant(.number(x.truncatingRemainder(dividingBy: y)))
        default: return kept
        }
    }

    /// `x + 0`, `x * 1`, `x || ''`: x; `x * 0`, `x - x`, `x & 0`: 0, as is `x % 1` of whole numbers.
    private static func neutral(_ name: String, _ a: Condition, _ b: Condition) -> Condition? {
        switch (name, a, b) {
        case ("+", _, .constant(.number(0))), ("-", _, .constant(.number(0))), ("*", _, .constant(.number(1))),
            ("/", _, .constant(.number(1))),
            ("||", _, .constant(.text(""))):
            return a
        case ("+", .constant(.number(0)), _), ("*", .constant(.number(1)), _), ("||", .constant(.text("")), _): return b
        case ("*", _, .constant(.number(0))), ("*", .constant(.number(0)), _), ("&", _, .constant(.number(0))),
            ("&", .constant(.number(0)), _), ("%", _, .constant(.number(1))):
            return .constant(.number(0))
        case ("-", .column(let x), .column(let y)) where isSame(x, y): return .constant(.number(0))
        default: return nil
        }
    }

    private static func numbers(_ a: Constant, _ b: Constant) -> (Double, Double)? {
        func value(_ c: Constant) -> Double? {
            switch c {
            case .number(let n): n
            case .bool(let b): b ? 1 : 0
            case .text(let text): Double(text)
            case .null: nil
            }
        }
        if case .text = a, case .text = b { return nil }
        guard let x = value(a), let y = value(b) else { return nil }
        return (x, y)
    }

    private static func compareTexts(_ name: String, _ a: Constant, _ b: Constant) -> Condition? {
        guard case .text(let x) = a, case .text(let y) = b else { return nil }
        switch name {
        case "=", "is", "<=>": return .constant(.bool(x == y))
        // Collations order as they like: only what no collation changes
        case "<>", "is not": return x.lowercased() == y.lowercased() && x != y ? nil : .constant(.bool(x != y))
        case _ where x == y && (name == "<=" || name == ">="): return .constant(.bool(true))
        case "~~" where x == y && !x.contains("\\") || matchesAnything(y): return .constant(.bool(true))
        default: return nil
        }
    }

    private static func matchesAnything(_ pattern: String) -> Bool { !pattern.isEmpty && pattern.allSatisfy { $0 == "%" } }

    // MARK: Rows

    static func isSame(_ a: String, _ b: String) -> Bool {
        let x = a.split(separator: ".").map { $0.lowercased() }, y = b.split(separator: ".").map { $0.lowercased() }
        return x == y || (x.count == 1 || y.count == 1) && x.last == y.last
    }

    /// Operators that are met by every row that has a value there.
    private static func isAlwaysMet(_ name: String, _ operands: [Condition]) -> Bool {
        guard operands.count >= 2 else { return false }
        let a = operands[0], b = operands[1]
        if ["=", "<=", ">=", "is", "<=>", "in", "between"].contains(name) {
            let others = name == "between" ? operands.dropFirst().prefix(2) : operands.dropFirst()
            if case .column(let x) = a, name != "between" {
                for case .column(let y) in others where isSame(x, y) { return true }
            } else if a == b, a.readsColumns, a.isTold {
                return true
            }
            if name == "between", operands.count == 3, case .column(let x) = a, case .column(let y) = b, case .column(let z) = operands[2] {
                return isSame(x, y) && isSame(x, z)
            }
        }
        if ["~~", "~~*", "~", "~*", "similar"].contains(name), case .constant(.text(let pattern)) = b {
            return name.hasPrefix("~~") || name == "similar"
                ? matchesAnything(pattern) : ["", ".*", "^", "$", "^.*$", ".*?"].contains(pattern)
        }
        return isAboveFloor(name, a, b) || isAboveFloor(flipped(name), b, a)
    }
    private static func flipped(_ name: String) -> String {
        ["<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=", "<>": "<>"][name] ?? ""
    }

    /// `length(x) >= 0`, and `id > 0`: keys count from one. `random() < 1`: it lies between 0 and 1. `x < 'infinity'`.
    private static func isAboveFloor(_ name: String, _ a: Condition, _ b: Condition) -> Bool {
        guard case .constant(let floor) = b else { return false }
        if case .column(let column) = a, isKey(column) {
            switch (name, floor) {
            case (">", .number(let n)): return n <= 0
            case (">=", .number(let n)): return n <= 1
            case ("<>", .number(let n)): return n <= 0
            case ("<>", .text("")): return true
            case ("is not", .null): return true
            default: return false
            }
        }
        if a.isColumn, case .text(let end) = floor {
            return end == "infinity" && ["<", "<="].contains(name) || end == "-infinity" && [">", ">="].contains(name)
        }
        if case .call(let function, _) = a, ["random", "rand"].contains(function), case .number(let n) = floor {
            return [">", ">=", "<>"].contains(name) && n <= 0 || ["<", "<=", "<>"].contains(name) && n >= 1
        }
        guard case .call(let function, _) = a, ["length", "char_length", "octet_length", "abs", "position", "strpos"].contains(function),
            case .number(let n) = floor
        else { return false }
        return name == ">=" && n <= 0 || name == ">" && n < 0 || name == "<>" && n < 0
    }
    static func isKey(_ column: String) -> Bool {
        ["id", "rowid", "oid", "ctid", "_rowid_", "uuid", "xmin", "xmax", "cmin", "cmax", "tableoid"].contains(
            column.split(separator: ".").last?.lowercased() ?? "")
    }

    /// Whether one of several is met by every row: `x IS NULL OR x IS NOT NULL`, `p OR NOT p`, `x < 5 OR x > 3`.
    private static func covers(_ parts: [Condition]) -> Bool {
        let parts = parts.map(\.simplified)
        let set = Set(parts)
        for part in parts where part.isTold {
            if let opposite = part.complement, set.contains(opposite) || set.contains(opposite.simplified) { return true }
            if set.contains(.not(part)) { return true }
        }
        return coversLine(parts)
    }

    /// Ranges of one column that leave no gap; and two of `x <> …`.
    private static func coversLine(_ parts: [Condition]) -> Bool {
        var below: [String: (Double, Bool)] = [:], above: [String: (Double, Bool)] = [:], unequal: [String: Condition] = [:]
        for case .call(let name, let operands) in parts where operands.count == 2 {
            guard case .column(let column) = operands[0] else { continue }
            if name == "<>" {
                if let other = unequal[column], other != operands[1], case .constant = other, case .constant = operands[1] { return true }
                unequal[column] = operands[1]
            }
            guard case .constant(.number(let bound)) = operands[1] else { continue }
            if name == "<" || name == "<=", below[column].map({ $0.0 < bound }) ?? true { below[column] = (bound, name == "<=") }
            if name == ">" || name == ">=", above[column].map({ $0.0 > bound }) ?? true { above[column] = (bound, name == ">=") }
        }
        return below.contains { column, low in
            above[column].map { high in low.0 > high.0 || low.0 == high.0 && (low.1 || high.1) } ?? false
        }
    }
}
